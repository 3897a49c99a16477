//! What `--verify` asks of a plan.

use super::check::PlanError;
use super::{Blocks, Direction, Pattern, Phase, Plan};
use crate::verify::SECTOR_BYTES;

impl Blocks {
    /// Bytes of the blocks that are verified each by itself, when requests have up to `block_bytes`:
    /// the largest length of which all requests have a multiple.
    #[must_use]
    pub fn verified_bytes(&self, block_bytes: u32) -> u32 {
        self.sizes.iter().fold(block_bytes, |all, size| common_divisor(all, size.bytes))
    }
}

/// The greatest common divisor (Euclid).
fn common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Refuses what cannot be verified, because blocks have no room for stamps or nobody knows which
/// write came last.
pub(super) fn check_verify(plan: &Plan, phase: &Phase, blocks: &Blocks) -> Result<(), PlanError> {
    if blocks.verify.is_none() {
        return Ok(());
    }
    let sector = SECTOR_BYTES as u64;
    let is_whole = |bytes: u64| bytes.is_multiple_of(sector);
    let sizes_are_whole = blocks.sizes.iter().all(|size| is_whole(size.bytes.into()));
    let shared = |phase: &Phase| {
        phase.tensors.iter().any(|group| group.tasklets > 1 && !group.path.has("tid"))
    };
    let writes = phase.direction.writes_data();
    let unfit = [
        (
            !is_whole(plan.block_size_bytes) || !sizes_are_whole,
            "--verify stamps each 512 bytes; give a --block-size that is a multiple of that",
        ),
        (
            !is_whole(blocks.offset_bytes),
            "--verify stamps each 512 bytes; give an --offset that is a multiple of that",
        ),
        (
            blocks.rate.is_some(),
            "--verify cannot be used with --rate-iops: blocks are checked between rounds of \
             requests, and rounds keep no schedule",
        ),
        (
            writes && shared(phase),
            "--verify must know which write of a block came last, and threads that share a file do \
             not; put {tid} into the name, or use --threads 1",
        ),
        (
            writes && plan.lanes > 1 && blocks.pattern == Pattern::Random,
            "--verify must know which write of a block came last, and lanes that write at random do \
             not; use --io-parallel 1",
        ),
        (phase.direction == Direction::Trim, "--verify cannot check what is trimmed"),
    ];
    let found = unfit.iter().find(|(found, _)| *found);
    found.map_or(Ok(()), |(_, why)| Err(PlanError::Conflict((*why).into())))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Access, Checksum, Origin, PathTemplate, Rate, SizeShare, TensorGroup, check,
    };
    use super::*;

    fn refusal(direction: Direction, change: impl FnOnce(&mut Plan, &mut Blocks)) -> String {
        let group = TensorGroup {
            path: PathTemplate::new("f"),
            tasklets: 1,
            sizes_bytes: vec![4 << 20],
            origin: Origin::Made,
        };
        let mut blocks = Blocks::new(Pattern::Random);
        blocks.verify = Some(Checksum::Crc32c);
        let access = Access::Blocks(blocks.clone());
        let phase = Phase { direction, tensors: vec![group], access };
        let mut plan = Plan::tensor_swap(vec![phase]);
        assert_eq!(check(&plan), Ok(()));
        change(&mut plan, &mut blocks);
        plan.phases[0].access = Access::Blocks(blocks);
        check(&plan).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn what_cannot_be_verified_is_refused_before_anything_is_looked_at() {
        let write = |change: fn(&mut Plan, &mut Blocks)| refusal(Direction::Write, change);
        let read = |change: fn(&mut Plan, &mut Blocks)| refusal(Direction::Read, change);
        assert!(read(|plan, _| plan.block_size_bytes = 1000).contains("--block-size"));
        assert!(read(|_, blocks| blocks.offset_bytes = 100).contains("--offset"));
        let rate = Some(Rate { per_s: 1.0, poisson: false });
        assert!(refusal(Direction::Read, |_, b| b.rate = rate).contains("--rate-iops"));
        let shared: fn(&mut Plan, &mut Blocks) = |plan, _| plan.phases[0].tensors[0].tasklets = 2;
        assert!(write(shared).contains("{tid}"));
        assert_eq!(read(shared), "", "reads may share");
        let lanes: fn(&mut Plan, &mut Blocks) = |plan, _| plan.lanes = 2;
        assert!(write(lanes).contains("--io-parallel 1"));
        assert_eq!(read(lanes), "");
        let in_order = |plan: &mut Plan, blocks: &mut Blocks| {
            plan.lanes = 2;
            blocks.pattern = Pattern::Sequential;
            blocks.covers = false;
        };
        assert_eq!(write(in_order), "", "each lane has its own part");
    }

    #[test]
    fn blocks_of_several_sizes_are_verified_in_the_largest_common_part() {
        let sizes = |list: &[u32]| {
            let share = |bytes: &u32| SizeShare { bytes: *bytes, percent: 1 };
            Blocks { sizes: list.iter().map(share).collect(), ..Blocks::new(Pattern::Random) }
        };
        assert_eq!(sizes(&[]).verified_bytes(1 << 20), 1 << 20);
        assert_eq!(sizes(&[4096, 65536]).verified_bytes(65536), 4096);
        assert_eq!(sizes(&[12288, 8192]).verified_bytes(12288), 4096);
    }
}
