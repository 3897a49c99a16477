//! Lines about requests that started on a schedule.

use std::iter;

use aio_core::report::{PaceReport, Report};

use super::notes::each;
use super::numbers::{mode, scaled};

/// What was asked and how the start of requests fared, a line for each engine and direction.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let paced = each(report).filter_map(|(engine, one)| {
        let pace = one.pace.as_ref()?;
        Some(format!("{} {}: {}", engine.engine, mode(one.direction, &one.access), line(pace)))
    });
    paced.collect()
}

fn line(pace: &PaceReport) -> String {
    let PaceReport { waited_for_place, started_late, never_started, .. } = pace;
    let gaps = if pace.rate_is_poisson { "at random" } else { "evenly" };
    let asked = format!(
        "{} requests/s were to start, {gaps}; the response (ms) counts from when each was to",
        scaled(pace.rate_asked_per_s)
    );
    let fared = [
        (waited_for_place, "waited for a place in the queue"),
        (started_late, "started more than 1 ms late although there was one"),
        (never_started, "had not started when the time was over"),
    ];
    let fared = fared.iter().filter(|(count, _)| **count > 0);
    let fared = fared.map(|(count, what)| format!("{count} {what}"));
    iter::once(asked).chain(fared).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use aio_core::report::{Latency, LatencyHistogram};

    use super::super::sample;
    use super::*;

    #[test]
    fn a_line_says_what_was_asked_and_only_what_went_wrong() {
        let mut report = sample::one_engine();
        assert_eq!(lines(&report), Vec::<String>::new());
        let pace = PaceReport {
            rate_asked_per_s: 2000.0,
            rate_is_poisson: true,
            response_latency: Latency::default(),
            response_histogram: LatencyHistogram::default(),
            waited_for_place: 3,
            started_late: 0,
            never_started: 5,
        };
        report.engines[0].directions[0].pace = Some(pace);
        insta::assert_snapshot!(lines(&report).join("\n"), @r"");
    }
}
