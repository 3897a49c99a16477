//! The rate of each contestant in each round.

use aio_core::plan::{Access, Direction};
use aio_core::report::{Comparison, Contestant, Metric};

use crate::page::figure::{Axis, Body, Figure, Kind, Line, LinePanel, Panel, Point, Scale};
use crate::page::{quantity, versus};
use crate::render::comparison::directions;

pub(super) fn figure(comparison: &Comparison) -> Option<Figure> {
    let panels: Vec<_> = directions(comparison)
        .into_iter()
        .filter_map(|direction| {
            let metric = metric(comparison, direction);
            let body = body(comparison, direction, metric)?;
            Some(Panel { title: versus::title(comparison, direction), body })
        })
        .collect();
    let rounds = comparison.contestants.iter().map(|one| one.rounds.len()).max().unwrap_or(0);
    (!panels.is_empty()).then(|| Figure {
        kind: Kind::Rate,
        title: "Rate by round".into(),
        description: format!(
            "Lines of the rate of each contestant over {rounds} rounds. The medians and their \
             intervals are in the table."
        ),
        caption: "Higher is better. In each round every contestant ran once, so what moves all lines \
                  together is the machine, and what keeps them apart is the contestants. Lines that \
                  cross often belong to contestants that hardly differ."
            .into(),
        panels,
    })
}

fn metric(comparison: &Comparison, direction: Direction) -> Metric {
    let rounds = comparison.contestants.iter().flat_map(|one| &one.rounds);
    let mut measures = rounds.flat_map(|round| &round.measures);
    let first = measures.find(|one| one.direction == direction);
    let mut phases = comparison.contestants.iter().flat_map(|one| &one.plan.phases);
    let is_tensor = phases.next().is_some_and(|phase| phase.access == Access::Tensor);
    quantity::rate_of(comparison.metric, first, is_tensor)
}

fn body(comparison: &Comparison, direction: Direction, metric: Metric) -> Option<Body> {
    let line = |one: &Contestant| {
        let points = one.rounds.iter().filter_map(|round| {
            let measures = round.measures.iter().find(|one| one.direction == direction)?;
            let y = measures.get(metric).filter(|value| value.is_finite())?;
            Some(Point { x: f64::from(round.index) + 1.0, y, range: None })
        });
        Line { name: one.name.clone(), points: points.collect() }
    };
    let lines: Vec<_> = comparison.contestants.iter().map(line).collect();
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.points.is_empty()).collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let greatest = all().map(|point| point.y).fold(0.0, f64::max);
    let rounds = comparison.contestants.iter().map(|one| one.rounds.len()).max().unwrap_or(0);
    (rounds > 1 && !lines.is_empty()).then(|| {
        Body::Lines(LinePanel {
            x: Axis { title: "round".into(), scale: Scale::counted(rounds) },
            y: Axis {
                title: quantity::axis(metric).into(),
                scale: Scale::from_zero(greatest, |at| quantity::tick(metric, at)),
            },
            lines,
        })
    })
}
