//! What one tasklet did.

use std::time::Duration;

use super::{finished, last_end, moved_bytes};
use crate::plan::Plan;
use crate::report::{
    Depth, LatencyHistogram, Submission, TaskletCpu, TaskletReport, gib_per_s, requests_per_s,
};
use crate::schedule::{CpuTime, LaneResult, LoopClock, SubmitTime, TaskletResult};
use crate::stats::{Kind, PerKind};
use crate::target::Tasklet;

/// The report of a tasklet, but for the device that it is on.
pub(super) fn report(
    plan: &Plan,
    tasklet: &Tasklet,
    result: &TaskletResult,
    kind: Kind,
    clocks: &[LoopClock],
) -> TaskletReport {
    let mut report = TaskletReport {
        tid: tasklet.tid,
        path: tasklet.files[0].path.to_string_lossy().into_owned(),
        size_bytes: tasklet.size_bytes,
        ..TaskletReport::default()
    };
    for (index, (start, end, _)) in (0..).zip(finished(clocks)) {
        let Some(last) = last_end(&result.lanes, index) else { break };
        let task = last.since(start).as_secs_f64();
        report.loop_task_latency_s.push(task);
        if plan.counts(index) {
            report.bytes += moved_bytes(&result.lanes, kind, index);
            report.task_latency_s += task;
            report.e2e_latency_s += end.since(start).as_secs_f64();
        }
    }
    report.task_speed_gib_per_s = gib_per_s(report.bytes, report.task_latency_s);
    let spent: Vec<_> = result.lanes.iter().map(|lane| Spent::of(plan, lane, clocks)).collect();
    report.requests = spent.iter().map(|lane| lane.requests[kind]).sum();
    report.requests_per_s = requests_per_s(report.requests, report.task_latency_s);
    let mut histogram = LatencyHistogram::default();
    result.lanes.iter().for_each(|lane| histogram.merge(&lane.tally.latency[kind]));
    report.request_latency = histogram.summary();
    report.histogram = histogram;
    report.depth = depth(plan, spent.iter().copied());
    report.cpu = cpu(&spent);
    report
}

/// The depth of lanes: of requests of all kinds, for they share the queue.
pub(super) fn depth(plan: &Plan, lanes: impl Iterator<Item = Spent>) -> Depth {
    let sum =
        |(in_flight_s, main_s), lane: Spent| (in_flight_s + lane.in_flight_s, main_s + lane.main_s);
    let (in_flight_s, main_s) = lanes.fold((0.0, 0.0), sum);
    Depth::of(plan.queue_depth, in_flight_s, main_s)
}

/// The time inside the calls of lanes that submitted, which were `calls`, against the mean latency
/// of requests.
pub(super) fn submission<'a>(
    plan: &Plan,
    lanes: impl Iterator<Item = &'a LaneResult>,
    clocks: &[LoopClock],
    calls: u64,
    latency_mean_ns: f64,
) -> Submission {
    let mut time = SubmitTime::default();
    let mut main_s = 0.0;
    for lane in lanes {
        time += lane.tally.submit_time;
        main_s += Spent::of(plan, lane, clocks).main_s;
    }
    Submission::of(time.calls, time.in_calls_ns, calls, main_s, latency_mean_ns)
}

fn cpu(lanes: &[Spent]) -> TaskletCpu {
    let mut cpu = TaskletCpu::default();
    for spent in lanes {
        cpu.user_s += spent.cpu.user.as_secs_f64();
        cpu.system_s += spent.cpu.system.as_secs_f64();
        cpu.helpers_s += spent.helpers.as_secs_f64();
        if spent.main_s > 0.0 {
            let share = spent.cpu.seconds() / spent.main_s;
            cpu.busiest_thread_share = Some(cpu.busiest_thread_share.unwrap_or(0.0).max(share));
        }
    }
    cpu
}

/// What a lane did and spent in the loops that count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    requests: PerKind<u64>,
    /// The latencies of all requests, added up.
    in_flight_s: f64,
    main_s: f64,
    cpu: CpuTime,
    helpers: Duration,
}

impl Spent {
    pub(super) fn of(plan: &Plan, lane: &LaneResult, clocks: &[LoopClock]) -> Self {
        let mut spent = Self::default();
        for (index, ((start, _, _), done)) in (0..).zip(finished(clocks).zip(&lane.loops)) {
            if plan.counts(index) {
                spent.requests += done.requests;
                spent.main_s += done.end.since(start).as_secs_f64();
                spent.cpu += done.cpu;
                spent.helpers += Duration::from_nanos(done.counters.helpers_cpu_ns);
            }
        }
        let requests = spent.requests;
        for kind in Kind::ALL.into_iter().filter(|kind| requests[*kind] > 0) {
            // By the mean, because requests of a loop that was cut off were timed too.
            let mean_ns = lane.tally.latency[kind].summary().mean_ns;
            #[expect(clippy::cast_precision_loss, reason = "a mean needs few digits")]
            let requests = requests[kind] as f64;
            spent.in_flight_s += requests * mean_ns / 1e9;
        }
        spent
    }
}
