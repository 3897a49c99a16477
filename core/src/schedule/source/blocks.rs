//! Blocks of a range that are all alike, at random or in order, through one buffer per request in
//! flight.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use super::passes::Passes;
use super::share::{Share, StreamName};
use super::{Job, Source};
use crate::data;
use crate::engine::Operation;
use crate::memory::Block;
use crate::plan::Pattern;
use crate::stats::{Kind, What};

/// The jobs of one lane in one loop, which `WRITES` or reads.
#[derive(Debug)]
pub(in crate::schedule) struct BlockStream<const WRITES: bool> {
    target: u16,
    block_bytes: u32,
    what: What,
    remaining: u64,
    order: Order,
    /// Where the range begins, in bytes.
    base_bytes: u64,
    /// Its blocks.
    blocks: u64,
    /// What the next write is marked with, so that no two write the same.
    mark: u64,
}

#[derive(Debug)]
enum Order {
    Sequential {
        next: u64,
    },
    /// Its upper bits are used, which this generator's are as good as any.
    Random(Xoshiro256Plus),
    Covering(Passes),
}

impl<const WRITES: bool> BlockStream<WRITES> {
    const OPERATION: Operation = if WRITES { Operation::Write } else { Operation::Read };

    /// The stream `name` of `share`. Writes are marked with numbers from `mark` on.
    pub(in crate::schedule) fn new(
        share: &Share,
        name: StreamName,
        target: u16,
        mark: u64,
    ) -> Self {
        Self {
            target,
            block_bytes: share.block_bytes,
            what: What::new(Self::OPERATION, target, share.block_bytes),
            remaining: share.requests.unwrap_or(u64::MAX),
            order: match share.access.pattern {
                Pattern::Sequential => Order::Sequential { next: 0 },
                Pattern::Random if share.access.is_covering() => {
                    Order::Covering(Passes::new(share, name))
                }
                Pattern::Random => Order::Random(name.generator()),
            },
            base_bytes: share.base_bytes(),
            blocks: share.blocks,
            mark,
        }
    }
}

/// A number below `bound`, as likely as any other up to one part in 2^64 / `bound`: the upper half
/// of a product (D. Lemire, "Fast random integer generation in an interval", 2019, without its
/// rejection step, so that request *i* always takes the *i*-th output).
#[inline(always)]
pub(super) fn below(bound: u64, random: u64) -> u64 {
    let wide = u128::from(random) * u128::from(bound);
    (wide >> 64) as u64
}

impl<const WRITES: bool> Source for BlockStream<WRITES> {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        let rest = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let count = rest.min(offsets.len());
        self.remaining -= count as u64;
        let offsets = &mut offsets[..count];
        let (base_bytes, blocks, block_bytes) =
            (self.base_bytes, self.blocks, u64::from(self.block_bytes));
        match &mut self.order {
            Order::Random(generator) => {
                // A copy, so that its state is in registers.
                let mut local = generator.clone();
                for offset in offsets {
                    *offset = base_bytes + below(blocks, local.next_u64()) * block_bytes;
                }
                *generator = local;
            }
            Order::Covering(passes) => {
                // Widened here, so that several can be multiplied at once.
                let block_bytes = self.block_bytes;
                passes.fill(offsets, |block| base_bytes + block * u64::from(block_bytes));
            }
            Order::Sequential { next } => {
                for offset in offsets {
                    *offset = base_bytes + *next * block_bytes;
                    *next = if *next + 1 == blocks { 0 } else { *next + 1 };
                }
            }
        }
        count
    }

    #[inline(always)]
    fn job(&mut self, offset_bytes: u64, home: &mut Option<Block>) -> Job {
        let mut block = home.take();
        if WRITES && let Some(block) = &mut block {
            data::stamp(offset_bytes, self.mark, block.as_mut_slice());
            self.mark += 1;
        }
        let Self { target, block_bytes: length_bytes, what, .. } = *self;
        let operation = Self::OPERATION;
        Job { operation, target, length_bytes, what, needed_bytes: length_bytes, block }
    }

    #[inline(always)]
    fn kind_each(&self) -> Option<Kind> {
        Some(Self::OPERATION.kind())
    }

    #[inline(always)]
    fn useful_bytes(&self, _offset_bytes: u64, _what: What) -> u32 {
        self.block_bytes
    }

    #[inline(always)]
    fn useful_bytes_each(&self) -> Option<u32> {
        Some(self.block_bytes)
    }

    #[inline(always)]
    fn take_back(&mut self, block: Option<Block>, home: &mut Option<Block>) {
        // The place was empty. Without the look whether there is something to drop.
        std::mem::forget(std::mem::replace(home, block));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Mapping, MemoryKind, Part};
    use crate::plan::{Blocks, Direction};

    const BLOCK: u32 = 4096;
    const NAME: StreamName = StreamName { seed: 1, tid: 0, lane: 0, loop_index: 0 };

    fn access(pattern: Pattern, requests: Option<u64>) -> Blocks {
        Blocks { requests, covers: false, ..Blocks::new(pattern) }
    }

    fn block() -> Option<Block> {
        let memory = Mapping::reserve(BLOCK as usize, MemoryKind::Small).unwrap().0;
        Part::new(memory, BLOCK, 1).lend(BLOCK)
    }

    fn offsets(share: &Share, name: StreamName) -> Vec<u64> {
        let mut stream = BlockStream::<false>::new(share, name, 0, 0);
        let (mut all, mut some) = (Vec::new(), [0; 7]);
        loop {
            match stream.choose(&mut some) {
                0 => return all,
                count => all.extend(&some[..count]),
            }
        }
    }

    fn shares(pattern: Pattern, requests: Option<u64>, blocks: u64, lanes: u32) -> Vec<Share> {
        let size_bytes = blocks * u64::from(BLOCK) + 17;
        Share::split(Direction::Read, &access(pattern, requests), size_bytes, BLOCK, lanes)
    }

    #[test]
    fn sequential_lanes_cover_the_range_once_and_begin_again_where_they_began() {
        let shares = shares(Pattern::Sequential, None, 10, 3);
        let all: Vec<u64> = shares.iter().flat_map(|share| offsets(share, NAME)).collect();
        assert_eq!(all, (0..10).map(|block| block * u64::from(BLOCK)).collect::<Vec<_>>());
        let longer = self::shares(Pattern::Sequential, Some(7), 3, 1);
        let blocks: Vec<u64> =
            offsets(&longer[0], NAME).iter().map(|offset| offset / u64::from(BLOCK)).collect();
        assert_eq!(blocks, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn the_requests_are_divided_over_the_lanes_and_none_is_lost() {
        for (requests, lanes) in [(10, 3), (3, 3), (1_000_003, 7)] {
            for pattern in [Pattern::Sequential, Pattern::Random] {
                let shares = shares(pattern, Some(requests), 16, lanes);
                let counts: Vec<u64> = shares.iter().filter_map(|share| share.requests).collect();
                assert_eq!(counts.iter().sum::<u64>(), requests);
                assert!(counts.iter().all(|count| count.abs_diff(counts[0]) <= 1));
            }
        }
    }

    #[test]
    fn random_blocks_are_spread_evenly_and_lie_inside_the_range() {
        let share = shares(Pattern::Random, Some(64_000), 64, 1).remove(0);
        let mut counts = [0_u32; 64];
        for offset in offsets(&share, NAME) {
            assert_eq!(offset % u64::from(BLOCK), 0);
            counts[usize::try_from(offset / u64::from(BLOCK)).unwrap()] += 1;
        }
        // 1000 each on average, with a standard deviation of 31.
        assert!(counts.iter().all(|count| (840..1160).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_stream_depends_on_each_part_of_its_name_and_on_nothing_else() {
        let share = shares(Pattern::Random, Some(100), 1 << 20, 1).remove(0);
        let names = [
            NAME,
            StreamName { seed: 2, ..NAME },
            StreamName { seed: 1 << 63, ..NAME },
            StreamName { tid: 1, ..NAME },
            StreamName { lane: 1, ..NAME },
            StreamName { loop_index: 1, ..NAME },
        ];
        let streams = names.map(|name| offsets(&share, name));
        assert_eq!(streams[0], offsets(&share, NAME));
        for (index, one) in streams.iter().enumerate() {
            for other in &streams[..index] {
                let same = one.iter().zip(other).filter(|(a, b)| a == b).count();
                assert!(same <= 2, "{same} of 100 blocks out of a million are the same");
            }
        }
    }

    #[test]
    fn every_write_has_other_data_than_the_one_before() {
        let share = Share::split(
            Direction::Write,
            &access(Pattern::Sequential, Some(2)),
            u64::from(BLOCK),
            BLOCK,
            1,
        )
        .remove(0);
        let mut home = block();
        let mut stream = BlockStream::<true>::new(&share, NAME, 0, 5);
        let (mut offsets, mut written) = ([0; 3], Vec::new());
        let count = stream.choose(&mut offsets);
        for offset_bytes in &offsets[..count] {
            let job = stream.job(*offset_bytes, &mut home);
            written.push(job.block.as_ref().unwrap().as_slice().to_vec());
            stream.take_back(job.block, &mut home);
        }
        assert_eq!(written.len(), 2);
        assert_ne!(written[0], written[1]);
    }
}
