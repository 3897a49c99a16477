//! The `io_uring` backend: probing, and lending engines.

use std::time::Duration;

use aio_core::engine::{
    Backend, Capabilities, IoEngine, LEFTOVER_PATIENCE, LadderStep, Lane, LaneSetup, Needs,
    OpenError, OptionSpec, Unsupported,
};
use aio_core::receipt::Receipt;
use aio_core::target::TargetKind;

use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::entry::Plain;
use crate::ladder::LADDER;
use crate::nop::Nop;
use crate::open::Ring;
use crate::options::{OPTIONS, Uring};
use crate::passthrough::Passthrough;
use crate::{polled, trial};

/// The dialect that is spoken.
enum Way {
    Plain,
    Nop,
    Passthrough,
}

impl Uring {
    fn way(&self) -> Way {
        match (self.nop, self.passthrough) {
            (true, _) => Way::Nop,
            (false, true) => Way::Passthrough,
            (false, false) => Way::Plain,
        }
    }

    /// Opens a ring and lends its engine to `work`.
    ///
    /// When `work` returns or panics, what it leaves is dropped in this order: the engine, which
    /// waits up to `patience` for what is in flight, leaks the memory of what is still in flight
    /// then, and gives up its hold on the ring; the ring, which is thereby closed; the files and
    /// the memory, which the kernel could reach through it.
    pub(crate) fn lend<D: Dialect, T>(
        &self,
        setup: LaneSetup,
        patience: Duration,
        work: impl FnOnce(&mut Engine<'_, D>) -> T,
    ) -> Result<T, Unsupported> {
        let (queue_depth, operations) = (setup.queue_depth, setup.operations);
        let mut ring = Ring::open(self, setup)?;
        let mut engine = Engine::new(&mut ring, self, queue_depth, operations, patience)?;
        Ok(work(&mut engine))
    }

    /// Opens a ring like a lane's for a moment.
    fn try_out<D: Dialect>(&self, needs: &Needs) -> Result<Vec<Receipt>, Unsupported> {
        if let (true, Some(target)) = (self.iopoll || self.passthrough, &needs.target) {
            return trial::read_once::<D>(self, needs, target);
        }
        let setup = LaneSetup {
            queue_depth: needs.queue_depth,
            largest_block_bytes: needs.largest_block_bytes,
            operations: needs.operations,
            files: needs.target.iter().cloned().collect(),
            segments: Vec::new(),
        };
        self.lend(setup, LEFTOVER_PATIENCE, |engine: &mut Engine<'_, D>| {
            engine.try_to_enter().map(|()| engine.receipts())
        })?
    }

    fn run<D: Dialect, L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        Ok(self.lend(setup, LEFTOVER_PATIENCE, |engine: &mut Engine<'_, D>| lane.run(engine))?)
    }
}

impl Backend for Uring {
    /// The ring.
    fn descriptors_per_engine(&self) -> u32 {
        1
    }

    fn name(&self) -> &'static str {
        "uring"
    }

    fn moves_data(&self) -> bool {
        !self.nop
    }

    fn waits_by_polling(&self) -> bool {
        self.sqpoll.is_some() || self.iopoll
    }

    fn options(&self) -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn ladder(&self) -> &'static [LadderStep] {
        &LADDER
    }

    /// With `passthrough`, NVMe generic devices and nothing else.
    fn takes(&self, kind: TargetKind) -> bool {
        self.passthrough == (kind == TargetKind::NvmeGeneric)
    }

    /// Asks by opening a ring as deep as a lane's, with the target registered where there is one.
    /// Whether memory can be registered is not asked, for there is none yet.
    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        if self.iopoll && needs.buffered {
            return Err(polled::through_the_page_cache());
        }
        if self.passthrough && needs.buffered {
            return Err(Unsupported::new(
                "passthrough goes past the page cache, and this run is to go through it",
                "leave out --buffered, or passthrough",
            ));
        }
        let receipts = match self.way() {
            Way::Plain => self.try_out::<Plain>(needs)?,
            Way::Nop => self.try_out::<Nop>(needs)?,
            Way::Passthrough => self.try_out::<Passthrough>(needs)?,
        };
        Ok(Capabilities { receipts })
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        match self.way() {
            Way::Plain => self.run::<Plain, L>(setup, lane),
            Way::Nop => self.run::<Nop, L>(setup, lane),
            Way::Passthrough => self.run::<Passthrough, L>(setup, lane),
        }
    }
}
