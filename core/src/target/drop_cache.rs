//! Has the page cache forget a target, as far as its owner may ask, and says what is left.
//!
//! This needs no privilege: it is advice about one file (`POSIX_FADV_DONTNEED`), which the kernel
//! follows for pages that are clean and that nobody has mapped or is using.
#![expect(unsafe_code, reason = "cachestat has no safe binding")]

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::AsRawFd;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::mincore::{cached_pages, page_bytes};
use crate::receipt::Receipt;

/// The system call of Linux 6.5, which has this number on every architecture of Linux.
const SYS_CACHESTAT: libc::c_long = 451;
/// How much of a file is mapped at a time to be asked about.
const WINDOW_BYTES: u64 = 1 << 30;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropCache {
    /// Bytes that the page cache holds of the target all the same; absent where the kernel does not
    /// tell.
    pub left_bytes: Option<u64>,
}

impl DropCache {
    /// Nothing is left of nothing.
    pub const ALL: Self = Self { left_bytes: Some(0) };

    /// The receipt of what was asked, all in all.
    #[must_use]
    pub fn receipt(self) -> Receipt {
        let asked = "before each loop";
        match self.left_bytes {
            Some(0) => Receipt::granted("drop-cache", asked),
            Some(left) => {
                let why = "pages that somebody has mapped, locked or is using stay";
                Receipt::downgraded("drop-cache", asked, &format!("{left} bytes still cached"), why)
            }
            None => {
                let why = "the kernel does not tell whether it follows this advice";
                Receipt::downgraded("drop-cache", asked, "unknown", why)
            }
        }
    }

    /// The worse of what became of this target, or at this time, and of `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let more = |one: u64| other.left_bytes.map(|two| one.max(two));
        Self { left_bytes: self.left_bytes.and_then(more) }
    }
}

/// Writes back what is dirty of `file`, or of the device that it is, has the page cache drop it,
/// and looks at what is left. It waits for the storage, so it belongs outside the clock.
///
/// # Errors
/// When what is dirty cannot be written, or the kernel takes no such advice for what `file` is.
pub fn drop_cache(file: &File) -> io::Result<DropCache> {
    // Dirty pages stay whatever the advice.
    file.sync_data()?;
    // A length of 0 reaches to the end.
    posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let told = cached_bytes(file).or_else(|_old_kernel| resident(file));
    Ok(DropCache { left_bytes: told.ok() })
}

/// `struct cachestat_range` of `linux/mman.h`.
#[repr(C)]
struct Range {
    offset_bytes: u64,
    length_bytes: u64,
}

/// `struct cachestat` of `linux/mman.h`, in pages.
#[derive(Default)]
#[repr(C)]
struct CacheStat {
    cached: u64,
    dirty: u64,
    in_writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// Bytes of whole pages that the page cache holds of `file`, by `cachestat`.
fn cached_bytes(file: &File) -> io::Result<u64> {
    // A length of 0 reaches to the end.
    let range = Range { offset_bytes: 0, length_bytes: 0 };
    let mut answer = CacheStat::default();
    let fd = file.as_raw_fd();
    // SAFETY: the descriptor is open, the kernel reads one range and writes one answer, and both
    // outlive the call; the last argument is its flags, of which there are none.
    let status =
        unsafe { libc::syscall(SYS_CACHESTAT, fd, &raw const range, &raw mut answer, 0_u32) };
    if status == 0 { Ok(answer.cached * page_bytes()) } else { Err(io::Error::last_os_error()) }
}

/// The same by `mincore`, which lies to who neither owns the file nor may write it: to him all of
/// it is there, so that nothing is said to be gone that is not.
fn resident(file: &File) -> io::Result<u64> {
    // The size of a device is not in its metadata. Nothing here reads where the file stands.
    let mut end = file;
    let size_bytes = end.seek(SeekFrom::End(0))?;
    let mut bytes = 0;
    let mut at = 0;
    while at < size_bytes {
        let length = WINDOW_BYTES.min(size_bytes - at);
        bytes += cached_pages(file, at, length)?.1 * page_bytes();
        at += length;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::ptr;

    use super::*;
    use crate::testing::skip;

    const BYTES: u64 = 1 << 20;

    /// A file on a disk, in the page cache; `None` where temporary files are in memory.
    fn cached_file() -> Option<File> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&vec![7; 1 << 20], 0).unwrap();
        let told = nix::sys::statfs::fstatfs(&file).unwrap();
        if told.filesystem_type() == nix::sys::statfs::TMPFS_MAGIC {
            skip("temporary files are in memory, and nothing of them can be dropped");
            return None;
        }
        Some(file)
    }

    #[test]
    fn what_was_written_is_in_the_cache_and_afterwards_is_not() {
        let Some(file) = cached_file() else { return };
        assert_eq!(resident(&file).unwrap(), BYTES);
        match cached_bytes(&file) {
            Ok(bytes) => assert_eq!(bytes, BYTES),
            Err(error) => skip(&format!("cachestat: {error}")),
        }
        let dropped = drop_cache(&file).unwrap();
        assert_eq!(dropped, DropCache { left_bytes: Some(0) });
        assert_eq!(resident(&file).unwrap(), 0);
        let mut bytes = vec![0; 1 << 20];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 7), "dirty pages were written first");
    }

    #[test]
    fn what_is_mapped_and_touched_stays_and_is_counted() {
        let Some(file) = cached_file() else { return };
        file.sync_all().unwrap();
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing, and it stays
        // until the process ends.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), 1 << 16, libc::PROT_READ, flags, file.as_raw_fd(), 0)
        };
        assert_ne!(start, libc::MAP_FAILED);
        let left = drop_cache(&file).unwrap().left_bytes.unwrap();
        // All that is in one large folio of the cache stays together.
        assert!((1 << 16..=BYTES).contains(&left), "{left} bytes");
        let receipt = DropCache { left_bytes: Some(left) }.receipt();
        assert_eq!(receipt.granted, format!("{left} bytes still cached"));
    }

    #[test]
    fn the_receipt_says_when_nothing_is_known() {
        let (none, some) = (DropCache { left_bytes: None }, DropCache { left_bytes: Some(4096) });
        assert_eq!(some.and(DropCache::ALL), some);
        assert_eq!(some.and(none), none);
        assert!(none.receipt().is_downgrade() && some.receipt().is_downgrade());
        assert!(!DropCache { left_bytes: Some(0) }.receipt().is_downgrade());
    }

    #[test]
    fn what_has_no_page_cache_is_an_error() {
        let (reader, _writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(reader));
        assert!(drop_cache(&pipe).is_err());
    }
}
