//! What a comparison says of its contestants, in the words of a page.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, Setting, Versus};
use aio_core::stats::compare::Finding;

/// The contestants that have numbers.
pub(super) fn shown(comparison: &Comparison) -> impl Iterator<Item = &Contestant> {
    comparison.contestants.iter().filter(|one| !one.rounds.is_empty())
}

/// The directions that contestants have results in, in their order.
pub(super) fn directions(comparison: &Comparison) -> Vec<Direction> {
    let mut directions = Vec::new();
    for result in comparison.contestants.iter().flat_map(|one| &one.results) {
        if !directions.contains(&result.direction) {
            directions.push(result.direction);
        }
    }
    directions
}

/// What tells `direction` from the others; empty when it is the only one.
pub(super) fn title(comparison: &Comparison, direction: Direction) -> String {
    if directions(comparison).len() > 1 { direction.to_string() } else { String::new() }
}

/// The name of a contestant without the point of a sweep.
pub(super) fn label(one: &Contestant) -> String {
    if one.point.is_empty() {
        return one.name.clone();
    }
    let mut parts = vec![one.engine.clone()];
    parts.extend(one.changes.iter().map(|Setting { flag, value }| match value.as_str() {
        "" => flag.clone(),
        value => format!("{flag}={value}"),
    }));
    parts.join(" ")
}

/// The verdict, in words.
pub(super) fn verdict(comparison: &Comparison, versus: &Versus) -> String {
    let verdict = versus.verdict;
    let percent = |share: f64| format!("{:.1}", share.abs() * 100.0);
    let word = match (verdict.finding, comparison.metric.is_rate()) {
        (Finding::CannotTell, _) => return "not enough rounds to tell".into(),
        (Finding::NoDifference, _) => return "no difference seen".into(),
        (Finding::Better, true) => "faster by",
        (Finding::Worse, true) => "slower by",
        (Finding::Better, false) => "lower by",
        (Finding::Worse, false) => "higher by",
    };
    let Some(change) = verdict.change else { return word.trim_end_matches(" by").into() };
    let range = match verdict.low.zip(verdict.high) {
        Some((low, high)) => {
            let (near, far) = if low.abs() <= high.abs() { (low, high) } else { (high, low) };
            format!(" ({}–{})", percent(near), percent(far))
        }
        None => String::new(),
    };
    format!("{word} {} %{range}", percent(change))
}
