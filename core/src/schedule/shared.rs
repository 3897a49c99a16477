//! What all threads of a wave share.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::BARRIER_LIMIT;
use super::barrier::{Barrier, BreakGuard, Broken};
use super::wave::Wave;
use crate::clock::Stamp;
use crate::observe::Watch;
use crate::plan::Plan;
use crate::session::Stop;
use crate::target::{Alignment, Made};

/// The state of a wave, owned by every thread of it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub plan: Plan,
    pub block_bytes: u32,
    pub alignment: Alignment,
    pub made: Arc<Made>,
    pub first_loop: u32,
    /// When the wave began, in nanoseconds since 1970: blocks that can be verified name it.
    pub run: u64,
    stop: Stop,
    /// Set when somebody failed.
    halt: AtomicBool,
    /// Passed by tasklets: before *pre* and after *post*.
    pub tasklets: Barrier,
    /// Passed by all lanes: before and after each *main*.
    pub lanes: Barrier,
    clocks: Mutex<Vec<LoopClock>>,
    /// Loops whose *main* has begun, and those in which it has ended.
    loops_begun: AtomicU32,
    loops_done: AtomicU32,
    /// Bytes that each lane has moved, for the progress display.
    moved: Vec<Moved>,
    /// CPU time of the thread that shows progress, which is not the run's.
    observer_cpu: Mutex<CpuTime>,
    /// What the kernel counts, read before the first stamp of a loop and after its last.
    pub(super) watch: Watch,
}

/// A counter alone on its cache line: lanes must not slow each other down by counting.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Moved(pub AtomicU64);

/// User and system time, and how often a thread gave its CPU up or lost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    pub user: Duration,
    pub system: Duration,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

impl CpuTime {
    fn of(who: UsageWho) -> Self {
        let microseconds = |value: nix::sys::time::TimeVal| {
            Duration::from_micros(u64::try_from(value.num_microseconds()).unwrap_or(0))
        };
        let read = |usage: Usage| Self {
            user: microseconds(usage.user_time()),
            system: microseconds(usage.system_time()),
            voluntary_switches: usage.voluntary_context_switches().unsigned_abs(),
            involuntary_switches: usage.involuntary_context_switches().unsigned_abs(),
        };
        getrusage(who).map(read).unwrap_or_default()
    }

    pub(crate) fn of_this_thread() -> Self {
        Self::of(UsageWho::RUSAGE_THREAD)
    }

    pub(crate) fn saturating_sub(self, earlier: Self) -> Self {
        let less = |now: u64, before| now.saturating_sub(before);
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            voluntary_switches: less(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: less(self.involuntary_switches, earlier.involuntary_switches),
        }
    }

    /// Both in seconds.
    pub(crate) fn seconds(self) -> f64 {
        (self.user + self.system).as_secs_f64()
    }
}

impl AddAssign for CpuTime {
    fn add_assign(&mut self, more: Self) {
        self.user += more.user;
        self.system += more.system;
        self.voluntary_switches += more.voluntary_switches;
        self.involuntary_switches += more.involuntary_switches;
    }
}

/// The two stamps of a loop, taken by whoever came last to its barriers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopClock {
    pub start: Stamp,
    cpu_start: CpuTime,
    pub end: Option<Stamp>,
    cpu_end: CpuTime,
}

impl LoopClock {
    /// CPU time of the process between the stamps.
    pub(crate) fn cpu(&self) -> CpuTime {
        self.cpu_end.saturating_sub(self.cpu_start)
    }
}

impl Shared {
    pub(super) fn new(wave: &Wave, tasklets: u32) -> Self {
        let lanes = tasklets * wave.plan.lanes;
        Self {
            plan: wave.plan.clone(),
            block_bytes: wave.resolved.block_bytes,
            alignment: wave.resolved.alignment,
            made: Arc::clone(wave.made),
            first_loop: wave.first_loop,
            run: time_of_day(),
            stop: wave.stop.clone(),
            halt: AtomicBool::new(false),
            tasklets: Barrier::new(tasklets),
            lanes: Barrier::new(lanes),
            clocks: Mutex::new(Vec::with_capacity(wave.plan.loops_in_all() as usize)),
            loops_begun: AtomicU32::new(0),
            loops_done: AtomicU32::new(0),
            moved: (0..lanes).map(|_| Moved::default()).collect(),
            observer_cpu: Mutex::default(),
            watch: Watch::open(wave.plan, wave.tasklets, &wave.resolved.targets),
        }
    }

    /// Whether a lane is to give up: somebody failed, or the run is to stop.
    #[inline]
    pub(crate) fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || self.stop.is_set()
    }

    /// Whether the run was told to stop from outside.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// Makes everybody give up.
    pub(super) fn halt(&self) {
        self.halt.store(true, Ordering::Relaxed);
        self.tasklets.break_now();
        self.lanes.break_now();
    }

    /// Halts everybody when dropped, unless all went well.
    pub(super) fn guard(&self) -> HaltGuard<'_> {
        HaltGuard { halt: &self.halt, breaks: Some([self.tasklets.guard(), self.lanes.guard()]) }
    }

    /// Waits for all lanes and starts the loop's clock.
    pub(super) fn begin_loop(&self) -> Result<Stamp, Broken> {
        let lead = || {
            self.watch.begin(self.plan.counts(self.loops_begun.load(Ordering::Relaxed)));
            let cpu_start = self.cpu_of_the_run();
            self.loops_begun.fetch_add(1, Ordering::Relaxed);
            let start = Stamp::now();
            let clock = LoopClock { start, cpu_start, end: None, cpu_end: cpu_start };
            self.clocks().push(clock);
        };
        self.lanes.wait(Instant::now() + BARRIER_LIMIT, lead)?;
        Ok(self.clocks().last().expect("the leader has just begun a loop").start)
    }

    /// Waits for all lanes and stops the loop's clock.
    pub(super) fn end_loop(&self) -> Result<(), Broken> {
        let lead = || {
            let end = Stamp::now();
            let cpu_end = self.cpu_of_the_run();
            self.watch.end();
            self.loops_done.fetch_add(1, Ordering::Relaxed);
            let mut clocks = self.clocks();
            let clock = clocks.last_mut().expect("a loop that ends has begun");
            clock.end = Some(end);
            clock.cpu_end = cpu_end;
        };
        self.lanes.wait(Instant::now() + BARRIER_LIMIT, lead)
    }

    /// How long the loop took that was ended last.
    pub(super) fn last_loop(&self) -> Duration {
        let clocks = self.clocks();
        let ended = clocks.iter().rev().find_map(|clock| clock.end.map(|end| (clock.start, end)));
        ended.map_or(Duration::ZERO, |(start, end)| end.since(start))
    }

    /// Stops the clock of a loop that was cut short at `end`, when no lane runs any more.
    pub(super) fn cut_loop_short(&self, end: Stamp) {
        let cpu_end = self.cpu_of_the_run();
        self.watch.end();
        if let Some(clock) = self.clocks().last_mut() {
            clock.end = Some(end);
            clock.cpu_end = cpu_end;
        }
    }

    /// Loops that are finished.
    pub(super) fn loops_done(&self) -> u32 {
        self.loops_done.load(Ordering::Relaxed)
    }

    /// Whether a loop's clock is running.
    pub(super) fn is_in_main(&self) -> bool {
        self.loops_begun.load(Ordering::Relaxed) > self.loops_done()
    }

    /// The clocks of all loops that have begun.
    pub(super) fn clocks(&self) -> std::sync::MutexGuard<'_, Vec<LoopClock>> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The progress counter of a lane of the wave.
    pub(super) fn moved(&self, lane_of_wave: usize) -> &AtomicU64 {
        &self.moved[lane_of_wave].0
    }

    /// Bytes that all lanes together have moved.
    pub(super) fn moved_in_all(&self) -> u64 {
        self.moved.iter().map(|lane| lane.0.load(Ordering::Relaxed)).sum()
    }

    /// Says how much CPU time the calling thread, which shows progress, has used.
    pub(super) fn tell_observer_cpu(&self, since: CpuTime) {
        let now = CpuTime::of_this_thread().saturating_sub(since);
        *self.observer_cpu.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn cpu_of_the_run(&self) -> CpuTime {
        let observer = *self.observer_cpu.lock().unwrap_or_else(PoisonError::into_inner);
        CpuTime::of(UsageWho::RUSAGE_SELF).saturating_sub(observer)
    }
}

/// Nanoseconds since 1970, by the clock that tells the time of day.
#[expect(clippy::disallowed_methods, reason = "it names a run, and no duration is made of it")]
fn time_of_day() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Halts a wave when dropped; see [`Shared::guard`].
pub(super) struct HaltGuard<'a> {
    halt: &'a AtomicBool,
    breaks: Option<[BreakGuard<'a>; 2]>,
}

impl HaltGuard<'_> {
    /// All went well.
    pub(super) fn disarm(mut self) {
        self.breaks.take().into_iter().flatten().for_each(BreakGuard::disarm);
    }
}

impl Drop for HaltGuard<'_> {
    fn drop(&mut self) {
        if self.breaks.is_some() {
            self.halt.store(true, Ordering::Relaxed);
        }
    }
}
