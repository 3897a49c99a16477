//! Passes over a range, each of which asks for every block once, in an order of its own.

use rand_core::Rng;

use super::pick::Permutation;
use super::share::{Share, StreamName};

/// One lane's part of the passes. All lanes of a tasklet follow the same order, each a part of it,
/// so that together they ask for every block once.
#[derive(Debug)]
pub(super) struct Passes {
    order: Permutation,
    /// The stream that all lanes of the tasklet take their orders from.
    name: StreamName,
    blocks: u64,
    /// The lane's part of each pass.
    first: u64,
    count: u64,
    /// How many of it were asked for.
    done: u64,
    /// Passes that are over.
    passed: u64,
}

/// The number of the generator that orders come from.
const ORDERS: u32 = 1;

impl Passes {
    pub(super) fn new(share: &Share, name: StreamName) -> Self {
        let name = StreamName { lane: 0, ..name };
        let Share { blocks, first_of_pass: first, part_of_pass: count, .. } = *share;
        let order = order(blocks, name, 0);
        Self { order, name, blocks, first, count, done: 0, passed: 0 }
    }

    /// Gives out the next blocks, each as `place` has its number.
    #[inline]
    pub(super) fn fill(&mut self, mut out: &mut [u64], place: impl Fn(u64) -> u64 + Copy) {
        while !out.is_empty() {
            if self.done == self.count {
                self.done = 0;
                self.passed += 1;
                self.order = order(self.blocks, self.name, self.passed);
            }
            let rest = usize::try_from(self.count - self.done).unwrap_or(usize::MAX);
            let (now, later) = out.split_at_mut(rest.min(out.len()));
            self.order.fill(self.first + self.done, now, place);
            self.done += now.len() as u64;
            out = later;
        }
    }
}

/// The order of pass `number`.
fn order(blocks: u64, name: StreamName, number: u64) -> Permutation {
    let mut generator = name.generator_of(ORDERS);
    let mut key = || generator.next_u64() ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Permutation::new(blocks, [key(), key()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Blocks, Direction, Pattern};

    const NAME: StreamName = StreamName { seed: 3, tid: 1, lane: 0, loop_index: 2 };

    #[test]
    fn the_lanes_of_a_tasklet_ask_for_every_block_once_per_pass_in_another_order_each() {
        let access = Blocks::new(Pattern::Random);
        for (blocks, lanes) in [(1, 1), (7, 1), (64, 3), (1000, 7)] {
            let shares = Share::split(Direction::Read, &access, blocks * 512, 512, lanes);
            let mut passes = vec![Vec::new(); 3];
            for (lane, share) in (0..).zip(&shares) {
                let mut mine = Passes::new(share, StreamName { lane, ..NAME });
                for pass in &mut passes {
                    let mut out = vec![0; usize::try_from(share.part_of_pass).unwrap()];
                    mine.fill(&mut out, |block| block);
                    pass.extend(out);
                }
            }
            assert!(blocks < 64 || passes[0] != passes[1] && passes[1] != passes[2]);
            for pass in &mut passes {
                pass.sort_unstable();
                assert!(pass.iter().copied().eq(0..blocks));
            }
        }
    }

    #[test]
    fn pieces_of_any_length_make_the_same_passes() {
        let share =
            &Share::split(Direction::Read, &Blocks::new(Pattern::Random), 1000 * 512, 512, 1)[0];
        let (mut whole, mut pieces) = (vec![0; 2500], vec![0; 2500]);
        Passes::new(share, NAME).fill(&mut whole, |block| block);
        let mut passes = Passes::new(share, NAME);
        pieces.chunks_mut(7).for_each(|piece| passes.fill(piece, |block| block));
        assert_eq!(whole, pieces);
    }
}
