//! Files, memory, requests and the plainest lane, for the checks.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::leave_out;
use crate::clock::Stamp;
use crate::engine::{
    Backend, Completion, Completions, Deadline, Files, IoEngine, Lane, LaneSetup, Needs, Operation,
    Operations, Request,
};
use crate::memory::{Block, Mapping, MemoryKind, Part};
use crate::target::TargetKind;

/// Bytes in most blocks of the checks.
pub(super) const BLOCK_BYTES: u32 = 4096;
/// How many calls in a row an engine may take fewer than all requests before it counts as stuck.
pub(super) const CALLS_MAX: u32 = 10_000;
/// How long an engine may wait for files in the page cache: forever, for a test.
const PATIENCE: Duration = Duration::from_secs(10);

/// A temporary file that has no name any more and goes away when it is closed.
pub(super) struct Store {
    /// Opened to read and write.
    pub(super) file: Arc<File>,
    /// The same file, opened to read.
    pub(super) read_only: Arc<File>,
}

impl Store {
    /// A file of `length_bytes` bytes of [`pattern`] 0.
    pub(super) fn new(length_bytes: usize) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("aio-conformance-{}-{number}", process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.expect("a temporary file can be made");
        let read_only = File::open(&path).expect("a file that was just made can be opened");
        fs::remove_file(&path).expect("a file that was just made can be removed");
        file.write_all_at(&pattern(0, length_bytes), 0).expect("the temporary file has room");
        Self { file: Arc::new(file), read_only: Arc::new(read_only) }
    }

    /// The file as a lane's only target.
    pub(super) fn files(&self) -> Files {
        Arc::new([Arc::clone(&self.file)])
    }

    /// `length_bytes` of the file from `offset_bytes`, as the standard library reads them.
    pub(super) fn bytes(&self, offset_bytes: u64, length_bytes: usize) -> Vec<u8> {
        let mut bytes = vec![0; length_bytes];
        self.file.read_exact_at(&mut bytes, offset_bytes).expect("the range is in the file");
        bytes
    }

    /// Overwrites the file from `offset_bytes`, by the standard library.
    pub(super) fn overwrite(&self, bytes: &[u8], offset_bytes: u64) {
        self.file.write_all_at(bytes, offset_bytes).expect("the temporary file has room");
    }
}

/// Bytes that differ from place to place and from `salt` to `salt`; never zero.
pub(super) fn pattern(salt: usize, length_bytes: usize) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at + at / 251 + salt * 83) % 251 + 1);
    (0..length_bytes).map(|at| byte(at).expect("at most 251")).collect()
}

/// Memory for `blocks` blocks of [`BLOCK_BYTES`].
pub(super) fn part(blocks: u32) -> Part {
    let bytes = blocks as usize * BLOCK_BYTES as usize;
    let (region, _receipts) =
        Mapping::reserve(bytes, MemoryKind::Small).expect("a test asks for little memory");
    Part::new(region, BLOCK_BYTES, blocks as usize)
}

/// The next block of `part`.
pub(super) fn lend(part: &mut Part) -> Block {
    part.lend(BLOCK_BYTES).expect("the part was made for as many blocks as are lent")
}

/// Reads and writes.
pub(super) fn reads_and_writes() -> Operations {
    Operations::of(&[Operation::Read, Operation::Write])
}

/// What an engine of `queue_depth` for reads and writes to `files` with `part`'s memory is opened
/// with.
pub(super) fn setup(queue_depth: u32, files: Files, part: &Part) -> LaneSetup {
    LaneSetup {
        queue_depth,
        largest_block_bytes: BLOCK_BYTES,
        operations: reads_and_writes(),
        files,
        segments: part.segments(),
    }
}

/// What a backend is asked before one such engine is opened.
pub(super) fn needs(operations: Operations, queue_depth: u32, files: &Files) -> Needs {
    let (target, kinds) = (files.first().cloned(), [TargetKind::File].into());
    let largest_block_bytes = BLOCK_BYTES;
    Needs {
        target,
        buffered: true,
        kinds,
        largest_block_bytes,
        ..Needs::new(operations, queue_depth)
    }
}

/// Runs `lane` with an engine, or says why that is skipped.
pub(super) fn open<B: Backend, L: Lane>(
    backend: &B,
    setup: LaneSetup,
    lane: L,
) -> Option<L::Output> {
    let name = backend.name();
    let depth = setup.queue_depth;
    if let Err(unsupported) = backend.probe(&needs(setup.operations, depth, &setup.files)) {
        leave_out(&format!("{name} at depth {depth}"), &unsupported);
        return None;
    }
    match backend.with_engine(setup, lane) {
        Ok(output) => Some(output),
        Err(error) => {
            panic!("{name} does not open at depth {depth} though its probe was fine: {error:?}")
        }
    }
}

/// A request for all of `block`, of target 0.
pub(super) fn request(operation: Operation, tag: u32, block: Block, offset_bytes: u64) -> Request {
    Request {
        offset_bytes,
        length_bytes: block.len(),
        block: Some(block),
        block_start_bytes: 0,
        tag,
        target: 0,
        operation,
    }
}

/// A request without memory, of target 0.
pub(super) fn bare_request(operation: Operation, tag: u32) -> Request {
    Request {
        offset_bytes: 0,
        length_bytes: 0,
        block: None,
        block_start_bytes: 0,
        tag,
        target: 0,
        operation,
    }
}

/// `count` reads of consecutive blocks of target 0, tagged from `first_tag` on.
pub(super) fn reads(part: &mut Part, first_tag: u32, count: u32) -> Vec<Request> {
    let read =
        |tag| request(Operation::Read, tag, lend(part), u64::from(tag) * u64::from(BLOCK_BYTES));
    (first_tag..first_tag + count).map(read).collect()
}

/// A deadline that nothing here reaches.
pub(super) fn patient() -> Deadline {
    Deadline::after(Stamp::now(), PATIENCE)
}

/// A deadline that has passed.
pub(super) fn past() -> Deadline {
    let now = Stamp::now();
    Deadline::new(now, now)
}

/// Queues all `requests`.
pub(super) fn queue_all<E: IoEngine>(engine: &mut E, requests: Vec<Request>) {
    for request in requests {
        if let Err(rejected) = engine.queue(request) {
            panic!("a well-formed request was refused though the queue has room: {rejected:?}");
        }
    }
}

/// Submits until `count` requests are taken.
pub(super) fn submit_all<E: IoEngine>(engine: &mut E, count: u32) {
    let mut taken = 0;
    for _call in 0..CALLS_MAX {
        if taken == count {
            return;
        }
        taken += engine.submit().expect("submitting does not kill the engine");
        assert!(taken <= count, "submit says that it took more requests than were queued");
    }
    panic!("submit took {taken} of {count} requests and no more");
}

/// The lane that queues its requests, waits for all of them, and results in their completions by
/// tag. The requests fit the queue, and their tags count from 0.
pub(super) struct Exchange(pub(super) Vec<Request>);

impl Lane for Exchange {
    type Output = Vec<Completion>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Completion> {
        let count = u32::try_from(self.0.len()).expect("a check makes few requests");
        let mut done = Completions::with_capacity(self.0.len());
        queue_all(engine, self.0);
        let mut calls = 0;
        while done.spare() > 0 {
            engine.submit_and_reap(count, patient(), &mut done).expect("the engine stays alive");
            calls += 1;
            assert!(calls < CALLS_MAX, "requests that were queued never complete");
        }
        by_tag(&mut done, count)
    }
}

/// The completions in `done`, which are those of tags 0 to `count`, each once.
pub(super) fn by_tag(done: &mut Completions, count: u32) -> Vec<Completion> {
    let mut list: Vec<_> = done.drain().collect();
    list.sort_by_key(|completion| completion.tag);
    let tags = list.iter().map(|completion| completion.tag);
    assert!(tags.eq(0..count), "not every request came back once, under its own tag: {list:?}");
    list
}

/// Asserts that `part` has all of its blocks back and that nobody else holds its memory.
pub(super) fn bring_home(part: &mut Part, completions: Vec<Completion>) {
    for block in completions.into_iter().filter_map(|completion| completion.block) {
        part.take_back(block).expect("a completion brings back the block that went in");
    }
    assert!(part.is_whole(), "not every block came back");
    assert_unowned(part);
}

/// Asserts that nobody else than `part` holds its memory.
pub(super) fn assert_unowned(part: &Part) {
    let owners = part.mapping_owners_elsewhere();
    assert_eq!(owners, 0, "after the engine is gone {owners} blocks or segments still have owners");
}
