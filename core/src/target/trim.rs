//! How a target is trimmed, and what that must be a multiple of.
//!
//! A file loses a range by a hole that is punched into it, a block device by a discard. Whether
//! either can be done is found out without changing the target.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statvfs::fstatvfs;

use super::alignment::Alignment;
use super::describe::{Mounts, folder_of};
use super::device::TargetKind;
use super::open::open_nameless;
use super::queue::request_queue_of;
use crate::engine::Unsupported;

/// The mode of `fallocate` that punches a hole: the file stays as long as it is.
pub const PUNCH_HOLE: i32 = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;

/// What is assumed where nobody tells.
const ASSUMED_BYTES: u64 = 4096;
/// The longest unit that a file system may name for its answer to be believed.
const UNIT_BYTES_MAX: u64 = 1 << 20;
/// Bytes of the hole that is tried.
const TRIAL_BYTES: libc::off_t = 1 << 16;

/// What the kernel is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimWay {
    /// A hole in a regular file, by `fallocate` with [`PUNCH_HOLE`].
    PunchHole,
    /// A discard of blocks of a device.
    Discard,
}

/// How one target is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// What the kernel is asked for.
    pub way: TrimWay,
    /// What offsets and lengths must be multiples of for all of a range to go: of a device, what
    /// it discards; of a file, the blocks of its file system, for the rest of a block is only
    /// overwritten with zeros.
    pub alignment: Alignment,
}

/// How the open target `file` is trimmed. Nothing is changed: a file system is tried on a file
/// without a name beside the target, and what cannot be tried counts as possible.
///
/// # Errors
/// Why it cannot be, and what would cure it.
pub fn trim_of(file: &File) -> Result<Trim, Unsupported> {
    let metadata = file.metadata().map_err(|source| Unsupported {
        reason: "the target cannot be looked at, and trim needs to know what it is".into(),
        cure: None,
        source: Some(source),
    })?;
    match TargetKind::of(&metadata) {
        Some(TargetKind::Block) => of_device(&metadata),
        Some(TargetKind::File) => of_file(file, &metadata),
        _ => Err(Unsupported::new(
            "a trim is of a file or a block device, and the target is neither",
            "give the block device (/dev/nvme0n1) in place of the character device",
        )),
    }
}

fn of_device(metadata: &Metadata) -> Result<Trim, Unsupported> {
    let queue = request_queue_of(metadata);
    let number = |name: &str| -> Option<u64> {
        fs::read_to_string(queue.as_ref()?.join(name)).ok()?.trim().parse().ok()
    };
    if number("discard_max_bytes") == Some(0) {
        let device = queue.as_deref().and_then(Path::parent).and_then(Path::file_name);
        let name = device.unwrap_or_default().to_string_lossy().into_owned();
        return Err(Unsupported::new(
            format!("{name} takes no discard (queue/discard_max_bytes in sysfs is 0)"),
            "trim a device that does, such as an SSD, or a file",
        ));
    }
    let granularity = number("discard_granularity").unwrap_or(0);
    let block = number("logical_block_size").unwrap_or(ASSUMED_BYTES);
    let told = granularity > 0;
    Ok(Trim { way: TrimWay::Discard, alignment: multiples_of(granularity.max(block), told) })
}

fn of_file(file: &File, metadata: &Metadata) -> Result<Trim, Unsupported> {
    if let Err(Errno::EOPNOTSUPP | Errno::ENOSYS) = punch_beside(file, metadata) {
        let path = path_of(file).unwrap_or_default();
        let kind = Mounts::read().file_system_of(folder_of(&path)).map(|there| there.kind);
        let kind = kind.map(|kind| format!(", {kind},")).unwrap_or_default();
        return Err(Unsupported {
            source: Some(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
            ..Unsupported::new(
                format!("the file system of the target{kind} punches no holes (EOPNOTSUPP)"),
                "trim a file elsewhere, such as on ext4 or XFS, or a device",
            )
        });
    }
    let unit = fstatvfs(file).map_or(0, |told| told.fragment_size());
    let told = unit.is_power_of_two() && unit <= UNIT_BYTES_MAX;
    let unit_bytes = if told { unit } else { ASSUMED_BYTES };
    Ok(Trim { way: TrimWay::PunchHole, alignment: multiples_of(unit_bytes, told) })
}

fn multiples_of(bytes: u64, told: bool) -> Alignment {
    Alignment { offset_bytes: u32::try_from(bytes).unwrap_or(u32::MAX), told }
}

fn path_of(file: &File) -> io::Result<std::path::PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Punches a hole into an empty file without a name in the folder of `file`, where there can be
/// one and it is on the same file system.
fn punch_beside(file: &File, metadata: &Metadata) -> Result<(), Errno> {
    let Ok(path) = path_of(file) else { return Ok(()) };
    let Ok(beside) = open_nameless(folder_of(&path), false) else { return Ok(()) };
    if !beside.metadata().is_ok_and(|there| there.dev() == metadata.dev()) {
        return Ok(());
    }
    fallocate(&beside, FallocateFlags::from_bits_retain(PUNCH_HOLE), 0, TRIAL_BYTES)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::testing::skip;

    #[test]
    fn a_file_is_trimmed_by_holes_and_stays_as_it_was_when_that_is_found_out() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"before", 0).unwrap();
        match trim_of(&file) {
            Ok(trim) => {
                assert_eq!(trim.way, TrimWay::PunchHole);
                assert!(trim.alignment.offset_bytes.is_power_of_two());
            }
            Err(refused) => skip(&refused.sentence()),
        }
        let mut bytes = [0; 6];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!((&bytes, file.metadata().unwrap().len()), (b"before", 6));
    }

    #[test]
    fn what_is_neither_file_nor_block_device_is_refused() {
        let refused = trim_of(&File::open("/dev/null").unwrap()).unwrap_err().sentence();
        assert!(refused.contains("neither; give the block device"), "{refused}");
    }

    #[test]
    fn a_device_is_discarded_in_its_own_units_or_refused_by_its_name() {
        let Ok(disks) = fs::read_dir("/sys/block") else {
            skip("there is no sysfs");
            return;
        };
        for disk in disks.flatten() {
            let device = Path::new("/dev").join(disk.file_name());
            let Ok(metadata) = fs::metadata(&device) else { continue };
            let number = |name: &str| -> u64 {
                let text = fs::read_to_string(disk.path().join("queue").join(name)).unwrap();
                text.trim().parse().unwrap()
            };
            match of_device(&metadata) {
                Ok(trim) => {
                    assert_eq!(trim.way, TrimWay::Discard);
                    assert_ne!(number("discard_max_bytes"), 0);
                    let unit = u64::from(trim.alignment.offset_bytes);
                    assert!(unit >= number("logical_block_size"));
                    assert!(unit >= number("discard_granularity"));
                }
                Err(refused) => {
                    assert_eq!(number("discard_max_bytes"), 0);
                    let name = disk.file_name().to_string_lossy().into_owned();
                    assert!(refused.reason.starts_with(&format!("{name} takes no discard")));
                }
            }
        }
    }
}
