//! For spreadsheets: a row per contestant and direction. What was not measured is empty.
//!
//! Columns are only ever added, at the end. Those of a metric are its median over rounds, the ends
//! of the 95 % interval of that, and its ratio to the baseline; then follows what the verdict rests
//! on. Settings are separated by spaces.

use std::io::{self, Write};

use aio_core::report::{Comparison, Contestant, DirectionResult, Metric, Setting};
use aio_core::stats::compare::Finding;

use super::super::csv::cell;
use super::words;

/// Columns in front of those of metrics.
const FIRST: [&str; 7] =
    ["contestant", "engine", "point", "changes", "direction", "rounds", "baseline"];
/// Columns behind those of metrics.
const LAST: [&str; 9] = [
    "metric",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
    "finding",
    "change",
    "verdict",
    "doubts",
];

pub(super) fn write(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(header())?;
    for one in &comparison.contestants {
        for result in &one.results {
            writer.write_record(row(comparison, one, result).iter().map(|text| cell(text)))?;
        }
    }
    writer.flush()
}

fn header() -> Vec<String> {
    let of_metric = |metric| {
        let name = column(metric);
        [name.to_owned(), format!("{name}_low"), format!("{name}_high"), format!("{name}_ratio")]
    };
    let metrics = Metric::ALL.into_iter().flat_map(of_metric);
    FIRST.map(String::from).into_iter().chain(metrics).chain(LAST.map(String::from)).collect()
}

/// The name of `metric`, with its unit.
fn column(metric: Metric) -> &'static str {
    match metric {
        Metric::Iops => "iops",
        Metric::Bandwidth => "e2e_speed_gib_per_s",
        Metric::P50 => "request_latency_ns_p50",
        Metric::P99 => "request_latency_ns_p99",
        Metric::P999 => "request_latency_ns_p99_9",
        Metric::ResponseP99 => "response_latency_ns_p99",
        Metric::Cpu => "cpu_ns_per_request",
        Metric::Calls => "system_calls_per_request",
    }
}

fn row(comparison: &Comparison, one: &Contestant, result: &DirectionResult) -> Vec<String> {
    let versus = result.versus.as_ref();
    let mut cells = vec![
        one.name.clone(),
        one.engine.clone(),
        settings(&one.point),
        settings(&one.changes),
        result.direction.to_string(),
        one.rounds.len().to_string(),
        versus.map(|versus| versus.baseline.clone()).unwrap_or_default(),
    ];
    for metric in Metric::ALL {
        let rounds = result.median(metric);
        cells.push(text(rounds.map(|rounds| rounds.median)));
        cells.push(text(rounds.and_then(|rounds| rounds.low)));
        cells.push(text(rounds.and_then(|rounds| rounds.high)));
        cells.push(text(versus.and_then(|versus| Some(versus.ratio(metric)?.ratio))));
    }
    let ratio = versus.and_then(|versus| versus.ratio(comparison.metric));
    cells.push(comparison.metric.name().into());
    cells.push(text(ratio.map(|ratio| ratio.ratio)));
    cells.push(text(ratio.and_then(|ratio| ratio.low)));
    cells.push(text(ratio.and_then(|ratio| ratio.high)));
    cells.push(text(ratio.map(|ratio| ratio.p_value)));
    cells.push(versus.map(|versus| finding(versus.verdict.finding)).unwrap_or_default().into());
    cells.push(text(versus.and_then(|versus| versus.verdict.change)));
    cells.push(words::of_result(comparison, one, result).unwrap_or_default());
    cells.push(doubts(one, result));
    cells
}

fn text(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn settings(settings: &[Setting]) -> String {
    let one = |setting: &Setting| words::point(std::slice::from_ref(setting));
    settings.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// As in JSON.
fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::NoDifference => "no-difference",
        Finding::CannotTell => "cannot-tell",
    }
}

/// The stable words of its doubts, separated by `;`.
fn doubts(one: &Contestant, result: &DirectionResult) -> String {
    let directions = one.total.iter().flat_map(|total| &total.directions);
    let same = directions.filter(|direction| direction.direction == result.direction);
    let codes = same.flat_map(|direction| &direction.doubts).map(|doubt| doubt.code.as_str());
    codes.collect::<Vec<_>>().join(";")
}
