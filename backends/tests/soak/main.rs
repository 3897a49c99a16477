//! The soak: engines take turns on one file, with random work and random faults, for as long as
//! they are told to. Whatever they write and read is compared; memory, files and threads must stay
//! flat.
//!
//! `AIO_SOAK_SECONDS` says how long, `AIO_SOAK_SEED` where the choices start. In the suite it is
//! 5 s, with the faults after which what the file must hold is known; by hand, `ci/soak.sh` plays
//! all.

mod content;
mod fault;
#[path = "../hostile/limit.rs"]
mod limit;
#[path = "../hostile/storm.rs"]
mod storm;
mod tally;
mod work;

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aio_backends::{AnyBackend, RunPlan, parse};
use aio_core::report::{EngineReport, Status};
use aio_core::session::{Session, Silent, Stop};
use aio_core::target::{RefusedTarget, ResolveError};
use aio_core::testing::{Dice, Usage, skip, variable};

use content::{Content, Look};
use fault::{Fault, ignore_size_signals};
use limit::Limit;
use tally::Tally;
use work::Work;

/// How long it takes in the suite.
const DEFAULT_SECONDS: f64 = 5.0;
/// How long one round may take, whatever is done to it: a lane drains for up to 10 s.
const ROUND_LIMIT: Duration = Duration::from_secs(120);
/// Rounds after which the memory in use is taken as what the rest must keep to.
const WARM_UP_ROUNDS: u64 = 200;

/// Engines with the options that change the way of a request.
const SPECS: [&str; 16] = [
    "uring",
    "uring:fixed-buffers=off",
    "uring:fixed-files=off:registered-ring=off",
    "uring:defer-taskrun=off:coop-taskrun=off",
    "uring:single-issuer=off:no-sqarray=off",
    "uring:sqpoll:sqpoll-idle-ms=5",
    "uring:iowq-workers=2",
    "uring:registered-ring=off:coop-taskrun=off",
    "libaio",
    "libaio:nowait",
    "libaio:dsync",
    "sync",
    "sync:pool=2",
    "sync:inline=on",
    "sync:nowait",
    "sync:inline=off:dontcache",
];

/// What lasts from round to round.
struct Soak {
    path: PathBuf,
    is_direct: bool,
    content: Content,
    tally: Tally,
    /// What is done to runs.
    faults: &'static [Fault],
    /// Engines that cannot run here, which were said aloud.
    unsupported: HashSet<&'static str>,
}

#[test]
fn mixed_work_and_random_faults_on_one_file_corrupt_nothing_and_leave_nothing() {
    let asked: Option<f64> = variable("AIO_SOAK_SECONDS");
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    let faults: &[Fault] = if asked.is_some() { &Fault::ALL } else { &Fault::GENTLE };
    let first = variable("AIO_SOAK_SEED")
        .unwrap_or_else(|| RandomState::new().build_hasher().finish() >> 16);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is room");
    ignore_size_signals();
    let mut soak = Soak {
        path: folder.path().join("soak"),
        is_direct: true,
        content: Content::Unknown,
        tally: Tally::default(),
        faults,
        unsupported: HashSet::new(),
    };
    eprintln!("soak: {seconds} s from AIO_SOAK_SEED={first}");
    let before = Usage::now();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut seed = first;
    while Instant::now() < end {
        let limit = Limit::of(ROUND_LIMIT, "a round of the soak");
        let played = catch_unwind(AssertUnwindSafe(|| {
            soak.round(&mut Dice::new(seed));
        }));
        if let Err(panic) = played {
            eprintln!("soak: round {} failed: AIO_SOAK_SEED={seed}", soak.tally.rounds);
            resume_unwind(panic);
        }
        drop(limit);
        before.assert_is_now();
        soak.tally.rounds += 1;
        soak.tally.look_at_memory(WARM_UP_ROUNDS);
        seed = seed.wrapping_add(1);
    }
    let Usage { descriptors, threads, .. } = before;
    eprintln!("soak: {}, {descriptors} fds, {threads} threads throughout", soak.tally);
    eprintln!("soak: {} signals of storms were handled", storm::handled());
    soak.tally.assert_memory_is_flat();
}

impl Soak {
    fn round(&mut self, dice: &mut Dice) {
        let spec = dice.pick(&SPECS);
        let backend = parse(spec).expect("a spec that is known");
        let work = Work::draw(dice, &self.content, spec.contains("inline=on"));
        let fault = Fault::draw(dice, self.faults);
        if !self.content.suits(&work, &self.path) {
            self.content = Content::forgotten(&self.path);
        }
        let is_buffered = dice.one_in(2) || !self.is_direct || spec.contains("dontcache");
        let stop = Stop::default();
        let first_loop = dice.below(1 << 20);
        let run = || self.run(&work, &backend, spec, is_buffered, first_loop, stop.clone());
        let ran = fault.during(dice, &self.path, &stop, run);
        let what = format!("{spec} {work:?} {fault:?} buffered={is_buffered}");
        match ran {
            Ran::Refused(why) => {
                assert!(fault.explains(&why), "{what}: refused: {why}");
                self.tally.refused += 1;
            }
            Ran::NoDirectIo => {
                skip("a soak with direct I/O: the file system refuses it");
                self.is_direct = false;
                return;
            }
            Ran::Unsupported(why) => {
                if fault.explains(&why) {
                    self.tally.refused += 1;
                } else if self.unsupported.insert(spec) {
                    skip(&format!("{spec}: {why}"));
                }
            }
            Ran::Ended(report) => self.judge(&work, fault, &report, first_loop, &what),
        }
        self.tally.fault(fault);
        if fault == Fault::Flip && self.content.is_verified() {
            self.flip(dice, &backend, spec, &what);
        }
    }

    fn run(
        &self,
        work: &Work,
        backend: &AnyBackend,
        spec: &str,
        is_buffered: bool,
        first_loop: u32,
        stop: Stop,
    ) -> Ran {
        let plan = work.plan(&self.path, is_buffered);
        let session = match Session::open(plan, None, stop) {
            Ok(session) => session,
            Err(ResolveError::Target(RefusedTarget::NoDirectIo { .. })) => return Ran::NoDirectIo,
            Err(error) => return Ran::Refused(chain(&error)),
        };
        if let Err(unsupported) = backend.probe(&session.needs()) {
            return Ran::Unsupported(unsupported.sentence());
        }
        let report = backend.run(&session, spec, first_loop, &mut Silent);
        let warnings = session.finish();
        assert!(warnings.is_empty(), "{warnings:?}");
        Ran::Ended(Box::new(report))
    }

    /// What a run said of itself is held against the fault, and the file against both.
    fn judge(
        &mut self,
        work: &Work,
        fault: Fault,
        report: &EngineReport,
        first_loop: u32,
        what: &str,
    ) {
        self.tally.moved(report);
        let worst = |status| report.directions.iter().any(|one| one.status == status);
        for failure in report.directions.iter().flat_map(|one| &one.failures) {
            assert!(fault.explains(&failure.message), "{what}: {failure:?}");
        }
        if worst(Status::Failed) {
            let told = report.directions.iter().any(|one| !one.failures.is_empty());
            assert!(told, "{what}: failed without a reason");
            self.tally.failed += 1;
            self.content = Content::forgotten(&self.path);
        } else if worst(Status::Interrupted) {
            assert_eq!(fault, Fault::Stop, "{what}: interrupted by nobody");
            self.tally.interrupted += 1;
            self.content.after_a_part_of(work);
            self.content.assert_holds(&self.path, what);
        } else {
            self.content.after_all_of(work, first_loop);
            if fault == Fault::Cut {
                self.tally.told += u64::from(self.content.tells_a_cut(&self.path, what));
                self.content = Content::forgotten(&self.path);
            } else {
                self.content.assert_holds(&self.path, what);
            }
        }
    }

    /// Damages one bit, which a judge from outside and a run that reads must both find.
    fn flip(&mut self, dice: &mut Dice, backend: &AnyBackend, spec: &str, what: &str) {
        let at = content::flip_a_bit(dice, &self.path);
        match content::look(&self.path) {
            Look::Bad { offset_bytes: offset, length_bytes: length } => {
                assert!((offset..offset + length).contains(&at), "{what}: {at} found at {offset}");
            }
            other => panic!("{what}: a bit was flipped at {at}, and a look finds {other:?}"),
        }
        let Some(work) = self.content.read_of_all() else { return };
        if let Ran::Ended(report) = self.run(&work, backend, spec, true, 0, Stop::default()) {
            let failures: Vec<_> = report.directions.iter().flat_map(|one| &one.failures).collect();
            assert!(
                failures.iter().any(|one| one.operation.as_deref() == Some("verify")),
                "{what}: a bit was flipped at {at}, and a read says {failures:?}"
            );
        }
        self.tally.told += 1;
        self.content = Content::forgotten(&self.path);
    }
}

/// What came of a run.
enum Ran {
    Refused(String),
    NoDirectIo,
    Unsupported(String),
    Ended(Box<EngineReport>),
}

/// An error and its sources as one sentence.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
