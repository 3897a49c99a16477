//! What may be opened, and what may be overwritten.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use thiserror::Error;

use super::device::{NO_PAGE_CACHE, TargetKind};
use super::file_id::FileId;
use super::made::Made;
use super::mark::{self, Owner};

/// A target that is refused, before anything was changed.
#[derive(Debug, Error)]
pub enum RefusedTarget {
    /// It cannot be looked at or opened.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The target.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// It is not what it would have to be.
    #[error("{} {what}", path.display())]
    Unfit {
        /// The target.
        path: PathBuf,
        /// What is wrong with it and what to do.
        what: String,
    },
    /// Its file system refuses direct I/O.
    #[error(
        "{} is on a file system that refuses O_DIRECT; add --buffered to measure through the page \
         cache, or choose another place",
        path.display()
    )]
    NoDirectIo {
        /// The target.
        path: PathBuf,
    },
}

impl RefusedTarget {
    pub(super) fn unfit(path: &Path, what: impl Into<String>) -> Self {
        Self::Unfit { path: path.into(), what: what.into() }
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.into(), source }
    }
}

/// Opens what is there for reading. Nothing blocks on it: a FIFO is refused unopened.
pub(super) fn open_existing(path: &Path, direct: bool) -> Result<File, RefusedTarget> {
    let looked = fs::metadata(path).map_err(|error| RefusedTarget::io("read", path, error))?;
    let kind = readable_kind(path, &looked)?;
    if kind == TargetKind::NvmeGeneric && !direct {
        return Err(RefusedTarget::unfit(path, NO_PAGE_CACHE));
    }
    // A character device takes commands, and refuses the flag.
    let direct = direct && kind != TargetKind::NvmeGeneric;
    let file = open_direct(OpenOptions::new().read(true), path, direct)?;
    let opened = file.metadata().map_err(|error| RefusedTarget::io("read", path, error))?;
    // The name may have come to mean something else in between.
    if readable_kind(path, &opened)? != kind {
        return Err(RefusedTarget::unfit(path, "has just come to mean something else; try again"));
    }
    Ok(file)
}

fn readable_kind(path: &Path, metadata: &Metadata) -> Result<TargetKind, RefusedTarget> {
    TargetKind::of(metadata).ok_or_else(|| {
        let what = format!("is {}, not a file or block device to read", kind_name(metadata));
        RefusedTarget::unfit(path, what)
    })
}

/// Opens with `O_DIRECT` when asked, and tells a file system's refusal from other errors.
pub(super) fn open_direct(
    options: &mut OpenOptions,
    path: &Path,
    direct: bool,
) -> Result<File, RefusedTarget> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let direct_flag = if direct { libc::O_DIRECT } else { 0 };
    match options.custom_flags(flags | direct_flag).open(path) {
        Ok(file) => {
            settle_flags(&file).map_err(|error| RefusedTarget::io("open", path, error))?;
            Ok(file)
        }
        Err(error) if direct && error.raw_os_error() == Some(libc::EINVAL) => {
            Err(RefusedTarget::NoDirectIo { path: path.into() })
        }
        Err(error) => Err(RefusedTarget::io("open", path, error)),
    }
}

/// Sets the flags for what comes after opening.
///
/// `O_NONBLOCK` goes: it is there so that opening never blocks, and `io_uring` would take it for
/// NOWAIT on a device. `O_NOATIME` comes, where the owner asks: reads that note their time in the
/// file would be other work than fio's, and write now and then. Set afterwards, because a file may
/// be made and then refuse the flag.
pub(super) fn settle_flags(file: &File) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL)?);
    let settled = flags.difference(OFlag::O_NONBLOCK);
    match fcntl(file, FcntlArg::F_SETFL(settled | OFlag::O_NOATIME)) {
        Err(Errno::EPERM) => fcntl(file, FcntlArg::F_SETFL(settled))?,
        set => set?,
    };
    Ok(())
}

/// Whether the file at `path`, if there is one, may be overwritten; says which one it is.
pub(super) fn may_write(path: &Path, overwrite: bool) -> Result<Option<FileId>, RefusedTarget> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(RefusedTarget::unfit(path, "is a symbolic link to nothing; remove it"));
            }
            return Ok(None);
        }
        Err(error) => return Err(RefusedTarget::io("write", path, error)),
    };
    writable_kind(path, &metadata)?;
    if !overwrite {
        let file = open_direct(OpenOptions::new().read(true), path, false)?;
        require_mark(path, &file)?;
    }
    Ok(Some(FileId::of(&metadata)))
}

/// Opens for writing the file that [`may_write`] allowed, checking again what was really opened,
/// and empties it. `--overwrite` is meant of the file that was there when it was `seen`, and of no
/// other that has come to have its name.
pub(super) fn open_to_overwrite(
    path: &Path,
    direct: bool,
    seen: Option<FileId>,
    made: &Made,
) -> Result<File, RefusedTarget> {
    let (file, metadata) = open_to_write(path, direct)?;
    if !is_made(&metadata, made) && seen != Some(FileId::of(&metadata)) {
        if seen.is_some() {
            let what = "has just come to mean another file; try again";
            return Err(RefusedTarget::unfit(path, what));
        }
        require_mark(path, &file)?;
    }
    file.set_len(0).map_err(|error| RefusedTarget::io("empty", path, error))?;
    if mark::owner(&file) != Owner::Others {
        // It was the tool's, and is being written again. Else it stays as foreign as it was.
        let _as_marked_as_before = mark::begin(&file);
    }
    Ok(file)
}

/// Opens for writing what is there, as it is: neither its length nor its contents change. With
/// `overwrite` or when this run `made` it, it may be anybody's.
pub(super) fn open_to_write_in_place(
    path: &Path,
    direct: bool,
    overwrite: bool,
    made: Option<&Made>,
) -> Result<File, RefusedTarget> {
    // Looked at first, because opening may already do something to what is no file.
    let looked = fs::metadata(path).map_err(|error| RefusedTarget::io("write", path, error))?;
    writable_kind(path, &looked)?;
    let (file, metadata) = open_to_write(path, direct)?;
    if !overwrite && !made.is_some_and(|made| is_made(&metadata, made)) {
        require_mark(path, &file)?;
    }
    Ok(file)
}

/// Opens for reading and writing, and refuses what was opened unless it is a file.
fn open_to_write(path: &Path, direct: bool) -> Result<(File, Metadata), RefusedTarget> {
    let file = open_direct(OpenOptions::new().read(true).write(true), path, direct)?;
    let metadata = file.metadata().map_err(|error| RefusedTarget::io("write", path, error))?;
    writable_kind(path, &metadata)?;
    Ok((file, metadata))
}

/// Whether this run made it.
fn is_made(metadata: &Metadata, made: &Made) -> bool {
    made.contains(FileId::of(metadata))
}

fn writable_kind(path: &Path, metadata: &Metadata) -> Result<(), RefusedTarget> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    // Devices that may be written come another way: this one empties what it opens.
    let what = format!("is {}, not a file to write", kind_name(metadata));
    Err(RefusedTarget::unfit(path, what))
}

fn kind_name(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_block_device() {
        "a block device"
    } else {
        "of an unknown kind"
    }
}

fn require_mark(path: &Path, file: &File) -> Result<(), RefusedTarget> {
    let what = match mark::owner(file) {
        Owner::Tool => return Ok(()),
        Owner::Others => "exists and was not made by aio; add --overwrite to replace its contents",
        Owner::ToolThenOthers => {
            "was made by aio and has been changed since; add --overwrite to replace its contents"
        }
    };
    Err(RefusedTarget::unfit(path, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::skip;

    #[test]
    fn a_foreign_file_needs_overwrite_and_a_marked_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert_eq!(may_write(&path, false).unwrap(), None);
        fs::write(&path, "mine").unwrap();
        let refused = may_write(&path, false).unwrap_err().to_string();
        assert!(refused.ends_with("add --overwrite to replace its contents"), "{refused}");
        assert!(may_write(&path, true).unwrap().is_some());
        if mark::begin(&File::open(&path).unwrap()).is_err() {
            skip("this file system has no extended attributes");
            return;
        }
        assert!(may_write(&path, false).unwrap().is_some());
    }

    #[test]
    fn overwriting_is_meant_of_the_file_that_was_seen_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "mine").unwrap();
        let seen = may_write(&path, true).unwrap();
        fs::write(folder.path().join("other"), "precious").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("other", &path).unwrap();
        let made = Made::new(true);
        assert!(open_to_overwrite(&path, false, seen, &made).is_err());
        assert!(open_to_overwrite(&path, false, None, &made).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let seen = may_write(&path, true).unwrap();
        open_to_overwrite(&path, false, seen, &made).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn an_open_file_waits_as_usual_and_notes_no_time_of_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let file =
            open_direct(OpenOptions::new().write(true).create_new(true), &path, false).unwrap();
        let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL).unwrap());
        assert!(flags.contains(OFlag::O_NOATIME) && !flags.contains(OFlag::O_NONBLOCK));
    }

    #[test]
    fn a_file_that_is_opened_to_be_written_in_place_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "mine").unwrap();
        let refused = open_to_write_in_place(&path, false, false, None).unwrap_err().to_string();
        assert!(refused.ends_with("add --overwrite to replace its contents"), "{refused}");
        open_to_write_in_place(&path, false, true, None).unwrap();
        let made = Made::new(true);
        made.remember(&path, &File::open(&path).unwrap()).unwrap();
        open_to_write_in_place(&path, false, false, Some(&made)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn folders_fifos_devices_and_dangling_links_are_refused_without_blocking() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nothing"), &link).unwrap();
        for (path, word) in [
            (folder.path(), "folder"),
            (fifo.as_path(), "FIFO"),
            (Path::new("/dev/null"), "device"),
            (link.as_path(), "link"),
        ] {
            let refused = may_write(path, true).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
            assert!(open_existing(path, false).is_err());
            assert!(open_to_write_in_place(path, false, true, None).is_err());
        }
    }
}
