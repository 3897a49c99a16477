//! What a run will do, as plain data: workload, engines, threads, loops.
//!
//! A [`Plan`] says what was asked, with path templates and nothing looked up. [`check`] refuses one
//! that contradicts itself, without touching the machine; [`crate::target::resolve`] then holds it
//! against the files that are there.

mod access;
mod blocks;
mod check;
#[cfg(test)]
mod fuzzed;
mod template;
mod verify;

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub(crate) use access::operations;
pub use access::{Access, Blocks, Distribution, Flush, Pattern, READ_PERCENT, Rate, SizeShare};
pub use blocks::RUNTIME_NS_MAX;
pub(crate) use check::lanes_have_blocks;
pub use check::{BLOCK_BYTES_MAX, PlanError, check};
pub use template::PathTemplate;

use crate::engine::{Operation, Operations};
use crate::memory::MemoryKind;
use crate::stats::Kind;
pub use crate::verify::Checksum;

/// Everything that a run is asked to do. Two runs of one plan execute the same requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Plan {
    /// Engine specs in the order of their runs, as `name:key=value`; the core reads no meaning into
    /// them.
    pub engines: Vec<String>,
    /// What is moved; run one after the other, or together when `concurrent`.
    pub phases: Vec<Phase>,
    /// Whether all phases run at the same time, in step.
    pub concurrent: bool,
    /// Bytes per request, before it is rounded up for direct I/O.
    pub block_size_bytes: u64,
    /// Requests in flight per lane.
    pub queue_depth: u32,
    /// Lanes per tasklet.
    pub lanes: u32,
    /// Timed loops.
    pub loops: u32,
    /// Loops before the timed ones.
    pub warmup_loops: u32,
    /// Whether all of this is repeated in rounds until their rate is steady; the last rounds count.
    #[serde(default)]
    pub steady_state: bool,
    /// Whether warm-up loops count as timed ones.
    pub include_warmup_time: bool,
    /// Whether each loop has a file of its own.
    pub different_file_each_iteration: bool,
    /// How many requests go in and come out per call.
    pub batch: Batch,
    /// Whether the queue is refilled as completions come.
    pub order: Order,
    /// What data is made of, and what will choose random offsets.
    pub seed: u64,
    /// Whether data is checked, outside the clock.
    pub validate: bool,
    /// Whether I/O goes through the page cache.
    pub buffered: bool,
    /// Whether the page cache forgets the targets before each loop.
    #[serde(default)]
    pub drop_cache: bool,
    /// Whether files that the run made stay.
    pub keep: bool,
    /// Whether files that the tool did not make may be overwritten.
    pub overwrite: bool,
    /// Devices that may be written, spelled as the targets are.
    #[serde(skip_serializing_if = "Vec::is_empty", default, serialize_with = "lossy_paths")]
    #[schemars(with = "Vec<String>")]
    pub allow_devices: Vec<PathBuf>,
    /// The kind of pages of buffers.
    pub memory: MemoryKind,
    /// CPUs that lanes are pinned to, in turn; empty for no pinning.
    pub cpus: Vec<u32>,
    /// The NUMA node that buffers come from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub numa_node: Option<u32>,
    /// The length of the intervals whose latencies are reported, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval_ns: Option<u64>,
}

/// One direction of a plan: which tensors move which way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Which way.
    pub direction: Direction,
    /// Groups of tasklets; numbered through in this order.
    pub tensors: Vec<TensorGroup>,
    /// How they go through their targets.
    #[serde(default)]
    pub access: Access,
}

impl Phase {
    /// Whole tensors that move `direction`.
    #[must_use]
    pub fn of_tensors(direction: Direction, tensors: Vec<TensorGroup>) -> Self {
        Self { direction, tensors, access: Access::Tensor }
    }

    /// Tasklets in all groups.
    #[must_use]
    pub fn tasklets(&self) -> u32 {
        self.tensors.iter().map(|group| group.tasklets).sum()
    }
}

/// Tasklets whose files follow one template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TensorGroup {
    /// Where the files are; `{tid}`, `{loop}` and `{bytes}` are filled in.
    pub path: PathTemplate,
    /// How many tasklets, each with a tensor of its own.
    pub tasklets: u32,
    /// Tensor sizes in bytes, given to the tasklets in turn; empty for the size of the file.
    pub sizes_bytes: Vec<u64>,
    /// Where the files come from.
    pub origin: Origin,
}

/// Which way data moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Storage to memory.
    Read,
    /// Memory to storage.
    Write,
    /// Both, request by request; told apart in the report. Blocks only.
    Mixed,
    /// Neither: the storage is told to forget. Blocks only.
    Trim,
}

impl Direction {
    /// The operations that move data this way.
    #[must_use]
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Read => &[Operation::Read],
            Self::Write => &[Operation::Write],
            Self::Mixed => &[Operation::Read, Operation::Write],
            Self::Trim => &[Operation::Trim],
        }
    }

    /// The directions that are reported apart.
    #[must_use]
    pub fn parts(self) -> &'static [Direction] {
        match self {
            Self::Read => &[Self::Read],
            Self::Write => &[Self::Write],
            Self::Mixed => &[Self::Read, Self::Write],
            Self::Trim => &[Self::Trim],
        }
    }

    /// Whether some requests read.
    #[must_use]
    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Mixed)
    }

    /// Whether some requests write data.
    #[must_use]
    pub fn writes_data(self) -> bool {
        matches!(self, Self::Write | Self::Mixed)
    }

    /// Whether what the target holds is changed.
    #[must_use]
    pub fn changes_target(self) -> bool {
        self != Self::Read
    }

    /// The kind of request that is counted for it, where there is one.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Read => Some(Kind::Read),
            Self::Write => Some(Kind::Write),
            Self::Mixed => None,
            Self::Trim => Some(Kind::Trim),
        }
    }

    /// Its name: `read`, `write`, `mixed`, `trim`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Mixed => "mixed",
            Self::Trim => "trim",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the files of a group come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// They must be there, and are used as they are.
    Existing,
    /// The run makes them: empty for writing; filled for reading, unless they are there.
    Made,
}

/// How many requests go in and come out per call; the same for every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The most requests per submitting call; absent for as many as are free.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub submit: Option<u32>,
    /// Completions waited for per reaping call.
    pub complete: u32,
}

impl Default for Batch {
    fn default() -> Self {
        Self { submit: None, complete: 1 }
    }
}

/// When the queue is refilled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As completions come.
    #[default]
    Overlap,
    /// When all of a full queue have completed.
    Sequential,
}

impl Plan {
    /// A plan of `phases` with the defaults of a tensor swap.
    #[must_use]
    pub fn tensor_swap(phases: Vec<Phase>) -> Self {
        Self {
            engines: vec!["auto".into()],
            phases,
            concurrent: false,
            block_size_bytes: 1 << 20,
            queue_depth: 32,
            lanes: 1,
            loops: 3,
            warmup_loops: 1,
            steady_state: false,
            include_warmup_time: false,
            different_file_each_iteration: false,
            batch: Batch::default(),
            order: Order::Overlap,
            seed: 0,
            validate: false,
            buffered: false,
            drop_cache: false,
            keep: false,
            overwrite: false,
            allow_devices: Vec::new(),
            memory: MemoryKind::Thp,
            cpus: Vec::new(),
            numa_node: None,
            interval_ns: None,
        }
    }

    /// Loops that run, warm-up included.
    #[must_use]
    pub fn loops_in_all(&self) -> u32 {
        self.warmup_loops + self.loops
    }

    /// Whether loop `index`, counted from 0 with warm-up loops first, counts in the results.
    #[must_use]
    pub fn counts(&self, index: u32) -> bool {
        self.include_warmup_time || index >= self.warmup_loops
    }

    /// What is asked of an engine.
    #[must_use]
    pub fn operations(&self) -> Operations {
        let of = |phase: &Phase| operations(phase.direction, phase.access.blocks());
        Operations::of(&self.phases.iter().flat_map(of).collect::<Vec<_>>())
    }

    /// Engines that are open at the same time.
    #[must_use]
    pub fn engines_at_once(&self) -> u32 {
        let tasklets = self.phases.iter().map(Phase::tasklets);
        let at_once: u32 =
            if self.concurrent { tasklets.sum() } else { tasklets.max().unwrap_or(0) };
        at_once.saturating_mul(self.lanes)
    }
}

/// Paths need not be UTF-8; reports are.
fn lossy_paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}
