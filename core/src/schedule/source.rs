//! Where a lane's requests come from.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use crate::engine::Operation;
use crate::memory::{Block, Part};
use crate::plan::Direction;
use crate::target::Alignment;

/// What a lane does next.
#[derive(Debug)]
pub(super) struct Job {
    pub operation: Operation,
    pub target: u16,
    pub offset_bytes: u64,
    /// Bytes to ask for.
    pub length_bytes: u32,
    /// Bytes without which the request is not done: fewer than asked where a read ends at the end
    /// of the file.
    pub needed_bytes: u32,
    /// Bytes of the tensor among them: fewer than asked where a tail is padded.
    pub useful_bytes: u32,
    pub block: Option<Block>,
}

/// A stream of jobs. What job *i* is may depend on the plan, the tasklet, the lane and *i*, never
/// on timing.
pub(super) trait Source {
    /// The next job, or nothing when all were given out.
    fn next(&mut self) -> Option<Job>;

    /// Takes a job's memory back.
    fn take_back(&mut self, block: Option<Block>);
}

/// Moves a lane's slice of a tensor from front to end, once.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    pub part: &'a mut Part,
    pub slice: Slice,
    pub target: u16,
}

/// Which bytes of the tensor a lane moves, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
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
    pub(super) fn split(
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

    /// Bytes of memory that the slice needs.
    pub(super) fn length_bytes(&self) -> u64 {
        self.end_bytes - self.offset_bytes
    }
}

impl Source for Sweep<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<Job> {
        let slice = &mut self.slice;
        let rest = slice.end_bytes - slice.offset_bytes;
        let length_bytes = u32::try_from(rest.min(slice.block_bytes.into())).ok()?;
        let block = self.part.lend(length_bytes)?;
        let useful = (slice.size_bytes - slice.offset_bytes).min(length_bytes.into());
        let useful_bytes = u32::try_from(useful).ok()?;
        let job = Job {
            operation: slice.direction.operation(),
            target: self.target,
            offset_bytes: slice.offset_bytes,
            length_bytes,
            needed_bytes: match slice.direction {
                Direction::Read => useful_bytes,
                Direction::Write => length_bytes,
            },
            useful_bytes,
            block: Some(block),
        };
        slice.offset_bytes += u64::from(length_bytes);
        Some(job)
    }

    #[inline(always)]
    fn take_back(&mut self, block: Option<Block>) {
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
            let first = sweep.next().unwrap();
            assert_eq!((first.length_bytes, first.needed_bytes), (4096, 4096));
            let tail = sweep.next().unwrap();
            assert_eq!((tail.offset_bytes, tail.length_bytes), (4096, 1024));
            assert_eq!((tail.needed_bytes, tail.useful_bytes), (needed, 579));
            assert!(sweep.next().is_none());
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
