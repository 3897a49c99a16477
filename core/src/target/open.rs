//! Makes and opens the files of a tasklet, outside the clock.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::describe::folder_of;
use super::file_id::FileId;
use super::guard::{RefusedTarget, open_direct, open_existing, open_to_overwrite, settle_flags};
use super::inspect::send_to_storage;
use super::made::Made;
use super::mark;
use super::share::begin_to_write;
use super::tasklet::{Source, TaskletFile};
use crate::data::DataStream;
use crate::verify::Writer;

/// Bytes written at a time when a file is filled.
const FILL_BYTES: usize = 1 << 20;

/// A file that the caller has opened and will remove, used instead of the plan's paths.
#[derive(Clone, Debug)]
pub struct Given {
    /// Open for reading and writing, with `O_DIRECT` unless the plan is buffered.
    pub file: Arc<File>,
}

/// A file could not be made, filled or opened.
#[derive(Debug, Error)]
pub enum TargetFailure {
    /// It is refused after all: it has changed since it was checked.
    #[error(transparent)]
    Refused(#[from] RefusedTarget),
    /// Filling it failed.
    #[error("cannot fill {} at offset {offset_bytes}", path.display())]
    Fill {
        /// The file.
        path: PathBuf,
        /// Where.
        offset_bytes: u64,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// What it was filled with does not become durable.
    #[error("fsync of {} failed when it was filled", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The run was told to stop.
    #[error("stopped")]
    Stopped,
}

/// How the files of a tasklet are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenPolicy<'a> {
    pub direct: bool,
    pub made: &'a Made,
    /// What stamps the blocks that a file is filled with, if that is to be verified.
    pub filler: Option<&'a Writer>,
}

/// Opens the file, after making and filling it where the plan says so. `size_bytes` is the
/// tensor's size, `data` what a file to read is filled with; `stopped` is asked now and then.
///
/// # Errors
/// When it cannot be made, filled or opened, or `stopped` said so.
pub(crate) fn open_and_fill(
    file: &TaskletFile,
    policy: OpenPolicy,
    size_bytes: u64,
    data: DataStream,
    stopped: &dyn Fn() -> bool,
) -> Result<Arc<File>, TargetFailure> {
    match &file.source {
        Source::Open(file) => Ok(Arc::clone(file)),
        Source::MakeToWrite(seen) => {
            Ok(Arc::new(create_or_empty(&file.path, policy, policy.direct, *seen)?))
        }
        Source::MakeToRead(seen) => {
            let made = create_or_empty(&file.path, policy, false, *seen)?;
            fill(&made, &file.path, size_bytes, data, policy.filler, stopped)?;
            let _as_marked_as_before = mark::seal(&made);
            Ok(Arc::new(open_existing(&file.path, policy.direct)?))
        }
        Source::WriteInPlace(open) => {
            begin_to_write(open, &file.path, size_bytes)?;
            Ok(Arc::clone(open))
        }
        Source::MakeForBlocks(made) => made.open(&file.path, policy, size_bytes, stopped),
    }
}

/// Makes the file and remembers it, or empties the one that is there, if that is allowed: of the
/// one that was `seen`, of one that the tool made, and of no other.
pub(super) fn create_or_empty(
    path: &Path,
    policy: OpenPolicy,
    direct: bool,
    seen: Option<FileId>,
) -> Result<File, RefusedTarget> {
    let was_missing = is_missing(path);
    let created =
        open_direct(OpenOptions::new().read(true).write(true).create_new(true), path, direct);
    match created {
        Ok(file) => {
            policy.made.remember(path, &file).map_err(|e| RefusedTarget::io("read", path, e))?;
            // Without the mark the file cannot be told apart later, and `--overwrite` is needed.
            let _unmarked = mark::begin(&file);
            Ok(file)
        }
        Err(RefusedTarget::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            open_to_overwrite(path, direct, seen, policy.made)
        }
        Err(error) => {
            remove_refused(path, was_missing, &error);
            Err(error)
        }
    }
}

fn is_missing(path: &Path) -> bool {
    let looked = std::fs::symlink_metadata(path);
    looked.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Some file systems create the name and only then refuse `O_DIRECT`: removes what they leave, and
/// nothing that was there before or has anything in it.
fn remove_refused(path: &Path, was_missing: bool, error: &RefusedTarget) {
    let is_empty_file =
        || std::fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && there.len() == 0);
    if matches!(error, RefusedTarget::NoDirectIo { .. }) && was_missing && is_empty_file() {
        let _best_effort = std::fs::remove_file(path);
    }
}

/// Writes `data` from front to end, to storage, and drops it from the page cache.
pub(super) fn fill(
    file: &File,
    path: &Path,
    size_bytes: u64,
    data: DataStream,
    filler: Option<&Writer>,
    stopped: &dyn Fn() -> bool,
) -> Result<(), TargetFailure> {
    let mut buffer = vec![0; FILL_BYTES];
    let mut at = 0;
    while at < size_bytes {
        if stopped() {
            return Err(TargetFailure::Stopped);
        }
        let rest = usize::try_from(size_bytes - at).unwrap_or(usize::MAX);
        let chunk = &mut buffer[..rest.min(FILL_BYTES)];
        data.fill(at, 0, chunk);
        if let Some(filler) = filler {
            filler.stamp_filling(at, chunk);
        }
        file.write_all_at(chunk, at).map_err(|source| TargetFailure::Fill {
            path: path.to_owned(),
            offset_bytes: at,
            source,
        })?;
        at += chunk.len() as u64;
    }
    // Reads of the file should reach the device.
    send_to_storage(file).map_err(|source| TargetFailure::Store { path: path.to_owned(), source })
}

/// Opens a file without a name in `folder`, for reading and writing: no end of the process, however
/// sudden, leaves it behind.
///
/// # Errors
/// [`RefusedTarget::NoDirectIo`] when `direct` is refused; else why no file can be made there.
pub fn open_nameless(folder: &Path, direct: bool) -> Result<File, RefusedTarget> {
    let direct_flag = if direct { libc::O_DIRECT } else { 0 };
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC | direct_flag)
        .open(folder);
    match opened {
        Ok(file) => {
            settle_flags(&file).map_err(|e| RefusedTarget::io("open a file in", folder, e))?;
            Ok(file)
        }
        Err(error) => match error.raw_os_error() {
            Some(libc::EOPNOTSUPP | libc::EISDIR) => open_unlinked(folder, direct),
            Some(libc::EINVAL) if direct => Err(RefusedTarget::NoDirectIo { path: folder.into() }),
            _ => Err(RefusedTarget::io("make a file in", folder, error)),
        },
    }
}

/// Where `O_TMPFILE` is missing: a name that lives for a moment.
fn open_unlinked(folder: &Path, direct: bool) -> Result<File, RefusedTarget> {
    let path = folder.join(format!(".aio-{}", std::process::id()));
    let was_missing = is_missing(&path);
    let mut options = OpenOptions::new();
    let opened = open_direct(options.read(true).write(true).create_new(true), &path, direct);
    match &opened {
        // Made just now, and by no one else.
        Ok(_) => std::fs::remove_file(&path)
            // The run would not be able to remove its own files either.
            .map_err(|error| RefusedTarget::io("remove", &path, error))?,
        Err(error) => remove_refused(&path, was_missing, error),
    }
    opened.map_err(|error| match error {
        RefusedTarget::NoDirectIo { .. } => RefusedTarget::NoDirectIo { path: folder.into() },
        RefusedTarget::Io { source, .. } => RefusedTarget::io("make a file in", folder, source),
        other @ RefusedTarget::Unfit { .. } => other,
    })
}

/// Whether a file can be made at `path`, and what direct I/O there must be a multiple of.
pub(super) fn try_folder_of(path: &Path, direct: bool) -> Result<File, RefusedTarget> {
    open_nameless(folder_of(path), direct)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::target::validate::written_as_told;

    fn policy(made: &Made) -> OpenPolicy<'_> {
        OpenPolicy { direct: false, made, filler: None }
    }

    #[test]
    fn a_file_to_read_is_filled_to_the_last_byte_and_removed_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let file = TaskletFile { path: path.clone(), source: Source::MakeToRead(None) };
        let data = DataStream::new(4, 1);
        let made = Made::new(false);
        let opened = open_and_fill(&file, policy(&made), 1_000_003, data, &|| false).unwrap();
        assert_eq!(opened.metadata().unwrap().len(), 1_000_003);
        assert_eq!(written_as_told(&opened, 1_000_003, data, 0).unwrap(), None);
        drop(made);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_appeared_since_the_check_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        fs::write(&path, "mine").unwrap();
        let file = TaskletFile { path: path.clone(), source: Source::MakeToWrite(None) };
        let made = Made::new(false);
        let data = DataStream::new(0, 0);
        assert!(open_and_fill(&file, policy(&made), 4, data, &|| false).is_err());
        drop(made);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_nameless_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = open_nameless(folder.path(), false).unwrap();
        file.write_all_at(b"x", 0).unwrap();
        let unlinked = open_unlinked(folder.path(), false).unwrap();
        unlinked.write_all_at(b"x", 0).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(open_nameless(&folder.path().join("missing"), false).is_err());
    }
}
