//! What can end a lane or a tasklet early, and the sentence that says so.

use std::any::Any;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;

use super::barrier::Broken;
use crate::engine::{EngineError, Errno, OpenError, Operation};
use crate::memory::PlacementError;
use crate::report::Failure;
use crate::stats::Kind;
use crate::target::{TargetFailure, Unreadable};
use crate::verify::FirstBad;

/// A request that did not do what it was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadRequest {
    pub operation: Operation,
    pub target: u16,
    pub offset_bytes: u64,
    pub length_bytes: u32,
    pub what: BadResult,
}

/// What was wrong with a request's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadResult {
    /// The kernel said so.
    Errno(Errno),
    /// It moved nothing, inside the file.
    NothingMoved,
    /// It moved more than there was room for, so that what lies behind it cannot be trusted.
    TooMuch(u32),
    /// It came back short again and again without getting on.
    NoProgress,
}

/// Why a lane ended early.
#[derive(Debug, Error)]
pub(crate) enum LaneError {
    #[error("a request failed")]
    Request(BadRequest),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot open the engine")]
    Open(#[source] OpenError),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error("cannot take memory from NUMA node {node}")]
    NumaNode {
        node: u32,
        #[source]
        source: std::io::Error,
    },
    #[error("no request completed for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error(
        "{0} requests were still in flight 10 s after the end; their memory is left to the kernel"
    )]
    StillInFlight(u32),
    #[error("the engine gave back request {tag}, which was not in flight (a defect of the engine)")]
    Stranger { tag: u32 },
    #[error("completions do not match the requests (a defect of the engine)")]
    Unsettled,
    #[error("fsync failed")]
    EndFsync(#[source] std::io::Error),
    #[error("the page cache cannot be told to drop the target; leave out --drop-cache")]
    DropCache(#[source] std::io::Error),
    #[error("a block is not what it must be")]
    BadBlock { target: u16, bad: FirstBad },
    #[error("stopped")]
    Halted,
    #[error("a panic: {0} (a defect of aio)")]
    Panic(String),
    #[error("the schedule broke: {0}")]
    Barrier(Broken),
}

impl LaneError {
    /// Whether another lane or a signal is the reason, so that this lane has nothing to report.
    pub(crate) fn is_secondary(&self) -> bool {
        matches!(self, Self::Halted | Self::Barrier(Broken::ByParty))
    }

    /// The report's view of it, for tasklet `tid` whose targets have these `paths`.
    pub(crate) fn report(&self, tid: u32, paths: &[&Path]) -> Failure {
        match self {
            Self::Request(bad) => bad.report(tid, paths),
            Self::BadBlock { target, bad } => {
                bad_block(tid, paths.get(usize::from(*target)).copied(), bad)
            }
            Self::EndFsync(error) => store_failed(tid, paths.first().copied(), error),
            // Which of several files these are about is not known.
            Self::StillInFlight(_) | Self::Stalled(_) | Self::Engine(_) => {
                plain(tid, <[_; 1]>::try_from(paths).ok().map(|[path]| path), self)
            }
            other => plain(tid, None, other),
        }
    }
}

impl BadRequest {
    fn report(&self, tid: u32, paths: &[&Path]) -> Failure {
        let path = paths.get(usize::from(self.target)).map(|path| path.display().to_string());
        let (what, errno) = match self.what {
            BadResult::Errno(errno) => (errno.to_string(), Some(errno.name())),
            BadResult::NothingMoved => (
                "0 bytes were moved inside the file; it was cut or its device is gone".into(),
                None,
            ),
            BadResult::TooMuch(moved_bytes) => {
                (format!("{moved_bytes} bytes moved, which is more than was asked for"), None)
            }
            BadResult::NoProgress => ("short transfers that do not get on".into(), None),
        };
        let of = path.as_deref().unwrap_or("the target");
        let Self { operation, offset_bytes, length_bytes, .. } = *self;
        // A flush is of the whole file.
        let has_range = operation.kind() != Kind::Flush;
        let message = if has_range {
            format!(
                "{operation} of {length_bytes} bytes at offset {offset_bytes} of {of} failed: {what}"
            )
        } else {
            format!("{operation} of {of} failed: {what}")
        };
        Failure {
            tid,
            path,
            operation: Some(operation.name().into()),
            offset_bytes: has_range.then_some(offset_bytes),
            length_bytes: has_range.then_some(length_bytes.into()),
            errno,
            message,
        }
    }
}

/// Why a tasklet ended early, outside its lanes.
#[derive(Debug, Error)]
pub(crate) enum TaskletError {
    #[error(transparent)]
    Target(#[from] TargetFailure),
    #[error("cannot reserve {bytes} bytes for the tensor")]
    Memory {
        bytes: u64,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    #[error("cannot {action}")]
    Post {
        action: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    ReadBack(#[from] Unreadable),
    #[error("fsync failed")]
    Store(#[source] std::io::Error),
    #[error("the data differs from what it must be at offset {offset_bytes}")]
    Differs { offset_bytes: u64 },
    #[error("a block is not what it must be")]
    BadBlock(FirstBad),
    #[error("a panic: {0} (a defect of aio)")]
    Panic(String),
    #[error("did not end within {} s; its memory is left to the kernel", .0.as_secs())]
    Abandoned(Duration),
    #[error("the schedule broke: {0}")]
    Barrier(Broken),
}

impl TaskletError {
    /// What was written cannot be opened to be read back.
    pub(crate) fn reopen(source: std::io::Error) -> Self {
        Self::Post { action: "open the file to read it back", source }
    }

    /// Whether another tasklet or a signal is the reason.
    pub(crate) fn is_secondary(&self) -> bool {
        matches!(self, Self::Barrier(Broken::ByParty) | Self::Target(TargetFailure::Stopped))
    }

    /// The report's view of it; `path` is the file that was worked on, if any.
    pub(crate) fn report(&self, tid: u32, path: Option<&Path>) -> Failure {
        let mut failure = match self {
            Self::BadBlock(bad) => return bad_block(tid, path, bad),
            Self::Store(error) => return store_failed(tid, path, error),
            other => plain(tid, path, other),
        };
        match self {
            Self::Differs { offset_bytes }
            | Self::Target(TargetFailure::Fill { offset_bytes, .. }) => {
                failure.offset_bytes = Some(*offset_bytes);
            }
            Self::ReadBack(Unreadable { offset_bytes, length_bytes, .. }) => {
                failure.offset_bytes = Some(*offset_bytes);
                failure.length_bytes = Some(*length_bytes);
            }
            _ => {}
        }
        failure
    }
}

/// A failure that `error` tells all of.
fn plain(tid: u32, path: Option<&Path>, error: &(dyn Error + 'static)) -> Failure {
    Failure { errno: errno_in(error).map(Errno::name), ..told(tid, path, chain(error)) }
}

/// A failure that `message` tells all of, but perhaps of which file.
fn told(tid: u32, path: Option<&Path>, message: String) -> Failure {
    let path = path.map(|path| path.display().to_string());
    let message = match &path {
        Some(path) if !names(&message, path) => format!("{path}: {message}"),
        _ => message,
    };
    Failure {
        tid,
        path,
        operation: None,
        offset_bytes: None,
        length_bytes: None,
        errno: None,
        message,
    }
}

/// Whether a file is among the words of a message: its name may be as short as a letter.
fn names(message: &str, path: &str) -> bool {
    message.split([' ', ':', ';', ',']).any(|word| word == path)
}

/// What was written does not become durable.
fn store_failed(tid: u32, path: Option<&Path>, error: &std::io::Error) -> Failure {
    let path = path.map(|path| path.display().to_string());
    let of = path.as_deref().unwrap_or("the target");
    Failure {
        operation: Some(Operation::Fsync.name().into()),
        message: format!("{} of {of} failed: {}", Operation::Fsync, of_kernel(error)),
        path,
        ..plain(tid, None, error)
    }
}

/// A block that is not what it must be, when it was read or read back.
fn bad_block(tid: u32, path: Option<&Path>, bad: &FirstBad) -> Failure {
    Failure {
        operation: Some("verify".into()),
        offset_bytes: Some(bad.offset_bytes),
        length_bytes: Some(bad.length_bytes),
        ..told(tid, path, bad.to_string())
    }
}

/// What was said in a panic that was caught.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// An error and its sources as one sentence.
fn chain(error: &(dyn Error + 'static)) -> String {
    let told = links(error).map(|link| match link.downcast_ref() {
        Some(error) => of_kernel(error),
        None => link.to_string(),
    });
    told.collect::<Vec<_>>().join(": ")
}

/// The number that the kernel gave as the reason.
fn errno_in(error: &(dyn Error + 'static)) -> Option<Errno> {
    let io = links(error).find_map(|link| link.downcast_ref::<std::io::Error>());
    io.and_then(std::io::Error::raw_os_error).map(Errno)
}

/// What the kernel said, as of a request that failed.
fn of_kernel(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno(number).to_string())
}

/// An error and its sources.
fn links<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link| link.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_request_is_told_with_file_offset_length_and_errno() {
        let bad = BadRequest {
            operation: Operation::Write,
            target: 0,
            offset_bytes: 4096,
            length_bytes: 512,
            what: BadResult::Errno(Errno(28)),
        };
        let failure = LaneError::Request(bad).report(3, &[Path::new("/d/f.3")]);
        assert_eq!(
            failure.message,
            "write of 512 bytes at offset 4096 of /d/f.3 failed: No space left on device (ENOSPC)"
        );
        assert_eq!((failure.tid, failure.errno.as_deref()), (3, Some("ENOSPC")));
    }

    #[test]
    fn a_flush_that_fails_is_one_of_the_whole_file() {
        let bad = BadRequest {
            operation: Operation::Fdatasync,
            target: 0,
            offset_bytes: 0,
            length_bytes: 0,
            what: BadResult::Errno(Errno(5)),
        };
        let failure = LaneError::Request(bad).report(0, &[Path::new("f")]);
        assert_eq!(failure.message, "fdatasync of f failed: I/O error (EIO)");
        assert_eq!((failure.offset_bytes, failure.length_bytes), (None, None));
        let end = LaneError::EndFsync(std::io::Error::from_raw_os_error(5));
        let failure = end.report(0, &[Path::new("f")]);
        assert_eq!(failure.message, "fsync of f failed: I/O error (EIO)");
        assert_eq!(failure.errno.as_deref(), Some("EIO"));
    }

    #[test]
    fn a_file_with_a_name_of_one_letter_is_named_too() {
        let failure = LaneError::StillInFlight(3).report(0, &[Path::new("f")]);
        assert!(failure.message.starts_with("f: 3 requests were still in flight"), "{failure:?}");
        assert!(names("cannot fill f at offset 0: no", "f") && !names("fast", "f"));
    }

    #[test]
    fn sources_are_told_once_behind_the_sentence() {
        let source = std::io::Error::from_raw_os_error(12);
        let failure = TaskletError::Memory { bytes: 5, source }.report(0, None);
        assert_eq!(
            failure.message,
            "cannot reserve 5 bytes for the tensor: Out of memory (ENOMEM)"
        );
        assert_eq!(failure.errno.as_deref(), Some("ENOMEM"));
    }
}
