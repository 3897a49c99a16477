//! The backend: probing, and lending engines to lanes.

use std::mem;
use std::time::Duration;

use aio_core::clock::Stamp;
use aio_core::engine::{
    Backend, Capabilities, Completions, Deadline, IoEngine, LEFTOVER_PATIENCE, LadderStep, Lane,
    LaneSetup, Needs, OpenError, OptionSpec, RwFlags, Unsupported,
};

use crate::engine::Engine;
use crate::ladder::LADDER;
use crate::open;
use crate::options::{Libaio, OPTIONS};

impl Backend for Libaio {
    fn name(&self) -> &'static str {
        "libaio"
    }

    fn moves_data(&self) -> bool {
        true
    }

    fn waits_by_polling(&self) -> bool {
        self.flags.contains(RwFlags::HIPRI)
    }

    fn options(&self) -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn ladder(&self) -> &'static [LadderStep] {
        &LADDER
    }

    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        let Needs { operations, queue_depth, engines, ref target, buffered, .. } = *needs;
        self.flags.check(buffered)?;
        // Before the trial: once it is open, it is part of fs.aio-nr.
        open::check_limits(queue_depth, engines)?;
        let files: Vec<_> = target.iter().cloned().collect();
        let opened = open::open(*self, operations, queue_depth, engines, &files)?;
        Ok(Capabilities { receipts: opened.receipts })
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        let opened = open::open(*self, setup.operations, setup.queue_depth, 1, &setup.files)?;
        let mut lent = Lent::new(Engine::new(*self, opened, &setup), setup.queue_depth);
        Ok(lane.run(lent.engine()))
    }
}

/// An engine that is drained when it is dropped, by return or by panic.
#[derive(Debug)]
pub(crate) struct Lent {
    /// Taken out by `drop` only.
    engine: Option<Engine>,
    /// Where draining puts what comes back, with room for everything, made before the lane runs.
    leftovers: Completions,
    /// How long draining may take.
    pub(crate) patience: Duration,
}

impl Lent {
    pub(crate) fn new(engine: Engine, queue_depth: u32) -> Self {
        let leftovers = Completions::with_capacity(queue_depth as usize);
        Self { engine: Some(engine), leftovers, patience: LEFTOVER_PATIENCE }
    }

    pub(crate) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("only dropping takes the engine out")
    }
}

impl Drop for Lent {
    /// The order: drain, then the context, then the blocks, then the memory of requests and the
    /// targets.
    ///
    /// `io_destroy`, which is what dropping the context means, waits without a limit for what is in
    /// flight. So when draining missed its deadline the context is leaked, for the kernel to end
    /// with the process, and so are the blocks in flight, by the table that holds them.
    fn drop(&mut self) {
        let Some(mut engine) = self.engine.take() else { return };
        let deadline = Deadline::after(Stamp::now(), self.patience);
        match engine.drain(deadline, &mut self.leftovers) {
            Ok(()) => drop(engine),
            Err(_still_in_flight) => mem::forget(engine.into_context()),
        }
    }
}
