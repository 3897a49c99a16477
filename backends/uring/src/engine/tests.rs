//! Tests of one engine against the kernel that they run on.

use std::fs::{self, File};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use aio_core::clock::Stamp;
use aio_core::engine::{Backend, Errno, Files, LaneSetup, Needs};
use aio_core::memory::{Mapping, MemoryKind, Part};
use aio_core::testing::skip;

use super::*;

mod leaving;

const BLOCK_BYTES: u32 = 4096;
const LONG: Duration = Duration::from_secs(30);

/// Everything on, everything off, and the mixtures that differ in code.
fn variants() -> Vec<Uring> {
    let all = Uring::default();
    let lists = [
        "",
        "fixed-files=off",
        "fixed-buffers=off",
        "registered-ring=off",
        "defer-taskrun=off",
        "sqpoll",
        "vectored",
        "ext-arg=off",
        "vectored:ext-arg=off:fixed-files=off:single-issuer=off:coop-taskrun=off:no-sqarray=off:\
         registered-ring=off",
        "sqpoll:ext-arg=off",
        "fixed-files=off:fixed-buffers=off:single-issuer=off:coop-taskrun=off:no-sqarray=off:\
         registered-ring=off",
    ];
    let variants: Vec<_> = lists.into_iter().map(|list| Uring::parse(list).unwrap()).collect();
    assert_eq!(variants[0], all);
    variants
}

fn everything() -> Operations {
    // Pipes, on which much here is tried, cannot be trimmed.
    Operations::of(&OPERATIONS[..4])
}

fn needs(queue_depth: u32, operations: Operations) -> Needs {
    let largest_block_bytes = BLOCK_BYTES;
    Needs { buffered: true, largest_block_bytes, ..Needs::new(operations, queue_depth) }
}

fn is_here() -> bool {
    let needs = needs(4, everything());
    let probed = Uring::default().probe(&needs);
    if let Err(unsupported) = &probed {
        skip(&unsupported.sentence());
    }
    probed.is_ok()
}

fn part() -> Part {
    Part::new(Mapping::reserve(8 * 4096, MemoryKind::Small).unwrap().0, BLOCK_BYTES, 8)
}

fn setup(files: &[&Arc<File>], part: &Part) -> LaneSetup {
    let files: Files = files.iter().map(|file| Arc::clone(file)).collect();
    LaneSetup {
        queue_depth: 4,
        largest_block_bytes: BLOCK_BYTES,
        operations: everything(),
        files,
        segments: part.segments(),
    }
}

fn request(part: &mut Part, operation: Operation, tag: u32) -> Request {
    Request {
        offset_bytes: u64::from(tag) * u64::from(BLOCK_BYTES),
        block: operation.moves_data().then(|| part.lend(BLOCK_BYTES).unwrap()),
        length_bytes: if operation.moves_data() { BLOCK_BYTES } else { 0 },
        block_start_bytes: 0,
        tag,
        target: 0,
        operation,
    }
}

fn within(wait: Duration) -> Deadline {
    Deadline::after(Stamp::now(), wait)
}

/// Waits for everything that is in flight, and gives it back by tag.
fn finish(engine: &mut Engine<'_>) -> Vec<Completion> {
    let mut done = Completions::with_capacity(8);
    engine.submit_and_reap(u32::MAX, within(LONG), &mut done).unwrap();
    assert_eq!(engine.in_flight.count(), 0);
    let mut list: Vec<_> = done.drain().collect();
    list.sort_by_key(|completion| completion.tag);
    list
}

/// A file of `bytes` bytes that count their block, opened to read and write.
fn file(bytes: usize) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    let byte = |at: usize| u8::try_from(at / 4096 + 1).unwrap();
    file.write_all(&(0..bytes).map(byte).collect::<Vec<_>>()).unwrap();
    Arc::new(file)
}

#[test]
fn what_is_written_is_read_back_with_every_variant() {
    if !is_here() {
        return;
    }
    for options in variants() {
        let (file, mut part) = (file(3 * 4096 + 100), part());
        let setup = setup(&[&file], &part);
        let run = |engine: &mut Engine<'_>| {
            for tag in 0..4 {
                engine.queue(request(&mut part, Operation::Read, tag)).unwrap();
            }
            let list = finish(engine);
            let lengths: Vec<_> = list.iter().map(|done| done.result().unwrap()).collect();
            assert_eq!(lengths, [4096, 4096, 4096, 100], "the last is short; {options:?}");
            for Completion { block, tag, .. } in list {
                let block = block.unwrap();
                assert_eq!(u32::from(block.as_slice()[99]), tag + 1);
                part.take_back(block).unwrap();
            }
            let mut write = request(&mut part, Operation::Write, 2);
            write.block.as_mut().unwrap().as_mut_slice().fill(77);
            (write.block_start_bytes, write.length_bytes) = (1024, 1000);
            engine.queue(write).unwrap();
            let written = finish(engine).pop().unwrap();
            assert_eq!(written.result(), Ok(1000));
            part.take_back(written.block.unwrap()).unwrap();
            engine.queue(request(&mut part, Operation::Fsync, 0)).unwrap();
            engine.queue(request(&mut part, Operation::Fdatasync, 1)).unwrap();
            assert!(finish(engine).iter().all(|done| done.result() == Ok(0)));
            engine.queue(request(&mut part, Operation::Read, 2)).unwrap();
            let read = finish(engine).pop().unwrap().block.unwrap();
            assert!(read.as_slice()[..1000].iter().all(|byte| *byte == 77));
            assert_eq!(read.as_slice()[1000], 3);
            part.take_back(read).unwrap();
        };
        options.lend(setup, LONG, run).unwrap();
        assert!(part.is_whole());
        assert_eq!(part.mapping_owners_elsewhere(), 0);
    }
}

#[test]
fn every_option_has_one_receipt_and_what_is_switched_off_is_off() {
    if !is_here() {
        return;
    }
    let (file, part) = (file(0), part());
    for options in variants() {
        let receipts = |engine: &mut Engine<'_>| engine.receipts();
        let receipts = options.lend(setup(&[&file], &part), LONG, receipts).unwrap();
        let mut names: Vec<_> = receipts.iter().map(|receipt| receipt.option.as_str()).collect();
        names.sort_unstable();
        let want = [
            "coop-taskrun",
            "defer-taskrun",
            "ext-arg",
            "fixed-buffers",
            "fixed-files",
            "no-sqarray",
            "registered-ring",
            "single-issuer",
            "submit-all",
        ];
        let mut want = want.to_vec();
        want.extend(options.sqpoll.map(|_| "sqpoll"));
        want.extend(options.vectored.then_some("vectored"));
        want.sort_unstable();
        assert_eq!(names, want);
        let asked = |name| &receipts.iter().find(|receipt| receipt.option == name).unwrap().asked;
        assert_eq!(asked("fixed-files") == "on", options.fixed_files);
        assert_eq!(asked("fixed-buffers") == "on", options.fixed_buffers);
        assert_eq!(asked("registered-ring") == "on", options.registered_ring);
        assert_eq!(asked("defer-taskrun") == "on", options.defer_taskrun);
        assert_eq!(asked("ext-arg") == "on", options.ext_arg);
    }
}

#[test]
fn a_limit_on_workers_ends_with_its_ring_and_its_receipt_says_what_was_before() {
    if !is_here() {
        return;
    }
    let (file, part) = (file(0), part());
    let receipt = |options: &str| {
        let receipts = |engine: &mut Engine<'_>| engine.receipts();
        let lent = Uring::parse(options).unwrap().lend(setup(&[&file], &part), LONG, receipts);
        lent.unwrap().into_iter().find(|receipt| receipt.option == "iowq-workers").unwrap()
    };
    let first = receipt("iowq-workers=3");
    if first.is_downgrade() {
        skip(first.why_not.as_deref().unwrap());
        return;
    }
    assert_eq!(first.asked, "3");
    let before = first.granted.strip_prefix("3 (it was ").unwrap();
    let second = receipt("iowq-workers=2");
    assert_eq!(
        second.granted,
        format!("2 (it was {before}"),
        "the first limit has outlived its ring"
    );
}

#[test]
fn memory_that_cannot_be_registered_is_used_unregistered_and_says_so() {
    if !is_here() {
        return;
    }
    let (file, part) = (file(0), part());
    let mut setup = setup(&[&file], &part);
    // More ranges than the kernel registers.
    let segment = setup.segments[0].clone();
    setup.segments = vec![segment; 1 << 15];
    let receipts = |engine: &mut Engine<'_>| engine.receipts();
    let receipts = Uring::default().lend(setup, LONG, receipts).unwrap();
    let buffers = receipts.iter().find(|receipt| receipt.option == "fixed-buffers").unwrap();
    assert!(buffers.is_downgrade() && buffers.granted == "off", "{buffers:?}");
}

#[test]
fn an_error_rides_in_the_completion_of_its_request_alone() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("read-only");
    fs::write(&path, vec![9; 4096]).unwrap();
    let read_only = Arc::new(File::open(&path).unwrap());
    for options in variants() {
        let mut part = part();
        let setup = setup(&[&read_only], &part);
        let run = |engine: &mut Engine<'_>| {
            engine.queue(request(&mut part, Operation::Write, 1)).unwrap();
            engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
            let mut taken = 0;
            while taken < 2 {
                taken += engine.submit().unwrap();
            }
            let list = finish(engine);
            assert_eq!(list[0].result(), Ok(4096));
            assert_eq!(list[1].result(), Err(Errno(libc::EBADF)));
            for completion in list {
                part.take_back(completion.block.unwrap()).unwrap();
            }
        };
        options.lend(setup, LONG, run).unwrap();
        assert!(part.is_whole());
    }
}

#[test]
fn one_call_submits_and_waits_and_a_full_queue_of_completions_costs_none() {
    if !is_here() {
        return;
    }
    let (file, mut part) = (file(4 * 4096), part());
    let setup = setup(&[&file], &part);
    let run = |engine: &mut Engine<'_>| {
        for tag in 0..4 {
            engine.queue(request(&mut part, Operation::Read, tag)).unwrap();
        }
        assert_eq!(engine.counters(), EngineCounters::default(), "queueing calls nobody");
        let mut one = Completions::with_capacity(1);
        let progress = engine.submit_and_reap(4, within(LONG), &mut one).unwrap();
        assert_eq!(progress, Progress { taken: 4, reaped: 1 }, "no more than there is room for");
        assert_eq!(engine.reap(4, within(LONG), &mut one).unwrap(), 0, "no room, no wait");
        let mut rest = Completions::with_capacity(9);
        engine.reap(9, within(LONG), &mut rest).unwrap();
        assert_eq!(rest.len(), 3);
        let want = EngineCounters { submit_calls: 1, submitted: 4, reaped: 4, ..engine.counters() };
        assert_eq!(engine.counters(), want);
        let calls = engine.counters().system_calls;
        assert!((1..=2).contains(&calls), "the reads may finish after the first has");
        assert_eq!(engine.reap(1, within(LONG), &mut rest).unwrap(), 0, "nothing is in flight");
        assert_eq!(engine.submit().unwrap(), 0);
        assert_eq!(engine.counters().system_calls, calls);
    };
    Uring::default().lend(setup, LONG, run).unwrap();
}

#[test]
fn a_thread_of_the_kernel_takes_requests_without_a_call_but_to_wake_it() {
    if !is_here() {
        return;
    }
    let (file, mut part) = (file(4 * 4096), part());
    let setup = setup(&[&file], &part);
    let run = |engine: &mut Engine<'_>| {
        for round in 1..=2 {
            for tag in 0..4 {
                engine.queue(request(&mut part, Operation::Read, tag)).unwrap();
            }
            assert_eq!(engine.submit().unwrap(), 4, "what was shown is taken");
            assert_eq!((engine.with_kernel(), engine.queued.len()), (4, 0));
            let mut done = Completions::with_capacity(4);
            let start = Instant::now();
            while done.spare() > 0 {
                assert!(start.elapsed() < LONG, "the thread does nothing");
                engine.reap(0, within(LONG), &mut done).unwrap();
            }
            for completion in done.drain() {
                assert_eq!(completion.result(), Ok(4096));
                part.take_back(completion.block.unwrap()).unwrap();
            }
            let counters = engine.counters();
            assert_eq!((counters.submitted, counters.submit_calls), (4 * round, round));
            // Not one for waiting, and none for each request.
            assert!(counters.system_calls <= round, "{counters:?}");
        }
    };
    Uring::parse("sqpoll").unwrap().lend(setup, LONG, run).unwrap();
}

#[test]
fn requests_that_do_nothing_complete_whole_and_leave_the_file_alone() {
    if !is_here() {
        return;
    }
    let (file, mut part) = (file(2 * 4096), part());
    let setup = setup(&[&file], &part);
    let run = |engine: &mut Engine<'_, crate::nop::Nop>| {
        let mut write = request(&mut part, Operation::Write, 1);
        write.block.as_mut().unwrap().as_mut_slice().fill(99);
        write.length_bytes = 1000;
        engine.queue(write).unwrap();
        engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
        engine.queue(request(&mut part, Operation::Fsync, 2)).unwrap();
        let mut done = Completions::with_capacity(3);
        engine.submit_and_reap(3, within(LONG), &mut done).unwrap();
        let mut statuses: Vec<_> = done.drain().map(|done| (done.tag, done.status)).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [(0, 4096), (1, 1000), (2, 0)]);
    };
    Uring::parse("nop").unwrap().lend(setup, LONG, run).unwrap();
    let mut bytes = vec![0; 2 * 4096];
    std::os::unix::fs::FileExt::read_exact_at(&*file, &mut bytes, 0).unwrap();
    assert!(bytes[..4096].iter().all(|byte| *byte == 1));
    assert!(bytes[4096..].iter().all(|byte| *byte == 2));
}

#[test]
fn a_probe_refuses_what_opening_would_refuse() {
    let refusal = |options, queue_depth, operation| {
        let needs = Needs { buffered: false, ..needs(queue_depth, Operations::of(&[operation])) };
        Uring::parse(options).unwrap().probe(&needs).unwrap_err().reason
    };
    assert!(refusal("", 40_000, Operation::Read).contains("32768"));
    assert!(refusal("iopoll", 1, Operation::Trim).contains("no trim"));
}
