//! Reports with fixed numbers, for tests.

mod contest;

use aio_core::engine::{EngineCounters, Operation};
use aio_core::plan::{
    Access, Blocks, Direction, Origin, PathTemplate, Pattern, Phase, Plan, TensorGroup,
};
use aio_core::receipt::Receipt;
use aio_core::report::{
    Cpu, Depth, DirectionReport, Doubt, EngineReport, Failure, GroupKind, GroupReport, Latency,
    LatencyHistogram, LoopReport, Machine, Ratios, Report, SCHEMA_VERSION, Sample, SampleLatency,
    Series, Sharing, Status, Submission, TargetReport, Unavailable, gib_per_s, requests_per_s,
};

use aio_core::stats::{Fingerprint, LanePrint, What};

pub(crate) use contest::{contest, sweep};

const GIB: u64 = 1 << 30;

/// One engine that wrote 1 GiB in each of three loops.
pub(crate) fn one_engine() -> Report {
    report(vec![engine("uring", vec![direction(Direction::Write, [0.5, 0.4, 0.6])])])
}

/// Two engines, both directions.
pub(crate) fn comparison() -> Report {
    let directions = |factor: f64| {
        vec![
            direction(Direction::Write, [0.5, 0.4, 0.6].map(|s| s * factor)),
            direction(Direction::Read, [0.25, 0.26, 0.24].map(|s| s * factor)),
        ]
    };
    report(vec![engine("uring", directions(1.0)), engine("sync", directions(1.25))])
}

/// Everything that can be wrong: a failure, a doubt, downgrades, an engine that cannot run.
pub(crate) fn troubled() -> Report {
    let mut failed = direction(Direction::Write, [0.5, 0.4, 0.6]);
    failed.status = Status::Failed;
    failed.tasklets_count = 2;
    failed.failures.push(Failure {
        tid: 1,
        path: Some("/data/f.1".into()),
        operation: Some("write".into()),
        offset_bytes: Some(31_457_280),
        length_bytes: Some(1_048_576),
        errno: Some("ENOSPC".into()),
        message: "cannot write /data/f.1: No space left on device".into(),
    });
    let mut doubtful = direction(Direction::Read, [0.5, 0.4, 0.6]);
    doubtful.doubts.push(Doubt::new("buffered", "buffered I/O measures the page cache"));
    doubtful.short_transfers = 2;
    doubtful.loops[1].allocates = true;
    doubtful.validated_bytes = Some(3 * GIB);
    let lock = Receipt::downgraded("memory-lock", "locked", "unlocked", "RLIMIT_MEMLOCK is 8 MiB");
    let mut engines = vec![engine("libaio", vec![failed]), engine("sync", vec![doubtful])];
    engines[0].receipts = vec![Receipt::granted("ring", "mapped"), lock.clone()];
    engines[1].receipts = vec![lock];
    let mut report = report(engines);
    report.status = Status::Failed;
    report.plan.block_size_bytes = 100_000;
    report.plan.lanes = 2;
    let why = "O_DIRECT moves multiples of 512 bytes here";
    report.receipts = vec![
        Receipt::downgraded("block-size", "100000", "100352", why),
        Receipt::downgraded("engine", "all", "libaio,sync", "uring: no such system call"),
    ];
    let reason = "no such system call; use Linux 5.1 or later".into();
    report.unavailable = vec![Unavailable { engine: "uring".into(), reason }];
    report
}

/// An engine that only measures the harness.
pub(crate) fn null() -> Report {
    let mut engine = engine("null", vec![direction(Direction::Read, [0.001, 0.001, 0.002])]);
    engine.moves_data = false;
    report(vec![engine])
}

/// Two engines that read random blocks of 4 KiB for a second.
pub(crate) fn blocks() -> Report {
    let mut blocks = Blocks::new(Pattern::Random);
    blocks.runtime_ns = Some(1_000_000_000);
    let engine = |name: &str, seconds: f64| {
        let mut one = direction(Direction::Read, [seconds, 0.0, 0.0]);
        one.access = Access::Blocks(blocks.clone());
        one.loops.truncate(2);
        one.loops.remove(0);
        (one.requests, one.bytes) = (GIB >> 12, GIB);
        one.requests_per_s = requests_per_s(one.requests, seconds);
        one.task_speed_gib_per_s = gib_per_s(GIB, seconds);
        one.ratios = Ratios::of(&one, Sharing { cpu: one.requests, calls: one.requests });
        engine(name, vec![one])
    };
    let mut report = report(vec![engine("uring", 1.0), engine("sync", 1.25)]);
    for (one, requests) in report.engines.iter_mut().zip([1000, 900]) {
        one.directions[0].lane_prints = vec![vec![print(requests, 0)]];
    }
    report.plan.block_size_bytes = 4096;
    (report.plan.loops, report.plan.warmup_loops) = (1, 0);
    report.plan.phases[0].direction = Direction::Read;
    report.plan.phases[0].access = Access::Blocks(blocks);
    report
}

/// What is known of `requests` requests in order, from block `first` on.
pub(crate) fn print(requests: u64, first: u64) -> LanePrint {
    let mut fingerprint = Fingerprint::new(0, 0, 0);
    for block in first..first + requests {
        let mut running = fingerprint.running();
        running.add(What::new(Operation::Read, 0, 4096).mix(block * 4096));
        fingerprint.go_on(running, 1);
    }
    fingerprint.take_print()
}

/// A run that a signal ended in its third loop.
pub(crate) fn interrupted() -> Report {
    let mut one = direction(Direction::Read, [0.5, 0.4, 0.6]);
    one.status = Status::Interrupted;
    one.unfinished_bytes = 12 << 20;
    let mut report = report(vec![engine("uring", vec![one])]);
    report.status = Status::Interrupted;
    report
}

fn report(engines: Vec<EngineReport>) -> Report {
    let group = TensorGroup {
        path: PathTemplate::new("/data/f.{tid}"),
        tasklets: 1,
        sizes_bytes: vec![GIB],
        origin: Origin::Made,
    };
    Report {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".into(),
        machine: Machine {
            kernel: "6.18.0".into(),
            architecture: "x86_64".into(),
            cpu_model: Some("A Fast One".into()),
            cpus: 2,
            memory_bytes: Some(8 * GIB),
        },
        plan: Plan::tensor_swap(vec![Phase::of_tensors(Direction::Write, vec![group])]),
        targets: vec![TargetReport {
            path: "/data/f.0".into(),
            size_bytes: GIB,
            file_system: Some("ext4".into()),
            device: Some("254:0".into()),
            alignment_bytes: Some(512),
            mount_options: None,
            compresses: None,
            storage: None,
        }],
        receipts: vec![Receipt::granted("block-size", "1048576")],
        engines,
        unavailable: Vec::new(),
        status: Status::Complete,
    }
}

fn engine(name: &str, directions: Vec<DirectionReport>) -> EngineReport {
    EngineReport {
        engine: name.into(),
        moves_data: true,
        waits_by_polling: false,
        receipts: Vec::new(),
        steady_state: None,
        directions,
    }
}

/// A direction of one loop to warm up and three that count, of 1 GiB each.
fn direction(direction: Direction, seconds: [f64; 3]) -> DirectionReport {
    let sum: f64 = seconds.iter().sum();
    let warmup = (0, 2.0 * seconds[0]);
    let timed = seconds.iter().enumerate().map(|(index, seconds)| (index + 1, *seconds));
    let loops = std::iter::once(warmup).chain(timed).map(|(index, seconds)| LoopReport {
        index: u32::try_from(index).expect("four loops"),
        counts: index > 0,
        allocates: index == 0 && direction == Direction::Write,
        bytes: GIB,
        task_latency_s: seconds,
        e2e_latency_s: seconds * 1.01,
        task_speed_gib_per_s: gib_per_s(GIB, seconds),
        e2e_speed_gib_per_s: gib_per_s(GIB, seconds * 1.01),
    });
    let mut made = DirectionReport {
        direction,
        access: Access::Tensor,
        status: Status::Complete,
        tasklets_count: 1,
        bytes: 3 * GIB,
        requests: 3072,
        task_latency_s: sum,
        e2e_latency_s: sum * 1.01,
        task_speed_gib_per_s: gib_per_s(3 * GIB, sum),
        e2e_speed_gib_per_s: gib_per_s(3 * GIB, sum * 1.01),
        requests_per_s: requests_per_s(3072, sum),
        request_latency: Latency {
            min_ns: 90_000,
            mean_ns: 15_000_000.5,
            stdev_ns: 1_000_000.25,
            p50_ns: Some(14_900_000),
            p90_ns: Some(16_000_000),
            p95_ns: Some(18_000_000),
            p99_ns: Some(20_100_000),
            p99_9_ns: Some(22_000_000),
            p99_99_ns: None,
            p99_999_ns: None,
            max_ns: 25_000_000,
        },
        histogram: LatencyHistogram::default(),
        depth: Depth { asked: 32, achieved_mean: Some(30.72) },
        submission: Submission {
            sampled_calls: 16,
            call_mean_ns: Some(100_000.0),
            call_p50_ns: Some(90_000),
            time_share: Some(0.2),
            latency_share: Some(0.006),
        },
        series: series(sum),
        loops: loops.collect(),
        tasklets: Vec::new(),
        groups: Vec::new(),
        counters: EngineCounters {
            system_calls: 3000,
            submit_calls: 2900,
            reap_calls: 2900,
            submitted: 3072,
            reaped: 3072,
            ..EngineCounters::default()
        },
        short_transfers: 0,
        devices: Vec::new(),
        cpu: Cpu {
            user_s: 0.05,
            system_s: 0.2,
            voluntary_switches: 2900,
            involuntary_switches: 172,
            busiest_thread_share: Some(0.25),
            shared_with_other_directions: false,
        },
        ratios: Ratios::default(),
        fingerprint: "0123456789abcdef".into(),
        lane_prints: Vec::new(),
        doubts: Vec::new(),
        failures: Vec::new(),
        validated_bytes: None,
        pace: None,
        flushes: None,
        end_flush_s: None,
        unfinished_bytes: 0,
    };
    made.ratios = Ratios::of(&made, Sharing { cpu: 3072, calls: 3072 });
    made
}

/// 3072 requests in four intervals of as much time, and latencies in all but the last.
fn series(seconds: f64) -> Series {
    let requests = [700, 800, 804, 768];
    let latency =
        SampleLatency { p50_ns: Some(14_900_000), p99_ns: Some(20_000_000), max_ns: 25_000_000 };
    let sample = |(index, requests): (u32, u64)| Sample {
        t_s: f64::from(index) * seconds / 4.0,
        requests,
        bytes: requests << 20,
        latency: (index < 4).then_some(latency),
    };
    Series {
        interval_s: seconds / 4.0,
        samples: (1..).zip(requests).map(sample).collect(),
        is_cut_off: false,
    }
}

/// Tasklets that share what is named so.
pub(crate) fn group(by: GroupKind, name: &str) -> GroupReport {
    GroupReport {
        by,
        name: name.into(),
        tasklets_count: 2,
        bytes: GIB,
        requests: GIB >> 12,
        task_latency_s: 1.0,
        task_speed_gib_per_s: 1.0,
        requests_per_s: requests_per_s(GIB >> 12, 1.0),
        request_latency: Latency { p50_ns: Some(200_000), ..Latency::default() },
    }
}
