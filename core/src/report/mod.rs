//! The report: plain data that every renderer reads and no renderer adds to.
//!
//! Every number carries its unit in its name. Documented for readers of the JSON in
//! `docs/report.md`; `schema_version` grows when a field changes its meaning or goes.

mod comparison;
mod cpu_bound;
mod depth;
mod device;
mod direction;
mod drift;
mod flush;
mod groups;
mod latency;
mod machine;
mod metric;
mod nullable;
mod pace;
mod ratios;
mod series;
mod short_run;
mod steady;
mod steps;
mod submission;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use comparison::{
    Comparison, Contestant, DirectionResult, Layout, MetricMedian, MetricRatio, RequestsCheck,
    Round, Setting, Versus,
};
pub use cpu_bound::cpu_bound;
pub use depth::Depth;
pub(crate) use device::mean_bytes;
pub use device::{DeviceUse, PcieLink, Storage, add_devices};
pub use direction::{Cpu, DirectionReport, LoopReport, TaskletCpu, TaskletReport};
pub use drift::drift;
pub use flush::FlushReport;
pub use groups::{GroupKind, GroupReport, groups};
pub use latency::{Latency, LatencyHistogram};
pub(crate) use machine::memory_pages;
pub use machine::{Machine, memory_bytes};
pub use metric::{Measures, Metric};
pub use pace::{PaceReport, rate_missed};
pub use ratios::{Ratios, Sharing};
pub use series::{Sample, SampleLatency, Series};
pub use short_run::short_run;
pub use steady::SteadyState;
pub(crate) use steps::LatencySteps;
pub use submission::Submission;

use crate::plan::Plan;
use crate::receipt::Receipt;

/// The version of the report's format.
pub const SCHEMA_VERSION: u32 = 1;

/// All that a run found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format.
    pub schema_version: u32,
    /// The version of the tool.
    pub tool_version: String,
    /// Where it ran.
    pub machine: Machine,
    /// What was asked.
    pub plan: Plan,
    /// Each file that was read or written.
    pub targets: Vec<TargetReport>,
    /// What became of options that hold for all engines.
    pub receipts: Vec<Receipt>,
    /// One entry per engine that ran, in order.
    pub engines: Vec<EngineReport>,
    /// Engines that were asked for in general (`all`, `auto`) and cannot run here.
    pub unavailable: Vec<Unavailable>,
    /// How the run ended.
    pub status: Status,
}

/// How a run or a part of it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All that was asked was done.
    #[default]
    Complete,
    /// A signal ended it; what was finished by then is reported.
    Interrupted,
    /// An error ended it.
    Failed,
}

/// A file or device that was read or written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetReport {
    /// Its path.
    pub path: String,
    /// The tensor's size in bytes.
    pub size_bytes: u64,
    /// The file system's type, when `/proc` tells.
    pub file_system: Option<String>,
    /// The file system's or device's major:minor number.
    pub device: Option<String>,
    /// What direct I/O must be a multiple of, in bytes; absent for buffered I/O.
    pub alignment_bytes: Option<u32>,
    /// The options that its file system is mounted with, those of the mount first.
    #[serde(default)]
    pub mount_options: Option<String>,
    /// Whether data that is written there is compressed, as far as the file system tells.
    #[serde(default)]
    pub compresses: Option<bool>,
    /// The block device that it lies on or is, where there is one.
    #[serde(default)]
    pub storage: Option<Storage>,
}

impl TargetReport {
    /// The number of the block device that it lies on or is; `None` where that is a character
    /// device, whose numbers mean other devices.
    #[must_use]
    pub fn block_device(&self) -> Option<&String> {
        let is_generic = self.file_system.as_deref() == Some(crate::target::NVME_GENERIC);
        self.device.as_ref().filter(|_| !is_generic)
    }
}

/// An engine that cannot run here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unavailable {
    /// Its name.
    pub engine: String,
    /// Why, in a sentence, with the cure.
    pub reason: String,
}

/// What one engine did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineReport {
    /// The spec that selected it.
    pub engine: String,
    /// Whether it moves data at all; if not, its rates are requests per second.
    pub moves_data: bool,
    /// Whether its options have a thread look for completions, or for requests, without sleeping,
    /// so that a busy CPU tells nothing.
    #[serde(default)]
    pub waits_by_polling: bool,
    /// What was asked of the kernel and what it granted.
    pub receipts: Vec<Receipt>,
    /// Rounds and when they were steady, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steady_state: Option<SteadyState>,
    /// One entry per direction, in the order of the plan.
    pub directions: Vec<DirectionReport>,
}

/// A reason not to trust a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Doubt {
    /// A stable word for programs: `buffered`, `page-cache`, `holes`.
    pub code: String,
    /// A sentence for people, without a full stop.
    pub reason: String,
}

impl Doubt {
    /// The doubt `code`, explained by `reason`.
    #[must_use]
    pub fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { code: code.into(), reason: reason.into() }
    }
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The tasklet.
    pub tid: u32,
    /// The file, when one is to blame.
    pub path: Option<String>,
    /// `read`, `write` or the like, when a request failed; `verify`, when a block was bad.
    pub operation: Option<String>,
    /// Where in the file, in bytes.
    pub offset_bytes: Option<u64>,
    /// How many bytes the request was to move.
    pub length_bytes: Option<u64>,
    /// The symbolic error number: `ENOSPC`.
    pub errno: Option<String>,
    /// The whole in one sentence, without a full stop.
    pub message: String,
}

/// Bytes over seconds as GiB (2^30 bytes) per second; 0 when no time has passed.
#[must_use]
pub fn gib_per_s(bytes: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 significant bits")]
    let gib = bytes as f64 / f64::from(1 << 30);
    if seconds > 0.0 { gib / seconds } else { 0.0 }
}

/// Requests over seconds; 0 when no time has passed.
#[must_use]
pub fn requests_per_s(requests: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 significant bits")]
    let requests = requests as f64;
    if seconds > 0.0 { requests / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gib_per_second_is_2_to_the_30_bytes() {
        assert!((gib_per_s(3 << 30, 2.0) - 1.5).abs() < 1e-12);
        assert!(gib_per_s(1, 0.0).abs() < 1e-12);
        assert!((requests_per_s(3, 2.0) - 1.5).abs() < 1e-12);
        assert!(requests_per_s(1, 0.0).abs() < 1e-12);
    }
}
