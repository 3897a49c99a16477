//! The section of a run.

use aio_core::plan::Access;
use aio_core::report::{DirectionReport, EngineReport, Latency, Report, Status};

use super::model::{AlarmKind, Cell, Column, Fact, Section, Table, Tone, alarms, fact};
use super::{plots, quantity};
use crate::render::comparison::words;
use crate::render::{self, NONE, Parts, calls_per_request, has_rate, mode, scaled, short, size};

/// What `report` says.
pub(super) fn section(report: &Report) -> Section {
    let parts = Parts::of(report);
    let mut alarms = alarms_of(report, &parts);
    alarms.dedup();
    Section {
        name: String::new(),
        heading: heading(report),
        summary: summary(report),
        alarms,
        tables: tables(report),
        figures: plots::of_run(report),
        facts: facts(report, parts),
    }
}

/// What was done, by whom.
fn heading(report: &Report) -> String {
    let what: Vec<_> = render::directions(report)
        .into_iter()
        .map(|direction| words::workload(&report.plan, direction, &[]))
        .collect();
    let engines: Vec<_> = report.engines.iter().map(|one| one.engine.clone()).collect();
    match what.as_slice() {
        [] => "A run without results".into(),
        what => words::capital(&format!("{}: {}", listed(what), listed(&engines))),
    }
}

/// `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn each(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    let of = |engine| each_of(engine);
    report.engines.iter().flat_map(of)
}

fn each_of(engine: &EngineReport) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    engine.directions.iter().map(move |one| (engine, one))
}

/// A sentence for each direction of each engine, and how they stand to each other.
fn summary(report: &Report) -> Vec<String> {
    let several = report.engines.len() > 1;
    let mut said: Vec<_> = Vec::new();
    for direction in render::directions(report) {
        let of = each(report).filter(|(_, one)| one.direction == direction);
        said.extend(of.map(|(engine, one)| sentence(report, engine, one)));
    }
    if said.is_empty() {
        said.push("No engine has run, so there are no numbers.".into());
    }
    if let Some(sequence) = render::sequence(report).filter(|_| several) {
        said.push(words::capital(&sequence) + ".");
    }
    said
}

fn sentence(report: &Report, engine: &EngineReport, one: &DirectionReport) -> String {
    let what = format!("{}: {}", engine.engine, mode(one.direction, &one.access));
    if one.status == Status::Failed {
        return format!("{what} failed and has no numbers.");
    }
    if !has_rate(one) {
        return format!("{what} has no loop that counts, and no numbers.");
    }
    let block = size(report.plan.block_size_bytes);
    let rate = match (&one.access, engine.moves_data) {
        (Access::Tensor, true) => format!("{} GiB/s", short(one.e2e_speed_gib_per_s)),
        (_, false) => {
            format!("{} requests per second, which moved no data", scaled(one.requests_per_s))
        }
        (Access::Blocks(blocks), true) => {
            let of = if blocks.sizes.is_empty() { format!(" of {block}") } else { String::new() };
            let (iops, speed) = (scaled(one.requests_per_s), short(one.task_speed_gib_per_s));
            format!("{iops} requests{of} per second ({speed} GiB/s)")
        }
    };
    let Latency { p50_ns, p99_ns, .. } = one.request_latency;
    let within = |ns: u64| quantity::time(real(ns));
    let latency = match (p50_ns, p99_ns) {
        (Some(p50), Some(p99)) => {
            format!("; half of them took up to {}, 99 % up to {}", within(p50), within(p99))
        }
        (Some(p50), None) => format!("; half of them took up to {}", within(p50)),
        _ => String::new(),
    };
    let latency = match one.access {
        Access::Tensor => latency.replace("half of them", "half of the requests"),
        Access::Blocks(_) => latency,
    };
    format!("{what} at {rate}{latency}.")
}

#[expect(clippy::cast_precision_loss, reason = "three digits are significant")]
fn real(ns: u64) -> f64 {
    ns as f64
}

fn alarms_of(report: &Report, parts: &Parts) -> Vec<super::model::Alarm> {
    let mut all = Vec::new();
    if report.status == Status::Failed && parts.failures.is_empty() {
        all.extend(alarms(AlarmKind::Failed, ["the run failed".into()]));
    }
    all.extend(alarms(AlarmKind::Failed, joined(&parts.failures)));
    if report.status == Status::Interrupted {
        let left: u64 = each(report).map(|(_, one)| one.unfinished_bytes).sum();
        let text = match left {
            0 => "this result is partial".into(),
            left => {
                format!("this result is partial; {} of unfinished loops are left out", size(left))
            }
        };
        all.extend(alarms(AlarmKind::Interrupted, [text]));
    }
    all.extend(alarms(AlarmKind::Doubtful, parts.doubts.clone()));
    all.extend(alarms(AlarmKind::Doubtful, parts.course.clone()));
    let differ = parts.missing.iter().chain(&parts.receipts);
    all.extend(alarms(AlarmKind::Different, differ.map(|one| without_label(one))));
    all
}

/// Headlines with the lines that belong to them, which are indented.
fn joined(lines: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        match all.last_mut() {
            Some(headline) if line.starts_with(' ') => {
                let sign = if headline.contains(": ") { "; " } else { ": " };
                *headline = format!("{headline}{sign}{}", line.trim());
            }
            _ => all.push(line.trim().into()),
        }
    }
    all
}

/// The line without the word that says what it is about.
fn without_label(line: &str) -> String {
    line.replacen("granted: ", "", 1).replacen("unavailable: ", "", 1)
}

/// How a verdict of the table is meant.
fn toned(verdict: &str) -> Cell {
    let tone = match verdict {
        "ok" => Tone::Sound,
        "FAILED" => Tone::Bad,
        "doubtful" | "partial" => Tone::Doubtful,
        _ => Tone::Plain,
    };
    Cell { text: verdict.into(), aside: None, tone }
}

pub(super) fn name(text: &str) -> Cell {
    Cell { text: text.into(), aside: None, tone: Tone::Name }
}

fn tables(report: &Report) -> Vec<Table> {
    let rows = || {
        render::directions(report).into_iter().flat_map(move |direction| {
            each(report).filter(move |(_, one)| one.direction == direction)
        })
    };
    if rows().next().is_none() {
        return Vec::new();
    }
    let first = |engine: &EngineReport, one: &DirectionReport| {
        vec![name(&engine.engine), Cell::new(mode(one.direction, &one.access))]
    };
    let results = rows().map(|(engine, one)| {
        let mut row = first(engine, one);
        row.push(toned(render::verdict(engine, one)));
        row.extend(numbers(engine, one).map(Cell::new));
        row
    });
    let titles = ["IOPS", "GiB/s", "time s", "p50", "p99", "CPU/request", "calls/request"];
    let columns = [Column::words("engine"), Column::words("mode"), Column::words("verdict")];
    let columns = columns.into_iter().chain(titles.map(Column::numbers));
    let results =
        Table { caption: "Results".into(), columns: columns.collect(), rows: results.collect() };
    vec![results, latencies(rows().map(|(engine, one)| (first(engine, one), one)))]
}

fn numbers(engine: &EngineReport, one: &DirectionReport) -> [String; 7] {
    let rated = has_rate(one);
    let shown = |text: Option<String>| text.filter(|_| rated).unwrap_or_else(|| NONE.into());
    let speed = match one.access {
        Access::Tensor => one.e2e_speed_gib_per_s,
        Access::Blocks(_) => one.task_speed_gib_per_s,
    };
    let seconds = match one.access {
        Access::Tensor => one.e2e_latency_s,
        Access::Blocks(_) => one.task_latency_s,
    };
    let ratios = &one.ratios;
    let cpu = ratios.cpu_user_ns_per_request.zip(ratios.cpu_system_ns_per_request);
    let latency = &one.request_latency;
    [
        shown(Some(scaled(one.requests_per_s))),
        shown(engine.moves_data.then(|| short(speed))),
        shown(Some(short(seconds))),
        shown(latency.p50_ns.map(|ns| quantity::time(real(ns)))),
        shown(latency.p99_ns.map(|ns| quantity::time(real(ns)))),
        shown(cpu.map(|(user, system)| quantity::time(user + system))),
        shown(calls_per_request(engine, one).map(short)),
    ]
}

fn latencies<'a>(rows: impl Iterator<Item = (Vec<Cell>, &'a DirectionReport)>) -> Table {
    let titles = ["mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "p99.999", "longest"];
    let row = |(mut row, one): (Vec<Cell>, &DirectionReport)| {
        let latency = &one.request_latency;
        let mut all = vec![(one.requests > 0).then_some(latency.mean_ns)];
        let percentiles = [
            latency.p50_ns,
            latency.p90_ns,
            latency.p95_ns,
            latency.p99_ns,
            latency.p99_9_ns,
            latency.p99_99_ns,
            latency.p99_999_ns,
            (latency.max_ns > 0).then_some(latency.max_ns),
        ];
        all.extend(percentiles.map(|ns| ns.map(real)));
        let shown = |ns: Option<f64>| {
            let ns = ns.filter(|_| has_rate(one));
            Cell::new(ns.map_or_else(|| NONE.into(), quantity::time))
        };
        row.extend(all.into_iter().map(shown));
        row
    };
    let columns = [Column::words("engine"), Column::words("mode")];
    Table {
        caption: "Latency of requests".into(),
        columns: columns.into_iter().chain(titles.map(Column::numbers)).collect(),
        rows: rows.map(row).collect(),
    }
}

/// The machine in lines.
pub(super) fn machine(version: &str, machine: &aio_core::report::Machine) -> Vec<String> {
    let mut lines = vec![render::machine_line(version, machine)];
    lines.extend(machine.memory_bytes.map(|bytes| format!("{} of memory", about(bytes))));
    lines
}

#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
fn about(bytes: u64) -> String {
    format!("{} GiB", short(bytes as f64 / f64::from(1 << 30)))
}

fn facts(report: &Report, parts: Parts) -> Vec<Fact> {
    let bare = |lines: Vec<String>, label: &str| -> Vec<String> {
        lines.iter().map(|line| line.strip_prefix(label).unwrap_or(line).into()).collect()
    };
    let targets = bare(parts.targets, "target: ");
    let targets = bare(targets, "device: ");
    let batches = parts.batches.into_iter().collect();
    let batches = bare(batches, "requests that share a time stamp (submitted/reaped per call): ");
    [
        fact("Machine", machine(&report.tool_version, &report.machine)),
        fact("Target", targets),
        fact("Plan", bare(vec![parts.plan], "plan: ")),
        fact("Both directions", parts.together),
        fact("Loops", parts.loops),
        fact("Devices", parts.devices),
        fact("Requests per call", batches),
        fact("Requests", bare(parts.prints, "fingerprint: ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
