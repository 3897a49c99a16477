//! What an engine is opened with, and how opening and running can fail.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::request::Operations;
use crate::memory::Segment;
use crate::receipt::Receipt;
use crate::target::TargetKind;

/// The open targets of a lane; requests name them by index.
pub type Files = Arc<[Arc<File>]>;

/// What a lane's engine is opened with.
#[derive(Clone, Debug)]
pub struct LaneSetup {
    /// The most requests queued and in flight together. Never capped: opened as asked.
    pub queue_depth: u32,
    /// The longest request in bytes.
    pub largest_block_bytes: u32,
    /// What the lane will ask for.
    pub operations: Operations,
    /// The targets, kept open by the engine as long as it lives.
    pub files: Files,
    /// The memory that every request's block comes from, to register with the kernel.
    pub segments: Vec<Segment>,
}

/// What a backend is asked to be able to do, before anything is created.
#[derive(Clone, Debug)]
pub struct Needs {
    /// What the run will do.
    pub operations: Operations,
    /// Requests in flight per engine.
    pub queue_depth: u32,
    /// The most requests per submitting call, when the plan says so.
    pub batch_submit: Option<u32>,
    /// Engines that are open at the same time.
    pub engines: u32,
    /// A target, where one exists already; else a file without a name in the folder of one.
    pub target: Option<Arc<File>>,
    /// Whether I/O goes through the page cache.
    pub buffered: bool,
    /// What the targets are.
    pub kinds: BTreeSet<TargetKind>,
    /// The longest request in bytes.
    pub largest_block_bytes: u32,
}

impl Needs {
    /// One engine for `operations` in blocks of 4 KiB, through no page cache, on no target yet.
    #[must_use]
    pub fn new(operations: Operations, queue_depth: u32) -> Self {
        Self {
            operations,
            queue_depth,
            batch_submit: None,
            engines: 1,
            target: None,
            buffered: false,
            kinds: BTreeSet::new(),
            largest_block_bytes: 4096,
        }
    }
}

/// What a backend can do here.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Every option with what the kernel grants, found by opening an engine for a moment.
    pub receipts: Vec<Receipt>,
}

/// A backend cannot run here.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct Unsupported {
    /// One sentence without a full stop: what is missing.
    pub reason: String,
    /// What would make it work, when something would.
    pub cure: Option<String>,
    /// What the kernel said.
    #[source]
    pub source: Option<io::Error>,
}

impl Unsupported {
    /// Missing because of `reason`, cured by `cure`.
    #[must_use]
    pub fn new(reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { reason: reason.into(), cure: Some(cure.into()), source: None }
    }

    /// The reason and the cure as one sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.cure {
            Some(cure) => format!("{}; {cure}", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// An engine could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The kernel lacks or refuses what the engine stands on.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Something else failed on the way.
    #[error("cannot {action}")]
    Io {
        /// What was tried, as in "cannot …".
        action: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// The engine is dead: nothing more can be queued, submitted or reaped. A request that fails is
/// not this; its error rides in its completion.
#[derive(Debug, Error)]
#[error("{call} failed")]
pub struct EngineError {
    /// The system call or step that failed.
    pub call: &'static str,
    /// What the kernel said.
    #[source]
    pub source: io::Error,
}

/// Requests were still in flight when the deadline to drain had passed. Their memory stays mapped
/// until the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} requests were still in flight at the deadline")]
pub struct StillInFlight {
    /// How many.
    pub count: u32,
}
