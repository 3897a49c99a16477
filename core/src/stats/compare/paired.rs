//! Two contestants that took turns: the ratio of their rounds.
//!
//! All is done on the logarithms of the ratios of single rounds, so that twice as fast and half as
//! fast are equally far from no difference. The estimate is their mean, which is the geometric mean
//! of the ratios.
//!
//! **The test** flips signs: if both contestants are the same, the log ratio of a round might as
//! well have come out with the other sign. Of all choices of signs, the p-value is the share of
//! those whose sum is at least as far from 0 as the one that was seen. It assumes no distribution;
//! it is exact up to 30 rounds, and sampled above.
//!
//! **The interval** is a studentized wild bootstrap: the deviations from the mean have their signs
//! flipped, and the mean of each such resample is divided by its own standard error. The 95 %
//! quantile of the magnitude takes the place of that of Student's t.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signs;

/// The fewest rounds that have an interval: with five, already the most unlikely choice of signs
/// has a share of 6 %.
pub(super) const INTERVAL_ROUNDS_MIN: usize = 6;
/// What an interval covers.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Log ratios that differ by no more than this are the same, but for rounding.
pub(super) const SAME: f64 = 1e-12;

/// The ratio of one contestant to another over rounds that they took turns in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Paired {
    /// The estimate of the ratio.
    pub ratio: f64,
    /// The lower end of its 95 % bootstrap interval; absent with too few rounds for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How often chance alone makes a ratio at least as far from 1, by an exact sign-flip test, or
    /// a permutation test where contestants did not take turns.
    pub p_value: f64,
    /// The smallest p-value that so many rounds can come to, whatever they measure.
    pub p_value_least: f64,
    /// Rounds that it rests on.
    pub rounds: u32,
}

impl Paired {
    /// How far the ends of its interval lie from the estimate, as a share of that: 0.02 for an
    /// interval from 2 % below to 2 % above. `None` without an interval.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        Some((self.high? / self.low?).sqrt() - 1.0)
    }
}

/// The ratio of `other` to `base`, round by round; `None` when there are no rounds, or not as many
/// of both, or a value is not above 0.
#[must_use]
pub fn paired(base: &[f64], other: &[f64]) -> Option<Paired> {
    if base.len() != other.len() {
        return None;
    }
    let (base, other) = (logs(base)?, logs(other)?);
    let ratios: Vec<f64> = base.iter().zip(&other).map(|(base, other)| other - base).collect();
    let mean = mean(&ratios)?;
    let half = half_width(&ratios, mean);
    Some(Paired {
        ratio: libm::exp(mean),
        low: half.map(|half| libm::exp(mean - half)),
        high: half.map(|half| libm::exp(mean + half)),
        p_value: signs::share_as_far(&ratios),
        p_value_least: signs::least_share(ratios.len()),
        rounds: u32::try_from(ratios.len()).unwrap_or(u32::MAX),
    })
}

/// The fewest rounds with which a family of `comparisons` can come to a verdict at `level`, where
/// contestants took turns; 4294967295 when no number of rounds can.
#[must_use]
pub fn rounds_to_decide(comparisons: usize, level: f64) -> u32 {
    let level = level_of_each(comparisons, level);
    (1..=signs::EXACT_MAX)
        .find(|rounds| signs::least_share(*rounds) <= level)
        .and_then(|rounds| u32::try_from(rounds).ok())
        .unwrap_or(u32::MAX)
}

/// The level of each of `comparisons`, so that the whole family keeps `level` (Bonferroni).
pub(super) fn level_of_each(comparisons: usize, level: f64) -> f64 {
    level / f64::from(u32::try_from(comparisons.max(1)).unwrap_or(u32::MAX))
}

/// The logarithms of `values`; `None` when there are none, or one is not a number above 0.
pub(super) fn logs(values: &[f64]) -> Option<Vec<f64>> {
    let log = |value: &f64| (*value > 0.0 && value.is_finite()).then(|| libm::log(*value));
    values.iter().map(log).collect::<Option<Vec<f64>>>().filter(|logs| !logs.is_empty())
}

/// The mean of `values`; `None` when there are none.
#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Half the width of the interval of the mean of `ratios`, in logarithms.
///
/// A resample has the same sum of squares as the deviations themselves, so its standard error is a
/// function of its sum, and its t rises with the sum. So the quantile of the sums is all it takes.
#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
fn half_width(ratios: &[f64], mean: f64) -> Option<f64> {
    if ratios.len() < INTERVAL_ROUNDS_MIN {
        return None;
    }
    let deviations: Vec<f64> = ratios.iter().map(|ratio| ratio - mean).collect();
    if deviations.iter().all(|deviation| deviation.abs() <= SAME) {
        return Some(0.0);
    }
    let count = ratios.len() as f64;
    let squares: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
    let error = |squares: f64| (squares / (count - 1.0) / count).sqrt();
    let resampled = signs::quantile(&deviations, CONFIDENCE) / count;
    let t = resampled / error(squares - count * resampled * resampled);
    Some(t * error(squares))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::compare::unpaired;

    #[test]
    fn rounds_that_all_agree_decide_as_soon_as_they_can() {
        let rounds = |comparisons| rounds_to_decide(comparisons, 0.01);
        assert_eq!([0, 1, 2, 3, 10, 100].map(rounds), [8, 8, 9, 10, 11, 15]);
        assert_eq!(rounds_to_decide(1, 0.5), 2);
        assert_eq!(rounds_to_decide(1, 0.0), u32::MAX);
        let result = paired(&[2.0; 8], &[3.0; 8]).unwrap();
        assert!((result.p_value - 2.0 / 256.0).abs() < f64::EPSILON);
        assert!((result.p_value_least - result.p_value).abs() < f64::EPSILON);
    }

    #[test]
    fn rounds_that_are_all_alike_have_a_ratio_without_width() {
        let result = paired(&[3.0; 10], &[2.9; 10]).unwrap();
        assert!((result.ratio - 2.9 / 3.0).abs() < 1e-12);
        assert_eq!([result.low, result.high], [Some(result.ratio); 2]);
        let same = paired(&[0.1; 10], &[0.1; 10]).unwrap();
        let one = Some(1.0);
        assert_eq!((same.ratio, same.low, same.high, same.p_value), (1.0, one, one, 1.0));
    }

    #[test]
    fn one_round_that_differs_leaves_an_interval_that_is_finite() {
        for rounds in [6, 10, 40] {
            let mut other = vec![1.0; rounds];
            other[2] = 1.5;
            let result = paired(&vec![1.0; rounds], &other).unwrap();
            assert!(result.low.unwrap() < 1.0 && result.high.unwrap() < 1.4, "{result:?}");
            assert!((result.p_value - 1.0).abs() < f64::EPSILON, "{result:?}");
        }
    }

    #[test]
    fn fewer_than_six_rounds_have_a_ratio_and_no_interval() {
        let result = paired(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.1, 2.0, 3.2, 4.1, 5.3]).unwrap();
        assert_eq!([result.low, result.high], [None; 2]);
        assert!(result.ratio > 1.0);
        assert_eq!(result.rounds, 5);
        let one = paired(&[1.0], &[4.0]).unwrap();
        assert!((one.ratio - 4.0).abs() < 1e-12);
        assert!((one.p_value - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_has_no_logarithm_or_no_partner_has_no_ratio() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(paired(&[1.0, bad], &[1.0, 1.0]), None);
            assert_eq!(paired(&[1.0, 1.0], &[bad, 1.0]), None);
        }
        assert_eq!(paired(&[], &[]), None);
        assert_eq!(paired(&[1.0, 2.0], &[1.0]), None);
    }

    /// The values of one contestant and, round by round, of another.
    fn both() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        let round = (0.5..2.0_f64, 0.5..2.0_f64);
        prop::collection::vec(round, 1..40).prop_map(|rounds| rounds.into_iter().unzip())
    }

    fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
        values.iter().map(|value| value * factor).collect()
    }

    fn near(one: Option<f64>, other: Option<f64>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => (one / other - 1.0).abs() < 1e-9,
            _ => one == other,
        }
    }

    fn alike(one: &Paired, other: &Paired) -> bool {
        let p_values = [(one.p_value, other.p_value), (one.p_value_least, other.p_value_least)];
        near(Some(one.ratio), Some(other.ratio))
            && near(one.low, other.low)
            && near(one.high, other.high)
            && p_values.iter().all(|(one, other)| (one - other).abs() < 1e-12)
            && one.rounds == other.rounds
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn a_ratio_read_the_other_way_round_is_its_inverse((base, other) in both()) {
            let inverse = |paired: Paired| Paired {
                ratio: 1.0 / paired.ratio,
                low: paired.high.map(f64::recip),
                high: paired.low.map(f64::recip),
                ..paired
            };
            let (one, two) = (paired(&base, &other).unwrap(), paired(&other, &base).unwrap());
            prop_assert!(alike(&one, &inverse(two)), "{one:?} {two:?}");
        }

        #[test]
        fn the_unit_makes_no_difference((base, other) in both(), factor in 1e-6..1e9_f64) {
            let (large, larger) = (scaled(&base, factor), scaled(&other, factor));
            let (one, two) = (paired(&base, &other).unwrap(), paired(&large, &larger).unwrap());
            prop_assert!(alike(&one, &two), "{one:?} {two:?}");
            let (one, two) = (unpaired(&base, &other).unwrap(), unpaired(&large, &larger).unwrap());
            prop_assert!(alike(&one, &two), "{one:?} {two:?}");
        }

        #[test]
        fn the_order_of_rounds_makes_no_difference((base, other) in both(), by in 0_usize..40) {
            let turned = |values: &[f64]| {
                let mut values = values.to_vec();
                values.rotate_left(by % base.len());
                values.reverse();
                values
            };
            let one = paired(&base, &other).unwrap();
            let two = paired(&turned(&base), &turned(&other)).unwrap();
            prop_assert!(alike(&one, &two), "{one:?} {two:?}");
            // Without pairs, each side may be in an order of its own.
            let one = unpaired(&base, &other).unwrap();
            let two = unpaired(&turned(&base), &other).unwrap();
            prop_assert!(alike(&one, &two), "{one:?} {two:?}");
        }
    }
}
