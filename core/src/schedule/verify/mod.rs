//! Blocks that are written with `--verify`, and read with it: stamped before their requests start,
//! checked while none is in flight, and read back after the run.

mod checked;
mod post;
mod replay;

use std::fs::File;

use super::source::VariedStream;
use crate::plan::{Blocks, Direction, Pattern, Plan};
use crate::target::{self, Tasklet};
use crate::verify::{Checksum, Freshness, Generation, Grid, Header, Layout, Writer};

pub(super) use checked::Checked;
use checked::ReadTerms;
pub(super) use post::{ReadBack, read_back};

/// The number of the lane that stands for the filling of a file.
const FILLED: u32 = u32::MAX;

/// What the blocks of a tasklet say of it.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    blocks: Blocks,
    header: Header,
}

impl Terms {
    /// Of `tasklet` in a run that began at `run`, when its blocks are to be verified.
    pub(super) fn of(tasklet: &Tasklet, plan: &Plan, block_bytes: u32, run: u64) -> Option<Self> {
        let blocks = tasklet.access.blocks()?;
        blocks.verify?;
        let header = Header {
            length_bytes: blocks.verified_bytes(block_bytes),
            generation: Generation { run, loop_number: 0 },
            tid: tasklet.tid,
            lane: FILLED,
            whole_range: writes_all(tasklet, blocks, block_bytes) || tasklet.files[0].is_filled(),
            range_start_bytes: tasklet.offset_bytes(),
            range_bytes: tasklet.size_bytes,
            seed: plan.seed,
        };
        Some(Self { blocks: blocks.clone(), header })
    }

    /// What stamps the blocks that `lane` writes in loop `loop_number`.
    pub(super) fn writer(&self, lane: u32, loop_number: u32) -> Writer {
        let generation = Generation { loop_number, ..self.header.generation };
        self.stamping(Header { generation, lane, ..self.header })
    }

    /// What stamps the blocks that a file is filled with.
    pub(super) fn filler(&self) -> Writer {
        self.stamping(self.header)
    }

    fn stamping(&self, header: Header) -> Writer {
        Writer::new(header, self.checksum(), self.blocks.compress_percent)
    }

    fn checksum(&self) -> Checksum {
        self.blocks.verify.expect("there are terms only then")
    }

    /// The jobs of `stream`, of `lane` in loop `loop_number`, stamped and checked.
    pub(super) fn checked(
        &self,
        stream: VariedStream,
        file: &File,
        lane: u32,
        loop_number: u32,
        queue_depth: u32,
    ) -> Checked<VariedStream> {
        let terms = ReadTerms {
            checksum: self.checksum(),
            freshness: self.freshness(target::layout(file)),
            grid: self.grid(),
        };
        Checked::new(stream, self.writer(lane, loop_number), terms, queue_depth)
    }

    /// Where blocks begin.
    pub(super) fn grid(&self) -> Grid {
        let Header { range_start_bytes: origin_bytes, length_bytes, .. } = self.header;
        Grid { origin_bytes, block_bytes: length_bytes.into() }
    }

    /// How new blocks must be that are read, when a run has noted `layout` on the file.
    fn freshness(&self, layout: Option<Layout>) -> Freshness {
        let Header { range_start_bytes: start, range_bytes, .. } = self.header;
        let inside = |layout: &Layout| {
            layout.start_bytes <= start && start + range_bytes <= layout.end_bytes()
        };
        let oldest = layout.filter(inside).and_then(|layout| layout.oldest);
        oldest.map_or(Freshness::Any, Freshness::Since)
    }

    /// The layout to be noted on the file, when all blocks of the range are of `oldest` or newer.
    pub(super) fn layout(&self, oldest: Option<Generation>) -> Layout {
        Layout {
            checksum: self.checksum(),
            block_bytes: self.header.length_bytes,
            start_bytes: self.header.range_start_bytes,
            range_bytes: self.header.range_bytes,
            oldest,
        }
    }
}

/// Whether each block of the range is written in each loop, which time may end before that.
fn writes_all(tasklet: &Tasklet, blocks: &Blocks, block_bytes: u32) -> bool {
    let in_turn = blocks.pattern == Pattern::Sequential || blocks.is_covering();
    let range_blocks = tasklet.size_bytes / u64::from(block_bytes);
    let requests = blocks.requests_max(range_blocks, block_bytes).unwrap_or(0);
    // A mix reads some of them instead.
    let only_writes = tasklet.direction == Direction::Write;
    let knows_its_end = blocks.runtime_ns.is_none() && blocks.sizes.len() <= 1;
    only_writes && in_turn && knows_its_end && requests >= range_blocks
}

#[cfg(test)]
mod tests;
