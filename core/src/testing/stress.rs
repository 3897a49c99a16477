//! The stress test of an engine: random rounds of requests, held against a model of the files.
//!
//! Each round opens an engine of a random depth and block size and sends it random requests in
//! random batches, with random waits and too little room, through the page cache or past it. A
//! ledger knows what each call may do, and a model what each byte of the files must be:
//! whatever is read is compared with it, and the files as a whole after each round. Many rounds
//! leave their engine with requests queued and in flight, by return or by panic.
//!
//! It finds what the conformance suite does not think of, and is not a measurement.

mod disk;
mod draw;
mod round;
mod settle;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fmt, process};

use disk::Disk;

use super::dice::Dice;
use super::usage::{self, Usage};
use super::{fixture, skip};
use crate::engine::{Backend, Files};

/// The deepest queue of a round, unless the backend's probe allows less.
const DEPTH_MAX: u32 = 256;
/// How long one engine is tried in the suite.
const DEFAULT_SECONDS: f64 = 3.0;
/// Rounds after which the memory in use is taken as what the rest must keep to.
const WARM_UP_ROUNDS: u64 = 16;

/// How long to try an engine, and where the random choices start.
#[derive(Clone, Copy, Debug)]
pub struct StressPlan {
    /// No round starts after this time. One round runs in any case.
    pub time: Duration,
    /// What all choices of the first round follow from; each further round adds 1.
    pub seed: u64,
}

impl StressPlan {
    /// A plan for one of `variants` of an engine, which share the seconds in the environment
    /// variable `AIO_STRESS_SECONDS` (default 3). The seed is `AIO_STRESS_SEED`, else the time.
    ///
    /// # Panics
    /// When a variable is set to what is not a number.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a seed that differs from run to run")]
    pub fn from_environment(variants: u32) -> Self {
        let seconds = variable("AIO_STRESS_SECONDS").unwrap_or(DEFAULT_SECONDS);
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let seed = variable("AIO_STRESS_SEED");
        let seed = seed.unwrap_or_else(|| clock() << 32 | u64::from(process::id()) << 16);
        Self { time: Duration::from_secs_f64(seconds / f64::from(variants.max(1))), seed }
    }
}

/// The number in the environment variable `name`, if it is set.
///
/// # Panics
/// When it is set to what is not a number.
#[must_use]
pub fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{name} is {text:?}, which is not a number")))
}

/// What a stress test has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StressReport {
    /// Rounds that ran to their end.
    pub rounds: u64,
    /// Rounds whose lane left with requests queued or in flight.
    pub left: u64,
    /// Rounds whose engine kept memory that the kernel did not give back in time.
    pub leaked: u64,
    /// Requests that came back.
    pub requests: u64,
    /// Bytes that requests moved.
    pub moved_bytes: u64,
    /// Bytes of requests that were compared with what they had to be.
    pub checked_bytes: u64,
    /// Bytes that were compared after rounds, as the standard library reads the files.
    pub files_bytes: u64,
}

impl fmt::Display for StressReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, left, leaked, requests, checked_bytes, files_bytes, .. } = self;
        write!(
            f,
            "{rounds} rounds ({left} left in the middle, {leaked} leaked), {requests} requests, \
             {} MiB compared, {} MiB of whole files",
            checked_bytes >> 20,
            files_bytes >> 20
        )
    }
}

/// Runs random rounds against `backend` until the plan's time is over.
///
/// Files and threads of the process are counted, so nothing else may open or start any meanwhile:
/// one test, and nothing beside it. What the backend's probe refuses is left out aloud.
///
/// # Panics
/// With a sentence that names what was violated, after the seed that the round started from on
/// standard error.
pub fn stress<B: Backend>(backend: &B, plan: &StressPlan) -> StressReport {
    let mut report = StressReport::default();
    let Some(mut disks) = Disks::make(plan.seed) else { return report };
    let Some(depth_max) = deepest(backend, disks.files()) else { return report };
    let at_start = Usage::now();
    let mut memory_bytes = None;
    let end = Instant::now() + plan.time;
    let mut seed = plan.seed;
    loop {
        let round = || {
            let mut dice = Dice::new(seed);
            let disk = disks.pick(&mut dice);
            round::round(backend, dice, depth_max, disk, &mut report)
        };
        match catch_unwind(AssertUnwindSafe(round)) {
            // The kernel may still write to these files.
            Ok(leaked) if leaked => disks = Disks::make(seed).expect("files were made before"),
            Ok(_) => {}
            Err(panic) => {
                let number = report.rounds;
                let name = backend.name();
                eprintln!("stress of {name}: round {number} failed; AIO_STRESS_SEED={seed}");
                resume_unwind(panic);
            }
        }
        report.rounds += 1;
        if report.rounds == WARM_UP_ROUNDS {
            memory_bytes = usage::anonymous_bytes();
        }
        if Instant::now() >= end {
            break;
        }
        seed = seed.wrapping_add(1);
    }
    // A slow disk may miss the deadline of an engine that is left, but not again and again.
    let StressReport { leaked, left, .. } = report;
    assert!(leaked <= 2 + left / 10, "{leaked} of {left} engines that were left kept memory");
    if leaked == 0 {
        at_start.assert_is_now();
        usage::assert_memory_is_flat(memory_bytes);
    }
    report
}

/// The greatest depth up to [`DEPTH_MAX`], by powers of two, that the probe allows.
fn deepest<B: Backend>(backend: &B, files: &Files) -> Option<u32> {
    let mut depth = DEPTH_MAX;
    loop {
        match backend.probe(&fixture::needs(draw::operations(), depth, files)) {
            Ok(_) => return Some(depth),
            Err(_) if depth > 1 => depth /= 2,
            Err(unsupported) => {
                skip(&format!("stress of {}: {}", backend.name(), unsupported.sentence()));
                return None;
            }
        }
    }
}

/// The same files twice, because one file must not be used through the page cache and past it.
struct Disks {
    buffered: Disk,
    direct: Option<Disk>,
}

impl Disks {
    fn make(seed: u64) -> Option<Self> {
        let buffered = Disk::make(false, seed)?;
        let direct = Disk::make(true, !seed);
        if direct.is_none() {
            skip("stress with O_DIRECT, which the folder for temporary files refuses");
        }
        Some(Self { buffered, direct })
    }

    fn files(&self) -> &Files {
        self.buffered.files()
    }

    fn pick(&mut self, dice: &mut Dice) -> &mut Disk {
        let buffered = dice.one_in(2);
        self.direct.as_mut().filter(|_| !buffered).unwrap_or(&mut self.buffered)
    }
}
