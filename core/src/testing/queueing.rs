//! Checks of queueing, submitting and reaping.

use std::time::{Duration, Instant};

use super::fixture::{
    BLOCK_BYTES, CALLS_MAX, Store, bare_request, bring_home, by_tag, lend, open, part, past,
    patient, queue_all, reads, request, setup, submit_all,
};
use crate::engine::{
    Backend, Completion, Completions, EngineCounters, IoEngine, Lane, Operation, Progress, Request,
    Why,
};
use crate::memory::{Block, Part};

/// Runs the lane that `make` builds from reads that fill a queue of `depth`, and from a part with
/// `spare` blocks more; then checks that all memory is home.
fn with_full_queue<B: Backend, L: Lane<Output = Vec<Completion>>>(
    backend: &B,
    depth: u32,
    spare: u32,
    make: impl FnOnce(&mut Part, Vec<Request>) -> L,
) {
    let store = Store::new((depth * BLOCK_BYTES) as usize);
    let mut part = part(depth + spare);
    let setup = setup(depth, store.files(), &part);
    let requests = reads(&mut part, 0, depth);
    let lane = make(&mut part, requests);
    if let Some(completions) = open(backend, setup, lane) {
        bring_home(&mut part, completions);
    }
}

/// Asserts that the engine refuses `request` because of `why`, and results in the request.
fn refused<E: IoEngine>(engine: &mut E, request: Request, why: Why) -> Request {
    let of_block = |block: &Option<Block>| block.as_ref().map(|b| (b.address(), b.len()));
    let described = format!("{request:?}");
    let block = of_block(&request.block);
    let Err(rejected) = engine.queue(request) else {
        panic!("a request was accepted that must be refused with {why:?}: {described}");
    };
    assert_eq!(rejected.why, why, "the wrong reason to refuse {described}");
    let back = rejected.request;
    assert_eq!(of_block(&back.block), block, "a refused request came back with another block");
    assert_eq!(format!("{back:?}"), described, "a refused request came back changed");
    back
}

struct FillUp {
    requests: Vec<Request>,
    extra: Request,
}

impl Lane for FillUp {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        let depth = u32::try_from(self.requests.len()).expect("a small queue");
        let mut done = Completions::with_capacity(self.requests.len() + 1);
        queue_all(engine, self.requests);
        let extra = refused(engine, self.extra, Why::QueueFull);
        submit_all(engine, depth);
        let mut extra = refused(engine, extra, Why::QueueFull);
        let reaped = engine.reap(1, patient(), &mut done).expect("the engine stays alive");
        assert!(reaped > 0, "reap returned without the one completion that it was to wait for");
        let mut completions: Vec<_> = done.drain().collect();
        // The extra request goes out under the tag that is free now; here it has a name of its own.
        let free = completions[0].tag;
        completions[0].tag = depth;
        extra.tag = free;
        queue_all(engine, vec![extra]);
        submit_all(engine, 1);
        engine.reap(depth, patient(), &mut done).expect("the engine stays alive");
        completions.extend(done.drain());
        for completion in completions {
            done.push(completion);
        }
        by_tag(&mut done, depth + 1)
    }
}

pub(super) fn a_full_queue_returns_the_request_with_its_block<B: Backend>(backend: &B) {
    for depth in [1, 4, 7] {
        with_full_queue(backend, depth, 1, |part, requests| FillUp {
            requests,
            extra: request(Operation::Read, 0, lend(part), 0),
        });
    }
}

/// Queues its first request well-formed, and malforms the second in each way.
struct Malform {
    requests: Vec<Request>,
}

impl Lane for Malform {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> Vec<Completion> {
        let mut request = self.requests.pop().expect("two requests");
        let tag = request.tag;
        queue_all(engine, self.requests);
        request.tag = 0;
        request = refused(engine, request, Why::BadTag);
        for out_of_range in [tag + 1, u32::MAX] {
            request.tag = out_of_range;
            request = refused(engine, request, Why::BadTag);
        }
        request.tag = tag;
        for target in [1, u16::MAX] {
            request.target = target;
            request = refused(engine, request, Why::BadTarget);
        }
        request.target = 0;
        refused(engine, bare_request(Operation::Fsync, tag), Why::BadOperation);
        refused(engine, bare_request(Operation::Trim, tag), Why::BadOperation);
        refused(engine, bare_request(Operation::Read, tag), Why::BadBlock);
        for (start, length) in [(0, BLOCK_BYTES + 1), (1, BLOCK_BYTES), (u32::MAX, 1)] {
            request.block_start_bytes = start;
            request.length_bytes = length;
            request = refused(engine, request, Why::BadBlock);
        }
        request.block_start_bytes = 0;
        request.length_bytes = BLOCK_BYTES;
        queue_all(engine, vec![request]);
        submit_all(engine, 2);
        let mut done = Completions::with_capacity(2);
        engine.reap(2, patient(), &mut done).expect("the engine stays alive");
        by_tag(&mut done, 2)
    }
}

pub(super) fn a_malformed_request_is_given_back<B: Backend>(backend: &B) {
    with_full_queue(backend, 2, 0, |_part, requests| Malform { requests });
}

struct Idle {
    requests: Vec<Request>,
}

impl Idle {
    fn reaps_nothing<E: IoEngine>(engine: &mut E) {
        let mut done = Completions::with_capacity(4);
        for min in [0, 1, 5] {
            for deadline in [past(), patient()] {
                let start = Instant::now();
                let reaped = engine.reap(min, deadline, &mut done).expect("no work is no error");
                assert_eq!(reaped, 0, "something was reaped though nothing is in flight");
                let waited = start.elapsed();
                let at_once = waited < Duration::from_secs(5);
                assert!(at_once, "reap waited {waited:?} with nothing in flight");
            }
        }
    }
}

impl Lane for Idle {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        Self::reaps_nothing(engine);
        assert_eq!(engine.submit().expect("no work is no error"), 0, "nothing was queued");
        let mut done = Completions::with_capacity(4);
        let progress = engine.submit_and_reap(1, patient(), &mut done);
        assert_eq!(progress.expect("no work is no error"), Progress::default(), "nothing to do");
        let count = u32::try_from(self.requests.len()).expect("a small queue");
        queue_all(engine, self.requests);
        Self::reaps_nothing(engine);
        submit_all(engine, count);
        engine.reap(count, patient(), &mut done).expect("the engine stays alive");
        Self::reaps_nothing(engine);
        by_tag(&mut done, count)
    }
}

pub(super) fn with_nothing_in_flight_reaping_returns_at_once<B: Backend>(backend: &B) {
    for depth in [1, 3] {
        with_full_queue(backend, depth, 0, |_part, requests| Idle { requests });
    }
}

struct WantMore {
    requests: Vec<Request>,
}

impl Lane for WantMore {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        let count = u32::try_from(self.requests.len()).expect("a small queue");
        let mut done = Completions::with_capacity(self.requests.len() + 10);
        queue_all(engine, self.requests);
        submit_all(engine, count);
        let reaped = engine.reap(count + 5, patient(), &mut done).expect("the engine stays alive");
        assert_eq!(reaped, count, "reap with a large minimum did not wait for all in flight");
        by_tag(&mut done, count)
    }
}

pub(super) fn reaping_more_than_is_in_flight_returns_when_all_are_in<B: Backend>(backend: &B) {
    for depth in [1, 6] {
        with_full_queue(backend, depth, 0, |_part, requests| WantMore { requests });
    }
}

struct NoRoom {
    requests: Vec<Request>,
}

impl Lane for NoRoom {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        let count = u32::try_from(self.requests.len()).expect("a small queue");
        let mut none = Completions::with_capacity(0);
        queue_all(engine, self.requests);
        submit_all(engine, count);
        let start = Instant::now();
        for min in [0, 1, count] {
            let reaped = engine.reap(min, patient(), &mut none).expect("the engine stays alive");
            assert_eq!(reaped, 0, "reap says that it added to a buffer without room");
            let progress = engine.submit_and_reap(min, patient(), &mut none);
            assert_eq!(progress.expect("the engine stays alive"), Progress::default());
        }
        let waited = start.elapsed();
        let at_once = waited < Duration::from_secs(5);
        assert!(at_once, "reap waited {waited:?} for completions that it has no room for");
        let mut done = Completions::with_capacity(count as usize);
        engine.reap(count, patient(), &mut done).expect("the engine stays alive");
        by_tag(&mut done, count)
    }
}

pub(super) fn a_buffer_without_room_is_left_alone<B: Backend>(backend: &B) {
    for depth in [1, 3] {
        with_full_queue(backend, depth, 0, |_part, requests| NoRoom { requests });
    }
}

struct Poll {
    requests: Vec<Request>,
}

impl Lane for Poll {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        let count = u32::try_from(self.requests.len()).expect("a small queue");
        let mut done = Completions::with_capacity(self.requests.len());
        queue_all(engine, self.requests);
        submit_all(engine, count);
        let start = Instant::now();
        while done.spare() > 0 {
            engine.reap(count, past(), &mut done).expect("a deadline that has passed is no error");
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(10), "polling brings no completions");
        }
        by_tag(&mut done, count)
    }
}

pub(super) fn reaping_past_the_deadline_is_no_error<B: Backend>(backend: &B) {
    with_full_queue(backend, 5, 0, |_part, requests| Poll { requests });
}

/// Sends its requests around a few times and looks at the counters after every call.
struct Count {
    moves_data: bool,
    requests: Vec<Request>,
}

fn in_order(counters: EngineCounters) -> [u64; 8] {
    let EngineCounters {
        system_calls,
        submit_calls,
        reap_calls,
        submitted,
        reaped,
        again,
        interrupted,
        helpers_cpu_ns,
    } = counters;
    [system_calls, submit_calls, reap_calls, submitted, reaped, again, interrupted, helpers_cpu_ns]
}

fn assert_not_less(now: EngineCounters, before: EngineCounters) {
    let grew = in_order(now).into_iter().zip(in_order(before)).all(|(now, before)| now >= before);
    assert!(grew, "a counter went backwards: {now:?} after {before:?}");
}

impl Lane for Count {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> Vec<Completion> {
        const ROUNDS: u32 = 5;
        let count = u32::try_from(self.requests.len()).expect("a small queue");
        let mut done = Completions::with_capacity(self.requests.len());
        let mut before = engine.counters();
        assert_eq!((before.submitted, before.reaped), (0, 0), "counted before the first request");
        for round in 0..ROUNDS {
            queue_all(engine, std::mem::take(&mut self.requests));
            let mut calls = 0;
            while done.spare() > 0 {
                if round % 2 == 0 {
                    engine.submit().expect("the engine stays alive");
                    assert_not_less(engine.counters(), before);
                    before = engine.counters();
                    engine.reap(count, patient(), &mut done).expect("the engine stays alive");
                } else {
                    let progress = engine.submit_and_reap(1, patient(), &mut done);
                    progress.expect("the engine stays alive");
                }
                assert_not_less(engine.counters(), before);
                before = engine.counters();
                calls += 1;
                assert!(calls < CALLS_MAX, "requests that were queued never complete");
            }
            if round + 1 < ROUNDS {
                let again = by_tag(&mut done, count).into_iter().map(|completion| {
                    let block = completion.block.expect("a read has a block");
                    request(Operation::Read, completion.tag, block, 0)
                });
                self.requests = again.collect();
            }
        }
        let requests = u64::from(count * ROUNDS);
        assert_eq!(before.submitted, requests, "not as many submitted as there were requests");
        assert_eq!(before.reaped, requests, "not as many reaped as there were requests");
        assert!(before.submit_calls > 0 && before.reap_calls > 0, "calls are not counted");
        let made_calls = before.system_calls > 0;
        assert!(made_calls || !self.moves_data, "data was moved without any system call");
        by_tag(&mut done, count)
    }
}

pub(super) fn counters_add_up_and_never_go_backwards<B: Backend>(backend: &B) {
    let moves_data = backend.moves_data();
    for depth in [1, 5] {
        with_full_queue(backend, depth, 0, |_part, requests| Count { moves_data, requests });
    }
}
