//! The request queue of a target's device, as sysfs shows it.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

/// The folder in sysfs of the request queue behind a block device, or behind the device that a file
/// lies on; `None` where a file system has none of its own, or several.
#[must_use]
pub fn request_queue_of(metadata: &Metadata) -> Option<PathBuf> {
    let is_device = metadata.file_type().is_block_device();
    let number = if is_device { metadata.rdev() } else { metadata.dev() };
    let name = format!("/sys/dev/block/{}:{}", libc::major(number), libc::minor(number));
    let device = fs::canonicalize(name).ok()?;
    // A partition has no queue of its own; its device is the folder that it is in.
    let queues = [device.join("queue"), device.parent()?.join("queue")];
    queues.into_iter().find(|queue| queue.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_no_block_device_has_no_queue() {
        assert_eq!(request_queue_of(&fs::metadata("/proc/self").unwrap()), None);
    }
}
