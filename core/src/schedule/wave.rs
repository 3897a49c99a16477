//! Tasklets that run together, seen from the thread that runs them.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use super::failure::TaskletError;
use super::shared::{CpuTime, LoopClock, Shared};
use super::tasklet::{COME_BACK_LIMIT, Message, TaskletResult, TaskletTask};
use super::{AWAY_MAX, STALL_LIMIT, TICK};
use crate::clock::Stamp;
use crate::engine::Backend;
use crate::observe::Seen;
use crate::plan::{Access, Direction, Plan};
use crate::report::Failure;
use crate::session::{Event, Observer, Stop};
use crate::target::{Made, Resolved, Tasklet};

/// Tasklets that run together, on one engine.
pub(crate) struct Wave<'a> {
    pub plan: &'a Plan,
    pub resolved: &'a Resolved,
    pub tasklets: &'a [Tasklet],
    pub made: &'a Arc<Made>,
    pub stop: &'a Stop,
    pub first_loop: u32,
    pub engine: &'a str,
}

/// What became of a wave.
pub(crate) struct WaveOutcome {
    /// One entry per tasklet; what an abandoned one has done is not known.
    pub tasklets: Vec<(Tasklet, TaskletResult)>,
    /// The clocks of all loops that have begun.
    pub clocks: Vec<LoopClock>,
    /// Whether the run was told to stop.
    pub stopped: bool,
    /// Bytes that all loops have moved, finished or not.
    pub moved_bytes: u64,
    /// What the kernel counted in the loops that count.
    pub seen: Seen,
}

impl Wave<'_> {
    /// Runs the wave to its end.
    pub(crate) fn run<B: Backend>(&self, backend: &B, observer: &mut dyn Observer) -> WaveOutcome {
        let count = u32::try_from(self.tasklets.len()).expect("checked with the plan");
        let shared = Arc::new(Shared::new(self, count));
        let observer_cpu = CpuTime::of_this_thread();
        let (sender, messages) = channel();
        self.announce(observer);
        let mut results: Vec<Option<TaskletResult>> = self.tasklets.iter().map(|_| None).collect();
        for (index, tasklet) in self.tasklets.iter().enumerate() {
            let (shared, messages) = (Arc::clone(&shared), sender.clone());
            let lists_requests = observer.lists_requests_of(tasklet.tid);
            let tasklet = tasklet.clone();
            let task = TaskletTask { shared, tasklet, index, messages, lists_requests };
            if let Err(error) = spawn(task, backend.clone()) {
                let failures = vec![error.report(self.tasklets[index].tid, None)];
                results[index] = Some(TaskletResult { failures, ..TaskletResult::default() });
                break;
            }
        }
        drop(sender);
        if results.iter().any(Option::is_some) {
            shared.halt();
        }
        let mut supervision = Supervision::new(&shared, observer, observer_cpu);
        supervision.run(&messages, &mut results);
        observer.event(Event::Ended);
        // On a line of its own, which gives the clocks free again.
        let cut_short_at = self.end_of_cut_loop(&shared.clocks(), &results);
        if let Some(end) = cut_short_at.filter(|_| shared.is_stopped()) {
            shared.cut_loop_short(end);
        }
        let clocks = shared.clocks().clone();
        let tasklets = self.tasklets.iter().cloned().zip(results).map(|(tasklet, result)| {
            let result = result.unwrap_or_else(|| abandoned(&tasklet));
            (tasklet, result)
        });
        WaveOutcome {
            tasklets: tasklets.collect(),
            clocks,
            stopped: shared.is_stopped(),
            moved_bytes: shared.moved_in_all(),
            seen: shared.watch.seen(),
        }
    }

    /// When the last lane ended the loop that a stop has cut short, if all of them go through
    /// blocks and have told what they did in it.
    fn end_of_cut_loop(
        &self,
        clocks: &[LoopClock],
        results: &[Option<TaskletResult>],
    ) -> Option<Stamp> {
        let index = clocks.len().checked_sub(1).filter(|index| clocks[*index].end.is_none())?;
        let of_blocks = |tasklet: &Tasklet| matches!(tasklet.access, Access::Blocks(_));
        if !self.tasklets.iter().all(of_blocks) {
            return None;
        }
        let mut last = clocks[index].start;
        for result in results {
            let lanes = &result.as_ref()?.lanes;
            if lanes.is_empty() {
                return None;
            }
            for lane in lanes {
                last = last.max(lane.loops.get(index)?.end);
            }
        }
        Some(last)
    }

    fn announce(&self, observer: &mut dyn Observer) {
        let mut directions: Vec<Direction> = Vec::new();
        for tasklet in self.tasklets {
            if !directions.contains(&tasklet.direction) {
                directions.push(tasklet.direction);
            }
        }
        observer.event(Event::Started {
            engine: self.engine,
            directions: &directions,
            loop_bytes: self.loop_bytes_in_all(),
            prepare_bytes: self.prepare_bytes(),
            loops: self.plan.loops_in_all(),
        });
    }
}

impl Wave<'_> {
    /// What all tasklets move in a loop, as far as 64 bits tell.
    fn loop_bytes_in_all(&self) -> u64 {
        self.tasklets.iter().fold(0, |sum, one| sum.saturating_add(self.loop_bytes(one)))
    }

    /// What a tasklet moves in a loop; 0 when only time ends it.
    fn loop_bytes(&self, tasklet: &Tasklet) -> u64 {
        let block_bytes = self.resolved.block_bytes;
        match &tasklet.access {
            Access::Tensor => tasklet.size_bytes,
            Access::Blocks(blocks) => {
                let range_blocks = tasklet.size_bytes / u64::from(block_bytes);
                let requests = blocks.requests_max(range_blocks, block_bytes);
                let by_number = requests.map(|most| most.saturating_mul(block_bytes.into()));
                let by_bytes = blocks.bytes_max(tasklet.size_bytes);
                by_number.into_iter().chain(by_bytes).min().unwrap_or(0)
            }
        }
    }

    /// Bytes of memory and of files that are filled before anything is measured.
    fn prepare_bytes(&self) -> u64 {
        let mut filled: Vec<&Path> = Vec::new();
        let mut bytes = 0_u64;
        for tasklet in self.tasklets {
            let file = &tasklet.files[0];
            let is_prepared = match tasklet.access {
                Access::Tensor => true,
                Access::Blocks(_) => file.is_filled() && !filled.contains(&file.path.as_path()),
            };
            if is_prepared {
                bytes = bytes.saturating_add(tasklet.end_bytes());
                filled.push(&file.path);
            }
        }
        bytes
    }
}

fn spawn<B: Backend>(task: TaskletTask, backend: B) -> Result<(), TaskletError> {
    let name = format!("aio-{}-{}", task.tasklet.direction, task.tasklet.tid);
    let started = thread::Builder::new().name(name).spawn(move || task.run(&backend));
    started.map(|_detached| ()).map_err(TaskletError::Thread)
}

fn abandoned(tasklet: &Tasklet) -> TaskletResult {
    let failure: Failure = TaskletError::Abandoned(COME_BACK_LIMIT).report(tasklet.tid, None);
    TaskletResult { failures: vec![failure], ..TaskletResult::default() }
}

/// Watches over the tasklets: passes on what they say, and gives up those that do not come back.
struct Supervision<'a> {
    shared: &'a Shared,
    observer: &'a mut dyn Observer,
    observer_cpu: CpuTime,
    /// When bytes were last seen to move, and how many had by then.
    last_moved: (Instant, u64),
    /// When everybody has to be back.
    give_up_at: Option<Instant>,
    /// When it was last looked.
    looked: Instant,
}

impl<'a> Supervision<'a> {
    fn new(shared: &'a Shared, observer: &'a mut dyn Observer, observer_cpu: CpuTime) -> Self {
        let looked = Instant::now();
        Self { shared, observer, observer_cpu, last_moved: (looked, 0), give_up_at: None, looked }
    }

    fn run(&mut self, messages: &Receiver<Message>, results: &mut [Option<TaskletResult>]) {
        loop {
            match messages.recv_timeout(TICK) {
                Ok(Message::Log { tid, direction, text }) => {
                    self.observer.event(Event::Log { tid, direction, text: &text });
                }
                Ok(Message::Done { index, result }) => {
                    if !result.failures.is_empty() {
                        self.shared.halt();
                    }
                    results[index] = Some(result);
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.tick();
            if self.give_up_at.is_some_and(|at| Instant::now() > at) {
                return;
            }
        }
    }

    /// Puts off all deadlines by the time in which this thread was kept from looking: most likely
    /// the whole process was stopped.
    fn forgive(&mut self, now: Instant) {
        let away = (now - self.looked).saturating_sub(AWAY_MAX);
        self.looked = now;
        self.last_moved.0 += away;
        self.give_up_at = self.give_up_at.map(|at| at + away);
    }

    fn tick(&mut self) {
        let bytes = self.shared.moved_in_all();
        let loops_done = self.shared.loops_done();
        self.observer.event(Event::Progress { loops_done, bytes });
        self.shared.tell_observer_cpu(self.observer_cpu);
        let now = Instant::now();
        self.forgive(now);
        if bytes != self.last_moved.1 || !self.shared.is_in_main() {
            self.last_moved = (now, bytes);
        } else if now - self.last_moved.0 > STALL_LIMIT + COME_BACK_LIMIT {
            // A lane that the kernel holds in one call cannot notice by itself.
            self.shared.halt();
        }
        if self.shared.is_stopped() {
            // Whoever waits at a barrier has nothing left to wait for.
            self.shared.halt();
        }
        if self.shared.is_halted() {
            self.give_up_at.get_or_insert(now + COME_BACK_LIMIT);
        }
    }
}
