//! What one engine did in one direction: as a whole, loop by loop and tasklet by tasklet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nullable::null_as_default;
use super::{
    Depth, DeviceUse, Doubt, Failure, FlushReport, GroupReport, Latency, LatencyHistogram,
    PaceReport, Ratios, Series, Status, Submission,
};
use crate::engine::EngineCounters;
use crate::plan::{Access, Direction};
use crate::stats::LanePrint;

/// What one engine did in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub task_latency_s: f64,
    /// The same of main and the barrier behind it.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub e2e_latency_s: f64,
    /// `bytes / task_latency_s`, in GiB (2^30 bytes) per second.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub task_speed_gib_per_s: f64,
    /// `bytes / e2e_latency_s`, in GiB (2^30 bytes) per second.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub e2e_speed_gib_per_s: f64,
    /// `requests / task_latency_s`: I/O operations per second (IOPS).
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub requests_per_s: f64,
    /// Latency of a request, from before the call that took it to after the call that returned it.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Latency>")]
    pub request_latency: Latency,
    /// All of those latencies, to merge with others; not part of the document.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
    /// Requests in flight at a time.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Depth>")]
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
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Ratios>")]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub task_speed_gib_per_s: f64,
    /// `bytes / e2e_latency_s`, in GiB (2^30 bytes) per second.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub e2e_speed_gib_per_s: f64,
}

/// One tasklet of one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
