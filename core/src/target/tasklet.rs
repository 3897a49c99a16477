//! What a plan comes to on this machine: tasklets with their files.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::alignment::Alignment;
use super::device::TargetKind;
use super::share::MadeForBlocks;
use crate::plan::{Access, Direction, Plan};

/// One tasklet: a tensor and its files.
#[derive(Clone, Debug)]
pub struct Tasklet {
    /// Its number within its direction.
    pub tid: u32,
    /// Which way it moves.
    pub direction: Direction,
    /// The tensor's size in bytes; for blocks, the length of the range that they lie in.
    pub size_bytes: u64,
    /// How it goes through its target.
    pub access: Access,
    /// One file, or one per loop.
    pub files: Vec<TaskletFile>,
}

impl Tasklet {
    /// The size, rounded up so that a padded tail fits: a tensor's bytes of memory.
    #[must_use]
    pub fn padded_bytes(&self, alignment: Alignment) -> u64 {
        alignment.round_up(self.size_bytes)
    }

    /// Where its tensor or range ends in the target, in bytes.
    #[must_use]
    pub fn end_bytes(&self) -> u64 {
        self.offset_bytes().saturating_add(self.size_bytes)
    }

    /// Where its range begins in the target, in bytes.
    #[must_use]
    pub fn offset_bytes(&self) -> u64 {
        self.access.blocks().map_or(0, |blocks| blocks.offset_bytes)
    }

    /// Bytes of memory that it needs: its tensor, or a block for each request in flight.
    pub(super) fn buffer_bytes(&self, plan: &Plan, alignment: Alignment) -> u64 {
        let in_flight = || u64::from(plan.lanes) * u64::from(plan.queue_depth);
        match self.access {
            Access::Tensor => self.padded_bytes(alignment),
            Access::Blocks(_) => in_flight().saturating_mul(plan.block_size_bytes),
        }
    }
}

/// One file of a tasklet.
#[derive(Clone, Debug)]
pub struct TaskletFile {
    /// Where it is.
    pub path: PathBuf,
    pub(super) source: Source,
}

impl TaskletFile {
    /// Whether a write makes the file system allocate: the file starts empty.
    #[must_use]
    pub fn starts_empty(&self) -> bool {
        match &self.source {
            Source::MakeToWrite => true,
            Source::MakeForBlocks(made) => !made.is_filled(),
            Source::Open(_) | Source::MakeToRead | Source::WriteInPlace(_) => false,
        }
    }

    /// Whether the file is made for blocks and filled before they are measured.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        matches!(&self.source, Source::MakeForBlocks(made) if made.is_filled())
    }

    /// Whether it is filled before anything is measured.
    pub(super) fn is_to_be_filled(&self) -> bool {
        self.is_filled() || matches!(self.source, Source::MakeToRead)
    }

    /// Whether it is missing, and made once for all tasklets that share it.
    pub(super) fn is_made_for_blocks(&self) -> bool {
        matches!(self.source, Source::MakeForBlocks(_))
    }

    /// Whether it and `other` are one file that is made once.
    pub(super) fn is_made_together_with(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Source::MakeForBlocks(one), Source::MakeForBlocks(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// Whether the run writes to the file, so that its mark has to be sealed afterwards.
    #[must_use]
    pub fn is_written(&self) -> bool {
        match &self.source {
            Source::MakeToWrite | Source::WriteInPlace(_) => true,
            Source::MakeForBlocks(made) => made.is_written(),
            Source::Open(_) | Source::MakeToRead => false,
        }
    }

    /// The file, if it was there and is open.
    pub(crate) fn already_open(&self) -> Option<&Arc<File>> {
        match &self.source {
            Source::Open(file) | Source::WriteInPlace(file) => Some(file),
            Source::MakeToWrite | Source::MakeToRead | Source::MakeForBlocks(_) => None,
        }
    }

    /// What it is, or will be.
    pub(super) fn kind(&self) -> Option<TargetKind> {
        match self.already_open() {
            Some(file) => TargetKind::of(&file.metadata().ok()?),
            None => Some(TargetKind::File),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Open(Arc<File>),
    MakeToWrite,
    MakeToRead,
    /// Is there, and keeps its length and what is not written.
    WriteInPlace(Arc<File>),
    /// Is made for blocks, once for all tasklets that share it.
    MakeForBlocks(Arc<MadeForBlocks>),
}
