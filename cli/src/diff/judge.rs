//! What the numbers of two sides say.

use aio_core::report::{Measures, Metric};
use aio_core::stats::compare::{
    Finding, LEVEL, Paired, Verdict, median, rounds_per_side_to_decide, unpaired, verdict,
};

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
        Finding::CannotTell if ratio.is_some_and(|ratio| can_decide(&ratio, family)) => {
            Outcome::CannotTell
        }
        Finding::CannotTell => Outcome::NotEnoughRounds,
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

/// Whether so many rounds could have come to a verdict, as one of a family.
fn can_decide(ratio: &Paired, family: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "entries are few")]
    let level = LEVEL / family.max(1) as f64;
    ratio.low.is_some() && ratio.p_value_least <= level
}

/// What to do about results that cannot be told apart for want of rounds.
pub(super) fn cure(difference: &Difference) -> Option<String> {
    let few = |entry: &&Entry| entry.outcome == Outcome::NotEnoughRounds;
    difference.entries.iter().find(few)?;
    let needed = rounds_per_side_to_decide(difference.entries.len(), difference.level);
    Some(format!(
        "telling {} apart takes {needed} rounds or more on each side: compare files of \
         'aio compare --rounds {} --save FILE', or give several files of each side by commas",
        if difference.entries.len() == 1 { "them" } else { "these" },
        needed.max(10),
    ))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use aio_core::report::Report;

    use super::*;
    use crate::args::{DiffFormat, Files};
    use crate::render::sample;

    /// Reports that differ in their rate only, as files of one side.
    fn side(folder: &Path, name: &str, factors: &[f64]) -> Side {
        let save = |(index, factor): (usize, &f64)| {
            let mut report: Report = sample::comparison();
            for one in report.engines.iter_mut().flat_map(|engine| &mut engine.directions) {
                one.requests_per_s *= factor;
            }
            let path = folder.join(format!("{name}-{index}.json"));
            std::fs::write(&path, serde_json::to_vec(&report).unwrap()).unwrap();
            path
        };
        let paths: Vec<PathBuf> = factors.iter().enumerate().map(save).collect();
        Side::read(&paths, false).unwrap()
    }

    fn asked(metric: Metric, max_regress: f64) -> Diff {
        Diff {
            base: Files::default(),
            new: Files::default(),
            max_regress,
            strict: false,
            force: false,
            metric,
            format: DiffFormat::Text,
            output: None,
        }
    }

    const NOISE: [f64; 8] = [1.0, 1.01, 0.99, 1.005, 0.995, 1.02, 0.98, 1.002];

    fn outcomes(metric: Metric, max_regress: f64, base: &[f64], new: &[f64]) -> Vec<Outcome> {
        let folder = tempfile::tempdir().unwrap();
        let (base, new) = (side(folder.path(), "base", base), side(folder.path(), "new", new));
        let (entries, different) = entries(&asked(metric, max_regress), &base, &new).unwrap();
        assert_eq!(different, []);
        assert_eq!(entries.len(), 4, "two engines in two directions");
        let mut outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome).collect();
        outcomes.dedup();
        outcomes
    }

    #[test]
    fn an_outcome_follows_from_verdict_and_allowance() {
        let slow = NOISE.map(|factor| factor * 0.9);
        let iops =
            |max_regress, base: &[f64], new: &[f64]| outcomes(Metric::Iops, max_regress, base, new);
        let reversed: Vec<f64> = NOISE.iter().rev().copied().collect();
        assert_eq!(iops(0.0, &NOISE, &reversed), [Outcome::NoDifference]);
        assert_eq!(iops(0.0, &NOISE, &slow), [Outcome::Regression]);
        assert_eq!(iops(0.09, &NOISE, &slow), [Outcome::Regression]);
        assert_eq!(iops(0.11, &NOISE, &slow), [Outcome::Slower]);
        assert_eq!(iops(0.0, &slow, &NOISE), [Outcome::Faster]);
        let wild = [0.5, 2.0, 0.6, 1.7, 0.9, 1.1, 0.4, 2.5];
        assert_eq!(iops(0.0, &wild, &wild), [Outcome::CannotTell]);
        assert_eq!(outcomes(Metric::ResponseP99, 0.0, &NOISE, &slow), [Outcome::NotMeasured]);
    }

    #[test]
    fn too_few_rounds_for_the_family_are_told_as_such() {
        let iops = |rounds: usize| {
            let slow = NOISE.map(|factor| factor * 0.5);
            outcomes(Metric::Iops, 0.0, &NOISE[..rounds], &slow[..rounds])
        };
        assert_eq!(iops(1), [Outcome::NotEnoughRounds]);
        // 2 of the 252 choices of 5 of 10 are less than 1 %, and more than a quarter of that.
        assert_eq!(iops(5), [Outcome::NotEnoughRounds]);
        assert_eq!(iops(6), [Outcome::Regression]);
        assert_eq!(rounds_per_side_to_decide(4, LEVEL), 6, "what the cure says");
    }
}
