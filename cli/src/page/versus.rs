//! What a comparison says of its contestants, in the words of a page.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant};

use crate::render::comparison::words;

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

/// What the baseline of `one` is called beside it: with its point, where that is another one.
pub(super) fn baseline(one: &Contestant, base: &Contestant) -> String {
    if one.point == base.point { label(base) } else { base.name.clone() }
}

/// The name of a contestant without the point of a sweep.
pub(super) fn label(one: &Contestant) -> String {
    words::short_name(one)
}
