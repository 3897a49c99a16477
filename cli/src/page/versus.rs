//! What a comparison says of its contestants, in the words of a page.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant};

use crate::render::comparison::{directions, words};

/// The contestants that have numbers.
pub(super) fn shown(comparison: &Comparison) -> impl Iterator<Item = &Contestant> {
    comparison.contestants.iter().filter(|one| !one.rounds.is_empty())
}

/// What tells `direction` from the others; empty when it is the only one.
pub(super) fn title(comparison: &Comparison, direction: Direction) -> String {
    if directions(comparison).len() > 1 { direction.to_string() } else { String::new() }
}

/// What the baseline of `one` is called beside it: with its point, where that is another one.
pub(super) fn baseline(one: &Contestant, base: &Contestant) -> String {
    if one.point == base.point { words::short_name(base) } else { base.name.clone() }
}
