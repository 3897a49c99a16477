//! What a target lies on.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use procfs::process::MountInfo;

/// What stands for the type of a file system where the target is a device itself.
pub const BLOCK_DEVICE: &str = "block device";

/// The same for a character device; only that of an NVMe namespace is a target.
pub const NVME_GENERIC: &str = "NVMe generic device";

/// The file system under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Its type, such as `ext4`, or [`BLOCK_DEVICE`] or [`NVME_GENERIC`].
    pub kind: String,
    /// Its device's `major:minor`.
    pub device: String,
    /// The options that it is mounted with, first those of the mount; empty for a device.
    pub options: Vec<String>,
    /// Where it is mounted; `None` for a device.
    pub mounted_at: Option<PathBuf>,
}

/// Whether a file system of type `kind` keeps files in memory, so that its speed is the memory's.
#[must_use]
pub fn keeps_in_memory(kind: &str) -> bool {
    matches!(kind, "tmpfs" | "ramfs" | "devtmpfs" | "hugetlbfs" | "rootfs")
}

/// The mount table, read once.
#[derive(Debug, Default)]
pub struct Mounts(Vec<MountInfo>);

impl Mounts {
    /// Reads it; empty where `/proc` does not tell.
    #[must_use]
    pub fn read() -> Self {
        let read = procfs::process::Process::myself().and_then(|process| process.mountinfo());
        Self(read.map(|mounts| mounts.0).unwrap_or_default())
    }

    /// The file system of `path`, or the device that it is, or the file system of its folder when
    /// it does not exist yet; `None` where `/proc` does not tell.
    #[must_use]
    pub fn file_system_of(&self, path: &Path) -> Option<FileSystem> {
        let metadata = fs::metadata(path).or_else(|_| fs::metadata(folder_of(path))).ok()?;
        if metadata.file_type().is_block_device() {
            // Not the file system that happens to hold its name.
            return Some(FileSystem {
                kind: BLOCK_DEVICE.into(),
                device: numbers(metadata.rdev()),
                options: Vec::new(),
                mounted_at: None,
            });
        }
        if metadata.file_type().is_char_device() {
            let device = numbers(metadata.rdev());
            let kind = NVME_GENERIC.into();
            return Some(FileSystem { kind, device, options: Vec::new(), mounted_at: None });
        }
        let device = numbers(metadata.dev());
        let absolute = || fs::canonicalize(path).or_else(|_| fs::canonicalize(folder_of(path)));
        let mount = self.mount_of(&device, || absolute().ok())?;
        Some(FileSystem {
            kind: mount.fs_type.clone(),
            device,
            options: options(mount),
            mounted_at: Some(mount.mount_point.clone()),
        })
    }

    /// The mount of `device` that `path` is below; else any of that device, or else what is mounted
    /// over `path`: btrfs gives each subvolume a device of its own, which is in no table.
    fn mount_of(&self, device: &str, path: impl FnOnce() -> Option<PathBuf>) -> Option<&MountInfo> {
        // Later lines cover earlier ones.
        let of_device: Vec<_> = self.0.iter().rev().filter(|one| one.majmin == device).collect();
        if let [only] = of_device.as_slice() {
            return Some(only);
        }
        let path = path();
        let over = |mount: &&MountInfo| {
            path.as_ref().is_some_and(|path| path.starts_with(&mount.mount_point))
        };
        lowest(of_device.iter().copied().filter(over))
            .or_else(|| of_device.first().copied())
            .or_else(|| lowest(self.0.iter().rev().filter(over)))
    }
}

/// The one whose mount point is longest; of equally long ones the first.
fn lowest<'m>(mounts: impl Iterator<Item = &'m MountInfo>) -> Option<&'m MountInfo> {
    let all: Vec<_> = mounts.collect();
    all.into_iter().rev().max_by_key(|mount| mount.mount_point.components().count())
}

/// The options of a mount and of its file system, each in order of the alphabet, because the table
/// is read without theirs.
fn options(mount: &MountInfo) -> Vec<String> {
    let mut all = Vec::new();
    for options in [&mount.mount_options, &mount.super_options] {
        let text = |(name, value): (&String, &Option<String>)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        };
        let mut some: Vec<_> = options.iter().map(text).filter(|one| !all.contains(one)).collect();
        some.sort();
        all.extend(some);
    }
    all
}

fn numbers(device: u64) -> String {
    format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
}

/// The folder that holds `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_folder_lies_on_a_file_system_and_a_missing_file_on_its_folders() {
        let mounts = Mounts::read();
        let root = mounts.file_system_of(Path::new("/")).expect("/proc is mounted");
        assert!(!root.kind.is_empty() && root.device.contains(':'));
        assert_eq!(mounts.file_system_of(Path::new("/no-such-file")), Some(root));
    }

    #[test]
    fn what_has_a_device_of_its_own_in_no_table_is_found_by_its_path() {
        let line = |text| MountInfo::from_line(text).unwrap();
        let mounts = Mounts(vec![
            line("1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw,discard"),
            line("2 1 0:40 / /data rw,noatime - btrfs /dev/sdb rw,compress=zstd:3,ssd"),
            line("3 1 0:41 / /database rw - tmpfs tmpfs rw"),
            line("4 2 0:42 / /data rw,noatime - btrfs /dev/sdc ro,ssd"),
            line("5 1 0:43 / /twice rw,noatime - xfs /dev/sdd rw"),
            line("6 1 0:43 / /twice/again ro - xfs /dev/sdd rw"),
        ]);
        let found = |device: &str, path: &str| {
            let mount = mounts.mount_of(device, || Some(path.into())).unwrap();
            (mount.fs_type.clone(), options(mount).join(","))
        };
        assert_eq!(found("8:1", "/f").1, "relatime,rw,discard");
        assert_eq!(found("0:40", "/data/f").1, "noatime,rw,compress=zstd:3,ssd");
        assert_eq!(found("0:99", "/data/f"), ("btrfs".into(), "noatime,rw,ro,ssd".into()));
        assert_eq!(found("0:99", "/databases/f").0, "ext4");
        assert_eq!(found("0:43", "/twice/f").1, "noatime,rw");
        assert_eq!(found("0:43", "/twice/again/f").1, "ro,rw");
        assert_eq!(found("0:43", "/elsewhere/f").1, "ro,rw", "any is better than none");
        assert!(mounts.mount_of("0:99", || None).is_none());
    }
}
