//! Latency at each percentile: the further to the right, the rarer.

use std::f64::consts::LOG10_2;

use aio_core::report::Latency;

use super::{Entry, Group, panels, told};
use crate::page::figure::{Axis, Body, Figure, Kind, Line, LinePanel, Point, Scale, Tick};
use crate::page::quantity;

/// Percentiles with the number of nines that they stand for: one request in 10^n is slower.
const NAMES: [(f64, &str); 7] = [
    (1.0, "p90"),
    (2.0, "p99"),
    (3.0, "p99.9"),
    (4.0, "p99.99"),
    (5.0, "p99.999"),
    (LOG10_2, "p50"),
    (0.0, "min"),
];

pub(super) fn figure(groups: &[Group]) -> Option<Figure> {
    let panels = panels(groups, |group| body(group))?;
    let percentile = |ns: Option<u64>| ns.map_or_else(|| "-".into(), |ns| quantity::time(real(ns)));
    let told = told(groups, |entry| {
        let latency = &entry.one.request_latency;
        let (p50, p99) = (percentile(latency.p50_ns), percentile(latency.p99_ns));
        Some(format!("p50 {p50}, p99 {p99}, longest {}", quantity::time(real(latency.max_ns))))
    });
    Some(Figure {
        kind: Kind::Latency,
        title: "Latency of requests by percentile".into(),
        description: format!(
            "Lines of latency, on a logarithmic axis, over percentiles from the shortest to the \
             longest: {told}."
        ),
        caption:
            "Lower is better. Each step to the right is ten times rarer: at p99, one request in \
                  a hundred took longer. A line ends at the longest request of all. The \
                  requests of all rounds are one set, so these are not the medians of rounds."
                .into(),
        panels,
    })
}

fn body(group: &Group) -> Option<Body> {
    let lines: Vec<_> = group.entries.iter().filter_map(line).collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let least = all().map(|point| point.y).fold(f64::INFINITY, f64::min);
    let greatest = all().map(|point| point.y).fold(0.0, f64::max);
    let right = all().map(|point| point.x).fold(1.0, f64::max);
    let ticks = NAMES.iter().filter(|(at, _)| *at <= right);
    let ticks = ticks.map(|(at, name)| Tick { at: *at, label: (*name).into() }).collect();
    (!lines.is_empty()).then(|| {
        Body::Lines(LinePanel {
            x: Axis {
                title: "percentile of requests".into(),
                scale: Scale::between(0.0, right + 0.05, ticks),
            },
            y: Axis {
                title: "latency of a request (logarithmic)".into(),
                scale: Scale::logarithmic(least, greatest, quantity::round_time),
            },
            lines,
        })
    })
}

fn line(entry: &Entry) -> Option<Line> {
    let Latency { min_ns, p50_ns, p90_ns, p95_ns, p99_ns, p99_9_ns, p99_99_ns, .. } =
        entry.one.request_latency;
    let Latency { p99_999_ns, max_ns, .. } = entry.one.request_latency;
    let requests = real(entry.one.requests).max(1.0);
    let known = [
        (0.0, Some(min_ns)),
        (LOG10_2, p50_ns),
        (1.0, p90_ns),
        (1.0 + LOG10_2, p95_ns),
        (2.0, p99_ns),
        (3.0, p99_9_ns),
        (4.0, p99_99_ns),
        (5.0, p99_999_ns),
    ];
    let mut points: Vec<Point> = known
        .into_iter()
        .filter_map(|(x, ns)| Some(Point { x, y: real(ns.filter(|ns| *ns > 0)?), range: None }))
        .collect();
    let last = points.last()?.x;
    points.push(Point { x: requests.log10().max(last), y: real(max_ns), range: None });
    (points.len() > 2).then(|| Line { name: entry.name.into(), points })
}

#[expect(clippy::cast_precision_loss, reason = "three digits are significant")]
fn real(ns: u64) -> f64 {
    ns as f64
}
