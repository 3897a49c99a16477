//! Verdicts on numbers, each provoked on a real device or file, and not provoked beside it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use aio_core::memory::{Mapping, MemoryKind};
use nix::fcntl::{FallocateFlags, fallocate};
use serde_json::Value;

use crate::devices::Loop;
use crate::support::{ENGINES, Ended, Folder, skip};

const MIB: usize = 1 << 20;
/// Blocks at random, as many as are read however fast that is.
const BLOCKS: &str = "--rw randread --bs 4k --number-ios 4000 --quiet --format json";
/// Whole tensors, without loops that find the data of an earlier one.
const TENSOR: &str = "--loops 1 --warmup-loops 0 --quiet --format json";

/// The codes of what makes the only direction of the only engine doubtful.
fn codes(direction: &Value) -> Vec<String> {
    let doubts = direction["doubts"].as_array().expect("a list of doubts");
    doubts.iter().map(|doubt| doubt["code"].as_str().expect("a code").to_owned()).collect()
}

#[track_caller]
fn told(direction: &Value, code: &str, is_told: bool) {
    let codes = codes(direction);
    assert_eq!(codes.iter().any(|one| one == code), is_told, "{code} in {codes:?}\n{direction}");
}

/// A loop device past the page cache, over a file with data, which nobody else uses.
fn quiet_disk(folder: &Folder) -> Option<Loop> {
    Loop::attach(folder, &["--direct-io=on"])
}

/// The row of the device in `/proc/diskstats`: reads, those that were merged into others included,
/// and their sectors.
fn reads_of(name: &str) -> (u64, u64) {
    let table = fs::read_to_string("/proc/diskstats").expect("/proc is mounted");
    let of_device = |line: &&str| line.split_ascii_whitespace().nth(2) == Some(name);
    let row = table.lines().find(of_device).expect("the device is listed");
    let field = |index| row.split_ascii_whitespace().nth(index).expect("a row has all fields");
    let number = |index| field(index).parse::<u64>().expect("a number");
    (number(3) + number(4), number(5))
}

#[test]
fn a_quiet_device_counts_what_was_read_and_nothing_is_doubted_about_it() {
    let folder = Folder::new();
    let Some(disk) = quiet_disk(&folder) else { return };
    let name = Path::new(disk.name()).file_name().unwrap().to_str().unwrap();
    for engine in ENGINES {
        if !folder.can_run(engine) {
            continue;
        }
        let before = reads_of(name);
        let ended = folder.aio(&format!("--engine {engine} --file {} {BLOCKS}", disk.name()));
        let (requests, sectors) = reads_of(name);
        let direction = ended.code(0).direction();
        for code in ["page-cache", "others", "constant-data", "holes", "cached-below"] {
            told(&direction, code, false);
        }
        let device = &direction["devices"][0];
        assert_eq!(device["name"], name);
        assert_eq!(device["bytes"], 16_384_000);
        // The kernel counts a request after it has said that it is done.
        let counted = device["requests"].as_u64().unwrap() + device["merges"].as_u64().unwrap();
        assert!((3968..=4000).contains(&counted), "{device}");
        assert_eq!(device["bytes_by_others"], 0, "{device}");
        assert_eq!((requests - before.0, (sectors - before.1) * 512), (4000, 16_384_000));
    }
}

#[test]
fn others_at_the_device_are_told() {
    let folder = Folder::new();
    let Some(disk) = quiet_disk(&folder) else { return };
    let device = OpenOptions::new().read(true).custom_flags(libc_o_direct()).open(disk.name());
    let device = device.expect("it is attached");
    let is_over = AtomicBool::new(false);
    let direction = thread::scope(|scope| {
        scope.spawn(|| {
            let (mut memory, _) = Mapping::reserve(MIB, MemoryKind::Small).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                device.read_exact_at(memory.as_mut_slice(), 0).expect("it can be read");
            }
        });
        let ended = folder.aio(&format!("--engine sync --file {} {BLOCKS}", disk.name()));
        is_over.store(true, Ordering::Relaxed);
        ended.code(0).direction()
    });
    told(&direction, "others", true);
    assert!(direction["devices"][0]["bytes_by_others"].as_u64().unwrap() > 0);
}

fn libc_o_direct() -> i32 {
    nix::fcntl::OFlag::O_DIRECT.bits()
}

#[test]
fn zeros_are_told_and_a_loop_device_through_the_page_cache_too() {
    let folder = Folder::new();
    let path = folder.path().join("zeros");
    fs::write(&path, vec![0; 8 * MIB]).expect("there is room");
    let Some(disk) = Loop::attach_to(&path, &["--direct-io=off"]) else { return };
    let direction =
        folder.aio(&format!("--engine sync --file {} {BLOCKS}", disk.name())).code(0).direction();
    told(&direction, "constant-data", true);
    told(&direction, "cached-below", true);
    told(&direction, "page-cache", false);
}

#[test]
fn buffered_reads_of_what_is_cached_are_told_and_direct_ones_are_not_doubted_for_it() {
    let folder = Folder::new();
    folder.file("f", 8 * MIB);
    let line = format!("--engine sync --read-file f {TENSOR}");
    let direction = folder.aio(&format!("{line} --buffered")).code(0).direction();
    for code in ["buffered", "cached-before", "fits-page-cache"] {
        told(&direction, code, true);
    }
    if direction["devices"].as_array().is_some_and(Vec::is_empty) {
        skip("what the build folder lies on does not count");
    } else {
        told(&direction, "page-cache", true);
    }
    if folder.is_direct() {
        let direction = folder.aio(&line).code(0).direction();
        for code in ["buffered", "cached-before", "fits-page-cache", "page-cache"] {
            told(&direction, code, false);
        }
    }
}

#[test]
fn unwritten_extents_are_told_as_holes_are_and_written_data_that_is_not_synced_is_neither() {
    let folder = Folder::new();
    let mut file = File::create(folder.path().join("kept")).expect("there is room");
    if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, 4 << 20) {
        return skip(&format!("no fallocate here: {error}"));
    }
    let read = || {
        let line = format!("--engine sync --buffered --read-file kept {TENSOR}");
        folder.aio(&line).code(0).direction()
    };
    told(&read(), "holes", true);
    file.write_all(&vec![7; 4 * MIB]).expect("there is room");
    told(&read(), "holes", false);
}

#[test]
fn buffered_writes_that_nothing_flushed_are_not_durable() {
    let folder = Folder::new();
    let line = format!("--engine sync --write-file w --write-size 4M {TENSOR}");
    told(&folder.aio(&format!("{line} --buffered")).code(0).direction(), "not-durable", true);
    if folder.is_direct() {
        told(&folder.aio(&line).code(0).direction(), "not-durable", false);
    }
    for (flush, is_told) in [("", true), ("--end-fsync", false), ("--fsync 8", false)] {
        let line = format!(
            "--engine sync --buffered --file b --size 1M --rw randwrite --bs 4k --quiet --format \
             json {flush}"
        );
        told(&folder.aio(&line).code(0).direction(), "not-durable", is_told);
    }
}

#[test]
fn both_directions_of_a_mix_are_told_apart_at_the_device_and_none_is_taken_for_others() {
    let folder = Folder::new();
    let Some(disk) = quiet_disk(&folder) else { return };
    let name = disk.name();
    let line = format!(
        "--engine sync --file {name} --allow-device {name} --rw randrw --bs 4k --number-ios 2000 \
         --quiet --format json"
    );
    let report = folder.aio(&line).code(0).json();
    let directions = report["engines"][0]["directions"].as_array().expect("a list");
    assert_eq!(directions.len(), 2);
    for direction in directions {
        assert_eq!(direction["devices"][0]["bytes"], direction["bytes"], "{direction}");
        told(direction, "others", false);
        told(direction, "page-cache", false);
    }
}

/// Runs the program in a control group of its own, for which `script` sets `$group/…`; said aloud
/// where there can be none. The group is removed.
pub(crate) fn in_group(
    folder: &Folder,
    controller: &str,
    script: &str,
    line: &str,
) -> Option<Ended> {
    let script = format!(
        "first=/sys/fs/cgroup/{controller}; second=/sys/fs/cgroup
         if [ -e $first/tasks ]; then group=$first/aio-$$; version=1
         else group=$second/aio-$$; version=2; fi
         mkdir $group || exit 125
         trap 'rmdir $group' EXIT
         {{ {script}; }} || exit 125
         sh -c 'echo $$ >\"$1\"/cgroup.procs && shift && exec \"$@\"' - $group \"$0\" \"$@\""
    );
    let ended = folder.shell(&script, line);
    if ended.code == 125 {
        skip(&format!("no control group: {}", ended.stderr));
        return None;
    }
    Some(ended)
}

#[test]
fn a_control_group_without_processor_time_left_is_told() {
    let folder = Folder::new();
    folder.file("f", 8 * MIB);
    let line = "--engine sync --buffered --file f --rw randread --bs 4k --number-ios 40000 --quiet \
                --format json";
    let quota = "case $version in
                 1) echo 10000 >$group/cpu.cfs_quota_us;;
                 2) echo 10000 100000 >$group/cpu.max;; esac";
    let Some(ended) = in_group(&folder, "cpu", quota, line) else { return };
    let direction = ended.code(0).direction();
    told(&direction, "throttled-cpu", true);
    let Some(ended) = in_group(&folder, "cpu", "true", line) else { return };
    let direction = ended.code(0).direction();
    told(&direction, "throttled-cpu", false);
}

#[test]
fn a_limit_to_a_device_is_told_in_its_direction() {
    let folder = Folder::new();
    let Some(disk) = quiet_disk(&folder) else { return };
    let name = Path::new(disk.name()).file_name().unwrap().to_str().unwrap();
    let number = fs::read_to_string(format!("/sys/block/{name}/dev")).unwrap();
    let line = format!("--engine sync --file {} {BLOCKS}", disk.name());
    for (way, short, is_told) in [("read", 'r', true), ("write", 'w', false)] {
        let limit = format!(
            "case $version in
             1) echo {0} 1000000 >$group/blkio.throttle.{way}_iops_device;;
             2) echo {0} {short}iops=1000000 >$group/io.max;; esac",
            number.trim()
        );
        let Some(ended) = in_group(&folder, "blkio", &limit, &line) else { return };
        let direction = ended.code(0).direction();
        told(&direction, "throttled-io", is_told);
    }
}
