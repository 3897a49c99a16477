//! Comparisons with fixed numbers.

use aio_core::plan::Direction;
use aio_core::report::{
    Comparison, Contestant, Layout, Measures, Metric, RequestsCheck, Round, SCHEMA_VERSION,
    Setting, Status,
};
use aio_core::stats::compare::LEVEL;

use super::blocks;

/// Three engines that read random blocks, in ten rounds with noise of some percent.
pub(crate) fn contest() -> Comparison {
    let mut comparison = empty(Layout::Contestants);
    for (index, (name, factor)) in
        [("uring", 1.0), ("libaio", 0.99), ("sync", 0.8)].iter().enumerate()
    {
        let baseline = (index > 0).then_some(0);
        comparison.contestants.push(contestant(name, name, &[], *factor, index, baseline));
    }
    comparison.judge();
    comparison
}

/// Two engines at three queue depths.
pub(crate) fn sweep() -> Comparison {
    let mut comparison = empty(Layout::Sweep);
    for depth in [1_u32, 8, 32] {
        let first = comparison.contestants.len();
        for (place, (engine, factor)) in [("uring", 1.0), ("sync", 0.9)].iter().enumerate() {
            let name = format!("{engine} queue-depth={depth}");
            let point = [("queue-depth", depth.to_string())];
            let factor = factor * f64::from(depth).sqrt();
            let baseline = (place > 0).then_some(first);
            let one = contestant(&name, engine, &point, factor, place, baseline);
            comparison.contestants.push(one);
        }
    }
    comparison.judge();
    comparison
}

fn empty(layout: Layout) -> Comparison {
    let report = blocks();
    Comparison {
        schema_version: SCHEMA_VERSION,
        tool_version: report.tool_version,
        machine: report.machine,
        targets: report.targets,
        layout,
        metric: Metric::Iops,
        level: LEVEL,
        resolution: 0.02,
        rounds_planned: 10,
        elapsed_s: 31.5,
        contestants: Vec::new(),
        unavailable: Vec::new(),
        requests: RequestsCheck {
            runs_compared: 29,
            common_requests: 950_000,
            fewest_requests: 1_000_000,
            other_requests: Vec::new(),
            mismatch: None,
        },
        status: Status::Complete,
        failure: None,
    }
}

fn contestant(
    name: &str,
    engine: &str,
    point: &[(&str, String)],
    factor: f64,
    place: usize,
    baseline: Option<usize>,
) -> Contestant {
    let report = blocks();
    let setting =
        |(flag, value): &(&str, String)| Setting { flag: (*flag).into(), value: value.clone() };
    let mut total = report.engines[0].clone();
    total.engine = engine.into();
    let rounds = (0..10).map(|index| Round {
        index,
        place: u32::try_from(place).unwrap_or(0),
        begin_s: f64::from(index) * 3.0,
        measures: vec![measures(factor * noise(index, place))],
    });
    Contestant {
        name: name.into(),
        engine: engine.into(),
        point: point.iter().map(setting).collect(),
        changes: Vec::new(),
        baseline,
        plan: report.plan,
        rounds: rounds.collect(),
        results: Vec::new(),
        total: Some(total),
    }
}

/// Some percent, and other ones for each contestant.
fn noise(round: u32, place: usize) -> f64 {
    let steps = [0.0, 0.02, -0.01, 0.015, -0.02, 0.005, -0.005, 0.01, -0.015, 0.0];
    1.0 + steps[(round as usize + 3 * place) % steps.len()]
}

fn measures(factor: f64) -> Measures {
    Measures {
        direction: Direction::Read,
        requests_per_s: Some(100_000.0 * factor),
        e2e_speed_gib_per_s: Some(0.381 * factor),
        p50_ns: Some(300_000.0 / factor),
        p99_ns: Some(500_000.0 / factor),
        p99_9_ns: Some(900_000.0 / factor),
        response_p99_ns: None,
        cpu_ns_per_request: Some(4000.0 / factor),
        system_calls_per_request: Some(0.1),
    }
}
