//! Lanes and their helpers allocate nothing between the barriers: as often in a run of many
//! requests as in a run of few.
#![expect(unsafe_code, reason = "an allocator that counts is a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use aio_backends::{AnyBackend, RunPlan, parse};
use aio_core::plan::{Direction, Origin, PathTemplate, Phase, Plan, TensorGroup};
use aio_core::report::Status;
use aio_core::session::{Session, Silent, Stop};
use aio_core::testing::skip;

const BLOCK_BYTES: u64 = 4096;
const FEW_BLOCKS: u64 = 64;
const MANY_BLOCKS: u64 = 10 * FEW_BLOCKS;
const FEW_LOOPS: u32 = 2;
const MANY_LOOPS: u32 = 20;

/// The allocator of the system, with a count of what all threads but the test's ask for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this is the thread of the test, which passes on progress by the clock and may
    /// allocate as it likes.
    static IS_THE_TESTS: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    // A thread that is ending, whose variables are gone, is not the test's.
    if !IS_THE_TESTS.try_with(Cell::get).unwrap_or(false) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`, which is the same.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What a run does.
#[derive(Clone, Copy, Debug)]
struct Work {
    direction: Direction,
    depth: u32,
    blocks: u64,
    loops: u32,
}

fn plan(folder: &Path, work: Work) -> Plan {
    let path = PathTemplate::new(folder.join("f.{tid}"));
    let sizes_bytes = vec![work.blocks * BLOCK_BYTES];
    let group = TensorGroup { path, tasklets: 1, sizes_bytes, origin: Origin::Made };
    let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(work.direction, vec![group])]);
    plan.block_size_bytes = BLOCK_BYTES;
    plan.queue_depth = work.depth;
    plan.loops = work.loops;
    plan.buffered = true;
    plan
}

/// How often the threads of a whole run allocate, or nothing when it cannot run here.
fn allocations(backend: &AnyBackend, spec: &str, work: Work) -> Option<u64> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let session = Session::open(plan(folder.path(), work), None, Stop::default());
    let session = session.expect("a plan that can run");
    if let Err(unsupported) = backend.probe(&session.needs()) {
        skip(&format!("allocations of {spec}: {}", unsupported.sentence()));
        return None;
    }
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    let report = backend.run(&session, spec, 0, &mut Silent);
    wait_for_other_threads();
    let after = ALLOCATIONS.load(Ordering::SeqCst);
    let direction = &report.directions[0];
    assert_eq!((direction.status, &direction.failures[..]), (Status::Complete, &[][..]));
    assert_eq!(direction.requests, work.blocks * u64::from(work.loops), "{spec}");
    Some(after - before)
}

/// Waits until all threads that a run has started are gone: they are not joined.
fn wait_for_other_threads() {
    let ours = |task: std::io::Result<fs::DirEntry>| {
        let name = fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        name.starts_with("aio-").then_some(())
    };
    let tasks = || fs::read_dir("/proc/self/task").expect("/proc is mounted");
    while tasks().any(|task| ours(task).is_some()) {
        std::thread::yield_now();
    }
}

/// One test, because allocations of all threads are counted together.
#[test]
fn lanes_allocate_as_often_for_many_requests_as_for_few() {
    IS_THE_TESTS.set(true);
    let cases = [("uring", 8), ("libaio", 8), ("sync", 1), ("sync", 8), ("null", 8)];
    for (spec, depth) in cases {
        let backend = parse(spec).unwrap();
        for direction in [Direction::Read, Direction::Write] {
            let few = Work { direction, depth, blocks: FEW_BLOCKS, loops: FEW_LOOPS };
            let count = |work| allocations(&backend, spec, work);
            // The first run may fill what the process keeps.
            let (Some(_first), Some(base)) = (count(few), count(few)) else { continue };
            assert!(base > 0, "a run without allocations: nothing was counted");
            let requests = count(Work { blocks: MANY_BLOCKS, ..few });
            let loops = count(Work { loops: MANY_LOOPS, ..few });
            eprintln!("{spec} at depth {depth}, {direction}: {base} {requests:?} {loops:?}");
            assert_eq!(requests, Some(base), "{spec} at depth {depth}: ten times the requests");
            assert_eq!(loops, Some(base), "{spec} at depth {depth}: ten times the loops");
        }
    }
}
