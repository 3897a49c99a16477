//! For programs that read fio's `--output-format=json`: the same fields in the same units, as far
//! as they were measured. What each means here is written down in `docs/fio-json.md`.
//!
//! fio prints zeros for what it did not measure, and so does this where its readers rely on it; a
//! direction that failed has nothing but zeros, and its error.

mod clock;
mod latency;
mod measured;
mod options;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::SystemTime;

use aio_core::plan::{Direction, Plan};
use aio_core::report::{DirectionReport, EngineReport, LatencyHistogram, Report, Status};
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
    #[expect(clippy::disallowed_methods, reason = "fio prints what time it is")]
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
        && is_direct_shared(reports)
    {
        options.insert("direct".into(), json!(direct(&first.plan)));
    }
    options.insert("group_reporting".into(), json!("1"));
    Value::Object(options)
}

fn is_direct_shared(reports: &[(Option<&str>, &Report)]) -> bool {
    reports.windows(2).all(|two| two[0].1.plan.buffered == two[1].1.plan.buffered)
}

fn direct(plan: &Plan) -> &'static str {
    if plan.buffered { "0" } else { "1" }
}

/// A job of fio's: one direction of an engine, or reads and writes that were mixed.
#[derive(Clone, Debug)]
struct Part<'r> {
    direction: Direction,
    directions: Vec<&'r DirectionReport>,
}

impl<'r> Part<'r> {
    /// The jobs of an engine. fio has reads and writes of a mix in one.
    fn all(report: &Report, engine: &'r EngineReport) -> Vec<Self> {
        let is_mixed = report.plan.phases.iter().any(|one| one.direction == Direction::Mixed);
        if is_mixed && !engine.directions.is_empty() {
            let directions = engine.directions.iter().collect();
            return vec![Self { direction: Direction::Mixed, directions }];
        }
        let part =
            |one: &'r DirectionReport| Self { direction: one.direction, directions: vec![one] };
        engine.directions.iter().map(part).collect()
    }

    fn first(&self) -> &'r DirectionReport {
        self.directions[0]
    }

    /// The number of the first error that has one, as fio prints it.
    fn error(&self) -> i32 {
        self.directions.iter().map(|one| error(one)).find(|error| *error != 0).unwrap_or_default()
    }
}

/// The jobs of all reports. Those that ran at the same time are one group.
fn jobs(reports: &[(Option<&str>, &Report)]) -> Vec<Value> {
    let mut jobs = Vec::new();
    let mut group = 0;
    for (name, report) in reports {
        let engines = report.engines.iter().map(|engine| (engine, Part::all(report, engine)));
        let engines: Vec<_> = engines.collect();
        let is_only = engines.iter().map(|(_, parts)| parts.len()).sum::<usize>() == 1;
        for (engine, parts) in &engines {
            for part in parts {
                let own = format!("{}-{}", engine.engine, options::word(part.direction));
                let full = match name {
                    // A name stands for itself where nothing else needs it.
                    Some(name) if is_only => (*name).to_owned(),
                    Some(name) => format!("{name}-{own}"),
                    None => own,
                };
                let mut job = job(report, engine, part, (&full, group));
                if !is_direct_shared(reports) {
                    job["job options"]["direct"] = json!(direct(&report.plan));
                }
                jobs.push(job);
                group += usize::from(!report.plan.concurrent);
            }
            group += usize::from(report.plan.concurrent);
        }
    }
    jobs
}

fn job(report: &Report, engine: &EngineReport, part: &Part, (name, group): (&str, usize)) -> Value {
    let nothing = Measured::default();
    let of = |direction: Direction| {
        let one = part.directions.iter().find(|one| one.direction == direction);
        one.map(|one| Measured::of(report, engine, one))
    };
    let kinds = [("read", Direction::Read), ("write", Direction::Write), ("trim", Direction::Trim)];
    let kinds = kinds.map(|(key, direction)| (key, of(direction)));
    let all = kinds.iter().filter_map(|(_, measured)| measured.as_ref());
    let mut histogram = LatencyHistogram::default();
    all.clone().for_each(|measured| histogram.merge(&measured.histogram));
    // Both directions of a mix have the same clock, and share the CPU.
    let (seconds, runtime_ms) =
        all.clone().next().map_or((0.0, 0), |measured| (measured.seconds, measured.runtime_ms()));
    let block_bytes = all.clone().next().map_or(0, |measured| measured.block);
    let one = part.first();
    let all_loops_s: f64 = one.loops.iter().map(|one| one.e2e_latency_s).sum();
    let mut job = Map::new();
    let mut add = |key: &str, value: Value| job.insert(key.into(), value);
    add("jobname", json!(name));
    add("groupid", json!(group));
    add("error", json!(part.error()));
    add("eta", json!(0));
    add("elapsed", json!(rounded(all_loops_s.ceil())));
    let options = options::job_options(name, report, engine, (part, block_bytes));
    add("job options", Value::Object(options));
    for (key, measured) in &kinds {
        add(key, measured::fields(measured.as_ref().unwrap_or(&nothing)));
    }
    add("sync", flushes(part));
    add("job_runtime", json!(runtime_ms));
    let percent = |spent_s: f64| if seconds > 0.0 { 100.0 * spent_s / seconds } else { 0.0 };
    add("usr_cpu", json!(percent(one.cpu.user_s)));
    add("sys_cpu", json!(percent(one.cpu.system_s)));
    for (key, classes) in latency::classes(&histogram) {
        add(key, Value::Object(classes));
    }
    Value::Object(job)
}

/// Flushes between writes.
fn flushes(part: &Part) -> Value {
    let flushes = part.directions.iter().find_map(|one| one.flushes.as_ref());
    let Some(flushes) = flushes else {
        let nothing = latency::summary(&LatencyHistogram::default());
        return json!({ "total_ios": 0, "lat_ns": nothing });
    };
    let mut latencies = latency::summary(&flushes.histogram);
    if let Value::Object(fields) = &mut latencies {
        fields.extend(latency::percentiles_and_bins(&flushes.histogram));
    }
    json!({ "total_ios": flushes.requests, "lat_ns": latencies })
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
