//! Which blocks a lane asks for, and the names of its streams.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

use crate::engine::Operations;
use crate::plan::{Blocks, Direction, Distribution, Pattern, Plan, operations};
use crate::stats::Kind;

/// Which blocks of a tasklet's range one lane asks for in each loop.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::schedule) struct Share {
    pub direction: Direction,
    pub access: Blocks,
    /// The largest of its requests.
    pub block_bytes: u32,
    /// The blocks that it chooses from: from this one of the range on …
    pub first_block: u64,
    /// … so many.
    pub blocks: u64,
    /// Its part of each pass over the blocks, when every pass covers them all: from this one on …
    pub first_of_pass: u64,
    /// … so many.
    pub part_of_pass: u64,
    /// How many requests it makes; without end when absent.
    pub requests: Option<u64>,
    /// How many bytes it moves when requests have several sizes, the last one rounded up; without
    /// end when absent.
    pub limit_bytes: Option<u64>,
}

impl Share {
    /// The shares of `lanes` lanes: of a sequential range, a contiguous part each; of a random one,
    /// all of it. The requests are divided as equally as can be.
    pub(in crate::schedule) fn split(
        direction: Direction,
        access: &Blocks,
        size_bytes: u64,
        block_bytes: u32,
        lanes: u32,
    ) -> Vec<Self> {
        let (range_blocks, lanes) = (size_bytes / u64::from(block_bytes), u64::from(lanes));
        let part = |whole: u64, lane: u64| whole / lanes + u64::from(lane < whole % lanes);
        let requests = access.requests_max(range_blocks, block_bytes);
        let limit_bytes = access.bytes_max(range_blocks * u64::from(block_bytes));
        let mut next_block = 0;
        let share = |lane| {
            let part_of_pass = part(range_blocks, lane);
            let first_of_pass = next_block;
            next_block += part_of_pass;
            let (first_block, blocks) = match access.pattern {
                Pattern::Random => (0, range_blocks),
                Pattern::Sequential => (first_of_pass, part_of_pass),
            };
            Self {
                direction,
                access: access.clone(),
                block_bytes,
                first_block,
                blocks,
                first_of_pass,
                part_of_pass,
                requests: requests.map(|all| part(all, lane)),
                limit_bytes: limit_bytes.map(|all| part(all, lane)),
            }
        };
        (0..lanes).map(share).collect()
    }

    /// The same without another end than time.
    pub(in crate::schedule) fn endless(&self) -> Self {
        Self { requests: None, limit_bytes: None, ..self.clone() }
    }

    /// The share in loop `index`: in a warm-up loop that only time ends, the one without another
    /// end.
    pub(in crate::schedule) fn in_loop(&self, index: u32, plan: &Plan) -> Self {
        let ramp = index < plan.warmup_loops && self.access.ramp_ns.is_some();
        if ramp { self.endless() } else { self.clone() }
    }

    /// The bytes of the target that it chooses from: where they begin and where they end.
    pub(in crate::schedule) fn range_bytes(&self) -> (u64, u64) {
        let start = self.base_bytes();
        (start, start + self.blocks * u64::from(self.block_bytes))
    }

    /// Where its blocks begin in the target, in bytes.
    pub(super) fn base_bytes(&self) -> u64 {
        self.access.offset_bytes + self.first_block * u64::from(self.block_bytes)
    }

    /// What it asks of an engine.
    pub(in crate::schedule) fn operations(&self) -> Operations {
        Operations::of(&operations(self.direction, Some(&self.access)))
    }

    /// The key of the order in which blocks are popular: the same for all lanes and loops of a
    /// tasklet, so that what is popular stays so.
    pub(super) fn popularity(name: StreamName) -> [u64; 2] {
        [name.seed, u64::from(name.tid)]
    }

    /// The kind of its requests, where a stream of blocks that are all alike makes them; blocks
    /// that are verified have what each of them does worked out.
    pub(in crate::schedule) fn kind_alike(&self, is_verified: bool) -> Option<Kind> {
        if self.is_plain() && !is_verified { self.direction.kind() } else { None }
    }

    /// Whether its requests are alike but for where, none of them flushes, and what is written need
    /// not be made anew.
    fn is_plain(&self) -> bool {
        let Blocks { pattern, sizes, flush, .. } = &self.access;
        matches!(self.direction, Direction::Read | Direction::Write)
            && sizes.len() <= 1
            && self.access.compress_percent == 0
            && (flush.is_none() || !self.direction.writes_data())
            && (*pattern == Pattern::Sequential
                || self.access.distribution == Distribution::Uniform)
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
    pub(super) fn generator(self) -> Xoshiro256Plus {
        self.generator_of(0)
    }

    /// Generator number `index` of the stream.
    pub(in crate::schedule) fn generator_of(self, index: u32) -> Xoshiro256Plus {
        let Self { seed, tid, lane, loop_index } = self;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let place = [tid, lane, loop_index, index];
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
