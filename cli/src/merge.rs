//! Rounds of one engine as one result.

use aio_core::receipt::merge;
use aio_core::report::{
    Depth, DirectionReport, EngineReport, LoopReport, Ratios, Sharing, Status, TaskletReport,
    add_devices, gib_per_s, groups, rate_missed, requests_per_s, short_run,
};

/// The doubts that are judged by all rounds together.
const OF_ALL_ROUNDS: [&str; 2] = ["short-run", "rate-missed"];

/// The rounds of an engine, in order, as if they had been one run of as many loops. `None` when
/// there are none.
pub(crate) fn rounds(rounds: Vec<EngineReport>) -> Option<EngineReport> {
    let mut rounds = rounds.into_iter();
    let mut all = rounds.next()?;
    for round in rounds {
        merge(&mut all.receipts, round.receipts);
        for direction in round.directions {
            let known = all.directions.iter_mut().find(|one| one.direction == direction.direction);
            match known {
                Some(sum) => add(sum, direction),
                None => all.directions.push(direction),
            }
        }
    }
    let shared: Vec<_> = all.directions.iter().map(|one| sharing(&all, one)).collect();
    for (one, shared) in all.directions.iter_mut().zip(shared) {
        one.groups = groups(&one.tasklets);
        one.ratios = Ratios::of(one, shared.effort);
        one.doubts.retain(|doubt| !OF_ALL_ROUNDS.contains(&doubt.code.as_str()));
        one.doubts.extend(short_run(one).filter(|_| all.moves_data));
        let paced = one.pace.as_ref();
        let missed = paced.and_then(|pace| rate_missed(pace, shared.paced, one.task_latency_s));
        one.doubts.extend(missed);
    }
    Some(all)
}

/// The requests that the effort of `one` was made for: its own, or with `--concurrent` and in a mix
/// those of both directions.
fn sharing(all: &EngineReport, one: &DirectionReport) -> Shared {
    let of = |one: &DirectionReport| {
        one.requests + one.flushes.as_ref().map_or(0, |flushes| flushes.requests)
    };
    let both = all.directions.iter().map(of).sum();
    let is_mix = one.access.blocks().is_some_and(|blocks| blocks.read_percent.is_some());
    let cpu = if one.cpu.shared_with_other_directions { both } else { of(one) };
    let calls = if is_mix { both } else { of(one) };
    let all_requests = || all.directions.iter().map(|one| one.requests).sum();
    let paced = if is_mix { all_requests() } else { one.requests };
    Shared { effort: Sharing { cpu, calls }, paced }
}

/// Requests that a direction shares something with, its own among them.
struct Shared {
    effort: Sharing,
    /// Those that one schedule was for.
    paced: u64,
}

fn add(sum: &mut DirectionReport, round: DirectionReport) {
    sum.depth = depth(sum, &round);
    sum.submission = sum.submission.and(round.submission);
    sum.series.append(&round.series);
    sum.status = worse(sum.status, round.status);
    add_flushes(sum, &round);
    sum.bytes += round.bytes;
    sum.requests += round.requests;
    sum.task_latency_s += round.task_latency_s;
    sum.e2e_latency_s += round.e2e_latency_s;
    sum.task_speed_gib_per_s = gib_per_s(sum.bytes, sum.task_latency_s);
    sum.e2e_speed_gib_per_s = gib_per_s(sum.bytes, sum.e2e_latency_s);
    sum.requests_per_s = requests_per_s(sum.requests, sum.task_latency_s);
    sum.histogram.merge(&round.histogram);
    sum.request_latency = sum.histogram.summary();
    let next = u32::try_from(sum.loops.len()).unwrap_or(u32::MAX);
    let renumbered = (next..).zip(round.loops);
    sum.loops.extend(renumbered.map(|(index, one)| LoopReport { index, ..one }));
    for tasklet in round.tasklets {
        match sum.tasklets.iter_mut().find(|known| known.tid == tasklet.tid) {
            Some(known) => add_tasklet(known, tasklet),
            None => sum.tasklets.push(tasklet),
        }
    }
    sum.counters += round.counters;
    sum.short_transfers += round.short_transfers;
    sum.cpu.user_s += round.cpu.user_s;
    sum.cpu.system_s += round.cpu.system_s;
    add_devices(&mut sum.devices, &round.devices);
    sum.cpu.voluntary_switches += round.cpu.voluntary_switches;
    sum.cpu.involuntary_switches += round.cpu.involuntary_switches;
    let shares = [sum.cpu.busiest_thread_share, round.cpu.busiest_thread_share];
    sum.cpu.busiest_thread_share = shares.into_iter().flatten().reduce(f64::max);
    for doubt in round.doubts {
        if !sum.doubts.contains(&doubt) {
            sum.doubts.push(doubt);
        }
    }
    sum.failures.extend(round.failures);
    sum.validated_bytes = match (sum.validated_bytes, round.validated_bytes) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    sum.unfinished_bytes += round.unfinished_bytes;
    for (lane, prints) in sum.lane_prints.iter_mut().zip(round.lane_prints) {
        lane.extend(prints);
    }
    // Every round makes the same requests, as far as time lets it. One that did not is not to be
    // hidden.
    let differs = sum.fingerprint != round.fingerprint && !sum.access.is_ended_by_time();
    if differs && round.status == Status::Complete {
        sum.fingerprint = format!("{}+{}", sum.fingerprint, round.fingerprint);
    }
}

/// Flushes, and what started on a schedule.
fn add_flushes(sum: &mut DirectionReport, round: &DirectionReport) {
    if let (Some(sum), Some(round)) = (&mut sum.flushes, &round.flushes) {
        sum.requests += round.requests;
        sum.histogram.merge(&round.histogram);
        sum.latency = sum.histogram.summary();
    }
    sum.end_flush_s = sum.end_flush_s.zip(round.end_flush_s).map(|(a, b)| a + b);
    if let (Some(sum), Some(round)) = (&mut sum.pace, &round.pace) {
        sum.response_histogram.merge(&round.response_histogram);
        sum.response_latency = sum.response_histogram.summary();
        sum.waited_for_place += round.waited_for_place;
        sum.started_late += round.started_late;
        sum.never_started += round.never_started;
    }
}

/// The mean depth over both, each weighing as much as its time.
fn depth(sum: &DirectionReport, round: &DirectionReport) -> Depth {
    let all_s = sum.task_latency_s + round.task_latency_s;
    let of = |one: &DirectionReport| {
        one.depth.achieved_mean.map(|mean| mean * one.task_latency_s / all_s)
    };
    let achieved_mean = of(sum).zip(of(round)).map(|(a, b)| a + b);
    Depth { achieved_mean: achieved_mean.filter(|mean| mean.is_finite()), ..sum.depth }
}

fn add_tasklet(sum: &mut TaskletReport, round: TaskletReport) {
    sum.bytes += round.bytes;
    sum.task_latency_s += round.task_latency_s;
    sum.e2e_latency_s += round.e2e_latency_s;
    sum.requests += round.requests;
    sum.task_speed_gib_per_s = gib_per_s(sum.bytes, sum.task_latency_s);
    sum.requests_per_s = requests_per_s(sum.requests, sum.task_latency_s);
    sum.histogram.merge(&round.histogram);
    sum.request_latency = sum.histogram.summary();
    sum.cpu.user_s += round.cpu.user_s;
    sum.cpu.system_s += round.cpu.system_s;
    sum.cpu.helpers_s += round.cpu.helpers_s;
    sum.loop_task_latency_s.extend(round.loop_task_latency_s);
}

fn worse(a: Status, b: Status) -> Status {
    let rank = |status| match status {
        Status::Complete => 0,
        Status::Interrupted => 1,
        Status::Failed => 2,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use aio_core::report::{Doubt, Latency, LatencyHistogram, PaceReport};

    use super::*;
    use crate::render::sample;

    fn engine() -> EngineReport {
        sample::one_engine().engines.remove(0)
    }

    #[test]
    fn rounds_add_up_and_their_loops_are_numbered_through() {
        let mut single = engine();
        single.directions[0].histogram.record(7);
        let merged = rounds(vec![single.clone(), single.clone(), single.clone()]).unwrap();
        let (one, sum) = (&single.directions[0], &merged.directions[0]);
        assert_eq!((sum.bytes, sum.requests), (3 * one.bytes, 3 * one.requests));
        assert!((sum.task_latency_s - 3.0 * one.task_latency_s).abs() < 1e-9);
        assert!((sum.task_speed_gib_per_s - one.task_speed_gib_per_s).abs() < 1e-9);
        assert_eq!(sum.counters.system_calls, 3 * one.counters.system_calls);
        assert!((sum.cpu.system_s - 3.0 * one.cpu.system_s).abs() < 1e-9);
        let indices: Vec<_> = sum.loops.iter().map(|one| one.index).collect();
        assert_eq!(indices, (0..12).collect::<Vec<_>>());
        assert_eq!(sum.fingerprint, one.fingerprint);
        assert_eq!((sum.histogram.count(), sum.request_latency.max_ns), (3, 7));
    }

    #[test]
    fn the_worst_round_decides_and_doubts_are_told_once() {
        let mut bad = engine();
        bad.directions[0].status = Status::Failed;
        bad.directions[0].doubts = vec![Doubt::new("buffered", "x")];
        let merged = rounds(vec![bad.clone(), engine(), bad]).unwrap();
        assert_eq!(merged.directions[0].status, Status::Failed);
        assert_eq!(merged.directions[0].doubts.len(), 1);
    }

    #[test]
    fn rounds_that_are_short_alone_are_not_when_they_are_long_enough_together() {
        let codes = |one: &EngineReport| -> Vec<_> {
            one.directions[0].doubts.iter().map(|doubt| doubt.code.clone()).collect()
        };
        let mut short = engine();
        short.directions[0].loops.truncate(2);
        let doubt = short_run(&short.directions[0]).expect("one loop of half a second");
        short.directions[0].doubts = vec![Doubt::new("buffered", "x"), doubt];
        let merged = |number: usize| rounds(vec![short.clone(); number]).unwrap();
        assert_eq!(codes(&merged(3)), ["buffered"]);
        assert_eq!(codes(&merged(2)), ["buffered", "short-run"]);
        let both = merged(2).directions.remove(0);
        assert_eq!(Some(&both.doubts[1]), short_run(&both).as_ref(), "of both rounds");
        let mut null = short.clone();
        null.moves_data = false;
        assert_eq!(codes(&rounds(vec![null]).unwrap()), ["buffered"]);
    }

    #[test]
    fn a_rate_that_one_round_missed_is_judged_by_all_of_them() {
        let mut round = engine();
        let one = &mut round.directions[0];
        let made = requests_per_s(one.requests, one.task_latency_s);
        one.pace = Some(PaceReport {
            rate_asked_per_s: made,
            rate_is_poisson: false,
            response_latency: Latency::default(),
            response_histogram: LatencyHistogram::default(),
            waited_for_place: 0,
            started_late: 0,
            never_started: 0,
        });
        let mut slow = round.clone();
        slow.directions[0].doubts = vec![Doubt::new("rate-missed", "half of it")];
        let codes = |rounds_of: Vec<EngineReport>| -> Vec<String> {
            let merged = rounds(rounds_of).unwrap().directions.remove(0);
            merged.doubts.into_iter().map(|doubt| doubt.code).collect()
        };
        assert_eq!(codes(vec![slow.clone(), round.clone()]), [""; 0], "together they kept it");
        slow.directions[0].task_latency_s *= 2.0;
        assert_eq!(codes(vec![slow, round]), ["rate-missed"]);
    }

    #[test]
    fn a_round_with_other_requests_shows() {
        let mut other = engine();
        other.directions[0].fingerprint = "f".into();
        let merged = rounds(vec![engine(), other]).unwrap();
        assert_eq!(merged.directions[0].fingerprint, "0123456789abcdef+f");
    }

    #[test]
    fn no_rounds_are_no_result() {
        assert_eq!(rounds(Vec::new()), None);
    }
}
