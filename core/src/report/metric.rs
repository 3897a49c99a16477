//! What contestants are compared by, and what a round measured of it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DirectionReport, EngineReport};
use crate::plan::Direction;

/// Something that was measured, as one number per round and direction.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Requests per second of task time.
    Iops,
    /// GiB (2^30 bytes) per second of end-to-end time.
    Bandwidth,
    /// The median latency of requests, in nanoseconds.
    P50,
    /// The latency that 99 % of requests stay below, in nanoseconds.
    P99,
    /// The same for 99.9 %.
    #[serde(rename = "p99.9")]
    P999,
    /// The time from when requests were due that 99 % stay below, in nanoseconds; open loops only.
    ResponseP99,
    /// CPU time of the process per request, in nanoseconds.
    Cpu,
    /// System calls per request.
    Calls,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Iops,
        Self::Bandwidth,
        Self::P50,
        Self::P99,
        Self::P999,
        Self::ResponseP99,
        Self::Cpu,
        Self::Calls,
    ];

    /// Its name on the command line and in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iops => "iops",
            Self::Bandwidth => "bandwidth",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::ResponseP99 => "response-p99",
            Self::Cpu => "cpu",
            Self::Calls => "calls",
        }
    }

    /// Whether more of it is better; less of the others is.
    #[must_use]
    pub fn is_rate(self) -> bool {
        matches!(self, Self::Iops | Self::Bandwidth)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("give one of {}", names.join(", "))
        })
    }
}

/// What one round of one contestant measured in one direction. What it did not measure is absent:
/// bytes per second of an engine that moves none, a percentile that takes more requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measures {
    /// Which way.
    pub direction: Direction,
    /// Requests per second of task time.
    pub requests_per_s: Option<f64>,
    /// GiB (2^30 bytes) per second of end-to-end time.
    pub e2e_speed_gib_per_s: Option<f64>,
    /// Percentiles of the latency of requests, in nanoseconds.
    pub p50_ns: Option<f64>,
    /// The same for 99 %.
    pub p99_ns: Option<f64>,
    /// The same for 99.9 %.
    pub p99_9_ns: Option<f64>,
    /// 99 % of requests were done so long after they were due; in open loops only.
    pub response_p99_ns: Option<f64>,
    /// CPU time of the whole process per request, in nanoseconds.
    pub cpu_ns_per_request: Option<f64>,
    /// System calls per request.
    pub system_calls_per_request: Option<f64>,
}

impl Measures {
    /// What `one`, a direction of `engine`, measured.
    #[must_use]
    pub fn of(engine: &EngineReport, one: &DirectionReport) -> Self {
        let latency = &one.request_latency;
        let response = one.pace.as_ref().map(|pace| &pace.response_latency);
        let has_rate = one.requests > 0 && one.task_latency_s > 0.0;
        #[expect(clippy::cast_precision_loss, reason = "three digits are significant")]
        let ns = |percentile: Option<u64>| percentile.map(|ns| ns as f64);
        let cpu = [one.ratios.cpu_user_ns_per_request, one.ratios.cpu_system_ns_per_request];
        let [user, system] = cpu;
        Self {
            direction: one.direction,
            requests_per_s: has_rate.then_some(one.requests_per_s),
            e2e_speed_gib_per_s: Some(one.e2e_speed_gib_per_s)
                .filter(|_| has_rate && engine.moves_data),
            p50_ns: ns(latency.p50_ns),
            p99_ns: ns(latency.p99_ns),
            p99_9_ns: ns(latency.p99_9_ns),
            response_p99_ns: response.and_then(|response| ns(response.p99_ns)),
            cpu_ns_per_request: user.zip(system).map(|(user, system)| user + system),
            system_calls_per_request: one.ratios.system_calls_per_request,
        }
    }

    /// The value of `metric`, where it was measured.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Iops => self.requests_per_s,
            Metric::Bandwidth => self.e2e_speed_gib_per_s,
            Metric::P50 => self.p50_ns,
            Metric::P99 => self.p99_ns,
            Metric::P999 => self.p99_9_ns,
            Metric::ResponseP99 => self.response_p99_ns,
            Metric::Cpu => self.cpu_ns_per_request,
            Metric::Calls => self.system_calls_per_request,
        }
    }
}
