//! What `hipri` comes to on this machine.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::sync::Arc;

use aio_core::receipt::Receipt;
use aio_core::target::request_queue_of;

/// Since this version the kernel ignores the flag in calls that wait: the commit "block: ignore
/// `RWF_HIPRI` hint for sync dio".
const IGNORED_SINCE: (u32, u32) = (5, 19);

/// The receipt of `hipri` on `files`; none where that depends on files and there are none yet.
pub(crate) fn receipt(files: &[Arc<File>]) -> Option<Receipt> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    receipt_of_release(&release, files)
}

fn receipt_of_release(release: &str, files: &[Arc<File>]) -> Option<Receipt> {
    let why_not = if version(release).is_none_or(|version| version >= IGNORED_SINCE) {
        let why = "since Linux 5.19 the kernel takes RWF_HIPRI and ignores it in calls that wait";
        Some(why.into())
    } else if files.is_empty() {
        return None;
    } else {
        files.iter().find_map(|file| not_polled(file))
    };
    Some(match why_not {
        Some(why_not) => Receipt::downgraded("hipri", "on", "off", &why_not),
        None => Receipt::granted("hipri", "on"),
    })
}

/// The first two numbers of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Why the device below `file` is not polled, if it is not.
fn not_polled(file: &File) -> Option<String> {
    let Ok(metadata) = file.metadata() else {
        return Some("the target cannot be looked at".into());
    };
    let of_device = metadata.file_type().is_block_device();
    let device = if of_device { metadata.rdev() } else { metadata.dev() };
    let (major, minor) = (libc::major(device), libc::minor(device));
    let io_poll = request_queue_of(&metadata).map(|queue| queue.join("io_poll"));
    match io_poll.and_then(|path| fs::read_to_string(path).ok()) {
        Some(polls) if polls.trim() == "1" => None,
        Some(_) => Some(format!("queue/io_poll of device {major}:{minor} is 0")),
        None => Some(format!("device {major}:{minor} has no queue/io_poll")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.18.44-fc-v669\n"), Some((6, 18)));
        assert_eq!(version("5.4.0"), Some((5, 4)));
        assert_eq!(version(""), None);
        assert!(version("5.15.1").unwrap() < IGNORED_SINCE);
    }

    #[test]
    fn old_kernels_poll_where_the_device_does_and_new_ones_never() {
        let file = Arc::new(File::open("/proc/self/status").unwrap());
        let why_not = |release, files: &[_]| {
            receipt_of_release(release, files).map(|receipt| receipt.why_not.unwrap_or_default())
        };
        assert!(why_not("6.1.0", &[]).unwrap().contains("since Linux 5.19"));
        assert!(why_not("5.19.0-rc1", &[]).unwrap().contains("since Linux 5.19"));
        assert_eq!(why_not("5.18.9", &[]), None, "that is for the device to say");
        assert!(why_not("5.10.0", &[file]).unwrap().contains("has no queue/io_poll"));
    }

    #[test]
    fn a_target_without_a_device_is_not_polled() {
        let why = not_polled(&File::open("/proc/self/status").unwrap()).unwrap();
        assert!(why.contains("has no queue/io_poll"), "{why}");
    }
}
