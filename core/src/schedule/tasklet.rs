//! One tasklet: makes its files and its tensor, runs its lanes, checks and tidies up.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::{TaskletError, panic_text};
use super::lane::{LanePlace, LaneResult, LaneTask, Work};
use super::listing::Listing;
use super::shared::Shared;
use super::source::{Share, Slice};
use super::verify::{ReadBack, Terms, read_back};
use super::{BARRIER_LIMIT, DRAIN_LIMIT};
use crate::data::DataStream;
use crate::engine::Backend;
use crate::memory::{Mapping, Region};
use crate::observe::Content;
use crate::plan::{Access, Direction, Plan};
use crate::receipt::Receipt;
use crate::report::Failure;
use crate::stats::Kind;
use crate::target::{self, OpenPolicy, Tasklet, TaskletFile};

/// How long past the drain limit a lane may take to come back once the run has ended.
pub(super) const COME_BACK_LIMIT: Duration = DRAIN_LIMIT.saturating_add(Duration::from_secs(2));

/// What tasklets tell the thread that runs the wave.
pub(super) enum Message {
    Log { tid: u32, direction: Direction, text: String },
    Done { index: usize, result: TaskletResult },
}

/// What a tasklet has done.
#[derive(Default)]
pub(crate) struct TaskletResult {
    pub lanes: Vec<LaneResult>,
    pub receipts: Vec<Receipt>,
    pub failures: Vec<Failure>,
    /// Bytes compared and found right, when validation was asked.
    pub validated_bytes: Option<u64>,
    /// What its memory holds in the end.
    pub content: Content,
}

/// All that a tasklet's thread needs.
pub(super) struct TaskletTask {
    pub shared: Arc<Shared>,
    pub tasklet: Tasklet,
    /// Its number within the wave.
    pub index: usize,
    pub messages: Sender<Message>,
    /// Whether it is to say which requests it made.
    pub lists_requests: bool,
}

type Files = Arc<[Arc<File>]>;
/// An error, and the file that was worked on, if any.
type Failed = (TaskletError, Option<PathBuf>);

impl TaskletTask {
    /// Runs the tasklet on the calling thread and sends its result.
    pub(super) fn run<B: Backend>(self, backend: &B) {
        let guard = self.shared.guard();
        let mut result = TaskletResult::default();
        let worked = catch_unwind(AssertUnwindSafe(|| self.steps(backend, &mut result)));
        let error = match worked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(panic) => Some((TaskletError::Panic(panic_text(panic.as_ref())), None)),
        };
        match error {
            None if result.failures.is_empty() => guard.disarm(),
            None => {}
            Some((error, path)) if !error.is_secondary() => {
                result.failures.push(error.report(self.tasklet.tid, path.as_deref()));
            }
            Some(_secondary) => {}
        }
        // Nobody listens any more when the tasklet was given up.
        let _given_up = self.messages.send(Message::Done { index: self.index, result });
    }

    fn log(&self, text: String) {
        let (tid, direction) = (self.tasklet.tid, self.tasklet.direction);
        let _given_up = self.messages.send(Message::Log { tid, direction, text });
    }

    /// Barrier, pre, loops, post, barrier.
    fn steps<B: Backend>(&self, backend: &B, result: &mut TaskletResult) -> Result<(), Failed> {
        let nowhere = |error| (error, None);
        self.pass_barrier().map_err(nowhere)?;
        let first = &self.tasklet.files[0];
        let files = self.open_files()?;
        self.log(format!("pre: {} of {} bytes", first.path.display(), self.tasklet.size_bytes));
        let (memory, receipts) = self.reserve().map_err(nowhere)?;
        result.receipts = receipts;
        result.lanes = self.run_lanes(backend, memory, &files).map_err(nowhere)?;
        let memory = result.lanes.iter().filter_map(|lane| lane.memory.as_ref());
        memory.for_each(|one| result.content.look(one));
        self.log(summary(&self.shared.plan, &result.lanes));
        if self.lists_requests {
            self.list_requests(&result.lanes);
        }
        let failures = self.lane_failures(&result.lanes);
        let complete = result.lanes.iter().all(|lane| lane.error.is_none());
        result.failures.extend(failures);
        self.cut_padding(&files)?;
        self.seal(&files);
        if complete && let Some(terms) = self.terms() {
            result.validated_bytes = self.verify(&terms, &result.lanes, &files)?;
            self.log("post: the blocks are right".into());
        }
        if complete && self.shared.plan.validate {
            result.validated_bytes = Some(self.validate(&mut result.lanes, &files)?);
            self.log("post: the data is right".into());
        }
        if complete { self.pass_barrier().map_err(nowhere) } else { Ok(()) }
    }

    fn list_requests(&self, lanes: &[LaneResult]) {
        let plan = &self.shared.plan;
        let is_verified = self.terms().is_some();
        for (lane, ((work, _bytes), done)) in (0..).zip(self.divide().iter().zip(lanes)) {
            let listing = Listing { plan, work, tid: self.tasklet.tid, lane, is_verified };
            for (index, done) in (0..).zip(&done.loops) {
                listing.of_loop(index, done.requests.total(), |line| self.log(line));
            }
        }
    }

    fn pass_barrier(&self) -> Result<(), TaskletError> {
        let deadline = Instant::now() + BARRIER_LIMIT;
        self.shared.tasklets.wait(deadline, || ()).map_err(TaskletError::Barrier)
    }

    fn open_files(&self) -> Result<Files, Failed> {
        let plan = &self.shared.plan;
        let filler = self.terms().map(|terms| terms.filler());
        let policy = OpenPolicy {
            direct: !plan.buffered,
            overwrite: plan.overwrite,
            made: &self.shared.made,
            filler: filler.as_ref(),
        };
        let halted = || self.shared.is_halted();
        let open = |file: &TaskletFile| {
            target::open_and_fill(file, policy, self.tasklet.end_bytes(), self.data(), &halted)
                .map_err(|error| (error.into(), Some(file.path.clone())))
        };
        self.tasklet.files.iter().map(open).collect()
    }

    fn data(&self) -> DataStream {
        let blocks = self.tasklet.access.blocks();
        let compressible = blocks.map_or(0, |blocks| blocks.compress_percent);
        DataStream::new(self.shared.plan.seed, self.tasklet.tid).compressible(compressible)
    }

    /// What its blocks are verified by, if they are.
    fn terms(&self) -> Option<Terms> {
        let Shared { ref plan, block_bytes, run, .. } = *self.shared;
        Terms::of(&self.tasklet, plan, block_bytes, run)
    }

    /// Bytes of memory of all lanes: the tensor with its padding, or a buffer per request.
    fn memory_bytes(&self) -> u64 {
        let shared = &self.shared;
        match self.tasklet.access {
            Access::Tensor => self.tasklet.padded_bytes(shared.alignment),
            Access::Blocks(_) => u64::from(shared.plan.lanes) * self.buffers_bytes(),
        }
    }

    /// Bytes of the buffers of one lane.
    fn buffers_bytes(&self) -> u64 {
        u64::from(self.shared.plan.queue_depth) * u64::from(self.shared.block_bytes)
    }

    /// What each lane does, and how many bytes of memory it gets for that.
    fn divide(&self) -> Vec<(Work, u64)> {
        let Tasklet { direction, size_bytes, ref access, .. } = self.tasklet;
        let Shared { block_bytes, alignment, ref plan, .. } = *self.shared;
        match access {
            Access::Tensor => {
                let slices =
                    Slice::split(direction, size_bytes, block_bytes, alignment, plan.lanes);
                let work = |slice: Slice| (Work::Slice(slice), slice.length_bytes());
                slices.into_iter().map(work).collect()
            }
            Access::Blocks(blocks) => {
                let shares = Share::split(direction, blocks, size_bytes, block_bytes, plan.lanes);
                let work = |share| (Work::Blocks(share), self.buffers_bytes());
                shares.into_iter().map(work).collect()
            }
        }
    }

    fn reserve(&self) -> Result<(Region, Vec<Receipt>), TaskletError> {
        let bytes = self.memory_bytes();
        let length = usize::try_from(bytes).map_err(|_| TaskletError::Memory {
            bytes,
            source: io::ErrorKind::OutOfMemory.into(),
        })?;
        Mapping::reserve(length, self.shared.plan.memory)
            .map_err(|source| TaskletError::Memory { bytes, source })
    }

    /// Divides the work over the lanes and runs them: the first here, the others on threads of
    /// their own. Their memory is handed over whole and comes back in the results.
    fn run_lanes<B: Backend>(
        &self,
        backend: &B,
        mut memory: Region,
        files: &Files,
    ) -> Result<Vec<LaneResult>, TaskletError> {
        let shared = &self.shared;
        let plan = &shared.plan;
        let (results, gathered) = channel();
        let (mut first, mut started, mut broken) = (None, 0, None);
        for (lane, (work, bytes)) in (0..plan.lanes).zip(self.divide()) {
            let length = usize::try_from(bytes).expect("it is in memory");
            let rest = memory.split_off(length);
            let task = LaneTask {
                shared: Arc::clone(shared),
                place: LanePlace {
                    tid: self.tasklet.tid,
                    lane,
                    lane_of_wave: self.index * plan.lanes as usize + lane as usize,
                },
                work,
                memory,
                files: Arc::clone(files),
                data: self.data(),
                terms: self.terms(),
            };
            memory = rest;
            if lane == 0 {
                first = Some(task);
            } else if let Err(error) = spawn_lane(task, backend.clone(), results.clone(), lane) {
                broken = Some(error);
                break;
            }
            started += 1;
        }
        drop(results);
        let first = first.expect("a tasklet has a lane").run(backend);
        let lanes = gather(first, &gathered, started);
        broken.map_or(lanes, Err)
    }

    fn lane_failures(&self, lanes: &[LaneResult]) -> Vec<Failure> {
        let paths: Vec<&Path> = self.tasklet.files.iter().map(|file| file.path.as_path()).collect();
        let errors = lanes.iter().filter_map(|lane| lane.error.as_ref());
        let own = errors.filter(|error| !error.is_secondary());
        own.map(|error| error.report(self.tasklet.tid, &paths)).collect()
    }

    /// Takes off what a write was padded with for direct I/O.
    fn cut_padding(&self, files: &Files) -> Result<(), Failed> {
        let size_bytes = self.tasklet.size_bytes;
        if self.tasklet.direction == Direction::Read
            || self.tasklet.access != Access::Tensor
            || self.tasklet.padded_bytes(self.shared.alignment) == size_bytes
        {
            return Ok(());
        }
        for (file, open) in self.tasklet.files.iter().zip(files.iter()) {
            let cut = match open.metadata() {
                Ok(there) if there.len() > size_bytes => open.set_len(size_bytes),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            let failed =
                |source| TaskletError::Post { action: "cut the padding off the file", source };
            cut.map_err(|error| (failed(error), Some(file.path.clone())))?;
        }
        Ok(())
    }

    /// Notes on the files that were written what they are like now, so that later changes are seen.
    fn seal(&self, files: &Files) {
        for (file, open) in self.tasklet.files.iter().zip(files.iter()) {
            if file.is_written() {
                let _as_marked_as_before = target::seal(open);
            }
        }
    }

    /// Reads back what was written and notes on the file how its blocks lie; says how many bytes
    /// were found right, when any were written.
    fn verify(
        &self,
        terms: &Terms,
        lanes: &[LaneResult],
        files: &Files,
    ) -> Result<Option<u64>, Failed> {
        let file = &self.tasklet.files[0];
        if !self.tasklet.direction.writes_data() {
            return Ok(None);
        }
        let at = |error| (error, Some(file.path.clone()));
        let failed = |source| TaskletError::Post { action: "read the data back", source };
        let io = |source| at(failed(source));
        target::send_to_storage(&files[0]).map_err(io)?;
        let divided = self.divide().into_iter();
        let shares: Vec<_> = divided.filter_map(|(work, _)| work.into_share()).collect();
        let writes = |lane: &LaneResult| {
            lane.loops.iter().map(|done| done.requests[Kind::Write]).collect::<Vec<_>>()
        };
        let what = ReadBack {
            plan: &self.shared.plan,
            terms,
            file: &reopen_buffered(&files[0], &file.path).map_err(io)?,
            tid: self.tasklet.tid,
            first_loop: self.shared.first_loop,
            is_filled: file.is_filled(),
        };
        let writes: Vec<_> = lanes.iter().map(writes).collect();
        let sum = read_back(&what, &shares, &writes, &|| self.shared.is_halted());
        let sum = sum.map_err(io)?;
        let sum = sum.map_err(|bad| at(TaskletError::BadBlock(bad)))?;
        let _not_needed_to_verify =
            target::note_layout(&files[0], terms.layout(sum.oldest_of_all()));
        Ok(Some(sum.right_bytes))
    }

    fn validate(&self, lanes: &mut [LaneResult], files: &Files) -> Result<u64, Failed> {
        let plan = &self.shared.plan;
        let size_bytes = self.tasklet.size_bytes;
        let last = plan.loops_in_all() - 1;
        let mut checked = 0;
        for (index, (file, open)) in (0..).zip(self.tasklet.files.iter().zip(files.iter())) {
            let at = |error| (error, Some(file.path.clone()));
            let loop_index = if plan.different_file_each_iteration { index } else { last };
            if self.tasklet.direction == Direction::Read && loop_index != last {
                // The tensor holds what the last loop has read.
                continue;
            }
            let failed = |source| TaskletError::Post { action: "read the data back", source };
            let buffered = reopen_buffered(open, &file.path).map_err(|e| at(failed(e)))?;
            let difference = if self.tasklet.direction == Direction::Write {
                let loop_number = self.shared.first_loop.wrapping_add(loop_index);
                target::written_as_told(&buffered, size_bytes, self.data(), loop_number)
            } else {
                let memory = whole_tensor(lanes).expect("every lane is complete");
                let length = usize::try_from(size_bytes).expect("it is in memory");
                target::read_back(&buffered, &memory.as_slice()[..length])
            };
            if let Some(difference) = difference.map_err(|e| at(failed(e)))? {
                let offset_bytes = difference.offset_bytes;
                return Err(at(TaskletError::Differs { offset_bytes }));
            }
            checked += size_bytes;
        }
        Ok(checked)
    }
}

fn summary(plan: &Plan, lanes: &[LaneResult]) -> String {
    let counting = |lane: &LaneResult| -> u64 {
        let loops = (0..).zip(&lane.loops).filter(|(index, _)| plan.counts(*index));
        loops.map(|(_, done)| done.requests.total()).sum()
    };
    let requests: u64 = lanes.iter().map(counting).sum();
    let loops = lanes.iter().map(|lane| lane.loops.len()).min().unwrap_or(0);
    format!("main: {loops} loops, {requests} requests in those that count")
}

/// Joins the lanes' memory to the tensor that it was.
fn whole_tensor(lanes: &mut [LaneResult]) -> Option<Region> {
    let mut regions = lanes.iter_mut().map(|lane| lane.memory.take());
    let mut tensor = regions.next()??;
    for region in regions {
        tensor.join(region?).ok()?;
    }
    Some(tensor)
}

/// Opens the same file through the page cache, whatever its name means by now.
fn reopen_buffered(file: &File, path: &Path) -> io::Result<File> {
    if let Some(block) = target::open_block_device_of(file, path)? {
        return Ok(block);
    }
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).or_else(|_| File::open(path))
}

fn spawn_lane<B: Backend>(
    task: LaneTask,
    backend: B,
    results: Sender<(u32, LaneResult)>,
    lane: u32,
) -> Result<(), TaskletError> {
    let shared = Arc::clone(&task.shared);
    let work = move || {
        let result = task.run(&backend);
        let _given_up = results.send((lane, result));
    };
    let started = thread::Builder::new().name(format!("aio-lane-{lane}")).spawn(work);
    started.map(|_detached| ()).map_err(|error| {
        shared.halt();
        TaskletError::Thread(error)
    })
}

/// Waits for the other lanes; once the run is halted, no longer than it takes to drain.
fn gather(
    first: LaneResult,
    others: &Receiver<(u32, LaneResult)>,
    lanes: u32,
) -> Result<Vec<LaneResult>, TaskletError> {
    let stopped = first.error.is_some();
    let mut results = vec![(0, first)];
    while results.len() < lanes as usize {
        let limit = if stopped { COME_BACK_LIMIT } else { BARRIER_LIMIT };
        let Ok(result) = others.recv_timeout(limit) else {
            return Err(TaskletError::Abandoned(limit));
        };
        results.push(result);
    }
    results.sort_by_key(|(lane, _)| *lane);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
