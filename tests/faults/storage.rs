//! A file system that turns read-only in mid-run, one that is so from the start, and a device that
//! shrinks. The first and the last need root and loop devices.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use super::{Target, failed};
use crate::devices::{Loop, Undo, done};
use crate::signals::Running;
use crate::support::{ENGINES, Folder, skip};

#[test]
fn a_file_system_that_takes_no_new_file_is_refused_and_nothing_is_made() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for work in ["--write-file w --write-size 1M", "--file f --rw randread --size 1M"] {
            let line = format!("--engine {engine} {work}");
            target.aio("create:EROFS", &line).refused(&["Read-only file system"]);
            assert_eq!(target.folder.names(), [""; 0], "{line}");
        }
    }
}

/// An ext4 file system of its own, with a switch that makes it find itself damaged and turn
/// read-only.
struct Ext4 {
    mount: PathBuf,
    switch: PathBuf,
    // Dropped in this order.
    _mounted: Undo,
    _disk: Loop,
    _folder: Folder,
}

impl Ext4 {
    /// `None`, said aloud, where there can be none.
    fn new() -> Option<Self> {
        let folder = Folder::new();
        let disk = Loop::attach(&folder, &[])?;
        let mount = folder.path().join("mnt");
        fs::create_dir(&mount).expect("there is room");
        let point = mount.to_str().expect("the path is UTF-8");
        let options = ["-o", "errors=remount-ro", disk.name(), point];
        if !done("mkfs.ext4", &["-q", "-F", disk.name()]) || !done("mount", &options) {
            return None;
        }
        let mounted = Undo("umount", vec![point.into()]);
        let device = disk.name().trim_start_matches("/dev/");
        let switch = PathBuf::from(format!("/sys/fs/ext4/{device}/trigger_fs_error"));
        if !switch.exists() {
            skip("this kernel's ext4 cannot be made to turn read-only");
            return None;
        }
        Some(Self { mount, switch, _mounted: mounted, _disk: disk, _folder: folder })
    }
}

#[test]
fn a_file_system_that_turns_read_only_in_mid_run_ends_the_run() {
    for engine in ENGINES {
        let Some(ext4) = Ext4::new() else { return };
        let path = ext4.mount.join("w.0");
        let base = ext4.mount.join("w");
        let line = format!(
            "--engine {engine} --write-file {} --write-size 2M --block-size 64k --loops 1000000 \
             --quiet --format json --yes",
            base.display()
        );
        let folder = Folder::new();
        if !folder.can_run(engine) {
            continue;
        }
        let mut running = Running::start(&folder, &line);
        running.until(|_| fs::metadata(&path).is_ok_and(|file| file.len() == 2 << 20));
        fs::write(&ext4.switch, "1").unwrap();
        let ended = running.ended().code(1);
        let path = path.to_str().unwrap();
        let ended = ended.says(&[engine, "write of 65536 bytes", path, "Read-only file system"]);
        assert_eq!(ended.direction()["failures"][0]["errno"], "EROFS");
        ended.says(&[&format!("cannot remove {path}: Read-only file system")]);
    }
}

#[test]
fn a_device_that_shrinks_in_mid_run_ends_the_run() {
    for engine in ENGINES {
        let folder = Folder::new();
        if !folder.can_run(engine) {
            continue;
        }
        let Some(disk) = Loop::attach(&folder, &["--direct-io=off"]) else { return };
        let name = disk.name();
        let line = format!(
            "--engine {engine} --file {name} --rw randread --block-size 4k --runtime 1h \
             --queue-depth 8 --quiet --format json"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|pid| read_bytes(pid) > 1 << 20);
        let file = OpenOptions::new().write(true).open(folder.path().join("disk")).unwrap();
        file.set_len(8 << 20).unwrap();
        let one = failed(running.ended(), &["read of 4096 bytes at offset ", name, "EIO"]);
        let offset = one["failures"][0]["offset_bytes"].as_u64().unwrap();
        assert!(offset >= 8 << 20, "{offset}");
    }
}

/// How many bytes the process has had devices read.
fn read_bytes(pid: u32) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let read = counters.lines().find_map(|line| line.strip_prefix("read_bytes: "));
    read.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
