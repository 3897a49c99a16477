//! Random choices of tests.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A seeded generator with the choices that rounds make.
#[derive(Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// Choices that follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// When that is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// When that is 0.
    pub fn below_u64(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// True once in `times`.
    ///
    /// # Panics
    /// When that is 0.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of `list`.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let count = u32::try_from(list.len()).expect("a short list");
        list[self.below(count) as usize]
    }

    /// A number from 1 to `most`: small, near a power of two, or any.
    ///
    /// # Panics
    /// When `most` is 0.
    pub fn size(&mut self, most: u32) -> u32 {
        let size = match self.below(3) {
            0 => 1 + self.below(8),
            1 => (1 << self.below(most.ilog2() + 1)) + self.below(3) - 1,
            _ => 1 + self.below(most),
        };
        size.clamp(1, most)
    }
}
