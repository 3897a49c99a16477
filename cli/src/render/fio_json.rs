//! For programs that read fio's `--output-format=json`: the same fields in the same units, as far
//! as they were measured. What each means here is written down in `docs/fio-json.md`.
//!
//! fio prints zeros for what it did not measure, and so does this where its readers rely on it; a
//! direction that failed has nothing but zeros, and its error.

mod clock;
mod latency;
mod measured;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use aio_core::plan::{Access, Direction, Pattern, Plan};
use aio_core::report::{DirectionReport, EngineReport, Report, Status, TaskletReport};
use nix::errno::Errno;
use serde_json::{Map, Value, json};

use super::Render;
use super::json::write;
use measured::Measured;

/// The error of a job that a signal ended.
const INTERRUPTED: i32 = Errno::EINTR as i32;
/// The error of a job that failed without an error number of its own.
const FAILED: i32 = 1;

/// The report as fio would have printed it at this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct FioJson {
    now: SystemTime,
}

impl FioJson {
    /// As of now.
    pub(super) fn of_now() -> Self {
        Self { now: SystemTime::now() }
    }
}

impl Render for FioJson {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        self.write_all(&[(None, report)], out)
    }
}

impl FioJson {
    /// The reports of several jobs, by their names.
    pub(super) fn write_jobs(
        &self,
        jobs: &[(&str, &Report)],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let named: Vec<_> = jobs.iter().map(|(name, report)| (Some(*name), *report)).collect();
        self.write_all(&named, out)
    }

    fn write_all(
        &self,
        reports: &[(Option<&str>, &Report)],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let since_epoch = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let document = json!({
            "fio version": format!("aio-{}", env!("CARGO_PKG_VERSION")),
            "timestamp": since_epoch.as_secs(),
            "timestamp_ms": u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            "time": clock::utc(since_epoch),
            "global options": global_options(reports),
            "jobs": jobs(reports),
        });
        write(&document, out)
    }
}

/// What all jobs have in common. fio's readers lay this over the options of each job.
fn global_options(reports: &[(Option<&str>, &Report)]) -> Value {
    let mut options = Map::new();
    if let Some((_, first)) = reports.first()
        && reports.iter().all(|(_, other)| other.plan.buffered == first.plan.buffered)
    {
        options.insert("direct".into(), json!(direct(&first.plan)));
    }
    options.insert("group_reporting".into(), json!("1"));
    Value::Object(options)
}

fn direct(plan: &Plan) -> &'static str {
    if plan.buffered { "0" } else { "1" }
}

/// A job per report, engine and direction. Those that ran at the same time are one group.
fn jobs(reports: &[(Option<&str>, &Report)]) -> Vec<Value> {
    let mut jobs = Vec::new();
    let mut group = 0;
    for (name, report) in reports {
        let ran: usize = report.engines.iter().map(|engine| engine.directions.len()).sum();
        for engine in &report.engines {
            for one in &engine.directions {
                let of_engine = format!("{}-{}", engine.engine, one.direction);
                let full = match name {
                    // A name stands for itself where nothing else needs it.
                    Some(name) if ran == 1 => (*name).to_owned(),
                    Some(name) => format!("{name}-{of_engine}"),
                    None => of_engine,
                };
                jobs.push(job(report, engine, one, (&full, group)));
                group += usize::from(!report.plan.concurrent);
            }
            group += usize::from(report.plan.concurrent);
        }
    }
    jobs
}

fn job(
    report: &Report,
    engine: &EngineReport,
    one: &DirectionReport,
    (name, group): (&str, usize),
) -> Value {
    let measured = Measured::of(report, engine, one);
    let all_loops_s: f64 = one.loops.iter().map(|one| one.e2e_latency_s).sum();
    let mut job = Map::new();
    let mut add = |key: &str, value: Value| job.insert(key.into(), value);
    add("jobname", json!(name));
    add("groupid", json!(group));
    add("error", json!(error(one)));
    add("eta", json!(0));
    add("elapsed", json!(rounded(all_loops_s.ceil())));
    add("job options", Value::Object(job_options(name, report, measured.block, (engine, one))));
    let nothing = Measured::default();
    for (key, direction) in [("read", Direction::Read), ("write", Direction::Write)] {
        let of_it = if one.direction == direction { &measured } else { &nothing };
        add(key, measured::fields(of_it));
    }
    add("trim", measured::fields(&nothing));
    add("sync", json!({ "total_ios": 0, "lat_ns": latency::summary(&nothing.histogram) }));
    add("job_runtime", json!(measured.runtime_ms()));
    let percent = |seconds: f64| {
        if measured.seconds > 0.0 { 100.0 * seconds / measured.seconds } else { 0.0 }
    };
    add("usr_cpu", json!(percent(one.cpu.user_s)));
    add("sys_cpu", json!(percent(one.cpu.system_s)));
    for (key, classes) in latency::classes(&measured.histogram) {
        add(key, Value::Object(classes));
    }
    Value::Object(job)
}

/// The number of the first error that has one, as fio prints it.
fn error(one: &DirectionReport) -> i32 {
    match one.status {
        Status::Complete => 0,
        Status::Interrupted => INTERRUPTED,
        Status::Failed => {
            let mut names = one.failures.iter().filter_map(|failure| failure.errno.as_deref());
            names.find_map(errno_of).unwrap_or(FAILED)
        }
    }
}

/// The number of the error called `name`. Linux numbers them from 1 to 133.
fn errno_of(name: &str) -> Option<i32> {
    (1..=133).find(|number| format!("{:?}", Errno::from_raw(*number)) == name)
}

/// The options in fio's words; only those that have a counterpart, but for `io_parallel`.
fn job_options(
    name: &str,
    report: &Report,
    block_bytes: u64,
    (engine, one): (&EngineReport, &DirectionReport),
) -> Map<String, Value> {
    let plan = &report.plan;
    let phase = plan.phases.iter().find(|phase| phase.direction == one.direction);
    let access = phase.map_or(Access::Tensor, |phase| phase.access.clone());
    let (random, runtime_ns) = match access {
        Access::Tensor => (false, None),
        Access::Blocks(blocks) => (blocks.pattern == Pattern::Random, blocks.runtime_ns),
    };
    let mut options = Map::new();
    let mut add = |key: &str, value: String| options.insert(key.into(), Value::String(value));
    add("name", name.into());
    add("ioengine", engine.engine.clone());
    add("rw", format!("{}{}", if random { "rand" } else { "" }, one.direction));
    add("bs", size(block_bytes));
    add("iodepth", plan.queue_depth.to_string());
    add("numjobs", one.tasklets_count.to_string());
    if let [only] = one.tasklets.as_slice() {
        add("filename", only.path.clone());
    }
    if let Some(bytes) = common_size(&one.tasklets) {
        add("size", size(bytes));
    }
    let warmup_loops = if plan.include_warmup_time { plan.warmup_loops } else { 0 };
    add("loops", (u64::from(plan.loops) + u64::from(warmup_loops)).to_string());
    if let Some(ns) = runtime_ns {
        add("runtime", duration(Duration::from_nanos(ns)));
    }
    if plan.lanes > 1 {
        add("io_parallel", plan.lanes.to_string());
    }
    options
}

/// The size of the tensors, when they all have the same.
fn common_size(tasklets: &[TaskletReport]) -> Option<u64> {
    let first = tasklets.first()?.size_bytes;
    tasklets.iter().all(|one| one.size_bytes == first).then_some(first)
}

/// Whole seconds as a bare number, everything else in milliseconds.
fn duration(duration: Duration) -> String {
    match duration.subsec_nanos() {
        0 => duration.as_secs().to_string(),
        _ => format!("{}ms", duration.as_millis()),
    }
}

/// A size in the largest of fio's units, powers of 1024, of which it is a whole number.
fn size(bytes: u64) -> String {
    let units = [("t", 40), ("g", 30), ("m", 20), ("k", 10)];
    let whole = units.iter().find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
    whole.map_or_else(|| bytes.to_string(), |(unit, bits)| format!("{}{unit}", bytes >> bits))
}

fn per_second(amount: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { float(amount) / seconds } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 significant bits")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The nearest whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn rounded(number: f64) -> u64 {
    number.round() as u64
}
