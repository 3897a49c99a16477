//! Devices as sysfs shows them: links and short texts. Opens no device.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The numbers of a device, which say which one it is whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Number {
    pub(super) major: u64,
    pub(super) minor: u64,
}

impl Number {
    /// Out of `st_rdev` or `st_dev`.
    pub(super) fn of(device: u64) -> Self {
        Self { major: nix::sys::stat::major(device), minor: nix::sys::stat::minor(device) }
    }

    /// Out of `8:1`, with or without a line's end.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim_end().split_once(':')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// A block device: a disk, a partition, or what another driver makes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// As in `/dev`.
    pub(super) name: String,
    pub(super) number: Number,
    /// Where its files are, without links on the way.
    pub(super) folder: PathBuf,
}

/// A loop device that is attached to something.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) name: String,
    /// The path of what it shows, as the kernel remembers it.
    pub(super) backing: PathBuf,
}

/// The tree below `/sys`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sysfs<'a> {
    root: &'a Path,
}

impl<'a> Sysfs<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// The block device of this number.
    pub(super) fn block(self, number: Number) -> io::Result<Node> {
        let node = node_at(&self.root.join(format!("dev/block/{number}")))?;
        if node.number == number { Ok(node) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// The number of the block device that `/dev/{name}` is usually a node of.
    pub(super) fn number_of_name(self, name: &Path) -> Option<Number> {
        let name = name.to_str()?.replace('/', "!");
        number_in(&self.root.join("class/block").join(name)).ok()
    }

    /// Every loop device that is attached.
    pub(super) fn loops(self) -> io::Result<Vec<Loop>> {
        let mut loops = Vec::new();
        for entry in fs::read_dir(self.root.join("block"))? {
            let entry = entry?;
            match fs::read(entry.path().join("loop/backing_file")) {
                Ok(text) => loops
                    .push(Loop { name: device_name(&entry.path()), backing: path_of_line(&text) }),
                // Not a loop device, not attached, or detached just now.
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(loops)
    }

    /// Every disk that can be opened.
    pub(super) fn disks(self) -> io::Result<Vec<Node>> {
        let mut disks = Vec::new();
        for entry in fs::read_dir(self.root.join("block"))? {
            match node_at(&entry?.path()) {
                Ok(node) => disks.push(node),
                // Hidden, as the paths of NVMe drives are, or gone just now.
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        disks.sort_by_key(|one| one.number);
        Ok(disks)
    }

    /// Whether the character device of this number is an NVMe namespace.
    pub(super) fn is_nvme_generic(self, number: Number) -> bool {
        let class = fs::canonicalize(self.root.join(format!("dev/char/{number}/subsystem")));
        class.is_ok_and(|class| class.file_name().is_some_and(|name| name == "nvme-generic"))
    }

    /// Where the files of the character device of this number are.
    pub(super) fn character(self, number: Number) -> io::Result<PathBuf> {
        let folder = fs::canonicalize(self.root.join(format!("dev/char/{number}")))?;
        let right = number_in(&folder)? == number;
        if right { Ok(folder) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

impl Node {
    /// The disk that this is a partition of.
    pub(super) fn disk(&self) -> io::Result<Option<Self>> {
        if !self.folder.join("partition").try_exists()? {
            return Ok(None);
        }
        let above = self.folder.parent().ok_or(io::ErrorKind::NotFound)?;
        node_at(above).map(Some)
    }

    /// Its partitions.
    pub(super) fn partitions(&self) -> io::Result<Vec<Self>> {
        let mut partitions = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Links lead elsewhere; a partition's folder lies in its disk's.
            if entry.file_type()?.is_dir() && entry.path().join("partition").try_exists()? {
                partitions.push(node_at(&entry.path())?);
            }
        }
        partitions.sort_by_key(|one| one.number);
        Ok(partitions)
    }

    /// Whether writing to this partition may change `other`, one of the same disk.
    pub(super) fn overlaps(&self, other: &Self) -> io::Result<bool> {
        let range = |node: &Self| {
            let start: u64 = number_line(&node.folder.join("start"))?;
            let units: u64 = number_line(&node.folder.join("size"))?;
            Ok::<_, io::Error>((start, start.saturating_add(units), units))
        };
        let ((start, end, units), (other_start, other_end, _)) = (range(self)?, range(other)?);
        // An extended partition is shown by its head alone, in which the others of it begin.
        let is_head = units <= 2;
        Ok(is_head || (start < other_end && other_start < end))
    }

    /// What the drive itself is called, whichever way leads to it.
    pub(super) fn worldwide_name(&self) -> Option<String> {
        let names = ["wwid", "device/wwid"].map(|file| self.folder.join(file));
        let mut texts = names.iter().filter_map(|path| fs::read_to_string(path).ok());
        texts.find(|text| !text.trim().is_empty())
    }

    /// What is built upon it: parts of RAID, LVM, multipath, encryption, caches.
    pub(super) fn holders(&self) -> io::Result<Vec<Self>> {
        linked(&self.folder.join("holders"))
    }

    /// What it is built upon; partitions have no such list.
    pub(super) fn slaves(&self) -> io::Result<Vec<Self>> {
        match linked(&self.folder.join("slaves")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    /// What the device mapper calls it.
    pub(super) fn mapped_name(&self) -> Option<String> {
        let name = fs::read_to_string(self.folder.join("dm/name")).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// Its size, which sysfs counts in units of 512 bytes whatever its blocks are.
    pub(super) fn size_bytes(&self) -> io::Result<u64> {
        let units: u64 = number_line(&self.folder.join("size"))?;
        units.checked_mul(512).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The bytes of its logical blocks.
    pub(super) fn logical_block_bytes(&self) -> io::Result<u32> {
        let bytes: u32 = number_line(&self.folder.join("queue/logical_block_size"))?;
        if bytes.is_power_of_two() { Ok(bytes) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// The block device whose folder, or a link to it, is at `path`.
pub(super) fn node_at(path: &Path) -> io::Result<Node> {
    let folder = fs::canonicalize(path)?;
    let number = number_in(&folder)?;
    Ok(Node { name: device_name(&folder), number, folder })
}

fn number_in(folder: &Path) -> io::Result<Number> {
    let text = fs::read_to_string(folder.join("dev"))?;
    Number::parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn number_line<T: std::str::FromStr>(path: &Path) -> io::Result<T> {
    let text = fs::read_to_string(path)?;
    text.trim_end().parse().map_err(|_not_a_number| io::ErrorKind::InvalidData.into())
}

fn linked(folder: &Path) -> io::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir(folder)? {
        nodes.push(node_at(&entry?.path())?);
    }
    nodes.sort_by_key(|one| one.number);
    Ok(nodes)
}

/// The kernel writes `!` where the name in `/dev` has a slash.
fn device_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().replace('!', "/")
}

fn path_of_line(text: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    std::ffi::OsStr::from_bytes(line).into()
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR | libc::ENXIO | libc::ENODEV))
}
