//! One lane: a slice of a tensor, an engine of its own, and the loops that move one through the
//! other.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use super::failure::LaneError;
use super::flow::{Flow, Tally, Watch};
use super::shared::Shared;
use super::source::{Slice, Sweep};
use crate::data::{self, DataStream};
use crate::engine::{Backend, EngineCounters, IoEngine, Lane, LaneSetup, Operations};
use crate::memory::{Part, Region, pin_current_thread};
use crate::plan::Direction;
use crate::receipt::Receipt;
use crate::stats::Fingerprint;

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

/// All that a lane needs, handed to its thread.
pub(super) struct LaneTask {
    pub shared: Arc<Shared>,
    pub place: LanePlace,
    pub slice: Slice,
    pub memory: Region,
    pub files: Arc<[Arc<File>]>,
    pub data: DataStream,
}

/// What a lane has done.
pub(crate) struct LaneResult {
    /// When *main* ended in each finished loop.
    pub ends: Vec<Instant>,
    /// Counts of the loops that count.
    pub tally: Tally,
    pub counters: EngineCounters,
    pub receipts: Vec<Receipt>,
    /// Its memory, unless the kernel still has some of it.
    pub memory: Option<Region>,
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
            ends: Vec::new(),
            tally: Tally::new(fingerprint),
            counters: EngineCounters::default(),
            receipts,
            memory,
            error: Some(error),
        }
    }
}

impl LaneTask {
    /// Runs the lane on the calling thread. Whatever happens is in the result.
    pub(super) fn run<B: Backend>(mut self, backend: &B) -> LaneResult {
        let shared = Arc::clone(&self.shared);
        let guard = shared.guard();
        let fingerprint = Fingerprint::new(shared.plan.seed, self.place.tid, self.place.lane);
        let mut receipts = Vec::new();
        if let Err(error) = self.settle(&mut receipts) {
            return LaneResult::failed(error, fingerprint, receipts, Some(self.memory));
        }
        let depth = shared.plan.queue_depth;
        let part = Part::new(self.memory, shared.block_bytes, depth as usize);
        let setup = LaneSetup {
            queue_depth: depth,
            largest_block_bytes: shared.block_bytes,
            operations: Operations::of(&[self.slice.direction.operation()]),
            files: self.files,
            segments: part.segments(),
        };
        let work = LaneWork {
            shared: &shared,
            place: self.place,
            slice: self.slice,
            flow: Flow::new(&shared.plan, shared.alignment, Tally::new(fingerprint)),
            part,
            receipts,
        };
        match backend.with_engine(setup, work) {
            Ok(result) => {
                if result.error.is_none() {
                    guard.disarm();
                }
                result
            }
            Err(error) => LaneResult::failed(LaneError::Open(error), fingerprint, Vec::new(), None),
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
        if self.slice.direction == Direction::Write {
            let mut at = self.slice.offset_bytes;
            for step in self.memory.as_mut_slice().chunks_mut(FILL_STEP_BYTES) {
                if halted() {
                    break;
                }
                self.data.fill(at, 0, step);
                at += step.len() as u64;
            }
        }
        if halted() { Err(LaneError::Halted) } else { Ok(()) }
    }
}

/// The lane's loops, for whichever engine is lent to them.
struct LaneWork<'a> {
    shared: &'a Shared,
    place: LanePlace,
    slice: Slice,
    flow: Flow,
    part: Part,
    receipts: Vec<Receipt>,
}

impl Lane for LaneWork<'_> {
    type Output = LaneResult;

    fn run<E: IoEngine>(mut self, engine: &mut E) -> LaneResult {
        let plan = &self.shared.plan;
        let mut done = Done {
            ends: Vec::with_capacity(plan.loops_in_all() as usize),
            counters: EngineCounters::default(),
        };
        let mut error = None;
        for index in 0..plan.loops_in_all() {
            if let Err(failed) = self.one_loop(engine, index, &mut done) {
                error = Some(failed);
                break;
            }
        }
        let mut rest = Sweep { part: &mut self.part, slice: self.slice, target: 0 };
        if let Err(failed) = self.flow.drain(engine, &mut rest) {
            // More to tell than that somebody else ended the run.
            if error.as_ref().is_none_or(LaneError::is_secondary) {
                error = Some(failed);
            }
        }
        let tally = self.flow.tally;
        if error.is_none() && !tally.fingerprint.is_settled() {
            error = Some(LaneError::Unsettled);
        }
        self.receipts.extend(engine.receipts());
        LaneResult {
            ends: done.ends,
            tally,
            counters: done.counters,
            receipts: self.receipts,
            memory: self.part.into_region().ok(),
            error,
        }
    }
}

/// What the finished loops of a lane add up to.
struct Done {
    ends: Vec<Instant>,
    counters: EngineCounters,
}

impl LaneWork<'_> {
    fn one_loop<E: IoEngine>(
        &mut self,
        engine: &mut E,
        index: u32,
        done: &mut Done,
    ) -> Result<(), LaneError> {
        let shared = self.shared;
        self.prepare(index);
        let counts = shared.plan.counts(index);
        let target = if shared.plan.different_file_each_iteration { index } else { 0 };
        let target = u16::try_from(target).expect("refused when the plan was resolved");
        let watch = Watch {
            halted: || shared.is_halted(),
            moved: shared.moved(self.place.lane_of_wave),
            counts,
        };
        let mut sweep = Sweep { part: &mut self.part, slice: self.slice, target };
        let before = engine.counters();
        shared.begin_loop().map_err(LaneError::Barrier)?;
        let end = self.flow.run(engine, &mut sweep, &watch)?;
        shared.end_loop().map_err(LaneError::Barrier)?;
        done.ends.push(end);
        if counts {
            done.counters += engine.counters() - before;
        }
        Ok(())
    }

    /// Readies the memory for a loop, outside the clock.
    fn prepare(&mut self, index: u32) {
        let offset_bytes = self.slice.offset_bytes;
        let bytes = self.part.rewind().expect("all blocks are home between loops");
        let loop_number = self.shared.first_loop.wrapping_add(index);
        match self.slice.direction {
            Direction::Write => data::stamp(offset_bytes, loop_number, bytes),
            Direction::Read if self.shared.plan.validate => data::poison(bytes),
            Direction::Read => {}
        }
    }
}
