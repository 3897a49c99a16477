//! Engines that panic in the middle of whole sessions: a defect is told as one, nobody waits for
//! who has gone, and nothing is left behind.

#[path = "hostile/limit.rs"]
mod limit;

use std::fs;
use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aio_core::engine::{
    Backend, Capabilities, Completions, Deadline, EngineCounters, EngineError, IoEngine, Lane,
    LaneSetup, Needs, OpenError, OptionSpec, Progress, Rejected, Request, StillInFlight,
    Unsupported,
};
use aio_core::plan::{Direction, Origin, PathTemplate, Phase, Plan, TensorGroup};
use aio_core::receipt::Receipt;
use aio_core::report::Status;
use aio_core::session::{Session, Silent, Stop};
use aio_core::testing::{Usage, skip};

use limit::Limit;

/// What is said in the panics that the tests want.
const ON_PURPOSE: &str = "on purpose";

/// Where the engine panics.
#[derive(Clone, Copy, Debug)]
enum Where {
    /// In *pre*, before it is opened.
    Opening,
    /// In *main*, with requests queued.
    Queueing,
    /// In *main*, with requests in flight.
    Reaping,
    /// When the lane is through and drains it.
    Draining,
}

/// A backend one of whose engines panics.
#[derive(Clone)]
struct Panicky<B> {
    inner: B,
    place: Where,
    /// Which of its engines it is, in the order in which they are opened.
    engine: u32,
    opened: Arc<AtomicU32>,
}

struct Panics<'a, E> {
    inner: &'a mut E,
    place: Option<Where>,
    calls: u32,
}

struct Wrapped<L> {
    lane: L,
    place: Option<Where>,
}

impl<L: Lane> Lane for Wrapped<L> {
    type Output = L::Output;

    fn run<E: IoEngine>(self, engine: &mut E) -> Self::Output {
        self.lane.run(&mut Panics { inner: engine, place: self.place, calls: 0 })
    }
}

impl<B: Backend> Backend for Panicky<B> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn moves_data(&self) -> bool {
        self.inner.moves_data()
    }

    fn options(&self) -> &'static [OptionSpec] {
        self.inner.options()
    }

    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        self.inner.probe(needs)
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let place = Some(self.place).filter(|_| number == self.engine);
        assert!(!matches!(place, Some(Where::Opening)), "{ON_PURPOSE}");
        self.inner.with_engine(setup, Wrapped { lane, place })
    }
}

impl<E> Panics<'_, E> {
    /// Panics at the third call of those that are to.
    fn may_panic(&mut self, is_here: fn(Where) -> bool) {
        if self.place.is_some_and(is_here) {
            self.calls += 1;
            assert!(self.calls < 3, "{ON_PURPOSE}");
        }
    }
}

impl<E: IoEngine> IoEngine for Panics<'_, E> {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        self.may_panic(|place| matches!(place, Where::Queueing));
        self.inner.queue(request)
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        self.inner.submit()
    }

    fn reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.may_panic(|place| matches!(place, Where::Reaping));
        self.inner.reap(min, deadline, done)
    }

    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        self.may_panic(|place| matches!(place, Where::Reaping));
        self.inner.submit_and_reap(min, deadline, done)
    }

    fn drain(&mut self, deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        assert!(!matches!(self.place, Some(Where::Draining)), "{ON_PURPOSE}");
        self.inner.drain(deadline, done)
    }

    fn counters(&self) -> EngineCounters {
        self.inner.counters()
    }

    fn receipts(&self) -> Vec<Receipt> {
        self.inner.receipts()
    }
}

fn plan(folder: &Path) -> Plan {
    let group = TensorGroup {
        path: PathTemplate::new(folder.join("w.{tid}")),
        tasklets: 2,
        sizes_bytes: vec![1 << 20],
        origin: Origin::Made,
    };
    let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(Direction::Write, vec![group])]);
    plan.block_size_bytes = 16_384;
    plan.queue_depth = 8;
    plan.lanes = 2;
    plan.buffered = true;
    plan
}

fn each_place<B: Backend>(inner: &B) {
    let _limit = Limit::of(Duration::from_secs(120), "a session whose engine panics");
    let folder = tempfile::tempdir().expect("there is room");
    for place in [Where::Opening, Where::Queueing, Where::Reaping, Where::Draining] {
        // Two tasklets of two lanes each, in any order: each of these numbers may be a tasklet's
        // first lane, on its own thread, or the other one.
        for engine in 0..4 {
            let before = Usage::now();
            let session = Session::open(plan(folder.path()), None, Stop::default());
            let session = session.expect("a plan that can run");
            if let Err(unsupported) = inner.probe(&session.needs()) {
                return skip(&format!("{}: {}", inner.name(), unsupported.sentence()));
            }
            let opened = Arc::default();
            let backend = Panicky { inner: inner.clone(), place, engine, opened };
            let report = session.run(&backend, inner.name(), 0, &mut Silent);
            let direction = &report.directions[0];
            let what = format!("{} {place:?} {engine}", inner.name());
            assert_eq!(direction.status, Status::Failed, "{what}");
            let told: Vec<_> = direction.failures.iter().map(|one| one.message.as_str()).collect();
            assert_eq!(told, ["a panic: on purpose (a defect of aio)"], "{what}");
            assert_eq!(session.finish(), Vec::<String>::new(), "{what}");
            assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0, "{what}");
            before.assert_is_now();
        }
    }
}

/// Keeps the panics that are wanted out of the output, and what a trace of them maps out of the
/// process.
fn hush() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains(ON_PURPOSE) {
            usual(info);
        }
    }));
}

#[test]
fn an_engine_that_panics_is_told_as_a_defect_and_nothing_is_left_behind() {
    hush();
    // One after the other: descriptors and threads of the process are counted.
    each_place(&aio_uring::Uring::default());
    each_place(&aio_libaio::Libaio::default());
    each_place(&aio_sync::SyncIo::default());
}
