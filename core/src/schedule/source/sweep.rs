//! Whole tensors: a slice from front to end.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use super::{Job, Source};
use crate::engine::Operation;
use crate::memory::{Block, Part};
use crate::plan::Direction;
use crate::stats::{Kind, What};
use crate::target::Alignment;

/// Moves a lane's slice of a tensor from front to end, once.
#[derive(Debug)]
pub(in crate::schedule) struct Sweep<'a> {
    pub part: &'a mut Part,
    pub slice: Slice,
    pub target: u16,
}

/// Which bytes of the tensor a lane moves, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Slice {
    pub direction: Direction,
    /// The next byte to move.
    pub offset_bytes: u64,
    /// Behind the last byte to move, padding included.
    pub end_bytes: u64,
    /// The tensor's size: behind its last byte there is padding only.
    pub size_bytes: u64,
    pub block_bytes: u32,
}

impl Slice {
    /// The slices of `lanes` lanes: contiguous, whole blocks, as equal as can be.
    pub(in crate::schedule) fn split(
        direction: Direction,
        size_bytes: u64,
        block_bytes: u32,
        alignment: Alignment,
        lanes: u32,
    ) -> Vec<Self> {
        let block = u64::from(block_bytes);
        let blocks = size_bytes.div_ceil(block);
        let padded = alignment.round_up(size_bytes);
        let lanes = u64::from(lanes);
        let bound = |lane: u64| {
            // The first `blocks % lanes` lanes have one block more.
            let before = lane * (blocks / lanes) + lane.min(blocks % lanes);
            (before * block).min(padded)
        };
        (0..lanes)
            .map(|lane| Self {
                direction,
                offset_bytes: bound(lane),
                end_bytes: bound(lane + 1),
                size_bytes,
                block_bytes,
            })
            .collect()
    }

    /// Chooses the offsets of the next requests; says how many, 0 behind the last one.
    #[inline(always)]
    pub(in crate::schedule) fn choose(&mut self, offsets: &mut [u64]) -> usize {
        let Self { end_bytes, block_bytes, .. } = *self;
        let mut count = 0;
        while count < offsets.len() && self.offset_bytes < end_bytes {
            offsets[count] = self.offset_bytes;
            let next = self.offset_bytes + u64::from(block_bytes);
            self.offset_bytes = next.min(end_bytes);
            count += 1;
        }
        count
    }

    /// What the request at a chosen offset does, and with how many bytes.
    #[inline(always)]
    pub(in crate::schedule) fn request_at(&self, offset_bytes: u64) -> (Operation, u32) {
        let Self { direction, end_bytes, block_bytes, .. } = *self;
        let rest = end_bytes - offset_bytes;
        let length_bytes = u32::try_from(rest).map_or(block_bytes, |rest| rest.min(block_bytes));
        (if direction.writes_data() { Operation::Write } else { Operation::Read }, length_bytes)
    }

    /// Bytes of memory that the slice needs.
    pub(in crate::schedule) fn length_bytes(&self) -> u64 {
        self.end_bytes - self.offset_bytes
    }
}

impl Source for Sweep<'_> {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        self.slice.choose(offsets)
    }

    #[inline(always)]
    fn job(&mut self, offset_bytes: u64, _home: &mut Option<Block>) -> Job {
        let (operation, length_bytes) = self.slice.request_at(offset_bytes);
        let block = self.part.lend(length_bytes);
        assert!(block.is_some(), "the memory is as long as the slice");
        let target = self.target;
        let what = What::new(operation, target, length_bytes);
        let needed_bytes = if operation == Operation::Write {
            length_bytes
        } else {
            self.useful_bytes(offset_bytes, what)
        };
        Job { operation, target, length_bytes, what, needed_bytes, block }
    }

    #[inline(always)]
    fn kind_each(&self) -> Option<Kind> {
        self.slice.direction.kind()
    }

    #[inline(always)]
    fn useful_bytes(&self, offset_bytes: u64, what: What) -> u32 {
        let rest = self.slice.size_bytes.saturating_sub(offset_bytes);
        let length_bytes = what.length_bytes();
        u32::try_from(rest).map_or(length_bytes, |rest| rest.min(length_bytes))
    }

    #[inline(always)]
    fn useful_bytes_each(&self) -> Option<u32> {
        None
    }

    #[inline(always)]
    fn take_back(&mut self, block: Option<Block>, _home: &mut Option<Block>) {
        if let Some(block) = block {
            let stranger = self.part.take_back(block);
            assert!(stranger.is_ok(), "a block comes back to the part that lent it");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::memory::{Mapping, MemoryKind};

    fn aligned(offset_bytes: u32) -> Alignment {
        Alignment { offset_bytes, told: true }
    }

    #[test]
    fn a_padded_tail_is_written_whole_and_read_up_to_the_end_of_the_file() {
        for (direction, needed) in [(Direction::Write, 1024), (Direction::Read, 579)] {
            let slice = Slice::split(direction, 4096 + 579, 4096, aligned(512), 1)[0];
            let memory = Mapping::reserve(1 << 16, MemoryKind::Small).unwrap().0;
            let mut part = Part::new(memory, 4096, 2);
            let mut sweep = Sweep { part: &mut part, slice, target: 0 };
            let mut offsets = [0; 9];
            assert_eq!((sweep.choose(&mut offsets), &offsets[..2]), (2, &[0, 4096][..]));
            let first = sweep.job(0, &mut None);
            assert_eq!((first.length_bytes, first.needed_bytes), (4096, 4096));
            let tail = sweep.job(4096, &mut None);
            assert_eq!((tail.length_bytes, tail.needed_bytes), (1024, needed));
            assert_eq!(sweep.useful_bytes(4096, tail.what), 579);
            assert_eq!(sweep.choose(&mut offsets), 0);
        }
    }

    proptest! {
        #[test]
        fn the_lanes_slices_cover_the_tensor_once_and_each_has_work(
            size in 1_u64..1 << 24,
            steps in 1_u32..64,
            lanes in 1_u32..9,
        ) {
            let (alignment, block) = (aligned(512), steps * 512);
            prop_assume!(u64::from(lanes) <= size.div_ceil(block.into()));
            let slices = Slice::split(Direction::Write, size, block, alignment, lanes);
            prop_assert_eq!(slices[0].offset_bytes, 0);
            prop_assert_eq!(slices[slices.len() - 1].end_bytes, alignment.round_up(size));
            for pair in slices.windows(2) {
                prop_assert_eq!(pair[0].end_bytes, pair[1].offset_bytes);
            }
            prop_assert!(slices.iter().all(|slice| slice.length_bytes() > 0));
        }
    }
}
