//! How long the demonstration may take.

use std::time::Duration;

/// The most rounds.
const ROUNDS_MAX: u32 = 3;
/// The most loops in a round, however small the file is.
const LOOPS_MAX: u32 = 1000;
/// What all loops of an engine in one direction should take together: more than the second below
/// which a run counts as short, as all may be faster than what was tried.
const MEASURED: Duration = Duration::from_secs(2);
/// What all rounds together should take at most.
const ROUNDS_TIME: Duration = Duration::from_secs(19);
/// No round is begun that would probably end after this.
pub(super) const ALL: Duration = Duration::from_secs(23);
/// What filling the file may take; a slower disk gets a smaller file, so that there is time for a
/// round of all engines.
pub(super) const FILL: Duration = Duration::from_millis(2500);

/// What the trial before the rounds should take at most, and the most loops of it.
const TRIAL: Duration = Duration::from_millis(800);
pub(super) const TRIAL_LOOPS_MAX: u32 = 4;

/// How many loops to try: the first are slow because they are the first, but on a slow disk there
/// is no time for more.
pub(super) fn trial_loops(fill: Duration) -> u32 {
    let fitting = TRIAL.as_nanos() / fill.as_nanos().max(1);
    u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, TRIAL_LOOPS_MAX)
}

/// What one loop was seen, or is guessed, to take.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopTime {
    /// The measured time of the faster direction.
    pub(super) measured: Duration,
    /// Both directions together.
    pub(super) both: Duration,
    /// What is needed once per run: memory, data, an engine.
    pub(super) setup: Duration,
}

/// How often every engine runs, and how many loops each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rounds {
    pub(super) number: u32,
    pub(super) loops: u32,
}

impl Rounds {
    /// As many rounds as fit, of the loops that make numbers sure, when `begun` of the time is
    /// over.
    pub(super) fn fitting(time: LoopTime, engines: usize, begun: Duration) -> Self {
        let left = ROUNDS_TIME.min(ALL.saturating_sub(begun));
        let engines = u32::try_from(engines).unwrap_or(u32::MAX);
        let fits = |rounds: u32, loops: u32| {
            let run = time.both.saturating_mul(loops).saturating_add(time.setup);
            run.saturating_mul(engines).saturating_mul(rounds) <= left
        };
        let number = (1..=ROUNDS_MAX).rev().find(|rounds| fits(*rounds, 1)).unwrap_or(1);
        let is_enough = |loops: u32| time.measured.saturating_mul(number * loops) >= MEASURED;
        let enough = (1..LOOPS_MAX).find(|loops| is_enough(*loops) || !fits(number, loops + 1));
        Self { number, loops: enough.unwrap_or(LOOPS_MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(measured_ms: u64, both_ms: u64) -> (u32, u32) {
        let [measured, both] = [measured_ms, both_ms].map(Duration::from_millis);
        let time = LoopTime { measured, both, setup: Duration::ZERO };
        let rounds = Rounds::fitting(time, 3, Duration::from_secs(2));
        (rounds.number, rounds.loops)
    }

    #[test]
    fn a_slow_disk_gets_fewer_rounds_and_always_one() {
        assert_eq!(
            [(800, 1600), (1200, 2400), (3000, 6000)].map(|(a, b)| fitting(a, b)),
            [(3, 1), (2, 1), (1, 1)]
        );
        let most = Duration::MAX;
        let longest = LoopTime { measured: most, both: most, setup: most };
        let rounds = Rounds::fitting(longest, usize::MAX / 2, Duration::MAX);
        assert_eq!(rounds, Rounds { number: 1, loops: 1 });
    }

    #[test]
    fn a_slow_disk_is_tried_by_one_loop_and_a_fast_one_by_some() {
        let loops = [0, 100, 300, 800, 5000].map(Duration::from_millis).map(trial_loops);
        assert_eq!(loops, [4, 4, 2, 1, 1]);
    }

    #[test]
    fn a_fast_disk_gets_the_loops_that_make_a_second_where_time_allows() {
        assert_eq!(fitting(50, 100), (3, 14));
        assert_eq!(fitting(50, 400), (3, 5), "19 s are for all engines and directions");
        assert_eq!(fitting(0, 0), (3, LOOPS_MAX));
        let [measured, both, setup] = [50, 140, 1000].map(Duration::from_millis);
        let rounds = Rounds::fitting(LoopTime { measured, both, setup }, 3, Duration::ZERO);
        assert_eq!(rounds, Rounds { number: 3, loops: 7 }, "runs that are slow to set up");
    }
}
