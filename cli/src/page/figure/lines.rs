//! A panel of lines.

use super::draw::{Frame, Looks};
use super::svg::{Anchor, Svg, cut_to, path_through, width_of};
use super::{Axis, Line, LinePanel, Point, palette};

/// More points than this on a line do not all get a marker.
const MARKERS_MAX: usize = 40;
/// How far labels of an axis are apart at least.
const GAP: f64 = 6.0;
/// The height of a line of text.
const TEXT: f64 = 16.0;

/// The rectangle between the axes.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn point(&self, panel: &LinePanel, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + panel.x.scale.place(x) * (self.right - self.left),
            self.bottom - panel.y.scale.place(y) * (self.bottom - self.top),
        )
    }
}

/// Draws `panel` with its top at `frame.top`; returns where it ends.
pub(super) fn draw(svg: &mut Svg, frame: Frame, panel: &LinePanel, looks: &Looks) -> f64 {
    let labels = panel.y.scale.ticks().iter().map(|tick| width_of(&tick.label));
    let left = labels.fold(0.0, f64::max) + 10.0;
    let top = frame.top + TEXT + 8.0;
    let height = if frame.is_narrow { 190.0 } else { 230.0 };
    let area = Area { left, top, right: frame.width - 14.0, bottom: top + height };
    let title = cut_to(&panel.y.title, frame.width);
    svg.text("aside", (0.0, frame.top + 12.0), Anchor::Start, &title);
    upwards(svg, area, &panel.y);
    to_the_right(svg, area, &panel.x, frame.width);
    for line in &panel.lines {
        one(svg, area, panel, line, looks.index(&line.name));
    }
    let below = area.bottom + 2.0 * TEXT + 4.0;
    let title = cut_to(&panel.x.title, frame.width);
    let middle = f64::midpoint(area.left, area.right);
    let half = width_of(&title) / 2.0;
    let middle = middle.clamp(half, (frame.width - half).max(half));
    svg.text("aside", (middle, below), Anchor::Middle, &title);
    below + 8.0
}

fn upwards(svg: &mut Svg, area: Area, axis: &Axis) {
    let mut taken: Vec<f64> = Vec::new();
    for tick in axis.scale.ticks() {
        let y = area.bottom - axis.scale.place(tick.at) * (area.bottom - area.top);
        if taken.iter().any(|other| (other - y).abs() < TEXT) {
            continue;
        }
        taken.push(y);
        svg.line("grid", (area.left, y), (area.right, y));
        svg.text("", (area.left - 6.0, y + 4.0), Anchor::End, &tick.label);
    }
}

fn to_the_right(svg: &mut Svg, area: Area, axis: &Axis, width: f64) {
    svg.line("axis", (area.left, area.bottom), (area.right, area.bottom));
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for tick in axis.scale.ticks() {
        let x = area.left + axis.scale.place(tick.at) * (area.right - area.left);
        svg.line("axis", (x, area.bottom), (x, area.bottom + 4.0));
        let half = width_of(&tick.label) / 2.0;
        // Labels of the ends stay within the drawing.
        let middle = x.clamp(half, (width - half).max(half));
        let (begin, end) = (middle - half - GAP / 2.0, middle + half + GAP / 2.0);
        if taken.iter().any(|(other_begin, other_end)| begin < *other_end && *other_begin < end) {
            continue;
        }
        taken.push((begin, end));
        svg.text("", (middle, area.bottom + TEXT + 2.0), Anchor::Middle, &tick.label);
    }
}

fn one(svg: &mut Svg, area: Area, panel: &LinePanel, line: &Line, index: usize) {
    let at = |point: &Point| area.point(panel, point.x, point.y);
    svg.open(&palette::class(index));
    for point in &line.points {
        let Some((low, high)) = point.range else { continue };
        let (x, low) = area.point(panel, point.x, low);
        let (_, high) = area.point(panel, point.x, high);
        svg.line("bound", (x, low), (x, high));
        svg.line("bound", (x - 3.0, low), (x + 3.0, low));
        svg.line("bound", (x - 3.0, high), (x + 3.0, high));
    }
    if line.points.len() > 1 {
        let path = path_through(line.points.iter().map(at));
        svg.path("line", &path, &palette::dash(index));
    }
    let each = line.points.len().div_ceil(MARKERS_MAX).max(1);
    let marked = line.points.iter().step_by(each);
    let path: String = marked.map(|point| palette::marker(index, at(point))).collect();
    if !path.is_empty() {
        svg.path("mark", &path, "");
    }
    svg.close();
}
