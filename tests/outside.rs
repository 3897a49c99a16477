//! What the kernel counts and sees of a disk, whoever uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::devices::Loop;
use crate::support::{Folder, skip};

/// A request as it left: what it does, where, and to how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moved {
    pub(crate) is_write: bool,
    pub(crate) offset_bytes: u64,
    pub(crate) bytes: u64,
}

/// A loop device that goes past the page cache and merges nothing, so that what is asked of it and
/// what it does are the same requests.
pub(crate) struct Disk {
    /// The name below `/sys/block`.
    name: String,
    merges_before: String,
    device: Loop,
}

impl Disk {
    /// Attaches one; `None`, said aloud, where that cannot be done.
    pub(crate) fn attach(folder: &Folder) -> Option<Self> {
        let device = Loop::attach(folder, &["--direct-io=on"])?;
        let name = device.name().trim_start_matches("/dev/").to_owned();
        let setting = |path: &str| fs::read_to_string(format!("/sys/block/{name}/{path}"));
        if setting("loop/dio").ok()?.trim_end() != "1" {
            skip(&format!("{name} does no direct I/O to {}", folder.path().display()));
            return None;
        }
        let merges_before = setting("queue/nomerges").ok()?;
        if let Err(error) = fs::write(format!("/sys/block/{name}/queue/nomerges"), "2") {
            skip(&format!("{name} cannot be told to merge nothing: {error}"));
            return None;
        }
        Some(Self { name, merges_before, device })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        self.device.name()
    }

    /// What it has done when nobody uses it: services of the host may look at a disk for a moment
    /// when it is new or was written.
    pub(crate) fn quiet_counts(&self) -> Counts {
        let mut before = self.counts();
        for _try in 0..200 {
            thread::sleep(Duration::from_millis(20));
            let now = self.counts();
            if now == before {
                return now;
            }
            before = now;
        }
        panic!("somebody else uses {}", self.name);
    }

    /// What `/proc/diskstats` says of it.
    pub(crate) fn counts(&self) -> Counts {
        let table = fs::read_to_string("/proc/diskstats").expect("there is a table of disks");
        let row = table.lines().find(|row| row.split_whitespace().nth(2) == Some(&self.name));
        let row: Vec<_> = row.expect("it is in the table").split_whitespace().skip(3).collect();
        let number = |column: usize| row[column].parse::<u64>().expect("a number");
        // Documentation/admin-guide/iostats.rst; a sector is 512 bytes, whatever the disk has.
        let of = |first: usize| Count {
            requests: number(first),
            merged: number(first + 1),
            bytes: number(first + 2) * 512,
        };
        Counts { read: of(0), written: of(4) }
    }

    /// Its number as the kernel keeps it.
    fn number(&self) -> u64 {
        let path = format!("/sys/block/{}/dev", self.name);
        let text = fs::read_to_string(path).expect("every disk has a number");
        let (major, minor) = text.trim_end().split_once(':').expect("in two parts");
        let part = |text: &str| text.parse::<u64>().expect("a number");
        (part(major) << 20) | part(minor)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path = format!("/sys/block/{}/queue/nomerges", self.name);
        // It outlives the attachment.
        let _best_effort = fs::write(path, &self.merges_before);
    }
}

/// What a disk has done since it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) read: Count,
    pub(crate) written: Count,
}

/// What a disk has done in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    pub(crate) merged: u64,
    pub(crate) bytes: u64,
}

impl Count {
    /// What came since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            merged: self.merged - earlier.merged,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// The block layer's own account of the requests to one disk: an instance of the kernel's tracer,
/// which nobody else sees.
pub(crate) struct Trace {
    instance: PathBuf,
    mounted: Option<PathBuf>,
}

impl Trace {
    /// Begins to look at `disk`; `None`, said aloud, where that cannot be done.
    pub(crate) fn of(folder: &Folder, disk: &Disk) -> Option<Self> {
        let (root, mounted) = tracefs(folder)?;
        let name = format!("aio-test-{}-{}", std::process::id(), disk.name);
        let trace = Self { instance: root.join("instances").join(name), mounted };
        let begun = fs::create_dir(&trace.instance).and_then(|()| trace.begin(disk.number()));
        if let Err(error) = begun {
            skip(&format!("no trace of {}: {error}", disk.name));
            return None;
        }
        Some(trace)
    }

    fn begin(&self, device: u64) -> std::io::Result<()> {
        fs::write(self.instance.join("buffer_size_kb"), "4096")?;
        let event = self.instance.join("events/block/block_rq_issue");
        // What looks at a disk again when somebody has written to it is not meant.
        let filter = format!("dev == {device} && !(comm ~ \"*udev*\")");
        fs::write(event.join("filter"), filter)?;
        fs::write(event.join("enable"), "1")
    }

    /// The requests that were issued since the last time it was asked, sorted.
    pub(crate) fn take(&self) -> Vec<Moved> {
        let text = fs::read_to_string(self.instance.join("trace")).expect("it is readable");
        assert_eq!(self.lost(), 0, "the trace has a hole");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut moved: Vec<_> = lines.filter_map(issued).collect();
        moved.sort_unstable();
        fs::write(self.instance.join("trace"), "").expect("it can be emptied");
        moved
    }

    /// How many events found no room.
    fn lost(&self) -> u64 {
        let each = fs::read_dir(self.instance.join("per_cpu")).expect("it has a folder per CPU");
        let of = |folder: PathBuf| {
            let text = fs::read_to_string(folder.join("stats")).expect("it is readable");
            let lines = text.lines().filter_map(|line| line.split_once(": "));
            let lost = lines.filter(|(what, _)| matches!(*what, "overrun" | "dropped events"));
            lost.map(|(_, number)| number.trim().parse::<u64>().expect("a number")).sum::<u64>()
        };
        each.map(|entry| of(entry.expect("readable").path())).sum()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir(&self.instance);
        if let Some(mounted) = &self.mounted {
            let _best_effort = Command::new("umount").arg(mounted).status();
        }
    }
}

/// Where the tracer is, and what must be unmounted when it is no longer needed.
fn tracefs(folder: &Folder) -> Option<(PathBuf, Option<PathBuf>)> {
    let usual = Path::new("/sys/kernel/tracing");
    if usual.join("instances").is_dir() {
        return Some((usual.into(), None));
    }
    let mine = folder.path().join("tracing");
    fs::create_dir(&mine).expect("the folder is writable");
    match Command::new("mount").args(["-t", "tracefs", "tracefs"]).arg(&mine).output() {
        Ok(output) if output.status.success() => Some((mine.clone(), Some(mine))),
        Ok(output) => {
            skip(&format!("no tracefs: {}", String::from_utf8_lossy(&output.stderr)));
            None
        }
        Err(error) => {
            skip(&format!("no tracefs: mount: {error}"));
            None
        }
    }
}

/// Reads a line such as `aio-7 [0] … block_rq_issue: 7,0 R 4096 () 13576 + 8 none,0,0 [aio]`;
/// `None` for a flush, which moves nothing.
fn issued(line: &str) -> Option<Moved> {
    let (_, event) = line.split_once("block_rq_issue: ").unwrap_or_else(|| panic!("{line}"));
    let words: Vec<_> = event.split_whitespace().collect();
    let plus = words.iter().position(|word| *word == "+").unwrap_or_else(|| panic!("{line}"));
    let sectors = |word: usize| words[word].parse::<u64>().unwrap_or_else(|_| panic!("{line}"));
    let bytes = sectors(plus + 1) * 512;
    // A letter for the operation, and some behind it for how; an F in front is a flush first.
    let is_write = match words[1].trim_start_matches('F').chars().next() {
        Some('R') => false,
        Some('W') => true,
        _ if bytes == 0 => return None,
        _ => panic!("neither read nor write: {line}"),
    };
    (bytes > 0).then(|| Moved { is_write, offset_bytes: sectors(plus - 1) * 512, bytes })
}
