//! Whether a file system takes a flag, found by asking it.
#![expect(unsafe_code, reason = "preadv2 and pwritev2 on memory of this file")]

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};

use super::request::Operation;
use super::rw_flags::RwFlags;
use crate::memory::{Mapping, MemoryKind, Region};

/// A multiple of every alignment that direct I/O asks for: a request that is not aligned may be
/// turned into a buffered one, which is another question.
const LENGTH_BYTES: usize = 64 << 10;

/// No device is as long as this.
const DEVICE_END_BYTES: u64 = 1 << 62;

/// Whether `file` answers an `operation` that carries `flag` with `EOPNOTSUPP`. Neither it nor what
/// the page cache has of it is changed: reads are of what is behind its end, and writes go to a
/// file without a name beside it, if there can be one and `file` itself may be written: whoever
/// opened it for reading only wants nothing written. What cannot be asked counts as not refused;
/// an engine still notices when its requests are.
pub(super) fn refuses(file: &File, operation: Operation, flag: RwFlags) -> bool {
    let asked = match operation {
        Operation::Read => read(file, flag),
        _ => match sibling(file) {
            Ok(file) => attempt(&file, operation, 0, flag),
            // Most refusals are of reads and writes alike.
            Err(_none) => read(file, flag),
        },
    };
    asked.is_err_and(|error| error.raw_os_error() == Some(libc::EOPNOTSUPP))
}

/// Reads behind the end of `file`.
fn read(file: &File, flag: RwFlags) -> io::Result<()> {
    let metadata = file.metadata()?;
    let is_device = metadata.file_type().is_block_device();
    // The length of a device is not in its metadata.
    let length = if is_device { DEVICE_END_BYTES } else { metadata.len() };
    let end = length.next_multiple_of(LENGTH_BYTES as u64);
    let end =
        i64::try_from(end).map_err(|_too_long| io::Error::from(io::ErrorKind::FileTooLarge))?;
    attempt(file, Operation::Read, end, flag)
}

/// A new file without a name in the folder of `file`, opened like it.
fn sibling(file: &File) -> io::Result<File> {
    let metadata = file.metadata()?;
    if metadata.file_type().is_block_device() {
        // A file beside it would be in the file system of device files.
        return Err(io::ErrorKind::Unsupported.into());
    }
    let flags = fcntl(file, FcntlArg::F_GETFL)?;
    if flags & libc::O_ACCMODE == libc::O_RDONLY {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let direct = flags & libc::O_DIRECT;
    let mut options = File::options();
    options.read(true).write(true).custom_flags(libc::O_TMPFILE | direct);
    let sibling = options.open(folder)?;
    if sibling.metadata()?.dev() == metadata.dev() {
        Ok(sibling)
    } else {
        Err(io::ErrorKind::CrossesDevices.into())
    }
}

/// Reads or writes some bytes of `file` from `offset_bytes` on.
fn attempt(file: &File, operation: Operation, offset_bytes: i64, flag: RwFlags) -> io::Result<()> {
    let mut memory: Region = Mapping::reserve(LENGTH_BYTES, MemoryKind::Small)?.0;
    let bytes = memory.as_mut_slice();
    let vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let (fd, flags) = (file.as_raw_fd(), flag.bits());
    let moved = if operation == Operation::Read {
        // SAFETY: the one range of the vector is `bytes`, borrowed exclusively for the call.
        unsafe { libc::preadv2(fd, &raw const vector, 1, offset_bytes, flags) }
    } else {
        // SAFETY: as above; a write only reads it.
        unsafe { libc::pwritev2(fd, &raw const vector, 1, offset_bytes, flags) }
    };
    if moved < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    const BOTH: [Operation; 2] = [Operation::Read, Operation::Write];

    #[test]
    fn a_flag_that_is_taken_leaves_the_file_as_it_was() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"before", 0).unwrap();
        // DSYNC has been there since 4.7, so what it meets is a file that takes flags.
        assert!(!refuses(&file, Operation::Read, RwFlags::DSYNC));
        assert!(!refuses(&file, Operation::Write, RwFlags::DSYNC));
        let mut bytes = [0; 6];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!((&bytes, file.metadata().unwrap().len()), (b"before", 6));
    }

    #[test]
    fn memory_files_refuse_not_to_wait_or_the_answer_is_a_newer_kernel_s() {
        let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
            crate::testing::skip("no /dev/shm to ask about tmpfs");
            return;
        };
        let file = tempfile::tempfile_in(folder.path()).unwrap();
        let refused = BOTH.map(|operation| refuses(&file, operation, RwFlags::NOWAIT));
        if refused == [false, false] {
            crate::testing::skip("this kernel's tmpfs takes RWF_NOWAIT");
            return;
        }
        assert_eq!(refused, [true, true]);
    }

    #[test]
    fn nothing_is_made_beside_a_file_that_is_open_for_reading_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let written = File::create_new(&path).unwrap();
        let read = File::open(&path).unwrap();
        assert_eq!(sibling(&read).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_ne!(
            sibling(&written).map_err(|error| error.kind()).err(),
            Some(io::ErrorKind::PermissionDenied)
        );
        assert!(!refuses(&read, Operation::Write, RwFlags::DSYNC));
    }

    #[test]
    fn what_cannot_be_asked_is_not_refused() {
        let (reader, _writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(reader));
        assert!(!refuses(&pipe, Operation::Write, RwFlags::NOWAIT));
        let null = File::open("/dev/null").unwrap();
        assert!(!refuses(&null, Operation::Write, RwFlags::DSYNC));
    }
}
