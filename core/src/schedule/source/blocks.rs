//! Blocks of a range, at random or in order, through one buffer per request in flight.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

use super::{Job, Source};
use crate::data;
use crate::engine::Operation;
use crate::memory::Block;
use crate::plan::{Blocks, Direction, Pattern};
use crate::stats::What;

/// Which blocks of a tasklet's range one lane asks for in each loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) struct Share {
    pub direction: Direction,
    pub pattern: Pattern,
    pub block_bytes: u32,
    /// The blocks that it chooses from: from this one on …
    first_block: u64,
    /// … so many.
    blocks: u64,
    /// How many requests it makes; without end when absent.
    requests: Option<u64>,
}

impl Share {
    /// The shares of `lanes` lanes: of a sequential range, a contiguous part each; of a random one,
    /// all of it. The requests are divided as equally as can be.
    pub(in crate::schedule) fn split(
        direction: Direction,
        access: Blocks,
        size_bytes: u64,
        block_bytes: u32,
        lanes: u32,
    ) -> Vec<Self> {
        let (range_blocks, lanes) = (size_bytes / u64::from(block_bytes), u64::from(lanes));
        let part = |whole: u64, lane: u64| whole / lanes + u64::from(lane < whole % lanes);
        let requests = access.requests_max(range_blocks);
        let mut next_block = 0;
        let share = |lane| {
            let blocks = match access.pattern {
                Pattern::Random => range_blocks,
                Pattern::Sequential => part(range_blocks, lane),
            };
            let first_block = next_block;
            if access.pattern == Pattern::Sequential {
                next_block += blocks;
            }
            Self {
                direction,
                pattern: access.pattern,
                block_bytes,
                first_block,
                blocks,
                requests: requests.map(|all| part(all, lane)),
            }
        };
        (0..lanes).map(share).collect()
    }
}

/// Names a stream of offsets.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct StreamName {
    pub seed: u64,
    pub tid: u32,
    pub lane: u32,
    pub loop_index: u32,
}

impl StreamName {
    /// The generator of the stream: a different one for each name.
    pub(in crate::schedule) fn generator(self) -> Xoshiro256Plus {
        let Self { seed, tid, lane, loop_index } = self;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let place = [tid, lane, loop_index];
        for (field, number) in bytes[8..].chunks_exact_mut(4).zip(place) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        // The generator needs a state that is not almost zero; its own outputs are mixed enough to
        // seed another with.
        bytes[31] = 1;
        let mut first = Xoshiro256Plus::from_seed(bytes);
        for _step in 0..MIXING_STEPS {
            first.next_u64();
        }
        first.fill_bytes(&mut bytes);
        Xoshiro256Plus::from_seed(bytes)
    }
}

/// Steps after which every bit of the state depends on every bit of the seed.
const MIXING_STEPS: u32 = 64;

/// The jobs of one lane in one loop, which `WRITES` or reads.
#[derive(Debug)]
pub(in crate::schedule) struct BlockStream<const WRITES: bool> {
    target: u16,
    block_bytes: u32,
    what: What,
    remaining: u64,
    order: Order,
    first_block: u64,
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
            order: match share.pattern {
                Pattern::Sequential => Order::Sequential { next: 0 },
                Pattern::Random => Order::Random(name.generator()),
            },
            first_block: share.first_block,
            blocks: share.blocks,
            mark,
        }
    }
}

/// A number below `bound`, as likely as any other up to one part in 2^64 / `bound`: the upper half
/// of a product (D. Lemire, "Fast random integer generation in an interval", 2019, without its
/// rejection step, so that request *i* always takes the *i*-th output).
#[inline(always)]
fn below(bound: u64, random: u64) -> u64 {
    let wide = u128::from(random) * u128::from(bound);
    (wide >> 64) as u64
}

impl<const WRITES: bool> Source for BlockStream<WRITES> {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        let rest = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let count = rest.min(offsets.len());
        self.remaining -= count as u64;
        let (blocks, block_bytes) = (self.blocks, u64::from(self.block_bytes));
        match &mut self.order {
            Order::Random(generator) => {
                // A copy, so that its state is in registers.
                let mut local = generator.clone();
                for offset in &mut offsets[..count] {
                    *offset = below(blocks, local.next_u64()) * block_bytes;
                }
                *generator = local;
            }
            Order::Sequential { next } => {
                for offset in &mut offsets[..count] {
                    *offset = (self.first_block + *next) * block_bytes;
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

    const BLOCK: u32 = 4096;
    const NAME: StreamName = StreamName { seed: 1, tid: 0, lane: 0, loop_index: 0 };

    fn access(pattern: Pattern, requests: Option<u64>) -> Blocks {
        Blocks { pattern, requests, runtime_ns: None }
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
        Share::split(Direction::Read, access(pattern, requests), size_bytes, BLOCK, lanes)
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
        let share = shares(Pattern::Random, Some(64_000), 64, 1)[0];
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
        let share = shares(Pattern::Random, Some(100), 1 << 20, 1)[0];
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
            access(Pattern::Sequential, Some(2)),
            u64::from(BLOCK),
            BLOCK,
            1,
        )[0];
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
