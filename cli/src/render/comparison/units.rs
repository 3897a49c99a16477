//! Values of metrics in the units of a table's columns.

use aio_core::report::{Comparison, Metric};
use aio_core::stats::compare::Interval;

use crate::render::numbers::short;

/// Latencies are shown in milliseconds when all of them are longer than this.
const MILLISECOND_NS: f64 = 1e6;

/// What latencies of a table are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LatencyUnit {
    Microseconds,
    Milliseconds,
}

impl LatencyUnit {
    /// The one for all latencies of `comparison`.
    pub(super) fn of(comparison: &Comparison) -> Self {
        let results = comparison.contestants.iter().flat_map(|one| &one.results);
        let shortest = results
            .flat_map(|result| &result.medians)
            .filter(|one| is_latency(one.metric))
            .map(|one| one.rounds.median)
            .fold(f64::INFINITY, f64::min);
        if shortest >= MILLISECOND_NS && shortest.is_finite() {
            Self::Milliseconds
        } else {
            Self::Microseconds
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
        }
    }

    fn ns(self) -> f64 {
        match self {
            Self::Microseconds => 1e3,
            Self::Milliseconds => 1e6,
        }
    }
}

fn is_latency(metric: Metric) -> bool {
    matches!(metric, Metric::P50 | Metric::P99 | Metric::P999 | Metric::ResponseP99)
}

/// The title of the column of `metric`, with its unit.
pub(super) fn title(metric: Metric, unit: LatencyUnit) -> String {
    match metric {
        Metric::Iops => "IOPS".into(),
        Metric::Bandwidth => "GiB/s".into(),
        Metric::Cpu => "CPU us/req".into(),
        Metric::Calls => "calls/req".into(),
        Metric::ResponseP99 => format!("resp. p99 {}", unit.name()),
        _ => format!("{} {}", metric.name(), unit.name()),
    }
}

/// The number that is shown for `value`, and what stands behind it.
fn scale(metric: Metric, unit: LatencyUnit, value: f64) -> (f64, &'static str) {
    match metric {
        Metric::Iops if value >= 1e6 => (1e6, " M"),
        Metric::Iops if value >= 1e3 => (1e3, " k"),
        Metric::Cpu => (1e3, ""),
        _ if is_latency(metric) => (unit.ns(), ""),
        _ => (1.0, ""),
    }
}

/// The median.
pub(super) fn median(metric: Metric, unit: LatencyUnit, rounds: Interval) -> String {
    let (divide, suffix) = scale(metric, unit, rounds.median);
    format!("{}{suffix}", short(rounds.median / divide))
}

/// Its interval, in the unit of the median.
pub(super) fn interval(metric: Metric, unit: LatencyUnit, rounds: Interval) -> Option<String> {
    let (divide, suffix) = scale(metric, unit, rounds.median);
    let (low, high) = (short(rounds.low? / divide), short(rounds.high? / divide));
    Some(format!("{low}–{high}{suffix}"))
}
