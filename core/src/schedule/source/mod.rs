//! Where a lane's requests come from.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

mod blocks;
mod passes;
mod pick;
mod share;
mod sweep;
mod varied;

pub(super) use blocks::BlockStream;
pub(super) use pick::exponential_ns;
pub(super) use share::{Share, StreamName};
pub(super) use sweep::{Slice, Sweep};
pub(super) use varied::VariedStream;

use crate::engine::{Operation, Request};
use crate::memory::Block;
use crate::stats::{Kind, What};

/// What a lane does next, but for where.
#[derive(Debug)]
pub(super) struct Job {
    pub operation: Operation,
    pub target: u16,
    /// Bytes to ask for.
    pub length_bytes: u32,
    /// The last three in one word.
    pub what: What,
    /// Bytes without which the request is not done: fewer than asked where a read ends at the end
    /// of the file.
    pub needed_bytes: u32,
    pub block: Option<Block>,
}

impl Job {
    /// The request for it.
    #[inline(always)]
    pub(super) fn request(self, offset_bytes: u64, tag: u32) -> Request {
        let Self { operation, target, length_bytes, block, .. } = self;
        Request { offset_bytes, block, length_bytes, block_start_bytes: 0, tag, target, operation }
    }
}

/// A stream of jobs. What job *i* is may depend on the plan, the tasklet, the lane, the loop and
/// *i*, never on timing.
///
/// `home` is where the memory of a job's place in the queue is when no request has it.
pub(super) trait Source {
    /// Chooses the offsets of the next jobs; says how many, 0 when all were given out.
    fn choose(&mut self, offsets: &mut [u64]) -> usize;

    /// Whether the job that was chosen first and not asked for yet must wait until none is in
    /// flight. Only the first of those that are chosen together may have to.
    #[inline(always)]
    fn is_fenced(&self) -> bool {
        false
    }

    /// The job at the offset that was chosen first and not asked for yet.
    fn job(&mut self, offset_bytes: u64, home: &mut Option<Block>) -> Job;

    /// The kind of any job, when all are of one kind.
    fn kind_each(&self) -> Option<Kind>;

    /// How many of the bytes of a job are the tensor's or range's: fewer than asked where a tail is
    /// padded.
    fn useful_bytes(&self, offset_bytes: u64, what: What) -> u32;

    /// The same of any job, when all jobs have as many.
    fn useful_bytes_each(&self) -> Option<u32>;

    /// Looks at what a job that is done has left in its memory; its latency is taken by then.
    #[inline(always)]
    fn check(&mut self, _offset_bytes: u64, _what: What, _block: Option<&Block>) {}

    /// Takes a job's memory back.
    fn take_back(&mut self, block: Option<Block>, home: &mut Option<Block>);
}
