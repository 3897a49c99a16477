//! What was measured in one direction, in fio's words and units.

use aio_core::report::{DirectionReport, EngineReport, LatencyHistogram, Report, Status};
use serde_json::{Map, Value, json};

use super::super::numbers::{has_rate, range};
use super::{float, latency, per_second, rounded};

/// What was measured in one direction; nothing of one that failed or has no finished loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Bytes per request.
    pub(super) block: u64,
    bytes: u64,
    requests: u64,
    short_transfers: u64,
    /// Until everybody had finished.
    pub(super) seconds: f64,
    /// Bytes per second and requests per second of each loop that counts.
    loops: Vec<(f64, f64)>,
    /// Of each request that was timed.
    pub(super) histogram: LatencyHistogram,
}

impl Measured {
    /// What was measured in the direction `one` of `engine`.
    pub(super) fn of(report: &Report, engine: &EngineReport, one: &DirectionReport) -> Self {
        let block = block_bytes(report);
        if !has_rate(one) {
            return Self { block, ..Self::default() };
        }
        // Of a run that was cut short, requests of the loop that did not end are counted too.
        let requests = match one.status {
            Status::Complete => one.requests,
            _ => one.bytes.div_ceil(block),
        };
        let moved = if engine.moves_data { 1.0 } else { 0.0 };
        let requests_per_byte = float(requests) / float(one.bytes);
        let of_loop = |bytes: u64, seconds: f64| {
            let rate = per_second(bytes, seconds);
            (rate * moved, rate * requests_per_byte)
        };
        let counting = one.loops.iter().filter(|one| one.counts);
        Self {
            block,
            bytes: if engine.moves_data { one.bytes } else { 0 },
            requests,
            short_transfers: one.short_transfers,
            seconds: one.e2e_latency_s,
            loops: counting.map(|one| of_loop(one.bytes, one.e2e_latency_s)).collect(),
            histogram: one.histogram.clone(),
        }
    }

    /// The time in milliseconds, as fio tells it.
    pub(super) fn runtime_ms(&self) -> u64 {
        rounded(self.seconds * 1e3)
    }
}

/// Bytes per request as they were granted.
fn block_bytes(report: &Report) -> u64 {
    let receipt = report.receipts.iter().find(|receipt| receipt.option == "block-size");
    let granted = receipt.and_then(|receipt| receipt.granted.parse().ok());
    granted.unwrap_or(report.plan.block_size_bytes)
}

/// The fields of `read`, `write` and `trim`.
pub(super) fn fields(measured: &Measured) -> Value {
    let bytes_per_s = per_second(measured.bytes, measured.seconds);
    let latencies = latency::summary(&measured.histogram);
    let mut with_percentiles = latencies.clone();
    if let Value::Object(fields) = &mut with_percentiles {
        fields.extend(latency::percentiles_and_bins(&measured.histogram));
    }
    let mut fields = Map::new();
    let mut add = |key: &str, value: Value| fields.insert(key.into(), value);
    add("io_bytes", json!(measured.bytes));
    add("io_kbytes", json!(measured.bytes >> 10));
    add("bw_bytes", json!(rounded(bytes_per_s)));
    add("bw", json!(rounded(bytes_per_s) >> 10));
    add("iops", json!(per_second(measured.requests, measured.seconds)));
    add("runtime", json!(measured.runtime_ms()));
    add("total_ios", json!(measured.requests));
    add("short_ios", json!(measured.short_transfers));
    add("drop_ios", json!(0));
    // Not measured: fio prints the same for `--disable_slat`.
    add("slat_ns", latency::summary(&LatencyHistogram::default()));
    add("clat_ns", with_percentiles);
    add("lat_ns", latencies);
    let samples = Samples::of(measured.loops.iter().map(|(bytes, _)| bytes / 1024.0));
    add("bw_min", json!(rounded(samples.min)));
    add("bw_max", json!(rounded(samples.max)));
    add("bw_agg", json!(if samples.number > 0 { 100.0 } else { 0.0 }));
    add("bw_mean", json!(samples.mean));
    add("bw_dev", json!(samples.deviation));
    add("bw_samples", json!(samples.number));
    let samples = Samples::of(measured.loops.iter().map(|(_, requests)| *requests));
    add("iops_min", json!(rounded(samples.min)));
    add("iops_max", json!(rounded(samples.max)));
    add("iops_mean", json!(samples.mean));
    add("iops_stddev", json!(samples.deviation));
    add("iops_samples", json!(samples.number));
    Value::Object(fields)
}

/// Rates of loops, as fio sums up those of its intervals.
#[derive(Clone, Copy, Debug, Default)]
struct Samples {
    min: f64,
    max: f64,
    mean: f64,
    deviation: f64,
    number: usize,
}

impl Samples {
    fn of(rates: impl Iterator<Item = f64> + Clone) -> Self {
        let Some((min, max)) = range(rates.clone()) else { return Self::default() };
        let number = rates.clone().count();
        let count = float(number as u64);
        let mean = rates.clone().sum::<f64>() / count;
        let squares: f64 = rates.map(|rate| (rate - mean).powi(2)).sum();
        let deviation = if number > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Self { min, max, mean, deviation, number }
    }
}
