//! What was found, in a sentence for each direction and point.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, DirectionResult, Layout, Metric, Setting};
use aio_core::stats::compare::Finding;

use super::words;

/// The sentences, the most telling part of each first. Empty when nothing is compared.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut said = Vec::new();
    for direction in directions(comparison) {
        if is_across(comparison) {
            said.extend(
                findings(comparison, None, direction)
                    .map(|found| format!("{}: {found}", subject(comparison, None, direction))),
            );
        } else {
            said.extend(of_points(comparison, direction));
        }
    }
    said.extend(in_all(comparison));
    said
}

/// A sentence for each point; a single one when all of them would say the same.
fn of_points(comparison: &Comparison, direction: Direction) -> Vec<String> {
    let points = points(comparison);
    let found = |point| Some((point, findings(comparison, Some(point), direction)?));
    let all: Vec<(&[Setting], String)> = points.iter().copied().filter_map(found).collect();
    match all.first() {
        Some((_, same)) if all.len() > 1 && all.iter().all(|(_, other)| other == same) => {
            let subject = subject(comparison, None, direction);
            vec![format!("{subject}, at each of {} points: {same}", all.len())]
        }
        _ => {
            let line = |(point, found): &(&[Setting], String)| {
                format!("{}: {found}", subject(comparison, Some(point), direction))
            };
            all.iter().map(line).collect()
        }
    }
}

/// Whether contestants of different points are compared, because each point has a single one.
pub(crate) fn is_across(comparison: &Comparison) -> bool {
    let baseline = |one: &Contestant| comparison.contestants.get(one.baseline?);
    let mut pairs = comparison.contestants.iter().filter_map(|one| Some((one, baseline(one)?)));
    pairs.any(|(one, baseline)| one.point != baseline.point)
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

/// The contestants of `point`, or of all points, with what is known of them in `direction`.
pub(crate) fn entries<'a>(
    comparison: &'a Comparison,
    point: Option<&'a [Setting]>,
    direction: Direction,
) -> impl Iterator<Item = (&'a Contestant, &'a DirectionResult)> {
    let is_here = move |one: &&Contestant| point.is_none_or(|point| one.point == point);
    comparison.contestants.iter().filter(is_here).filter_map(move |one| {
        let mut results = one.results.iter();
        results.find(|result| result.direction == direction).map(|result| (one, result))
    })
}

/// What was found at `point`, or at all of them; `None` when nothing is compared there.
fn findings(
    comparison: &Comparison,
    point: Option<&[Setting]>,
    direction: Direction,
) -> Option<String> {
    let mut clauses: Vec<Clause> = Vec::new();
    for (one, result) in entries(comparison, point, direction) {
        let Some(clause) = Clause::of(comparison, one, result) else { continue };
        match clauses.iter_mut().find(|known| known.joins(&clause)) {
            Some(known) => known.names.extend(clause.names),
            None => clauses.push(clause),
        }
    }
    // The order of steps says more than their weight.
    if comparison.layout != Layout::Ladder {
        clauses.sort_by_key(|clause| clause.weight);
    }
    let text = clauses.iter().map(Clause::text).collect::<Vec<_>>().join("; ");
    (!clauses.is_empty()).then_some(text)
}

/// What is measured at `point`, or at all of them, with a capital in front.
pub(crate) fn subject(
    comparison: &Comparison,
    point: Option<&[Setting]>,
    direction: Direction,
) -> String {
    let mut here = entries(comparison, point, direction).map(|(one, _)| one);
    let Some(first) = here.next() else { return String::new() };
    let differing: Vec<Setting> = first.point.iter().chain(&first.changes).cloned().collect();
    let what = words::capital(&words::workload(&first.plan, direction, &differing));
    match point.filter(|point| !point.is_empty()) {
        Some(point) => format!("{what}, {}", words::point(point)),
        None => what,
    }
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
        let weight = match (versus.verdict.finding, versus.verdict.change) {
            (Finding::Better | Finding::Worse, Some(_)) => 0,
            (Finding::NoDifference, _) => 1,
            _ => 2,
        };
        let name = |one: &Contestant| name_of(comparison, one);
        let baseline = one.baseline.and_then(|index| comparison.contestants.get(index));
        Some(Self {
            names: vec![name(one)],
            baseline: baseline.map_or_else(|| versus.baseline.clone(), name),
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
        let (verb, that) =
            if self.metric == Metric::Calls { ("are", "those") } else { ("is", "that") };
        let metric = words::metric(self.metric);
        format!("the {metric} of {names} {verb} {comparative} than {that} of {baseline} {by}")
    }
}

/// What tells a contestant from those that it is compared with.
pub(crate) fn name_of(comparison: &Comparison, one: &Contestant) -> String {
    let short = words::short_name(one);
    if !is_across(comparison) {
        return short;
    }
    let is_alone = comparison.contestants.iter().all(|other| words::short_name(other) == short);
    if is_alone { words::point(&one.point) } else { one.name.clone() }
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
        let what = if directions(comparison).len() > 1 {
            format!(" in {}", words::workload(&first.plan, direction, &[]))
        } else {
            String::new()
        };
        Some(format!(
            "All steps together: {ratio} times the {metric} of {}{what} (ratio of medians)",
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
