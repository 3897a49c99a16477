//! What a target lies on.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

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
}

/// Whether a file system of type `kind` keeps files in memory, so that its speed is the memory's.
#[must_use]
pub fn keeps_in_memory(kind: &str) -> bool {
    matches!(kind, "tmpfs" | "ramfs" | "devtmpfs" | "hugetlbfs" | "rootfs")
}

/// The mount table, read once.
#[derive(Debug, Default)]
pub struct Mounts(Vec<procfs::process::MountInfo>);

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
            });
        }
        if metadata.file_type().is_char_device() {
            let device = numbers(metadata.rdev());
            return Some(FileSystem { kind: NVME_GENERIC.into(), device });
        }
        let device = numbers(metadata.dev());
        // Later lines cover earlier ones.
        let mount = self.0.iter().rev().find(|mount| mount.majmin == device)?;
        Some(FileSystem { kind: mount.fs_type.clone(), device })
    }
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
}
