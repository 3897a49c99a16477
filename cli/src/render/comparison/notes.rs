//! The lines above and below the tables.

use aio_core::report::{Comparison, Contestant, EngineReport, Layout, Metric, Report, Status};

use super::bars::Ink;
use super::summary::{directions, name_of, points};
use super::units::{LatencyUnit, median};
use super::words;
use crate::render::numbers::count;
use crate::render::plan::plan_line;
use crate::render::{failures, notes};

/// The most lines that qualify numbers; a large sweep could have hundreds.
const QUALIFYING_MAX: usize = 16;

/// How it ended, when that was not as it should.
pub(super) fn status(comparison: &Comparison) -> Vec<String> {
    let counting = rounds_that_count(comparison);
    let mut lines = Vec::new();
    match comparison.status {
        Status::Complete => {}
        Status::Interrupted => lines.push(format!("INTERRUPTED: {counting}")),
        Status::Failed => {
            let why = comparison.failure.as_deref().unwrap_or("a contestant failed");
            lines.push(format!("FAILED: {why}"));
            lines.push(counting);
        }
    }
    let mismatch = comparison.requests.mismatch.as_ref();
    let mismatch = mismatch.filter(|why| comparison.failure.as_ref() != Some(*why));
    lines.extend(mismatch.map(|why| format!("NOT the same requests: {why}")));
    lines
}

fn rounds_that_count(comparison: &Comparison) -> String {
    let planned = count(comparison.rounds_planned.into(), "round");
    match rounds(comparison) {
        (0, 0) => format!("no contestant finished any of {planned}"),
        (least, most) if least == most => {
            format!("{least} of {planned} were finished by all contestants, and count")
        }
        (least, most) => format!(
            "of {planned}, contestants finished {least} to {most}; ratios rest on those that both \
             have"
        ),
    }
}

/// The fewest and the most rounds that a contestant has.
fn rounds(comparison: &Comparison) -> (usize, usize) {
    let rounds = || comparison.contestants.iter().map(|one| one.rounds.len());
    (rounds().min().unwrap_or(0), rounds().max().unwrap_or(0))
}

/// What was compared, and how.
pub(super) fn compared(comparison: &Comparison) -> String {
    let (least, most) = rounds(comparison);
    let rounds = if least == most {
        count(most as u64, "round")
    } else {
        format!("{least} to {}", count(most as u64, "round"))
    };
    let planned = u64::from(comparison.rounds_planned);
    let rounds = match comparison.status {
        Status::Complete if (most as u64) < planned => format!("{rounds} (of {planned} planned)"),
        _ => rounds,
    };
    let metric = words::metric(comparison.metric);
    let elapsed = words::time(comparison.elapsed_s);
    let whom = whom(comparison);
    format!("compared: {whom} by {metric}, in {rounds} of changing order, {elapsed} in all")
}

/// Who was compared with whom.
fn whom(comparison: &Comparison) -> String {
    let contestants = comparison.contestants.len();
    let points = points(comparison).len();
    let baseline = baseline(comparison);
    let against = baseline.map(|name| format!(" against {name}")).unwrap_or_default();
    match comparison.layout {
        Layout::Ladder => {
            format!("{}, each against the one before,", count(contestants as u64, "step"))
        }
        _ if points == contestants && points > 1 => format!("{points} points{against}"),
        _ if points > 1 => {
            let most = contestants.div_ceil(points) as u64;
            format!("{}{against} at each of {points} points", count(most, "contestant"))
        }
        _ => format!("{}{against}", count(contestants as u64, "contestant")),
    }
}

/// The name of the baseline, where all have the same.
fn baseline(comparison: &Comparison) -> Option<String> {
    let of = |one: &Contestant| {
        let baseline = comparison.contestants.get(one.baseline?)?;
        Some(name_of(comparison, baseline))
    };
    let mut names = comparison.contestants.iter().filter_map(of);
    let first = names.next()?;
    names.all(|name| name == first).then_some(first)
}

/// How to read the tables, where there are some.
pub(super) fn legend(comparison: &Comparison) -> Vec<String> {
    if rounds(comparison).1 == 0 {
        return Vec::new();
    }
    let is_judged = comparison.contestants.iter().any(|one| one.baseline.is_some());
    let percent = words::short_percent(comparison.level);
    let judged = is_judged.then(|| {
        format!(
            "numbers are medians of rounds, intervals hold the true value with 95 % confidence; \
             where nothing differs, at most {percent} % of comparisons find a difference"
        )
    });
    let layout = match comparison.layout {
        Layout::Ladder => comparison
            .contestants
            .first()
            .map(|one| format!("ratio: to the step above; in all: to {}, of medians", one.name)),
        Layout::Scale if comparison.metric.is_rate() => {
            Some("per thread: the rate of each thread against that with the fewest".into())
        }
        _ if is_judged => Some(
            "ratio: the mean ratio of rounds of the same number, which need not be that of medians"
                .into(),
        ),
        _ => None,
    };
    [judged, layout, less_is_better(comparison.metric)].into_iter().flatten().collect()
}

/// For sweeps: how each contestant fares along the last flag, as a picture.
pub(super) fn along(comparison: &Comparison, ink: Ink) -> Vec<String> {
    let mut lines = Vec::new();
    for direction in directions(comparison) {
        for (name, line) in lines_along(comparison) {
            let values = line.iter().map(|one| {
                let result = one.results.iter().find(|result| result.direction == direction)?;
                result.median(comparison.metric)
            });
            let Some(values) = values.collect::<Option<Vec<_>>>() else { continue };
            let unit = LatencyUnit::of(comparison);
            let ends = [values[0], values[values.len() - 1]];
            let [first, last] = ends.map(|one| median(comparison.metric, unit, one));
            let medians: Vec<f64> = values.iter().map(|one| one.median).collect();
            let sparks = ink.sparks(&medians);
            let metric = words::metric(comparison.metric);
            let over = along_what(&line);
            let name = format!("{metric} of {name} {direction}");
            lines.push(format!("{name}: {sparks} {first} to {last} {over}"));
        }
    }
    lines
}

/// Contestants of the same name at points that differ in the last flag only.
fn lines_along(comparison: &Comparison) -> Vec<(String, Vec<&Contestant>)> {
    let mut lines: Vec<(String, Vec<&Contestant>)> = Vec::new();
    for one in &comparison.contestants {
        let Some((_, outer)) = one.point.split_last() else { continue };
        let name = match words::point(outer) {
            outer if outer.is_empty() => words::short_name(one),
            outer => format!("{}, {outer}", words::short_name(one)),
        };
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, line)) => line.push(one),
            None => lines.push((name, vec![one])),
        }
    }
    lines.retain(|(_, line)| line.len() > 1);
    lines
}

fn along_what(line: &[&Contestant]) -> String {
    let last = |one: &&Contestant| one.point.last().cloned();
    let settings: Vec<_> = line.iter().filter_map(last).collect();
    let flag = settings.first().map(|one| one.flag.as_str()).unwrap_or_default();
    let values: Vec<_> = settings.iter().map(|one| one.value.as_str()).collect();
    format!("at {flag}={}", values.join(","))
}

/// All that qualifies the numbers, and what they are of.
pub(super) fn below(comparison: &Comparison) -> Vec<String> {
    let report = as_report(comparison);
    let mut lines = Vec::new();
    if let Some(report) = &report {
        lines.extend(failures::lines(report));
        lines.extend(notes::qualifying(report));
        let more = lines.split_off(lines.len().min(QUALIFYING_MAX)).len();
        if more > 0 {
            lines.push(format!(
                "and {} like these, all of which --format json has",
                count(more as u64, "more line")
            ));
        }
    }
    lines.extend(comparison.unavailable.iter().map(notes::unavailable_sentence));
    lines.extend(requests(comparison));
    lines.extend(report.as_ref().map(|report| plan(comparison, report)));
    lines.extend(notes::target_lines(&comparison.targets));
    lines
}

/// The contestants as engines of one report, by their names.
fn as_report(comparison: &Comparison) -> Option<Report> {
    let engine = |one: &Contestant| {
        let total = one.total.clone()?;
        Some(EngineReport { engine: one.name.clone(), ..total })
    };
    Some(Report {
        schema_version: comparison.schema_version,
        tool_version: comparison.tool_version.clone(),
        machine: comparison.machine.clone(),
        plan: comparison.contestants.first()?.plan.clone(),
        targets: comparison.targets.clone(),
        receipts: Vec::new(),
        engines: comparison.contestants.iter().filter_map(engine).collect(),
        unavailable: Vec::new(),
        status: comparison.status,
    })
}

/// The plan that all have in common.
fn plan(comparison: &Comparison, report: &Report) -> String {
    let line = plan_line(&report.plan, &report.receipts);
    let contestants = comparison.contestants.iter();
    let settings = contestants.flat_map(|one| one.point.iter().chain(&one.changes));
    let mut flags: Vec<&str> = settings.map(|setting| setting.flag.as_str()).collect();
    flags.retain(|flag| *flag != "engine");
    flags.sort_unstable();
    flags.dedup();
    if flags.is_empty() {
        return line;
    }
    let first = report.engines.first().map(|one| one.engine.as_str()).unwrap_or_default();
    let flags = flags.join(", ");
    format!("{line} (that of {first}; others differ in {flags})")
}

/// Whether contestants were given the same requests, where they were compared.
fn requests(comparison: &Comparison) -> Option<String> {
    let check = &comparison.requests;
    let is_told = check.runs_compared > 0 && check.mismatch.is_none();
    is_told.then(|| format!("requests: {}", words::requests(check)))
}

/// Whether less of the metric is better, which a bar does not tell.
fn less_is_better(metric: Metric) -> Option<String> {
    let name = words::metric(metric);
    (!metric.is_rate()).then(|| format!("{name}: less is better, and so are shorter bars"))
}
