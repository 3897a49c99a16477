//! What one round does: a tensor that is validated, or blocks that are verified.

use std::path::Path;

use aio_core::plan::{
    Access, Batch, Blocks, Checksum, Direction, Flush, Order, Origin, PathTemplate, Pattern, Phase,
    Plan, SizeShare, TensorGroup,
};
use aio_core::testing::Dice;

use crate::content::Content;

/// Bytes of the file, but for tensors of an odd size.
pub(crate) const FILE_BYTES: u64 = 8 << 20;

/// One round.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) direction: Direction,
    pub(crate) size_bytes: u64,
    /// Of requests; a multiple of 4096 where blocks are verified.
    pub(crate) block_bytes: u32,
    pub(crate) depth: u32,
    pub(crate) lanes: u32,
    pub(crate) loops: u32,
    pub(crate) warmup_loops: u32,
    pub(crate) seed: u64,
    pub(crate) is_sequential: bool,
    pub(crate) batch: Batch,
    /// How blocks are gone through; none for a tensor.
    pub(crate) blocks: Option<Blocks>,
}

impl Work {
    /// A random round that may follow on `content`.
    pub(crate) fn draw(dice: &mut Dice, content: &Content, is_inline: bool) -> Self {
        let is_of_blocks = !dice.one_in(3);
        let may_read = is_of_blocks || !matches!(content, Content::Unknown);
        let direction = match dice.below(3) {
            0 if may_read => Direction::Read,
            1 if is_of_blocks => Direction::Mixed,
            _ => Direction::Write,
        };
        let depth = if is_inline { 1 } else { 1 << dice.below(6) };
        let mut work = Self {
            direction,
            size_bytes: FILE_BYTES,
            block_bytes: 4096 << dice.below(9),
            depth,
            lanes: 1 + dice.below(3),
            loops: 1 + dice.below(3),
            warmup_loops: dice.below(2),
            seed: dice.below_u64(1 << 40),
            is_sequential: dice.one_in(4),
            batch: Batch {
                submit: dice.one_in(3).then(|| 1 + dice.below(depth)),
                complete: 1 + dice.below(depth),
            },
            blocks: None,
        };
        if is_of_blocks {
            work.draw_blocks(dice, content);
        } else {
            work.size_bytes -= u64::from(dice.below(3)) * 1000;
        }
        work
    }

    fn draw_blocks(&mut self, dice: &mut Dice, content: &Content) {
        let pattern = dice.pick(&[Pattern::Random, Pattern::Random, Pattern::Sequential]);
        let mut blocks = Blocks::new(pattern);
        let checksums = [Checksum::Crc32c, Checksum::Xxh3, Checksum::Pattern];
        blocks.verify = Some(dice.pick(&checksums));
        // Most rounds go on in the blocks of the last one.
        if let Content::Blocks { block_bytes, checksum, .. } = *content
            && !dice.one_in(4)
        {
            self.block_bytes = block_bytes;
            blocks.verify = Some(checksum);
        }
        if dice.one_in(3) {
            let most = FILE_BYTES / u64::from(self.block_bytes);
            blocks.requests = Some(u64::from(self.lanes) + dice.below_u64(most));
        }
        if self.direction == Direction::Mixed {
            blocks.read_percent = Some(u8::try_from(dice.below(100)).expect("it is below 100"));
        }
        if self.direction.writes_data() {
            // Nobody knows which of two lanes wrote a block last.
            if pattern == Pattern::Random || self.direction == Direction::Mixed {
                self.lanes = 1;
            }
            blocks.flush =
                dice.one_in(5).then(|| Flush { every: 1 + dice.below_u64(50), data_only: true });
            blocks.end_fsync = dice.one_in(4);
            blocks.compress_percent = dice.pick(&[0, 0, 0, 50]);
        }
        if dice.one_in(6) && self.lanes == 1 {
            // Longer requests over the same blocks.
            let longer = self.block_bytes * 2;
            let share = |bytes, percent| SizeShare { bytes, percent };
            blocks.sizes = vec![share(self.block_bytes, 60), share(longer, 40)];
        }
        self.blocks = Some(blocks);
    }

    /// The blocks that are judged each by itself.
    pub(crate) fn verified_bytes(&self) -> u32 {
        self.block_bytes
    }

    /// Whether each block of the file is written in each loop that is finished.
    pub(crate) fn writes_all(&self) -> bool {
        let all = |blocks: &Blocks| {
            blocks.requests.is_none() && blocks.sizes.is_empty() && blocks.flush.is_none()
        };
        self.direction == Direction::Write && self.blocks.as_ref().is_none_or(all)
    }

    /// The plan of it on the file `path`.
    pub(crate) fn plan(&self, path: &Path, is_buffered: bool) -> Plan {
        let is_tensor_to_read = self.blocks.is_none() && self.direction == Direction::Read;
        let origin = if is_tensor_to_read { Origin::Existing } else { Origin::Made };
        let group = TensorGroup {
            path: PathTemplate::new(path),
            tasklets: 1,
            sizes_bytes: if is_tensor_to_read { Vec::new() } else { vec![self.size_bytes] },
            origin,
        };
        let mut phase = Phase::of_tensors(self.direction, vec![group]);
        let largest = |blocks: &Blocks| blocks.sizes.iter().map(|one| one.bytes).max();
        let largest = self.blocks.as_ref().and_then(largest).unwrap_or(self.block_bytes);
        phase.access = self.blocks.clone().map_or(Access::Tensor, Access::Blocks);
        Plan {
            block_size_bytes: largest.into(),
            queue_depth: self.depth,
            lanes: self.lanes,
            loops: self.loops,
            warmup_loops: self.warmup_loops,
            seed: self.seed,
            validate: self.blocks.is_none(),
            order: if self.is_sequential { Order::Sequential } else { Order::Overlap },
            batch: self.batch,
            buffered: is_buffered,
            keep: true,
            overwrite: true,
            ..Plan::tensor_swap(vec![phase])
        }
    }
}
