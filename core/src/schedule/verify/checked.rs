//! A source whose blocks are stamped and checked.

use crate::data;
use crate::engine::Operation;
use crate::memory::Block;
use crate::plan::Checksum;
use crate::schedule::source::{Job, Source};
use crate::stats::{Kind, What};
use crate::verify::{Damage, FirstBad, Freshness, Grid, Piece, Walk, Writer, judge};

/// The jobs of `inner`, in rounds: writes are stamped before they are queued, and what reads have
/// brought is judged when no request is in flight.
///
/// So blocks wait here from the end of their request to the end of the round, and go to any place
/// in the queue afterwards.
#[derive(Debug)]
pub(in crate::schedule) struct Checked<S> {
    inner: S,
    writer: Writer,
    terms: ReadTerms,
    /// Writes so far.
    writes: u64,
    in_flight: usize,
    /// The request that was just found to be done.
    noted: Option<(u64, u32)>,
    /// What reads of this round have brought.
    unjudged: Vec<(u64, u32, Block)>,
    /// Blocks that wait for a request.
    spare: Vec<Block>,
    /// The ranges that are written in this round.
    written: Vec<(u64, u64)>,
    /// Bytes that were judged and found right.
    right_bytes: u64,
    first_bad: Option<FirstBad>,
}

/// What blocks that are read are judged by.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct ReadTerms {
    pub checksum: Checksum,
    pub freshness: Freshness,
    pub grid: Grid,
}

impl<S: Source> Checked<S> {
    /// Room for `queue_depth` requests is reserved here.
    pub(in crate::schedule) fn new(
        inner: S,
        writer: Writer,
        terms: ReadTerms,
        queue_depth: u32,
    ) -> Self {
        let depth = queue_depth as usize;
        Self {
            inner,
            writer,
            terms,
            writes: 0,
            in_flight: 0,
            noted: None,
            unjudged: Vec::with_capacity(depth),
            spare: Vec::with_capacity(depth),
            written: Vec::with_capacity(depth),
            right_bytes: 0,
            first_bad: None,
        }
    }

    /// What was found; the blocks that waited here go back to the places `homes` that have none.
    pub(in crate::schedule) fn finish<'h>(
        mut self,
        homes: impl Iterator<Item = &'h mut Option<Block>>,
    ) -> (u64, Option<FirstBad>) {
        let unjudged = self.unjudged.drain(..).map(|(_, _, block)| block);
        let mut waiting = self.spare.drain(..).chain(unjudged);
        for home in homes.filter(|home| home.is_none()) {
            *home = waiting.next();
        }
        (self.right_bytes, self.first_bad)
    }

    /// Judges what the reads of a round have brought.
    fn end_round(&mut self) {
        for (offset_bytes, length_bytes, block) in self.unjudged.drain(..) {
            let end = offset_bytes + u64::from(length_bytes);
            let races = |range: &(u64, u64)| range.0 < end && offset_bytes < range.1;
            // A read beside a write of the same block may have met either, or a part of each.
            if self.first_bad.is_none() && !self.written.iter().any(races) {
                let bytes = &block.as_slice()[..length_bytes as usize];
                match self.terms.judge(bytes, offset_bytes) {
                    Ok(()) => self.right_bytes += u64::from(length_bytes),
                    Err(bad) => self.first_bad = Some(bad),
                }
            }
            self.spare.push(block);
        }
        self.written.clear();
    }
}

impl ReadTerms {
    /// Judges the blocks in `bytes`, which lie at `offset_bytes`.
    fn judge(&self, bytes: &[u8], offset_bytes: u64) -> Result<(), FirstBad> {
        for piece in Walk::new(bytes, offset_bytes, self.grid) {
            let Piece { offset_bytes, block_offset_bytes, block_end_bytes, bytes } = piece;
            let judged = judge(bytes, offset_bytes, block_offset_bytes, self.freshness);
            let damage = match judged {
                Ok(judged) if judged.stamp.checksum == self.checksum => continue,
                Ok(judged) => {
                    Damage::OtherChecksum { wanted: self.checksum, found: judged.stamp.checksum }
                }
                Err(damage) => damage,
            };
            let length_bytes = block_end_bytes - block_offset_bytes;
            return Err(FirstBad { offset_bytes: block_offset_bytes, length_bytes, damage });
        }
        Ok(())
    }
}

impl<S: Source> Source for Checked<S> {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        // A bad block is the end.
        if self.first_bad.is_some() { 0 } else { self.inner.choose(offsets) }
    }

    fn is_fenced(&self) -> bool {
        self.inner.is_fenced()
    }

    fn job(&mut self, offset_bytes: u64, home: &mut Option<Block>) -> Job {
        if home.is_none() {
            *home = self.spare.pop();
        }
        let mut job = self.inner.job(offset_bytes, home);
        self.in_flight += 1;
        let length = job.length_bytes as usize;
        if let Some(block) = &mut job.block {
            let bytes = &mut block.as_mut_slice()[..length];
            if job.operation == Operation::Write {
                let sequence = self.writer.sequence(self.writes);
                self.writer.stamp(offset_bytes, sequence, bytes);
                self.writes += 1;
                self.written.push((offset_bytes, offset_bytes + length as u64));
            } else {
                // So that a read that brings nothing is noticed.
                data::poison(bytes);
            }
        }
        job
    }

    fn kind_each(&self) -> Option<Kind> {
        self.inner.kind_each()
    }

    fn useful_bytes(&self, offset_bytes: u64, what: What) -> u32 {
        self.inner.useful_bytes(offset_bytes, what)
    }

    fn useful_bytes_each(&self) -> Option<u32> {
        self.inner.useful_bytes_each()
    }

    fn check(&mut self, offset_bytes: u64, what: What, _block: Option<&Block>) {
        if what.operation() == Operation::Read {
            self.noted = Some((offset_bytes, what.length_bytes()));
        }
    }

    fn take_back(&mut self, block: Option<Block>, home: &mut Option<Block>) {
        match (self.noted.take(), block) {
            (Some((offset_bytes, length_bytes)), Some(block)) => {
                self.unjudged.push((offset_bytes, length_bytes, block));
            }
            (_, block) => self.inner.take_back(block, home),
        }
        // Strangers among completions come back too, and were no jobs.
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.in_flight == 0 {
            self.end_round();
        }
    }
}
