//! Checks of draining, and of lanes that leave with requests queued and in flight.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::fixture::{
    BLOCK_BYTES, CALLS_MAX, Store, assert_unowned, bring_home, by_tag, open, part, patient,
    queue_all, reads, setup, submit_all,
};
use crate::engine::{Backend, Completion, Completions, Errno, IoEngine, Lane, Request};

const QUEUED: u32 = 3;
const SUBMITTED: u32 = 4;
const ALL: u32 = QUEUED + SUBMITTED;

/// Submits its first requests, only queues the others, and drains into buffers of `room`.
struct Drain {
    requests: Vec<Request>,
    room: usize,
}

impl Lane for Drain {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> Vec<Completion> {
        let rest = self.requests.split_off(SUBMITTED as usize);
        queue_all(engine, self.requests);
        submit_all(engine, SUBMITTED);
        queue_all(engine, rest);
        let mut all = Completions::with_capacity(ALL as usize);
        for _call in 0..CALLS_MAX {
            let mut done = Completions::with_capacity(self.room);
            let drained = engine.drain(patient(), &mut done);
            let missing = all.spare() > done.len();
            assert_eq!(drained.is_err(), missing, "drain says {drained:?}, which is not so");
            assert!(!done.is_empty(), "drain brings nothing though requests are out");
            for completion in done.drain() {
                all.push(completion);
            }
            if !missing {
                break;
            }
        }
        by_tag(&mut all, ALL)
    }
}

fn drain_with_room_for<B: Backend>(backend: &B, room: usize) {
    let store = Store::new((ALL * BLOCK_BYTES) as usize);
    let mut part = part(ALL);
    let setup = setup(ALL, store.files(), &part);
    let lane = Drain { requests: reads(&mut part, 0, ALL), room };
    let Some(completions) = open(backend, setup, lane) else { return };
    for completion in &completions {
        let want =
            if completion.tag < SUBMITTED { Ok(BLOCK_BYTES) } else { Err(Errno(libc::ECANCELED)) };
        let tag = completion.tag;
        assert_eq!(completion.result(), want, "tag {tag}; those from {SUBMITTED} on were queued");
    }
    bring_home(&mut part, completions);
}

pub(super) fn draining_returns_everything<B: Backend>(backend: &B) {
    drain_with_room_for(backend, ALL as usize);
}

pub(super) fn draining_into_a_small_buffer_loses_nothing<B: Backend>(backend: &B) {
    drain_with_room_for(backend, 1);
    drain_with_room_for(backend, 2);
}

/// Leaves with requests reaped and not looked at, completed and not reaped, and queued.
struct Leave {
    requests: Vec<Request>,
    panics: bool,
}

impl Lane for Leave {
    type Output = Completions;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> Completions {
        let rest = self.requests.split_off(SUBMITTED as usize);
        let mut done = Completions::with_capacity(1);
        queue_all(engine, self.requests);
        submit_all(engine, SUBMITTED);
        engine.reap(1, patient(), &mut done).expect("the engine stays alive");
        queue_all(engine, rest);
        if self.panics {
            // Without the panic's message, which would look like a failure in the test's output.
            resume_unwind(Box::new("the lane panics"));
        }
        done
    }
}

fn leave<B: Backend>(backend: &B, panics: bool) {
    let store = Store::new((ALL * BLOCK_BYTES) as usize);
    let mut part = part(ALL);
    let setup = setup(ALL, store.files(), &part);
    let lane = Leave { requests: reads(&mut part, 0, ALL), panics };
    match catch_unwind(AssertUnwindSafe(|| open(backend, setup, lane))) {
        Ok(done) => {
            assert!(done.is_none() || !panics, "a lane's panic does not reach the caller");
            drop(done);
        }
        Err(panic) => {
            let own = panic.downcast_ref::<&str>().is_some_and(|text| *text == "the lane panics");
            if !own {
                resume_unwind(panic);
            }
        }
    }
    assert_unowned(&part);
}

pub(super) fn memory_comes_back_when_the_lane_returns<B: Backend>(backend: &B) {
    leave(backend, false);
}

pub(super) fn memory_comes_back_when_the_lane_panics<B: Backend>(backend: &B) {
    leave(backend, true);
}
