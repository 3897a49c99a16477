//! One request as blocking calls on the calling thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use aio_core::engine::{Files, Operation, Request};
use aio_core::memory::Block;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Bytes moved, or the negated errno.
    pub(crate) status: i32,
    /// Calls that were made for it.
    pub(crate) system_calls: u32,
    /// Those of them that a signal interrupted.
    pub(crate) interrupted: u32,
    /// Whether the thread panicked over it.
    pub(crate) panicked: bool,
}

impl Outcome {
    /// The outcome of a request over which its thread panicked.
    pub(crate) const PANICKED: Self =
        Self { status: -libc::EIO, system_calls: 0, interrupted: 0, panicked: true };
}

/// A request that is done, on its way back to the lane.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The memory that went in.
    pub(crate) block: Option<Block>,
    /// The request's name.
    pub(crate) tag: u32,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// Does the request, again as long as a signal interrupts it.
///
/// # Panics
/// When the target or the range in the block does not exist; the engine has looked.
pub(crate) fn perform(files: &Files, request: &mut Request) -> Outcome {
    let file = &files[usize::from(request.target)];
    until_not_interrupted(|| attempt(file, request))
}

fn until_not_interrupted(mut attempt: impl FnMut() -> io::Result<usize>) -> Outcome {
    let mut interrupted = 0;
    loop {
        let status = match attempt() {
            Ok(moved) => i32::try_from(moved).expect("a block has at most 1 GiB"),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                interrupted += 1;
                continue;
            }
            Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
        };
        return Outcome { status, system_calls: interrupted + 1, interrupted, panicked: false };
    }
}

/// Makes one call. (Of an interrupted fsync the standard library makes another by itself.)
fn attempt(file: &File, request: &mut Request) -> io::Result<usize> {
    let start = request.block_start_bytes as usize;
    let range = start..start + request.length_bytes as usize;
    match (request.operation, &mut request.block) {
        (Operation::Read, Some(block)) => {
            file.read_at(&mut block.as_mut_slice()[range], request.offset_bytes)
        }
        (Operation::Write, Some(block)) => {
            file.write_at(&block.as_slice()[range], request.offset_bytes)
        }
        (Operation::Fsync, _) => file.sync_all().map(|()| 0),
        (Operation::Fdatasync, _) => file.sync_data().map(|()| 0),
        // Not reached: the engine is not opened for other operations.
        _ => Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_call_is_made_again_and_counted() {
        let mut signals = 2;
        let outcome = until_not_interrupted(|| {
            if signals > 0 {
                signals -= 1;
                return Err(io::Error::from_raw_os_error(libc::EINTR));
            }
            Ok(7)
        });
        let want = Outcome { status: 7, system_calls: 3, interrupted: 2, panicked: false };
        assert_eq!(outcome, want);
    }

    #[test]
    fn any_other_error_is_the_requests_errno() {
        for errno in [libc::EAGAIN, libc::EIO, libc::ENOSPC] {
            let outcome = until_not_interrupted(|| Err(io::Error::from_raw_os_error(errno)));
            assert_eq!((outcome.status, outcome.system_calls), (-errno, 1));
        }
    }
}
