//! What one tasklet did.

use std::time::Duration;

use super::{finished, last_end, moved_bytes};
use crate::plan::Plan;
use crate::report::{
    Depth, LatencyHistogram, TaskletCpu, TaskletReport, gib_per_s, requests_per_s,
};
use crate::schedule::{CpuTime, LaneResult, LoopClock, TaskletResult};
use crate::target::Tasklet;

/// The report of a tasklet, but for the device that it is on.
pub(super) fn report(
    plan: &Plan,
    tasklet: &Tasklet,
    result: &TaskletResult,
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
            report.bytes += moved_bytes(&result.lanes, index);
            report.task_latency_s += task;
            report.e2e_latency_s += end.since(start).as_secs_f64();
        }
    }
    report.task_speed_gib_per_s = gib_per_s(report.bytes, report.task_latency_s);
    report.requests = result.lanes.iter().map(|lane| spent(plan, lane, clocks).requests).sum();
    report.requests_per_s = requests_per_s(report.requests, report.task_latency_s);
    let mut histogram = LatencyHistogram::default();
    result.lanes.iter().for_each(|lane| histogram.merge(&lane.tally.latency));
    report.request_latency = histogram.summary();
    report.histogram = histogram;
    let mean_ns = report.request_latency.mean_ns;
    let lanes_s = lanes_s(plan, result, clocks);
    report.depth = Depth::of(plan.queue_depth, report.requests, mean_ns, lanes_s);
    report.cpu = cpu(plan, result, clocks);
    report
}

/// Seconds that all lanes of a tasklet together were in *main*, in the loops that count.
pub(super) fn lanes_s(plan: &Plan, result: &TaskletResult, clocks: &[LoopClock]) -> f64 {
    result.lanes.iter().map(|lane| spent(plan, lane, clocks).main_s).sum()
}

fn cpu(plan: &Plan, result: &TaskletResult, clocks: &[LoopClock]) -> TaskletCpu {
    let mut cpu = TaskletCpu::default();
    for spent in result.lanes.iter().map(|lane| spent(plan, lane, clocks)) {
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
struct Spent {
    requests: u64,
    main_s: f64,
    cpu: CpuTime,
    helpers: Duration,
}

fn spent(plan: &Plan, lane: &LaneResult, clocks: &[LoopClock]) -> Spent {
    let mut spent = Spent::default();
    for (index, ((start, _, _), done)) in (0..).zip(finished(clocks).zip(&lane.loops)) {
        if plan.counts(index) {
            spent.requests += done.requests;
            spent.main_s += done.end.since(start).as_secs_f64();
            spent.cpu += done.cpu;
            spent.helpers += Duration::from_nanos(done.counters.helpers_cpu_ns);
        }
    }
    spent
}
