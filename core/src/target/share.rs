//! A file that is made for blocks: once per run of an engine, for all tasklets that share it.

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::file_id::FileId;
use super::guard::{RefusedTarget, open_existing, open_to_write_in_place};
use super::mark;
use super::open::{OpenPolicy, TargetFailure, create_or_empty, fill};
use crate::data::DataStream;
use crate::plan::Direction;

/// A file that blocks are read from or written to.
///
/// The first tasklet that opens it makes it; the others wait for that and use the same open file.
/// When all of a run have closed it, the next run finds it open no more, and makes or reuses it.
#[derive(Debug)]
pub(super) struct MadeForBlocks {
    direction: Direction,
    /// What it is filled with; it starts empty without.
    fill: Option<DataStream>,
    open: Mutex<Weak<File>>,
}

impl MadeForBlocks {
    /// To be filled with `fill`, or to start empty.
    pub(super) fn new(direction: Direction, fill: Option<DataStream>) -> Self {
        Self { direction, fill, open: Mutex::default() }
    }

    /// Whether it has all of its blocks before the first request.
    pub(super) fn is_filled(&self) -> bool {
        self.fill.is_some()
    }

    /// Whether requests write to it.
    pub(super) fn is_written(&self) -> bool {
        self.direction.changes_target()
    }

    /// The file with `size_bytes` of blocks, or without any when it starts empty.
    pub(super) fn open(
        &self,
        path: &Path,
        policy: OpenPolicy,
        size_bytes: u64,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Arc<File>, TargetFailure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.upgrade() {
            return Ok(file);
        }
        let file = Arc::new(self.make(path, policy, size_bytes, stopped)?);
        *open = Arc::downgrade(&file);
        Ok(file)
    }

    fn make(
        &self,
        path: &Path,
        policy: OpenPolicy,
        size_bytes: u64,
        stopped: &dyn Fn() -> bool,
    ) -> Result<File, TargetFailure> {
        // It was missing when it was checked: what has appeared since is not meant by --overwrite.
        let Some(data) = self.fill else {
            return Ok(create_or_empty(path, policy, policy.direct, None)?);
        };
        if !is_there_already(path, policy, size_bytes) {
            let file = create_or_empty(path, policy, false, None)?;
            fill(&file, path, size_bytes, data, policy.filler, stopped)?;
            let _as_marked_as_before = mark::seal(&file);
        }
        if !self.is_written() {
            return Ok(open_existing(path, policy.direct)?);
        }
        let file = open_to_write_in_place(path, policy.direct, false, Some(policy.made))?;
        begin_to_write(&file, path, size_bytes)?;
        Ok(file)
    }
}

/// Whether an earlier engine of this run has filled the file: then its blocks are allocated, and
/// what they hold does not matter. One that was filled in part is shorter.
fn is_there_already(path: &Path, policy: OpenPolicy, size_bytes: u64) -> bool {
    fs::metadata(path)
        .is_ok_and(|there| policy.made.contains(FileId::of(&there)) && there.len() == size_bytes)
}

/// Marks a file that is about to be written in place, and refuses one that has become so short
/// that requests would make it longer.
pub(super) fn begin_to_write(
    file: &File,
    path: &Path,
    size_bytes: u64,
) -> Result<(), RefusedTarget> {
    let there = file.metadata().map_err(|error| RefusedTarget::io("write", path, error))?;
    if there.len() < size_bytes {
        let what = format!(
            "has {} bytes by now, and the range that is to be written has {size_bytes}",
            there.len()
        );
        return Err(RefusedTarget::unfit(path, what));
    }
    if mark::owner(file) != mark::Owner::Others {
        let _as_marked_as_before = mark::begin(file);
    }
    Ok(())
}
