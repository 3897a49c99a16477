//! What was found, in a sentence for each direction and point.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, DirectionResult, Layout, Metric, Setting};
use aio_core::stats::compare::Finding;

use super::words;

/// The sentences, the most telling part of each first. Empty when nothing is compared.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let said = points(comparison).into_iter().flat_map(|point| {
        let of = move |direction| sentence(comparison, point, direction);
        directions(comparison).into_iter().filter_map(of)
    });
    let mut said: Vec<String> = said.collect();
    said.extend(in_all(comparison));
    said
}

/// The points of the sweep in their order; one without settings when there is no sweep.
pub(crate) fn points(comparison: &Comparison) -> Vec<&[Setting]> {
    let mut points: Vec<&[Setting]> = Vec::new();
    for one in &comparison.contestants {
        if !points.contains(&one.point.as_slice()) {
            points.push(&one.point);
        }
    }
    points
}

/// The directions of the comparison, in their order.
pub(crate) fn directions(comparison: &Comparison) -> Vec<Direction> {
    let mut directions = Vec::new();
    for one in comparison.contestants.iter().flat_map(|one| &one.results) {
        if !directions.contains(&one.direction) {
            directions.push(one.direction);
        }
    }
    directions
}

/// The contestants of `point` with what is known of them in `direction`.
pub(crate) fn entries<'a>(
    comparison: &'a Comparison,
    point: &'a [Setting],
    direction: Direction,
) -> impl Iterator<Item = (&'a Contestant, &'a DirectionResult)> {
    let here = comparison.contestants.iter().filter(move |one| one.point == point);
    here.filter_map(move |one| {
        let mut results = one.results.iter();
        results.find(|result| result.direction == direction).map(|result| (one, result))
    })
}

fn sentence(comparison: &Comparison, point: &[Setting], direction: Direction) -> Option<String> {
    let mut clauses: Vec<Clause> = Vec::new();
    for (one, result) in entries(comparison, point, direction) {
        let Some(clause) = Clause::of(comparison, one, result) else { continue };
        match clauses.iter_mut().find(|known| known.joins(&clause)) {
            Some(known) => known.names.extend(clause.names),
            None => clauses.push(clause),
        }
    }
    clauses.sort_by_key(|clause| clause.weight);
    let text = clauses.iter().map(Clause::text).collect::<Vec<_>>().join("; ");
    (!clauses.is_empty())
        .then(|| format!("{}: {text}", words::capital(&subject(comparison, point, direction))))
}

/// What is measured at `point`.
pub(crate) fn subject(comparison: &Comparison, point: &[Setting], direction: Direction) -> String {
    let first = comparison.contestants.iter().find(|one| one.point == point);
    let plan = first.map(|one| words::workload(&one.plan, direction, point)).unwrap_or_default();
    if point.is_empty() { plan } else { format!("{plan}, {}", words::point(point)) }
}

/// A part of a sentence, said of one contestant or of several.
struct Clause {
    names: Vec<String>,
    baseline: String,
    what: String,
    /// Differences come first, and what cannot be told last.
    weight: u8,
    metric: Metric,
}

impl Clause {
    fn of(comparison: &Comparison, one: &Contestant, result: &DirectionResult) -> Option<Self> {
        let versus = result.versus.as_ref()?;
        let weight = match versus.verdict.finding {
            Finding::Better | Finding::Worse => 0,
            Finding::NoDifference => 1,
            Finding::CannotTell => 2,
        };
        let baseline = one.baseline.and_then(|index| comparison.contestants.get(index));
        Some(Self {
            names: vec![words::short_name(one)],
            baseline: baseline.map_or_else(|| versus.baseline.clone(), words::short_name),
            what: words::of_result(comparison, one, result)?,
            weight,
            metric: comparison.metric,
        })
    }

    /// Whether both say the same, of different contestants.
    fn joins(&self, other: &Self) -> bool {
        self.weight > 0 && self.what == other.what
    }

    fn text(&self) -> String {
        let names = self.names.join(", ");
        let Self { baseline, what, .. } = self;
        if self.weight > 0 {
            return format!("{names}: {what}");
        }
        let (comparative, by) = what.split_once(' ').unwrap_or((what, ""));
        if self.metric.is_rate() {
            return format!("{names} is {comparative} than {baseline} {by}");
        }
        let verb = if self.metric == Metric::Calls { "are" } else { "is" };
        let metric = words::metric(self.metric);
        format!("the {metric} of {names} {verb} {comparative} than of {baseline} {by}")
    }
}

/// The last step of a ladder against the first.
fn in_all(comparison: &Comparison) -> Vec<String> {
    if comparison.layout != Layout::Ladder {
        return Vec::new();
    }
    let line = |direction| {
        let first = comparison.contestants.first()?;
        let last = comparison.contestants.last().filter(|last| last.name != first.name)?;
        let ratio = words::ratio(against(comparison.metric, first, last, direction)?);
        let metric = words::metric(comparison.metric);
        Some(format!(
            "All steps together: {ratio} times the {metric} of {} (ratio of medians)",
            first.name
        ))
    };
    directions(comparison).into_iter().filter_map(line).collect()
}

/// The median of `metric` of `other` over that of `base`.
pub(crate) fn against(
    metric: Metric,
    base: &Contestant,
    other: &Contestant,
    direction: Direction,
) -> Option<f64> {
    let median = |one: &Contestant| {
        let result = one.results.iter().find(|result| result.direction == direction)?;
        result.median(metric).map(|rounds| rounds.median).filter(|median| *median > 0.0)
    };
    Some(median(other)? / median(base)?)
}
