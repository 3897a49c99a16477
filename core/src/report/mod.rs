//! The report: plain data that every renderer reads and no renderer adds to.
//!
//! Every number carries its unit in its name. Documented for readers of the JSON in
//! `docs/report.md`; `schema_version` grows when a field changes its meaning or goes.

mod comparison;
mod cpu_bound;
mod depth;
mod device;
mod drift;
mod flush;
mod groups;
mod latency;
mod machine;
mod metric;
mod pace;
mod ratios;
mod series;
mod short_run;
mod steady;
mod steps;
mod submission;

use serde::{Deserialize, Serialize};

pub use comparison::{
    Comparison, Contestant, DirectionResult, Layout, MetricMedian, MetricRatio, RequestsCheck,
    Round, Setting, Versus,
};
pub use cpu_bound::cpu_bound;
pub use depth::Depth;
pub(crate) use device::mean_bytes;
pub use device::{DeviceUse, PcieLink, Storage, add_devices};
pub use drift::drift;
pub use flush::FlushReport;
pub use groups::{GroupKind, GroupReport, groups};
pub use latency::{Latency, LatencyHistogram};
pub use machine::{Machine, memory_bytes};
pub use metric::{Measures, Metric};
pub use pace::{PaceReport, rate_missed};
pub use ratios::{Ratios, Sharing};
pub use series::{Sample, SampleLatency, Series};
pub use short_run::short_run;
pub use steady::SteadyState;
pub(crate) use steps::LatencySteps;
pub use submission::Submission;

use crate::engine::EngineCounters;
use crate::plan::{Access, Direction, Plan};
use crate::receipt::Receipt;
use crate::stats::LanePrint;

/// The version of the report's format.
pub const SCHEMA_VERSION: u32 = 1;

/// All that a run found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// Its name.
    pub engine: String,
    /// Why, in a sentence, with the cure.
    pub reason: String,
}

/// What one engine did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// What one engine did in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionReport {
    /// Which way.
    pub direction: Direction,
    /// How the tasklets went through their targets.
    #[serde(default)]
    pub access: Access,
    /// How it ended.
    pub status: Status,
    /// Tasklets that took part.
    pub tasklets_count: u32,
    /// Bytes moved in the loops that count.
    pub bytes: u64,
    /// Requests completed in the loops that count, resubmitted tails left out.
    pub requests: u64,
    /// Largest task time of a tasklet: Σ over counting loops of main, in seconds.
    pub task_latency_s: f64,
    /// The same of main and the barrier behind it.
    pub e2e_latency_s: f64,
    /// `bytes / task_latency_s`, in GiB (2^30 bytes) per second.
    pub task_speed_gib_per_s: f64,
    /// `bytes / e2e_latency_s`, in GiB (2^30 bytes) per second.
    pub e2e_speed_gib_per_s: f64,
    /// `requests / task_latency_s`: I/O operations per second (IOPS).
    #[serde(default)]
    pub requests_per_s: f64,
    /// Latency of a request, from before the call that took it to after the call that returned it.
    pub request_latency: Latency,
    /// All of those latencies, to merge with others; not part of the document.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
    /// Requests in flight at a time.
    #[serde(default)]
    pub depth: Depth,
    /// The time inside the calls that submit.
    #[serde(default)]
    pub submission: Submission,
    /// How the requests were spread over time.
    #[serde(default)]
    pub series: Series,
    /// Each loop, warm-up included.
    pub loops: Vec<LoopReport>,
    /// Each tasklet.
    pub tasklets: Vec<TaskletReport>,
    /// Tasklets by folder and by device, where there is more than one.
    #[serde(default)]
    pub groups: Vec<GroupReport>,
    /// Sums over the engines of all lanes, in the loops that count.
    pub counters: EngineCounters,
    /// Transfers that moved fewer bytes than asked and were continued.
    pub short_transfers: u64,
    /// CPU time of the whole process in the loops that count.
    pub cpu: Cpu,
    /// What the devices did that the targets lie on, in this direction and the loops that count.
    #[serde(default)]
    pub devices: Vec<DeviceUse>,
    /// Costs per request, and requests per call.
    #[serde(default)]
    pub ratios: Ratios,
    /// Hash over the requests in queue order, as 16 hexadecimal digits. Equal for equal plans.
    pub fingerprint: String,
    /// For each lane, its requests in each loop in short, where time ended the loops; not part of
    /// the document.
    #[serde(skip)]
    pub lane_prints: Vec<Vec<LanePrint>>,
    /// What makes the numbers doubtful.
    pub doubts: Vec<Doubt>,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// Bytes that were compared, when validation was asked.
    pub validated_bytes: Option<u64>,
    /// How requests fared against their schedule, when they had one.
    #[serde(flatten)]
    pub pace: Option<PaceReport>,
    /// Flushes between writes, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flushes: Option<FlushReport>,
    /// Σ over counting loops of the time of the flush after a loop, which is not part of any other
    /// time, in seconds; when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_flush_s: Option<f64>,
    /// What an unfinished loop had moved when the run ended early.
    pub unfinished_bytes: u64,
}

impl DirectionReport {
    /// How many requests two engines are known to have in common, where time ended their loops, and
    /// how many the slower one made; `None` when they were given different ones.
    #[must_use]
    pub fn common_requests(&self, other: &Self) -> Option<(u64, u64)> {
        let (mut common, mut fewest) = (0, 0);
        for (lane, others) in self.lane_prints.iter().zip(&other.lane_prints) {
            for (one, two) in lane.iter().zip(others) {
                common += one.common_requests(two)?;
                fewest += one.requests.min(two.requests);
            }
        }
        Some((common, fewest))
    }
}

/// One loop of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoopReport {
    /// Counted from 0, warm-up loops first.
    pub index: u32,
    /// Whether it counts in the results.
    pub counts: bool,
    /// Whether it wrote into fresh files, so that the file system allocated as it went.
    pub allocates: bool,
    /// Bytes moved by all tasklets.
    pub bytes: u64,
    /// Largest task time of a tasklet, in seconds.
    pub task_latency_s: f64,
    /// Time from the barrier's release to the next, in seconds.
    pub e2e_latency_s: f64,
    /// `bytes / task_latency_s`, in GiB (2^30 bytes) per second.
    pub task_speed_gib_per_s: f64,
    /// `bytes / e2e_latency_s`, in GiB (2^30 bytes) per second.
    pub e2e_speed_gib_per_s: f64,
}

/// One tasklet of one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskletReport {
    /// Its number.
    pub tid: u32,
    /// Its file, the first of them when each loop has one.
    pub path: String,
    /// The major:minor number of the device that the file is on, or that it is.
    pub device: Option<String>,
    /// Its tensor's size in bytes.
    pub size_bytes: u64,
    /// Bytes moved in the loops that count.
    pub bytes: u64,
    /// Requests completed in the loops that count.
    pub requests: u64,
    /// Σ over counting loops of main, in seconds.
    pub task_latency_s: f64,
    /// Σ over counting loops of main and the barrier behind it, in seconds.
    pub e2e_latency_s: f64,
    /// `bytes / task_latency_s`, in GiB (2^30 bytes) per second.
    pub task_speed_gib_per_s: f64,
    /// `requests / task_latency_s`.
    pub requests_per_s: f64,
    /// Latency of its requests.
    pub request_latency: Latency,
    /// All of those latencies, to merge with others; not part of the document.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
    /// Requests in flight at a time in each of its lanes.
    pub depth: Depth,
    /// CPU time of the threads of its lanes.
    pub cpu: TaskletCpu,
    /// Seconds of main in each loop, warm-up included.
    pub loop_task_latency_s: Vec<f64>,
}

/// CPU time that the threads of a tasklet's lanes spent in the loops that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskletCpu {
    /// Seconds in user mode.
    pub user_s: f64,
    /// Seconds in the kernel.
    pub system_s: f64,
    /// Seconds of the threads that its engines started in the process, as the sync pool does.
    pub helpers_s: f64,
    /// The time of its busiest lane's thread over the time of that lane's *main*.
    pub busiest_thread_share: Option<f64>,
}

/// CPU time of the whole process, helper threads of the kernel included where it charges them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// Seconds in user mode.
    pub user_s: f64,
    /// Seconds in the kernel.
    pub system_s: f64,
    /// Times that a thread gave its CPU up to wait for something.
    #[serde(default)]
    pub voluntary_switches: u64,
    /// Times that the kernel took the CPU away from a thread.
    #[serde(default)]
    pub involuntary_switches: u64,
    /// The time of the busiest thread that submits over the time of its *main*: 1 for one that
    /// never waits.
    #[serde(default)]
    pub busiest_thread_share: Option<f64>,
    /// Whether the figure covers other directions that ran at the same time.
    pub shared_with_other_directions: bool,
}

/// A reason not to trust a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
