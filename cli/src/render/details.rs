//! Two more tables, for what the first has no room for: latencies, and the effort of requests. A
//! third one where tasklets have several folders or devices.

use aio_core::report::{DirectionReport, EngineReport, GroupKind, GroupReport, Report};

use super::notes::each;
use super::numbers::{NONE, has_rate, milliseconds, mode, scaled, short};
use super::table::{LABEL_COLUMNS_MIN, directions, laid_out};
use crate::voice::printable;

type Content = fn(&DirectionReport) -> Option<String>;

const LATENCIES: [(&str, Content); 8] = [
    ("mean", |one| Some(short(one.request_latency.mean_ns / 1e6))),
    ("p50", |one| one.request_latency.p50_ns.map(milliseconds)),
    ("p90", |one| one.request_latency.p90_ns.map(milliseconds)),
    ("p99", |one| one.request_latency.p99_ns.map(milliseconds)),
    ("p99.9", |one| one.request_latency.p99_9_ns.map(milliseconds)),
    ("p99.99", |one| one.request_latency.p99_99_ns.map(milliseconds)),
    ("p99.999", |one| one.request_latency.p99_999_ns.map(milliseconds)),
    ("max", |one| Some(milliseconds(one.request_latency.max_ns))),
];

const COSTS: [(&str, Content); 8] = [
    ("depth", |one| one.depth.achieved_mean.map(short)),
    ("user us/req", |one| one.ratios.cpu_user_ns_per_request.map(microseconds)),
    ("sys us/req", |one| one.ratios.cpu_system_ns_per_request.map(microseconds)),
    ("csw/req", |one| one.ratios.context_switches_per_request.map(short)),
    ("req/submit", |one| one.ratios.requests_per_submit_call.map(short)),
    ("req/reap", |one| one.ratios.requests_per_reap_call.map(short)),
    ("EAGAIN", |one| Some(one.counters.again.to_string())),
    ("short", |one| Some(one.short_transfers.to_string())),
];

fn microseconds(ns: f64) -> String {
    short(ns / 1e3)
}

/// The lines of all of them, each table with an empty line above it.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = table("latency ms", &LATENCIES, report);
    lines.extend(table("effort", &COSTS, report));
    lines.extend(groups(report));
    lines
}

/// What was measured, in the order of the first table: engines below each other for each direction.
fn measured(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    directions(report).into_iter().flat_map(move |direction| {
        each(report).filter(move |(_, one)| one.direction == direction && has_rate(one))
    })
}

fn table(title: &str, columns: &[(&str, Content)], report: &Report) -> Vec<String> {
    let row = |(engine, one): (&EngineReport, &DirectionReport)| {
        let cells = columns.iter().map(|(_, content)| content(one));
        label(engine, one).into_iter().chain(cells.map(or_none)).collect::<Vec<_>>()
    };
    let header = [title, ""].into_iter().chain(columns.iter().map(|(name, _)| *name));
    under(header.map(Into::into).collect(), measured(report).map(row).collect(), 2)
}

fn groups(report: &Report) -> Vec<String> {
    let header = ["group", "", "of", "IOPS", "GiB/s", "p50 ms", "p99 ms", "p99.9 ms"];
    let mut rows = Vec::new();
    for (engine, one) in measured(report) {
        for group in &one.groups {
            let by = match group.by {
                GroupKind::Folder => "folder",
                GroupKind::Device => "device",
            };
            let mut row = label(engine, one);
            row.push(format!("{by} {}", printable(&group.name)));
            row.extend(numbers(engine, group).map(or_none));
            rows.push(row);
        }
    }
    under(header.map(Into::into).to_vec(), rows, 3)
}

fn numbers(engine: &EngineReport, group: &GroupReport) -> [Option<String>; 5] {
    let latency = &group.request_latency;
    [
        Some(scaled(group.requests_per_s)),
        engine.moves_data.then(|| short(group.task_speed_gib_per_s)),
        latency.p50_ns.map(milliseconds),
        latency.p99_ns.map(milliseconds),
        latency.p99_9_ns.map(milliseconds),
    ]
}

fn label(engine: &EngineReport, one: &DirectionReport) -> Vec<String> {
    vec![printable(&engine.engine), mode(one.direction, &one.access)]
}

fn or_none(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| NONE.into())
}

/// A table of these rows, the first `words` columns of which are words; nothing without rows.
fn under(header: Vec<String>, rows: Vec<Vec<String>>, words: usize) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let right = words..header.len();
    let mut lines = vec![String::new()];
    lines.extend(laid_out(header, rows, right, LABEL_COLUMNS_MIN));
    lines
}

#[cfg(test)]
mod tests {
    use aio_core::report::Latency;

    use super::super::sample;
    use super::super::wrap::PAGE_COLUMNS;
    use super::*;

    #[test]
    fn latencies_and_costs_have_a_row_for_each_engine_and_direction() {
        insta::assert_snapshot!(lines(&sample::comparison())[1..].join("\n"), @r"
        latency ms          mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ─────────────────────────────────────────────────────────────────────────────
        uring       write  15.00  14.90  16.00  20.10  22.00       -        -  25.00
        sync        write  15.00  14.90  16.00  20.10  22.00       -        -  25.00
        uring       read   15.00  14.90  16.00  20.10  22.00       -        -  25.00
        sync        read   15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort         depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write  30.72        16.28       65.10    1.000       1.059     1.059       0      0
        sync    write  30.72        16.28       65.10    1.000       1.059     1.059       0      0
        uring   read   30.72        16.28       65.10    1.000       1.059     1.059       0      0
        sync    read   30.72        16.28       65.10    1.000       1.059     1.059       0      0
        ");
    }

    #[test]
    fn what_too_few_requests_tell_nothing_about_is_a_dash() {
        let mut report = sample::one_engine();
        let one = &mut report.engines[0].directions[0];
        one.request_latency = Latency { p99_ns: None, p99_9_ns: None, ..one.request_latency };
        one.depth.achieved_mean = None;
        insta::assert_snapshot!(lines(&report)[1..].join("\n"), @r"
        latency ms          mean    p50    p90  p99  p99.9  p99.99  p99.999    max
        ───────────────────────────────────────────────────────────────────────────
        uring       write  15.00  14.90  16.00    -      -       -        -  25.00

        effort         depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write      -        16.28       65.10    1.000       1.059     1.059       0      0
        ");
        report.engines[0].directions[0].loops.clear();
        assert_eq!(lines(&report), [""; 0], "nothing was measured");
    }

    #[test]
    fn folders_and_devices_have_a_row_each_and_long_ones_stay_on_the_page() {
        let mut report = sample::blocks();
        let one = &mut report.engines[0].directions[0];
        let group = sample::group(GroupKind::Folder, "/data/one");
        let long = format!("/data/{}", "long-".repeat(30));
        one.groups = vec![group.clone(), GroupReport { name: long, ..group }];
        one.groups.push(sample::group(GroupKind::Device, "8:16"));
        let lines = groups(&report);
        insta::assert_snapshot!(lines[1..].join("\n"), @r"
        group            of                                           IOPS  GiB/s  p50 ms  p99 ms  p99.9 ms
        ────────────────────────────────────────────────────────────────────────────────────────────────────
        uring  randread  folder /data/one                          262.1 k  1.000   0.200       -         -
        uring  randread  folder /data/long-long-long-long-long-lo  262.1 k  1.000   0.200       -         -
                         ng-long-long-long-long-long-long-long-lo
                         ng-long-long-long-long-long-long-long-lo
                         ng-long-long-long-long-long-long-long-lo
                         ng-
        uring  randread  device 8:16                               262.1 k  1.000   0.200       -         -
        ");
        assert!(lines.iter().all(|line| line.chars().count() <= PAGE_COLUMNS));
    }
}
