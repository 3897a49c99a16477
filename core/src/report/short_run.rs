//! When a run was too short for its numbers to be more than a glimpse.

use super::{DirectionReport, Doubt, LoopReport};
use crate::plan::{Access, Direction};

/// The fewest loops of whole tensors that count.
const LOOPS_MIN: usize = 3;
/// The fewest requests for blocks in the loops that count.
const REQUESTS_MIN: u64 = 1000;
/// The least time of all loops that count together.
const SECONDS_MIN: f64 = 1.0;

/// The doubt that a run was too short: whole tensors by the loops that count and their time, blocks
/// by the requests in them and their time.
#[must_use]
pub fn short_run(one: &DirectionReport) -> Option<Doubt> {
    if is_left_out(one) {
        return None;
    }
    judge(&one.access, one.requests, &one.loops)
}

/// Whether it is the part of a mix that was to have no requests at all.
fn is_left_out(one: &DirectionReport) -> bool {
    let percent = one.access.blocks().and_then(|blocks| blocks.read_percent);
    match one.direction {
        Direction::Read => percent == Some(0),
        Direction::Write => percent == Some(100),
        Direction::Mixed | Direction::Trim => false,
    }
}

fn judge(access: &Access, requests: u64, loops: &[LoopReport]) -> Option<Doubt> {
    let counting = || loops.iter().filter(|one| one.counts);
    let seconds: f64 = counting().map(|one| one.e2e_latency_s).sum();
    // Without the figures, so that engines of one run give one reason.
    let reason = match access {
        Access::Tensor if counting().count() < LOOPS_MIN => {
            format!("fewer than {LOOPS_MIN} loops count; use more --loops")
        }
        Access::Tensor if seconds < SECONDS_MIN => {
            format!(
                "its loops took less than {SECONDS_MIN} s in all; use more --loops or more data"
            )
        }
        Access::Blocks(_) if requests < REQUESTS_MIN => {
            format!(
                "it had fewer than {REQUESTS_MIN} requests; use a longer --runtime or more \
                 --number-ios"
            )
        }
        Access::Blocks(_) if seconds < SECONDS_MIN => {
            format!(
                "it took less than {SECONDS_MIN} s; use a longer --runtime, more --number-ios or \
                 more --loops"
            )
        }
        Access::Tensor | Access::Blocks(_) => return None,
    };
    Some(Doubt::new("short-run", reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Blocks, Pattern};

    /// A loop to warm up, and `number` of `seconds` each that count.
    fn loops(number: u32, seconds: f64) -> Vec<LoopReport> {
        let one = |index| LoopReport {
            index,
            counts: index > 0,
            allocates: false,
            bytes: 1,
            task_latency_s: seconds,
            e2e_latency_s: seconds,
            task_speed_gib_per_s: 1.0,
            e2e_speed_gib_per_s: 1.0,
        };
        (0..=number).map(one).collect()
    }

    #[test]
    fn a_run_of_tensors_is_short_with_few_loops_or_little_time_in_those_that_count() {
        let judge = |loops: &[LoopReport]| judge(&Access::Tensor, 1, loops);
        assert_eq!(judge(&loops(3, 0.5)), None);
        assert_eq!(judge(&loops(2, 9.0)).expect("two loops").code, "short-run");
        assert!(judge(&loops(3, 0.3)).expect("0.9 s").reason.contains("less than 1 s"));
    }

    #[test]
    fn a_run_of_blocks_is_short_with_few_requests_or_little_time_in_loops_that_count() {
        let access = Access::Blocks(Blocks::new(Pattern::Random));
        let judge = |requests, loops: &[LoopReport]| {
            judge(&access, requests, loops).map(|doubt| doubt.reason)
        };
        assert_eq!(judge(1000, &loops(1, 1.0)), None, "one loop is enough");
        assert!(judge(999, &loops(1, 9.0)).expect("few").contains("fewer than 1000 requests"));
        assert!(judge(1000, &loops(1, 0.9)).expect("0.9 s").contains("less than 1 s"));
    }
}
