//! How much a session writes, and where: what a drive wears by.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Session;
use crate::plan::{Access, Blocks, Direction, Plan, READ_PERCENT};
use crate::report::TargetReport;
use crate::target::{Tasklet, keeps_in_memory};

/// What is assumed of writes that only time ends, in bytes per second: 1 GiB.
pub const ASSUMED_BYTES_PER_S: u64 = 1 << 30;

/// Names of devices that nothing wears: what they hold is in memory, or nowhere.
const NEVER_WORN: [&str; 3] = ["nullb", "ram", "zram"];

/// What is written to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Written {
    /// The device below `/dev`; absent where the file system has none or does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// One of the targets there.
    pub path: String,
    /// The size of the device in bytes, as far as it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_bytes: Option<u64>,
    /// What is written to it at most, in bytes, as far as sizes, numbers and rates of requests tell.
    pub bytes: u64,
    /// What more is written at 1 GiB per second for as long as only time ends writes, in bytes.
    pub assumed_bytes: u64,
}

impl Written {
    fn is_of(&self, other: &Self) -> bool {
        match (&self.device, &other.device) {
            (None, None) => self.path == other.path,
            (one, other) => one == other,
        }
    }
}

/// Adds `more` to `all`, device by device.
pub fn add_written(all: &mut Vec<Written>, more: &[Written]) {
    for one in more {
        match all.iter_mut().find(|other| other.is_of(one)) {
            Some(same) => {
                same.bytes = same.bytes.saturating_add(one.bytes);
                same.assumed_bytes = same.assumed_bytes.saturating_add(one.assumed_bytes);
            }
            None => all.push(one.clone()),
        }
    }
}

/// How often the plan of a session runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// All runs, each of one engine.
    pub all: u64,
    /// Those on engines that move data.
    pub that_move: u64,
}

impl Session {
    /// What the session writes to devices that wear, when its plan runs so often.
    #[must_use]
    pub fn written(&self, runs: Runs) -> Vec<Written> {
        let targets: HashMap<&str, &TargetReport> =
            self.resolved.targets.iter().map(|one| (one.path.as_str(), one)).collect();
        let mut all: Vec<Written> = Vec::new();
        let mut filled = Vec::new();
        for wave in &self.resolved.waves {
            // Tasklets of a wave share the device's speed, so that their time counts once.
            let mut of_wave: Vec<Written> = Vec::new();
            for tasklet in wave {
                let of_run = Amount::of(&self.plan, tasklet);
                let mut bytes = of_run.bytes.saturating_mul(runs.that_move);
                for file in &tasklet.files {
                    let fills = match () {
                        () if file.is_filled() && !filled.contains(&&file.path) => {
                            filled.push(&file.path);
                            1
                        }
                        () if file.is_made_to_read() => runs.all,
                        () => 0,
                    };
                    bytes = bytes.saturating_add(tasklet.end_bytes().saturating_mul(fills));
                }
                let path = tasklet.files.first().map(|file| file.path.to_string_lossy());
                let target = path.and_then(|path| targets.get(path.as_ref()).copied());
                let assumed_bytes = of_run.assumed_bytes.saturating_mul(runs.that_move);
                let written = target.filter(|_| bytes > 0 || assumed_bytes > 0);
                if let Some(one) = written.and_then(|target| on(target, bytes, assumed_bytes)) {
                    match of_wave.iter_mut().find(|other| other.is_of(&one)) {
                        Some(same) => {
                            same.bytes = same.bytes.saturating_add(bytes);
                            same.assumed_bytes = same.assumed_bytes.max(assumed_bytes);
                        }
                        None => of_wave.push(one),
                    }
                }
            }
            add_written(&mut all, &of_wave);
        }
        all
    }
}

/// Bytes on the device of `target`, unless nothing wears it.
fn on(target: &TargetReport, bytes: u64, assumed_bytes: u64) -> Option<Written> {
    if target.file_system.as_deref().is_some_and(keeps_in_memory) {
        return None;
    }
    let device = target.storage.as_ref().map(|storage| storage.name.clone());
    let driver = |name: &String| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    if device.as_ref().map(driver).is_some_and(|name| NEVER_WORN.contains(&name.as_str())) {
        return None;
    }
    let device_bytes = target.storage.as_ref().and_then(|storage| storage.size_bytes);
    Some(Written { device, path: target.path.clone(), device_bytes, bytes, assumed_bytes })
}

/// What a tasklet writes in one run of its plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    bytes: u64,
    assumed_bytes: u64,
}

impl Amount {
    fn of(plan: &Plan, tasklet: &Tasklet) -> Self {
        let loops = u64::from(plan.loops_in_all());
        match (&tasklet.access, tasklet.direction) {
            (_, Direction::Read | Direction::Trim) => Self::default(),
            (Access::Tensor, _) => {
                Self { bytes: tasklet.size_bytes.saturating_mul(loops), assumed_bytes: 0 }
            }
            (Access::Blocks(blocks), direction) => {
                let mut all = Self::default();
                for (number, is_warm_up) in [(plan.warmup_loops, true), (plan.loops, false)] {
                    let of_loop = Self::of_loop(plan, tasklet.size_bytes, blocks, is_warm_up);
                    all.bytes =
                        all.bytes.saturating_add(of_loop.bytes.saturating_mul(number.into()));
                    let assumed = of_loop.assumed_bytes.saturating_mul(number.into());
                    all.assumed_bytes = all.assumed_bytes.saturating_add(assumed);
                }
                all.share(blocks, direction)
            }
        }
    }

    /// What one loop moves, reads included.
    fn of_loop(plan: &Plan, size_bytes: u64, blocks: &Blocks, is_warm_up: bool) -> Self {
        let block_bytes = u32::try_from(plan.block_size_bytes).unwrap_or(u32::MAX);
        let largest = blocks.sizes.iter().map(|one| one.bytes).max().unwrap_or(block_bytes);
        let is_ramp = is_warm_up && blocks.ramp_ns.is_some();
        let requests = blocks.requests_max(size_bytes / u64::from(block_bytes.max(1)), block_bytes);
        let by_number = requests.map(|requests| requests.saturating_mul(largest.into()));
        let counted = by_number.into_iter().chain(blocks.bytes_max(size_bytes)).min();
        let time_ns = blocks.runtime_ns_of(is_warm_up);
        let timed = |bytes_per_s: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an amount to be told in GiB, which saturates"
            )]
            time_ns.map(|ns| (ns as f64 / 1e9 * bytes_per_s) as u64)
        };
        let by_rate = blocks.rate.and_then(|rate| timed(rate.per_s * f64::from(largest)));
        match counted.filter(|_| !is_ramp).into_iter().chain(by_rate).min() {
            Some(bytes) => Self { bytes, assumed_bytes: 0 },
            #[expect(clippy::cast_precision_loss, reason = "a power of two")]
            None => {
                Self { bytes: 0, assumed_bytes: timed(ASSUMED_BYTES_PER_S as f64).unwrap_or(0) }
            }
        }
    }

    /// The part of it that is written.
    fn share(self, blocks: &Blocks, direction: Direction) -> Self {
        if direction != Direction::Mixed {
            return self;
        }
        let writes = 100 - u64::from(blocks.read_percent.unwrap_or(READ_PERCENT).min(100));
        let part = |bytes: u64| {
            let bytes = u128::from(bytes) * u128::from(writes) / 100;
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        Self { bytes: part(self.bytes), assumed_bytes: part(self.assumed_bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Pattern, Rate};
    use crate::report::Storage;

    fn amount(direction: Direction, change: impl FnOnce(&mut Plan, &mut Blocks)) -> (u64, u64) {
        let mut plan = Plan::tensor_swap(Vec::new());
        (plan.loops, plan.warmup_loops, plan.block_size_bytes) = (3, 1, 4096);
        let mut blocks = Blocks::new(Pattern::Random);
        change(&mut plan, &mut blocks);
        let access = Access::Blocks(blocks);
        let tasklet = Tasklet { tid: 0, direction, size_bytes: 1 << 20, access, files: Vec::new() };
        let amount = Amount::of(&plan, &tasklet);
        (amount.bytes, amount.assumed_bytes)
    }

    #[test]
    fn what_is_written_is_counted_in_all_loops() {
        assert_eq!(amount(Direction::Write, |_, _| {}), (4 << 20, 0));
        assert_eq!(amount(Direction::Read, |_, _| {}), (0, 0));
        assert_eq!(amount(Direction::Trim, |_, _| {}), (0, 0));
        assert_eq!(amount(Direction::Mixed, |_, _| {}), (2 << 20, 0));
        let most_read = |_: &mut Plan, blocks: &mut Blocks| blocks.read_percent = Some(75);
        assert_eq!(amount(Direction::Mixed, most_read), (1 << 20, 0));
        let few = |_: &mut Plan, blocks: &mut Blocks| blocks.requests = Some(2);
        assert_eq!(amount(Direction::Write, few), (4 * 2 * 4096, 0));
    }

    #[test]
    fn what_only_time_ends_is_assumed_unless_its_rate_is_known() {
        let timed = |plan: &mut Plan, blocks: &mut Blocks| {
            plan.warmup_loops = 0;
            blocks.runtime_ns = Some(2_000_000_000);
        };
        assert_eq!(amount(Direction::Write, timed), (0, 6 << 30));
        let paced = |plan: &mut Plan, blocks: &mut Blocks| {
            timed(plan, blocks);
            blocks.rate = Some(Rate { per_s: 100.0, poisson: false });
        };
        assert_eq!(amount(Direction::Write, paced), (3 * 200 * 4096, 0));
        let ramped = |plan: &mut Plan, blocks: &mut Blocks| {
            (plan.warmup_loops, plan.loops) = (1, 1);
            (blocks.ramp_ns, blocks.requests) = (Some(1_000_000_000), Some(1));
        };
        assert_eq!(amount(Direction::Write, ramped), (4096, 1 << 30));
    }

    #[test]
    fn what_is_in_memory_or_nowhere_does_not_wear() {
        let target = |kind: &str, device: Option<&str>| {
            let storage = |name: &str| Storage { name: name.into(), ..Storage::default() };
            let target = TargetReport {
                path: "f".into(),
                size_bytes: 1,
                file_system: Some(kind.into()),
                device: None,
                alignment_bytes: None,
                mount_options: None,
                compresses: None,
                storage: device.map(storage),
            };
            on(&target, 5, 0).map(|written| written.bytes)
        };
        assert_eq!(target("tmpfs", None), None);
        for (device, bytes) in [("nullb0", None), ("zram1", None), ("nvme0n1", Some(5))] {
            assert_eq!(target("ext4", Some(device)), bytes, "{device}");
        }
        assert_eq!(target("nfs4", None), Some(5));
    }
}
