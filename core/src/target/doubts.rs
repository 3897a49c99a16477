//! What the targets are, for the report, and what about them makes numbers doubtful.

use std::collections::HashSet;
use std::fs;

use super::alignment::Alignment;
use super::describe::{BLOCK_DEVICE, Mounts, has_holes, keeps_in_memory};
use super::tasklet::{Tasklet, TaskletFile};
use crate::plan::{Access, Direction, Plan};
use crate::report::{Doubt, TargetReport};

/// The targets of all tasklets, each once.
pub(super) fn describe(
    waves: &[Vec<Tasklet>],
    alignment: Alignment,
    mounts: &Mounts,
) -> Vec<TargetReport> {
    let mut targets = Vec::new();
    let mut seen = HashSet::new();
    for tasklet in waves.iter().flatten() {
        for file in &tasklet.files {
            if !seen.insert(&file.path) {
                continue;
            }
            let path = file.path.to_string_lossy().into_owned();
            let file_system = mounts.file_system_of(&file.path);
            targets.push(TargetReport {
                path,
                size_bytes: tasklet.size_bytes,
                file_system: file_system.as_ref().map(|there| there.kind.clone()),
                device: file_system.map(|there| there.device),
                alignment_bytes: (alignment != Alignment::NONE).then_some(alignment.offset_bytes),
            });
        }
    }
    targets
}

/// Whether the target is a loop device whose file is read and written through the page cache.
fn is_cached_below(target: &TargetReport) -> bool {
    let Some(device) = target.device.as_deref() else { return false };
    let is_device = target.file_system.as_deref() == Some(BLOCK_DEVICE);
    let dio = || fs::read_to_string(format!("/sys/dev/block/{device}/loop/dio"));
    is_device && dio().is_ok_and(|text| text.trim() == "0")
}

/// What is doubtful before anything has run, per direction.
pub(super) fn doubts(
    plan: &Plan,
    waves: &[Vec<Tasklet>],
    targets: &[TargetReport],
) -> Vec<(Direction, Doubt)> {
    let mut doubts = Vec::new();
    for phase in &plan.phases {
        let tasklets = || waves.iter().flatten().filter(|one| one.direction == phase.direction);
        let mut add = |code: &str, reason: String| {
            doubts.push((phase.direction, Doubt::new(code, reason)));
        };
        if plan.buffered {
            add("buffered", "buffered I/O measures the page cache at least in part".into());
        }
        let kinds = targets.iter().filter_map(|target| target.file_system.as_deref());
        if let Some(kind) = kinds.into_iter().find(|kind| keeps_in_memory(kind)) {
            let reason = format!("{kind} keeps files in memory, so no storage was measured");
            add("memory-file-system", reason);
        }
        if let Some(target) = targets.iter().find(|target| is_cached_below(target)) {
            let path = &target.path;
            let reason = format!(
                "{path} is a loop device that goes through the page cache; attach it with losetup \
                 --direct-io=on"
            );
            add("cached-below", reason);
        }
        let holes = tasklets().find_map(|tasklet| {
            let has = |file: &&TaskletFile| {
                let open = file.already_open();
                open.is_some_and(|open| has_holes(open, tasklet.end_bytes()) == Some(true))
            };
            tasklet.files.iter().find(has)
        });
        // What a write of tensors uses as it is, the caller has opened, and knows.
        let judged = phase.direction == Direction::Read || phase.access != Access::Tensor;
        if let Some(file) = holes.filter(|_| judged) {
            let then = match phase.direction {
                Direction::Read | Direction::Mixed => "are read without touching storage",
                Direction::Write => "a write has to allocate first",
                Direction::Trim => "there is nothing to trim in",
            };
            let path = file.path.display();
            add("holes", format!("{path} has holes or unwritten extents, which {then}"));
        }
    }
    doubts
}
