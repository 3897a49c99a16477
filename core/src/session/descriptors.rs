//! Open files: as many as the plan needs, or a refusal before anything is made.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use thiserror::Error;

use super::Session;
use crate::plan::{Phase, Plan};
use crate::receipt::Receipt;
use crate::target::Tasklet;

/// What is open beside files and engines: the standard three, what signals and counters take.
const OTHERS: u64 = 64;

/// The limit of open files is too low for what is to run, and may not be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "files and engines need {needed} open files at the same time and {limit} are allowed; raise \
     the limit with ulimit -n, or use fewer --threads or --io-parallel"
)]
pub struct TooFewDescriptors {
    needed: u64,
    limit: u64,
}

/// Raises the soft limit of open files to the hard one, where `plan` may come near it; with a
/// receipt then. Whoever set a hard limit means it, and a soft one is but a default.
pub(super) fn raise_for(plan: &Plan) -> Option<Receipt> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    if soft >= hard || most_for(plan).saturating_add(open_now()) <= soft {
        return None;
    }
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok()?;
    Some(Receipt::granted("open-files", &format!("{hard}, raised from {soft}")))
}

/// The most that a plan could have open together, on any engine.
fn most_for(plan: &Plan) -> u64 {
    let files = if plan.different_file_each_iteration { plan.loops_in_all() } else { 1 };
    // A file that is verified is opened a second time; an engine takes one or two.
    let of_tasklet = 2 * u64::from(files) + 2 * u64::from(plan.lanes);
    let tasklets: u64 = plan.phases.iter().map(Phase::tasklets).map(u64::from).sum();
    tasklets.saturating_mul(of_tasklet).saturating_add(OTHERS)
}

/// What is open, as far as `/proc` tells.
fn open_now() -> u64 {
    // The folder itself is open while it is read.
    fs::read_dir("/proc/self/fd").map_or(0, |open| open.count().saturating_sub(1) as u64)
}

impl Session {
    /// Refuses to run on engines that hold `of_engine` descriptors each, when they and the files
    /// that are not open yet are more than may be open.
    ///
    /// # Errors
    /// How many are needed, and how many there may be.
    pub fn refuse_too_few_descriptors(&self, of_engine: u32) -> Result<(), TooFewDescriptors> {
        let Ok((limit, _hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
        let waves = self.resolved.waves.iter();
        let of_wave = |wave: &Vec<Tasklet>| {
            let engines = wave.len() as u64 * u64::from(self.plan.lanes);
            engines.saturating_mul(of_engine.into()).saturating_add(not_open_yet(wave))
        };
        let needed = waves.map(of_wave).max().unwrap_or(0).saturating_add(open_now());
        if needed <= limit { Ok(()) } else { Err(TooFewDescriptors { needed, limit }) }
    }
}

/// Files that the tasklets will open; those that are made for blocks are shared.
fn not_open_yet(wave: &[Tasklet]) -> u64 {
    let mut shared: HashSet<&Path> = HashSet::new();
    let files = wave.iter().flat_map(|tasklet| &tasklet.files);
    let missing = files.filter(|file| file.already_open().is_none());
    missing.filter(|file| !file.is_made_for_blocks() || shared.insert(&file.path)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Direction, Origin, PathTemplate, TensorGroup};

    #[test]
    fn a_plan_is_taken_for_what_its_files_and_lanes_could_open() {
        let path = PathTemplate::new("f.{tid}");
        let group = TensorGroup { path, tasklets: 10, sizes_bytes: vec![1], origin: Origin::Made };
        let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(Direction::Write, vec![group])]);
        assert_eq!(most_for(&plan), 10 * 4 + OTHERS);
        (plan.lanes, plan.different_file_each_iteration) = (3, true);
        assert_eq!(most_for(&plan), 10 * (2 * 4 + 6) + OTHERS);
    }

    #[test]
    fn what_is_open_is_counted() {
        let before = open_now();
        let _three: Vec<_> = (0..3).map(|_| fs::File::open("/").unwrap()).collect();
        assert!(open_now() >= before.min(3));
        assert!(before >= 3 || before == 0);
    }
}
