//! One lane: memory, an engine of its own, and the loops that move one through the other.

mod blocks;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::failure::{LaneError, panic_text};
use super::flow::{Flow, PaceTally, Tally, Watch};
use super::shared::{CpuTime, Shared};
use super::source::{Job, Share, Slice, Source, Sweep};
use super::verify::Terms;
use crate::clock::Stamp;
use crate::data::{self, DataStream};
use crate::engine::{Backend, EngineCounters, IoEngine, Lane, LaneSetup, Operations};
use crate::memory::{Block, Part, Region, pin_current_thread};
use crate::observe::mark_unread;
use crate::plan::Direction;
use crate::receipt::Receipt;
use crate::stats::{Fingerprint, Kind, LanePrint, PerKind, What};
use crate::target::DropCache;

/// How much of a tensor is filled between two looks at whether to stop.
const FILL_STEP_BYTES: usize = 16 << 20;

/// Where a lane stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct LanePlace {
    pub tid: u32,
    /// Its number within its tasklet.
    pub lane: u32,
    /// Its number within the wave.
    pub lane_of_wave: usize,
}

/// What a lane does in each loop.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Moves its slice of the tensor, all of which is in its memory.
    Slice(Slice),
    /// Asks for its share of blocks, through buffers in its memory.
    Blocks(Share),
}

impl Work {
    fn direction(&self) -> Direction {
        match self {
            Self::Slice(slice) => slice.direction,
            Self::Blocks(share) => share.direction,
        }
    }

    /// The share of blocks, if it is blocks.
    pub(super) fn into_share(self) -> Option<Share> {
        match self {
            Self::Slice(_) => None,
            Self::Blocks(share) => Some(share),
        }
    }

    fn operations(&self) -> Operations {
        match self {
            Self::Slice(slice) => Operations::of(slice.direction.operations()),
            Self::Blocks(share) => share.operations(),
        }
    }
}

/// All that a lane needs, handed to its thread.
pub(super) struct LaneTask {
    pub shared: Arc<Shared>,
    pub place: LanePlace,
    pub work: Work,
    pub memory: Region,
    pub files: Arc<[Arc<File>]>,
    pub data: DataStream,
    /// What blocks are verified by, if they are.
    pub terms: Option<Terms>,
}

/// What a lane has done in one loop.
#[derive(Clone, Debug)]
pub(crate) struct LaneLoop {
    /// When its *main* ended.
    pub end: Stamp,
    /// Bytes of the tensor or range that it moved.
    pub bytes: PerKind<u64>,
    /// Requests that it completed.
    pub requests: PerKind<u64>,
    /// What its engine counted.
    pub counters: EngineCounters,
    /// What its thread spent.
    pub cpu: CpuTime,
    /// Which requests these were, if time ended it.
    pub print: Option<LanePrint>,
    /// How long it took to make durable what was written, when that was asked for.
    pub flush: Option<Duration>,
}

/// What a lane has done.
pub(crate) struct LaneResult {
    /// Each finished loop.
    pub loops: Vec<LaneLoop>,
    pub tally: Tally,
    /// How its requests fared against their schedule, if they had one.
    pub pace: Option<PaceTally>,
    pub receipts: Vec<Receipt>,
    /// Its memory, unless the kernel still has some of it.
    pub memory: Option<Region>,
    /// Bytes of the blocks that it read and found right.
    pub verified_bytes: u64,
    pub error: Option<LaneError>,
}

impl LaneResult {
    /// Of a lane that did not come to its loops.
    fn failed(
        error: LaneError,
        fingerprint: Fingerprint,
        receipts: Vec<Receipt>,
        memory: Option<Region>,
    ) -> Self {
        Self {
            loops: Vec::new(),
            tally: Tally::new(fingerprint),
            pace: None,
            receipts,
            memory,
            verified_bytes: 0,
            error: Some(error),
        }
    }
}

impl LaneTask {
    /// Runs the lane on the calling thread. Whatever happens is in the result, a panic too: a lane
    /// has gone then, and its tasklet must not wait for it, or go before the others.
    pub(super) fn run<B: Backend>(self, backend: &B) -> LaneResult {
        let fingerprint = Fingerprint::new(self.shared.plan.seed, self.place.tid, self.place.lane);
        let worked = catch_unwind(AssertUnwindSafe(|| self.work(backend)));
        worked.unwrap_or_else(|panic| {
            let error = LaneError::Panic(panic_text(panic.as_ref()));
            LaneResult::failed(error, fingerprint, Vec::new(), None)
        })
    }

    fn work<B: Backend>(mut self, backend: &B) -> LaneResult {
        let shared = Arc::clone(&self.shared);
        let guard = shared.guard();
        let place = self.place;
        let fingerprint = || Fingerprint::new(shared.plan.seed, place.tid, place.lane);
        let mut receipts = Vec::new();
        if let Err(error) = self.settle(&mut receipts) {
            return LaneResult::failed(error, fingerprint(), receipts, Some(self.memory));
        }
        let depth = shared.plan.queue_depth;
        let part = Part::new(self.memory, shared.block_bytes, depth as usize);
        let setup = LaneSetup {
            queue_depth: depth,
            largest_block_bytes: shared.block_bytes,
            operations: self.work.operations(),
            files: self.files,
            segments: part.segments(),
        };
        let flow = Flow::new(&shared.plan, shared.alignment, Tally::new(fingerprint()));
        let work = LaneWork {
            shared: &shared,
            place: self.place,
            flow: if self.terms.is_some() { flow.in_rounds() } else { flow },
            files: Arc::clone(&setup.files),
            part,
            work: self.work,
            pace: None,
            dropped: None,
            terms: self.terms,
            verified_bytes: 0,
            receipts,
            counted: Duration::ZERO,
        };
        match backend.with_engine(setup, work) {
            Ok(result) => {
                if result.error.is_none() {
                    guard.disarm();
                }
                result
            }
            Err(error) => {
                LaneResult::failed(LaneError::Open(error), fingerprint(), Vec::new(), None)
            }
        }
    }

    /// Places the thread and its memory, makes the memory present, and puts data into it.
    fn settle(&mut self, receipts: &mut Vec<Receipt>) -> Result<(), LaneError> {
        let plan = &self.shared.plan;
        if !plan.cpus.is_empty() {
            pin_current_thread(plan.cpus[self.place.lane_of_wave % plan.cpus.len()])?;
        }
        if let Some(node) = plan.numa_node {
            let bound = self.memory.bind_to_numa_node(node);
            bound.map_err(|source| LaneError::NumaNode { node, source })?;
        }
        let shared = &self.shared;
        let halted = || shared.is_halted();
        receipts.push(match self.memory.populate_and_lock(&halted) {
            Ok(()) => Receipt::granted("memory-lock", "on"),
            Err(error) => Receipt::downgraded(
                "memory-lock",
                "on",
                "off",
                &format!("{error}; raise the limit with ulimit -l"),
            ),
        });
        if self.work.direction().writes_data() {
            let mut at = match &self.work {
                Work::Slice(slice) => slice.offset_bytes,
                // No two buffers of a tasklet hold the same.
                Work::Blocks(..) => u64::from(self.place.lane) * self.memory.len() as u64,
            };
            for step in self.memory.as_mut_slice().chunks_mut(FILL_STEP_BYTES) {
                if halted() {
                    break;
                }
                self.data.fill(at, 0, step);
                at += step.len() as u64;
            }
        } else {
            mark_unread(&mut self.memory);
        }
        if halted() { Err(LaneError::Halted) } else { Ok(()) }
    }
}

/// The lane's loops, for whichever engine is lent to them.
struct LaneWork<'a> {
    shared: &'a Shared,
    place: LanePlace,
    work: Work,
    files: Arc<[Arc<File>]>,
    flow: Flow,
    part: Part,
    pace: Option<PaceTally>,
    /// What the page cache kept, all in all.
    dropped: Option<DropCache>,
    terms: Option<Terms>,
    verified_bytes: u64,
    receipts: Vec<Receipt>,
    /// How long the loops that count have taken.
    counted: Duration,
}

impl Lane for LaneWork<'_> {
    type Output = LaneResult;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> LaneResult {
        let plan = &self.shared.plan;
        let mut loops = Vec::with_capacity(plan.loops_in_all() as usize);
        if self.is_of_blocks() {
            for home in self.flow.homes() {
                *home = self.part.lend(self.shared.block_bytes);
            }
        }
        let mut error = None;
        for index in 0..plan.loops_in_all() {
            if let Err(failed) = self.one_loop(engine, index, &mut loops) {
                error = Some(failed);
                break;
            }
        }
        let mut rest = Rest(&mut self.part);
        if let Err(failed) = self.flow.drain(engine, &mut rest) {
            // More to tell than that somebody else ended the run.
            if error.as_ref().is_none_or(LaneError::is_secondary) {
                error = Some(failed);
            }
        }
        for home in self.flow.homes() {
            rest.take_back(home.take(), &mut None);
        }
        let tally = self.flow.into_tally();
        if error.is_none() && !tally.fingerprint.is_settled() {
            error = Some(LaneError::Unsettled);
        }
        self.receipts.extend(engine.receipts());
        self.receipts.extend(self.dropped.map(DropCache::receipt));
        LaneResult {
            loops,
            tally,
            pace: self.pace,
            receipts: self.receipts,
            memory: self.part.into_region().ok(),
            verified_bytes: self.verified_bytes,
            error,
        }
    }
}

impl LaneWork<'_> {
    fn one_loop<E: IoEngine>(
        &mut self,
        engine: &mut E,
        index: u32,
        loops: &mut Vec<LaneLoop>,
    ) -> Result<(), LaneError> {
        let shared = self.shared;
        self.prepare(index);
        self.drop_cache()?;
        let counts = shared.plan.counts(index);
        let target = if shared.plan.different_file_each_iteration { index } else { 0 };
        let target = u16::try_from(target).expect("refused when the plan was resolved");
        let mut watch = Watch {
            halted: || shared.is_halted(),
            moved: shared.moved(self.place.lane_of_wave),
            counts,
            until: Stamp::NEVER,
        };
        let counters_before = engine.counters();
        let cpu_before = CpuTime::of_this_thread();
        let (moved_before, completed_before) = self.flow.totals();
        let ran = if let Work::Slice(slice) = self.work {
            let mut sweep = Sweep { part: &mut self.part, slice, target };
            let start = shared.begin_loop().map_err(LaneError::Barrier)?;
            self.flow.begin(start, counts.then_some(self.counted));
            self.flow.run(engine, &mut sweep, &watch)
        } else {
            self.run_blocks(engine, index, target, &mut watch)
        };
        let end = match &ran {
            Ok(end) => *end,
            // Blocks that were done until the run was told to stop are a result by themselves.
            Err(LaneError::Halted) if self.is_of_blocks() && shared.is_stopped() => Stamp::now(),
            Err(_) => return ran.map(|_end| ()),
        };
        let cpu = CpuTime::of_this_thread().saturating_sub(cpu_before);
        let (bytes, requests) = self.flow.totals();
        let by_time = watch.until != Stamp::NEVER;
        loops.push(LaneLoop {
            end,
            bytes: bytes - moved_before,
            requests: requests - completed_before,
            counters: engine.counters() - counters_before,
            cpu,
            print: by_time.then(|| self.flow.take_print()),
            flush: None,
        });
        ran?;
        shared.end_loop().map_err(LaneError::Barrier)?;
        if counts {
            self.counted += shared.last_loop();
        }
        let done = loops.last_mut().expect("it was just added");
        done.flush = self.end_fsync()?;
        Ok(())
    }

    fn is_of_blocks(&self) -> bool {
        matches!(self.work, Work::Blocks(..))
    }

    /// Readies the memory for a loop, outside the clock.
    fn prepare(&mut self, index: u32) {
        let Work::Slice(slice) = self.work else { return };
        let bytes = self.part.rewind().expect("all blocks are home between loops");
        let loop_number = self.shared.first_loop.wrapping_add(index);
        match slice.direction {
            Direction::Write => data::stamp(slice.offset_bytes, loop_number.into(), bytes),
            Direction::Read if self.shared.plan.validate => data::poison(bytes),
            Direction::Read | Direction::Mixed | Direction::Trim => {}
        }
    }
}

/// No more jobs; all memory goes back to the part.
struct Rest<'a>(&'a mut Part);

impl Source for Rest<'_> {
    fn choose(&mut self, _offsets: &mut [u64]) -> usize {
        0
    }

    fn job(&mut self, _offset_bytes: u64, _home: &mut Option<Block>) -> Job {
        unreachable!("none was chosen")
    }

    fn kind_each(&self) -> Option<Kind> {
        None
    }

    fn useful_bytes(&self, _offset_bytes: u64, _what: What) -> u32 {
        0
    }

    fn useful_bytes_each(&self) -> Option<u32> {
        Some(0)
    }

    fn take_back(&mut self, block: Option<Block>, _home: &mut Option<Block>) {
        if let Some(block) = block {
            let stranger = self.0.take_back(block);
            assert!(stranger.is_ok(), "a block comes back to the part that lent it");
        }
    }
}
