//! Few blocks very often, the others ever more rarely.

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use super::{DRAWS_MAX, Permutation, fraction};

/// fio's `zipf:θ`: the block of rank r (from 1) is asked for in proportion to r^-θ.
///
/// By rejection-inversion (W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates
/// from monotone discrete distributions", 1996), which needs no sum over all ranks: fio adds up
/// 10^7 of them and no more, and its formula for what lies behind the second rank is approximate
/// and knows no θ = 1. The ranks are scattered over the range by a permutation, where fio hashes
/// them, which puts several on one block and none on others.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Zipf {
    scatter: Permutation,
    area: Area,
    blocks: f64,
    /// The area under the curve, from a little below rank 1 to behind the last.
    from: f64,
    to: f64,
    /// A place so little below its rank is under the curve always.
    squeeze: f64,
}

impl Zipf {
    /// Over `blocks` blocks, with exponent `theta` above 0. The permutation `key` says which blocks
    /// are the hot ones.
    pub(in crate::schedule) fn new(blocks: u64, theta: f64, key: [u64; 2]) -> Self {
        let (area, count) = (Area { theta }, blocks as f64);
        Self {
            scatter: Permutation::new(blocks, key),
            area,
            blocks: count,
            from: area.up_to(1.5) - 1.0,
            to: area.up_to(count + 0.5),
            squeeze: 2.0 - area.end(area.up_to(2.5) - area.height(2.0)),
        }
    }

    /// The next block.
    pub(in crate::schedule) fn pick(&self, rng: &mut Xoshiro256Plus) -> u64 {
        self.scatter.at(self.rank(rng))
    }

    /// The next rank, from 0.
    pub(super) fn rank(&self, rng: &mut Xoshiro256Plus) -> u64 {
        for _draw in 0..DRAWS_MAX {
            let under = self.to + fraction(rng.next_u64()) * (self.from - self.to);
            let place = self.area.end(under);
            let rank = (place + 0.5).floor().clamp(1.0, self.blocks);
            let near = rank - place <= self.squeeze || rank > FLAT;
            if near || under >= self.area.up_to(rank + 0.5) - self.area.height(rank) {
                return rank as u64 - 1;
            }
        }
        0
    }
}

/// The area under x^-θ.
#[derive(Clone, Copy, Debug)]
struct Area {
    theta: f64,
}

impl Area {
    fn height(self, x: f64) -> f64 {
        libm::exp(-self.theta * libm::log(x))
    }

    /// From 1 to `x`: (x^(1-θ) - 1) / (1-θ), and ln x for θ = 1, written so that it is exact beside
    /// 1, too.
    fn up_to(self, x: f64) -> f64 {
        let log = libm::log(x);
        let power = (1.0 - self.theta) * log;
        if power.abs() < TINY { log } else { libm::expm1(power) / power * log }
    }

    /// Where an area that begins at 1 ends.
    fn end(self, area: f64) -> f64 {
        // Below -1, which only rounding can reach, there is no logarithm.
        let power = ((1.0 - self.theta) * area).max(-1.0);
        let log = if power.abs() < TINY { area } else { libm::log1p(power) / power * area };
        libm::exp(log)
    }
}

/// Behind it, the curve is a straight line from one rank to the next, as far as 53 bits can tell,
/// and the areas are too large to be compared.
const FLAT: f64 = (1 << 27) as f64;

/// Below it, a second term is no longer seen in the sum.
const TINY: f64 = 1e-16;
