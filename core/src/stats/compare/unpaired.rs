//! Two sets of rounds that ran at different times.
//!
//! As in [`paired`](super::paired()), all is done on logarithms, and the ratio is that of geometric
//! means.
//!
//! **The test** permutes: if both sets are the same, any choice of rounds could have been the one
//! set. Of all choices, the p-value is the share of those whose means are at least as far apart as
//! those that were seen. It is exact where there are at most 200,000 choices (ten rounds on each
//! side), and sampled above. Five rounds on each side can decide one comparison at 1 %.
//!
//! **The interval** is a studentized wild bootstrap, as in the paired case, with a standard error
//! that allows the sets different noise (Welch's).
//!
//! Neither can know what changed between the sets beside the contestant: noise that lasts longer
//! than a round makes the rounds of a set alike, and then far more differences are found than the
//! level says. That is what taking turns is for.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Paired;
use super::paired::{CONFIDENCE, SAME, level_of_each, logs, mean};
use super::signs::{DRAWS, Draws, QUANTILE_DRAWS, TIE, nth, sampled_share};

/// With more choices of rounds, a sample of them is counted.
const CHOICES_MAX: u64 = 200_000;
/// The fewest rounds on each side that have an interval.
const ROUNDS_MIN: usize = 5;
const SEED: u64 = 0x0050_E127_ED00;

/// The ratio of `other` to `base`, where no round of one belongs to a round of the other; `None`
/// when one of them is empty, or a value is not above 0. Its rounds are those of the smaller set.
#[must_use]
pub fn unpaired(base: &[f64], other: &[f64]) -> Option<Paired> {
    let (base, other) = (Set::new(&logs(base)?)?, Set::new(&logs(other)?)?);
    let difference = other.mean - base.mean;
    let half = half_width(&base, &other);
    Some(Paired {
        ratio: libm::exp(difference),
        low: half.map(|half| libm::exp(difference - half)),
        high: half.map(|half| libm::exp(difference + half)),
        p_value: share_as_far(&base.logs, &other.logs),
        p_value_least: least_share(base.logs.len(), other.logs.len()),
        rounds: u32::try_from(base.logs.len().min(other.logs.len())).unwrap_or(u32::MAX),
    })
}

/// The fewest rounds on each side with which a family of `comparisons` can come to a verdict at
/// `level`, where contestants did not take turns; 4294967295 when no number of rounds can.
#[must_use]
pub fn rounds_per_side_to_decide(comparisons: usize, level: f64) -> u32 {
    let level = level_of_each(comparisons, level);
    (ROUNDS_MIN..20)
        .find(|rounds| least_share(*rounds, *rounds) <= level)
        .and_then(|rounds| u32::try_from(rounds).ok())
        .unwrap_or(u32::MAX)
}

/// The rounds of one side, in ascending order.
struct Set {
    logs: Vec<f64>,
    mean: f64,
    deviations: Vec<f64>,
    squares: f64,
}

impl Set {
    fn new(logs: &[f64]) -> Option<Self> {
        let mut logs = logs.to_vec();
        logs.sort_by(f64::total_cmp);
        let mean = mean(&logs)?;
        let mut deviations: Vec<f64> = logs.iter().map(|log| log - mean).collect();
        if deviations.iter().all(|deviation| deviation.abs() <= SAME) {
            deviations.fill(0.0);
        }
        let squares = deviations.iter().map(|deviation| deviation * deviation).sum();
        Some(Self { logs, mean, deviations, squares })
    }

    #[expect(clippy::cast_precision_loss, reason = "a few rounds")]
    fn count(&self) -> f64 {
        self.logs.len() as f64
    }

    /// The square of the standard error of its mean, were its mean off by `shift`.
    fn error_squared(&self, shift: f64) -> f64 {
        let count = self.count();
        (self.squares - count * shift * shift).max(0.0) / (count - 1.0) / count
    }
}

/// Half the width of the interval of the difference of means, in logarithms.
fn half_width(base: &Set, other: &Set) -> Option<f64> {
    if base.logs.len().min(other.logs.len()) < ROUNDS_MIN {
        return None;
    }
    let error = (base.error_squared(0.0) + other.error_squared(0.0)).sqrt();
    if error <= 0.0 {
        return Some(0.0);
    }
    let draws = Draws::new(&base.deviations, SEED).zip(Draws::new(&other.deviations, SEED + 1));
    let t = |(of_base, of_other): (f64, f64)| {
        let (base_shift, other_shift) = (of_base / base.count(), of_other / other.count());
        let error = base.error_squared(base_shift) + other.error_squared(other_shift);
        (other_shift - base_shift).abs() / error.sqrt()
    };
    let half = error * nth(draws.take(QUANTILE_DRAWS).map(t).collect(), CONFIDENCE);
    half.is_finite().then_some(half)
}

/// The share of all choices of as many rounds as `base` has whose mean is at least as far from that
/// of the rest as the mean of `base` is from that of `other`.
fn share_as_far(base: &[f64], other: &[f64]) -> f64 {
    let (few, many) = if base.len() <= other.len() { (base, other) } else { (other, base) };
    let mut all = [few, many].concat();
    all.sort_by(f64::total_cmp);
    let centre = mean(&all).unwrap_or_default();
    // With the mean of all taken off, the distance of the means is a multiple of this sum.
    let sum: f64 = few.iter().map(|log| log - centre).sum();
    for log in &mut all {
        *log -= centre;
    }
    let bar = sum.abs() - TIE * all.iter().map(|log| log.abs()).sum::<f64>();
    if bar <= 0.0 {
        return 1.0;
    }
    match choices(few.len(), many.len()) {
        Some(choices) => f64::from(count_far(&all, few.len(), 0.0, bar)) / f64::from(choices),
        None => sampled_share(sampled_sums(all, few.len()).map(|sum| sum.abs() >= bar)),
    }
}

/// The smallest p-value of so many rounds. The choice that is as far on the other side is another
/// one, and is equally far only when both sides have equally many rounds.
fn least_share(base: usize, other: usize) -> f64 {
    let choices = choices(base.min(other), base.max(other));
    let least =
        choices.map_or(0.0, |choices| if base == other { 2.0 } else { 1.0 } / f64::from(choices));
    least.max(1.0 / f64::from(1 + DRAWS)).min(1.0)
}

/// The number of choices of `few` out of `few + many`; `None` above [`CHOICES_MAX`].
fn choices(few: usize, many: usize) -> Option<u32> {
    let (few, many) = (u64::try_from(few).ok()?, u64::try_from(many).ok()?);
    let mut choices = 1;
    for step in 1..=few {
        choices = choices * (many + step) / step;
        if choices > CHOICES_MAX {
            return None;
        }
    }
    u32::try_from(choices).ok()
}

/// How many choices of `left`, at least one, of `logs`, with `sum`, come to `bar` or farther.
fn count_far(logs: &[f64], left: usize, sum: f64, bar: f64) -> u32 {
    if left == 1 {
        return logs.iter().map(|log| u32::from((sum + log).abs() >= bar)).sum();
    }
    let firsts = 0..=logs.len() - left;
    firsts.map(|first| count_far(&logs[first + 1..], left - 1, sum + logs[first], bar)).sum()
}

/// The sums of random choices of `few` of `logs`, without an end.
fn sampled_sums(mut logs: Vec<f64>, few: usize) -> impl Iterator<Item = f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    std::iter::repeat_with(move || {
        for place in 0..few {
            let others = (logs.len() - place) as u64;
            let chosen = (u128::from(random.next_u64()) * u128::from(others)) >> 64;
            logs.swap(place, place + usize::try_from(chosen).expect("it is below a length"));
        }
        logs[..few].iter().sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value(base: &[f64], other: &[f64]) -> f64 {
        unpaired(base, other).unwrap().p_value
    }

    #[test]
    fn sets_that_do_not_overlap_are_as_rare_as_can_be() {
        let base = [1.0, 1.1, 1.2, 1.3, 1.4];
        let other = [2.0, 2.1, 2.2, 2.3, 2.4];
        let result = unpaired(&base, &other).unwrap();
        assert!((result.p_value - 2.0 / 252.0).abs() < 1e-15);
        assert!((result.p_value_least - result.p_value).abs() < 1e-15);
        assert_eq!(result.rounds, 5);
        // Of 2 out of 5, only one choice is as far: the other end has other distances.
        assert!((p_value(&[1.0, 1.01], &[2.0, 3.0, 4.0]) - 0.1).abs() < 1e-15);
    }

    #[test]
    fn a_sample_comes_to_what_counting_does() {
        let set = |count: u32, shift: f64| -> Vec<f64> {
            (0..count).map(|index| libm::sin(f64::from(index * index) + shift)).collect()
        };
        let (base, other) = (set(10, 0.0), set(10, 0.4));
        let mut all = [&base[..], &other].concat();
        let centre = mean(&all).unwrap();
        for log in &mut all {
            *log -= centre;
        }
        let bar = all[..10].iter().sum::<f64>().abs() - 1e-9;
        let exact = f64::from(count_far(&all, 10, 0.0, bar)) / 184_756.0;
        let sampled = sampled_share(sampled_sums(all, 10).map(|sum| sum.abs() >= bar));
        assert!(exact > 0.01 && exact < 0.9, "{exact}");
        assert!((exact / sampled - 1.0).abs() < 0.15, "{exact} {sampled}");
    }

    #[test]
    fn five_rounds_a_side_decide_one_comparison_and_six_decide_four() {
        let rounds = |comparisons| rounds_per_side_to_decide(comparisons, 0.01);
        assert_eq!([0, 1, 2, 4, 5].map(rounds), [5, 5, 6, 6, 7]);
        assert_eq!(rounds_per_side_to_decide(1, 0.0), u32::MAX);
    }

    #[test]
    fn rounds_that_are_all_alike_have_a_ratio_without_width() {
        let result = unpaired(&[3.0; 8], &[6.0; 7]).unwrap();
        assert!((result.ratio - 2.0).abs() < 1e-12);
        assert_eq!([result.low, result.high], [Some(result.ratio); 2]);
        assert!(result.p_value < 0.001);
        assert!((p_value(&[3.0; 8], &[3.0; 7]) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_has_no_logarithm_has_no_ratio() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(unpaired(&[1.0, bad], &[1.0]), None);
            assert_eq!(unpaired(&[1.0], &[bad]), None);
        }
        assert_eq!(unpaired(&[], &[1.0]), None);
        assert_eq!(unpaired(&[1.0], &[]), None);
    }
}
