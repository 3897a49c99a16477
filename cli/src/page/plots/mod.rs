//! Which figures results give, and what is in them.

mod cpu;
mod ladder;
mod latency;
mod over_time;
mod rounds;
mod sweep;

use aio_core::plan::Direction;
use aio_core::report::{Comparison, DirectionReport, EngineReport, Layout, Report};

use super::figure::{Body, Figure, Panel};
use super::versus;
use crate::render::{has_rate, mode};

/// More lines than this in one panel are no longer told apart.
const LINES_MAX: usize = 8;
/// More bars than this are no longer a figure but a table.
const BARS_MAX: usize = 24;

/// What somebody did in one direction.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    name: &'a str,
    moves_data: bool,
    one: &'a DirectionReport,
}

/// What `engine` did, by this name, in each direction that has numbers.
fn of_engine<'a>(name: &'a str, engine: &'a EngineReport) -> impl Iterator<Item = Entry<'a>> {
    let moves_data = engine.moves_data;
    let measured = engine.directions.iter().filter(|one| has_rate(one));
    measured.map(move |one| Entry { name, moves_data, one })
}

/// The figures of a run, in the order in which they are shown: that which says most comes first.
pub(super) fn of_run(report: &Report) -> Vec<Figure> {
    let entries: Vec<Entry> =
        report.engines.iter().flat_map(|engine| of_engine(&engine.engine, engine)).collect();
    let panels = by_direction(&entries);
    [latency::figure(&panels), over_time::figure(&panels), cpu::figure(&panels)]
        .into_iter()
        .flatten()
        .collect()
}

/// The figures of a comparison, in the order in which they are shown.
pub(super) fn of_comparison(comparison: &Comparison) -> Vec<Figure> {
    let mut entries = Vec::new();
    for one in &comparison.contestants {
        let total = one.total.as_ref();
        entries.extend(total.into_iter().flat_map(|total| of_engine(&one.name, total)));
    }
    let panels = by_direction(&entries);
    let few = versus::shown(comparison).count() <= LINES_MAX;
    // Along a sweep, the rounds of different points have nothing in common.
    let in_turns = matches!(comparison.layout, Layout::Contestants | Layout::Ladder);
    [
        sweep::figure(comparison),
        ladder::figure(comparison),
        latency::figure(&panels).filter(|_| few),
        rounds::figure(comparison).filter(|_| few && in_turns),
        cpu::figure(&panels),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was done in each direction, with its title: empty where there is one.
struct Group<'a> {
    title: String,
    entries: Vec<Entry<'a>>,
}

fn by_direction<'a>(entries: &[Entry<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<(Direction, Group)> = Vec::new();
    for entry in entries {
        let direction = entry.one.direction;
        match groups.iter_mut().find(|(known, _)| *known == direction) {
            Some((_, group)) => group.entries.push(*entry),
            None => {
                let title = mode(direction, &entry.one.access);
                groups.push((direction, Group { title, entries: vec![*entry] }));
            }
        }
    }
    let mut groups: Vec<_> = groups.into_iter().map(|(_, group)| group).collect();
    if let [only] = groups.as_mut_slice() {
        only.title.clear();
    }
    groups
}

/// A panel of lines for each group that has some.
fn panels<'a>(
    groups: &[Group<'a>],
    panel: impl Fn(&Group<'a>) -> Option<Body>,
) -> Option<Vec<Panel>> {
    let made: Vec<_> = groups
        .iter()
        .filter_map(|group| Some(Panel { title: group.title.clone(), body: panel(group)? }))
        .collect();
    (!made.is_empty()).then_some(made)
}

/// What is said of each entry, for those who do not see the figure.
fn told<'a>(groups: &[Group<'a>], tell: impl Fn(&Entry<'a>) -> Option<String>) -> String {
    let mut all = Vec::new();
    for group in groups {
        let of = if group.title.is_empty() { String::new() } else { format!("{} ", group.title) };
        let said = group
            .entries
            .iter()
            .filter_map(|entry| Some(format!("{} {of}{}", entry.name, tell(entry)?)));
        all.extend(said);
    }
    all.join("; ")
}
