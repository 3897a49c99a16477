//! After a run: what it wrote is read back, and each block must be the one that was written last.

use std::fs::{File, Metadata};

use super::Terms;
use super::replay::each_write;
use crate::plan::Plan;
use crate::schedule::source::{Share, StreamName};
use crate::target::{Unreadable, read_whole};
use crate::verify::{Damage, FirstBad, Freshness, Generation, judge};

/// Blocks that are looked at together: so many numbers are kept.
const WINDOW_BLOCKS: u64 = 1 << 20;
/// Bytes that are read at a time, or a block if that is more.
const CHUNK_BYTES: u64 = 8 << 20;

/// What is to be read back.
pub(in crate::schedule) struct ReadBack<'a> {
    pub plan: &'a Plan,
    pub terms: &'a Terms,
    pub file: &'a File,
    pub tid: u32,
    /// The number of the first loop.
    pub first_loop: u32,
    /// Whether blocks that no request wrote have stamps too.
    pub is_filled: bool,
}

/// What came of reading back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::schedule) struct Sum {
    /// Bytes of blocks that are right.
    pub right_bytes: u64,
    /// Whether each block of the range is one of them.
    pub is_whole: bool,
    /// The oldest generation among them.
    pub oldest: Option<Generation>,
}

impl Sum {
    /// The oldest generation in the range, if each block of it has one.
    pub(in crate::schedule) fn oldest_of_all(&self) -> Option<Generation> {
        self.oldest.filter(|_| self.is_whole)
    }
}

/// Reads back all that the lanes with these `shares` wrote, when each made as many writes in each
/// of its loops as `writes` says.
///
/// # Errors
/// What of the file cannot be read, or the first block that is not as it must be.
pub(in crate::schedule) fn read_back(
    what: &ReadBack,
    shares: &[Share],
    writes: &[Vec<u64>],
    halted: &dyn Fn() -> bool,
) -> Result<Result<Sum, FirstBad>, Unreadable> {
    let grid = what.terms.grid();
    let file_end = file_end(what.file);
    let mut sum = Sum { is_whole: true, ..Sum::default() };
    for (lane, (share, writes)) in (0..).zip(shares.iter().zip(writes)) {
        let (start, end) = share.range_bytes();
        let mut first = start;
        while first < end && !halted() {
            let blocks = ((end - first) / grid.block_bytes).min(WINDOW_BLOCKS);
            let window = Window::of(what, share, writes, lane, first, blocks);
            match window.compare(what, file_end, &mut sum)? {
                Ok(()) => {}
                Err(bad) => return Ok(Err(bad)),
            }
            first += blocks * grid.block_bytes;
        }
    }
    Ok(Ok(sum))
}

/// Behind the last byte of a file; of a device all can be read, and of what does not tell that is
/// found out.
fn file_end(file: &File) -> u64 {
    let metadata = file.metadata().ok().filter(Metadata::is_file);
    metadata.map_or(u64::MAX, |there| there.len())
}

/// Some blocks of a lane, and for each the write that came last.
struct Window {
    lane: u32,
    start_bytes: u64,
    block_bytes: u64,
    /// Loop and number of the write in it.
    last: Vec<Option<(u32, u64)>>,
}

impl Window {
    fn of(
        what: &ReadBack,
        share: &Share,
        writes: &[u64],
        lane: u32,
        start_bytes: u64,
        blocks: u64,
    ) -> Self {
        let block_bytes = what.terms.grid().block_bytes;
        let length = usize::try_from(blocks).expect("a window is small");
        let mut last = vec![None; length];
        let mut missing = length;
        let end_bytes = start_bytes + blocks * block_bytes;
        // The last loop first: what it wrote, none before it matters for.
        for (loop_index, writes) in writes.iter().enumerate().rev() {
            if missing == 0 {
                break;
            }
            let loop_index = u32::try_from(loop_index).expect("loops are numbered in 32 bits");
            let name = StreamName { seed: what.plan.seed, tid: what.tid, lane, loop_index };
            each_write(share, what.plan, name, *writes, |number, offset_bytes, length_bytes| {
                let end = (offset_bytes + u64::from(length_bytes)).min(end_bytes);
                let mut at = offset_bytes.max(start_bytes);
                while at < end {
                    let index = usize::try_from((at - start_bytes) / block_bytes);
                    let entry = &mut last[index.expect("a window is small")];
                    if entry.is_none_or(|(of_loop, _)| of_loop == loop_index) {
                        missing -= usize::from(entry.is_none());
                        *entry = Some((loop_index, number));
                    }
                    at += block_bytes;
                }
            });
        }
        Self { lane, start_bytes, block_bytes, last }
    }

    /// Compares what is in the file with what must be.
    fn compare(
        &self,
        what: &ReadBack,
        file_end: u64,
        sum: &mut Sum,
    ) -> Result<Result<(), FirstBad>, Unreadable> {
        let at_a_time = usize::try_from((CHUNK_BYTES / self.block_bytes).max(1));
        let at_a_time = at_a_time.expect("a chunk is small");
        let block_length = usize::try_from(self.block_bytes).expect("a block is in memory");
        let mut buffer = vec![0; at_a_time * block_length];
        let mut offset_bytes = self.start_bytes;
        for wanted in self.last.chunks(at_a_time) {
            let there = file_end.saturating_sub(offset_bytes) / self.block_bytes;
            let there = usize::try_from(there).unwrap_or(usize::MAX).min(wanted.len());
            let chunk = &mut buffer[..there * block_length];
            read_whole(what.file, chunk, offset_bytes)?;
            for (number, last) in wanted.iter().enumerate() {
                let bytes = chunk.chunks_exact(block_length).nth(number);
                let judged = self.judge_one(what, *last, bytes, offset_bytes, file_end, sum);
                if let Err(damage) = judged {
                    let length_bytes = self.block_bytes;
                    return Ok(Err(FirstBad { offset_bytes, length_bytes, damage }));
                }
                offset_bytes += self.block_bytes;
            }
        }
        Ok(Ok(()))
    }

    fn judge_one(
        &self,
        what: &ReadBack,
        last: Option<(u32, u64)>,
        bytes: Option<&[u8]>,
        offset_bytes: u64,
        file_end: u64,
        sum: &mut Sum,
    ) -> Result<(), Damage> {
        let Some(freshness) = self.freshness(what, last) else {
            // Nobody wrote it, so it may hold anything.
            sum.is_whole = false;
            return Ok(());
        };
        let Some(bytes) = bytes else { return Err(Damage::Missing { end_bytes: file_end }) };
        let judged = judge(bytes, offset_bytes, offset_bytes, freshness)?;
        sum.right_bytes += self.block_bytes;
        match judged.header.map(|header| header.generation) {
            Some(generation) => {
                let oldest = sum.oldest.map_or(generation, |oldest| oldest.min(generation));
                sum.oldest = Some(oldest);
            }
            None => sum.is_whole = false,
        }
        Ok(())
    }

    /// What a block must be that `last` wrote. Several requests of a round are in flight together,
    /// and the last one queued need not be the last one done.
    fn freshness(&self, what: &ReadBack, last: Option<(u32, u64)>) -> Option<Freshness> {
        let Some((loop_index, number)) = last else {
            return what.is_filled.then_some(Freshness::Any);
        };
        let writer = what.terms.writer(self.lane, what.first_loop.wrapping_add(loop_index));
        let others = u64::from(what.plan.queue_depth) - 1;
        Some(Freshness::Exactly {
            writer: writer.name(),
            earliest: writer.sequence(number.saturating_sub(others)),
            last: writer.sequence(number),
        })
    }
}
