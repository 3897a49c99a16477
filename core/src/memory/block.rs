//! The memory of one request, and the ranges that engines register.
#![expect(unsafe_code, reason = "turns exclusively owned mapped memory into slices")]

use std::ptr::NonNull;
use std::sync::Arc;

use super::mapping::Mapping;

/// Where memory lives. Device memory (GPU tensors) comes later, and is why a block says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Memory of this machine that the CPU can read and write.
    Host,
}

/// Exclusive ownership of the memory that one request moves, at most 1 GiB.
///
/// Move-only and unforgeable: the blocks of a mapping never overlap, so an engine that holds one
/// may let the kernel read and write it. It keeps its mapping alive, so a block that is leaked
/// leaks its mapping, which is what happens to memory that the kernel would not give back.
///
/// One pointer wide, because a request moves it from hand to hand half a dozen times.
#[derive(Debug)]
pub struct Block(Box<Range>);

/// What a block covers.
#[derive(Debug)]
struct Range {
    start: NonNull<u8>,
    length: u32,
    segment: u16,
    place: Place,
    mapping: Arc<Mapping>,
}

// SAFETY: a block is an exclusive owner, like a `Box<[u8]>`; the mapping it keeps is `Send + Sync`.
unsafe impl Send for Block {}
// SAFETY: `&Block` only reads.
unsafe impl Sync for Block {}

impl Block {
    /// A block of no bytes, which overlaps nothing.
    pub(super) fn empty(mapping: Arc<Mapping>, place: Place, start: NonNull<u8>) -> Self {
        Self(Box::new(Range { start, length: 0, segment: 0, place, mapping }))
    }

    /// Makes the block cover `length` bytes from `start`, in registered segment `segment`.
    ///
    /// # Safety
    /// The range must lie in this block's mapping, and nothing else may read or write any of it
    /// until the block is aimed elsewhere or dropped.
    #[inline]
    pub(super) unsafe fn aim(&mut self, start: NonNull<u8>, length: u32, segment: u16) {
        self.0.start = start;
        self.0.length = length;
        self.0.segment = segment;
    }

    /// Bytes in this block.
    #[must_use]
    #[inline]
    pub fn len(&self) -> u32 {
        self.0.length
    }

    /// Whether the block has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// The address of the first byte, as the kernel is told it. Holding it gives no access.
    #[must_use]
    #[inline]
    pub fn address(&self) -> usize {
        self.0.start.as_ptr() as usize
    }

    /// Where the memory lives.
    #[must_use]
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// The index, in its part's [`segments`](super::Part::segments), of the segment that holds it.
    #[must_use]
    #[inline]
    pub fn segment(&self) -> u16 {
        self.0.segment
    }

    /// The bytes, to read.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the block is the only owner of this mapped, initialised range, and `&self` keeps
        // it from being written while the slice lives.
        unsafe { std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.length as usize) }
    }

    /// The bytes, to change.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` makes the slice the only access.
        unsafe { std::slice::from_raw_parts_mut(self.0.start.as_ptr(), self.0.length as usize) }
    }

    /// How many owners the mapping has: regions, segments and blocks, whether alive or leaked.
    #[must_use]
    pub fn mapping_owners(&self) -> usize {
        Arc::strong_count(&self.0.mapping)
    }

    #[inline]
    pub(super) fn is_of(&self, mapping: &Arc<Mapping>) -> bool {
        Arc::ptr_eq(&self.0.mapping, mapping)
    }
}

/// A range of memory that an engine may register with the kernel: at most 1 GiB, mapped for as long
/// as this value lives. It gives no access to the bytes.
#[derive(Clone, Debug)]
pub struct Segment {
    _keeps_alive: Arc<Mapping>,
    address: usize,
    length: usize,
}

impl Segment {
    pub(super) fn new(mapping: Arc<Mapping>, address: usize, length: usize) -> Self {
        Self { _keeps_alive: mapping, address, length }
    }

    /// The address of the first byte.
    #[must_use]
    #[inline]
    pub fn address(&self) -> usize {
        self.address
    }

    /// Bytes in the segment.
    #[must_use]
    pub fn length_bytes(&self) -> usize {
        self.length
    }
}
