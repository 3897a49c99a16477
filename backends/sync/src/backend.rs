//! The backend.

use aio_core::engine::{
    Backend, Capabilities, Lane, LaneSetup, Needs, OpenError, Operation, Operations, OptionError,
    OptionSpec, Unsupported,
};

use crate::inline::InlineEngine;
use crate::options::{self, Inline, OPTIONS};
use crate::perform::perform;
use crate::pool::PoolEngine;

/// The most pool threads of all engines of a run together.
const POOL_THREADS_MAX: u32 = 1024;

/// The backend `sync`: `pread`, `pwrite`, `fsync` and `fdatasync`.
///
/// At depth 1 the call is made on the lane's own thread, inside `submit`. Above, each engine starts
/// one thread per place in its queue when it is opened, on the CPUs of the lane, and a request is
/// handed over twice: to a thread, and back to the lane. Both hand-overs are part of its latency.
///
/// Counters: each `pread`, `pwrite`, `fsync` and `fdatasync` is one system call, and they are
/// added when the completion is reaped. What the threads and the lane do to sleep and to wake each
/// other (futexes) is not counted. A request that a signal interrupts is made again; `EAGAIN` is
/// passed on as the request's errno. Requests that a drain takes back unsubmitted are neither
/// submitted nor reaped.
///
/// When a pool thread panics over a request, the request comes back with its memory and `EIO`, and
/// the engine is dead from that reap on. When threads are still in a call a second after the
/// lane has left, they are left behind with their files and their memory, which go away once the
/// calls return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncIo {
    inline: Inline,
}

impl SyncIo {
    /// The backend with `options`: nothing, `inline=on` (on the lane's own thread, depth 1 only) or
    /// `inline=off` (a pool at depth 1 too).
    ///
    /// # Errors
    /// When there is no such option, or one is given twice.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        options::parse(options).map(|inline| Self { inline })
    }

    /// Refuses what does not depend on the kernel.
    fn check(
        self,
        operations: Operations,
        queue_depth: u32,
        engines: u32,
    ) -> Result<(), Unsupported> {
        if operations.contains(Operation::Trim) {
            return Err(Unsupported {
                reason: "the sync engine cannot trim: pread and pwrite have no such operation"
                    .into(),
                cure: None,
                source: None,
            });
        }
        if self.inline == Inline::On && queue_depth > 1 {
            return Err(Unsupported::new(
                format!("sync:inline=on makes one call at a time, not {queue_depth}"),
                "use --queue-depth 1, or leave inline=on out",
            ));
        }
        let threads = u64::from(queue_depth) * u64::from(engines);
        if !self.inline.at(queue_depth) && threads > u64::from(POOL_THREADS_MAX) {
            return Err(Unsupported::new(
                format!(
                    "the sync engine starts a thread per request in flight, and queue depth \
                     {queue_depth} times {engines} engine(s) is {threads}, more than \
                     {POOL_THREADS_MAX}"
                ),
                "lower --queue-depth, --threads or --io-parallel",
            ));
        }
        Ok(())
    }
}

impl Backend for SyncIo {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn moves_data(&self) -> bool {
        true
    }

    fn options(&self) -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        needs.refuse_command_device()?;
        self.check(needs.operations, needs.queue_depth, needs.engines)?;
        if self.inline.at(needs.queue_depth) {
            return Ok(Capabilities { receipts: InlineEngine::receipts() });
        }
        let setup = LaneSetup {
            queue_depth: needs.queue_depth,
            largest_block_bytes: 0,
            operations: needs.operations,
            files: [].into(),
            segments: Vec::new(),
        };
        match PoolEngine::open(setup, perform) {
            Ok(_engine) => {
                Ok(Capabilities { receipts: PoolEngine::receipts_of(needs.queue_depth) })
            }
            Err(source) => Err(Unsupported {
                reason: format!("{} pool threads cannot be started", needs.queue_depth),
                cure: Some(
                    "lower --queue-depth or raise the limit of processes (ulimit -u)".into(),
                ),
                source: Some(source),
            }),
        }
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        self.check(setup.operations, setup.queue_depth, 1)?;
        if self.inline.at(setup.queue_depth) {
            return Ok(lane.run(&mut InlineEngine::new(setup)));
        }
        let mut engine = PoolEngine::open(setup, perform)
            .map_err(|source| OpenError::Io { action: "start a pool thread", source })?;
        Ok(lane.run(&mut engine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &str, operation: Operation, queue_depth: u32, engines: u32) -> String {
        let operations = Operations::of(&[operation]);
        let backend = SyncIo::parse(options).unwrap();
        let needs = Needs {
            operations,
            queue_depth,
            engines,
            target: None,
            buffered: true,
            largest_block_bytes: 4096,
        };
        backend.probe(&needs).expect_err("refused").sentence()
    }

    #[test]
    fn a_refusal_names_what_is_missing_and_the_cure() {
        assert_eq!(
            refusal("", Operation::Read, 129, 8),
            "the sync engine starts a thread per request in flight, and queue depth 129 times 8 \
             engine(s) is 1032, more than 1024; lower --queue-depth, --threads or --io-parallel"
        );
        assert_eq!(
            refusal("inline=on", Operation::Read, 2, 1),
            "sync:inline=on makes one call at a time, not 2; use --queue-depth 1, or leave \
             inline=on out"
        );
        assert_eq!(
            refusal("", Operation::Trim, 1, 1),
            "the sync engine cannot trim: pread and pwrite have no such operation"
        );
    }

    #[test]
    fn inline_engines_start_no_threads_and_are_not_limited() {
        let operations = Operations::of(&[Operation::Read]);
        let needs = Needs {
            operations,
            queue_depth: 1,
            engines: 5000,
            target: None,
            buffered: true,
            largest_block_bytes: 4096,
        };
        assert!(SyncIo::default().probe(&needs).is_ok());
        assert!(SyncIo::parse("inline=off").unwrap().probe(&needs).is_err());
    }

    #[test]
    fn receipts_say_how_many_threads_there_are() {
        let operations = Operations::of(&[Operation::Read]);
        let needs = Needs {
            operations,
            queue_depth: 32,
            engines: 32,
            target: None,
            buffered: true,
            largest_block_bytes: 4096,
        };
        let receipts = SyncIo::default().probe(&needs).unwrap().receipts;
        assert_eq!(receipts[1].granted, "32 threads");
    }
}
