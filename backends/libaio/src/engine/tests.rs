//! The engine against real files, in each way in which it can work.

use std::fs::File;
use std::io::{Write, pipe};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aio_core::clock::Stamp;
use aio_core::engine::{Backend, Errno, Needs, Operations};
use aio_core::memory::{Block, Mapping, MemoryKind, Part};
use aio_core::testing::skip;
use libaio_sys::{ContextId, IOCB_CMD_POLL, RingHeader, io_destroy, io_submit};

use super::*;
use crate::backend::Lent;

const BLOCK_BYTES: u32 = 4096;

/// Every way in which an engine can work.
const WAYS: [Libaio; 6] = [
    Libaio { user_ring: true, pgetevents: true, flags: RwFlags::NONE },
    Libaio { user_ring: true, pgetevents: false, flags: RwFlags::NONE },
    Libaio { user_ring: false, pgetevents: true, flags: RwFlags::NONE },
    Libaio { user_ring: false, pgetevents: false, flags: RwFlags::NONE },
    Libaio { user_ring: true, pgetevents: true, flags: RwFlags::NOWAIT },
    Libaio { user_ring: false, pgetevents: true, flags: RwFlags::DSYNC },
];

fn operations() -> Operations {
    Operations::of(&[Operation::Read, Operation::Write, Operation::Fsync])
}

fn needs(queue_depth: u32, engines: u32) -> Needs {
    Needs { engines, buffered: true, ..Needs::new(operations(), queue_depth) }
}

fn setup(queue_depth: u32, files: &[&File]) -> LaneSetup {
    LaneSetup {
        queue_depth,
        largest_block_bytes: BLOCK_BYTES,
        operations: operations(),
        files: files.iter().map(|file| Arc::new(file.try_clone().unwrap())).collect(),
        segments: Vec::new(),
    }
}

/// An engine on `files`; or nothing, with the probe's reason, where there is no Linux AIO.
fn open(way: Libaio, queue_depth: u32, files: &[&File]) -> Option<Lent> {
    if let Err(why) = way.probe(&needs(queue_depth, 1)) {
        skip(&why.sentence());
        return None;
    }
    let setup = setup(queue_depth, files);
    let opened = crate::open::open(way, operations(), queue_depth, 1, &setup.files).unwrap();
    Some(Lent::new(Engine::new(way, opened, &setup), queue_depth))
}

fn part(blocks: u32) -> Part {
    let bytes = (blocks * BLOCK_BYTES) as usize;
    Part::new(Mapping::reserve(bytes, MemoryKind::Small).unwrap().0, BLOCK_BYTES, 4)
}

/// A request for block number `tag` of target 0.
fn request(operation: Operation, tag: u32, block: Option<Block>) -> Request {
    Request {
        offset_bytes: u64::from(tag) * u64::from(BLOCK_BYTES),
        length_bytes: block.as_ref().map_or(0, Block::len),
        block,
        block_start_bytes: 0,
        tag,
        target: 0,
        operation,
    }
}

fn patient() -> Deadline {
    Deadline::after(Stamp::now(), Duration::from_secs(10))
}

fn past() -> Deadline {
    Deadline::after(Stamp::now(), Duration::ZERO)
}

/// Hands over what is queued, reaps as many, and sorts them by tag.
fn finish(engine: &mut Engine) -> Vec<Completion> {
    let count = engine.in_flight.count();
    let mut done = Completions::with_capacity(count as usize);
    let progress = engine.submit_and_reap(count, patient(), &mut done).unwrap();
    assert_eq!(progress, Progress { taken: count, reaped: count });
    let mut list: Vec<_> = done.drain().collect();
    list.sort_by_key(|completion| completion.tag);
    list
}

#[test]
fn what_is_written_and_flushed_is_read_back_in_every_way() {
    for way in WAYS {
        let file = tempfile::tempfile().unwrap();
        let Some(mut lent) = open(way, 4, &[&file]) else { return };
        let engine = lent.engine();
        let mut part = part(8);
        for tag in 0..4 {
            let mut block = part.lend(BLOCK_BYTES).unwrap();
            block.as_mut_slice().fill(u8::try_from(tag).unwrap() + 1);
            engine.queue(request(Operation::Write, tag, Some(block))).unwrap();
        }
        let written = finish(engine);
        assert!(written.iter().all(|completion| completion.result() == Ok(BLOCK_BYTES)));
        engine.queue(request(Operation::Fsync, 2, None)).unwrap();
        assert_eq!(finish(engine)[0].result(), Ok(0));
        for tag in 0..4 {
            engine.queue(request(Operation::Read, tag, part.lend(BLOCK_BYTES))).unwrap();
        }
        for (completion, byte) in finish(engine).iter().zip(1..) {
            assert_eq!(completion.result(), Ok(BLOCK_BYTES));
            let block = completion.block.as_ref().unwrap();
            assert!(block.as_slice().iter().all(|found| *found == byte), "{way:?}");
        }
        let counters = engine.counters();
        assert_eq!((counters.submitted, counters.reaped), (9, 9));
        assert_eq!((counters.submit_calls, counters.reap_calls), (3, 3));
        let asked: Vec<_> = engine.receipts().into_iter().map(|receipt| receipt.asked).collect();
        assert_eq!(asked[..2], [on_or_off(way.user_ring), on_or_off(way.pgetevents)]);
    }
}

#[test]
fn a_read_at_the_end_of_the_file_is_short() {
    for way in WAYS {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[7; 5000], 0).unwrap();
        let Some(mut lent) = open(way, 3, &[&file]) else { return };
        let mut part = part(3);
        for tag in 0..3 {
            lent.engine().queue(request(Operation::Read, tag, part.lend(BLOCK_BYTES))).unwrap();
        }
        let results: Vec<_> = finish(lent.engine()).iter().map(Completion::result).collect();
        assert_eq!(results, [Ok(4096), Ok(904), Ok(0)]);
    }
}

#[test]
fn refused_requests_complete_with_their_errno_and_those_between_them_run() {
    for way in WAYS {
        let named = tempfile::NamedTempFile::new().unwrap();
        let read_only = File::open(named.path()).unwrap();
        let Some(mut lent) = open(way, 5, &[named.as_file(), &read_only]) else { return };
        let engine = lent.engine();
        let mut part = part(5);
        let refused = [true, false, true, true, false];
        for (tag, refused) in (0..).zip(refused) {
            let mut write = request(Operation::Write, tag, part.lend(BLOCK_BYTES));
            write.target = u16::from(refused);
            engine.queue(write).unwrap();
        }
        for (completion, refused) in finish(engine).iter().zip(refused) {
            let want = if refused { Err(Errno(libc::EBADF)) } else { Ok(BLOCK_BYTES) };
            assert_eq!(completion.result(), want);
            assert!(completion.block.is_some());
        }
        let counters = engine.counters();
        assert_eq!((counters.submitted, counters.reaped, counters.again), (5, 5, 0));
    }
}

#[test]
fn more_requests_than_one_reap_has_room_for_come_with_the_next() {
    for way in WAYS {
        let file = tempfile::tempfile().unwrap();
        let Some(mut lent) = open(way, 5, &[&file]) else { return };
        let engine = lent.engine();
        let mut part = part(5);
        for tag in 0..5 {
            engine.queue(request(Operation::Write, tag, part.lend(BLOCK_BYTES))).unwrap();
        }
        assert_eq!(engine.submit().unwrap(), 5);
        let mut tags = Vec::new();
        for expected in [2, 2, 1, 0] {
            let mut done = Completions::with_capacity(2);
            assert_eq!(engine.reap(5, patient(), &mut done).unwrap(), expected);
            tags.extend(done.drain().map(|completion| completion.tag));
        }
        tags.sort_unstable();
        assert_eq!(tags, [0, 1, 2, 3, 4]);
    }
}

/// Has a request in flight that ends when something is written to the other end of a pipe: a
/// poll in the clothes of a flush, because storage cannot be made to wait. False on old kernels.
fn start_waiting(engine: &mut Engine, readable: &impl AsRawFd) -> bool {
    start_waiting_with(engine, request(Operation::Fsync, 0, None), readable)
}

/// The same in the clothes of `request`.
fn start_waiting_with(engine: &mut Engine, request: Request, readable: &impl AsRawFd) -> bool {
    let accepted = engine.in_flight.accept(request).unwrap();
    let poll = What {
        opcode: IOCB_CMD_POLL,
        fd: readable.as_raw_fd().cast_unsigned(),
        address: libc::POLLIN.cast_unsigned().into(),
        ..What::default()
    };
    engine.submission.push(accepted.tag, poll);
    assert_eq!(engine.submit().unwrap(), 1);
    if engine.refused.is_empty() {
        return true;
    }
    skip("this kernel has no IOCB_CMD_POLL");
    false
}

#[test]
fn waiting_ends_at_the_deadline_or_with_the_completion() {
    for way in WAYS {
        let file = tempfile::tempfile().unwrap();
        let (reader, mut writer) = pipe().unwrap();
        let Some(mut lent) = open(way, 2, &[&file]) else { return };
        let engine = lent.engine();
        if !start_waiting(engine, &reader) {
            return;
        }
        let mut done = Completions::with_capacity(2);
        assert_eq!(engine.reap(1, past(), &mut done).unwrap(), 0);
        let start = Instant::now();
        let soon = Deadline::after(Stamp::now(), Duration::from_millis(30));
        assert_eq!(engine.reap(1, soon, &mut done).unwrap(), 0);
        assert!(start.elapsed() >= Duration::from_millis(30));
        engine.queue(request(Operation::Fsync, 1, None)).unwrap();
        assert_eq!(engine.drain(past(), &mut done), Err(StillInFlight { count: 1 }));
        let cancelled = done.drain().next().unwrap();
        assert_eq!((cancelled.tag, cancelled.result()), (1, Err(Errno(libc::ECANCELED))));
        writer.write_all(b"x").unwrap();
        assert_eq!(engine.drain(patient(), &mut done), Ok(()));
        assert_eq!(done.drain().next().unwrap().tag, 0);
    }
}

fn context_exists(id: ContextId) -> bool {
    // SAFETY: no requests are handed over.
    unsafe { io_submit(id, &[]) }.is_ok()
}

#[test]
fn a_context_is_destroyed_when_it_is_drained_and_leaked_when_it_is_not() {
    let file = tempfile::tempfile().unwrap();
    let (reader, _writer) = pipe().unwrap();
    let Some(mut lent) = open(Libaio::default(), 1, &[&file]) else { return };
    let id = lent.engine().context.id();
    assert!(context_exists(id));
    drop(lent);
    assert!(!context_exists(id));

    let Some(mut lent) = open(Libaio::default(), 1, &[&file]) else { return };
    let id = lent.engine().context.id();
    lent.patience = Duration::from_millis(1);
    if !start_waiting(lent.engine(), &reader) {
        return;
    }
    drop(lent);
    assert!(context_exists(id), "destroying it would have waited for the request");
    // SAFETY: nobody reads the ring any more. Polls can be cancelled, so this does not wait.
    unsafe { io_destroy(id) }.unwrap();
}

#[test]
fn a_damaged_ring_is_given_up_for_system_calls_and_the_receipt_says_so() {
    let file = tempfile::tempfile().unwrap();
    let Some(mut lent) = open(Libaio::default(), 2, &[&file]) else { return };
    let engine = lent.engine();
    if !engine.context.has_ring() {
        skip(&format!("{:?}", engine.receipts()));
        return;
    }
    let address = usize::try_from(engine.context.id()).unwrap();
    let words = ptr::with_exposed_provenance_mut::<u32>(address);
    // SAFETY: the tail is the fourth word of the mapped header.
    let tail = unsafe { words.add(3) };
    // SAFETY: the ring is mapped to be written, and the kernel is idle: nothing is in flight.
    unsafe { tail.write(u32::MAX) };
    let mut part = part(1);
    engine.queue(request(Operation::Write, 0, part.lend(BLOCK_BYTES))).unwrap();
    let mut done = Completions::with_capacity(2);
    assert_eq!(engine.reap(1, patient(), &mut done).unwrap(), 0, "nothing is in flight");
    assert!(!engine.context.has_ring());
    assert_eq!(finish(engine)[0].result(), Ok(BLOCK_BYTES));
    let mut receipts = engine.receipts().into_iter();
    let receipt = receipts.find(|receipt| receipt.option == "user-ring").unwrap();
    assert_eq!((receipt.asked.as_str(), receipt.granted.as_str()), ("on", "off"));
    assert!(receipt.why_not.unwrap().contains("damaged"));
}

/// Puts an event into the ring of the context `id`, as if the kernel had.
fn pretend(id: ContextId, event: IoEvent) {
    let address = usize::try_from(id).unwrap();
    let start = ptr::with_exposed_provenance_mut::<RingHeader>(address);
    // SAFETY: the kernel has mapped a header there, and is idle but for a poll that never ends.
    let header = unsafe { &*start };
    let (nr, tail) = (header.nr.load(Ordering::Relaxed), header.tail.load(Ordering::Relaxed));
    let events = address + size_of::<RingHeader>();
    let place = events + tail as usize * size_of::<IoEvent>();
    let place = ptr::with_exposed_provenance_mut::<IoEvent>(place);
    // SAFETY: events lie behind the header, and the tail is below their number; aligned, mapped to be
    // written, and not between head and tail, where a reader looks.
    unsafe { place.write(event) };
    header.tail.store((tail + 1) % nr, Ordering::Release);
}

#[test]
fn an_event_of_nothing_in_flight_is_a_panic_and_leaves_memory_and_context_to_the_kernel() {
    let file = tempfile::tempfile().unwrap();
    let (reader, _writer) = pipe().unwrap();
    // A tag that is free, one that there is not, and no tag at all.
    for data in [1, 2, u64::MAX] {
        let Some(mut lent) = open(Libaio::default(), 2, &[&file]) else { return };
        lent.patience = Duration::from_millis(1);
        let mut part = part(1);
        let read = request(Operation::Read, 0, part.lend(BLOCK_BYTES));
        let id = lent.engine().context.id();
        let has_ring = lent.engine().context.has_ring();
        if !has_ring || !start_waiting_with(lent.engine(), read, &reader) {
            return skip("events can be made up in a ring, of requests that wait for ever");
        }
        pretend(id, IoEvent { data, result: 4096, ..IoEvent::default() });
        let mut done = Completions::with_capacity(2);
        let ask = || lent.engine().reap(1, past(), &mut done);
        assert!(catch_unwind(AssertUnwindSafe(ask)).is_err(), "{data}");
        drop(lent);
        assert_eq!(part.mapping_owners_elsewhere(), 1, "the block is leaked");
        assert!(part.rewind().is_none());
        assert!(context_exists(id), "and so is the context");
        // SAFETY: nobody reads the ring any more. Polls can be cancelled, so this does not wait.
        unsafe { io_destroy(id) }.unwrap();
    }
}

#[test]
#[should_panic(expected = "the kernel completed request 7, which is not in flight")]
fn a_completion_of_nothing_is_a_panic() {
    let mut in_flight = InFlight::new(2, 1, operations());
    deliver(&mut in_flight, 7, 0, &mut Completions::with_capacity(1));
}

#[test]
fn results_that_no_storage_gives_stay_errors_and_byte_counts() {
    assert_eq!([status(4096), status(0), status(-5)], [4096, 0, -5]);
    assert_eq!(status(1 << 40), i32::MAX);
    assert_eq!(status(i64::MIN), -libc::EIO);
}

#[test]
fn more_than_the_machine_allows_is_refused_with_the_cure() {
    let Some(limits) = crate::limits::Limits::read() else {
        skip("the kernel has no fs.aio-max-nr");
        return;
    };
    let refused = Libaio::default().probe(&needs(1 << 20, u32::MAX)).unwrap_err();
    for part in ["1048576", "4294967295 engines", "fs.aio-nr is", &limits.max.to_string()] {
        assert!(refused.reason.contains(part), "{part} is missing: {}", refused.reason);
    }
    assert!(refused.cure.unwrap().starts_with("sysctl -w fs.aio-max-nr="));
    let too_deep = u32::try_from(limits.max + 1).unwrap_or(u32::MAX);
    assert!(crate::open::open(Libaio::default(), operations(), too_deep, 1, &[]).is_err());
    assert!(crate::open::open(Libaio::default(), operations(), 0, 1, &[]).is_err());
}

#[test]
fn trim_is_refused_before_anything_is_opened() {
    let trim = Needs { operations: Operations::of(&[Operation::Trim]), ..needs(1, 1) };
    assert!(Libaio::default().probe(&trim).unwrap_err().reason.contains("no trim"));
}

#[test]
fn a_request_that_was_not_to_wait_is_submitted_once_more_and_comes_back_once() {
    let file = tempfile::tempfile().unwrap();
    let (reader, mut writer) = pipe().unwrap();
    let Some(mut lent) = open(Libaio::default(), 1, &[&file]) else { return };
    let engine = lent.engine();
    // An empty pipe that is not to wait is the surest way to EAGAIN.
    let Some(mut done) = start_reading_pipe(engine, &reader) else { return };
    let soon = Deadline::after(Stamp::now(), Duration::ZERO);
    writer.write_all(&[7; 100]).unwrap();
    let reaped = engine.reap(1, soon, &mut done).unwrap();
    if reaped == 0 {
        assert_eq!(engine.reap(1, patient(), &mut done).unwrap(), 1);
    }
    let completion = done.drain().next().unwrap();
    assert_eq!(completion.result(), Ok(100));
    let counters = engine.counters();
    assert_eq!((counters.submitted, counters.reaped, counters.again), (1, 1, 1));
    assert_eq!(engine.in_flight.count(), 0);
}

/// Submits a read of the pipe, which must not wait and has nothing to read.
fn start_reading_pipe(engine: &mut Engine, pipe: &impl AsRawFd) -> Option<Completions> {
    let mut part = part(1);
    let read = request(Operation::Read, 0, part.lend(BLOCK_BYTES));
    let address = read.address() as u64;
    let accepted = engine.in_flight.accept(read).unwrap();
    let iocb = What {
        opcode: IOCB_CMD_PREAD,
        rw_flags: RwFlags::NOWAIT.bits(),
        fd: pipe.as_raw_fd().cast_unsigned(),
        address,
        length: BLOCK_BYTES.into(),
        ..What::default()
    };
    engine.submission.push(accepted.tag, iocb);
    assert_eq!(engine.submit().unwrap(), 1);
    if engine.refused.is_empty() {
        return Some(Completions::with_capacity(1));
    }
    skip("this kernel has no RWF_NOWAIT for pipes");
    None
}

#[test]
fn flags_that_are_refused_only_later_end_the_engine_with_a_sentence() {
    let file = tempfile::tempfile().unwrap();
    let Some(mut lent) = open(Libaio::default(), 1, &[&file]) else { return };
    let engine = lent.engine();
    // No kernel has this flag, and no probe was asked about it.
    engine.writes = RwFlags::from_bits(1 << 30);
    let mut part = part(1);
    engine.queue(request(Operation::Write, 0, part.lend(BLOCK_BYTES))).unwrap();
    let mut done = Completions::with_capacity(1);
    let error = engine.submit_and_reap(1, patient(), &mut done).unwrap_err();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.starts_with("EOPNOTSUPP: the target's file system"), "{said}");
    assert_eq!(done.drain().next().unwrap().result(), Err(Errno(libc::EOPNOTSUPP)));
}
