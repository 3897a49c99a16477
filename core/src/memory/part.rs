//! A lane's slice of a tensor: lends blocks out in order and takes them back in any order.
#![expect(unsafe_code, reason = "aims blocks at memory that only this part may lend")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use super::block::{Block, Segment};
use super::region::Region;

/// The largest range that one registered buffer of `io_uring` may cover (`EFAULT` above).
const SEGMENT_BYTES_MAX: usize = 1 << 30;

/// Contiguous memory that is lent out as blocks from its front to its end, again and again.
///
/// It keeps no table of what is out: blocks cannot be forged and do not overlap, so when as many
/// bytes came home as went out, all of them are home. Blocks that come home are aimed anew, so a
/// request costs no allocation and no reference count.
#[derive(Debug)]
pub struct Part {
    /// Owns the memory. Its bytes are touched only while every block is home.
    whole: Region,
    segment_bytes: usize,
    /// The segment that the next block lies in, and where it ends.
    segment: u16,
    segment_end: usize,
    lent_bytes: usize,
    home_bytes: usize,
    /// Blocks of no bytes, ready to be aimed.
    spare: Vec<Block>,
}

impl Part {
    /// A part over `whole` that will lend blocks of `block_bytes`, at most `depth` at a time
    /// without allocating.
    ///
    /// # Panics
    /// When `block_bytes` is 0 or more than 1 GiB.
    #[must_use]
    pub fn new(whole: Region, block_bytes: u32, depth: usize) -> Self {
        let block_bytes = block_bytes as usize;
        assert!((1..=SEGMENT_BYTES_MAX).contains(&block_bytes), "a block is 1 byte to 1 GiB");
        let spare = (0..depth).map(|_| whole.empty_block()).collect();
        // No block may straddle two registered segments.
        let segment_bytes = SEGMENT_BYTES_MAX / block_bytes * block_bytes;
        Self {
            whole,
            segment_bytes,
            segment: 0,
            segment_end: segment_bytes,
            lent_bytes: 0,
            home_bytes: 0,
            spare,
        }
    }

    /// Bytes in the whole part.
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole.len()
    }

    /// Whether the part has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// The ranges to register, in the order of [`Block::segment`].
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        (0..self.len())
            .step_by(self.segment_bytes)
            .map(|start| self.whole.segment(start, self.segment_bytes.min(self.len() - start)))
            .collect()
    }

    /// Lends the next `length_bytes`, or nothing when fewer are left.
    ///
    /// # Panics
    /// When the block would straddle two segments, that is when the lengths asked so far were not
    /// the block size that the part was made for.
    #[inline(always)]
    pub fn lend(&mut self, length_bytes: u32) -> Option<Block> {
        let start = self.lent_bytes;
        let end = start.checked_add(length_bytes as usize)?;
        if end > self.len() || length_bytes == 0 {
            return None;
        }
        if start == self.segment_end {
            self.segment =
                self.segment.checked_add(1).expect("64 Ki segments are 64 TiB of memory");
            self.segment_end += self.segment_bytes;
        }
        assert!(end <= self.segment_end, "a block lies in one segment");
        let mut block = self.spare.pop().unwrap_or_else(|| self.whole.empty_block());
        self.lent_bytes = end;
        // SAFETY: the range lies in `whole`, which this part owns exclusively and does not touch
        // while a block is out; the cursor only moves on, so no two blocks that are out overlap.
        unsafe { block.aim(self.whole.pointer_at(start), length_bytes, self.segment) };
        Some(block)
    }

    /// Takes a block home.
    ///
    /// # Errors
    /// Gives the block back when it is not one of this part's.
    #[inline(always)]
    pub fn take_back(&mut self, mut block: Block) -> Result<(), Block> {
        let end = block.address() + block.len() as usize;
        let lent_end = self.whole.address() + self.lent_bytes;
        if block.address() < self.whole.address() || end > lent_end || !self.whole.owns(&block) {
            return Err(block);
        }
        self.home_bytes += block.len() as usize;
        // SAFETY: a block of no bytes overlaps nothing.
        unsafe { block.aim(self.whole.pointer_at(0), 0, 0) };
        self.spare.push(block);
        Ok(())
    }

    /// Whether every block that was lent has come back.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lent_bytes == self.home_bytes
    }

    /// Starts lending from the front again, and gives access to all bytes; `None` while blocks are
    /// out.
    pub fn rewind(&mut self) -> Option<&mut [u8]> {
        if !self.is_whole() {
            return None;
        }
        (self.lent_bytes, self.home_bytes) = (0, 0);
        (self.segment, self.segment_end) = (0, self.segment_bytes);
        Some(self.whole.as_mut_slice())
    }

    /// The memory itself, when every block is home.
    ///
    /// # Errors
    /// Gives the part back while blocks are out.
    pub fn into_region(self) -> Result<Region, Self> {
        if self.is_whole() { Ok(self.whole) } else { Err(self) }
    }

    /// How many owners the mapping has, this part's own and its spare blocks' left out.
    #[must_use]
    pub fn mapping_owners_elsewhere(&self) -> usize {
        self.whole.mapping_owners() - 1 - self.spare.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mapping, MemoryKind};
    use super::*;

    fn part(bytes: usize, block_bytes: u32) -> Part {
        let mut whole = Mapping::reserve(bytes, MemoryKind::Small).unwrap().0;
        let _slack = whole.split_off(bytes);
        Part::new(whole, block_bytes, 2)
    }

    #[test]
    fn blocks_come_in_order_do_not_overlap_and_end_with_the_part() {
        let mut part = part(10_000, 4096);
        let first = part.lend(4096).unwrap();
        let second = part.lend(4096).unwrap();
        assert_eq!(first.address() + 4096, second.address());
        assert!(part.lend(4096).is_none());
        let tail = part.lend(10_000 - 8192).unwrap();
        assert!(part.lend(1).is_none());
        assert!(part.rewind().is_none(), "no access while blocks are out");
        for block in [second, tail, first] {
            part.take_back(block).unwrap();
        }
        assert_eq!(part.rewind().unwrap().len(), 10_000);
        assert_eq!(part.mapping_owners_elsewhere(), 0);
    }

    #[test]
    fn what_was_written_through_blocks_is_in_the_part() {
        let mut part = part(8192, 4096);
        for fill in [1, 2] {
            let mut block = part.lend(4096).unwrap();
            block.as_mut_slice().fill(fill);
            part.take_back(block).unwrap();
        }
        let bytes = part.rewind().unwrap();
        assert!(bytes[..4096].iter().all(|b| *b == 1) && bytes[4096..].iter().all(|b| *b == 2));
    }

    #[test]
    fn a_length_past_the_end_lends_nothing_however_large() {
        let mut part = part(8192, 4096);
        let first = part.lend(4096).unwrap();
        for length in [4097, u32::MAX, u32::MAX - 4095] {
            assert!(part.lend(length).is_none());
        }
        part.take_back(first).unwrap();
        assert!(part.is_whole());
    }

    #[test]
    fn a_stranger_is_not_taken_home() {
        let mut whole = Mapping::reserve(8192, MemoryKind::Small).unwrap().0;
        let behind = whole.split_off(4096);
        let mut one = Part::new(whole, 4096, 1);
        let mut other = Part::new(behind, 4096, 1);
        let mut foreign = part(4096, 4096);
        let own = one.lend(4096).unwrap();
        assert!(one.take_back(foreign.lend(4096).unwrap()).is_err(), "of another mapping");
        assert!(one.take_back(other.lend(4096).unwrap()).is_err(), "of another part");
        assert!(!one.is_whole());
        one.take_back(own).unwrap();
        assert!(one.is_whole());
    }

    #[test]
    fn a_lost_block_keeps_the_part_from_ever_being_whole() {
        let mut part = part(4096, 4096);
        drop(part.lend(4096).unwrap());
        assert!(part.rewind().is_none());
        assert!(part.into_region().is_err());
    }
}
