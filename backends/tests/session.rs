//! Whole sessions on real files, the same for every engine that this machine allows.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use aio_backends::{AnyBackend, RunPlan, all, parse};
use aio_core::data::DataStream;
use aio_core::plan::{Direction, Order, Origin, PathTemplate, Phase, Plan, TensorGroup};
use aio_core::report::{DirectionReport, EngineReport, Status};
use aio_core::session::{Session, Silent, Stop};
use aio_core::target::{RefusedTarget, ResolveError};
use aio_core::testing::skip;

const ODD_SIZE: u64 = 1_000_003;

fn group(path: &Path, tasklets: u32, sizes_bytes: &[u64], origin: Origin) -> TensorGroup {
    let path = PathTemplate::new(path);
    TensorGroup { path, tasklets, sizes_bytes: sizes_bytes.to_vec(), origin }
}

fn write_to(folder: &Path, tasklets: u32, sizes: &[u64]) -> Phase {
    let tensors = vec![group(&folder.join("w.{tid}"), tasklets, sizes, Origin::Made)];
    Phase::of_tensors(Direction::Write, tensors)
}

fn read_made(folder: &Path, tasklets: u32, sizes: &[u64]) -> Phase {
    let tensors = vec![group(&folder.join("r.{tid}"), tasklets, sizes, Origin::Made)];
    Phase::of_tensors(Direction::Read, tensors)
}

fn plan(phases: Vec<Phase>) -> Plan {
    let mut plan = Plan::tensor_swap(phases);
    plan.block_size_bytes = 100_000;
    plan.queue_depth = 4;
    plan.loops = 2;
    plan.validate = true;
    plan.seed = 7;
    plan
}

/// Opens the session; where the file system refuses direct I/O, says so and goes on buffered.
fn open(mut plan: Plan) -> Session {
    match Session::open(plan.clone(), None, Stop::default()) {
        Err(ResolveError::Target(RefusedTarget::NoDirectIo { path })) => {
            skip(&format!("O_DIRECT, which {} refuses; buffered instead", path.display()));
            plan.buffered = true;
            Session::open(plan, None, Stop::default()).expect("a plan that can run buffered")
        }
        other => other.expect("a plan that can run"),
    }
}

/// Every engine that can run here; says aloud which cannot.
fn engines(session: &Session) -> Vec<AnyBackend> {
    let usable = |backend: &AnyBackend| match backend.probe(&session.needs()) {
        Ok(_) => true,
        Err(unsupported) => {
            skip(&format!("{}: {}", backend.name(), unsupported.sentence()));
            false
        }
    };
    all().into_iter().filter(usable).collect()
}

fn run(session: &Session, backend: &AnyBackend) -> EngineReport {
    backend.run(session, backend.name(), 0, &mut Silent)
}

fn complete(report: &EngineReport) -> &[DirectionReport] {
    for direction in &report.directions {
        assert_eq!(direction.failures, [], "{}", report.engine);
        assert_eq!(direction.status, Status::Complete, "{}", report.engine);
    }
    &report.directions
}

#[test]
fn every_engine_writes_the_same_bytes_to_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(vec![write_to(folder.path(), 2, &[ODD_SIZE, 4096])]);
    plan.keep = true;
    let session = open(plan);
    for backend in engines(&session) {
        let report = run(&session, &backend);
        let direction = &complete(&report)[0];
        assert_eq!(direction.validated_bytes, Some(ODD_SIZE + 4096));
        assert_eq!(direction.bytes, 2 * (ODD_SIZE + 4096));
        for (tid, size) in [(0, ODD_SIZE), (1, 4096)] {
            let there = fs::read(folder.path().join(format!("w.{tid}"))).unwrap();
            let mut expected = vec![0; usize::try_from(size).unwrap()];
            // Loops are counted from 0, one of warm-up and two that count.
            DataStream::new(7, tid).fill(0, 2, &mut expected);
            assert!(there == expected, "{} of tasklet {tid}", backend.name());
        }
    }
}

#[test]
fn reads_fill_the_tensor_in_every_order_and_with_several_lanes() {
    let folder = tempfile::tempdir().unwrap();
    for change in [
        |_: &mut Plan| (),
        |plan: &mut Plan| plan.lanes = 3,
        |plan: &mut Plan| plan.order = Order::Sequential,
        |plan: &mut Plan| plan.batch.submit = Some(1),
        |plan: &mut Plan| plan.batch.complete = 4,
        |plan: &mut Plan| plan.queue_depth = 1,
        |plan: &mut Plan| plan.different_file_each_iteration = true,
    ] {
        let mut plan = plan(vec![read_made(folder.path(), 2, &[ODD_SIZE])]);
        plan.phases[0].tensors[0].path = PathTemplate::new(folder.path().join("r.{tid}_{loop}"));
        change(&mut plan);
        let session = open(plan);
        for backend in engines(&session) {
            let report = run(&session, &backend);
            let direction = &complete(&report)[0];
            assert_eq!(direction.validated_bytes, Some(2 * ODD_SIZE), "{}", backend.name());
        }
        assert_eq!(session.finish(), Vec::<String>::new());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}

#[test]
fn the_fingerprint_is_equal_for_all_engines_and_differs_when_the_plan_does() {
    let folder = tempfile::tempdir().unwrap();
    let prints = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan(vec![read_made(folder.path(), 1, &[ODD_SIZE])]);
        change(&mut plan);
        let session = open(plan);
        let prints: Vec<_> = engines(&session)
            .iter()
            .map(|backend| complete(&run(&session, backend))[0].fingerprint.clone())
            .collect();
        assert!(prints.iter().all(|print| *print == prints[0]), "{prints:?}");
        prints[0].clone()
    };
    let changes: [&dyn Fn(&mut Plan); 6] = [
        &|_| (),
        &|plan| plan.seed = 8,
        &|plan| plan.block_size_bytes = 65_536,
        &|plan| plan.lanes = 2,
        &|plan| plan.loops = 3,
        &|plan| plan.phases[0].tensors[0].sizes_bytes = vec![ODD_SIZE + 1024],
    ];
    let all: Vec<_> = changes.iter().map(|change| prints(change)).collect();
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "plan {index} has the fingerprint of another");
    }
    // What is not a matter of requests does not change them.
    assert_eq!(all[0], prints(&|plan| plan.queue_depth = 2));
    assert_eq!(all[0], prints(&|plan| plan.order = Order::Sequential));
}

#[test]
fn reads_and_writes_run_together_with_a_report_each() {
    let folder = tempfile::tempdir().unwrap();
    let phases =
        vec![write_to(folder.path(), 1, &[ODD_SIZE]), read_made(folder.path(), 2, &[2 * ODD_SIZE])];
    let mut plan = plan(phases);
    plan.concurrent = true;
    let session = open(plan);
    for backend in engines(&session) {
        let report = run(&session, &backend);
        let [write, read] = complete(&report) else { panic!("two directions") };
        assert_eq!((write.direction, read.direction), (Direction::Write, Direction::Read));
        assert_eq!((write.bytes, read.bytes), (2 * ODD_SIZE, 8 * ODD_SIZE));
        assert!((write.e2e_latency_s - read.e2e_latency_s).abs() < 1e-9, "they run in step");
        assert!(write.cpu.shared_with_other_directions);
    }
}

#[test]
fn task_and_end_to_end_time_fit_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(vec![write_to(folder.path(), 3, &[ODD_SIZE])]);
    plan.warmup_loops = 2;
    let session = open(plan.clone());
    let backend = parse("sync").unwrap();
    let report = run(&session, &backend);
    let direction = &complete(&report)[0];
    let counting = || direction.loops.iter().filter(|one| one.counts);
    assert_eq!((direction.loops.len(), counting().count()), (4, 2));
    let sum: f64 = counting().map(|one| one.e2e_latency_s).sum();
    assert!((sum - direction.e2e_latency_s).abs() < 1e-9);
    for one in &direction.loops {
        assert!(one.task_latency_s <= one.e2e_latency_s);
        assert_eq!(one.allocates, one.index == 0, "only the first loop writes into fresh files");
    }
    for tasklet in &direction.tasklets {
        assert!(tasklet.task_latency_s <= direction.task_latency_s);
        assert_eq!(tasklet.loop_task_latency_s.len(), 4);
    }
    drop(session);
    plan.include_warmup_time = true;
    let session = open(plan);
    let report = run(&session, &backend);
    assert_eq!(complete(&report)[0].bytes, 4 * 3 * ODD_SIZE);
}

#[test]
fn each_loop_allocates_when_each_has_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(vec![write_to(folder.path(), 1, &[ODD_SIZE])]);
    plan.phases[0].tensors[0].path = PathTemplate::new(folder.path().join("w.{tid}_{loop}"));
    plan.different_file_each_iteration = true;
    let session = open(plan);
    let report = run(&session, &parse("sync").unwrap());
    let direction = &complete(&report)[0];
    assert!(direction.loops.iter().all(|one| one.allocates));
    assert_eq!(direction.validated_bytes, Some(3 * ODD_SIZE), "every file is compared");
}

#[test]
fn the_engine_that_moves_nothing_runs_the_same_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(vec![write_to(folder.path(), 1, &[ODD_SIZE])]);
    plan.validate = false;
    let session = open(plan);
    let report = run(&session, &parse("null").unwrap());
    let direction = &complete(&report)[0];
    assert!(!report.moves_data);
    assert_eq!(direction.counters.system_calls, 0);
    assert_eq!(fs::metadata(folder.path().join("w.0")).unwrap().size(), 0);
}

#[test]
fn a_run_that_is_stopped_says_so_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(vec![write_to(folder.path(), 2, &[ODD_SIZE])]);
    let stop = Stop::default();
    let mut buffered = plan;
    buffered.buffered = true;
    let session = Session::open(buffered, None, stop.clone()).unwrap();
    stop.set();
    let report = run(&session, &parse("sync").unwrap());
    assert_eq!(report.directions[0].status, Status::Interrupted);
    assert_eq!(report.directions[0].failures, []);
    assert_eq!(session.report(vec![report], Vec::new()).status, Status::Interrupted);
    drop(session);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_cut_in_the_middle_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    let read = group(&path, 1, &[], Origin::Existing);
    let mut plan = plan(vec![Phase::of_tensors(Direction::Read, vec![read])]);
    plan.validate = false;
    let session = open(plan);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(300_000).unwrap();
    for backend in engines(&session) {
        let report = run(&session, &backend);
        let failure = &report.directions[0].failures[0];
        assert_eq!(report.directions[0].status, Status::Failed);
        assert!(failure.offset_bytes.unwrap() >= 200_000, "{failure:?}");
        assert!(failure.message.contains("0 bytes were moved"), "{failure:?}");
        assert_eq!(failure.path.as_deref(), path.to_str());
    }
}
