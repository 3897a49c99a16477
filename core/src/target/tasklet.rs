//! What a plan comes to on this machine: tasklets with their files.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::alignment::Alignment;
use super::device::TargetKind;
use super::file_id::FileId;
use super::share::MadeForBlocks;
use crate::plan::{Access, Direction};

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
            Source::MakeToWrite(_) => true,
            Source::MakeForBlocks(made) => !made.is_filled(),
            Source::Open(_) | Source::MakeToRead(_) | Source::WriteInPlace(_) => false,
        }
    }

    /// Whether the file is made for blocks and filled before they are measured.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        matches!(&self.source, Source::MakeForBlocks(made) if made.is_filled())
    }

    /// Whether it is made and filled to be read as a tensor, again for each run of an engine.
    pub(crate) fn is_made_to_read(&self) -> bool {
        matches!(self.source, Source::MakeToRead(_))
    }

    /// Whether it is missing, and made once for all tasklets that share it.
    pub(crate) fn is_made_for_blocks(&self) -> bool {
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
            Source::MakeToWrite(_) | Source::WriteInPlace(_) => true,
            Source::MakeForBlocks(made) => made.is_written(),
            Source::Open(_) | Source::MakeToRead(_) => false,
        }
    }

    /// The file, if it was there and is open.
    pub(crate) fn already_open(&self) -> Option<&Arc<File>> {
        match &self.source {
            Source::Open(file) | Source::WriteInPlace(file) => Some(file),
            Source::MakeToWrite(_) | Source::MakeToRead(_) | Source::MakeForBlocks(_) => None,
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
    /// Which file it takes the place of, where `--overwrite` allows that.
    MakeToWrite(Option<FileId>),
    /// The same.
    MakeToRead(Option<FileId>),
    /// Is there, and keeps its length and what is not written.
    WriteInPlace(Arc<File>),
    /// Is made for blocks, once for all tasklets that share it.
    MakeForBlocks(Arc<MadeForBlocks>),
}
