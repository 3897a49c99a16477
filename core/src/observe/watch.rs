//! Reads the kernel's counters around the loops that count.

use std::fs::File;
use std::io::{Read, Seek};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cgroup::{IoLimit, io_limits};
use super::diskstats::BlockStat;
use super::residency::{Residency, resident};
use super::throttling::{Throttled, Throttling, is_hot};
use crate::clock::Stamp;
use crate::plan::Plan;
use crate::report::TargetReport;
use crate::target::Tasklet;

/// Where the kernel shows its devices.
const SYS: &str = "/sys";
/// The most that a row of counters takes: 17 numbers of 20 digits.
const ROW_BYTES_MAX: usize = 512;
/// The most files whose pages in the page cache are counted.
const FILES_MAX: usize = 16;

/// What is read around the loops of a wave, open and ready.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    devices: Vec<Watched>,
    throttling: Throttling,
    /// Files whose pages in the page cache are to be counted, and where in them.
    cached: Vec<(Arc<File>, Range<u64>)>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Watched {
    device: SeenDevice,
    stat: File,
}

#[derive(Debug, Default)]
struct State {
    /// When the loop that runs was begun.
    begun: Option<Stamp>,
    /// The devices' readings by then.
    rows: Vec<Option<BlockStat>>,
    seen: Seen,
    /// Throttling before the first loop that counts.
    before: Option<Throttled>,
}

/// What was counted in the loops that count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub devices: Vec<SeenDevice>,
    /// The time between the readings, in seconds.
    pub seconds: f64,
    /// What was held back meanwhile; absent where no loop that counts has ended.
    pub throttled: Option<Throttled>,
    /// How much of the files was in the page cache before the first loop that counts.
    pub residency: Residency,
    /// Limits that our control groups set to the devices.
    pub io_limits: Vec<IoLimit>,
    /// Whether a device says that it is too hot.
    pub is_hot: bool,
}

/// A device, and what it counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenDevice {
    /// Its name below `/dev`.
    pub name: String,
    /// Its `major:minor` number.
    pub number: String,
    /// The numbers of the targets' devices whose requests go through it: its own, or those of its
    /// partitions.
    pub covers: Vec<String>,
    pub stat: BlockStat,
    /// Whether it counts at all; some drivers do not, and counting can be switched off.
    pub counts: bool,
}

impl Watch {
    /// Opens what is to be read for `tasklets`, whose targets are among `targets`.
    pub(crate) fn open(plan: &Plan, tasklets: &[Tasklet], targets: &[TargetReport]) -> Self {
        let mut numbers: Vec<String> = Vec::new();
        for target in targets {
            let is_ours = || tasklets.iter().any(|one| is_at(one, target));
            let number = target.block_device().filter(|number| !numbers.contains(number));
            if let Some(number) = number.filter(|_| is_ours()) {
                numbers.push(number.clone());
            }
        }
        let devices = find(Path::new(SYS), &numbers);
        let disks: Vec<_> = devices.iter().map(|one| one.device.number.clone()).collect();
        let seen = Seen { io_limits: io_limits(&disks), ..Seen::default() };
        Self {
            devices,
            throttling: Throttling::open(Path::new(SYS)),
            cached: if plan.buffered { files_to_read(tasklets) } else { Vec::new() },
            state: Mutex::new(State { seen, ..State::default() }),
        }
    }

    /// Reads all counters. To be called just before the clock of a loop starts.
    pub(crate) fn begin(&self, counts: bool) {
        if !counts {
            return;
        }
        let mut state = self.state();
        if state.before.is_none() {
            state.seen.residency = resident(&self.cached);
            state.before = Some(self.throttling.read());
        }
        // The memory of the last loop's, so that loops allocate nothing.
        state.rows.clear();
        state.rows.extend(self.devices.iter().map(|one| row(&one.stat)));
        state.begun = Some(Stamp::now());
    }

    /// Reads them again. To be called just after the clock has stopped, and does nothing when no
    /// loop that counts has begun.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        let Some(begun) = state.begun.take() else { return };
        let seconds = Stamp::now().since(begun).as_secs_f64();
        let State { seen, rows, .. } = &mut *state;
        seen.seconds += seconds;
        if seen.devices.is_empty() {
            seen.devices = self.devices.iter().map(|one| one.device.clone()).collect();
        }
        for ((device, watched), before) in seen.devices.iter_mut().zip(&self.devices).zip(rows) {
            match (before, row(&watched.stat)) {
                (Some(before), Some(after)) => {
                    device.stat.add(&after.since(before));
                    // Since it was made: a device that has never counted anything does not count.
                    device.counts &= after.read.requests + after.write.requests > 0;
                }
                _gone => device.counts = false,
            }
        }
        if let Some(before) = state.before {
            state.seen.throttled = Some(self.throttling.read().since(&before));
        }
    }

    /// What was counted. To be called when all is over, because it asks devices for their
    /// temperature.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.state().seen.clone();
        seen.is_hot = self.devices.iter().any(|one| is_hot(Path::new(SYS), &one.device.number));
        seen
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file of the tasklet is the target.
pub(super) fn is_at(tasklet: &Tasklet, target: &TargetReport) -> bool {
    tasklet.files.iter().any(|file| file.path.to_string_lossy() == target.path)
}

/// Files that are there already and that are read, each once.
fn files_to_read(tasklets: &[Tasklet]) -> Vec<(Arc<File>, Range<u64>)> {
    let mut files: Vec<(Arc<File>, Range<u64>)> = Vec::new();
    for tasklet in tasklets.iter().filter(|one| one.direction.reads()) {
        for open in tasklet.files.iter().filter_map(|file| file.already_open()) {
            if files.len() < FILES_MAX && !files.iter().any(|(known, _)| Arc::ptr_eq(known, open)) {
                files.push((Arc::clone(open), tasklet.offset_bytes()..tasklet.end_bytes()));
            }
        }
    }
    files
}

/// The block devices of these numbers, and the disks that those which are partitions lie on.
fn find(sys: &Path, numbers: &[String]) -> Vec<Watched> {
    let mut found: Vec<Watched> = Vec::new();
    let mut add = |number: String, covers: &String| {
        if let Some(known) = found.iter_mut().find(|one| one.device.number == number) {
            known.device.covers.push(covers.clone());
        } else if let Some(mut watched) = watch(sys, number) {
            watched.device.covers.push(covers.clone());
            found.push(watched);
        }
    };
    for number in numbers {
        add(number.clone(), number);
    }
    for number in numbers {
        if let Some(disk) = disk_of(sys, number) {
            add(disk, number);
        }
    }
    found
}

/// The number of the disk that this device is a partition of.
fn disk_of(sys: &Path, number: &str) -> Option<String> {
    let folder = std::fs::canonicalize(sys.join("dev/block").join(number)).ok()?;
    folder.join("partition").exists().then_some(())?;
    let text = std::fs::read_to_string(folder.parent()?.join("dev")).ok()?;
    Some(text.trim().to_owned())
}

fn watch(sys: &Path, number: String) -> Option<Watched> {
    let folder = std::fs::canonicalize(sys.join("dev/block").join(&number)).ok()?;
    let stat = File::open(folder.join("stat")).ok()?;
    let name = folder.file_name()?.to_string_lossy().replace('!', "/");
    // A partition has no queue of its own, and counts when its disk does.
    let queues = [folder.join("queue/iostats"), folder.parent()?.join("queue/iostats")];
    let is_off = queues
        .iter()
        .any(|path| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == "0"));
    let device = SeenDevice { name, number, counts: !is_off, ..SeenDevice::default() };
    Some(Watched { device, stat })
}

fn row(stat: &File) -> Option<BlockStat> {
    let mut text = [0; ROW_BYTES_MAX];
    BlockStat::parse(read_again(stat, &mut text)?)
}

/// Reads a file of counters from the front, for which the kernel makes its text anew. Without
/// `pread`, which engines make their requests with: who traces those finds no others on a lane's
/// thread.
pub(super) fn read_again<'a>(mut file: &File, into: &'a mut [u8]) -> Option<&'a str> {
    file.rewind().ok()?;
    let length = file.read(into).ok()?;
    std::str::from_utf8(&into[..length]).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A disk with one partition, and the file with its counters.
    fn fake() -> (tempfile::TempDir, std::path::PathBuf) {
        let sys = tempfile::tempdir().unwrap();
        let disk = sys.path().join("devices/sda");
        let links = sys.path().join("dev/block");
        fs::create_dir_all(disk.join("sda1")).unwrap();
        fs::create_dir_all(disk.join("queue")).unwrap();
        fs::create_dir_all(&links).unwrap();
        fs::write(disk.join("dev"), "8:0\n").unwrap();
        fs::write(disk.join("sda1/dev"), "8:1\n").unwrap();
        fs::write(disk.join("sda1/partition"), "1\n").unwrap();
        fs::write(disk.join("queue/iostats"), "1\n").unwrap();
        for stat in [disk.join("stat"), disk.join("sda1/stat")] {
            fs::write(stat, "1 0 8 0 1 0 8 0 0 0 0\n").unwrap();
        }
        symlink(&disk, links.join("8:0")).unwrap();
        symlink(disk.join("sda1"), links.join("8:1")).unwrap();
        (sys, disk)
    }

    #[test]
    fn a_partition_is_watched_with_its_disk_and_what_is_no_block_device_is_not() {
        let (sys, _disk) = fake();
        let found = find(sys.path(), &["8:1".into(), "0:43".into()]);
        let seen: Vec<_> = found
            .iter()
            .map(|one| (one.device.name.as_str(), one.device.covers.join(",")))
            .collect();
        assert_eq!(seen, [("sda1", "8:1".to_owned()), ("sda", "8:1".to_owned())]);
        let both = find(sys.path(), &["8:1".into(), "8:0".into()]);
        assert_eq!(both[1].device.covers, ["8:0", "8:1"]);
    }

    #[test]
    fn only_loops_that_count_are_added_up_and_a_loop_without_end_is_not() {
        let (sys, disk) = fake();
        let numbers = ["8:0".into()];
        let watch = Watch { devices: find(sys.path(), &numbers), ..Watch::default() };
        let now = |reads: u32| fs::write(disk.join("stat"), format!("{reads} 0 8 0 1 0 8 0 0 0 0"));
        watch.begin(false);
        now(100).unwrap();
        watch.end();
        assert!(watch.seen().devices.is_empty());
        for reads in [110, 130] {
            watch.begin(true);
            now(reads).unwrap();
            watch.end();
            now(reads + 5).unwrap();
        }
        watch.begin(true);
        let seen = watch.seen();
        assert_eq!(seen.devices[0].stat.read.requests, 10 + 15);
        assert!(seen.devices[0].counts && seen.seconds > 0.0);
    }

    #[test]
    fn a_device_that_does_not_count_is_told_apart_from_one_that_was_idle() {
        let (sys, disk) = fake();
        let seen = |row: &str| {
            fs::write(disk.join("stat"), row).unwrap();
            let watch = Watch { devices: find(sys.path(), &["8:0".into()]), ..Watch::default() };
            watch.begin(true);
            watch.end();
            watch.seen().devices.remove(0).counts
        };
        assert!(seen("9 0 8 0 1 0 8 0 0 0 0"));
        assert!(!seen("0 0 0 0 0 0 0 0 0 0 0"), "it never counted anything");
        fs::write(disk.join("queue/iostats"), "0\n").unwrap();
        assert!(!seen("9 0 8 0 1 0 8 0 0 0 0"), "counting is switched off");
    }
}
