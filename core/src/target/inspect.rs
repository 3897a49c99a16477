//! Files that are only looked at, after a run and without one.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::guard::{RefusedTarget, open_existing};
use super::mark;
use super::resolve::end_of;
use crate::verify::Layout;

/// Opens `path` for buffered reading; with its size, and what a run has noted on it.
///
/// # Errors
/// When it cannot be opened or is no file or block device.
pub(crate) fn open_to_inspect(path: &Path) -> Result<(File, u64, Option<Layout>), RefusedTarget> {
    let file = open_existing(path, false)?;
    let size_bytes = end_of(&file, path)?;
    // What is in the page cache already says nothing of the storage; a hint that may be ignored.
    let _ignored = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    let layout = mark::layout(&file);
    Ok((file, size_bytes, layout))
}

/// Makes durable what was written to `file` and drops it from the page cache, so that it is read
/// from storage next.
///
/// # Errors
/// When it cannot be made durable.
pub(crate) fn send_to_storage(file: &File) -> io::Result<()> {
    file.sync_all()?;
    // A hint that may be ignored.
    let _ignored = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    Ok(())
}
