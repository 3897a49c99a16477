//! Tests of deadlines, draining and dropping.

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::*;

/// The two ends of a pipe, to read and to write.
fn pipe() -> (Arc<File>, File) {
    let (read, write) = io::pipe().unwrap();
    (Arc::new(File::from(OwnedFd::from(read))), File::from(OwnedFd::from(write)))
}

#[test]
fn what_was_only_queued_comes_back_cancelled_and_never_happens() {
    if !is_here() {
        return;
    }
    for options in variants() {
        let (file, mut part) = (file(4096), part());
        let setup = setup(&[&file], &part);
        let run = |engine: &mut Engine<'_>| {
            for tag in 0..3 {
                engine.queue(request(&mut part, Operation::Write, tag)).unwrap();
            }
            let mut two = Completions::with_capacity(2);
            let still = engine.drain(within(LONG), &mut two).unwrap_err();
            assert_eq!((still.count, two.len()), (1, 2));
            let mut rest = Completions::with_capacity(2);
            engine.drain(within(LONG), &mut rest).unwrap();
            let mut tags = Vec::new();
            for completion in two.drain().chain(rest.drain()) {
                assert_eq!(completion.result(), Err(Errno(libc::ECANCELED)));
                part.take_back(completion.block.unwrap()).unwrap();
                tags.push(completion.tag);
            }
            assert_eq!(tags, [0, 1, 2]);
            assert_eq!(engine.counters(), EngineCounters::default());
            engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
            assert_eq!(finish(engine)[0].result(), Ok(4096), "the queue is as good as new");
            assert_eq!(engine.counters().submitted, 1);
        };
        options.lend(setup, LONG, run).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4096, "nothing was written");
    }
}

#[test]
fn waiting_ends_at_the_deadline_and_a_late_completion_still_comes() {
    if !is_here() {
        return;
    }
    for options in variants() {
        let ((read_end, mut write_end), mut part) = (pipe(), part());
        let setup = setup(&[&read_end], &part);
        let run = |engine: &mut Engine<'_>| {
            let read = Request { offset_bytes: 0, ..request(&mut part, Operation::Read, 3) };
            engine.queue(read).unwrap();
            engine.queue(request(&mut part, Operation::Read, 1)).unwrap();
            assert_eq!(engine.submit().unwrap(), 2);
            engine.queue(request(&mut part, Operation::Write, 0)).unwrap();
            let mut done = Completions::with_capacity(4);
            assert_eq!(engine.reap(0, within(LONG), &mut done).unwrap(), 0, "a look does not wait");
            let (start, wait) = (Instant::now(), Duration::from_millis(50));
            assert_eq!(engine.reap(1, within(wait), &mut done).unwrap(), 0);
            let still = engine.drain(within(wait), &mut done).unwrap_err();
            assert!(start.elapsed() >= 2 * wait, "it waits until the deadline");
            assert_eq!(still.count, 2);
            assert_eq!(done.drain().next().unwrap().tag, 0, "what was only queued is back");
            write_end.write_all(&[5; 100]).unwrap();
            assert_eq!(engine.reap(1, within(LONG), &mut done).unwrap(), 1);
            write_end.write_all(&[5; 100]).unwrap();
            engine.drain(within(LONG), &mut done).unwrap();
            assert!(done.drain().all(|completion| completion.result() == Ok(100)));
        };
        options.lend(setup, LONG, run).unwrap();
    }
}

#[test]
fn memory_still_in_flight_when_the_engine_goes_is_leaked() {
    if !is_here() {
        return;
    }
    for options in variants() {
        let ((read_end, mut write_end), mut part) = (pipe(), part());
        let patience = Duration::from_millis(50);
        let setup = setup(&[&read_end], &part);
        let run = |engine: &mut Engine<'_>| {
            engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
            engine.submit().unwrap();
            part.lend(BLOCK_BYTES).map(|block| block.mapping_owners()).unwrap()
        };
        let owners = options.lend(setup, patience, run).unwrap();
        assert!(owners > 0);
        assert_eq!(part.mapping_owners_elsewhere(), 2, "the block and its segment");
        assert!(part.rewind().is_none(), "nobody gets at the memory any more");
        write_end.write_all(&[5; 100]).unwrap();
    }
}

#[test]
fn a_lane_that_panics_is_drained_and_its_memory_is_freed() {
    if !is_here() {
        return;
    }
    let (file, mut part) = (file(4096), part());
    let setup = setup(&[&file], &part);
    let lane = AssertUnwindSafe(|| {
        Uring::default().lend(setup, LONG, |engine: &mut Engine<'_>| {
            engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
            engine.submit().unwrap();
            engine.queue(request(&mut part, Operation::Read, 1)).unwrap();
            panic!("as planned");
        })
    });
    let payload = catch_unwind(lane).map(|_: Result<(), _>| ()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"as planned"));
    assert_eq!(part.mapping_owners_elsewhere(), 0);
}

#[test]
fn a_dead_engine_gives_back_what_it_has_and_never_calls_the_kernel() {
    if !is_here() {
        return;
    }
    let (file, mut part) = (file(4096), part());
    let setup = setup(&[&file], &part);
    let run = |engine: &mut Engine<'_>| {
        engine.queue(request(&mut part, Operation::Read, 2)).unwrap();
        engine.dead = Some(libc::ENXIO);
        let error = engine.submit().unwrap_err();
        assert_eq!(
            (error.call, error.source.raw_os_error()),
            ("io_uring_enter", Some(libc::ENXIO))
        );
        let rejected = engine.queue(request(&mut part, Operation::Read, 1)).unwrap_err();
        assert_eq!(rejected.why, Why::QueueFull);
        let mut done = Completions::with_capacity(4);
        engine.drain(within(LONG), &mut done).unwrap();
        let cancelled: Vec<_> = done.drain().map(|done| (done.tag, done.status)).collect();
        assert_eq!(cancelled, [(2, -libc::ECANCELED)]);
        assert_eq!(engine.counters().system_calls, 0);
    };
    Uring::default().lend(setup, LONG, run).unwrap();
}

#[test]
fn rings_opened_one_after_the_other_leave_nothing_behind() {
    if !is_here() {
        return;
    }
    // A thread has 16 places for registered rings, so a leaked one would show on a receipt.
    for round in 0..40 {
        let (file, part) = (file(0), part());
        let receipts = |engine: &mut Engine<'_>| engine.receipts();
        let receipts = Uring::default().lend(setup(&[&file], &part), LONG, receipts).unwrap();
        let ring = receipts.iter().find(|receipt| receipt.option == "registered-ring").unwrap();
        let full = ring.why_not.as_deref().is_some_and(|why| why.contains("EBUSY"));
        assert!(!full, "round {round}: {ring:?}");
    }
}

#[test]
fn what_the_kernel_was_shown_and_did_not_take_is_submitted_by_draining() {
    if !is_here() {
        return;
    }
    // What a thread of the kernel is shown it takes.
    for options in variants().into_iter().filter(|options| options.sqpoll.is_none()) {
        let (file, mut part) = (file(4 * 4096), part());
        let setup = setup(&[&file], &part);
        let run = |engine: &mut Engine<'_>| {
            let mut done = Completions::with_capacity(4);
            for dead in [None, Some(libc::ENXIO)] {
                engine.queue(request(&mut part, Operation::Read, 0)).unwrap();
                engine.queue(request(&mut part, Operation::Read, 1)).unwrap();
                // As a call leaves it that fails with EAGAIN.
                engine.submission.sync();
                engine.queue(request(&mut part, Operation::Read, 2)).unwrap();
                engine.dead = dead;
                engine.drain(within(LONG), &mut done).unwrap();
                let mut list: Vec<_> = done.drain().collect();
                list.sort_by_key(|completion| completion.tag);
                let cancelled = -libc::ECANCELED;
                let read = if dead.is_none() { 4096 } else { cancelled };
                let statuses: Vec<_> = list.iter().map(|completion| completion.status).collect();
                assert_eq!(statuses, [read, read, cancelled]);
                for completion in list {
                    part.take_back(completion.block.unwrap()).unwrap();
                }
            }
            assert_eq!(engine.counters().submitted, 2);
        };
        options.lend(setup, LONG, run).unwrap();
        assert!(part.is_whole());
    }
}

#[test]
fn a_wait_for_several_on_the_descriptor_sleeps_between_them_and_sees_the_deadline() {
    if !is_here() {
        return;
    }
    for options in ["ext-arg=off", "ext-arg=off:coop-taskrun=off", "sqpoll:ext-arg=off"] {
        let ((read_end, mut write_end), mut part) = (pipe(), part());
        let setup = setup(&[&read_end], &part);
        let run = |engine: &mut Engine<'_>| {
            for tag in 0..3 {
                engine.queue(request(&mut part, Operation::Read, tag)).unwrap();
            }
            let mut done = Completions::with_capacity(4);
            let progress = engine.submit_and_reap(0, within(LONG), &mut done).unwrap();
            assert_eq!(progress, Progress { taken: 3, reaped: 0 }, "a look does not wait");
            let writer = std::thread::spawn(move || {
                for _ in 0..2 {
                    thread::sleep(Duration::from_millis(30));
                    write_end.write_all(&[5; 100]).unwrap();
                }
                write_end
            });
            assert_eq!(engine.reap(2, within(LONG), &mut done).unwrap(), 2);
            let mut write_end = writer.join().unwrap();
            // Each of the two ends one wait. Work for this thread may end one more, and waking the
            // kernel's thread is a call; a wait that spun would have made thousands.
            let calls = engine.counters().system_calls;
            assert!((2..20).contains(&calls), "{options}: {calls} calls");
            let (start, wait) = (Instant::now(), Duration::from_millis(50));
            assert_eq!(engine.reap(1, within(wait), &mut done).unwrap(), 0);
            assert!(start.elapsed() >= wait, "it waits until the deadline");
            write_end.write_all(&[5; 100]).unwrap();
            engine.drain(within(LONG), &mut done).unwrap();
            assert!(done.drain().all(|completion| completion.result() == Ok(100)));
        };
        Uring::parse(options).unwrap().lend(setup, LONG, run).unwrap();
    }
}
