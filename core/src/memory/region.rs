//! Exclusive, contiguous memory of any length: what a tensor is made of.
#![expect(unsafe_code, reason = "the one place that turns mapped memory into slices")]

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use super::block::{Block, Place, Segment};
use super::mapping::{HUGE_PAGE_BYTES, Mapping, PAGE_BYTES};

/// How much is made present between two looks at whether to stop.
const POPULATE_STEP_BYTES: usize = 32 * HUGE_PAGE_BYTES;

/// Exclusive ownership of `len()` bytes of a mapping, which it keeps alive.
///
/// Move-only and unforgeable: the regions and blocks of a mapping never overlap. A tensor is a
/// region; it is split into one region per lane, which lends out its blocks as a
/// [`Part`](super::Part), and is joined again afterwards.
#[derive(Debug)]
pub struct Region {
    mapping: Arc<Mapping>,
    start: NonNull<u8>,
    length: usize,
    place: Place,
}

// SAFETY: a region is an exclusive owner, like a `Box<[u8]>`; the mapping it keeps is `Send +
// Sync`.
unsafe impl Send for Region {}
// SAFETY: `&Region` only reads.
unsafe impl Sync for Region {}

impl Region {
    /// Makes the region of `length` bytes at `start`.
    ///
    /// # Safety
    /// The range must lie in `mapping`, be readable and writable for as long as `mapping` lives,
    /// and no other region, block or reference may cover any byte of it.
    pub(super) unsafe fn from_raw(
        mapping: Arc<Mapping>,
        place: Place,
        start: NonNull<u8>,
        length: usize,
    ) -> Self {
        Self { mapping, start, length, place }
    }

    /// Bytes in this region.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the region has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The address of the first byte, as the kernel is told it. Holding it gives no access.
    #[must_use]
    #[inline]
    pub fn address(&self) -> usize {
        self.start.as_ptr() as usize
    }

    /// Where the memory lives.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// The bytes, to read.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the region is the only owner of this mapped, initialised range, and `&self` keeps
        // it from being written while the slice lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The bytes, to change.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` makes the slice the only access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// Cuts the region in two: this one keeps the first `at_bytes` bytes, the result has the rest.
    ///
    /// # Panics
    /// When `at_bytes` is more than [`len`](Self::len).
    #[must_use]
    pub fn split_off(&mut self, at_bytes: usize) -> Self {
        assert!(at_bytes <= self.length, "a region is split inside itself");
        // SAFETY: `at_bytes` is at most the length, so the address is inside the mapping or one
        // past this region's end.
        let start = unsafe { self.start.add(at_bytes) };
        let length = self.length - at_bytes;
        self.length = at_bytes;
        Self { start, length, mapping: Arc::clone(&self.mapping), place: self.place }
    }

    /// A zero-length block at the start, for a [`Part`](super::Part) to aim.
    pub(super) fn empty_block(&self) -> Block {
        Block::empty(Arc::clone(&self.mapping), self.place, self.start)
    }

    /// A registrable range of this region.
    pub(super) fn segment(&self, offset_bytes: usize, length_bytes: usize) -> Segment {
        assert!(offset_bytes + length_bytes <= self.length, "a segment lies in its region");
        Segment::new(Arc::clone(&self.mapping), self.address() + offset_bytes, length_bytes)
    }

    /// The address of the byte at `offset_bytes`.
    #[inline]
    pub(super) fn pointer_at(&self, offset_bytes: usize) -> NonNull<u8> {
        assert!(offset_bytes <= self.length, "an address lies in its region");
        // SAFETY: inside the mapping or one past this region's end, as just asserted.
        unsafe { self.start.add(offset_bytes) }
    }

    /// Joins `next` to the end of this region, when it is the memory right behind it.
    ///
    /// # Errors
    /// Gives `next` back when it does not touch this region's end or is of another mapping.
    pub fn join(&mut self, next: Self) -> Result<(), Self> {
        let touches = self.address() + self.length == next.address();
        if !touches || !Arc::ptr_eq(&self.mapping, &next.mapping) {
            return Err(next);
        }
        self.length += next.length;
        Ok(())
    }

    /// Whether `block` is a piece of the same mapping.
    #[inline]
    pub(super) fn owns(&self, block: &Block) -> bool {
        block.is_of(&self.mapping)
    }

    /// How many owners the mapping has: regions, segments and blocks, whether alive or leaked.
    #[must_use]
    pub fn mapping_owners(&self) -> usize {
        Arc::strong_count(&self.mapping)
    }

    /// Makes every page present and, when allowed, keeps it in memory (`mlock`). Goes in steps, and
    /// ends early when `stopped` says so.
    ///
    /// # Errors
    /// The error of `mlock`, `ENOMEM` or `EPERM` over the limit; the pages are present all the
    /// same.
    pub fn populate_and_lock(&mut self, stopped: &dyn Fn() -> bool) -> io::Result<()> {
        let mut refused = None;
        for step in self.as_mut_slice().chunks_mut(POPULATE_STEP_BYTES) {
            if stopped() {
                break;
            }
            if refused.is_none() {
                // SAFETY: the range is mapped and exclusively borrowed; mlock changes no contents.
                let status = unsafe { libc::mlock(step.as_ptr().cast(), step.len()) };
                refused = (status != 0).then(io::Error::last_os_error);
            }
            for page in step.chunks_mut(PAGE_BYTES) {
                // A write, because a read could leave the shared zero page in place; through
                // `black_box`, because writing back what was read could be left out.
                page[0] = std::hint::black_box(page[0]);
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Asks that the pages come from `node`, for memory that is not present yet.
    ///
    /// # Errors
    /// The error of `mbind`.
    pub fn bind_to_numa_node(&mut self, node: u32) -> io::Result<()> {
        const MPOL_BIND: libc::c_ulong = 2;
        let mut mask = [0 as libc::c_ulong; 16];
        let bits = libc::c_ulong::BITS;
        let word = mask.get_mut((node / bits) as usize).ok_or(io::ErrorKind::InvalidInput)?;
        *word = 1 << (node % bits);
        let mask_bits = mask.len() * bits as usize;
        // SAFETY: the range is mapped and the mask is as long as said. A region that does not begin
        // at a page is refused; where it ends inside one, the whole page is bound. That may be a
        // neighbour's too, but mbind changes where pages come from, not what they hold.
        let status = unsafe {
            libc::syscall(
                libc::SYS_mbind,
                self.start.as_ptr(),
                self.length,
                MPOL_BIND,
                mask.as_ptr(),
                mask_bits,
                0,
            )
        };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryKind;
    use super::*;

    fn region(bytes: usize) -> Region {
        Mapping::reserve(bytes, MemoryKind::Small).unwrap().0
    }

    #[test]
    fn a_split_region_joins_again_in_order_only() {
        let mut first = region(8192);
        let second = first.split_off(4096);
        assert_eq!((first.len(), second.len()), (4096, 4096));
        assert_eq!(first.address() + 4096, second.address());
        assert_eq!(first.mapping_owners(), 2);
        let mut second = second;
        let first = second.join(first).expect_err("the first is not behind the second");
        let mut first = first;
        first.join(second).expect("the second is right behind the first");
        assert_eq!((first.len(), first.mapping_owners()), (8192, 1));
    }

    #[test]
    fn regions_of_different_mappings_do_not_join() {
        let mut one = region(4096);
        let other = region(4096);
        assert!(one.join(other).is_err());
    }

    #[test]
    fn populated_memory_keeps_its_contents() {
        let mut region = region(3 * 4096);
        region.as_mut_slice()[4096] = 7;
        // Locking may be refused; being present may not.
        let _refused_here_or_not = region.populate_and_lock(&|| false);
        assert_eq!(region.as_slice()[4096], 7);
    }
}
