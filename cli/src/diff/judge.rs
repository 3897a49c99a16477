//! What the numbers of two sides say.

use aio_core::report::{Measures, Metric};
use aio_core::stats::compare::{Finding, LEVEL, Verdict, median, unpaired, verdict};

use super::difference::{Condition, Difference, Entry, MetricDifference, Outcome};
use super::same;
use super::sides::{Measured, Side};
use crate::args::Diff;
use crate::ending::Failure;

/// The entries that both sides have, and, where that is forced, in what they are not the same.
///
/// # Errors
/// Unless forced, two of them that are not the same.
pub(super) fn entries(
    asked: &Diff,
    base: &Side,
    new: &Side,
) -> Result<(Vec<Entry>, Vec<Condition>), Failure> {
    let both = base.entries.iter().filter_map(|one| Some((one, new.find(&one.name)?)));
    let both: Vec<_> = both.collect();
    let mut different = Vec::new();
    for (one, other) in &both {
        let fields = same::different(one, other);
        if let Some(field) = fields.first().filter(|_| !asked.force) {
            return Err(same::refusal(field, one, other));
        }
        let fields = fields.into_iter().filter(|field| !different.contains(field));
        let fields: Vec<_> = fields.collect();
        different.extend(fields);
    }
    let family = both.len();
    let entry = |(one, other): &(&Measured, &Measured)| entry(asked, one, other, family);
    Ok((both.iter().map(entry).collect(), different))
}

fn entry(asked: &Diff, base: &Measured, new: &Measured, family: usize) -> Entry {
    let metrics = Metric::ALL.into_iter().filter_map(|metric| difference(metric, base, new));
    let metrics: Vec<_> = metrics.collect();
    let decides = metrics.iter().find(|one| one.metric == asked.metric);
    let ratio = decides.and_then(|one| one.ratio);
    let rounds = (base.rounds.len(), new.rounds.len());
    let verdict = verdict(ratio, asked.metric.is_rate(), family, LEVEL);
    let outcome = match verdict.finding {
        _ if ratio.is_none() => Outcome::NotMeasured,
        Finding::Worse if loss(&verdict, asked.metric) > asked.max_regress => Outcome::Regression,
        Finding::Worse => Outcome::Slower,
        Finding::Better => Outcome::Faster,
        Finding::NoDifference => Outcome::NoDifference,
        Finding::CannotTell if !can_decide(rounds, family) => Outcome::NotEnoughRounds,
        Finding::CannotTell => Outcome::CannotTell,
    };
    let name = base.name.clone();
    Entry { name, base_rounds: rounds.0, new_rounds: rounds.1, metrics, verdict, outcome }
}

/// How much worse it is, as a share of the base's value; negative for better.
fn loss(verdict: &Verdict, metric: Metric) -> f64 {
    let change = verdict.change.unwrap_or_default();
    if metric.is_rate() { -change } else { change }
}

/// One metric on both sides, where all rounds measured it.
fn difference(metric: Metric, base: &Measured, new: &Measured) -> Option<MetricDifference> {
    let (base, new) = (values(metric, &base.rounds)?, values(metric, &new.rounds)?);
    let ratio = unpaired(&base, &new);
    Some(MetricDifference { metric, base: median(&base)?, new: median(&new)?, ratio })
}

fn values(metric: Metric, rounds: &[Measures]) -> Option<Vec<f64>> {
    let value = |round: &Measures| round.get(metric).filter(|value| value.is_finite());
    rounds.iter().map(value).collect()
}

/// Whether so many rounds of the two sides could ever tell them apart, as one of a family: two sets
/// that do not overlap at all are the least likely outcome, and each order of all rounds is as
/// likely as any other when there is no difference.
fn can_decide((base, new): (usize, usize), family: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "rounds are few")]
    let factor = |index: usize| (new + index) as f64 / index as f64;
    let choices: f64 = (1..=base).map(factor).product();
    #[expect(clippy::cast_precision_loss, reason = "entries are few")]
    let level = LEVEL / family.max(1) as f64;
    2.0 / choices <= level
}

/// The rounds of each side that can tell them apart.
fn rounds_needed(family: usize) -> usize {
    (1..1000).find(|rounds| can_decide((*rounds, *rounds), family)).unwrap_or(1000)
}

/// What to do about results that cannot be told apart for want of rounds.
pub(super) fn cure(difference: &Difference) -> Option<String> {
    let few = |entry: &&Entry| entry.outcome == Outcome::NotEnoughRounds;
    difference.entries.iter().find(few)?;
    let needed = rounds_needed(difference.entries.len());
    Some(format!(
        "telling {} apart takes {needed} rounds or more on each side: compare files of \
         'aio compare --rounds {} --save FILE', or give several files of each side by commas",
        if difference.entries.len() == 1 { "them" } else { "these" },
        needed.max(10),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_rounds_tell_only_when_enough_orders_of_them_are_possible() {
        // 2 of the 252 ways to pick 5 of 10 are less than 1 %, and of the 70 to pick 4 of 8 not.
        assert!(can_decide((5, 5), 1) && !can_decide((4, 4), 1));
        assert!(!can_decide((5, 5), 2) && can_decide((6, 6), 2));
        assert!(!can_decide((1, 10), 1) && can_decide((1, 200), 1) && !can_decide((0, 9), 1));
        assert_eq!([1, 2, 4, 100].map(rounds_needed), [5, 6, 6, 9]);
    }
}
