//! From what a wave measured to the report.

mod series;
mod tasklet;

use std::thread::available_parallelism;
use std::time::Duration;

use crate::clock::Stamp;
use crate::engine::EngineCounters;
use crate::observe::{self, Content, Evidence};
use crate::plan::{Direction, Plan};
use crate::receipt;
use crate::report::{
    Cpu, DirectionReport, Doubt, EngineReport, Failure, FlushReport, LatencyHistogram, LoopReport,
    PaceReport, Ratios, Series, Sharing, Status, TaskletReport, cpu_bound, drift, gib_per_s,
    groups, rate_missed, requests_per_s, short_run,
};
use crate::schedule::{LaneLoop, LaneResult, LoopClock, TaskletResult, WaveOutcome};
use crate::stats::{Kind, PerKind, combine};
use crate::target::{Resolved, Tasklet};

type Tasklets<'a> = Vec<(&'a Tasklet, &'a TaskletResult)>;

/// Adds a report for each direction of the wave, in the order of the plan.
pub(super) fn add(
    report: &mut EngineReport,
    plan: &Plan,
    resolved: &Resolved,
    outcome: &WaveOutcome,
) {
    let failed = outcome.tasklets.iter().any(|(_, result)| !result.failures.is_empty());
    let moved = super::moved::moved(plan, resolved, outcome);
    for phase in &plan.phases {
        let tasklets: Tasklets = outcome
            .tasklets
            .iter()
            .filter(|(tasklet, _)| tasklet.direction == phase.direction)
            .map(|(tasklet, result)| (tasklet, result))
            .collect();
        if tasklets.is_empty() {
            continue;
        }
        for (_, result) in &tasklets {
            receipt::merge(&mut report.receipts, result.receipts.iter().cloned());
            let lanes = result.lanes.iter().flat_map(|lane| lane.receipts.iter().cloned());
            receipt::merge(&mut report.receipts, lanes);
        }
        for part in phase.direction.parts() {
            let (mut one, fine) = direction(plan, *part, &tasklets, outcome);
            one.requests_per_s = requests_per_s(one.requests, one.task_latency_s);
            let applies = |whose| whose == phase.direction || whose == *part;
            let doubts = resolved.doubts.iter().filter(|(whose, _)| applies(*whose));
            for tasklet in &mut one.tasklets {
                let target = resolved.targets.iter().find(|target| target.path == tasklet.path);
                tasklet.device = target.and_then(|target| target.device.clone());
            }
            one.groups = groups(&one.tasklets);
            one.ratios = Ratios::of(&one, sharing(plan, &tasklets, outcome));
            one.doubts.extend(doubts.map(|(_, doubt)| doubt.clone()));
            one.failures.retain(|failure| is_told_in(failure, *part, phase.direction));
            one.status = match (failed, outcome.stopped) {
                (true, _) => Status::Failed,
                (false, true) => Status::Interrupted,
                (false, false) => Status::Complete,
            };
            if one.status == Status::Complete {
                one.doubts.extend(pace_doubt(plan, &one, &tasklets, outcome));
            }
            let evidence = Evidence {
                seen: &outcome.seen,
                moved: &moved,
                direction: *part,
                buffered: plan.buffered,
                content: content(&tasklets),
            };
            if one.status != Status::Failed && report.moves_data {
                one.devices = observe::devices(evidence);
                one.doubts.extend(observe::doubts(evidence));
            }
            if one.status == Status::Complete && report.moves_data {
                one.doubts.extend(short_run(&one));
                let cpus = available_parallelism().map_or(1, usize::from);
                one.doubts.extend(drift(fine.rates()));
                one.doubts.extend(cpu_bound(&one, cpus).filter(|_| !report.waits_by_polling));
                one.doubts.extend(partly_allocates(&tasklets, &one.loops));
                one.doubts.extend(little_overlap(phase.direction, outcome));
            }
            report.directions.push(one);
        }
    }
}

/// Whether a failure in tasklets of `phase` is told in `part` of it: each is told once, in the part
/// whose request failed, or in the first.
fn is_told_in(failure: &Failure, part: Direction, phase: Direction) -> bool {
    let operation = failure.operation.as_deref();
    let is_of = |part: &&Direction| match part.kind() {
        Some(Kind::Write) => matches!(operation, Some("write" | "fsync" | "fdatasync")),
        _ => operation == Some(part.to_string().as_str()),
    };
    let parts = phase.parts();
    parts.iter().find(is_of).or(parts.first()) == Some(&part)
}

/// Requests that shared the CPU time of a wave, and the calls of these tasklets.
fn sharing(plan: &Plan, tasklets: &Tasklets, outcome: &WaveOutcome) -> Sharing {
    let all = outcome.tasklets.iter().map(|(tasklet, result)| (tasklet, result)).collect();
    let total = |tasklets| counted(plan, tasklets, &outcome.clocks).0.total();
    Sharing { cpu: total(&all), calls: total(tasklets) }
}

/// The least share of the time in which the other direction must be at work for both to count as
/// concurrent.
const OVERLAP_MIN: f64 = 0.8;

/// The doubt that a direction ran alone for much of a concurrent run.
fn little_overlap(direction: Direction, outcome: &WaveOutcome) -> Option<Doubt> {
    let others: Vec<_> =
        outcome.tasklets.iter().filter(|one| one.0.direction != direction).collect();
    let other = others.first()?.0.direction;
    let (mut busy, mut all) = (Duration::ZERO, Duration::ZERO);
    for (index, (start, end, _)) in (0..).zip(finished(&outcome.clocks)) {
        let ends = others.iter().filter_map(|(_, result)| last_end(&result.lanes, index));
        busy += ends.max().map_or(Duration::ZERO, |last| last.since(start));
        all += end.since(start);
    }
    let share = busy.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE);
    (share < OVERLAP_MIN).then(|| {
        let percent = share * 100.0;
        let reason =
            format!("the {other} beside it was at work for only {percent:.0} % of the time");
        Doubt::new("little-overlap", reason)
    })
}

/// What was read into the memory of all tasklets.
fn content(tasklets: &Tasklets) -> Content {
    let mut content = Content::default();
    for (_, result) in tasklets {
        content.add(result.content);
    }
    content
}

/// The loops that all lanes of the wave have finished.
pub(super) fn finished(clocks: &[LoopClock]) -> impl Iterator<Item = (Stamp, Stamp, &LoopClock)> {
    clocks.iter().map_while(|clock| clock.end.map(|end| (clock.start, end, clock)))
}

fn direction(
    plan: &Plan,
    direction: Direction,
    tasklets: &Tasklets,
    outcome: &WaveOutcome,
) -> (DirectionReport, Series) {
    let kind = direction.kind().expect("a part of a direction is of one kind");
    let loops = loops(plan, tasklets, kind, &outcome.clocks);
    let lanes = || tasklets.iter().flat_map(|(_, result)| &result.lanes);
    let mut histogram = LatencyHistogram::default();
    lanes().for_each(|lane| histogram.merge(&lane.tally.latency[kind]));
    let (requests, counters) = counted(plan, tasklets, &outcome.clocks);
    let tasklet_reports: Vec<_> = tasklets
        .iter()
        .map(|(tasklet, result)| tasklet::report(plan, tasklet, result, kind, &outcome.clocks))
        .collect();
    let largest =
        |value: fn(&TaskletReport) -> f64| tasklet_reports.iter().map(value).fold(0.0, f64::max);
    let (task_latency_s, e2e_latency_s) =
        (largest(|one| one.task_latency_s), largest(|one| one.e2e_latency_s));
    let request_latency = histogram.summary();
    let busiest_threads = tasklet_reports.iter().filter_map(|one| one.cpu.busiest_thread_share);
    let bytes = loops.iter().filter(|one| one.counts).map(|one| one.bytes).sum();
    let validated = tasklets.iter().map(|(tasklet, result)| {
        // What was read is checked on the way; what was written, afterwards.
        let verifies = tasklet.access.blocks().is_some_and(|blocks| blocks.verify.is_some());
        let read = || result.lanes.iter().map(|lane| lane.verified_bytes).sum();
        if verifies && kind == Kind::Read { Some(read()) } else { result.validated_bytes }
    });
    // What two directions moved together cannot be told apart.
    let alone =
        tasklets.len() == outcome.tasklets.len() && tasklets[0].0.direction.parts().len() == 1;
    let finished_bytes: u64 = loops.iter().map(|one| one.bytes).sum();
    let series = series::both(plan, tasklets, kind, &outcome.clocks);
    let calls = counters.submit_calls;
    let report = DirectionReport {
        direction,
        access: tasklets[0].0.access.clone(),
        status: Status::Complete,
        tasklets_count: u32::try_from(tasklets.len()).unwrap_or(u32::MAX),
        bytes,
        requests: requests[kind],
        task_latency_s,
        e2e_latency_s,
        task_speed_gib_per_s: gib_per_s(bytes, task_latency_s),
        e2e_speed_gib_per_s: gib_per_s(bytes, e2e_latency_s),
        requests_per_s: 0.0,
        request_latency,
        histogram,
        depth: tasklet::depth(
            plan,
            lanes().map(|lane| tasklet::Spent::of(plan, lane, &outcome.clocks)),
        ),
        submission: tasklet::submission(plan, lanes(), &outcome.clocks, calls, &request_latency),
        series: series.shown,
        loops,
        groups: Vec::new(),
        counters,
        short_transfers: lanes().map(|lane| lane.tally.short_transfers).sum(),
        devices: Vec::new(),
        cpu: Cpu {
            busiest_thread_share: busiest_threads.reduce(f64::max),
            ..cpu(plan, &outcome.clocks, !alone)
        },
        tasklets: tasklet_reports,
        ratios: Ratios::default(),
        fingerprint: format!("{:016x}", combine(lanes().flat_map(prints_of))),
        lane_prints: lanes()
            .map(|lane| lane.loops.iter().filter_map(|done| done.print.clone()).collect())
            .collect(),
        doubts: Vec::new(),
        failures: tasklets.iter().flat_map(|(_, result)| result.failures.clone()).collect(),
        validated_bytes: validated.sum(),
        pace: pace(kind, tasklets),
        flushes: flushes(direction, tasklets, requests[Kind::Flush]),
        end_flush_s: end_flush_s(direction, plan, tasklets),
        unfinished_bytes: if alone {
            outcome.moved_bytes.saturating_sub(finished_bytes)
        } else {
            0
        },
    };
    (report, series.fine)
}

/// How requests of `kind` fared against their schedule, if they had one.
fn pace(kind: Kind, tasklets: &Tasklets) -> Option<PaceReport> {
    let rates = tasklets.iter().filter_map(|(tasklet, _)| tasklet.access.blocks()?.rate);
    let rate = rates.clone().next()?;
    let lanes = tasklets.iter().flat_map(|(_, result)| &result.lanes);
    let tallies: Vec<_> = lanes.filter_map(|lane| lane.pace.as_ref()).collect();
    let mut response = LatencyHistogram::default();
    for tally in &tallies {
        response.merge(&tally.response[kind]);
    }
    Some(PaceReport {
        rate_asked_per_s: rates.map(|rate| rate.per_s).sum(),
        rate_is_poisson: rate.poisson,
        response_latency: response.summary(),
        response_histogram: response,
        waited_for_place: tallies.iter().map(|tally| tally.waited).sum(),
        started_late: tallies.iter().map(|tally| tally.late).sum(),
        never_started: tallies.iter().map(|tally| tally.unstarted).sum(),
    })
}

/// The doubt that the rate which was asked was not kept, by requests of all kinds together.
fn pace_doubt(
    plan: &Plan,
    one: &DirectionReport,
    tasklets: &Tasklets,
    outcome: &WaveOutcome,
) -> Option<Doubt> {
    let (requests, _) = counted(plan, tasklets, &outcome.clocks);
    let requests = requests.total() - requests[Kind::Flush];
    rate_missed(one.pace.as_ref()?, requests, one.task_latency_s)
}

/// The hashes over a lane's requests: one of all of them, or one for each loop that time ended.
fn prints_of(lane: &LaneResult) -> Vec<u64> {
    let by_time: Vec<u64> =
        lane.loops.iter().filter_map(|done| done.print.as_ref()).map(|print| print.value).collect();
    if by_time.is_empty() { vec![lane.tally.fingerprint.value()] } else { by_time }
}

fn loops(plan: &Plan, tasklets: &Tasklets, kind: Kind, clocks: &[LoopClock]) -> Vec<LoopReport> {
    (0..)
        .zip(finished(clocks))
        .map(|(index, (start, end, _))| {
            let ends = tasklets.iter().filter_map(|(_, result)| last_end(&result.lanes, index));
            let task = ends.max().map_or(Duration::ZERO, |last| last.since(start)).as_secs_f64();
            let moved = |lanes| moved_bytes(lanes, kind, index);
            let bytes = tasklets.iter().map(|(_, result)| moved(&result.lanes)).sum();
            let allocates = |file: usize| {
                tasklets.iter().any(|(tasklet, _)| {
                    tasklet.files.get(file).is_some_and(crate::target::TaskletFile::starts_empty)
                })
            };
            LoopReport {
                index,
                counts: plan.counts(index),
                allocates: if plan.different_file_each_iteration {
                    allocates(index as usize)
                } else {
                    index == 0 && allocates(0)
                },
                bytes,
                task_latency_s: task,
                e2e_latency_s: end.since(start).as_secs_f64(),
                task_speed_gib_per_s: gib_per_s(bytes, task),
                e2e_speed_gib_per_s: gib_per_s(bytes, end.since(start).as_secs_f64()),
            }
        })
        .collect()
}

/// What a tasklet's lanes did in loop `index`.
pub(super) fn in_loop(lanes: &[LaneResult], index: u32) -> impl Iterator<Item = &LaneLoop> {
    lanes.iter().filter_map(move |lane| lane.loops.get(index as usize))
}

/// When the last of a tasklet's lanes ended *main* in loop `index`.
fn last_end(lanes: &[LaneResult], index: u32) -> Option<Stamp> {
    in_loop(lanes, index).map(|done| done.end).max()
}

/// What a tasklet's lanes moved by requests of `kind` in loop `index`.
pub(super) fn moved_bytes(lanes: &[LaneResult], kind: Kind, index: u32) -> u64 {
    in_loop(lanes, index).map(|done| done.bytes[kind]).sum()
}

/// Requests that were completed, and what the engines counted, in the finished loops that count.
fn counted(
    plan: &Plan,
    tasklets: &Tasklets,
    clocks: &[LoopClock],
) -> (PerKind<u64>, EngineCounters) {
    let (mut requests, mut counters) = (PerKind::default(), EngineCounters::default());
    let counting = (0..).zip(finished(clocks)).filter(|(index, _)| plan.counts(*index));
    for (index, _) in counting {
        for done in tasklets.iter().flat_map(|(_, result)| in_loop(&result.lanes, index)) {
            requests += done.requests;
            counters += done.counters;
        }
    }
    (requests, counters)
}

/// The doubt that a write from front to end allocated at first and then wrote over that.
fn partly_allocates(tasklets: &Tasklets, loops: &[LoopReport]) -> Option<Doubt> {
    let sizes = tasklets.iter().map(|(tasklet, _)| tasklet.size_bytes);
    let range_bytes = sizes.fold(0_u64, u64::saturating_add);
    let both = loops.iter().any(|one| one.allocates && one.bytes > range_bytes);
    both.then(|| {
        let reason = "it allocated in its first pass over the file and wrote over that afterwards; \
                      use a --size that is written once, or a file that is there";
        Doubt::new("partly-allocates", reason)
    })
}

/// The flushes between writes, if any was asked for.
fn flushes(direction: Direction, tasklets: &Tasklets, requests: u64) -> Option<FlushReport> {
    let flush = tasklets[0].0.access.blocks()?.flush.filter(|_| direction.writes_data())?;
    let mut latency = LatencyHistogram::default();
    let lanes = tasklets.iter().flat_map(|(_, result)| &result.lanes);
    lanes.for_each(|lane| latency.merge(&lane.tally.latency[Kind::Flush]));
    Some(FlushReport {
        operation: flush.operation().name().into(),
        requests,
        latency: latency.summary(),
        histogram: latency,
    })
}

/// Σ over counting loops of the longest flush after one, in seconds.
fn end_flush_s(direction: Direction, plan: &Plan, tasklets: &Tasklets) -> Option<f64> {
    let asked = tasklets[0].0.access.blocks().is_some_and(|blocks| blocks.end_fsync);
    let counting = (0..plan.loops_in_all()).filter(|index| plan.counts(*index));
    let longest = |index| {
        let lanes = tasklets.iter().flat_map(move |(_, result)| in_loop(&result.lanes, index));
        lanes.filter_map(|done| done.flush).max()
    };
    (asked && direction.writes_data())
        .then(|| counting.filter_map(longest).sum::<Duration>().as_secs_f64())
}

fn cpu(plan: &Plan, clocks: &[LoopClock], shared_with_other_directions: bool) -> Cpu {
    let mut cpu = Cpu { shared_with_other_directions, ..Cpu::default() };
    for (index, (_, _, clock)) in (0..).zip(finished(clocks)) {
        if plan.counts(index) {
            let spent = clock.cpu();
            cpu.user_s += spent.user.as_secs_f64();
            cpu.system_s += spent.system.as_secs_f64();
            cpu.voluntary_switches += spent.voluntary_switches;
            cpu.involuntary_switches += spent.involuntary_switches;
        }
    }
    cpu
}
