use std::cell::Cell;
use std::collections::VecDeque;

use super::*;
use crate::engine::{
    Completion, EngineCounters, EngineError, Errno, Progress, Rejected, Request, StillInFlight, Why,
};
use crate::memory::{Mapping, MemoryKind, Part};
use crate::plan::Direction;
use crate::receipt::Receipt;
use crate::schedule::failure::BadResult;
use crate::schedule::source::{Slice, Sweep};
use crate::stats::{Fingerprint, Kind};

const BLOCK: u32 = 4096;
const BLOCKS: u64 = 10;

/// Offset, length and start in the block of a request.
type Asked = (u64, u32, u32);

/// An engine whose results a test chooses: `answer` says what the next request of the kernel gives.
struct Scripted<A: FnMut(&Request) -> i32> {
    depth: usize,
    queued: VecDeque<Request>,
    flying: VecDeque<Request>,
    answer: A,
    /// The most that one call takes.
    takes: u32,
    /// Whether completions come back under a tag that nobody has.
    renamed: bool,
    submits: Vec<u32>,
    reaps_asked: Vec<u32>,
    most_in_flight: usize,
    asked: Vec<Asked>,
}

impl<A: FnMut(&Request) -> i32> Scripted<A> {
    fn new(depth: usize, answer: A) -> Self {
        Self {
            depth,
            queued: VecDeque::new(),
            flying: VecDeque::new(),
            answer,
            takes: u32::MAX,
            renamed: false,
            submits: Vec::new(),
            reaps_asked: Vec::new(),
            most_in_flight: 0,
            asked: Vec::new(),
        }
    }
}

impl<A: FnMut(&Request) -> i32> IoEngine for Scripted<A> {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        if self.queued.len() + self.flying.len() == self.depth {
            return Err(Rejected { request, why: Why::QueueFull });
        }
        self.queued.push_back(request);
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let taken = self.takes.min(u32::try_from(self.queued.len()).unwrap());
        self.flying.extend(self.queued.drain(..taken as usize));
        self.submits.push(taken);
        self.most_in_flight = self.most_in_flight.max(self.flying.len());
        Ok(taken)
    }

    fn reap(
        &mut self,
        min: u32,
        _deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.reaps_asked.push(min);
        let reaped = min.min(u32::try_from(self.flying.len()).unwrap());
        for _ in 0..reaped {
            let request = self.flying.pop_front().expect("counted");
            self.asked.push((
                request.offset_bytes,
                request.length_bytes,
                request.block_start_bytes,
            ));
            let status = (self.answer)(&request);
            let tag = if self.renamed { 77 } else { request.tag };
            done.push(Completion { block: request.block, tag, status });
        }
        Ok(reaped)
    }

    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        let taken = self.submit()?;
        Ok(Progress { taken, reaped: self.reap(min, deadline, done)? })
    }

    fn drain(&mut self, _: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        for request in self.flying.drain(..).chain(self.queued.drain(..)) {
            done.push(Completion { block: request.block, tag: request.tag, status: -125 });
        }
        Ok(())
    }

    fn counters(&self) -> EngineCounters {
        EngineCounters::default()
    }

    fn receipts(&self) -> Vec<Receipt> {
        Vec::new()
    }
}

fn plan(change: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = Plan::tensor_swap(Vec::new());
    plan.queue_depth = 4;
    change(&mut plan);
    plan
}

fn part() -> Part {
    let memory = Mapping::reserve(10 * BLOCK as usize, MemoryKind::Small).unwrap();
    Part::new(memory.0, BLOCK, 4)
}

/// Runs a read of ten blocks and drains; returns what came of it, and the tally.
fn run<E: IoEngine>(
    plan: &Plan,
    engine: &mut E,
    alignment: Alignment,
) -> (Result<(), LaneError>, Tally) {
    let mut flow = Flow::new(plan, alignment, Tally::new(Fingerprint::new(0, 0, 0)));
    let mut part = part();
    let size_bytes = BLOCKS * u64::from(BLOCK);
    let slice = Slice::split(Direction::Read, size_bytes, BLOCK, alignment, 1)[0];
    let mut sweep = Sweep { part: &mut part, slice, target: 0 };
    let moved = AtomicU64::new(0);
    let watch = Watch { halted: || false, moved: &moved, counts: true, until: Stamp::NEVER };
    let result = flow.run(engine, &mut sweep, &watch).map(|_end| ());
    flow.drain(engine, &mut sweep).unwrap();
    assert!(part.is_whole(), "all memory is home, whatever happened");
    if result.is_ok() {
        assert_eq!(moved.load(Ordering::Relaxed), size_bytes);
        assert!(flow.books.tally.fingerprint.is_settled());
    }
    (result, flow.into_tally())
}

fn all_of(request: &Request) -> i32 {
    i32::try_from(request.length_bytes).unwrap()
}

const DIRECT: Alignment = Alignment { offset_bytes: 512, told: true };

#[test]
fn overlap_keeps_the_queue_full_and_moves_every_block_once_in_order() {
    let mut engine = Scripted::new(4, all_of);
    let (result, tally) = run(&plan(|_| ()), &mut engine, DIRECT);
    result.unwrap();
    assert_eq!(tally.requests.total(), BLOCKS);
    assert_eq!(tally.latency[Kind::Read].count(), BLOCKS);
    assert_eq!(engine.most_in_flight, 4);
    assert_eq!(engine.submits, [4, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    let offsets: Vec<_> = engine.asked.iter().map(|(offset, ..)| *offset).collect();
    assert_eq!(offsets, (0..BLOCKS).map(|i| i * u64::from(BLOCK)).collect::<Vec<_>>());
}

#[test]
fn sequential_submits_a_full_queue_and_waits_for_all_of_it() {
    let mut engine = Scripted::new(4, all_of);
    run(&plan(|plan| plan.order = Order::Sequential), &mut engine, DIRECT).0.unwrap();
    assert_eq!(engine.submits, [4, 4, 2]);
    assert_eq!(engine.reaps_asked, [4, 4, 2]);
}

#[test]
fn single_submit_makes_one_call_per_request() {
    let mut engine = Scripted::new(4, all_of);
    run(&plan(|plan| plan.batch.submit = Some(1)), &mut engine, DIRECT).0.unwrap();
    assert!(engine.submits.iter().all(|taken| *taken <= 1));
    assert_eq!(engine.submits.iter().sum::<u32>(), 10);
    assert_eq!(engine.most_in_flight, 4, "the queue is filled all the same");
}

#[test]
fn completions_are_waited_for_in_the_batches_that_were_asked() {
    let mut engine = Scripted::new(4, all_of);
    run(&plan(|plan| plan.batch.complete = 3), &mut engine, DIRECT).0.unwrap();
    assert_eq!(engine.reaps_asked, [3, 3, 3, 1]);
}

#[test]
fn a_kernel_that_takes_few_at_a_time_gets_the_rest_later_in_order() {
    let mut engine = Scripted::new(4, all_of);
    engine.takes = 1;
    let (result, tally) = run(&plan(|_| ()), &mut engine, DIRECT);
    result.unwrap();
    assert_eq!(tally.requests.total(), BLOCKS);
}

#[test]
fn a_short_transfer_goes_on_behind_what_it_moved_and_counts_once() {
    let short = Cell::new(true);
    let mut engine = Scripted::new(4, |request: &Request| {
        let first = request.offset_bytes == u64::from(BLOCK) && short.replace(false);
        if first { 1000 } else { all_of(request) }
    });
    let (result, tally) = run(&plan(|_| ()), &mut engine, DIRECT);
    result.unwrap();
    assert_eq!((tally.requests.total(), tally.short_transfers), (BLOCKS, 1));
    // 1000 bytes moved, but direct I/O goes on at a multiple of 512.
    let tail = (u64::from(BLOCK) + 512, BLOCK - 512, 512);
    assert!(engine.asked.contains(&tail), "{:?}", engine.asked);
}

#[test]
fn sequential_waits_for_a_tail_alone_whatever_the_batches() {
    let short = Cell::new(true);
    let half = |request: &Request| {
        let is_first = request.offset_bytes == 0 && short.replace(false);
        if is_first { 2048 } else { all_of(request) }
    };
    let mut engine = Scripted::new(4, half);
    let sequential = plan(|plan| (plan.order, plan.batch.submit) = (Order::Sequential, Some(1)));
    run(&sequential, &mut engine, DIRECT).0.unwrap();
    assert_eq!(engine.reaps_asked, [4, 1, 4, 2]);
}

#[test]
fn a_buffered_short_transfer_goes_on_at_the_very_byte() {
    let mut engine =
        Scripted::new(
            4,
            |request: &Request| {
                if request.offset_bytes == 0 { 1001 } else { all_of(request) }
            },
        );
    run(&plan(|_| ()), &mut engine, Alignment::NONE).0.unwrap();
    assert!(engine.asked.contains(&(1001, BLOCK - 1001, 1001)), "{:?}", engine.asked);
}

#[test]
fn short_transfers_that_do_not_get_on_end_the_run() {
    let mut engine =
        Scripted::new(
            4,
            |request: &Request| {
                if request.offset_bytes == 0 { 100 } else { all_of(request) }
            },
        );
    let (result, _) = run(&plan(|_| ()), &mut engine, DIRECT);
    let Err(LaneError::Request(bad)) = result else { panic!("{result:?}") };
    assert_eq!((bad.what, bad.offset_bytes), (BadResult::NoProgress, 0));
}

#[test]
fn an_errno_ends_the_run_and_is_told_with_its_place() {
    let mut engine = Scripted::new(4, |request: &Request| {
        if request.offset_bytes == 3 * u64::from(BLOCK) { -5 } else { all_of(request) }
    });
    let (result, tally) = run(&plan(|_| ()), &mut engine, DIRECT);
    let Err(LaneError::Request(bad)) = result else { panic!("{result:?}") };
    assert_eq!(bad.what, BadResult::Errno(Errno(5)));
    assert_eq!((bad.offset_bytes, bad.length_bytes), (3 * u64::from(BLOCK), BLOCK));
    assert_eq!(tally.requests.total(), 3, "what failed does not count");
}

#[test]
fn nothing_moved_inside_the_file_is_an_error() {
    let mut engine = Scripted::new(4, |_: &Request| 0);
    let (result, tally) = run(&plan(|_| ()), &mut engine, DIRECT);
    let Err(LaneError::Request(bad)) = result else { panic!("{result:?}") };
    assert_eq!(bad.what, BadResult::NothingMoved);
    assert_eq!(tally.requests.total(), 0);
}

#[test]
fn the_fingerprint_is_the_same_whatever_the_batches_and_the_kernel_do() {
    let print = |plan: Plan, takes: u32| {
        let mut engine = Scripted::new(4, all_of);
        engine.takes = takes;
        run(&plan, &mut engine, DIRECT).1.fingerprint.value()
    };
    let one = print(plan(|_| ()), u32::MAX);
    assert_eq!(one, print(plan(|plan| plan.batch.submit = Some(1)), u32::MAX));
    assert_eq!(one, print(plan(|plan| plan.order = Order::Sequential), 1));
}

#[test]
fn a_run_that_is_told_to_stop_ends_without_waiting_for_the_rest() {
    let mut flow = Flow::new(&plan(|_| ()), DIRECT, Tally::new(Fingerprint::new(0, 0, 0)));
    let mut part = part();
    let slice = Slice::split(Direction::Read, 40_960, BLOCK, DIRECT, 1)[0];
    let mut sweep = Sweep { part: &mut part, slice, target: 0 };
    let moved = AtomicU64::new(0);
    let mut engine = Scripted::new(4, all_of);
    let watch = Watch { halted: || true, moved: &moved, counts: true, until: Stamp::NEVER };
    assert!(matches!(flow.run(&mut engine, &mut sweep, &watch), Err(LaneError::Halted)));
    flow.drain(&mut engine, &mut sweep).unwrap();
    assert!(part.is_whole());
}

#[test]
fn a_time_that_is_over_starts_nothing_more_and_waits_for_what_is_in_flight() {
    let mut flow = Flow::new(&plan(|_| ()), DIRECT, Tally::new(Fingerprint::new(0, 0, 0)));
    let mut part = part();
    let slice = Slice::split(Direction::Read, 40_960, BLOCK, DIRECT, 1)[0];
    let mut sweep = Sweep { part: &mut part, slice, target: 0 };
    let moved = AtomicU64::new(0);
    let mut engine = Scripted::new(4, all_of);
    // A moment that comes after the first look at the clock and before the second.
    let until = Stamp::now() + Duration::from_millis(5);
    let halted = || {
        thread::sleep(Duration::from_millis(10));
        false
    };
    let watch = Watch { halted, moved: &moved, counts: true, until };
    flow.run(&mut engine, &mut sweep, &watch).unwrap();
    assert!(part.is_whole());
    let tally = flow.into_tally();
    assert!(tally.fingerprint.is_settled());
    assert!((4..10).contains(&tally.requests.total()), "{}", tally.requests.total());
    assert_eq!(tally.latency[Kind::Read].count(), tally.requests.total());
}

/// Reads ten blocks one at a time with an engine that answers like this.
fn run_one_by_one<A: FnMut(&Request) -> i32>(
    answer: A,
) -> (Result<(), LaneError>, Tally, Vec<Asked>) {
    let plan = plan(|plan| plan.queue_depth = 1);
    let mut engine = Scripted::new(1, answer);
    let (result, tally) = run(&plan, &mut engine, DIRECT);
    (result, tally, engine.asked)
}

#[test]
fn one_by_one_every_block_is_moved_once_in_order_and_counted() {
    let mut engine = Scripted::new(1, all_of);
    let (result, tally) = run(&plan(|plan| plan.queue_depth = 1), &mut engine, DIRECT);
    result.unwrap();
    assert_eq!((tally.requests.total(), tally.latency[Kind::Read].count()), (BLOCKS, BLOCKS));
    assert_eq!((engine.submits, engine.reaps_asked), (vec![1; 10], vec![1; 10]));
    let offsets: Vec<_> = engine.asked.iter().map(|(offset, ..)| *offset).collect();
    assert_eq!(offsets, (0..BLOCKS).map(|i| i * u64::from(BLOCK)).collect::<Vec<_>>());
    let deep = run(&plan(|_| ()), &mut Scripted::new(4, all_of), DIRECT).1;
    assert_eq!(tally.fingerprint.value(), deep.fingerprint.value());
}

#[test]
fn one_by_one_a_short_transfer_goes_on_and_what_comes_after_it_too() {
    let short = Cell::new(true);
    let (result, tally, asked) = run_one_by_one(|request| {
        let first = request.offset_bytes == u64::from(BLOCK) && short.replace(false);
        if first { 1000 } else { all_of(request) }
    });
    result.unwrap();
    assert_eq!((tally.requests.total(), tally.short_transfers), (BLOCKS, 1));
    assert_eq!(tally.latency[Kind::Read].count(), BLOCKS);
    assert_eq!(asked[2], (u64::from(BLOCK) + 512, BLOCK - 512, 512));
    assert_eq!(asked.len(), 11);
}

#[test]
fn one_by_one_what_fails_is_told_with_its_place_and_does_not_count() {
    for (status, what) in [(-5, BadResult::Errno(Errno(5))), (0, BadResult::NothingMoved)] {
        let (result, tally, _asked) =
            run_one_by_one(
                |request| if request.offset_bytes == 3 * 4096 { status } else { all_of(request) },
            );
        let Err(LaneError::Request(bad)) = result else { panic!("{result:?}") };
        assert_eq!((bad.what, bad.offset_bytes), (what, 3 * u64::from(BLOCK)));
        assert_eq!((tally.requests.total(), tally.latency[Kind::Read].count()), (3, 3));
    }
}

#[test]
fn one_by_one_a_request_that_is_not_taken_or_not_back_at_once_is_waited_for() {
    /// Takes a request with every second call, or brings it with the call after.
    struct Slow<A: FnMut(&Request) -> i32> {
        inner: Scripted<A>,
        calls: u32,
        late: bool,
    }
    impl<A: FnMut(&Request) -> i32> IoEngine for Slow<A> {
        fn queue(&mut self, request: Request) -> Result<(), Rejected> {
            self.inner.queue(request)
        }
        fn submit(&mut self) -> Result<u32, EngineError> {
            self.inner.submit()
        }
        fn reap(
            &mut self,
            min: u32,
            deadline: Deadline,
            done: &mut Completions,
        ) -> Result<u32, EngineError> {
            self.inner.reap(min, deadline, done)
        }
        fn submit_and_reap(
            &mut self,
            min: u32,
            deadline: Deadline,
            done: &mut Completions,
        ) -> Result<Progress, EngineError> {
            self.calls += 1;
            match (self.calls % 2, self.late) {
                (1, true) => Ok(Progress { taken: self.submit()?, reaped: 0 }),
                (1, false) => Ok(Progress::default()),
                _ => self.inner.submit_and_reap(min, deadline, done),
            }
        }
        fn drain(&mut self, until: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
            self.inner.drain(until, done)
        }
        fn counters(&self) -> EngineCounters {
            self.inner.counters()
        }
        fn receipts(&self) -> Vec<Receipt> {
            self.inner.receipts()
        }
    }
    for late in [true, false] {
        let mut engine = Slow { inner: Scripted::new(1, all_of), calls: 0, late };
        let (result, tally) = run(&plan(|plan| plan.queue_depth = 1), &mut engine, DIRECT);
        result.unwrap();
        assert_eq!(
            (tally.requests.total(), tally.latency[Kind::Read].count(), engine.calls),
            (BLOCKS, BLOCKS, 20)
        );
    }
}

#[test]
fn a_completion_of_no_request_in_flight_is_noticed_at_any_depth() {
    for depth in [1, 4] {
        let mut engine = Scripted::new(depth, all_of);
        engine.renamed = true;
        let plan = plan(|plan| plan.queue_depth = u32::try_from(depth).unwrap());
        let (result, tally) = run(&plan, &mut engine, DIRECT);
        assert!(matches!(result, Err(LaneError::Stranger { tag: 77 })), "{result:?}");
        assert_eq!(tally.requests.total(), 0);
    }
}
