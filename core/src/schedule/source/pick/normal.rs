//! Most requests around the middle of the range.

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use super::{DRAWS_MAX, block_at, fraction, positive_fraction};

/// fio's `normal:σ`: the mean is the middle of the range, the standard deviation `σ` percent of it.
/// What would fall outside is drawn again. Neighbours stay neighbours.
///
/// fio takes the mean of twelve uniform numbers, which deviates by 8.3 % already, adds a uniform
/// one as wide as σ, and hashes the sum, so that it has no middle at all; here the name means what
/// it says.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Normal {
    blocks: u64,
    mean: f64,
    deviation: f64,
}

impl Normal {
    /// Over `blocks` blocks, with a deviation of `sigma_percent` (above 0, at most 100) of them.
    pub(in crate::schedule) fn new(blocks: u64, sigma_percent: f64) -> Self {
        let range = blocks as f64;
        Self { blocks, mean: range / 2.0, deviation: range * sigma_percent / 100.0 }
    }

    /// The next block, by the method of G. Box and M. Muller (1958).
    pub(in crate::schedule) fn pick(&self, rng: &mut Xoshiro256Plus) -> u64 {
        let range = self.blocks as f64;
        for _draw in 0..DRAWS_MAX {
            let radius = (-2.0 * libm::log(positive_fraction(rng.next_u64()))).sqrt();
            let angle = std::f64::consts::TAU * fraction(rng.next_u64());
            let place = self.mean + self.deviation * radius * libm::cos(angle);
            if (0.0..range).contains(&place) {
                return block_at(place, self.blocks);
            }
        }
        block_at(self.mean, self.blocks)
    }
}
