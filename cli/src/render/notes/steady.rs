//! Rounds until they were steady.

use aio_core::report::{EngineReport, Report};

use super::by_engine;
use crate::render::numbers::{count, short};

/// A line for each engine whose rounds became steady; that others did not is a doubt.
pub(super) fn lines(report: &Report) -> Vec<String> {
    fn line(engine: &EngineReport) -> Option<(&str, String)> {
        let steady = engine.steady_state.as_ref().filter(|steady| steady.is_reached)?;
        let numbers = steady.steadiness?;
        let said = format!(
            "steady after {}: the last {} count, which lie {} % of their mean apart and change by \
             {} %",
            count(steady.rates_per_s.len() as u64, "round"),
            steady.window_rounds,
            short(numbers.range_share * 100.0),
            short(numbers.slope_share * 100.0)
        );
        Some((engine.engine.as_str(), said))
    }
    let said: Vec<_> = report.engines.iter().filter_map(line).collect();
    by_engine(&said, report.engines.len())
}

#[cfg(test)]
mod tests {
    use aio_core::report::SteadyState;
    use aio_core::stats::Steadiness;

    use super::*;
    use crate::render::sample;

    #[test]
    fn only_rounds_that_became_steady_have_a_line() {
        let mut report = sample::blocks();
        assert_eq!(lines(&report), [""; 0]);
        let steadiness = Some(Steadiness { range_share: 0.031, slope_share: -0.005 });
        let rates_per_s = vec![1.0; 7];
        let mut steady =
            SteadyState { rates_per_s, window_rounds: 5, steadiness, is_reached: true };
        report.engines[0].steady_state = Some(steady.clone());
        assert_eq!(
            lines(&report),
            [
                "uring: steady after 7 rounds: the last 5 count, which lie 3.100 % of their mean apart \
              and change by -0.500 %"
            ]
        );
        steady.is_reached = false;
        report.engines[0].steady_state = Some(steady);
        assert_eq!(lines(&report), [""; 0]);
    }
}
