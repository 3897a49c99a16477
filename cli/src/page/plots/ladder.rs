//! What each step of a ladder came to.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, Layout};

use super::BARS_MAX;
use crate::page::figure::{Axis, Bar, BarPanel, Body, Figure, Kind, Panel, Scale};
use crate::page::{quantity, versus};
use crate::render::comparison::directions;
use crate::render::comparison::words;

pub(super) fn figure(comparison: &Comparison) -> Option<Figure> {
    if comparison.layout != Layout::Ladder {
        return None;
    }
    let panels: Vec<_> = directions(comparison)
        .into_iter()
        .filter_map(|direction| {
            let body = body(comparison, direction)?;
            Some(Panel { title: versus::title(comparison, direction), body })
        })
        .collect();
    let said: Vec<String> = panels
        .iter()
        .filter_map(|panel| if let Body::Bars(bars) = &panel.body { Some(bars) } else { None })
        .flat_map(|bars| bars.bars.iter().map(|bar| format!("{} {}", bar.name, bar.note)))
        .collect();
    let better = if comparison.metric.is_rate() { "Longer" } else { "Shorter" };
    (!panels.is_empty()).then(|| Figure {
        kind: Kind::Ladder,
        title: "What each step gave".into(),
        description: format!("Bars, one for each step of the ladder: {}.", said.join("; ")),
        caption: format!(
            "{better} is better. Each step adds one option to the step above it and is compared with \
             that one. The thin line across the end of a bar is the 95 % interval of its median."
        ),
        panels,
    })
}

fn body(comparison: &Comparison, direction: Direction) -> Option<Body> {
    let metric = comparison.metric;
    let bar = |one: &Contestant| {
        let result = one.results.iter().find(|result| result.direction == direction)?;
        let median = result.median(metric)?;
        let value = quantity::value(metric, median.median);
        let note = match words::of_result(comparison, one, result) {
            Some(verdict) => format!("{value}, {verdict}"),
            None => value,
        };
        Some(Bar {
            name: one.name.clone(),
            lengths: vec![median.median],
            range: median.low.zip(median.high),
            note,
        })
    };
    let bars: Vec<_> = comparison.contestants.iter().filter_map(bar).collect();
    let longest = bars.iter().map(|bar| bar.range.map_or(bar.lengths[0], |(_, high)| high));
    let longest = longest.fold(0.0, f64::max);
    (!bars.is_empty() && bars.len() <= BARS_MAX && longest > 0.0).then(|| {
        Body::Bars(BarPanel {
            axis: Axis {
                title: quantity::axis(metric).into(),
                scale: Scale::from_zero(longest, |at| quantity::tick(metric, at)),
            },
            parts: Vec::new(),
            bars,
        })
    })
}
