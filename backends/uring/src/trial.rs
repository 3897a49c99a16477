//! One read of a target before a run begins, for the ways that a ring which opens does not prove.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::time::Duration;

use aio_core::clock::Stamp;

use aio_core::engine::{
    Completion, Completions, Deadline, Errno, IoEngine, LEFTOVER_PATIENCE, LaneSetup, Needs,
    Operation, Operations, Request, Unsupported,
};
use aio_core::memory::{Mapping, MemoryKind, Part};
use aio_core::receipt::Receipt;

use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::open::errno_name;
use crate::options::Uring;
use crate::polled;
use crate::unsupported::OPERATIONS;

/// A multiple of the blocks of any device that Linux has.
const LENGTH_BYTES: u32 = 4096;
/// Longer than a disk needs to wake up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a ring like a lane's and reads the first block of `target` through it.
///
/// # Errors
/// Why that cannot be done.
pub(crate) fn read_once<D: Dialect>(
    options: &Uring,
    needs: &Needs,
    target: &Arc<File>,
) -> Result<Vec<Receipt>, Unsupported> {
    if options.iopoll {
        polled::check([&**target])?;
    }
    let (region, _receipts) = Mapping::reserve(LENGTH_BYTES as usize, MemoryKind::Small)
        .map_err(|source| failed("there is no memory for a trial read", source))?;
    let mut part = Part::new(region, LENGTH_BYTES, 1);
    if is_empty_and_nameless(target) {
        let bytes = part.rewind().expect("nothing was lent yet");
        target.write_all_at(bytes, 0).map_err(|source| failed("a trial write fails", source))?;
        target.sync_data().map_err(|source| failed("a trial flush fails", source))?;
    }
    let wanted = |operation: &Operation| {
        *operation == Operation::Read || needs.operations.contains(*operation)
    };
    let operations: Vec<_> = OPERATIONS.into_iter().filter(wanted).collect();
    let setup = LaneSetup {
        queue_depth: needs.queue_depth.max(1),
        largest_block_bytes: needs.largest_block_bytes,
        operations: Operations::of(&operations),
        files: [Arc::clone(target)].into(),
        segments: part.segments(),
    };
    let request = Request {
        offset_bytes: 0,
        block: part.lend(LENGTH_BYTES),
        length_bytes: LENGTH_BYTES,
        block_start_bytes: 0,
        tag: 0,
        target: 0,
        operation: Operation::Read,
    };
    options.lend(setup, LEFTOVER_PATIENCE, |engine: &mut Engine<'_, D>| {
        match exchange(engine, request)?.result() {
            Ok(0) => Err(Unsupported::new("a trial read of the target found no data", "fill it")),
            Ok(_) => Ok(receipts_of(engine)),
            Err(errno) => Err(explain(options, errno)),
        }
    })?
}

/// The receipts that hold for a lane too: that little memory can be registered says nothing of all
/// of a lane's.
fn receipts_of<D: Dialect>(engine: &Engine<'_, D>) -> Vec<Receipt> {
    let holds = |receipt: &Receipt| receipt.option != "fixed-buffers" || receipt.granted == "off";
    engine.receipts().into_iter().filter(holds).collect()
}

/// What the failure of the one read says about the target.
fn explain(options: &Uring, errno: Errno) -> Unsupported {
    if options.iopoll {
        return polled::no_queues(&format!("a polled read of the target fails with {errno}"));
    }
    Unsupported::new(
        format!("an NVMe command to the target fails with {errno}"),
        "run as root; from Linux 6.2 on, a device file that may be written is enough",
    )
}

/// Whether `file` was made only to be tried on, and nobody has put anything into it.
fn is_empty_and_nameless(file: &File) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.nlink() == 0 && file.len() == 0)
}

fn exchange<D: Dialect>(
    engine: &mut Engine<'_, D>,
    request: Request,
) -> Result<Completion, Unsupported> {
    engine.queue(request).expect("the first request fits");
    let mut done = Completions::with_capacity(1);
    let start = Stamp::now();
    while Stamp::now().since(start) < PATIENCE {
        let deadline = Deadline::new(start + PATIENCE, Stamp::now());
        engine
            .submit_and_reap(1, deadline, &mut done)
            .map_err(|error| failed("a trial read fails", error.source))?;
        if let Some(completion) = done.drain().next() {
            return Ok(completion);
        }
    }
    let seconds = PATIENCE.as_secs();
    let reason = format!("a trial read of the target did not come back within {seconds} s");
    Err(Unsupported { reason, cure: None, source: None })
}

fn failed(what: &str, source: io::Error) -> Unsupported {
    let reason = format!("{what} ({})", errno_name(&source));
    Unsupported { reason, cure: None, source: Some(source) }
}
