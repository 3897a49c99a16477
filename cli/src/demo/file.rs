//! The temporary file: without a name, so that no end of the process leaves it behind.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use aio_core::data::DataStream;
use aio_core::session::Stop;
use aio_core::target::{RefusedTarget, available_memory_bytes, open_nameless, usable};
use anyhow::{Context, anyhow};
use nix::errno::Errno;
use nix::sys::statvfs::fstatvfs;

use super::budget;
use crate::ending::Failure;

/// The file's size where space and time allow.
const BYTES_MAX: u64 = 256 << 20;
/// What its size is a multiple of, and what is written at a time.
const STEP_BYTES: usize = 1 << 20;
/// Bytes between two looks at what the disk has really taken.
const SYNC_EVERY_BYTES: u64 = 16 << 20;
/// What direct I/O can ask of an address.
const ALIGNMENT_BYTES: usize = 4096;

/// How the file was filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) bytes: u64,
    pub(super) took: Duration,
}

/// Makes the file in `folder`, and says whether it does direct I/O.
pub(super) fn make(folder: &Path) -> Result<(File, bool), Failure> {
    match open_nameless(folder, true) {
        Ok(file) => Ok((file, true)),
        Err(RefusedTarget::NoDirectIo { .. }) => {
            let file = open_nameless(folder, false).map_err(Failure::refused)?;
            Ok((file, false))
        }
        Err(error) => Err(Failure::refused(error)),
    }
}

/// Fills `file` with data, as far as space, memory and time allow, and waits until it is stored.
pub(super) fn fill(file: &File, folder: &Path, seed: u64, stop: &Stop) -> Result<Filled, Failure> {
    let failed = |action: &str| format!("cannot {action} a temporary file in {}", folder.display());
    let most = bytes_to_fill(file).with_context(|| failed("fill")).map_err(Failure::failed)?;
    let data = DataStream::new(seed, 0);
    let mut memory = vec![0; STEP_BYTES + ALIGNMENT_BYTES];
    let begin = memory.as_ptr().align_offset(ALIGNMENT_BYTES);
    let chunk = &mut memory[begin..begin + STEP_BYTES];
    let clock = Instant::now();
    let mut bytes = 0;
    while bytes < most && clock.elapsed() < budget::FILL && !stop.is_set() {
        data.fill(bytes, 0, chunk);
        match file.write_all_at(chunk, bytes) {
            Ok(()) => bytes += STEP_BYTES as u64,
            // What was written is enough, unless it is nothing.
            Err(error) if bytes > 0 && is_full(&error) => break,
            Err(error) => {
                return Err(Failure::failed(anyhow!(error).context(failed("fill"))));
            }
        }
        if bytes % SYNC_EVERY_BYTES == 0 {
            file.sync_data().with_context(|| failed("store")).map_err(Failure::failed)?;
        }
    }
    // A write that was cut short by a full disk must not leave a tail.
    file.set_len(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| failed("store"))
        .map_err(Failure::failed)?;
    Ok(Filled { bytes, took: clock.elapsed() })
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// The size that leaves room on the disk and in memory; at least one step, for which there must be
/// room on the disk.
fn bytes_to_fill(file: &File) -> io::Result<u64> {
    let space = fstatvfs(file)?;
    // Some file systems in memory do not count their blocks.
    let free_bytes = match space.blocks() {
        0 => u64::MAX,
        _ => space.blocks_available().saturating_mul(space.fragment_size()),
    };
    if usable(free_bytes) < STEP_BYTES as u64 {
        return Err(io::Error::from_raw_os_error(Errno::ENOSPC as i32));
    }
    let spare_bytes = available_memory_bytes().unwrap_or(u64::MAX) / 4;
    Ok(size_within(free_bytes, spare_bytes))
}

fn size_within(free_bytes: u64, spare_memory_bytes: u64) -> u64 {
    let step = STEP_BYTES as u64;
    let bytes = BYTES_MAX.min(usable(free_bytes)).min(spare_memory_bytes);
    (bytes / step).max(1) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_leaves_room_and_is_a_multiple_of_a_step() {
        let mib = |mib: u64| mib << 20;
        assert_eq!(size_within(u64::MAX, u64::MAX), mib(256));
        assert_eq!(size_within(mib(30), u64::MAX), mib(28));
        assert_eq!(size_within(u64::MAX, mib(7) + 5), mib(7));
        assert_eq!(size_within(0, 0), mib(1));
    }

    #[test]
    fn the_file_has_the_data_of_its_seed_and_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = open_nameless(folder.path(), false).unwrap();
        let stop = Stop::default();
        let filled = fill(&file, folder.path(), 5, &stop).unwrap();
        assert!(filled.bytes >= 1 << 20);
        assert_eq!(file.metadata().unwrap().len(), filled.bytes);
        let mut head = vec![0; 4096];
        file.read_exact_at(&mut head, 0).unwrap();
        assert_eq!(DataStream::new(5, 0).first_difference(0, 0, &head), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
