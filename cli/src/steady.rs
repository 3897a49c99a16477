//! `--steady-state`: rounds until their rate is steady, of which the last count.

use aio_backends::{Chosen, RunPlan};
use aio_core::report::{DirectionReport, Doubt, EngineReport, Status, SteadyState};
use aio_core::session::{Observer, Session};
use aio_core::stats::{ROUNDS_MAX, Steadiness, WINDOW};

use crate::merge;
use crate::signals::Signals;

/// The doubt that steadiness takes the place of.
const DRIFT: &str = "drift";

/// Runs `chosen` round by round, until the last ones are steady, or nobody waits any longer, or the
/// run is to end.
pub(crate) fn run(
    session: &Session,
    chosen: &Chosen,
    signals: &Signals,
    observer: &mut dyn Observer,
) -> EngineReport {
    let mut rounds: Vec<EngineReport> = Vec::new();
    let mut rates = Vec::new();
    let mut next_loop = 0;
    loop {
        let round = chosen.backend.run(session, &chosen.spec, next_loop, observer);
        // No round has the data of an earlier one.
        next_loop = next_loop.wrapping_add(session.plan().loops_in_all());
        let goes_on = round.directions.iter().all(|one| one.status == Status::Complete);
        if goes_on {
            rates.push(rate_per_s(&round));
        }
        if rounds.len() == WINDOW {
            rounds.remove(0);
        }
        rounds.push(round);
        let is_steady = Steadiness::of(&rates).is_some_and(Steadiness::is_steady);
        if !goes_on || is_steady || rates.len() == ROUNDS_MAX || signals.stop().is_set() {
            return conclude(rounds, rates);
        }
    }
}

/// Requests of all directions per second.
fn rate_per_s(round: &EngineReport) -> f64 {
    let rate = |one: &DirectionReport| {
        #[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 bits")]
        let requests = one.requests as f64;
        if one.e2e_latency_s > 0.0 { requests / one.e2e_latency_s } else { 0.0 }
    };
    round.directions.iter().map(rate).sum()
}

/// The last rounds as one result, which says whether they were steady.
fn conclude(rounds: Vec<EngineReport>, rates_per_s: Vec<f64>) -> EngineReport {
    let window_rounds = rounds.len();
    let mut engine = merge::rounds(rounds).expect("there was a round");
    let steadiness = Steadiness::of(&rates_per_s);
    let is_reached = steadiness.is_some_and(Steadiness::is_steady);
    for one in &mut engine.directions {
        // Of rounds one by one; all of them together are judged here, by their own rule.
        one.doubts.retain(|doubt| doubt.code != DRIFT);
    }
    if !is_reached {
        let number = rates_per_s.len();
        let reason = match steadiness {
            Some(Steadiness { range_share, slope_share }) => format!(
                "its rate was not steady after {number} rounds: the last {WINDOW} lie {:.0} % of \
                 their mean apart (20 are allowed) and change by {:.0} % (10 are allowed)",
                range_share * 100.0,
                slope_share * 100.0
            ),
            None => format!("it ended after {number} rounds, too few to be called steady"),
        };
        for one in engine.directions.iter_mut().filter(|one| one.status != Status::Failed) {
            one.doubts.push(Doubt::new("not-steady", reason.clone()));
        }
    }
    engine.steady_state = Some(SteadyState { rates_per_s, window_rounds, steadiness, is_reached });
    engine
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    fn round() -> EngineReport {
        sample::blocks().engines.remove(0)
    }

    fn codes(engine: &EngineReport) -> Vec<&str> {
        engine.directions[0].doubts.iter().map(|doubt| doubt.code.as_str()).collect()
    }

    #[test]
    fn rounds_that_are_steady_are_added_up_and_raise_no_doubt() {
        let rates = vec![900.0, 300.0, 100.0, 101.0, 99.0, 100.0, 100.0];
        let mut drifting = round();
        drifting.directions[0].doubts.push(Doubt::new(DRIFT, "within a round"));
        let engine = conclude(vec![drifting; WINDOW], rates.clone());
        let steady = engine.steady_state.as_ref().expect("it was asked for");
        assert!(steady.is_reached);
        assert_eq!((steady.window_rounds, &steady.rates_per_s), (5, &rates));
        assert_eq!(engine.directions[0].requests, 5 * round().directions[0].requests);
        assert!(codes(&engine).iter().all(|code| !["not-steady", DRIFT].contains(code)));
    }

    #[test]
    fn rounds_that_never_were_steady_and_too_few_of_them_are_doubtful() {
        let engine = conclude(vec![round(); WINDOW], (1..=25).map(f64::from).collect());
        assert!(codes(&engine).contains(&"not-steady"));
        let reason = &engine.directions[0].doubts.last().expect("a doubt").reason;
        insta::assert_snapshot!(reason, @"its rate was not steady after 25 rounds: the last 5 lie 17 % of their mean apart (20 are allowed) and change by 17 % (10 are allowed)");
        let engine = conclude(vec![round(); 2], vec![1.0; 2]);
        assert_eq!(
            engine.directions[0].doubts.last().expect("a doubt").reason,
            "it ended after 2 rounds, too few to be called steady"
        );
    }

    #[test]
    fn the_rate_of_a_round_is_that_of_all_its_requests() {
        let one = round();
        let rate = rate_per_s(&one);
        let requests = f64::from(u32::try_from(one.directions[0].requests).unwrap());
        assert!((rate - requests / one.directions[0].e2e_latency_s).abs() < 1e-6);
    }
}
