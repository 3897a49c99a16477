//! What a stranger sees.

mod layouts;
mod programs;
mod trouble;

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Layout, Measures};

use super::{Ink, write};
use crate::args::Format;
use crate::render::sample;
use crate::render::wrap::PAGE_COLUMNS;

fn rendered(comparison: &Comparison, format: Format) -> String {
    let mut out = Vec::new();
    write(comparison, format, Ink::Blocks, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("comparisons are UTF-8")
}

/// The text, which is never wider than a page.
fn text(comparison: &Comparison) -> String {
    let text = rendered(comparison, Format::Text);
    assert!(text.lines().all(|line| line.chars().count() <= PAGE_COLUMNS), "{text}");
    text
}

/// From the first line of the summary to the last of the tables.
fn middle(comparison: &Comparison) -> String {
    let text = text(comparison);
    let parts: Vec<_> = text.split("\n\n").collect();
    parts[1..parts.len() - 1].join("\n\n")
}

/// Only the first so many rounds.
fn cut(comparison: &mut Comparison, rounds: usize) {
    comparison.contestants.iter_mut().for_each(|one| one.rounds.truncate(rounds));
    comparison.judge();
}

/// Three steps, the last of which is slower.
fn ladder() -> Comparison {
    let mut comparison = sample::contest();
    comparison.layout = Layout::Ladder;
    let names = ["plain", "+batch", "+sqpoll (without defer-taskrun)"];
    for (index, name) in names.into_iter().enumerate() {
        comparison.contestants[index].name = name.into();
        comparison.contestants[index].baseline = index.checked_sub(1);
    }
    comparison.judge();
    comparison
}

/// One engine with 1, 8 and 32 threads.
fn scale() -> Comparison {
    let mut comparison = sample::sweep();
    comparison.layout = Layout::Scale;
    comparison.contestants.retain(|one| one.engine == "uring");
    for (index, one) in comparison.contestants.iter_mut().enumerate() {
        one.name = one.name.replace("queue-depth", "threads");
        one.point[0].flag = "threads".into();
        one.baseline = (index > 0).then_some(0);
    }
    comparison.judge();
    comparison
}

/// Writes beside the reads, and a name that is long.
fn both_directions() -> Comparison {
    let mut comparison = sample::contest();
    for one in &mut comparison.contestants {
        for round in &mut one.rounds {
            let read = round.measures[0];
            let write = Measures { direction: Direction::Write, p99_ns: Some(12e6), ..read };
            round.measures.push(write);
        }
        one.name = one.name.replace("libaio", "uring:sqpoll:fixed-buffers=off");
    }
    comparison.judge();
    comparison
}
