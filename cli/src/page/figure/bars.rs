//! A panel of bars.

use super::draw::Frame;
use super::svg::{Anchor, Svg, cut_to, width_of};
use super::{Bar, BarPanel, palette};

/// The height of a bar.
const BAR: f64 = 14.0;
/// The height of a line of text.
const TEXT: f64 = 17.0;
/// The room between two bars and their texts.
const GAP: f64 = 9.0;

/// Draws `panel` with its top at `frame.top`; returns where it ends.
pub(super) fn draw(svg: &mut Svg, frame: Frame, panel: &BarPanel) -> f64 {
    let right = frame.width - 14.0;
    let heights: f64 = panel.bars.iter().map(|bar| height(bar, frame.width)).sum();
    let bottom = frame.top + heights;
    let mut taken = f64::NEG_INFINITY;
    for tick in panel.axis.scale.ticks() {
        let x = panel.axis.scale.place(tick.at) * right;
        let half = width_of(&tick.label) / 2.0;
        let middle = x.clamp(half, (frame.width - half).max(half));
        svg.line("grid", (x, frame.top), (x, bottom));
        if middle - half > taken {
            svg.text("", (middle, bottom + TEXT), Anchor::Middle, &tick.label);
            taken = middle + half + 6.0;
        }
    }
    let mut top = frame.top;
    for bar in &panel.bars {
        one(svg, Frame { top, ..frame }, panel, bar, right);
        top += height(bar, frame.width);
    }
    svg.line("axis", (0.0, bottom), (right, bottom));
    let below = bottom + 2.0 * TEXT;
    let title = cut_to(&panel.axis.title, frame.width);
    svg.text("aside", (0.0, below), Anchor::Start, &title);
    below + 8.0
}

/// Whether the name of `bar` and what is said of it have room beside each other.
fn fits(bar: &Bar, width: f64) -> bool {
    width_of(&bar.name) + width_of(&bar.note) + 24.0 <= width
}

fn height(bar: &Bar, width: f64) -> f64 {
    let lines = if fits(bar, width) || bar.note.is_empty() { 1.0 } else { 2.0 };
    lines * TEXT + BAR + GAP
}

fn one(svg: &mut Svg, frame: Frame, panel: &BarPanel, bar: &Bar, right: f64) {
    let mut y = frame.top + TEXT - 4.0;
    svg.text("head", (0.0, y), Anchor::Start, &cut_to(&bar.name, frame.width));
    if fits(bar, frame.width) {
        svg.text("", (frame.width, y), Anchor::End, &bar.note);
    } else if !bar.note.is_empty() {
        y += TEXT;
        svg.text("", (0.0, y), Anchor::Start, &cut_to(&bar.note, frame.width));
    }
    let top = y + 5.0;
    let place = |value: f64| panel.axis.scale.place(value) * right;
    svg.open(&palette::class(0));
    let mut begin = 0.0;
    for (index, length) in bar.lengths.iter().enumerate() {
        let end = begin + length.max(0.0);
        let (from, to) = (place(begin), place(end));
        svg.rect(class_of(index), (from, top), ((to - from).max(0.5), BAR));
        begin = end;
    }
    svg.close();
    if let Some((low, high)) = bar.range {
        let (low, high, middle) = (place(low), place(high), top + BAR / 2.0);
        svg.line("whisker", (low, middle), (high, middle));
        svg.line("whisker", (low, middle - 4.0), (low, middle + 4.0));
        svg.line("whisker", (high, middle - 4.0), (high, middle + 4.0));
    }
}

/// How the `index`-th part of a bar looks.
pub(super) fn class_of(index: usize) -> &'static str {
    if index == 0 { "bar" } else { "pale" }
}
