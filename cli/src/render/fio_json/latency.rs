//! Latencies in fio's words.

use std::ops::Range;

use aio_core::report::LatencyHistogram;
use serde_json::{Map, Value, json};

use super::float;

/// The percentiles that fio prints when none are asked for, with its words for them.
const PERCENTILES: [(&str, f64); 17] = [
    ("1.000000", 1.0),
    ("5.000000", 5.0),
    ("10.000000", 10.0),
    ("20.000000", 20.0),
    ("30.000000", 30.0),
    ("40.000000", 40.0),
    ("50.000000", 50.0),
    ("60.000000", 60.0),
    ("70.000000", 70.0),
    ("80.000000", 80.0),
    ("90.000000", 90.0),
    ("95.000000", 95.0),
    ("99.000000", 99.0),
    ("99.500000", 99.5),
    ("99.900000", 99.9),
    ("99.950000", 99.95),
    ("99.990000", 99.99),
];

/// Where fio's classes of latencies end, in nanoseconds, microseconds and milliseconds each.
const CLASS_ENDS: [u64; 10] = [2, 4, 10, 20, 50, 100, 250, 500, 750, 1000];
/// One more class of milliseconds, and the word for all beyond it.
const LAST_END_MS: u64 = 2000;
const BEYOND: &str = ">=2000";

/// What all latencies have.
pub(super) fn summary(histogram: &LatencyHistogram) -> Value {
    let summary = histogram.summary();
    json!({
        "min": summary.min_ns,
        "max": summary.max_ns,
        "mean": summary.mean_ns,
        "stddev": summary.stdev_ns,
        "N": histogram.count(),
    })
}

/// What fio adds when there were requests: `percentile`, and the `bins` of json+, named by the
/// middle of each.
pub(super) fn percentiles_and_bins(histogram: &LatencyHistogram) -> Map<String, Value> {
    if histogram.count() == 0 {
        return Map::new();
    }
    let values = histogram.percentiles(&PERCENTILES.map(|(_, percent)| percent));
    let named = PERCENTILES.iter().zip(values);
    let percentiles: Map<_, _> = named.map(|((name, _), ns)| ((*name).into(), json!(ns))).collect();
    let middle = |range: &Range<u64>| range.start + (range.end - range.start) / 2;
    let bins = histogram.buckets().map(|(range, count)| (middle(&range).to_string(), json!(count)));
    let bins: Map<_, _> = bins.collect();
    [("percentile", percentiles), ("bins", bins)]
        .map(|(key, map)| (key.into(), Value::Object(map)))
        .into_iter()
        .collect()
}

/// The share of the requests in each of fio's classes of latencies, in percent, each class named by
/// its end.
pub(super) fn classes(histogram: &LatencyHistogram) -> [(&'static str, Map<String, Value>); 3] {
    let all = float(histogram.count());
    let share = |(from_ns, to_ns): (u64, u64)| {
        let inside =
            histogram.buckets().filter(|(bucket, _)| (from_ns..to_ns).contains(&bucket.start));
        let count: u64 = inside.map(|(_, count)| count).sum();
        json!(if all > 0.0 { 100.0 * float(count) / all } else { 0.0 })
    };
    // The first class of a unit begins where the last one of the unit before has ended.
    let classes = |unit_ns: u64, begin_ns: u64| -> Map<String, Value> {
        let ends = CLASS_ENDS.map(|end| end * unit_ns);
        let begins = std::iter::once(begin_ns).chain(ends);
        let named = CLASS_ENDS.iter().zip(begins.zip(ends));
        named.map(|(name, range)| (name.to_string(), share(range))).collect()
    };
    let (ns, us, mut ms) = (classes(1, 0), classes(1_000, 1_000), classes(1_000_000, 1_000_000));
    let (second_ns, last_ns) = (1_000_000_000, LAST_END_MS * 1_000_000);
    ms.insert(LAST_END_MS.to_string(), share((second_ns, last_ns)));
    ms.insert(BEYOND.into(), share((last_ns, u64::MAX)));
    [("latency_ns", ns), ("latency_us", us), ("latency_ms", ms)]
}
