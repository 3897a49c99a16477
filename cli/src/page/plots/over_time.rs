//! The rate of a run over time.

use aio_core::plan::Access;
use aio_core::report::{Metric, Sample, Series};

use super::{Entry, Group, panels, told};
use crate::page::figure::{Axis, Body, Figure, Kind, Line, Lines, Point, Scale};
use crate::page::quantity;
use crate::render::short;

/// Intervals beyond these are drawn several as one.
const POINTS_MAX: usize = 240;

pub(super) fn figure(groups: &[Group]) -> Option<Figure> {
    let panels = panels(groups, |group| body(group))?;
    let told = told(groups, |entry| {
        let rates: Vec<f64> = points(entry, metric(entry)).iter().map(|point| point.y).collect();
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = rates.iter().copied().fold(0.0, f64::max);
        let value = |rate| quantity::value(metric(entry), rate);
        (!rates.is_empty()).then(|| format!("{} to {}", value(least), value(greatest)))
    });
    Some(Figure {
        kind: Kind::Rate,
        title: "Rate over time".into(),
        description: format!("Lines of the rate over time: {told}."),
        caption: "Higher is better, and level is steady: a slope or a step means that one number for \
                  the whole time hides something. Time is that of the loops that count; engines ran \
                  one after the other and are drawn from the same start."
            .into(),
        panels,
    })
}

fn body(group: &Group) -> Option<Body> {
    let metric = metric(group.entries.first()?);
    let line = |entry: &Entry| Line { name: entry.name.into(), points: points(entry, metric) };
    let lines: Vec<_> =
        group.entries.iter().map(line).filter(|line| line.points.len() > 1).collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let greatest = all().map(|point| point.y).fold(0.0, f64::max);
    let last = all().map(|point| point.x).fold(0.0, f64::max);
    let seconds = |at: f64| if at > 0.0 { format!("{} s", number(at)) } else { "0 s".into() };
    (!lines.is_empty()).then(|| {
        Body::Lines(Lines {
            x: Axis { title: "time".into(), scale: Scale::from_zero(last, seconds) },
            y: Axis {
                title: quantity::axis(metric).into(),
                scale: Scale::from_zero(greatest, quantity::round_number),
            },
            lines,
        })
    })
}

fn number(seconds: f64) -> String {
    let text = short(seconds);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn metric(entry: &Entry) -> Metric {
    let is_tensor = entry.one.access == Access::Tensor;
    if is_tensor && entry.moves_data { Metric::Bandwidth } else { Metric::Iops }
}

/// The rate of each interval, at its middle; several as one where there are many.
fn points(entry: &Entry, metric: Metric) -> Vec<Point> {
    let Series { interval_s, samples, .. } = &entry.one.series;
    let each = samples.len().div_ceil(POINTS_MAX).max(1);
    let mut begin_s = 0.0;
    let mut points = Vec::new();
    for chunk in samples.chunks(each) {
        let end_s = chunk.last().map_or(begin_s, |last| last.t_s);
        let length_s = end_s - begin_s;
        // The rest of an interval is too short to tell a rate.
        if length_s >= 0.5 * interval_s && length_s > 0.0 {
            let done: f64 = chunk.iter().map(|sample| amount(sample, metric)).sum();
            let middle_s = f64::midpoint(begin_s, end_s);
            points.push(Point { x: middle_s, y: done / length_s, range: None });
        }
        begin_s = end_s;
    }
    points
}

#[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 significant bits")]
fn amount(sample: &Sample, metric: Metric) -> f64 {
    match metric {
        Metric::Bandwidth => sample.bytes as f64 / f64::from(1 << 30),
        _ => sample.requests as f64,
    }
}
