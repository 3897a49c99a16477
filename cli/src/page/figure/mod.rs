//! Figures: what they show, as data, and their drawing as SVG.
//!
//! Colours come from classes, so that one drawing serves light and dark. Each line has a dash and a
//! marker of its own as well, and each bar its name and number, so that no colour is needed to read
//! them.

mod bars;
mod draw;
mod lines;
mod palette;
mod scale;
mod svg;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub(super) use draw::{Width, inline, standalone};
pub(super) use palette::rules;
pub(super) use scale::{Scale, Tick};

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Latency at each percentile.
    Latency,
    /// Rate over time, or by round.
    Rate,
    /// Rate and latency against what was swept.
    Sweep,
    /// What each step of a ladder came to.
    Ladder,
    /// CPU time per request.
    Cpu,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Latency, Self::Rate, Self::Sweep, Self::Ladder, Self::Cpu];

    fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Rate => "rate",
            Self::Sweep => "sweep",
            Self::Ladder => "ladder",
            Self::Cpu => "cpu",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

/// A figure: panels below each other under one legend.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// Which one.
    pub(super) kind: Kind,
    /// What it shows, in a few words.
    pub(super) title: String,
    /// What it shows, in words for those who do not see it.
    pub(super) description: String,
    /// What to see in it.
    pub(super) caption: String,
    /// Its parts.
    pub(super) panels: Vec<Panel>,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// What tells it from the other panels; empty for the only one.
    pub(super) title: String,
    /// What is drawn.
    pub(super) body: Body,
}

/// What a panel shows.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Lines through points.
    Lines(LinePanel),
    /// Bars from 0 to the right.
    Bars(BarPanel),
}

/// Lines through points.
#[derive(Clone, Debug)]
pub(super) struct LinePanel {
    /// To the right.
    pub(super) x: Axis,
    /// Upwards.
    pub(super) y: Axis,
    /// The lines; those of the same name look the same in all panels.
    pub(super) lines: Vec<Line>,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What it measures, with the unit.
    pub(super) title: String,
    /// Where values lie on it.
    pub(super) scale: Scale,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Whose.
    pub(super) name: String,
    /// Its points, by rising x.
    pub(super) points: Vec<Point>,
}

/// A point of a line, with what its value may well be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// To the right.
    pub(super) x: f64,
    /// Upwards.
    pub(super) y: f64,
    /// The interval that the value lies in.
    pub(super) range: Option<(f64, f64)>,
}

/// Bars from 0 to the right.
#[derive(Clone, Debug)]
pub(super) struct BarPanel {
    /// What their lengths measure.
    pub(super) axis: Axis,
    /// The names of the parts that each bar has; empty for bars of one part.
    pub(super) parts: Vec<String>,
    /// The bars, from top to bottom.
    pub(super) bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    /// Whose.
    pub(super) name: String,
    /// The lengths of its parts.
    pub(super) lengths: Vec<f64>,
    /// The interval that the length of the whole lies in.
    pub(super) range: Option<(f64, f64)>,
    /// Its number, and what else is to be said of it.
    pub(super) note: String,
}

/// A number of things as a coordinate.
fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
