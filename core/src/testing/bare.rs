//! Checks of requests that move no memory: flushes and trims.

use std::fs::File;
use std::sync::Arc;

use super::fixture::{
    BLOCK_BYTES, Exchange, Store, bare_request, bring_home, lend, needs, part, pattern, request,
    setup,
};
use super::leave_out;
use crate::engine::{
    Backend, Completion, Errno, Files, IoEngine, Lane, LaneSetup, Operation, Operations, Request,
    Why,
};
use crate::memory::Part;

/// The deepest queue of these checks.
const DEPTH: u32 = 8;
const BLOCK: usize = BLOCK_BYTES as usize;
const FLUSHES: [Operation; 2] = [Operation::Fsync, Operation::Fdatasync];

/// Runs `lane` with an engine of `depth` for `operations` on `files`, with the memory of `part`,
/// unless the backend's probe refuses that.
fn lend_engine<B: Backend, L: Lane>(
    backend: &B,
    depth: u32,
    operations: &[Operation],
    files: &Files,
    part: &Part,
    lane: L,
) -> Option<L::Output> {
    let set = Operations::of(operations);
    if let Err(refused) = backend.probe(&needs(set, depth, files)) {
        let names: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
        leave_out(&format!("{} of {}", names.join(", "), backend.name()), &refused);
        return None;
    }
    let setup = LaneSetup { operations: set, ..setup(depth, Arc::clone(files), part) };
    let opened = backend.with_engine(setup, lane);
    Some(
        opened
            .unwrap_or_else(|error| panic!("it does not open, but its probe was fine: {error:?}")),
    )
}

/// Has `requests`, which have no block, done at once.
fn exchange<B: Backend>(
    backend: &B,
    store: &Store,
    requests: Vec<Request>,
) -> Option<Vec<Completion>> {
    let mut part = part(1);
    let operation = requests[0].operation;
    let depth = u32::try_from(requests.len()).expect("a check makes few requests");
    let lane = Exchange(requests);
    let done = lend_engine(backend, depth, &[operation], &store.files(), &part, lane)?;
    let bare = done.iter().all(|completion| completion.block.is_none());
    assert!(bare, "a {operation} came back with a block");
    bring_home(&mut part, Vec::new());
    Some(done)
}

pub(super) fn a_flush_completes_with_zero<B: Backend>(backend: &B) {
    let store = Store::new(BLOCK);
    for operation in FLUSHES {
        for depth in [1, 3] {
            let requests = (0..depth).map(|tag| bare_request(operation, tag)).collect();
            for done in exchange(backend, &store, requests).into_iter().flatten() {
                assert_eq!(done.result(), Ok(0), "{operation} does not complete with 0");
            }
        }
    }
}

/// One request of each kind at once: those with memory must not lend it to those without.
pub(super) fn flushes_go_beside_reads_and_writes<B: Backend>(backend: &B) {
    for flush in FLUSHES {
        let store = Store::new(DEPTH as usize * BLOCK);
        let mut part = part(DEPTH);
        let kind = |tag: u32| match tag % 4 {
            0 => Operation::Read,
            2 => Operation::Write,
            _ => flush,
        };
        let one = |tag: u32| {
            let operation = kind(tag);
            if !operation.moves_data() {
                return bare_request(operation, tag);
            }
            let mut block = lend(&mut part);
            if operation == Operation::Write {
                block.as_mut_slice().copy_from_slice(&pattern(9, BLOCK));
            }
            request(operation, tag, block, u64::from(tag * BLOCK_BYTES))
        };
        let requests = (0..DEPTH).map(one).collect();
        let operations = [Operation::Read, Operation::Write, flush];
        let files = store.files();
        let lane = Exchange(requests);
        let done = lend_engine(backend, DEPTH, &operations, &files, &part, lane);
        let Some(completions) = done else { return };
        for completion in &completions {
            let operation = kind(completion.tag);
            let want = if operation.moves_data() { BLOCK_BYTES } else { 0 };
            assert_eq!(completion.result(), Ok(want), "a {operation} beside a {flush}");
            assert_eq!(completion.block.is_some(), operation.moves_data());
            if operation == Operation::Write && backend.moves_data() {
                let stored = store.bytes(u64::from(completion.tag * BLOCK_BYTES), BLOCK);
                assert!(stored == pattern(9, BLOCK), "a write beside a {flush} wrote other bytes");
            }
        }
        bring_home(&mut part, completions);
    }
}

/// That a flush reaches the kernel shows in what the kernel says to one that makes no sense.
pub(super) fn a_flush_of_what_cannot_be_flushed_fails_alone<B: Backend>(backend: &B) {
    if !backend.moves_data() {
        return;
    }
    let store = Store::new(BLOCK);
    let (reader, _writer) = std::io::pipe().expect("a pipe can be made");
    let pipe = File::from(std::os::fd::OwnedFd::from(reader));
    let files: Files = Arc::new([Arc::clone(&store.file), Arc::new(pipe)]);
    for operation in FLUSHES {
        let part = part(1);
        let one = |tag: u16| Request { target: tag % 2, ..bare_request(operation, tag.into()) };
        let lane = Exchange((0..4).map(one).collect());
        let done = lend_engine(backend, 4, &[operation], &files, &part, lane);
        for completion in done.into_iter().flatten() {
            let of_file = completion.tag % 2 == 0;
            let want = if of_file { Ok(0) } else { Err(Errno(libc::EINVAL)) };
            assert_eq!(completion.result(), want, "a {operation} of a file or, odd, of a pipe");
        }
    }
}

/// A trim of `length_bytes` from `offset_bytes` on.
fn trim(tag: u32, offset_bytes: u64, length_bytes: u32) -> Request {
    Request { offset_bytes, length_bytes, ..bare_request(Operation::Trim, tag) }
}

/// Queues a trim of nothing, and results in why that is given back.
struct Nothing;

impl Lane for Nothing {
    type Output = Option<Why>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Option<Why> {
        engine.queue(trim(0, 0, 0)).err().map(|rejected| rejected.why)
    }
}

pub(super) fn a_trim_completes_with_zero_and_needs_a_range<B: Backend>(backend: &B) {
    let store = Store::new(DEPTH as usize * BLOCK);
    for depth in [1, DEPTH] {
        let one = |tag| trim(tag, u64::from(tag * BLOCK_BYTES), BLOCK_BYTES);
        let Some(done) = exchange(backend, &store, (0..depth).map(one).collect()) else { return };
        for completion in done {
            assert_eq!(completion.result(), Ok(0), "a trim does not complete with 0");
        }
    }
    let why = lend_engine(backend, 1, &[Operation::Trim], &store.files(), &part(1), Nothing);
    assert_eq!(why, Some(Some(Why::BadBlock)), "a trim of no bytes is not given back");
}

pub(super) fn a_trimmed_range_of_a_file_reads_as_zeros_and_nothing_else_does<B: Backend>(
    backend: &B,
) {
    // One block, a range that is no whole blocks, and what reaches behind the end of the file.
    let length = u64::from(DEPTH * BLOCK_BYTES);
    let ranges = [
        (u64::from(BLOCK_BYTES), BLOCK_BYTES),
        (3 * u64::from(BLOCK_BYTES) + 100, 2 * BLOCK_BYTES + 7),
        (length - 10, BLOCK_BYTES),
    ];
    let mut want = pattern(0, DEPTH as usize * BLOCK);
    for (offset_bytes, length_bytes) in ranges {
        let start = usize::try_from(offset_bytes).expect("a small file");
        let end = want.len().min(start + length_bytes as usize);
        want[start..end].fill(0);
    }
    for at_once in [1, ranges.len()] {
        let store = Store::new(DEPTH as usize * BLOCK);
        for some in ranges.chunks(at_once) {
            let one = |(tag, (offset_bytes, length_bytes))| trim(tag, offset_bytes, length_bytes);
            let requests = (0..).zip(some.iter().copied()).map(one).collect();
            let Some(done) = exchange(backend, &store, requests) else { return };
            assert!(done.iter().all(|completion| completion.result() == Ok(0)), "{done:?}");
        }
        let there = store.file.metadata().expect("the file is open").len();
        assert_eq!(there, length, "a trim has changed the file's length");
        let bytes = store.bytes(0, want.len());
        assert!(bytes == want, "a trim took other bytes than it was told to");
    }
}
