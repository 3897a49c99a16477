//! Requests that are not all alike: reads among writes, several sizes, flushes in between, blocks
//! that are asked for more often than others, trims.

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use super::blocks::below;
use super::passes::Passes;
use super::pick::{Normal, Pareto, SizeSplit, Zipf};
use super::share::{Share, StreamName};
use super::{Job, Source};
use crate::data::{self, DataStream};
use crate::engine::Operation;
use crate::memory::Block;
use crate::plan::{Direction, Distribution, Flush, Pattern, READ_PERCENT};
use crate::stats::{Kind, What};

/// Jobs that are worked out at a time.
const AHEAD_MAX: usize = 64;
/// The numbers of the generators, which are apart so that a plan with another mix asks for the same
/// blocks. Number 1 is that of passes.
const BLOCKS: u32 = 0;
const MIX: u32 = 2;
const SIZES: u32 = 3;

/// The jobs of one lane in one loop.
#[derive(Debug)]
pub(in crate::schedule) struct VariedStream {
    target: u16,
    base_bytes: u64,
    mix: Mix,
    sizes: Option<(SizeSplit, Xoshiro256Plus)>,
    place: Place,
    /// The largest block, of which the range has `blocks`.
    block_bytes: u32,
    blocks: u64,
    flush: Option<Flush>,
    /// Writes since the last flush.
    unflushed: u64,
    remaining: u64,
    remaining_bytes: u64,
    /// What the next write is marked with.
    mark: u64,
    /// The share of the data that compresses away, and what the rest of it is made of anew for each
    /// write: what a buffer held before would make several blocks compress to one.
    compress: Option<(u8, StreamName)>,
    /// What the jobs do whose offsets were chosen last; those from `next` on were not asked for.
    ahead: [What; AHEAD_MAX],
    next: usize,
    end: usize,
    /// Whether what was chosen before them is a flush, for which they wait: otherwise it would take
    /// some of their time, as the engine likes.
    is_behind_flush: bool,
}

/// What operation is next.
#[derive(Debug)]
enum Mix {
    One(Operation),
    /// Reads, in so many of a hundred requests, and writes.
    Both(u64, Xoshiro256Plus),
}

/// Where it is done.
#[derive(Debug)]
enum Place {
    /// One front for each operation, in bytes from the beginning of the range.
    Sequential {
        fronts: [u64; 2],
    },
    Covering(Passes),
    Uniform(Xoshiro256Plus),
    Zipf(Zipf, Xoshiro256Plus),
    Pareto(Pareto, Xoshiro256Plus),
    Normal(Normal, Xoshiro256Plus),
}

impl Place {
    fn new(share: &Share, name: StreamName) -> Self {
        let (blocks, generator) = (share.blocks, name.generator_of(BLOCKS));
        match (share.access.pattern, share.access.distribution) {
            (Pattern::Sequential, _) => Self::Sequential { fronts: [0; 2] },
            (_, Distribution::Uniform) if share.access.is_covering() => {
                Self::Covering(Passes::new(share, name))
            }
            (_, Distribution::Uniform) => Self::Uniform(generator),
            (_, Distribution::Zipf { theta }) => {
                Self::Zipf(Zipf::new(blocks, theta, Share::popularity(name)), generator)
            }
            (_, Distribution::Pareto { h }) => {
                Self::Pareto(Pareto::new(blocks, h, Share::popularity(name)), generator)
            }
            (_, Distribution::Normal { sigma_percent }) => {
                Self::Normal(Normal::new(blocks, sigma_percent), generator)
            }
        }
    }

    /// The number of a block, where not bytes are counted.
    fn block(&mut self, blocks: u64) -> u64 {
        match self {
            Self::Sequential { .. } => unreachable!("its fronts are in bytes"),
            Self::Covering(passes) => {
                let mut one = [0];
                passes.fill(&mut one, |block| block);
                one[0]
            }
            Self::Uniform(generator) => below(blocks, generator.next_u64()),
            Self::Zipf(zipf, generator) => zipf.pick(generator),
            Self::Pareto(pareto, generator) => pareto.pick(generator),
            Self::Normal(normal, generator) => normal.pick(generator),
        }
    }
}

impl VariedStream {
    /// The stream `name` of `share`. Writes are marked with numbers from `mark` on.
    pub(in crate::schedule) fn new(
        share: &Share,
        name: StreamName,
        target: u16,
        mark: u64,
    ) -> Self {
        let access = &share.access;
        let sizes: Vec<_> = access.sizes.iter().map(|one| (one.bytes, one.percent)).collect();
        Self {
            target,
            base_bytes: share.base_bytes(),
            mix: match share.direction {
                Direction::Mixed => {
                    let percent = access.read_percent.unwrap_or(READ_PERCENT);
                    Mix::Both(percent.into(), name.generator_of(MIX))
                }
                one => Mix::One(one.operations()[0]),
            },
            sizes: (sizes.len() > 1).then(|| (SizeSplit::new(&sizes), name.generator_of(SIZES))),
            place: Place::new(share, name),
            block_bytes: share.block_bytes,
            blocks: share.blocks,
            flush: access.flush.filter(|_| share.direction.writes_data()),
            unflushed: 0,
            remaining: share.requests.unwrap_or(u64::MAX),
            remaining_bytes: share.limit_bytes.unwrap_or(u64::MAX),
            mark,
            compress: Some((access.compress_percent, name)).filter(|(share, _)| *share > 0),
            ahead: [What::new(Operation::Read, 0, 0); AHEAD_MAX],
            next: 0,
            end: 0,
            is_behind_flush: false,
        }
    }

    fn operation(&mut self) -> Operation {
        match &mut self.mix {
            Mix::One(operation) => *operation,
            Mix::Both(percent, generator) => {
                let reads = below(100, generator.next_u64()) < *percent;
                if reads { Operation::Read } else { Operation::Write }
            }
        }
    }

    fn length_bytes(&mut self) -> u32 {
        match &mut self.sizes {
            None => self.block_bytes,
            Some((split, generator)) => split.pick(generator.next_u64()),
        }
    }

    /// Where the next `length_bytes` lie, from the beginning of the range.
    fn offset_bytes(&mut self, operation: Operation, length_bytes: u32) -> u64 {
        let (block, length) = (u64::from(self.block_bytes), u64::from(length_bytes));
        if let Place::Sequential { fronts } = &mut self.place {
            let front = &mut fronts[usize::from(operation != Operation::Read)];
            let at = if *front + length > self.blocks * block { 0 } else { *front };
            *front = at + length;
            return at;
        }
        let within = match &mut self.sizes {
            // Any of the places in the block that such a request can have.
            Some((_, generator)) => below(block / length, generator.next_u64()) * length,
            None => 0,
        };
        self.place.block(self.blocks) * block + within
    }

    /// Whether a flush comes next.
    fn is_flush_due(&self) -> bool {
        self.flush.is_some_and(|flush| self.unflushed >= flush.every)
    }

    /// Whether job `index` of those that were chosen last is a flush.
    fn is_flush(&self, index: usize) -> bool {
        self.ahead[index].operation().kind() == Kind::Flush
    }

    /// Whether nothing comes any more: a flush that is due still does.
    fn is_done(&self) -> bool {
        (self.remaining == 0 || self.remaining_bytes == 0) && !self.is_flush_due()
    }

    /// What comes next, and where.
    fn work_out(&mut self) -> (What, u64) {
        if let Some(flush) = self.flush.filter(|_| self.is_flush_due()) {
            self.unflushed = 0;
            return (What::new(flush.operation(), self.target, 0), 0);
        }
        let operation = self.operation();
        let length_bytes = self.length_bytes();
        let offset_bytes = self.base_bytes + self.offset_bytes(operation, length_bytes);
        self.unflushed += u64::from(operation == Operation::Write);
        self.remaining -= 1;
        self.remaining_bytes = self.remaining_bytes.saturating_sub(length_bytes.into());
        (What::new(operation, self.target, length_bytes), offset_bytes)
    }
}

impl Source for VariedStream {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        self.is_behind_flush = self.end > 0 && self.is_flush(self.end - 1);
        let mut count = 0;
        while count < offsets.len().min(AHEAD_MAX) && !self.is_done() {
            // It has to wait, and what follows for it, so it must be alone.
            if count > 0 && (self.is_flush_due() || self.is_flush(count - 1)) {
                break;
            }
            (self.ahead[count], offsets[count]) = self.work_out();
            count += 1;
        }
        (self.next, self.end) = (0, count);
        count
    }

    fn is_fenced(&self) -> bool {
        self.next == 0 && self.end > 0 && (self.is_behind_flush || self.is_flush(0))
    }

    fn job(&mut self, offset_bytes: u64, home: &mut Option<Block>) -> Job {
        let what = self.ahead[self.next];
        self.next += 1;
        let (operation, length_bytes) = (what.operation(), what.length_bytes());
        let mut block = if operation.moves_data() { home.take() } else { None };
        if operation == Operation::Write
            && let Some(block) = &mut block
        {
            let bytes = &mut block.as_mut_slice()[..length_bytes as usize];
            if let Some((percent, name)) = self.compress {
                let seed = name.seed ^ self.mark.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let content = DataStream::new(seed, name.tid).compressible(percent);
                content.fill(offset_bytes, 0, bytes);
            }
            data::stamp(offset_bytes, self.mark, bytes);
            self.mark += 1;
        }
        let needed_bytes = if operation.moves_data() { length_bytes } else { 0 };
        Job { operation, target: self.target, length_bytes, what, needed_bytes, block }
    }

    fn kind_each(&self) -> Option<Kind> {
        None
    }

    fn useful_bytes(&self, _offset_bytes: u64, what: What) -> u32 {
        what.length_bytes()
    }

    fn useful_bytes_each(&self) -> Option<u32> {
        None
    }

    fn take_back(&mut self, block: Option<Block>, home: &mut Option<Block>) {
        // What moves no data has left its place's memory where it was.
        if block.is_some() {
            *home = block;
        }
    }
}

#[cfg(test)]
mod tests;
