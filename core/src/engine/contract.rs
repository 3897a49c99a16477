//! The three traits.

use std::time::Duration;

use super::counters::EngineCounters;
use super::deadline::Deadline;
use super::ladder::LadderStep;
use super::options::OptionSpec;
use super::request::{Completions, Rejected, Request};
use super::setup::{
    Capabilities, EngineError, LaneSetup, Needs, OpenError, StillInFlight, Unsupported,
};
use crate::receipt::Receipt;
use crate::target::TargetKind;

/// How long an engine that is dropped waits for what its lane has left in flight. Short, because a
/// lane that ends in order has drained the engine itself, with a patience of its own.
pub const LEFTOVER_PATIENCE: Duration = Duration::from_secs(1);

/// A selectable interface to the kernel, as a value that carries its options.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The name that selects it: `uring`.
    fn name(&self) -> &'static str;

    /// Whether its engines move data, or only measure the harness.
    fn moves_data(&self) -> bool;

    /// Whether its options have a thread look for completions, or for requests, without sleeping,
    /// so that a busy CPU tells nothing about who is the bottleneck.
    fn waits_by_polling(&self) -> bool {
        false
    }

    /// The options that it has, in the order of its listing.
    fn options(&self) -> &'static [OptionSpec];

    /// Steps from its plainest engine to its most elaborate one, each with one option more; none
    /// where there is nothing to climb.
    fn ladder(&self) -> &'static [LadderStep] {
        &[]
    }

    /// Whether its engines can work on targets of this kind. NVMe generic devices take commands
    /// instead of reads and writes.
    fn takes(&self, kind: TargetKind) -> bool {
        kind != TargetKind::NvmeGeneric
    }

    /// Descriptors that each of its engines holds open, beside the targets.
    fn descriptors_per_engine(&self) -> u32 {
        0
    }

    /// The most requests that one system call of its engines can hand to the kernel; absent for
    /// any number.
    fn requests_per_call_max(&self) -> Option<u32> {
        None
    }

    /// What becomes of the plan's batches of requests per submitting call, where that is not what
    /// was asked.
    fn batch_receipt(&self, asked: Option<u32>) -> Option<Receipt> {
        let (asked, most) = (asked?, self.requests_per_call_max()?);
        let why = "its system calls take one request each; the batch is handed to it at once";
        (asked > most).then(|| {
            Receipt::downgraded("batch-submit", &asked.to_string(), &most.to_string(), why)
        })
    }

    /// Asks the kernel whether engines like `needs` can be opened, by opening one for a moment.
    /// Changes nothing that outlives the call.
    ///
    /// # Errors
    /// Why not, and what would cure it.
    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported>;

    /// Builds one engine on the calling lane's own thread, lends it to `lane`, and drains what
    /// `lane` has left in it when it returns or panics. Memory that the kernel would not give back
    /// within [`LEFTOVER_PATIENCE`] stays mapped until the process ends.
    ///
    /// The engine is lent, not returned, because engines of different options are different types,
    /// because one may borrow its own ring, and because what is only borrowed cannot be leaked.
    ///
    /// # Errors
    /// When the engine cannot be opened; `lane` is not run then.
    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError>;
}

/// Work for one engine.
pub trait Lane {
    /// What the work results in.
    type Output;

    /// Does the work. Monomorphised per engine, so nothing in it is dispatched.
    fn run<E: IoEngine>(self, engine: &mut E) -> Self::Output;
}

/// What one call that submits and reaps has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests that the kernel took, in queue order.
    pub taken: u32,
    /// Completions added to `done`.
    pub reaped: u32,
}

/// One open queue, owned by one thread.
///
/// Requests of one queue may be done in any order: a flush covers the writes that completed before
/// it was queued, and core waits for those that it is to cover. A flush and a trim have no block,
/// and complete with 0 or an errno; what an interface lacks is refused by the probe, and never made
/// of other calls.
///
/// Every request that [`queue`](Self::queue) accepts comes back exactly once, with its memory, from
/// `reap`, `submit_and_reap` or `drain`, whatever the kernel said about it. No method allocates,
/// locks (a pool's queue aside), formats or reads the clock while all goes well. There are no
/// default methods: an engine must not work by accident.
pub trait IoEngine {
    /// Adds a request to the queue. Makes no system call.
    ///
    /// # Errors
    /// Gives the request back when the queue is full or the request is malformed.
    fn queue(&mut self, request: Request) -> Result<(), Rejected>;

    /// Hands queued requests to the kernel in one call and says how many it took, in queue order.
    /// Fewer than queued is normal: the rest stays queued. A request that the kernel refuses at
    /// once counts as taken; its error rides in its completion.
    ///
    /// # Errors
    /// When the engine is dead.
    fn submit(&mut self) -> Result<u32, EngineError>;

    /// Collects completions into `done`: waits until there are `min` or all that are in flight,
    /// whichever is less, or until the deadline, and adds whatever more is there, never beyond
    /// `done`'s spare capacity. Returns how many were added.
    ///
    /// # Errors
    /// When the engine is dead.
    fn reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError>;

    /// [`submit`](Self::submit) and then [`reap`](Self::reap), in one call where the kernel has
    /// one.
    ///
    /// # Errors
    /// When the engine is dead.
    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError>;

    /// Takes back what is queued, waits for what is in flight, and adds all of it to `done` while
    /// there is room. A request that was only queued comes back with `ECANCELED`.
    ///
    /// # Errors
    /// When requests are still in flight at the deadline; also when `done` ran full.
    fn drain(&mut self, deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight>;

    /// Running totals since the engine was opened. Short and cheap.
    fn counters(&self) -> EngineCounters;

    /// What was asked of the kernel when the engine was opened, and what it granted.
    fn receipts(&self) -> Vec<Receipt>;
}
