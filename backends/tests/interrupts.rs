//! Whole sessions in a storm of signals that interrupt whatever a thread waits for: nothing fails,
//! nothing is lost, and what was interrupted is counted.

#[path = "hostile/limit.rs"]
mod limit;
#[path = "hostile/storm.rs"]
mod storm;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use aio_backends::{AnyBackend, RunPlan, parse};
use aio_core::data::DataStream;
use aio_core::plan::{
    Access, Blocks, Checksum, Direction, Flush, Origin, PathTemplate, Pattern, Phase, Plan,
    TensorGroup,
};
use aio_core::report::{EngineReport, Status};
use aio_core::session::{Session, Silent, Stop};
use aio_core::target::{RefusedTarget, ResolveError};
use aio_core::testing::{Usage, skip};

use limit::Limit;
use storm::{Storm, handled};

const SIZE_BYTES: u64 = 4_000_003;
const SEED: u64 = 7;
/// Signals that must have come in the runs of one engine.
const HANDLED_MIN: u64 = 200;
/// How long one engine is tried until enough has come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each with whether its lanes wait in calls that a signal interrupts; `pread` of a file is none.
const SPECS: [(&str, bool); 6] = [
    ("uring", true),
    ("uring:defer-taskrun=off:coop-taskrun=off:fixed-buffers=off:fixed-files=off", true),
    ("uring:sqpoll", true),
    ("libaio", true),
    ("sync", false),
    ("sync:inline=on", false),
];

fn tensors(folder: &Path, direction: Direction, name: &str) -> Phase {
    let path = PathTemplate::new(folder.join(name));
    let group =
        TensorGroup { path, tasklets: 2, sizes_bytes: vec![SIZE_BYTES], origin: Origin::Made };
    Phase::of_tensors(direction, vec![group])
}

fn swap(folder: &Path) -> Plan {
    let write = tensors(folder, Direction::Write, "w.{tid}");
    let read = tensors(folder, Direction::Read, "r.{tid}");
    let mut plan = Plan::tensor_swap(vec![write, read]);
    plan.block_size_bytes = 65_536;
    plan.lanes = 2;
    plan.validate = true;
    plan
}

fn mixed(folder: &Path) -> Plan {
    let mut phase = tensors(folder, Direction::Mixed, "b.{tid}");
    phase.tensors[0].sizes_bytes = vec![1 << 20];
    let flush = Some(Flush { every: 50, data_only: true });
    let blocks = Blocks::new(Pattern::Random);
    let verify = Some(Checksum::Crc32c);
    let blocks = Blocks { requests: Some(512), flush, verify, end_fsync: true, ..blocks };
    phase.access = Access::Blocks(blocks);
    let mut plan = Plan::tensor_swap(vec![phase]);
    plan.block_size_bytes = 4096;
    (plan.loops, plan.warmup_loops) = (1, 1);
    plan
}

/// Opens a session for what waits for the device, where the file system has direct I/O.
fn open(mut plan: Plan, depth: u32) -> Session {
    plan.seed = SEED;
    plan.queue_depth = depth;
    plan.keep = true;
    match Session::open(plan.clone(), None, Stop::default()) {
        Err(ResolveError::Target(RefusedTarget::NoDirectIo { .. })) => {
            plan.buffered = true;
            Session::open(plan, None, Stop::default()).expect("a plan that can run buffered")
        }
        other => other.expect("a plan that can run"),
    }
}

/// Runs the plans of [`swap`] and [`mixed`] once, and returns how many calls were interrupted.
fn run_all(folder: &Path, backend: &AnyBackend, depth: u32) -> u64 {
    let mut interrupted = 0;
    for plan in [swap(folder), mixed(folder)] {
        let session = open(plan, depth);
        let report = backend.run(&session, backend.name(), 0, &mut Silent);
        interrupted += assert_complete(&report);
        let name = backend.name();
        for tid in 0..2 {
            let Ok(there) = fs::read(folder.join(format!("w.{tid}"))) else { continue };
            let mut expected = vec![0; there.len()];
            // Loops are counted from 0, one of warm-up and three that count.
            DataStream::new(SEED, tid).fill(0, 3, &mut expected);
            assert!(there == expected, "{name}: w.{tid} holds something else");
        }
        drop(session);
        for entry in fs::read_dir(folder).expect("the folder is there") {
            fs::remove_file(entry.expect("it is there").path()).expect("it is ours");
        }
    }
    interrupted
}

fn assert_complete(report: &EngineReport) -> u64 {
    let engine = &report.engine;
    for direction in &report.directions {
        assert_eq!(direction.failures, [], "{engine}");
        assert_eq!(direction.status, Status::Complete, "{engine}");
        assert!(direction.validated_bytes.is_some_and(|bytes| bytes > 0), "{engine}");
    }
    report.directions.iter().map(|one| one.counters.interrupted).sum()
}

#[test]
fn in_a_storm_of_signals_every_engine_moves_all_and_counts_what_was_interrupted() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let is_direct = !open(swap(folder.path()), 1).plan().buffered;
    if !is_direct {
        skip("calls that a signal interrupts: no direct I/O here, so nothing waits for a device");
    }
    let before = Usage::now();
    for (spec, waits) in SPECS {
        let backend = parse(spec).unwrap();
        let depth = if spec.contains("inline=on") { 1 } else { 8 };
        let session = open(swap(folder.path()), depth);
        if let Err(unsupported) = backend.probe(&session.needs()) {
            skip(&format!("{spec}: {}", unsupported.sentence()));
            continue;
        }
        drop(session);
        let _limit = Limit::of(Duration::from_secs(120), "a session in a storm of signals");
        let storm = Storm::begin();
        let (begin, handled_before) = (Instant::now(), handled());
        let mut interrupted = 0;
        loop {
            interrupted += run_all(folder.path(), &backend, depth);
            let is_seen = interrupted > 0 || !waits || !is_direct;
            if is_seen && handled() - handled_before >= HANDLED_MIN {
                break;
            }
            let so_far = handled() - handled_before;
            assert!(
                begin.elapsed() < PATIENCE,
                "{spec}: {so_far} signals came, and {interrupted} calls were interrupted"
            );
        }
        drop(storm);
        println!("{spec}: {interrupted} interrupted, {} handled", handled() - handled_before);
    }
    before.assert_is_now();
}
