//! Requests that take a range of a target away: holes in files (`IORING_OP_FALLOCATE`, Linux 5.6)
//! and discards of blocks of devices (`BLOCK_URING_CMD_DISCARD`, Linux 6.12).
#![expect(unsafe_code, reason = "hands an entry to a ring")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use aio_core::engine::{Files, Operation, Operations, Request, Unsupported};
use aio_core::target::{PUNCH_HOLE, TrimWay, trim_of};
use io_uring::types::Fd;
use io_uring::{IoUring, opcode, squeue};

use crate::abilities::{Abilities, Opcode};
use crate::unsupported::of_no_discard;

/// The bit that `_IO` adds to type and number on some architectures.
const NO_DATA: u32 = if libc::BLKSSZGET & (1 << 29) == 0 { 0 } else { 1 << 29 };
/// `_IO(0x12, 0)` of `linux/blkdev.h`.
const BLOCK_URING_CMD_DISCARD: u32 = NO_DATA | 0x1200;

/// How often a signal may interrupt a trial.
const ATTEMPTS_MAX: u32 = 64;

/// How each target is trimmed.
pub(crate) struct Trims(Vec<TrimWay>);

impl Trims {
    /// For `files`, when `operations` say that they are trimmed.
    ///
    /// # Errors
    /// Why one of them cannot be.
    pub(crate) fn of(files: &Files, operations: Operations) -> Result<Self, Unsupported> {
        let trimmed = files.iter().filter(|_| operations.contains(Operation::Trim));
        let way = |file: &std::sync::Arc<File>| {
            let way = trim_of(file)?.way;
            if way == TrimWay::Discard {
                try_discard(file)?;
            }
            Ok(way)
        };
        trimmed.map(way).collect::<Result<_, _>>().map(Self)
    }

    /// The entry for an accepted trim of the target that the ring knows as `fd`.
    pub(crate) fn entry(&self, fd: Fd, request: &Request) -> squeue::Entry {
        let length_bytes = u64::from(request.length_bytes);
        match self.0[usize::from(request.target)] {
            TrimWay::PunchHole => opcode::Fallocate::new(fd, length_bytes)
                .offset(request.offset_bytes)
                .mode(PUNCH_HOLE)
                .build(),
            TrimWay::Discard => discard(fd, request.offset_bytes, length_bytes),
        }
    }
}

/// The entry of a discard: where is the entry's `addr`, and how much its `addr3`, which lies where
/// the first eight bytes of a command do.
fn discard(fd: Fd, offset_bytes: u64, length_bytes: u64) -> squeue::Entry {
    let mut command = [0; 16];
    command[..8].copy_from_slice(&length_bytes.to_ne_bytes());
    opcode::UringCmd16::new(fd, BLOCK_URING_CMD_DISCARD)
        .cmd(command)
        .addr(Some(offset_bytes))
        .build()
}

/// Asks the device, through a ring for the moment, for a discard that none can do: of one byte. A
/// kernel that has the command answers `EINVAL` to it, and one that has not, `EOPNOTSUPP`.
fn try_discard(device: &File) -> Result<(), Unsupported> {
    match answer_to_one_byte(device) {
        Ok(errno) if errno == libc::EOPNOTSUPP => Err(of_no_discard()),
        Ok(_) => Ok(()),
        Err(source) => Err(Unsupported {
            reason: "a ring to try a discard on cannot be had".into(),
            cure: None,
            source: Some(source),
        }),
    }
}

fn answer_to_one_byte(device: &File) -> io::Result<i32> {
    let mut ring = IoUring::new(1)?;
    if !Abilities::of(&ring).has(Opcode::URING_CMD) {
        // Before Linux 5.19, which answers EINVAL to what it does not know at all.
        return Ok(libc::EOPNOTSUPP);
    }
    let entry = discard(Fd(device.as_raw_fd()), 1, 1);
    // SAFETY: the entry points to no memory. The kernel holds the device by itself from when it takes
    // the entry, and an entry that it did not take goes with the ring.
    unsafe { ring.submission().push(&entry) }.expect("a new ring has room for one");
    for _attempt in 0..ATTEMPTS_MAX {
        match ring.submit_and_wait(1) {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(_taken) => {}
        }
        if let Some(done) = ring.completion().next() {
            return Ok(done.result().wrapping_neg());
        }
    }
    Err(io::ErrorKind::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use aio_core::testing::skip;

    use super::*;

    #[test]
    fn a_file_that_is_no_block_device_knows_no_discard() {
        let file = tempfile::tempfile().unwrap();
        match try_discard(&file) {
            Ok(()) => panic!("a regular file takes no command"),
            Err(refused) if refused.source.is_some() => skip(&refused.sentence()),
            Err(refused) => assert!(refused.sentence().contains("Linux 6.12"), "{refused}"),
        }
    }
}
