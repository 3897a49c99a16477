//! NVMe devices as sysfs shows them.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The folder in sysfs of the block device (`nvme0n1`) of the namespace that a generic character
/// device (`ng0n1`) stands for. The two are side by side there, under the namespace's parent.
pub(crate) fn block_device_of(character_device: &Metadata) -> Option<PathBuf> {
    let number = character_device.rdev();
    let name = format!("/sys/dev/char/{}:{}", libc::major(number), libc::minor(number));
    let device = fs::canonicalize(name).ok()?;
    let namespace = device.file_name()?.to_str()?.strip_prefix("ng")?;
    // Where the driver links a character device to its parent differs; the class has them all.
    let block_device = fs::canonicalize(format!("/sys/class/block/nvme{namespace}")).ok()?;
    block_device.is_dir().then_some(block_device)
}
