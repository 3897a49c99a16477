//! What direct I/O must be a multiple of.
#![expect(unsafe_code, reason = "statx has no safe binding that knows STATX_DIOALIGN")]

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;

use super::device::logical_block_bytes;

/// What is assumed where nothing tells: files before Linux 6.1, and those of btrfs, tmpfs and FUSE.
const ASSUMED_BYTES: u32 = 4096;

/// What offsets, lengths and addresses of direct I/O must be a multiple of, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// For offsets and lengths. Addresses are always aligned to 4 KiB here.
    pub offset_bytes: u32,
    /// Whether the kernel told, or 4 KiB was assumed.
    pub told: bool,
}

/// Whether `file` has the attribute that its data is compressed; `None` where its file system knows
/// no such attribute.
pub(super) fn is_compressed(file: &File) -> Option<bool> {
    let answer = statx(file, 0)?;
    let attribute = u64::from(libc::STATX_ATTR_COMPRESSED.cast_unsigned());
    let is_known = answer.stx_attributes_mask & attribute != 0;
    is_known.then_some(answer.stx_attributes & attribute != 0)
}

fn statx(file: &File, mask: libc::c_uint) -> Option<libc::statx> {
    let mut answer = MaybeUninit::<libc::statx>::zeroed();
    let (path, flags) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
    // SAFETY: the descriptor is open, the path is an empty C string, and the answer has room for a
    // whole `statx`.
    let status = unsafe { libc::statx(file.as_raw_fd(), path, flags, mask, answer.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    // SAFETY: the struct is plain integers, zeroed before the call.
    Some(unsafe { answer.assume_init() })
}

/// The logical block of a block device.
fn block_of_device(file: &File) -> Option<u32> {
    let is_device = file.metadata().ok()?.file_type().is_block_device();
    if is_device { logical_block_bytes(file).ok() } else { None }
}

impl Alignment {
    /// Buffered I/O: any byte.
    pub const NONE: Self = Self { offset_bytes: 1, told: true };

    /// Asks the kernel about `file`, which was opened for direct I/O.
    ///
    /// # Errors
    /// `EINVAL` when the kernel says that this file's direct I/O would quietly be buffered; else
    /// the error of `statx`.
    pub fn of(file: &File) -> io::Result<Self> {
        // A seccomp profile that knows no statx is no reason to refuse direct I/O.
        let told = statx(file, libc::STATX_DIOALIGN).and_then(|answer| {
            let steps = (answer.stx_dio_offset_align, answer.stx_dio_mem_align);
            Self::from_answer(answer.stx_mask, steps)
        });
        told.unwrap_or_else(|| Ok(Self::without_answer(block_of_device(file))))
    }

    /// `None` where the kernel does not tell.
    fn from_answer(mask: u32, (offsets, memory): (u32, u32)) -> Option<io::Result<Self>> {
        if mask & libc::STATX_DIOALIGN == 0 {
            return None;
        }
        if offsets == 0 {
            return Some(Err(io::Error::from_raw_os_error(libc::EINVAL)));
        }
        Some(Ok(Self { offset_bytes: offsets.max(memory.min(ASSUMED_BYTES)), told: true }))
    }

    /// Before Linux 6.1 a block device takes multiples of its logical block, and says how large
    /// that is.
    fn without_answer(block_bytes: Option<u32>) -> Self {
        Self { offset_bytes: block_bytes.unwrap_or(ASSUMED_BYTES), told: block_bytes.is_some() }
    }

    /// `bytes` rounded up to a multiple.
    #[must_use]
    pub fn round_up(&self, bytes: u64) -> u64 {
        bytes.next_multiple_of(self.offset_bytes.into())
    }

    /// The stricter of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.offset_bytes > self.offset_bytes { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_used_and_4_kib_assumed_without_one() {
        let told = Alignment::from_answer(libc::STATX_DIOALIGN, (512, 4)).unwrap().unwrap();
        assert_eq!(told, Alignment { offset_bytes: 512, told: true });
        assert_eq!(told.round_up(100_000), 100_352);
        assert!(Alignment::from_answer(0, (0, 0)).is_none());
        let assumed = Alignment::without_answer(None);
        assert_eq!(assumed, Alignment { offset_bytes: 4096, told: false });
        assert_eq!(told.and(assumed).offset_bytes, 4096);
    }

    #[test]
    fn a_device_of_an_older_kernel_takes_multiples_of_its_block() {
        let told = Alignment::without_answer(Some(512));
        assert_eq!(told, Alignment { offset_bytes: 512, told: true });
        let file = tempfile::tempfile().unwrap();
        assert_eq!(block_of_device(&file), None, "a file has no block of its own");
    }

    #[test]
    fn direct_io_that_would_be_buffered_is_a_refusal() {
        let refused = Alignment::from_answer(libc::STATX_DIOALIGN, (0, 0)).unwrap().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    }
}
