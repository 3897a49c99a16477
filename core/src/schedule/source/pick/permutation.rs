//! A random order in which each block of a range comes once, in no memory.

/// A keyed bijection of `0..blocks`, for at most 2^52 blocks.
///
/// It works on the next power of two, on numbers x of k bits: x a + b with a odd, and then twice
/// x (2x + c) with c odd, which permutes the numbers modulo 2^k (R. Rivest, "Permutation
/// polynomials modulo 2^w", 2001) and mixes their upper bits well, followed by an exclusive or of
/// the upper half into the lower, which can be undone. What falls behind the range is sent through
/// again until it falls inside (a cycle walk, J. Black and P. Rogaway, 2002): twice at most, on
/// average.
///
/// It is as random as a benchmark needs, and no cipher: two indices that lie exactly a half, a
/// quarter, an eighth and so on of 2^k apart have blocks that still know of each other, the less
/// the nearer the two are. A third round would cure that, at half the cost again for each request.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Permutation {
    blocks: u64,
    mask: u64,
    shift: u32,
    /// Whether 32 bits are enough. Kept, because a compiler that sees the mask compared concludes
    /// that half a product needs no halves of factors, and takes the slower whole ones.
    narrow: bool,
    stride: u64,
    start: u64,
    /// One for each round.
    odd: [u64; 2],
}

impl Permutation {
    /// The permutation `key` of `0..blocks`. Keys that differ give permutations that look
    /// unrelated, however near to each other they are.
    ///
    /// # Panics
    ///
    /// When there are no blocks, or more than 2^52.
    pub(in crate::schedule) fn new(blocks: u64, key: [u64; 2]) -> Self {
        assert!((1..=1 << 52).contains(&blocks), "a range has 1 to 2^52 blocks, not {blocks}");
        let bits = u64::BITS - (blocks - 1).leading_zeros();
        let mut state = key[0] ^ scramble(key[1].wrapping_add(GOLDEN));
        let mut next = || {
            state = state.wrapping_add(GOLDEN);
            scramble(state)
        };
        Self {
            blocks,
            mask: (1 << bits) - 1,
            // At least 1: a shift by 0 cannot be undone.
            shift: bits.div_ceil(2).max(1),
            narrow: bits <= 32,
            stride: next() | 1,
            start: next(),
            odd: [next() | 1, next() | 1],
        }
    }

    /// The block at `index`, which is less than the number of blocks.
    pub(in crate::schedule) fn at(&self, index: u64) -> u64 {
        debug_assert!(index < self.blocks, "each index of a pass is below {}", self.blocks);
        self.inside(self.mixed::<false>(self.line(index)))
    }

    /// The blocks from `first_index` on, each as `place` has it: `at` for as many in a row, none of
    /// them behind the last.
    ///
    /// Up to 2^32 blocks, processors of any age can do several at once. They can when `place` does
    /// no more than multiply by a `u32`, widened, and add.
    #[inline]
    pub(in crate::schedule) fn fill(
        &self,
        first_index: u64,
        out: &mut [u64],
        place: impl Fn(u64) -> u64,
    ) {
        debug_assert!(first_index <= self.blocks && out.len() as u64 <= self.blocks - first_index);
        if self.mask + 1 == self.blocks {
            self.fill_mixed(first_index, out, place);
        } else {
            self.fill_mixed(first_index, out, |block| block);
            for slot in out {
                *slot = place(self.inside(*slot));
            }
        }
    }

    #[inline]
    fn fill_mixed(&self, first_index: u64, out: &mut [u64], place: impl Fn(u64) -> u64) {
        if self.narrow {
            self.fill_width::<true>(first_index, out, place);
        } else {
            self.fill_width::<false>(first_index, out, place);
        }
    }

    #[inline]
    fn fill_width<const NARROW: bool>(
        &self,
        first_index: u64,
        out: &mut [u64],
        place: impl Fn(u64) -> u64,
    ) {
        let whole = *self;
        let mut x = whole.line(first_index);
        for slot in out {
            *slot = place(whole.mixed::<NARROW>(x));
            x = x.wrapping_add(whole.stride);
        }
    }

    /// What is mixed: its bits behind the mask do not matter.
    #[inline]
    fn line(&self, index: u64) -> u64 {
        index.wrapping_mul(self.stride).wrapping_add(self.start)
    }

    /// The two rounds. A `NARROW` one multiplies what fits into 32 bits.
    #[inline]
    fn mixed<const NARROW: bool>(&self, x: u64) -> u64 {
        let Self { mask, shift, odd, .. } = *self;
        let half = |number: u64| if NARROW { number & LOW_HALF } else { number };
        let round = |x: u64, odd: u64| {
            let product = half(x).wrapping_mul(half((x << 1).wrapping_add(odd))) & mask;
            product ^ (product >> shift)
        };
        half(round(round(x, odd[0]), odd[1]))
    }

    /// Goes on along the cycle until it is in the range. The cycle goes through the index that was
    /// asked for, which is in it, so there is an end.
    #[inline]
    fn inside(&self, mut block: u64) -> u64 {
        while block >= self.blocks {
            block = self.mixed::<false>(self.line(block));
        }
        block
    }
}

const LOW_HALF: u64 = u32::MAX as u64;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// `SplitMix64`'s output function.
fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYS: [[u64; 2]; 5] =
        [[0, 0], [0, 1], [1, 0], [u64::MAX, u64::MAX], [0x1234_5678_9ABC_DEF0, 42]];

    fn first(blocks: u64, key: [u64; 2], count: usize) -> Vec<u64> {
        let mut out = vec![0; count];
        Permutation::new(blocks, key).fill(0, &mut out, |block| block);
        out
    }

    #[test]
    fn each_block_of_every_small_range_comes_once() {
        for blocks in 1..=5000_u64 {
            for key in KEYS {
                let mut seen = vec![false; usize::try_from(blocks).unwrap()];
                for block in first(blocks, key, seen.len()) {
                    let before =
                        std::mem::replace(&mut seen[usize::try_from(block).unwrap()], true);
                    assert!(!before, "block {block} of {blocks} came twice, key {key:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_block_of_a_large_range_comes_twice(
            blocks in (1_u64 << 20)..=1 << 52,
            power in any::<bool>(),
            key in any::<[u64; 2]>(),
            start in any::<u64>(),
        ) {
            let blocks = if power { blocks.next_power_of_two().min(1 << 52) } else { blocks };
            let start = start % (blocks - 4000);
            let mut out = vec![0; 4000];
            Permutation::new(blocks, key).fill(start, &mut out, |block| block);
            prop_assert!(out.iter().all(|block| *block < blocks));
            out.sort_unstable();
            prop_assert!(out.windows(2).all(|pair| pair[0] != pair[1]));
        }

        #[test]
        fn a_filled_batch_is_what_single_indices_give(
            blocks in 1_u64..=1 << 52,
            power in any::<bool>(),
            key in any::<[u64; 2]>(),
            start in any::<u64>(),
        ) {
            let blocks = if power { blocks.next_power_of_two().min(1 << 52) } else { blocks };
            let permutation = Permutation::new(blocks, key);
            let start = start % blocks;
            let mut out = vec![0; usize::try_from((blocks - start).min(64)).unwrap()];
            permutation.fill(start, &mut out, |block| 5 * block + 3);
            for (index, block) in (start..).zip(out) {
                prop_assert_eq!(block, 5 * permutation.at(index) + 3);
            }
        }
    }

    /// How far counts are from equal, in standard deviations of what chance would give.
    fn unevenness(cells: impl Iterator<Item = u64>) -> f64 {
        let mut counts = [0_u32; 64];
        let mut all = 0;
        for cell in cells {
            counts[usize::try_from(cell).unwrap()] += 1;
            all += 1;
        }
        let expected = f64::from(all) / 64.0;
        let chi_square: f64 =
            counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        (chi_square - 63.0) / (2.0_f64 * 63.0).sqrt()
    }

    #[test]
    fn the_order_looks_random_in_its_upper_and_lower_bits_and_in_its_gaps() {
        for (bits, key) in [14, 16, 20, 21, 28, 40, 52].iter().flat_map(|b| KEYS.map(|k| (*b, k))) {
            let blocks = 1_u64 << bits;
            let order = first(blocks, key, 1 << (bits - 1).min(16));
            let upper = |block: u64, count: u32| block >> (bits - count);
            let lower = |block: u64, count: u32| block & ((1 << count) - 1);
            let gap = |from: u64, to: u64| to.wrapping_sub(from) & (blocks - 1);
            for lag in [1, 2, 3, 7, 100, 1000] {
                let pairs = || order.iter().zip(&order[lag..]).map(|(from, to)| (*from, *to));
                let results = [
                    unevenness(pairs().map(|(a, b)| upper(a, 3) << 3 | upper(b, 3))),
                    unevenness(pairs().map(|(a, b)| lower(a, 3) << 3 | lower(b, 3))),
                    unevenness(pairs().map(|(a, b)| upper(a, 3) << 3 | lower(b, 3))),
                    unevenness(pairs().map(|(a, b)| upper(gap(a, b), 6))),
                    unevenness(pairs().map(|(a, b)| lower(gap(a, b), 6))),
                ];
                assert!(
                    results.iter().all(|result| *result < 6.0),
                    "2^{bits} blocks, key {key:?}, {lag} apart: {results:?}"
                );
            }
        }
    }

    #[test]
    fn neighbours_are_no_nearer_and_strides_no_more_frequent_than_by_chance() {
        for key in KEYS {
            for blocks in [1_u64 << 16, 50_000] {
                let order = first(blocks, key, 40_000);
                let mut gaps: Vec<u64> =
                    order.windows(2).map(|pair| pair[0].abs_diff(pair[1])).collect();
                // A pair of random blocks is nearer than 1 % of the range in 2 % of all cases.
                let near = gaps.iter().filter(|gap| **gap < blocks / 100).count();
                assert!((600..1000).contains(&near), "{near} near pairs of {blocks}, key {key:?}");
                gaps.sort_unstable();
                let most = gaps.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
                // One or two of a kind on average.
                assert!(most < Some(16), "{most:?} equal gaps of {blocks}, key {key:?}");
            }
        }
    }

    #[test]
    fn permutations_of_different_keys_have_no_more_in_common_than_chance_gives() {
        let blocks = 1 << 14;
        for (index, key) in KEYS.iter().enumerate() {
            for other in &KEYS[..index] {
                let (one, two) = (first(blocks, *key, 16_384), first(blocks, *other, 16_384));
                let same = one.iter().zip(&two).filter(|(a, b)| a == b).count();
                assert!(same <= 8, "{same} blocks at the same place, {key:?} and {other:?}");
                let shift = |(a, b): (&u64, &u64)| (b.wrapping_sub(*a) & (blocks - 1)) >> 8;
                let shifts = unevenness(one.iter().zip(&two).map(shift));
                assert!(shifts < 6.0, "a shift is frequent, {key:?} and {other:?}: {shifts}");
            }
        }
    }
}
