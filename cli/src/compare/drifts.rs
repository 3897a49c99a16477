//! Rates that drift within rounds. In one short round of many that is noise, which the intervals
//! know of; in most of them it is no fair picture of a contestant.

use std::collections::BTreeMap;

use aio_core::report::{Doubt, EngineReport};

/// The doubt of a single run.
const DRIFT: &str = "drift";

/// How often the rate of a contestant drifted, by its place in the list and its direction's.
#[derive(Debug, Default)]
pub(super) struct Drifts(BTreeMap<(usize, usize), usize>);

impl Drifts {
    /// Takes the doubts out of the run of a round, and counts them.
    pub(super) fn take(&mut self, entrant: usize, run: &mut EngineReport) {
        for (index, one) in run.directions.iter_mut().enumerate() {
            let before = one.doubts.len();
            one.doubts.retain(|doubt| doubt.code != DRIFT);
            if one.doubts.len() < before {
                *self.0.entry((entrant, index)).or_default() += 1;
            }
        }
    }

    /// Doubts `total`, of so many rounds, where most of them drifted.
    pub(super) fn tell(&self, entrant: usize, rounds: usize, total: &mut EngineReport) {
        for (index, one) in total.directions.iter_mut().enumerate() {
            let drifted = self.0.get(&(entrant, index)).copied().unwrap_or(0);
            one.doubts.retain(|doubt| doubt.code != DRIFT);
            if 2 * drifted > rounds {
                let reason = format!(
                    "in {drifted} of {rounds} rounds its rate changed by more than 10 % from the \
                     first third to the last; warm up with --ramp-time or --warmup-loops, or give \
                     each round more time"
                );
                one.doubts.push(Doubt::new(DRIFT, reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn drift_is_told_when_most_rounds_did() {
        let mut drifts = Drifts::default();
        let mut run = sample::one_engine().engines.remove(0);
        let calm = run.clone();
        run.directions[0].doubts.push(Doubt::new(DRIFT, "x"));
        for _ in 0..2 {
            let mut run = run.clone();
            drifts.take(0, &mut run);
            assert_eq!(run, calm, "it is taken out of the round");
        }
        let told = |rounds: usize, entrant: usize| {
            let mut total = calm.clone();
            drifts.tell(entrant, rounds, &mut total);
            total.directions[0].doubts.len()
        };
        assert_eq!((told(3, 0), told(4, 0), told(3, 1)), (1, 0, 0));
    }
}
