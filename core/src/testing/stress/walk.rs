//! A random walk through the calls of an engine, with a ledger that knows what each may do.

use std::collections::VecDeque;
use std::mem;
use std::panic::resume_unwind;
use std::time::Duration;

use super::StressReport;
use super::disk::{Disk, Written};
use super::draw::{Fate, Sent};
use super::round::{Ending, Shape};
use crate::clock::Stamp;
use crate::engine::{Completions, Deadline, IoEngine, Lane, Operation, Request, Why};
use crate::memory::Block;
use crate::testing::dice::Dice;

/// What a lane panics with that is to panic.
pub(super) const OWN_PANIC: &str = "the lane panics";
/// Longer than any file system takes for what is asked here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Calls of drain with little time and room before one with enough of both.
const HASTY_DRAINS: u32 = 20;

/// What is known of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Free,
    Queued(Sent),
    InFlight(Sent),
}

/// Until when a call may wait.
#[derive(Clone, Copy, Debug)]
struct Wait {
    deadline: Deadline,
    /// The same point in time, when it is so far away that it must not be reached.
    limit: Option<Stamp>,
}

impl Wait {
    fn short(time: Duration) -> Self {
        Self { deadline: Deadline::after(Stamp::now(), time), limit: None }
    }

    fn patient() -> Self {
        let now = Stamp::now();
        Self { deadline: Deadline::after(now, PATIENCE), limit: Some(now + PATIENCE) }
    }

    /// A call that lasts until its far deadline has slept over what it waited for.
    fn assert_was_not_missed(self) {
        let missed = self.limit.is_some_and(|limit| Stamp::now() >= limit);
        assert!(!missed, "a call that had enough to return with waited for {PATIENCE:?}");
    }
}

/// The lane of one round. It outlives the engine, however the lane is left.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) dice: Dice,
    pub(super) shape: Shape,
    pub(super) disk: &'a mut Disk,
    pub(super) report: &'a mut StressReport,
    pub(super) moves_data: bool,
    /// By tag.
    pub(super) states: Vec<State>,
    /// Tags that were queued and not yet taken, in queue order.
    pub(super) queued: VecDeque<u32>,
    /// Requests that were taken and not reaped.
    pub(super) in_flight: u32,
    /// Whether the kernel left requests in the queue, which it may have been shown.
    partly_taken: bool,
    /// Blocks that are not with the engine.
    pub(super) home: Vec<Block>,
    pub(super) done: Completions,
    taken: u64,
    reaped: u64,
    /// Misaligned writes that the kernel refused: it may have written a part before it came to what
    /// it refuses (Linux 6.18 has).
    pub(super) refused: Vec<Written>,
    /// Completions in `done` that must be of requests that a drain took back.
    pub(super) cancelled: u32,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        dice: Dice,
        shape: Shape,
        disk: &'a mut Disk,
        report: &'a mut StressReport,
        moves_data: bool,
        home: Vec<Block>,
    ) -> Self {
        Self {
            dice,
            shape,
            disk,
            report,
            moves_data,
            states: vec![State::Free; shape.depth as usize],
            queued: VecDeque::new(),
            in_flight: 0,
            partly_taken: false,
            home,
            done: Completions::with_capacity(1),
            taken: 0,
            reaped: 0,
            refused: Vec::new(),
            cancelled: 0,
        }
    }

    /// Requests that were accepted and not settled.
    pub(super) fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.states.iter().filter_map(|state| match state {
            State::Free => None,
            State::Queued(sent) | State::InFlight(sent) => Some(sent),
        })
    }

    /// Takes over into the model what the lane left in its engine: that has waited for what was
    /// taken, before it gave the memory up. Results in the writes whose outcome is not known.
    pub(super) fn settle_what_was_left(&mut self) -> Vec<Written> {
        let mut unknown = mem::take(&mut self.refused);
        for state in &self.states {
            match *state {
                State::InFlight(sent) if sent.operation == Operation::Write => match sent.fate {
                    Fate::Moves(_) => self.disk.note(sent.range),
                    Fate::MovesOrIsRefused(_) => unknown.push(sent.range),
                    Fate::Fails(_) => {}
                },
                // The kernel may have been shown it.
                State::Queued(sent) if sent.operation == Operation::Write && self.partly_taken => {
                    unknown.push(sent.range);
                }
                _ => {}
            }
        }
        unknown
    }

    /// Requests that the engine has.
    fn held(&self) -> u32 {
        self.in_flight + u32::try_from(self.queued.len()).expect("no more than the queue is deep")
    }

    fn free_tag(&mut self) -> Option<u32> {
        let depth = self.shape.depth;
        let start = self.dice.below(depth);
        let mut tags = (start..depth).chain(0..start);
        tags.find(|tag| matches!(self.states[*tag as usize], State::Free))
    }

    fn queue_some<E: IoEngine>(&mut self, engine: &mut E) {
        let most = self.shape.depth + 1;
        for _request in 0..self.dice.size(most) {
            if self.dice.one_in(50) {
                self.queue_what_is_malformed(engine);
            }
            let Some(tag) = self.free_tag() else { return };
            let Some((request, sent)) = self.draw(tag) else { return };
            if let Err(rejected) = engine.queue(request) {
                panic!("a well-formed request was refused: {rejected:?}");
            }
            self.states[tag as usize] = State::Queued(sent);
            self.queued.push_back(tag);
        }
    }

    /// Queues a request that must be given back.
    fn queue_what_is_malformed<E: IoEngine>(&mut self, engine: &mut E) {
        let full = self.held() == self.shape.depth;
        let Some(tag) = self.free_tag().or(full.then_some(0)) else { return };
        let block = self.any_block();
        let block_was = (block.address(), block.len());
        let mut request = Request {
            offset_bytes: 0,
            length_bytes: block.len(),
            block: Some(block),
            block_start_bytes: 0,
            tag,
            target: 0,
            operation: Operation::Write,
        };
        let why = match self.dice.below(5) {
            _ if full => Why::QueueFull,
            0 => {
                request.tag = self.queued.front().copied().unwrap_or(self.shape.depth);
                Why::BadTag
            }
            1 => {
                request.target = u16::MAX;
                Why::BadTarget
            }
            2 => {
                request.operation = Operation::Trim;
                Why::BadOperation
            }
            3 => {
                request.block_start_bytes = 1;
                Why::BadBlock
            }
            _ => {
                request.operation = Operation::Fsync;
                Why::BadBlock
            }
        };
        let rejected = engine.queue(request).expect_err("a malformed request is given back");
        assert_eq!(rejected.why, why, "a request was refused for the wrong reason");
        let block = rejected.request.block.expect("a refused request brings its block back");
        assert_eq!((block.address(), block.len()), block_was, "of a refused request");
        self.home.push(block);
    }

    /// A deadline that has passed, one that is near, or one that is not reached.
    fn any_wait(&mut self) -> Wait {
        match self.dice.below(4) {
            0 => Wait::short(Duration::ZERO),
            1 => Wait::short(Duration::from_micros(self.dice.below_u64(2000))),
            _ => Wait::patient(),
        }
    }

    /// How many completions to wait for.
    fn any_min(&mut self) -> u32 {
        let any = self.dice.below(self.shape.depth + 3);
        self.dice.pick(&[0, 1, any, any, u32::MAX])
    }

    fn call<E: IoEngine>(&mut self, engine: &mut E) {
        let min = self.any_min();
        let wait = self.any_wait();
        match self.dice.below(8) {
            0 | 1 => {
                let taken = engine.submit().expect("the engine stays alive");
                self.note_taken(taken);
            }
            2 | 3 => {
                let spare = self.done.spare();
                let reaped = engine.reap(min, wait.deadline, &mut self.done);
                self.note_reaped(reaped.expect("the engine stays alive"), min, spare, wait);
            }
            _ => self.submit_and_reap(engine, min, wait),
        }
        self.check_counters(engine);
    }

    fn submit_and_reap<E: IoEngine>(&mut self, engine: &mut E, min: u32, wait: Wait) {
        let spare = self.done.spare();
        let progress = engine.submit_and_reap(min, wait.deadline, &mut self.done);
        let progress = progress.expect("the engine stays alive");
        self.note_taken(progress.taken);
        self.note_reaped(progress.reaped, min, spare, wait);
    }

    /// Writes down that the engine took `taken` requests, in queue order.
    fn note_taken(&mut self, taken: u32) {
        for _request in 0..taken {
            let tag = self.queued.pop_front().expect("the engine takes no more than was queued");
            let state = &mut self.states[tag as usize];
            let State::Queued(sent) = *state else { panic!("tag {tag} is queued but {state:?}") };
            *state = State::InFlight(sent);
        }
        self.in_flight += taken;
        self.taken += u64::from(taken);
        self.partly_taken = !self.queued.is_empty();
    }

    /// Checks what a call that reaped says, given the room that there was.
    fn note_reaped(&mut self, reaped: u32, min: u32, spare_before: usize, wait: Wait) {
        let added = spare_before - self.done.spare();
        assert_eq!(reaped as usize, added, "reap's count is not what it added");
        assert!(reaped <= self.in_flight, "more was reaped than was in flight");
        let owed = min.min(self.in_flight).min(u32::try_from(spare_before).unwrap_or(u32::MAX));
        assert!(
            reaped >= owed || wait.limit.is_none(),
            "reap returned {reaped} before its deadline, or a request never completes; minimum \
             {min}, in flight {}, room {spare_before}",
            self.in_flight
        );
        wait.assert_was_not_missed();
        self.in_flight -= reaped;
        self.reaped += u64::from(reaped);
    }

    fn check_counters<E: IoEngine>(&self, engine: &E) {
        let counters = engine.counters();
        let counted = (counters.submitted, counters.reaped);
        assert_eq!(counted, (self.taken, self.reaped), "counters of submitted and reaped requests");
    }

    /// Drains once, and settles what came. Returns whether that was all.
    fn drain_once<E: IoEngine>(&mut self, engine: &mut E, wait: Wait) -> bool {
        let before = self.done.len();
        let drained = engine.drain(wait.deadline, &mut self.done);
        wait.assert_was_not_missed();
        let counters = engine.counters();
        let taken = u32::try_from(counters.submitted - self.taken).expect("few requests");
        assert!(taken == 0 || self.partly_taken, "a drain submitted what was only queued");
        self.note_taken(taken);
        let added = u32::try_from(self.done.len() - before).expect("few requests");
        let reaped = u32::try_from(counters.reaped - self.reaped).expect("few requests");
        assert!(reaped <= added.min(self.in_flight), "drain counted more than it brought");
        self.in_flight -= reaped;
        self.reaped = counters.reaped;
        self.cancelled = added - reaped;
        self.settle();
        assert_eq!(self.cancelled, 0, "a request that was only queued came without ECANCELED");
        let left = self.held();
        match drained {
            Ok(()) => assert_eq!(left, 0, "drain says that all is in, which is not so"),
            Err(still) => {
                assert_eq!(still.count, left, "drain is wrong about how many are in flight");
                assert!(left > 0, "drain says that requests are out, which is not so");
            }
        }
        left == 0
    }

    fn drain<E: IoEngine>(&mut self, engine: &mut E) {
        for _call in 0..HASTY_DRAINS {
            self.new_buffer(1);
            let wait = self.any_wait();
            if self.drain_once(engine, wait) {
                return;
            }
        }
        self.new_buffer(self.shape.depth);
        let all = self.drain_once(engine, Wait::patient());
        assert!(all, "a drain with time and room for everything did not bring everything");
    }

    /// Another buffer for completions, of a random capacity, when this one is empty.
    fn new_buffer(&mut self, least: u32) {
        if self.done.is_empty() {
            let any = self.dice.below(self.shape.depth + 2);
            let capacity = self.dice.pick(&[0, 1, any, self.shape.depth]).max(least);
            self.done = Completions::with_capacity(capacity as usize);
        }
    }

    /// Leaves the engine in the middle: with requests queued, in flight, reaped and not looked at,
    /// and perhaps in the middle of a drain.
    fn leave<E: IoEngine>(&mut self, engine: &mut E) {
        self.queue_some(engine);
        let taken = engine.submit().expect("the engine stays alive");
        self.note_taken(taken);
        if self.dice.one_in(2) {
            self.queue_some(engine);
        }
        if self.dice.one_in(4) {
            self.settle();
            self.done = Completions::with_capacity(self.dice.below(3) as usize);
            let wait = self.any_wait();
            self.drain_once(engine, wait);
        }
        self.report.left += u64::from(self.held() > 0);
    }
}

impl Lane for &mut Walk<'_> {
    type Output = ();

    fn run<E: IoEngine>(self, engine: &mut E) {
        let enough = self.report.moved_bytes + self.shape.budget_bytes;
        for _step in 0..self.shape.steps {
            self.queue_some(engine);
            if self.dice.one_in(30) {
                self.settle();
                self.drain(engine);
                self.check_counters(engine);
            }
            self.call(engine);
            // Now and then the buffer stays as full as it is, so that there is little or no room.
            if self.dice.below(4) > 0 {
                self.settle();
                self.new_buffer(0);
            }
            if self.report.moved_bytes > enough {
                break;
            }
        }
        match self.shape.ending {
            Ending::Drains => {
                self.settle();
                self.drain(engine);
            }
            Ending::Finishes => self.finish(engine),
            Ending::Returns => self.leave(engine),
            Ending::Panics => {
                self.leave(engine);
                // Without the panic's message, which would look like a failure.
                resume_unwind(Box::new(OWN_PANIC));
            }
        }
    }
}

impl Walk<'_> {
    /// Waits for everything.
    fn finish<E: IoEngine>(&mut self, engine: &mut E) {
        const CALLS_MAX: u32 = 10_000;
        for _call in 0..CALLS_MAX {
            self.settle();
            if self.held() == 0 {
                self.check_counters(engine);
                return;
            }
            self.new_buffer(1);
            let min = self.any_min().max(1);
            self.submit_and_reap(engine, min, Wait::patient());
        }
        panic!("requests never complete: {:?}", self.states);
    }
}
