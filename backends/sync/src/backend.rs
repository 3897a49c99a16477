//! The backend.

use std::fs::File;
use std::io;
use std::sync::Arc;

use aio_core::engine::{
    Backend, Capabilities, GrantedFlags, Lane, LaneSetup, Needs, OpenError, Operation, Operations,
    OptionError, OptionSpec, RwFlags, Unsupported,
};
use aio_core::receipt::Receipt;
use aio_core::target::{TrimWay, trim_of};

use crate::inline::InlineEngine;
use crate::options::{self, OPTIONS, Options, POOL_THREADS_MAX};
use crate::perform::{Targets, perform};
use crate::polling;
use crate::pool::PoolEngine;

/// The backend `sync`: `pread`, `pwrite`, `fsync`, `fdatasync`, and for a trim `fallocate` of a
/// file or `BLKDISCARD` of a block device.
///
/// At depth 1 the call is made on the lane's own thread, inside `submit`. Above, each engine starts
/// one thread per place in its queue when it is opened, on the CPUs of the lane, and a request is
/// handed over twice: to a thread, and back to the lane. Both hand-overs are part of its latency,
/// and so is waiting for a thread where `pool=` asked for fewer of them.
///
/// With flags the calls are `preadv2` and `pwritev2`. A flag that the file system of the target
/// refuses is left out for reads or for writes when the engine is opened, which stands on a
/// receipt; should it be refused only later, the engine is dead and says why.
///
/// Counters: each of these is one system call, and they are added when the completion is reaped.
/// What the threads and the lane do to sleep and to wake each other (futexes) is not counted. A
/// request that a signal interrupts is made again, and so is, without that flag, one that `nowait`
/// made fail with `EAGAIN`; the latter is counted as `again`. Any other `EAGAIN` is passed on as
/// the request's errno. Requests that a drain takes back unsubmitted are neither submitted nor
/// reaped.
///
/// When a pool thread panics over a request, the request comes back with its memory and `EIO`, and
/// the engine is dead from that reap on. When threads are still in a call a second after the
/// lane has left, they are left behind with their files and their memory, which go away once the
/// calls return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncIo {
    options: Options,
}

impl SyncIo {
    /// The backend with `options`: nothing, or, separated by colons, `inline=on` (on the lane's own
    /// thread, depth 1 only) or `inline=off` (a pool at depth 1 too), `pool=N`, and the flags
    /// `nowait`, `hipri`, `dsync` and `dontcache`.
    ///
    /// # Errors
    /// When there is no such option, one is given twice, or two exclude each other.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        options::parse(options).map(|options| Self { options })
    }

    /// Refuses what does not depend on the kernel.
    fn check(self, queue_depth: u32, engines: u32) -> Result<(), Unsupported> {
        let Options { inline, pool, .. } = self.options;
        if inline.at(queue_depth) && queue_depth > 1 {
            return Err(Unsupported::new(
                format!("sync:inline=on makes one call at a time, not {queue_depth}"),
                "use --queue-depth 1, or leave inline=on out",
            ));
        }
        let threads = u64::from(self.options.threads(queue_depth)) * u64::from(engines);
        if inline.at(queue_depth) || threads <= u64::from(POOL_THREADS_MAX) {
            return Ok(());
        }
        Err(match pool {
            Some(pool) => Unsupported::new(
                format!(
                    "sync:pool={pool} starts {threads} threads for {engines} engine(s), more than \
                     {POOL_THREADS_MAX}"
                ),
                "lower pool, --threads or --io-parallel",
            ),
            None => Unsupported::new(
                format!(
                    "the sync engine starts a thread per request in flight, and queue depth \
                     {queue_depth} times {engines} engine(s) is {threads}, more than \
                     {POOL_THREADS_MAX}"
                ),
                "lower --queue-depth, --threads or --io-parallel, or ask for fewer threads with \
                 sync:pool=N",
            ),
        })
    }

    /// What is asked of the kernel for requests to `files`, and what it grants.
    fn grant(self, operations: Operations, queue_depth: u32, files: &[Arc<File>]) -> GrantedFlags {
        let Options { inline, pool, flags } = self.options;
        let mut granted = flags.grant(operations, files);
        let mut receipts = if inline.at(queue_depth) {
            vec![Receipt::granted("inline", "on")]
        } else {
            let threads = self.options.threads(queue_depth);
            vec![Receipt::granted("inline", "off"), pool_receipt(pool, threads, queue_depth)]
        };
        receipts.append(&mut granted.receipts);
        if flags.contains(RwFlags::HIPRI) {
            receipts.extend(polling::receipt(files));
        }
        granted.receipts = receipts;
        granted
    }
}

/// How each of `files` is trimmed, when `operations` say that they are.
fn ways_to_trim(operations: Operations, files: &[Arc<File>]) -> Result<Vec<TrimWay>, Unsupported> {
    let trimmed = files.iter().filter(|_| operations.contains(Operation::Trim));
    trimmed.map(|file| trim_of(file).map(|trim| trim.way)).collect()
}

/// What became of the number of threads.
fn pool_receipt(asked: Option<u32>, threads: u32, queue_depth: u32) -> Receipt {
    let words = |count| format!("{count} thread{}", if count == 1 { "" } else { "s" });
    match asked {
        Some(asked) if asked > queue_depth => {
            let why =
                format!("more than the queue depth of {queue_depth} would have nothing to do");
            Receipt::downgraded("pool", &words(asked), &words(threads), &why)
        }
        Some(asked) if asked < queue_depth => Receipt {
            option: "pool".into(),
            asked: words(asked),
            granted: format!(
                "{}: at most {threads} of {queue_depth} requests are in a call",
                words(threads)
            ),
            why_not: None,
        },
        _ => Receipt::granted("pool", &words(threads)),
    }
}

impl Backend for SyncIo {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn moves_data(&self) -> bool {
        true
    }

    fn waits_by_polling(&self) -> bool {
        self.options.flags.contains(RwFlags::HIPRI)
    }

    fn options(&self) -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn requests_per_call_max(&self) -> Option<u32> {
        Some(1)
    }

    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        self.check(needs.queue_depth, needs.engines)?;
        self.options.flags.check(needs.buffered)?;
        let target: Vec<_> = needs.target.iter().cloned().collect();
        ways_to_trim(needs.operations, &target)?;
        let granted = self.grant(needs.operations, needs.queue_depth, &target);
        if self.options.inline.at(needs.queue_depth) {
            return Ok(Capabilities { receipts: granted.receipts });
        }
        let setup = LaneSetup {
            queue_depth: needs.queue_depth,
            largest_block_bytes: 0,
            operations: needs.operations,
            files: [].into(),
            segments: Vec::new(),
        };
        match self.open_pool(&setup, &granted, Vec::new()) {
            Ok(_engine) => Ok(Capabilities { receipts: granted.receipts }),
            Err(source) => Err(Unsupported {
                reason: format!(
                    "{} pool threads cannot be started",
                    self.options.threads(needs.queue_depth)
                ),
                cure: Some(
                    "lower --queue-depth or raise the limit of processes (ulimit -u)".into(),
                ),
                source: Some(source),
            }),
        }
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        self.check(setup.queue_depth, 1)?;
        let trims = ways_to_trim(setup.operations, &setup.files)?;
        let granted = self.grant(setup.operations, setup.queue_depth, &setup.files);
        if self.options.inline.at(setup.queue_depth) {
            let targets = Targets::new(setup.files.clone(), &granted, trims);
            return Ok(lane.run(&mut InlineEngine::new(&setup, targets, granted.receipts)));
        }
        let mut engine = self
            .open_pool(&setup, &granted, trims)
            .map_err(|source| OpenError::Io { action: "start a pool thread", source })?;
        Ok(lane.run(&mut engine))
    }
}

impl SyncIo {
    fn open_pool(
        self,
        setup: &LaneSetup,
        granted: &GrantedFlags,
        trims: Vec<TrimWay>,
    ) -> io::Result<PoolEngine> {
        let targets = Targets::new(setup.files.clone(), granted, trims);
        let threads = self.options.threads(setup.queue_depth);
        PoolEngine::open(setup, threads, targets, perform, granted.receipts.clone())
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn refusal(options: &str, operation: Operation, queue_depth: u32, engines: u32) -> String {
        let operations = Operations::of(&[operation]);
        let backend = SyncIo::parse(options).unwrap();
        let needs = Needs { engines, ..Needs::new(operations, queue_depth) };
        backend.probe(&needs).expect_err("refused").sentence()
    }

    #[test]
    fn a_refusal_names_what_is_missing_and_the_cure() {
        assert_eq!(
            refusal("", Operation::Read, 129, 8),
            "the sync engine starts a thread per request in flight, and queue depth 129 times 8 \
             engine(s) is 1032, more than 1024; lower --queue-depth, --threads or --io-parallel, \
             or ask for fewer threads with sync:pool=N"
        );
        assert_eq!(
            refusal("pool=600", Operation::Read, 1000, 2),
            "sync:pool=600 starts 1200 threads for 2 engine(s), more than 1024; lower pool, \
             --threads or --io-parallel"
        );
        assert!(refusal("dontcache", Operation::Read, 1, 1).starts_with("dontcache is about"));
        assert_eq!(
            refusal("inline=on", Operation::Read, 2, 1),
            "sync:inline=on makes one call at a time, not 2; use --queue-depth 1, or leave \
             inline=on out"
        );
    }

    #[test]
    fn inline_engines_start_no_threads_and_are_not_limited() {
        let operations = Operations::of(&[Operation::Read]);
        let needs = Needs { engines: 5000, ..Needs::new(operations, 1) };
        assert!(SyncIo::default().probe(&needs).is_ok());
        assert!(SyncIo::parse("inline=off").unwrap().probe(&needs).is_err());
    }

    #[test]
    fn receipts_say_how_many_threads_there_are() {
        let operations = Operations::of(&[Operation::Read]);
        let needs = Needs { engines: 32, ..Needs::new(operations, 32) };
        let receipts = SyncIo::default().probe(&needs).unwrap().receipts;
        assert_eq!(receipts[1].granted, "32 threads");
        let pool = |options| {
            let needs = Needs { engines: 1, ..needs.clone() };
            let mut receipts = SyncIo::parse(options).unwrap().probe(&needs).unwrap().receipts;
            receipts.remove(1)
        };
        let fewer = pool("pool=4");
        assert_eq!(fewer.granted, "4 threads: at most 4 of 32 requests are in a call");
        assert!(!fewer.is_downgrade());
        let more = pool("pool=64");
        assert_eq!((more.asked.as_str(), more.granted.as_str()), ("64 threads", "32 threads"));
        assert!(more.is_downgrade());
    }
}
