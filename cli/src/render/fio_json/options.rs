//! What was asked, in fio's words.

use std::time::Duration;

use aio_core::plan::{
    Access, Blocks, Checksum, Direction, Distribution, Flush, Pattern, Phase, SizeShare,
};
use aio_core::report::{EngineReport, Report, TaskletReport};
use serde_json::{Map, Value};

use super::Part;

/// The options in fio's words; only those that have a counterpart, but for `io_parallel`.
pub(super) fn job_options(
    name: &str,
    report: &Report,
    engine: &EngineReport,
    (part, block_bytes): (&Part, u64),
) -> Map<String, Value> {
    let plan = &report.plan;
    let one = part.first();
    let of_it = |phase: &&Phase| phase.direction == part.direction;
    let access = plan.phases.iter().find(of_it).map(|phase| &phase.access);
    let blocks = access.and_then(Access::blocks);
    let is_random = blocks.is_some_and(|blocks| blocks.pattern == Pattern::Random);
    let mut options = Map::new();
    let mut add = |key: &str, value: String| options.insert(key.into(), Value::String(value));
    add("name", name.into());
    add("ioengine", engine.engine.clone());
    add("rw", format!("{}{}", if is_random { "rand" } else { "" }, word(part.direction)));
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
    for (key, value) in blocks.map(of_blocks).unwrap_or_default() {
        add(key, value);
    }
    if plan.lanes > 1 {
        add("io_parallel", plan.lanes.to_string());
    }
    options
}

/// The direction in fio's word.
pub(super) fn word(direction: Direction) -> String {
    match direction {
        Direction::Mixed => "rw".into(),
        one => one.to_string(),
    }
}

/// What was asked of blocks and is not as it is when nothing is asked.
fn of_blocks(blocks: &Blocks) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    let mut add = |key: &'static str, value: Option<String>| {
        options.extend(value.map(|value| (key, value)));
    };
    let time = |ns: u64| duration(Duration::from_nanos(ns));
    add("runtime", blocks.runtime_ns.map(time));
    add("ramp_time", blocks.ramp_ns.map(time));
    add("number_ios", blocks.requests.map(|most| most.to_string()));
    add("io_size", blocks.io_limit_bytes.map(size));
    add("offset", Some(blocks.offset_bytes).filter(|bytes| *bytes > 0).map(size));
    add("rwmixread", blocks.read_percent.map(|percent| percent.to_string()));
    add("random_distribution", distribution(blocks.distribution));
    let is_free = blocks.pattern == Pattern::Random && !blocks.covers;
    add("norandommap", is_free.then(|| "1".into()));
    let share = |one: &SizeShare| format!("{}/{}", size(one.bytes.into()), one.percent);
    let shares: Vec<_> = blocks.sizes.iter().map(share).collect();
    add("bssplit", (!shares.is_empty()).then(|| shares.join(":")));
    if let Some(Flush { every, data_only }) = blocks.flush {
        add(if data_only { "fdatasync" } else { "fsync" }, Some(every.to_string()));
    }
    add("end_fsync", blocks.end_fsync.then(|| "1".into()));
    add("rate_iops", blocks.rate.map(|rate| rate.per_s.to_string()));
    let poisson = blocks.rate.filter(|rate| rate.poisson);
    add("rate_process", poisson.map(|_| "poisson".into()));
    let checksum = |checksum| match checksum {
        Checksum::Crc32c => "crc32c".into(),
        Checksum::Xxh3 => "xxh3".into(),
        Checksum::Pattern => "pattern".into(),
    };
    add("verify", blocks.verify.map(checksum));
    let percent = Some(blocks.compress_percent).filter(|percent| *percent > 0);
    add("buffer_compress_percentage", percent.map(|percent| percent.to_string()));
    options
}

fn distribution(distribution: Distribution) -> Option<String> {
    match distribution {
        Distribution::Uniform => None,
        Distribution::Zipf { theta } => Some(format!("zipf:{theta}")),
        Distribution::Pareto { h } => Some(format!("pareto:{h}")),
        Distribution::Normal { sigma_percent } => Some(format!("normal:{sigma_percent}")),
    }
}

/// The size of the tensors, when they all have the same.
fn common_size(tasklets: &[TaskletReport]) -> Option<u64> {
    let first = tasklets.first()?.size_bytes;
    tasklets.iter().all(|one| one.size_bytes == first).then_some(first)
}

/// Whole seconds as a bare number, everything else in milliseconds.
pub(super) fn duration(duration: Duration) -> String {
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
