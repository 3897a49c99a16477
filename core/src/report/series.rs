//! How the work was spread over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was done in each interval of the loops that count, which follow each other here without the
/// time between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Series {
    /// The length of an interval, in seconds. The last one may be shorter.
    pub interval_s: f64,
    /// Each interval, in order. A request belongs to the one in which it came back.
    pub samples: Vec<Sample>,
    /// Whether there was no room for more of them.
    pub is_cut_off: bool,
}

/// What was done in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sample {
    /// When it ended, in seconds of the loops that count.
    pub t_s: f64,
    /// Requests completed in it.
    pub requests: u64,
    /// Bytes moved in it.
    pub bytes: u64,
    /// Latencies in it, where intervals were asked for and a request ended in this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<SampleLatency>,
}

/// Latencies of an interval in nanoseconds, percentiles to three percent; absent where there were
/// too few requests for one to lie above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say all there is")]
pub struct SampleLatency {
    pub p50_ns: Option<u64>,
    pub p99_ns: Option<u64>,
    pub max_ns: u64,
}

impl Series {
    /// Requests per second in each interval that is as long as the others.
    pub fn rates(&self) -> impl Iterator<Item = f64> + Clone {
        let whole = self.samples.iter().enumerate().filter(|(index, sample)| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
            let end_s = (index + 1) as f64 * self.interval_s;
            sample.t_s > end_s - self.interval_s * 1e-6
        });
        #[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 bits")]
        whole.map(|(_, sample)| sample.requests as f64 / self.interval_s)
    }

    /// Appends what a later run did.
    pub fn append(&mut self, later: &Self) {
        let begin_s = self.samples.last().map_or(0.0, |last| last.t_s);
        let moved = later.samples.iter().map(|one| Sample { t_s: begin_s + one.t_s, ..*one });
        self.samples.extend(moved);
        self.is_cut_off |= later.is_cut_off;
    }
}
