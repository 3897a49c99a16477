//! The random walk through queueing, submitting and reaping.

use std::collections::VecDeque;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::fixture::{
    BLOCK_BYTES, CALLS_MAX, Store, assert_unowned, lend, open, part, patient, request, setup,
};
use crate::engine::{Backend, Completion, Completions, IoEngine, Lane, Operation};
use crate::memory::Block;

/// All that are shallow, and those around powers of two, which kernels round up to. Not more,
/// because closing an engine can take the kernel tens of milliseconds.
const DEPTHS: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 17, 32, 33];
const ROUNDS: u32 = 100;
const FILE_BLOCKS: u32 = 16;

/// What is known of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Queued(Sent),
    InFlight(Sent),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    address: usize,
    length_bytes: u32,
}

/// A random mix of calls, with a ledger that knows what each may do.
struct Walk {
    random: Xoshiro256PlusPlus,
    depth: u32,
    /// By tag.
    states: Vec<State>,
    /// Tags that were queued and not yet taken, in queue order.
    queued: VecDeque<u32>,
    in_flight: u32,
    /// Blocks that are not with the engine.
    home: Vec<Block>,
    done: Completions,
}

impl Walk {
    fn new(depth: u32, home: Vec<Block>) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(u64::from(depth));
        let capacity = 1 + random.next_u32() % (depth + 2);
        Self {
            random,
            depth,
            states: vec![State::Free; depth as usize],
            queued: VecDeque::new(),
            in_flight: 0,
            home,
            done: Completions::with_capacity(capacity as usize),
        }
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
        self.random.next_u32() % bound
    }

    fn free_tag(&mut self) -> Option<u32> {
        let start = self.below(self.depth);
        let mut tags = (start..self.depth).chain(0..start);
        tags.find(|tag| self.states[*tag as usize] == State::Free)
    }

    fn queue_one<E: IoEngine>(&mut self, engine: &mut E) {
        let Some(tag) = self.free_tag() else { return };
        let block = self.home.pop().expect("a block for each tag");
        let sent = Sent { address: block.address(), length_bytes: 1 + self.below(BLOCK_BYTES) };
        let operation = if self.below(3) == 0 { Operation::Write } else { Operation::Read };
        let offset_bytes = u64::from(self.below((FILE_BLOCKS - 1) * BLOCK_BYTES));
        let mut request = request(operation, tag, block, offset_bytes);
        request.length_bytes = sent.length_bytes;
        request.block_start_bytes = self.below(BLOCK_BYTES - sent.length_bytes + 1);
        if let Err(rejected) = engine.queue(request) {
            panic!("a well-formed request was refused though the queue has room: {rejected:?}");
        }
        self.states[tag as usize] = State::Queued(sent);
        self.queued.push_back(tag);
    }

    /// Writes down that the engine took `taken` requests, in queue order.
    fn note_taken(&mut self, taken: u32) {
        for _request in 0..taken {
            let tag = self.queued.pop_front().expect("the engine takes no more than was queued");
            let State::Queued(sent) = self.states[tag as usize] else {
                panic!("tag {tag} is in the queue but {:?}", self.states[tag as usize]);
            };
            self.states[tag as usize] = State::InFlight(sent);
        }
        self.in_flight += taken;
    }

    /// Checks what a call that reaped says, given the room that there was.
    fn note_reaped(&mut self, reaped: u32, min: u32, spare_before: usize) {
        let added = spare_before - self.done.spare();
        assert_eq!(reaped as usize, added, "reap's count is not what it added");
        assert!(reaped <= self.in_flight, "more was reaped than was in flight");
        let room = u32::try_from(spare_before).expect("small buffers");
        let owed = min.min(self.in_flight).min(room);
        assert!(
            reaped >= owed,
            "reap returned {reaped} before its deadline; minimum {min}, in flight {}, room {room}",
            self.in_flight
        );
        self.in_flight -= reaped;
    }

    fn call<E: IoEngine>(&mut self, engine: &mut E) {
        let min = self.below(self.depth + 3);
        let spare = self.done.spare();
        match self.below(4) {
            0 => {
                let taken = engine.submit().expect("the engine stays alive");
                self.note_taken(taken);
            }
            1 => {
                let reaped = engine.reap(min, patient(), &mut self.done);
                self.note_reaped(reaped.expect("the engine stays alive"), min, spare);
            }
            _ => self.submit_and_reap(engine, min),
        }
    }

    fn submit_and_reap<E: IoEngine>(&mut self, engine: &mut E, min: u32) {
        let spare = self.done.spare();
        let progress = engine.submit_and_reap(min, patient(), &mut self.done);
        let progress = progress.expect("the engine stays alive");
        self.note_taken(progress.taken);
        self.note_reaped(progress.reaped, min, spare);
    }

    /// Takes the completions out of the buffer and holds them against the ledger.
    fn settle(&mut self) {
        for completion in self.done.drain() {
            let result = completion.result();
            let Completion { block, tag, .. } = completion;
            let state = self.states.get_mut(tag as usize);
            let state = state.unwrap_or_else(|| panic!("a completion has unknown tag {tag}"));
            let State::InFlight(sent) = *state else {
                panic!("a completion has tag {tag}, which is {state:?}");
            };
            let block = block.expect("a read or write brings its block back");
            assert_eq!(block.address(), sent.address, "tag {tag} came back with another block");
            assert_eq!(block.len(), BLOCK_BYTES, "tag {tag} came back with a changed block");
            assert_eq!(result, Ok(sent.length_bytes), "tag {tag} inside the file was cut short");
            *state = State::Free;
            self.home.push(block);
        }
    }
}

impl Lane for Walk {
    type Output = Vec<Block>;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> Vec<Block> {
        for _round in 0..ROUNDS {
            for _request in 0..self.below(self.depth + 2) {
                self.queue_one(engine);
            }
            self.call(engine);
            // Now and then the buffer stays as full as it is, so that there is little or no room.
            if self.below(4) > 0 {
                self.settle();
            }
        }
        for _call in 0..CALLS_MAX {
            self.settle();
            if self.queued.is_empty() && self.in_flight == 0 {
                return self.home;
            }
            self.submit_and_reap(engine, 1);
        }
        panic!("requests never complete: {:?}", self.states);
    }
}

pub(super) fn every_accepted_request_completes_exactly_once<B: Backend>(backend: &B) {
    let store = Store::new((FILE_BLOCKS * BLOCK_BYTES) as usize);
    for depth in DEPTHS {
        let mut part = part(depth);
        let setup = setup(depth, store.files(), &part);
        let blocks = (0..depth).map(|_| lend(&mut part)).collect();
        let Some(blocks) = open(backend, setup, Walk::new(depth, blocks)) else { continue };
        for block in blocks {
            part.take_back(block).expect("the block that was lent");
        }
        assert!(part.is_whole(), "not every block came back at depth {depth}");
        assert_unowned(&part);
    }
}
