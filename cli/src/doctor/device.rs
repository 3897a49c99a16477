//! A block device: its queue in the kernel, and what it is built upon.

use std::fs;
use std::path::{Path, PathBuf};

use aio_core::report::Storage;

use super::roots::{Roots, number, text};

/// A limit that a control group sets to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IoLimit {
    /// What the file says of the device.
    pub(crate) line: String,
    pub(crate) file: PathBuf,
}

/// A PCI Express link: how fast it is and how wide.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    /// In transfers per second and lane, as sysfs writes it: `16.0 GT/s PCIe`.
    pub(crate) speed: String,
    pub(crate) width: u32,
}

/// What is known of a device. What neither kernel nor driver tells is `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    /// What it is.
    pub(crate) storage: Storage,
    /// The disk that the queue belongs to: it, or the one that it is a partition of.
    pub(crate) disk: String,
    /// The disk's `major:minor`.
    pub(crate) number: Option<String>,
    /// Schedulers that there are.
    pub(crate) schedulers: Vec<String>,
    /// Whether it has queues to poll.
    pub(crate) has_poll_queues: Option<bool>,
    /// 0: adjoining requests are merged; 1: only the simple cases; 2: never.
    pub(crate) nomerges: Option<u64>,
    /// How long buffered writes may keep reads waiting, in µs, before they are slowed down; 0: never.
    pub(crate) wbt_us: Option<u64>,
    pub(crate) read_ahead_kib: Option<u64>,
    /// The largest request that goes to it whole, and the largest that it could take.
    pub(crate) max_kib: Option<u64>,
    pub(crate) max_hw_kib: Option<u64>,
    /// `none`, `host-aware` or `host-managed`.
    pub(crate) zoned: Option<String>,
    /// Where the partition begins.
    pub(crate) start_bytes: Option<u64>,
    /// The drive's own link, now and at best.
    pub(crate) link: Option<(Link, Link)>,
    pub(crate) is_read_only: bool,
    pub(crate) is_encrypted: bool,
    /// What an array is doing when it is not idle.
    pub(crate) rebuilds: Option<String>,
    /// Members that an array lacks.
    pub(crate) missing_members: u64,
    pub(crate) limits: Vec<IoLimit>,
}

impl Device {
    /// Reads what sysfs tells of `storage` and all that it is built upon, and what the control
    /// groups, `second` ones of version 2 and `first` ones of version 1, limit of it.
    pub(crate) fn read_all(
        roots: &Roots,
        storage: &Storage,
        second: &[PathBuf],
        first: &[PathBuf],
    ) -> Vec<Self> {
        let below = storage.built_upon.iter();
        let mut all = vec![Self::read(roots, storage, second, first)];
        for one in below.flat_map(|one| Self::read_all(roots, one, second, first)) {
            // Partitions of one disk have one queue.
            if all.iter().all(|known| known.storage.name != one.storage.name) {
                all.push(one);
            }
        }
        all
    }

    fn read(roots: &Roots, storage: &Storage, second: &[PathBuf], first: &[PathBuf]) -> Self {
        let disk = storage.partition_of.clone().unwrap_or_else(|| storage.name.clone());
        let class = roots.sys.join("class/block");
        let node = class.join(storage.name.replace('/', "!"));
        let folder = class.join(disk.replace('/', "!"));
        let queue = folder.join("queue");
        let in_queue = |name: &str| number(&queue.join(name));
        let schedulers = text(&queue.join("scheduler")).unwrap_or_default();
        let words = schedulers.split_whitespace().map(|word| word.trim_matches(['[', ']']));
        let rebuilds = text(&folder.join("md/sync_action")).filter(|action| action != "idle");
        let number_of_disk = text(&folder.join("dev"));
        Self {
            storage: storage.clone(),
            disk,
            schedulers: words.map(String::from).collect(),
            has_poll_queues: in_queue("io_poll").map(|answer| answer == 1),
            nomerges: in_queue("nomerges"),
            wbt_us: in_queue("wbt_lat_usec"),
            read_ahead_kib: in_queue("read_ahead_kb"),
            max_kib: in_queue("max_sectors_kb"),
            max_hw_kib: in_queue("max_hw_sectors_kb"),
            zoned: text(&queue.join("zoned")),
            start_bytes: storage.partition_of.as_ref().and_then(|_| {
                // In units of 512 bytes, whatever the drive's blocks are.
                number(&node.join("start"))?.checked_mul(512)
            }),
            link: link(&folder),
            is_read_only: number(&node.join("ro")) == Some(1),
            is_encrypted: text(&folder.join("dm/uuid")).is_some_and(|id| id.starts_with("CRYPT-")),
            rebuilds,
            missing_members: number(&folder.join("md/degraded")).unwrap_or(0),
            limits: number_of_disk
                .as_ref()
                .map(|number| limits(number, second, first))
                .unwrap_or_default(),
            number: number_of_disk,
        }
    }
}

/// The link of the function that the drive is, not those on the way to it.
fn link(folder: &Path) -> Option<(Link, Link)> {
    let drive = fs::canonicalize(folder.join("device")).ok()?;
    let place = drive.ancestors().find(|place| place.join("max_link_width").exists())?;
    let read = |which: &str| {
        let speed = text(&place.join(format!("{which}_link_speed")))?;
        let width = u32::try_from(number(&place.join(format!("{which}_link_width")))?).ok()?;
        let is_up = (1..=32).contains(&width) && speed.contains("GT/s");
        is_up.then_some(Link { speed, width })
    };
    read("current").zip(read("max"))
}

impl Link {
    /// In transfers per second over all lanes.
    pub(crate) fn transfers(&self) -> Option<f64> {
        let one: f64 = self.speed.split_once(" GT/s")?.0.parse().ok()?;
        Some(one * f64::from(self.width))
    }
}

/// The limits that hold for the device of these numbers.
fn limits(numbers: &str, second: &[PathBuf], first: &[PathBuf]) -> Vec<IoLimit> {
    let mut limits = Vec::new();
    let mut add = |file: PathBuf, is_limit: &dyn Fn(&str) -> bool| {
        let table = text(&file).unwrap_or_default();
        let of_device = table.lines().filter_map(|line| line.strip_prefix(numbers));
        for line in of_device.filter(|rest| rest.starts_with(' ') && is_limit(rest)) {
            limits.push(IoLimit { line: line.trim().into(), file: file.clone() });
        }
    };
    for folder in second {
        add(folder.join("io.max"), &|line| {
            line.split_whitespace().any(|word| !word.ends_with("=max"))
        });
    }
    for folder in first {
        for name in ["read_bps", "write_bps", "read_iops", "write_iops"] {
            let file = folder.join(format!("blkio.throttle.{name}_device"));
            add(file, &|line| line.trim() != "0");
        }
    }
    limits
}
