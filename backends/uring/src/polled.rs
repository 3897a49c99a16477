//! Whether I/O on a target can be polled for (IOPOLL).
//!
//! That a ring opens proves nothing: kernels before 6.12 take polled requests to a device without
//! queues to poll, and quietly complete them by interrupts. The device itself says it.
#![expect(unsafe_code, reason = "asks for the flags of a descriptor")]

use std::fs::{self, File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use aio_core::engine::{Operation, Operations, Unsupported};
use aio_core::target::request_queue_of;

use crate::nvme;

/// Refuses `files` unless I/O on each of them is direct and its device has queues to poll.
///
/// # Errors
/// Which of the two is missing, and what would cure it.
pub(crate) fn check<'a>(files: impl IntoIterator<Item = &'a File>) -> Result<(), Unsupported> {
    files.into_iter().try_for_each(check_one)
}

fn check_one(file: &File) -> Result<(), Unsupported> {
    let metadata = file.metadata().map_err(|source| Unsupported {
        reason: "the target cannot be looked at, and iopoll needs to know its device".into(),
        cure: None,
        source: Some(source),
    })?;
    if !metadata.file_type().is_char_device() && !is_direct(file) {
        return Err(through_the_page_cache());
    }
    let Some(queue) = queue_of(&metadata) else {
        return Err(Unsupported::new(
            "iopoll needs a target on one block device, and this one's is unknown",
            "give a block device or a file on ext4 or XFS, or leave out iopoll",
        ));
    };
    let io_poll = fs::read_to_string(queue.join("io_poll")).unwrap_or_default();
    if io_poll.trim() == "1" {
        return Ok(());
    }
    let device = queue.parent().and_then(Path::file_name).unwrap_or_default();
    Err(no_queues(&format!(
        "{} has no queues to poll (queue/io_poll in sysfs is not 1)",
        device.to_string_lossy()
    )))
}

/// Refuses polled writes to regular files, for a kernel that polls as Linux 5.10 does: there a
/// write for which the file system has to find room waits for a completion that nobody polls for,
/// and neither it nor its thread ever ends.
///
/// # Errors
/// With a cure, when there would be such writes.
pub(crate) fn check_old_kernel<'a>(
    operations: Operations,
    files: impl IntoIterator<Item = &'a File>,
) -> Result<(), Unsupported> {
    let is_regular = |file: &File| file.metadata().is_ok_and(|metadata| metadata.is_file());
    if operations.contains(Operation::Write) && files.into_iter().any(is_regular) {
        return Err(Unsupported::new(
            "polled writes to files can hang in a kernel as old as this one",
            "use Linux 5.17 or later, or leave out iopoll",
        ));
    }
    Ok(())
}

/// Polling is for direct I/O.
pub(crate) fn through_the_page_cache() -> Unsupported {
    Unsupported::new(
        "iopoll polls a device for direct I/O, and this run goes through the page cache",
        "leave out --buffered, or iopoll",
    )
}

/// The device cannot be polled, as `what` says.
pub(crate) fn no_queues(what: &str) -> Unsupported {
    Unsupported::new(
        format!("iopoll cannot be had: {what}"),
        "give an NVMe driver such queues (nvme.poll_queues=2 on the kernel's command line), or \
         leave out iopoll",
    )
}

fn is_direct(file: &File) -> bool {
    // SAFETY: the descriptor is open, and asking for its flags changes nothing.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags >= 0 && flags & libc::O_DIRECT != 0
}

/// The folder in sysfs of the request queue behind a file or device.
fn queue_of(metadata: &Metadata) -> Option<PathBuf> {
    if metadata.file_type().is_char_device() {
        return nvme::block_device_of(metadata).map(|device| device.join("queue"));
    }
    request_queue_of(metadata)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use aio_core::testing::skip;

    use super::*;

    #[test]
    fn a_target_of_the_page_cache_is_refused_with_the_switch_to_leave_out() {
        let buffered = tempfile::tempfile().unwrap();
        let refused = check([&buffered]).unwrap_err().sentence();
        assert!(refused.ends_with("leave out --buffered, or iopoll"), "{refused}");
    }

    #[test]
    fn an_old_kernel_is_refused_polled_writes_to_files_and_nothing_else() {
        let file = tempfile::tempfile().unwrap();
        let device = File::open("/dev/null").unwrap();
        let (read, write) =
            (Operations::of(&[Operation::Read]), Operations::of(&[Operation::Write]));
        assert!(check_old_kernel(read, [&file]).is_ok());
        assert!(check_old_kernel(write, [&device]).is_ok());
        let refused = check_old_kernel(write, [&device, &file]).unwrap_err().sentence();
        assert!(refused.contains("Linux 5.17"), "{refused}");
    }

    #[test]
    fn a_target_without_a_device_is_refused() {
        let options = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open("/dev/shm")
            .or_else(|_| File::open("/dev/shm"));
        let Ok(folder) = options else {
            skip("there is no /dev/shm");
            return;
        };
        let metadata = folder.metadata().unwrap();
        assert!(queue_of(&metadata).is_none(), "a file system in memory has no device");
    }

    #[test]
    fn the_queue_of_a_disk_is_found_from_the_disk_its_partitions_and_its_files() {
        let Ok(disks) = fs::read_dir("/sys/block") else {
            skip("there is no sysfs");
            return;
        };
        let mut seen = 0;
        for disk in disks.flatten() {
            let device = Path::new("/dev").join(disk.file_name());
            let Ok(metadata) = fs::metadata(&device) else { continue };
            let want = fs::canonicalize(disk.path()).unwrap().join("queue");
            assert_eq!(queue_of(&metadata).as_deref(), Some(&*want));
            for part in fs::read_dir(disk.path()).unwrap().flatten() {
                let part = Path::new("/dev").join(part.file_name());
                let metadata = fs::metadata(part).ok();
                let part = metadata.filter(|metadata| metadata.file_type().is_block_device());
                seen += usize::from(part.is_some());
                if let Some(part) = part {
                    assert_eq!(queue_of(&part).as_deref(), Some(&*want), "of a partition");
                }
            }
            seen += 1;
        }
        if seen == 0 {
            skip("no disk of /sys/block is in /dev");
        }
    }
}
