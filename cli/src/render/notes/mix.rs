//! Reads and writes of one mix, taken together.

use aio_core::report::{DirectionReport, EngineReport, Report, gib_per_s, requests_per_s};

use crate::render::numbers::{has_rate, is_of_mix, scaled, short};

/// A line for each engine that mixed reads and writes. A mix of which all requests were one is told
/// by its row.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let several = report.engines.len() > 1;
    let line = |engine: &EngineReport| {
        let parts: Vec<&DirectionReport> =
            engine.directions.iter().filter(|one| is_of_mix(one)).collect();
        if parts.len() < 2 || !engine.moves_data || !parts.iter().all(|one| has_rate(one)) {
            return None;
        }
        let seconds = parts.iter().map(|one| one.task_latency_s).fold(0.0, f64::max);
        let (requests, bytes) = parts
            .iter()
            .fold((0, 0), |(requests, bytes), one| (requests + one.requests, bytes + one.bytes));
        let (iops, speed) = (requests_per_s(requests, seconds), gib_per_s(bytes, seconds));
        let (iops, speed) = (scaled(iops), short(speed));
        let name = if several { format!("{}: ", engine.engine) } else { String::new() };
        Some(format!(
            "{name}reads and writes together: {iops} IOPS, {speed} GiB/s; calls/req and CPU s are \
             of both"
        ))
    };
    report.engines.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use aio_core::plan::{Access, Blocks, Direction, Pattern};

    use super::*;
    use crate::render::sample;

    #[test]
    fn a_mix_adds_up_in_a_line_of_its_own() {
        let mut report = sample::blocks();
        assert_eq!(lines(&report), [""; 0]);
        for engine in &mut report.engines {
            let read = &mut engine.directions[0];
            let blocks = Blocks { read_percent: Some(50), ..Blocks::new(Pattern::Random) };
            read.access = Access::Blocks(blocks);
            let write = DirectionReport { direction: Direction::Write, ..read.clone() };
            engine.directions.push(write);
        }
        assert_eq!(
            lines(&report),
            [
                "uring: reads and writes together: 524.3 k IOPS, 2.000 GiB/s; calls/req and CPU s \
                 are of both",
                "sync: reads and writes together: 419.4 k IOPS, 1.600 GiB/s; calls/req and CPU s \
                 are of both",
            ]
        );
        for engine in &mut report.engines {
            engine.directions[1].requests = 0;
        }
        assert_eq!(lines(&report), [""; 0]);
    }
}
