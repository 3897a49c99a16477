//! One anonymous memory mapping: reserved, advised, populated, locked, and unmapped when the last
//! [`Region`] or block of it is gone.
#![expect(unsafe_code, reason = "mmap, madvise and mlock hand out raw memory")]

use std::ptr::NonNull;
use std::sync::Arc;
use std::{fs, io};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::Place;
use super::region::Region;
use crate::receipt::Receipt;

/// Size in bytes of the pages that buffers are counted and stamped in.
pub const PAGE_BYTES: usize = 4096;
/// Size and alignment in bytes of the huge pages that are asked for.
pub const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Which pages a buffer asks for (`--memory`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryKind {
    /// Transparent huge pages: 2 MiB-aligned, `MADV_HUGEPAGE`.
    #[default]
    Thp,
    /// 4 KiB pages: `MADV_NOHUGEPAGE`.
    #[serde(rename = "4k")]
    Small,
    /// Reserved huge pages: `MAP_HUGETLB`; falls back to transparent ones, on the receipt.
    Hugetlb,
}

impl MemoryKind {
    /// The word that selects this kind on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Thp => "thp",
            Self::Small => "4k",
            Self::Hugetlb => "hugetlb",
        }
    }
}

/// An anonymous private mapping, 2 MiB-aligned, zeroed, owned until dropped.
///
/// It hands out nothing by itself: all access goes through the one [`Region`] that
/// [`Mapping::reserve`] returns and the pieces that it is split into.
#[derive(Debug)]
pub struct Mapping {
    /// First byte of what was mapped, alignment slack included.
    base: NonNull<libc::c_void>,
    mapped_bytes: usize,
}

// SAFETY: a `Mapping` only owns an address range; nothing is read or written through it, and
// munmap may be called from any thread.
unsafe impl Send for Mapping {}
// SAFETY: `&Mapping` gives no access to the memory.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves `length_bytes` (rounded up to a page) of zeroed memory as one exclusive region, and
    /// says on receipts what was asked and what the kernel granted.
    ///
    /// # Errors
    /// The error of `mmap`, usually `ENOMEM`.
    pub fn reserve(length_bytes: usize, kind: MemoryKind) -> io::Result<(Region, Vec<Receipt>)> {
        // No slice may be longer than `isize::MAX` bytes; rounding up must not wrap either.
        let most = isize::MAX as usize - 2 * HUGE_PAGE_BYTES;
        if length_bytes > most {
            return Err(no_memory());
        }
        let length = length_bytes.max(1).next_multiple_of(PAGE_BYTES);
        let mut receipts = Vec::new();
        if kind == MemoryKind::Hugetlb {
            match Self::map(
                length.next_multiple_of(HUGE_PAGE_BYTES),
                libc::MAP_HUGETLB | libc::MAP_HUGE_2MB,
            ) {
                Ok(mapping) => {
                    receipts.push(Receipt::granted("memory", "hugetlb"));
                    return Ok((mapping.into_region(length), receipts));
                }
                Err(error) => receipts.push(Receipt::downgraded(
                    "memory",
                    "hugetlb",
                    "thp",
                    &format!("{error}; reserve pages with sysctl vm.nr_hugepages"),
                )),
            }
        }
        // Slack so that the region can start at a huge page whatever address the kernel picks.
        let mapping = Self::map(length + HUGE_PAGE_BYTES, 0)?;
        let advice = match kind {
            MemoryKind::Small => libc::MADV_NOHUGEPAGE,
            MemoryKind::Thp | MemoryKind::Hugetlb => libc::MADV_HUGEPAGE,
        };
        let advised = mapping.advise(advice).and_then(|()| thp_is_on(kind));
        if kind != MemoryKind::Hugetlb {
            receipts.push(match advised {
                Ok(()) => Receipt::granted("memory", kind.name()),
                // A kernel without THP refuses both words; 4 KiB pages are then all there is.
                Err(_) if kind == MemoryKind::Small => Receipt::granted("memory", kind.name()),
                Err(error) => Receipt::downgraded("memory", kind.name(), "4k", &error.to_string()),
            });
        }
        Ok((mapping.into_region(length), receipts))
    }

    fn map(bytes: usize, extra_flags: libc::c_int) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | extra_flags;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no memory
        // that exists.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(address).ok_or_else(no_memory)?;
        Ok(Self { base, mapped_bytes: bytes })
    }

    fn advise(&self, advice: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is exactly this mapping, and neither THP advice changes its contents.
        let status = unsafe { libc::madvise(self.base.as_ptr(), self.mapped_bytes, advice) };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Turns the fresh mapping into the one region that covers its first aligned `length` bytes.
    fn into_region(self, length: usize) -> Region {
        let start = self.base.cast::<u8>();
        let skip = start.align_offset(HUGE_PAGE_BYTES);
        assert!(skip + length <= self.mapped_bytes, "the slack covers the alignment");
        // SAFETY: `skip + length` lies inside the mapping, as just asserted.
        let aligned = unsafe { start.add(skip) };
        // SAFETY: the mapping is fresh, so this is the only region of its memory; the range lies
        // inside it and is readable and writable.
        unsafe { Region::from_raw(Arc::new(self), Place::Host, aligned, length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: every region and block holds an `Arc` of its mapping, so none is left that could
        // reach this memory; blocks that the kernel may still use are leaked with their `Arc`.
        let status = unsafe { libc::munmap(self.base.as_ptr(), self.mapped_bytes) };
        debug_assert_eq!(status, 0, "munmap of a whole mapping succeeds");
    }
}

/// The kernel takes the advice for huge pages also where they are switched off.
fn thp_is_on(kind: MemoryKind) -> io::Result<()> {
    const SWITCH: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
    let off = fs::read_to_string(SWITCH).is_ok_and(|text| text.contains("[never]"));
    if kind == MemoryKind::Thp && off {
        return Err(io::Error::other(format!("{SWITCH} says never")));
    }
    Ok(())
}

fn no_memory() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOMEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_aligned_zeroed_and_as_long_as_asked() {
        let (region, receipts) = Mapping::reserve(3 * PAGE_BYTES + 1, MemoryKind::Thp).unwrap();
        assert_eq!(region.address() % HUGE_PAGE_BYTES, 0);
        assert_eq!(region.len(), 4 * PAGE_BYTES);
        assert!(region.as_slice().iter().all(|byte| *byte == 0));
        assert_eq!(receipts.len(), 1);
    }

    #[test]
    fn a_reservation_past_the_address_space_is_an_error() {
        for bytes in [usize::MAX, usize::MAX - PAGE_BYTES, isize::MAX as usize, 1 << 60] {
            assert!(Mapping::reserve(bytes, MemoryKind::Small).is_err());
            assert!(Mapping::reserve(bytes, MemoryKind::Hugetlb).is_err());
        }
    }

    #[test]
    fn huge_pages_that_are_not_reserved_fall_back_and_say_so() {
        let (_region, receipts) = Mapping::reserve(1 << 20, MemoryKind::Hugetlb).unwrap();
        assert_eq!(receipts[0].asked, "hugetlb");
        assert!(receipts[0].granted == "hugetlb" || receipts[0].why_not.is_some());
    }
}
