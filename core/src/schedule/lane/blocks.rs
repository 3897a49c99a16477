//! A lane's loops over blocks.

use std::time::Duration;

use super::{LanePlace, LaneWork, Work};
use crate::clock::Stamp;
use crate::engine::IoEngine;
use crate::plan::Plan;
use crate::schedule::failure::LaneError;
use crate::schedule::flow::{Pace, Rate, Watch};
use crate::schedule::source::{BlockStream, Source, StreamName, VariedStream};
use crate::stats::Kind;
use crate::target::{DropCache, drop_cache};

impl LaneWork<'_> {
    /// Makes durable what the tasklet has written, on a clock of its own; the first lane does it
    /// for all.
    pub(super) fn end_fsync(&self) -> Result<Option<Duration>, LaneError> {
        let Work::Blocks(share) = &self.work else { return Ok(None) };
        if !share.access.end_fsync || !share.direction.writes_data() || self.place.lane > 0 {
            return Ok(None);
        }
        let start = Stamp::now();
        self.files[0].sync_all().map_err(LaneError::EndFsync)?;
        Ok(Some(Stamp::now().since(start)))
    }

    /// Does the jobs of a loop over blocks.
    pub(super) fn run_blocks<E: IoEngine, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        index: u32,
        target: u16,
        watch: &mut Watch<H>,
    ) -> Result<Stamp, LaneError> {
        let shared = self.shared;
        let Work::Blocks(share) = &self.work else { unreachable!("asked for blocks only") };
        let LanePlace { tid, lane, .. } = self.place;
        let name = StreamName { seed: shared.plan.seed, tid, lane, loop_index: index };
        let loop_number = shared.first_loop.wrapping_add(index);
        // Room for more writes in a loop than a device survives.
        let mark = u64::from(loop_number) << 40;
        let is_warm_up = index < shared.plan.warmup_loops;
        let share = share.in_loop(index, &shared.plan);
        let runtime = share.access.runtime_ns_of(is_warm_up).map(Duration::from_nanos);
        if let Some(terms) = &self.terms {
            let stream = VariedStream::new(&share, name, target, mark);
            let depth = shared.plan.queue_depth;
            let mut checked = terms.checked(stream, &self.files[0], lane, loop_number, depth);
            let ran = self.timed(engine, &mut checked, watch, runtime, name);
            let (right_bytes, bad) = checked.finish(self.flow.homes());
            self.verified_bytes += right_bytes;
            return match bad {
                Some(bad) if !ran.as_ref().is_err_and(|error| !error.is_secondary()) => {
                    Err(LaneError::BadBlock { target, bad })
                }
                _ => ran,
            };
        }
        match share.kind_alike(self.terms.is_some()) {
            Some(Kind::Read) => {
                let mut stream = BlockStream::<false>::new(&share, name, target, mark);
                self.timed(engine, &mut stream, watch, runtime, name)
            }
            Some(Kind::Write) => {
                let mut stream = BlockStream::<true>::new(&share, name, target, mark);
                self.timed(engine, &mut stream, watch, runtime, name)
            }
            _ => {
                let mut stream = VariedStream::new(&share, name, target, mark);
                self.timed(engine, &mut stream, watch, runtime, name)
            }
        }
    }

    /// Has the page cache forget the tasklet's files, where that was asked; the first lane does it
    /// for all, which wait for it at the barrier.
    pub(super) fn drop_cache(&mut self) -> Result<(), LaneError> {
        if !self.shared.plan.drop_cache || self.place.lane > 0 {
            return Ok(());
        }
        for file in self.files.iter() {
            let dropped = drop_cache(file).map_err(LaneError::DropCache)?;
            let before = self.dropped.unwrap_or(DropCache::ALL);
            self.dropped = Some(before.and(dropped));
        }
        Ok(())
    }

    /// Waits for all lanes and does the jobs of `source`, as fast as they go or at the rate that was
    /// asked, until there are no more or `runtime` is over.
    fn timed<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &mut Watch<H>,
        runtime: Option<Duration>,
        name: StreamName,
    ) -> Result<Stamp, LaneError> {
        let start = self.shared.begin_loop().map_err(LaneError::Barrier)?;
        watch.until = runtime.map_or(Stamp::NEVER, |runtime| start + runtime);
        self.flow.begin(start, watch.counts.then_some(self.counted));
        let Work::Blocks(share) = &self.work else { unreachable!("asked for blocks only") };
        let Some(rate) = share.access.rate else {
            return self.flow.run(engine, source, watch);
        };
        let Plan { lanes, queue_depth, .. } = self.shared.plan;
        let rate = Rate { per_s: rate.per_s, poisson: rate.poisson, lane: self.place.lane, lanes };
        let tally = self.pace.take().unwrap_or_default();
        let mut pace = Pace::new(rate, start, name, queue_depth, tally);
        let ran = self.flow.run_paced(engine, source, watch, &mut pace);
        self.pace = Some(pace.into_tally());
        ran
    }
}
