//! What the targets are, for the report, and what about them makes numbers doubtful.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use super::alignment::Alignment;
use super::compression::compresses;
use super::describe::{BLOCK_DEVICE, Mounts, keeps_in_memory};
use super::device::block_number_of;
use super::extents::extents;
use super::storage::storage;
use super::tasklet::Tasklet;
use crate::observe::memory_limit_bytes;
use crate::plan::{Access, Direction, Phase, Plan};
use crate::report::{Doubt, Storage, TargetReport, memory_bytes};

/// The targets of all tasklets, each once.
pub(super) fn describe(
    waves: &[Vec<Tasklet>],
    alignment: Alignment,
    mounts: &Mounts,
) -> Vec<TargetReport> {
    let mut targets = Vec::new();
    let mut seen = HashSet::new();
    // Files may be many, and what they lie on is few.
    let mut known: HashMap<String, Option<Storage>> = HashMap::new();
    let mut storage_of =
        |number: String| known.entry(number).or_insert_with_key(|number| storage(number)).clone();
    for tasklet in waves.iter().flatten() {
        for file in &tasklet.files {
            if !seen.insert(&file.path) {
                continue;
            }
            let file_system = mounts.file_system_of(&file.path);
            let options = file_system.iter().map(|there| there.options.join(","));
            let mut target = TargetReport {
                path: file.path.to_string_lossy().into_owned(),
                size_bytes: tasklet.size_bytes,
                file_system: file_system.as_ref().map(|there| there.kind.clone()),
                device: file_system.as_ref().map(|there| there.device.clone()),
                alignment_bytes: (alignment != Alignment::NONE).then_some(alignment.offset_bytes),
                mount_options: options.into_iter().find(|options| !options.is_empty()),
                compresses: file_system.as_ref().and_then(|there| compresses(&file.path, there)),
                storage: None,
            };
            // Without one it is a character device, if anything.
            let number = target.block_device().cloned().or_else(|| block_number_of(&file.path));
            target.storage = number.and_then(&mut storage_of);
            targets.push(target);
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
    let is_there = |path: &str| Path::new(path).exists();
    let blind = blind(is_there("/proc/self/mountinfo"), is_there("/sys/dev/block"));
    for phase in &plan.phases {
        let tasklets = || waves.iter().flatten().filter(|one| one.direction == phase.direction);
        let mut add = |code: &str, reason: String| {
            doubts.push((phase.direction, Doubt::new(code, reason)));
        };
        if let Some(reason) = &blind {
            add("unseen", reason.clone());
        }
        if plan.buffered {
            add("buffered", "buffered I/O measures the page cache at least in part".into());
        }
        let kinds = targets.iter().filter_map(|target| target.file_system.as_deref());
        if let Some(kind) = kinds.into_iter().find(|kind| keeps_in_memory(kind)) {
            let reason = format!("{kind} keeps files in memory, so no storage was measured");
            add("memory-file-system", reason);
        }
        let names = targets.iter().filter_map(|target| Some(&target.storage.as_ref()?.name));
        if let Some(name) = names.into_iter().find(|name| is_of_memory(name)) {
            let reason = format!("{name} keeps its data in memory, so no storage was measured");
            add("memory-device", reason);
        }
        if let Some(target) = targets.iter().find(|target| is_cached_below(target)) {
            let path = &target.path;
            let reason = format!(
                "{path} is a loop device that goes through the page cache; attach it with losetup \
                 --direct-io=on"
            );
            add("cached-below", reason);
        }
        let tasklets: Vec<_> = tasklets().collect();
        for doubt in of_files(phase, &tasklets) {
            doubts.push((phase.direction, doubt));
        }
        if plan.buffered && !targets.iter().all(is_in_memory) {
            doubts.extend(of_page_cache(plan, phase, &tasklets));
        }
        let percent = phase.access.blocks().map_or(0, |blocks| blocks.compress_percent);
        if phase.direction.writes_data() {
            doubts.extend(compressible(percent, targets).map(|doubt| (Direction::Write, doubt)));
        }
    }
    doubts
}

/// What could not be looked at, and so cannot speak against a number, where `/proc` or `/sys` is
/// not there.
fn blind(has_proc: bool, has_sys: bool) -> Option<String> {
    let (missing, unseen) = match (has_proc, has_sys) {
        (true, true) => return None,
        (false, true) => ("/proc is", "the file system, the device and limits of control groups"),
        (true, false) => ("/sys is", "the device and limits of control groups"),
        (false, false) => {
            ("/proc and /sys are", "the file system, the device and limits of control groups")
        }
    };
    Some(format!("{missing} not mounted, so {unseen} could not be looked at"))
}

/// Whether a block device of this name is made of memory: `ram0` of brd, and `zram0`.
fn is_of_memory(name: &str) -> bool {
    let number = name.trim_start_matches('z').strip_prefix("ram");
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

fn is_in_memory(target: &TargetReport) -> bool {
    target.file_system.as_deref().is_some_and(keeps_in_memory)
}

/// What is doubtful about how files that are there are stored.
fn of_files(phase: &Phase, tasklets: &[&Tasklet]) -> Vec<Doubt> {
    let mut doubts: Vec<Doubt> = Vec::new();
    let mut add = |doubt: Doubt| {
        // Of the first file only.
        if !doubts.iter().any(|known| known.code == doubt.code) {
            doubts.push(doubt);
        }
    };
    // What a write of tensors uses as it is, the caller has opened, and knows.
    let judged = phase.direction == Direction::Read || phase.access != Access::Tensor;
    // A file that all tasklets share is asked about once.
    let mut asked: Vec<&Arc<File>> = Vec::new();
    for (tasklet, file) in tasklets.iter().flat_map(|one| one.files.iter().map(move |f| (one, f))) {
        let Some(open) = file.already_open().filter(|_| judged) else { continue };
        if asked.iter().any(|known| Arc::ptr_eq(known, open)) {
            continue;
        }
        asked.push(open);
        let Some(found) = extents(open, tasklet.offset_bytes()..tasklet.end_bytes()) else {
            continue;
        };
        let path = file.path.display();
        if found.holes || found.unwritten {
            let then = match phase.direction {
                Direction::Read | Direction::Mixed => "are read without touching storage",
                Direction::Write => "a write has to allocate first",
                Direction::Trim => "there is nothing to trim in",
            };
            let reason = format!("{path} has holes or unwritten extents, which {then}");
            add(Doubt::new("holes", reason));
        }
        if found.compressed && phase.direction.reads() {
            let reason = format!("{path} is stored compressed, so less is read than is counted");
            add(Doubt::new("compressible-data", reason));
        }
    }
    doubts
}

/// What the page cache does to directions that go through it.
fn of_page_cache(plan: &Plan, phase: &Phase, tasklets: &[&Tasklet]) -> Vec<(Direction, Doubt)> {
    let mut doubts = Vec::new();
    let blocks = phase.access.blocks();
    let is_flushed = blocks.is_some_and(|blocks| blocks.end_fsync || blocks.flush.is_some());
    if phase.direction.writes_data() && !is_flushed {
        let reason = "nothing was flushed after it, so that data may still be in memory";
        doubts.push((Direction::Write, Doubt::new("not-durable", reason)));
    }
    // What was dropped has to come from storage at first; if it does not later, the counts tell.
    if phase.direction.reads() && !plan.drop_cache {
        let mut sizes: HashMap<&Path, u64> = HashMap::new();
        for one in tasklets {
            sizes.extend(one.files.iter().map(|file| (file.path.as_path(), one.size_bytes)));
        }
        let limits = [memory_bytes("MemAvailable"), memory_limit_bytes()];
        let memory_bytes = limits.into_iter().flatten().min();
        let fits = memory_bytes.and_then(|most| fits_page_cache(sizes.values().sum(), most));
        doubts.extend(fits.map(|doubt| (Direction::Read, doubt)));
    }
    doubts
}

/// The doubt that less is written than is counted, where data of which `compress_percent` can be
/// saved is written to what compresses.
fn compressible(compress_percent: u8, targets: &[TargetReport]) -> Option<Doubt> {
    let compresses = targets.iter().find(|target| target.compresses == Some(true))?;
    (compress_percent > 0).then(|| {
        let kind = compresses.file_system.as_deref().unwrap_or("the file system");
        let reason = format!(
            "{kind} compresses there, and a part of the data that was written can be compressed"
        );
        Doubt::new("compressible-data", reason)
    })
}

fn fits_page_cache(data_bytes: u64, memory_bytes: u64) -> Option<Doubt> {
    (data_bytes < memory_bytes).then(|| {
        let reason = "all of its data fits the memory that the page cache may use, so that reading \
                      it again needs no storage";
        Doubt::new("fits-page-cache", reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_looked_at_is_said() {
        assert_eq!(blind(true, true), None);
        assert!(
            blind(false, true).unwrap().starts_with("/proc is not mounted, so the file system")
        );
        assert!(blind(true, false).unwrap().starts_with("/sys is not mounted, so the device"));
        assert!(blind(false, false).unwrap().starts_with("/proc and /sys are not mounted"));
    }

    #[test]
    fn devices_that_are_made_of_memory_are_known_by_their_names() {
        let known = |name| is_of_memory(name);
        assert!(known("ram0") && known("ram15") && known("zram0"));
        assert!(!known("ramdisk") && !known("sda") && !known("ram") && !known("nvme0n1"));
    }

    #[test]
    fn data_is_compressible_only_where_it_is_compressed() {
        let target = |compresses| TargetReport {
            path: "f".into(),
            size_bytes: 1,
            file_system: Some("btrfs".into()),
            device: None,
            alignment_bytes: None,
            mount_options: None,
            compresses,
            storage: None,
        };
        let verdict = |percent, compresses| compressible(percent, &[target(compresses)]);
        assert_eq!(verdict(1, Some(true)).unwrap().code, "compressible-data");
        assert_eq!(verdict(0, Some(true)), None);
        assert_eq!(verdict(50, Some(false)), None);
        assert_eq!(verdict(50, None), None);
    }

    #[test]
    fn data_that_is_larger_than_the_memory_does_not_fit_the_page_cache() {
        assert_eq!(fits_page_cache(8, 7), None);
        assert_eq!(fits_page_cache(8, 8), None);
        assert_eq!(fits_page_cache(7, 8).unwrap().code, "fits-page-cache");
    }
}
