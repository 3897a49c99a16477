//! Requests that start on a schedule, whatever the storage does.
//!
//! The stall is a file system that is frozen for a moment while it is written: this needs root, a
//! loop device and ext4, and is skipped aloud where they are missing.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{AIO, Ended, Folder, LIMIT, skip};

/// How long the file system is frozen.
const STALL: Duration = Duration::from_millis(200);
/// Writes of the run before that.
const WRITES_BEFORE: u64 = 100;

/// A file system in memory behind a loop device, mounted until the test ends.
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    fn mount(folder: &Folder) -> Option<Self> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        let image = place.join(format!("aio-paced-{}", std::process::id()));
        let mounted = folder.path().join("disk");
        fs::create_dir(&mounted).expect("there is room");
        let script = format!(
            "truncate -s 64M {0} && mkfs.ext4 -q -F -O ^has_journal {0} && \
             mount -o loop {0} {1} && fsfreeze -f {1} && fsfreeze -u {1}",
            image.display(),
            mounted.display()
        );
        let disk = Self { image, mounted };
        let made = Command::new("sh").args(["-c", &script]).stderr(Stdio::piped()).output();
        match made {
            Ok(output) if output.status.success() => Some(disk),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                skip(&format!("no file system to freeze: {said}"));
                None
            }
            Err(error) => {
                skip(&format!("no file system to freeze: {error}"));
                None
            }
        }
    }

    fn freeze(&self, flag: &str) {
        let frozen = Command::new("fsfreeze").arg(flag).arg(&self.mounted).status();
        assert!(frozen.is_ok_and(|status| status.success()), "fsfreeze {flag}");
    }

    /// Writes that the device has completed.
    fn writes(&self) -> u64 {
        let device = fs::metadata(&self.mounted).expect("it is mounted").dev();
        let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
        let stat = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat"));
        let stat = stat.expect("sysfs is mounted where loop devices are");
        stat.split_whitespace().nth(4).expect("a number of writes").parse().expect("a number")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _not_frozen = Command::new("fsfreeze").arg("-u").arg(&self.mounted).output();
        let _not_mounted = Command::new("umount").arg(&self.mounted).output();
        let _not_there = fs::remove_file(&self.image);
    }
}

fn percentile_ms(direction: &Value, latency: &str) -> u64 {
    direction[latency]["p99_ns"].as_u64().expect("a number") / 1_000_000
}

#[test]
fn a_stall_shows_in_the_response_and_not_in_the_service() {
    let folder = Folder::new();
    let Some(disk) = Disk::mount(&folder) else { return };
    folder.aio("--engine sync --file disk/w --size 8M --rw write --keep --quiet").code(0);
    for (engine, depth) in [("uring", 4), ("libaio", 4), ("sync", 4), ("sync", 1)] {
        if !folder.can_run(engine) {
            continue;
        }
        let line = format!(
            "--engine {engine} --file disk/w --rw randwrite --block-size 4k --queue-depth {depth} \
             --rate-iops 400 --runtime 3 --format json --quiet"
        );
        let mut aio = Command::new(AIO);
        aio.current_dir(folder.path()).args(line.split_whitespace());
        aio.stdout(Stdio::piped()).stderr(Stdio::piped());
        let before = disk.writes();
        let mut running = aio.spawn().expect("the program starts");
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while disk.writes() < before + WRITES_BEFORE && waited < LIMIT {
            let ended = running.try_wait().expect("it is a child");
            assert!(ended.is_none(), "{line} ended before it had written much: {ended:?}");
            thread::sleep(step);
            waited += step;
        }
        disk.freeze("-f");
        thread::sleep(STALL);
        disk.freeze("-u");
        let output = running.wait_with_output().expect("it is a child");
        let direction = Ended::new(&line, &output).code(0).direction();
        let (service, response) = (
            percentile_ms(&direction, "request_latency"),
            percentile_ms(&direction, "response_latency"),
        );
        assert!(response > 100, "{line}: p99 response {response} ms, service {service} ms");
        assert!(service < 100, "{line}: p99 response {response} ms, service {service} ms");
        let number = |key: &str| direction[key].as_u64().expect("a number");
        let late = number("waited_for_place") + number("started_late");
        assert!(late > 50, "{late} requests were due in the stall");
        assert_eq!(direction["rate_asked_per_s"], 400.0);
    }
}

#[test]
fn a_rate_that_cannot_be_had_is_doubtful_and_what_was_not_begun_is_counted() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    // Faster than a thread makes system calls.
    let line = "--engine sync --file f --rw randread --block-size 4k --queue-depth 1 --buffered \
                --rate-iops 100000000 --runtime 200ms --format json --quiet";
    let direction = folder.aio(line).code(0).direction();
    let doubts = direction["doubts"].as_array().expect("a list");
    assert!(doubts.iter().any(|doubt| doubt["code"] == "rate-missed"), "{doubts:?}");
    let number = |key: &str| direction[key].as_u64().expect("a number");
    // All that the schedule had in that time.
    assert_eq!(number("requests") + number("never_started"), 20_000_000);
}

#[test]
fn the_same_requests_are_made_at_random_times_by_every_engine() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let prints: Vec<_> = ["null", "sync"]
        .map(|engine| {
            let line = format!(
                "--engine {engine} --file f --rw randread --block-size 4k --buffered --number-ios \
                 300 --rate-iops 3000,poisson --format json --quiet"
            );
            let direction = folder.aio(&line).code(0).direction();
            assert_eq!(direction["rate_is_poisson"], true);
            assert_eq!(direction["never_started"], 0);
            direction["fingerprint"].clone()
        })
        .into();
    assert_eq!(prints[0], prints[1]);
}

#[test]
fn the_page_cache_is_dropped_and_the_receipt_says_so() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let line = "--engine sync --file f --rw read --block-size 64k --buffered --drop-cache --loops 2 \
                --format json --quiet";
    let receipts = folder.aio(line).code(0).receipts("drop-cache");
    assert_eq!(receipts.len(), 1);
    if receipts[0]["why_not"].is_null() {
        assert_eq!(receipts[0]["granted"], "before each loop");
    } else {
        skip("this file system or its kernel keeps pages whatever the advice");
    }
}
