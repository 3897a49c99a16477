//! Sums of numbers whose signs are thrown by coins: what chance alone makes of them.
//!
//! Both the sign-flip test and the interval of [`paired`](super::paired()) ask for these.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Up to so many numbers, every choice of signs is counted; more have a sample of them.
pub(super) const EXACT_MAX: usize = 30;
/// Choices of signs in the sample of a test. With one more, the smallest p-value is 0.00001.
pub(super) const DRAWS: u32 = 99_999;
/// So many choices that are as far end the sample: as many as a share of 1 % has.
const FAR_ENOUGH: u32 = 1000;
/// Up to so many numbers, a quantile is that of every choice of signs.
const QUANTILE_EXACT_MAX: usize = 12;
/// Choices of signs in the sample of a quantile.
pub(super) const QUANTILE_DRAWS: usize = 2000;
const SEED: u64 = 0x0005_1647_F11B;
/// Sums that are nearer to each other than so many shares of the sum of all magnitudes are equal:
/// several thousand times what rounding can do to them.
pub(super) const TIE: f64 = 1e-10;
/// Signs that are looked up at once.
const BLOCK: usize = 8;

/// The share of all choices of signs for which the sum of `values` is at least as far from 0 as it
/// is. The order of the values makes no difference.
pub(super) fn share_as_far(values: &[f64]) -> f64 {
    let values = by_magnitude(values);
    let sum: f64 = values.iter().sum();
    let tie = TIE * values.iter().map(|value| value.abs()).sum::<f64>();
    let bar = sum.abs() - tie;
    if bar <= 0.0 {
        1.0
    } else if values.len() <= EXACT_MAX {
        let (one, other) = values.split_at(values.len() / 2);
        2.0 * share_of_pairs(&sorted_sums(one), &sorted_sums(other), bar)
    } else {
        sampled_share(Draws::new(&values, SEED).map(|sum| sum.abs() >= bar))
    }
}

/// The share of a sample that is as far, of which the one that was seen is part. The sample ends
/// early when its share is known to 3 % (Besag and Clifford, Biometrika 78, 1991, page 301), which
/// is never the case with shares below 1 %.
pub(super) fn sampled_share(sample: impl Iterator<Item = bool>) -> f64 {
    let mut far = 0;
    for (drawn, is_far) in (1..=DRAWS).zip(sample) {
        far += u32::from(is_far);
        if far == FAR_ENOUGH {
            return f64::from(far) / f64::from(drawn);
        }
    }
    f64::from(1 + far) / f64::from(1 + DRAWS)
}

/// The smallest value that [`share_as_far`] can have for `count` values.
pub(super) fn least_share(count: usize) -> f64 {
    if count <= EXACT_MAX {
        i32::try_from(count).map_or(0.0, |count| libm::scalbn(2.0, -count)).min(1.0)
    } else {
        1.0 / f64::from(1 + DRAWS)
    }
}

/// What `share` of the choices of signs keep the magnitude of the sum of `values` at or below.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let values = by_magnitude(values);
    let sums: Vec<f64> = if values.len() <= QUANTILE_EXACT_MAX {
        // The other half of the choices have the same magnitudes.
        sorted_sums(&values[..values.len() - 1])
            .iter()
            .map(|sum| sum + values[values.len() - 1])
            .collect()
    } else {
        Draws::new(&values, SEED).take(QUANTILE_DRAWS).collect()
    };
    nth(sums.into_iter().map(f64::abs).collect(), share)
}

/// The smallest of `values`, of which there are some, that `share` of them do not exceed.
pub(super) fn nth(mut values: Vec<f64>, share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some thousand values")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below their count"
    )]
    let index = (share * values.len() as f64).ceil() as usize;
    let index = index.clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(index, f64::total_cmp).1
}

fn by_magnitude(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    values
}

/// The sums for every choice of signs, in ascending order.
fn sorted_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values.iter().map(|value| value.abs()) {
        sums = merged(&sums, value);
    }
    sums
}

/// Each of `sums` less `value`, and each of them and `value`, in ascending order.
fn merged(sums: &[f64], value: f64) -> Vec<f64> {
    let mut both = Vec::with_capacity(2 * sums.len());
    let mut ahead = sums.iter().map(|sum| sum - value).peekable();
    for sum in sums.iter().map(|sum| sum + value) {
        while let Some(less) = ahead.next_if(|less| *less <= sum) {
            both.push(less);
        }
        both.push(sum);
    }
    both
}

/// The share of pairs, one of each list in ascending order, whose sum is at least `bar`.
#[expect(clippy::cast_precision_loss, reason = "at most 2^30 pairs")]
fn share_of_pairs(ones: &[f64], others: &[f64], bar: f64) -> f64 {
    let mut pairs = 0;
    let mut first = others.len();
    for one in ones {
        while first > 0 && one + others[first - 1] >= bar {
            first -= 1;
        }
        pairs += others.len() - first;
    }
    pairs as f64 / (ones.len() * others.len()) as f64
}

/// Sums with signs that are drawn, always the same ones for the same seed.
pub(super) struct Draws {
    random: Xoshiro256PlusPlus,
    /// The sums of a few values each for every choice of their signs.
    tables: Vec<Vec<f64>>,
}

impl Draws {
    pub(super) fn new(values: &[f64], seed: u64) -> Self {
        let table = |block: &[f64]| {
            let double = |sums: Vec<f64>, value: &f64| {
                sums.iter().flat_map(|sum| [sum - value, sum + value]).collect()
            };
            block.iter().fold(vec![0.0], double)
        };
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            tables: values.chunks(BLOCK).map(table).collect(),
        }
    }
}

impl Iterator for Draws {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let mut sum = 0.0;
        for tables in self.tables.chunks(BLOCK) {
            let signs = self.random.next_u64().to_le_bytes();
            for (table, signs) in tables.iter().zip(signs) {
                // The last table may be shorter; it is as long as a power of two.
                sum += table[usize::from(signs) & (table.len() - 1)];
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by going through all choices.
    fn share_by_hand(values: &[f64]) -> f64 {
        let sum: f64 = values.iter().sum();
        let far = (0_u32..1 << values.len()).filter(|signs| {
            let signed = |(index, value): (usize, &f64)| {
                if signs >> index & 1 == 1 { -value } else { *value }
            };
            let flipped: f64 = values.iter().enumerate().map(signed).sum();
            flipped.abs() >= sum.abs() - 1e-9
        });
        f64::from(u32::try_from(far.count()).unwrap()) / f64::from(1_u32 << values.len())
    }

    #[test]
    fn signs_that_all_agree_are_as_rare_as_can_be() {
        for count in 1..=40 {
            let values: Vec<f64> = (1_u8..=count).map(f64::from).collect();
            let least = least_share(values.len());
            assert!((share_as_far(&values) - least).abs() < 1e-15, "{count}");
        }
        assert!((least_share(10) - 2.0 / 1024.0).abs() < f64::EPSILON);
    }

    #[test]
    fn equal_sums_count_as_equal_whatever_rounding_does() {
        // All but one of ten agree: 2 (1 + 10) of 1024 choices are as far from 0.
        let mut values = [0.1; 10];
        values[3] = -0.1;
        assert!((share_as_far(&values) - 22.0 / 1024.0).abs() < 1e-12);
        assert!((share_as_far(&[0.0; 10]) - 1.0).abs() < f64::EPSILON);
        assert!((share_as_far(&[0.3, -0.1, -0.2]) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_sample_comes_to_what_counting_does() {
        let values: Vec<f64> = (0_u8..28).map(|index| libm::sin(f64::from(index)) + 0.25).collect();
        let exact = share_as_far(&values);
        // Three numbers too small to matter make it one that is sampled.
        let sampled = share_as_far(&[&values[..], &[1e-9; 3]].concat());
        assert!(exact > 0.01 && exact < 0.2, "{exact}");
        assert!((exact / sampled - 1.0).abs() < 0.15, "{exact} {sampled}");
    }

    #[test]
    fn a_quantile_is_that_of_all_choices() {
        // Of ten ones, 2 of 1024 choices sum up to 10 and 20 to 8; 90 to 6.
        assert!((quantile(&[1.0; 10], 0.95) - 6.0).abs() < 1e-12);
        assert!((quantile(&[1.0; 10], 0.98) - 8.0).abs() < 1e-12);
        assert!((quantile(&[1.0; 10], 1.0) - 10.0).abs() < 1e-12);
        // Many ones are nearly normal: 1.96 times the root of 100, on a grid of 2.
        assert!((quantile(&[1.0; 100], 0.95) - 20.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn two_halves_count_as_all_choices_do(values in prop::collection::vec(-9_i8..9, 1..13)) {
            let values: Vec<f64> = values.into_iter().map(|value| f64::from(value) / 7.0).collect();
            prop_assert!((share_as_far(&values) - share_by_hand(&values)).abs() < 1e-12);
        }
    }
}
