//! For spreadsheets: a row per engine and direction. What was not measured is empty.
//!
//! Columns are only ever added, at the end. Their names say their units; `intervals` are separated
//! by `;` and their numbers by `:`; `doubts` are the stable
//! words of [`aio_core::report::Doubt`] and `failures` sentences, both separated by `;`.

use std::io::{self, Write};

use aio_core::plan::{Access, Blocks, Pattern};
use aio_core::report::{DirectionReport, EngineReport, Latency, Report, Status};

use super::Render;
use super::numbers::{calls_per_request, counting_speeds, has_rate, requests_per_s};
use crate::voice::printable;

type Content = fn(&Report, &EngineReport, &DirectionReport) -> Option<String>;

/// Columns in order.
const COLUMNS: [(&str, Content); 64] = [
    ("engine", |_, engine, _| Some(engine.engine.clone())),
    ("direction", |_, _, one| Some(one.direction.to_string())),
    ("status", |_, _, one| Some(status(one.status).into())),
    ("moves_data", |_, engine, _| Some(engine.moves_data.to_string())),
    ("block_size_bytes", |report, _, _| Some(report.plan.block_size_bytes.to_string())),
    ("queue_depth", |report, _, _| Some(report.plan.queue_depth.to_string())),
    ("tasklets_count", |_, _, one| Some(one.tasklets_count.to_string())),
    ("lanes_count", |report, _, _| Some(report.plan.lanes.to_string())),
    ("loops_count", |_, _, one| Some(counting_loops(one).to_string())),
    ("bytes", |_, _, one| Some(one.bytes.to_string())),
    ("requests", |_, _, one| Some(one.requests.to_string())),
    ("task_latency_s", |_, _, one| has_rate(one).then(|| one.task_latency_s.to_string())),
    ("e2e_latency_s", |_, _, one| has_rate(one).then(|| one.e2e_latency_s.to_string())),
    ("task_speed_gib_per_s", |_, engine, one| moved(engine, one, one.task_speed_gib_per_s)),
    ("e2e_speed_gib_per_s", |_, engine, one| moved(engine, one, one.e2e_speed_gib_per_s)),
    ("loop_speed_gib_per_s_min", |_, engine, one| {
        counting_speeds(one).and_then(|(least, _)| moved(engine, one, least))
    }),
    ("loop_speed_gib_per_s_max", |_, engine, one| {
        counting_speeds(one).and_then(|(_, greatest)| moved(engine, one, greatest))
    }),
    ("requests_per_s", |_, _, one| requests_per_s(one).map(|rate| rate.to_string())),
    ("request_latency_ns_min", |_, _, one| latency(one, one.request_latency.min_ns)),
    ("request_latency_ns_mean", |_, _, one| latency(one, one.request_latency.mean_ns)),
    ("request_latency_ns_p50", |_, _, one| percentile(one, one.request_latency.p50_ns)),
    ("request_latency_ns_p90", |_, _, one| percentile(one, one.request_latency.p90_ns)),
    ("request_latency_ns_p99", |_, _, one| percentile(one, one.request_latency.p99_ns)),
    ("request_latency_ns_p99_9", |_, _, one| percentile(one, one.request_latency.p99_9_ns)),
    ("request_latency_ns_max", |_, _, one| latency(one, one.request_latency.max_ns)),
    ("system_calls", |_, _, one| Some(one.counters.system_calls.to_string())),
    ("system_calls_per_request", |_, engine, one| {
        calls_per_request(engine, one).map(|ratio| ratio.to_string())
    }),
    ("short_transfers", |_, _, one| Some(one.short_transfers.to_string())),
    ("cpu_user_s", |_, _, one| Some(one.cpu.user_s.to_string())),
    ("cpu_system_s", |_, _, one| Some(one.cpu.system_s.to_string())),
    ("validated_bytes", |_, _, one| one.validated_bytes.map(|bytes| bytes.to_string())),
    ("seed", |report, _, _| Some(report.plan.seed.to_string())),
    ("fingerprint", |_, _, one| Some(one.fingerprint.clone())),
    ("doubts", |_, _, one| Some(joined(one.doubts.iter().map(|doubt| &doubt.code)))),
    ("failures", |_, _, one| Some(joined(one.failures.iter().map(|failure| &failure.message)))),
    ("access", |_, _, one| Some(access(&one.access).into())),
    ("iops", |_, _, one| has_rate(one).then(|| one.requests_per_s.to_string())),
    ("request_latency_ns_stdev", |_, _, one| latency(one, one.request_latency.stdev_ns)),
    ("request_latency_ns_p95", |_, _, one| percentile(one, one.request_latency.p95_ns)),
    ("request_latency_ns_p99_99", |_, _, one| percentile(one, one.request_latency.p99_99_ns)),
    ("request_latency_ns_p99_999", |_, _, one| percentile(one, one.request_latency.p99_999_ns)),
    ("achieved_depth_mean", |_, _, one| one.depth.achieved_mean.map(|mean| mean.to_string())),
    ("cpu_user_ns_per_request", |_, _, one| text(one.ratios.cpu_user_ns_per_request)),
    ("cpu_system_ns_per_request", |_, _, one| text(one.ratios.cpu_system_ns_per_request)),
    ("voluntary_switches", |_, _, one| Some(one.cpu.voluntary_switches.to_string())),
    ("involuntary_switches", |_, _, one| Some(one.cpu.involuntary_switches.to_string())),
    ("requests_per_submit_call", |_, _, one| text(one.ratios.requests_per_submit_call)),
    ("requests_per_reap_call", |_, _, one| text(one.ratios.requests_per_reap_call)),
    ("again", |_, _, one| Some(one.counters.again.to_string())),
    ("busiest_thread_share", |_, _, one| text(one.cpu.busiest_thread_share)),
    ("submit_call_ns_mean", |_, _, one| text(one.submission.call_mean_ns)),
    ("submit_time_share", |_, _, one| text(one.submission.time_share)),
    ("submit_latency_share", |_, _, one| text(one.submission.latency_share)),
    ("intervals", |report, _, one| report.plan.interval_ns.map(|_| intervals(one))),
    ("flushes", |_, _, one| one.flushes.as_ref().map(|flushes| flushes.requests.to_string())),
    ("flush_latency_ns_p50", |_, _, one| text_of(flush_latency(one)?.p50_ns)),
    ("flush_latency_ns_p99", |_, _, one| text_of(flush_latency(one)?.p99_ns)),
    ("end_flush_s", |_, _, one| one.end_flush_s.map(|seconds| seconds.to_string())),
    ("rate_asked_per_s", |_, _, one| text(one.pace.as_ref().map(|pace| pace.rate_asked_per_s))),
    ("response_latency_ns_p50", |_, _, one| text_of(one.pace.as_ref()?.response_latency.p50_ns)),
    ("response_latency_ns_p99", |_, _, one| text_of(one.pace.as_ref()?.response_latency.p99_ns)),
    ("waited_for_place", |_, _, one| Some(one.pace.as_ref()?.waited_for_place.to_string())),
    ("started_late", |_, _, one| Some(one.pace.as_ref()?.started_late.to_string())),
    ("never_started", |_, _, one| Some(one.pace.as_ref()?.never_started.to_string())),
];

/// The rows below their header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Csv;

impl Render for Csv {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS.map(|(name, _)| name))?;
        for row in rows(report) {
            writer.write_record(row)?;
        }
        writer.flush()
    }
}

fn rows(report: &Report) -> impl Iterator<Item = Vec<String>> {
    let ran = report
        .engines
        .iter()
        .flat_map(|engine| engine.directions.iter().map(move |one| (engine, one)));
    ran.map(move |(engine, one)| {
        let cells = COLUMNS.iter().map(|(_, content)| content(report, engine, one));
        cells.map(|content| cell(&content.unwrap_or_default())).collect()
    })
}

/// The rows of several jobs, whose names are in a column behind the others.
pub(super) fn write_jobs(jobs: &[(&str, &Report)], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS.iter().map(|(name, _)| *name).chain(["job"]))?;
    for (name, report) in jobs {
        for row in rows(report) {
            writer.write_record(row.into_iter().chain([cell(name)]))?;
        }
    }
    writer.flush()
}

/// A text as it stands in a cell. A spreadsheet takes what begins like a formula for one, and runs
/// it; behind an apostrophe it is a text (as OWASP's page on CSV injection has it). Numbers stay.
pub(super) fn cell(text: &str) -> String {
    let text = printable(text);
    let is_number = || text.chars().any(|c| c.is_ascii_digit()) && text.parse::<f64>().is_ok();
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) && !is_number() {
        return format!("'{text}");
    }
    text
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

fn access(access: &Access) -> &'static str {
    match access {
        Access::Tensor => "tensor",
        Access::Blocks(Blocks { pattern: Pattern::Sequential, .. }) => "sequential",
        Access::Blocks(Blocks { pattern: Pattern::Random, .. }) => "random",
    }
}

fn counting_loops(one: &DirectionReport) -> usize {
    one.loops.iter().filter(|one| one.counts).count()
}

fn moved(engine: &EngineReport, one: &DirectionReport, rate: f64) -> Option<String> {
    (engine.moves_data && has_rate(one)).then(|| rate.to_string())
}

fn latency(one: &DirectionReport, ns: impl ToString + Copy) -> Option<String> {
    (has_rate(one) && one.request_latency.max_ns > 0).then(|| ns.to_string())
}

fn flush_latency(one: &DirectionReport) -> Option<&Latency> {
    let flushes = one.flushes.as_ref().filter(|flushes| flushes.requests > 0 && has_rate(one))?;
    Some(&flushes.latency)
}

fn text_of(ns: Option<u64>) -> Option<String> {
    ns.map(|ns| ns.to_string())
}

fn percentile(one: &DirectionReport, ns: Option<u64>) -> Option<String> {
    ns.and_then(|ns| latency(one, ns))
}

fn text(number: Option<f64>) -> Option<String> {
    number.map(|number| number.to_string())
}

/// End in seconds, requests, bytes, and the median, 99th percentile and longest latency of each.
fn intervals(one: &DirectionReport) -> String {
    let each = one.series.samples.iter().map(|sample| {
        let latency = sample.latency.map(|one| [one.p50_ns, one.p99_ns, Some(one.max_ns)]);
        let latency = latency.unwrap_or_default().map(|ns| ns.map(|ns| ns.to_string()));
        let [p50, p99, max] = latency.map(Option::unwrap_or_default);
        format!("{}:{}:{}:{p50}:{p99}:{max}", sample.t_s, sample.requests, sample.bytes)
    });
    each.collect::<Vec<_>>().join(";")
}

fn joined<'a>(words: impl Iterator<Item = &'a String>) -> String {
    words.map(String::as_str).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::super::{rendered, sample};
    use super::*;

    #[test]
    fn each_engine_and_direction_has_a_row() {
        insta::assert_snapshot!(rendered(&Csv, &sample::comparison()), @r"
        engine,direction,status,moves_data,block_size_bytes,queue_depth,tasklets_count,lanes_count,loops_count,bytes,requests,task_latency_s,e2e_latency_s,task_speed_gib_per_s,e2e_speed_gib_per_s,loop_speed_gib_per_s_min,loop_speed_gib_per_s_max,requests_per_s,request_latency_ns_min,request_latency_ns_mean,request_latency_ns_p50,request_latency_ns_p90,request_latency_ns_p99,request_latency_ns_p99_9,request_latency_ns_max,system_calls,system_calls_per_request,short_transfers,cpu_user_s,cpu_system_s,validated_bytes,seed,fingerprint,doubts,failures,access,iops,request_latency_ns_stdev,request_latency_ns_p95,request_latency_ns_p99_99,request_latency_ns_p99_999,achieved_depth_mean,cpu_user_ns_per_request,cpu_system_ns_per_request,voluntary_switches,involuntary_switches,requests_per_submit_call,requests_per_reap_call,again,busiest_thread_share,submit_call_ns_mean,submit_time_share,submit_latency_share,intervals,flushes,flush_latency_ns_p50,flush_latency_ns_p99,end_flush_s,rate_asked_per_s,response_latency_ns_p50,response_latency_ns_p99,waited_for_place,started_late,never_started
        uring,write,complete,true,1048576,32,1,1,3,3221225472,3072,1.5,1.5150000000000001,2,1.98019801980198,1.6501650165016502,2.4752475247524752,2027.7227722772275,90000,15000000.5,14900000,16000000,20100000,22000000,25000000,3000,0.9765625,0,0.05,0.2,,0,0123456789abcdef,,,tensor,2048,1000000.25,18000000,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        uring,read,complete,true,1048576,32,1,1,3,3221225472,3072,0.75,0.7575000000000001,4,3.96039603960396,3.808073115003808,4.125412541254125,4055.445544554455,90000,15000000.5,14900000,16000000,20100000,22000000,25000000,3000,0.9765625,0,0.05,0.2,,0,0123456789abcdef,,,tensor,4096,1000000.25,18000000,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        sync,write,complete,true,1048576,32,1,1,3,3221225472,3072,1.875,1.89375,1.6,1.584158415841584,1.3201320132013201,1.9801980198019802,1622.178217821782,90000,15000000.5,14900000,16000000,20100000,22000000,25000000,3000,0.9765625,0,0.05,0.2,,0,0123456789abcdef,,,tensor,1638.4,1000000.25,18000000,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        sync,read,complete,true,1048576,32,1,1,3,3221225472,3072,0.9375,0.946875,3.2,3.168316831683168,3.046458492003046,3.3003300330033003,3244.356435643564,90000,15000000.5,14900000,16000000,20100000,22000000,25000000,3000,0.9765625,0,0.05,0.2,,0,0123456789abcdef,,,tensor,3276.8,1000000.25,18000000,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        ");
    }

    #[test]
    fn what_looks_like_a_formula_is_text_and_numbers_stay_numbers() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-1+1", "'-1+1"),
            ("-inf", "'-inf"),
            ("\t=1", "\\t=1"),
            ("\r=1", "\\r=1"),
            ("-1.5e-3", "-1.5e-3"),
            ("+2", "+2"),
            ("uring", "uring"),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    #[test]
    fn intervals_that_were_asked_for_are_in_one_cell() {
        let mut report = sample::one_engine();
        assert!(rendered(&Csv, &report).lines().all(|line| line.ends_with([',', 'd'])));
        report.plan.interval_ns = Some(1);
        insta::assert_snapshot!(intervals(&report.engines[0].directions[0]), @r"
        0.375:700:734003200:14900000:20000000:25000000;0.75:800:838860800:14900000:20000000:25000000;1.125:804:843055104:14900000:20000000:25000000;1.5:768:805306368:::
        ");
        assert!(rendered(&Csv, &report).contains("25000000;1.5:768:805306368:::"));
    }

    #[test]
    fn what_failed_has_empty_cells() {
        insta::assert_snapshot!(rendered(&Csv, &sample::troubled()), @r"
        engine,direction,status,moves_data,block_size_bytes,queue_depth,tasklets_count,lanes_count,loops_count,bytes,requests,task_latency_s,e2e_latency_s,task_speed_gib_per_s,e2e_speed_gib_per_s,loop_speed_gib_per_s_min,loop_speed_gib_per_s_max,requests_per_s,request_latency_ns_min,request_latency_ns_mean,request_latency_ns_p50,request_latency_ns_p90,request_latency_ns_p99,request_latency_ns_p99_9,request_latency_ns_max,system_calls,system_calls_per_request,short_transfers,cpu_user_s,cpu_system_s,validated_bytes,seed,fingerprint,doubts,failures,access,iops,request_latency_ns_stdev,request_latency_ns_p95,request_latency_ns_p99_99,request_latency_ns_p99_999,achieved_depth_mean,cpu_user_ns_per_request,cpu_system_ns_per_request,voluntary_switches,involuntary_switches,requests_per_submit_call,requests_per_reap_call,again,busiest_thread_share,submit_call_ns_mean,submit_time_share,submit_latency_share,intervals,flushes,flush_latency_ns_p50,flush_latency_ns_p99,end_flush_s,rate_asked_per_s,response_latency_ns_p50,response_latency_ns_p99,waited_for_place,started_late,never_started
        libaio,write,failed,true,100000,32,2,2,3,3221225472,3072,,,,,,,,,,,,,,,3000,0.9765625,0,0.05,0.2,,0,0123456789abcdef,,cannot write /data/f.1: No space left on device,tensor,,,,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        sync,read,complete,true,100000,32,1,2,3,3221225472,3072,1.5,1.5150000000000001,2,1.98019801980198,1.6501650165016502,2.4752475247524752,2027.7227722772275,90000,15000000.5,14900000,16000000,20100000,22000000,25000000,3000,0.9765625,2,0.05,0.2,3221225472,0,0123456789abcdef,buffered,,tensor,2048,1000000.25,18000000,,,30.72,16276.041666666666,65104.166666666664,2900,172,1.0593103448275862,1.0593103448275862,0,0.25,100000,0.2,0.006,,,,,,,,,,,
        ");
    }
}
