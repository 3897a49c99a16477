//! Lines about requests that started on a schedule.

use std::iter;

use aio_core::report::{DirectionReport, Latency, PaceReport, Report};

use super::notes::each;
use super::numbers::{milliseconds, mode, scaled};

/// Response beside service, and how the start of requests fared, a line for each engine and
/// direction.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let paced = each(report).filter_map(|(engine, one)| {
        let mode = mode(one.direction, &one.access);
        Some(format!("{} {mode}: {}", engine.engine, line(one, one.pace.as_ref()?)))
    });
    paced.collect()
}

fn line(one: &DirectionReport, pace: &PaceReport) -> String {
    let PaceReport { waited_for_place, started_late, never_started, .. } = pace;
    let ms = |ns: Option<u64>| {
        ns.map_or_else(|| "unknown".into(), |ns| format!("{} ms", milliseconds(ns)))
    };
    let two = |latency: &Latency| format!("p50 {}, p99 {}", ms(latency.p50_ns), ms(latency.p99_ns));
    let gaps = if pace.rate_is_poisson { "at random" } else { "evenly" };
    let asked = format!(
        "response {}, from when requests were to start; service {}; {} requests/s were to start, \
         {gaps}",
        two(&pace.response_latency),
        two(&one.request_latency),
        scaled(pace.rate_asked_per_s)
    );
    let fared = [
        (waited_for_place, "waited for a place in the queue"),
        (started_late, "started late although there was a place"),
        (never_started, "had not started when the time was over, and are in no percentile"),
    ];
    let fared = fared.iter().filter(|(count, _)| **count > 0);
    let fared = fared.map(|(count, what)| format!("{count} {what}"));
    iter::once(asked).chain(fared).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use aio_core::report::LatencyHistogram;

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
        insta::assert_snapshot!(lines(&report).join("\n"), @"uring write: response p50 unknown, p99 unknown, from when requests were to start; service p50 14.90 ms, p99 20.10 ms; 2.000 k requests/s were to start, at random; 3 waited for a place in the queue; 5 had not started when the time was over, and are in no percentile");
    }
}
