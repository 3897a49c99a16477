//! A fixed share of the requests to a fixed share of the blocks, and the same again among those.

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use super::{Permutation, block_at, fraction};

/// fio's `pareto:h`, the self-similar distribution of J. Gray et al. ("Quickly generating
/// billion-record synthetic databases", 1994): of all requests, 1 - h go to a share h of the
/// blocks, so 80 % to 20 % for `pareto:0.2`, and of these again 80 % to 20 %. For h above 0.5 it is
/// the mirror image. The places are scattered over the range by a permutation, where fio hashes
/// them.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Pareto {
    scatter: Permutation,
    blocks: u64,
    power: f64,
}

impl Pareto {
    /// Over `blocks` blocks, with `h` between 0 and 1. The permutation `key` says which blocks are
    /// the hot ones.
    pub(in crate::schedule) fn new(blocks: u64, h: f64, key: [u64; 2]) -> Self {
        let power = libm::log(h) / libm::log1p(-h);
        Self { scatter: Permutation::new(blocks, key), blocks, power }
    }

    /// The next block.
    pub(in crate::schedule) fn pick(&self, rng: &mut Xoshiro256Plus) -> u64 {
        self.scatter.at(self.place(rng))
    }

    /// The next place before it is scattered.
    pub(super) fn place(&self, rng: &mut Xoshiro256Plus) -> u64 {
        let share = libm::pow(fraction(rng.next_u64()), self.power);
        block_at(share * self.blocks as f64, self.blocks)
    }
}
