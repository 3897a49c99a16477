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
use crate::target::TargetFailure;
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
    #[error("cannot make durable what was written")]
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
            other => plain(tid, None, chain(other)),
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
            BadResult::NoProgress => ("short transfers that do not get on".into(), None),
        };
        let message = format!(
            "{} of {} bytes at offset {} of {} failed: {what}",
            self.operation,
            self.length_bytes,
            self.offset_bytes,
            path.as_deref().unwrap_or("the target"),
        );
        Failure {
            tid,
            path,
            operation: Some(self.operation.name().into()),
            offset_bytes: Some(self.offset_bytes),
            length_bytes: Some(self.length_bytes.into()),
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
    /// Whether another tasklet or a signal is the reason.
    pub(crate) fn is_secondary(&self) -> bool {
        matches!(self, Self::Barrier(Broken::ByParty) | Self::Target(TargetFailure::Stopped))
    }

    /// The report's view of it; `path` is the file that was worked on, if any.
    pub(crate) fn report(&self, tid: u32, path: Option<&Path>) -> Failure {
        if let Self::BadBlock(bad) = self {
            return bad_block(tid, path, bad);
        }
        let mut failure = plain(tid, path, chain(self));
        if let Self::Differs { offset_bytes } = self {
            failure.offset_bytes = Some(*offset_bytes);
        }
        failure
    }
}

fn plain(tid: u32, path: Option<&Path>, message: String) -> Failure {
    let path = path.map(|path| path.display().to_string());
    let message = match &path {
        Some(path) if !message.contains(path.as_str()) => format!("{path}: {message}"),
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

/// A block that is not what it must be, when it was read or read back.
fn bad_block(tid: u32, path: Option<&Path>, bad: &FirstBad) -> Failure {
    Failure {
        operation: Some("verify".into()),
        offset_bytes: Some(bad.offset_bytes),
        length_bytes: Some(bad.length_bytes),
        ..plain(tid, path, bad.to_string())
    }
}

/// What was said in a panic that was caught.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// An error and its sources as one sentence.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
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
    fn sources_are_told_once_behind_the_sentence() {
        let source = std::io::Error::from_raw_os_error(12);
        let failure = TaskletError::Memory { bytes: 5, source }.report(0, None);
        assert_eq!(
            failure.message,
            "cannot reserve 5 bytes for the tensor: Cannot allocate memory (os error 12)"
        );
    }
}
