//! Making durable what was written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nullable::null_as_default;
use super::{Latency, LatencyHistogram};

/// Flushes between writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlushReport {
    /// `fsync` or `fdatasync`.
    pub operation: String,
    /// How many there were in the loops that count.
    pub requests: u64,
    /// How long they took, each from before the call that took it to after the call that returned
    /// it.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Latency>")]
    pub latency: Latency,
    /// All of those latencies, to merge with others; not part of the document.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
}
