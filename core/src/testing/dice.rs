//! Random choices.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A seeded generator with the choices that rounds make.
#[derive(Debug)]
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below_u64(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// True once in `times`.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of `list`.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let count = u32::try_from(list.len()).expect("a short list");
        list[self.below(count) as usize]
    }

    /// A number from 1 to `most`: small, near a power of two, or any.
    pub(super) fn size(&mut self, most: u32) -> u32 {
        let size = match self.below(3) {
            0 => 1 + self.below(8),
            1 => (1 << self.below(most.ilog2() + 1)) + self.below(3) - 1,
            _ => 1 + self.below(most),
        };
        size.clamp(1, most)
    }
}
