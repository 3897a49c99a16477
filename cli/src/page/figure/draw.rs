//! A figure as SVG: its legend, and its panels below each other.

use super::svg::{Anchor, Svg, cut_to, short, width_of};
use super::{Body, Figure, Panel, bars, lines, palette};
use crate::page::escape;

/// How wide a figure is drawn: its texts have the same size in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Width {
    /// For a screen or a sheet.
    Wide,
    /// For a telephone.
    Narrow,
}

impl Width {
    fn units(self) -> f64 {
        match self {
            Self::Wide => 720.0,
            Self::Narrow => 340.0,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// Where a panel goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Where it begins, from the top.
    pub(super) top: f64,
    /// How wide it is.
    pub(super) width: f64,
    /// Whether that is the narrow width.
    pub(super) is_narrow: bool,
}

/// The names of all lines of a figure: those of the same name look the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks(Vec<String>);

impl Looks {
    fn of(panels: &[Panel]) -> Self {
        let mut names: Vec<String> = Vec::new();
        for panel in panels {
            let Body::Lines(lines) = &panel.body else { continue };
            for line in &lines.lines {
                if !names.contains(&line.name) {
                    names.push(line.name.clone());
                }
            }
        }
        Self(names)
    }

    /// The place of the line `name`.
    pub(super) fn index(&self, name: &str) -> usize {
        self.0.iter().position(|one| one == name).unwrap_or(0)
    }
}

/// The figure as an element of a page, whose parts are named by `id`.
pub(in crate::page) fn inline(figure: &Figure, width: Width, id: &str) -> String {
    let class = format!("fig {}", width.class());
    drawing(figure, width, &class, &format!("{id}{}", width.class()), "")
}

/// The figure as a file of its own, with its style.
pub(in crate::page) fn standalone(figure: &Figure) -> String {
    let ground = ".fig .ground{fill:#ffffff}\n\
                  @media screen and (prefers-color-scheme:dark){.fig .ground{fill:#14171b}}\n";
    let before = format!("<style>\n{}{ground}</style>\n", palette::rules());
    let made = drawing(figure, Width::Wide, "fig", "figure", &before);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{made}")
}

fn drawing(figure: &Figure, width: Width, class: &str, id: &str, style: &str) -> String {
    let mut svg = Svg::default();
    let is_alone = !style.is_empty();
    // On a page, the heading is above the figure and the margin around it.
    let mut top = 0.0;
    if is_alone {
        svg.text("head", (0.0, 12.0), Anchor::Start, &cut_to(&figure.title, width.units()));
        top = 26.0;
    }
    let looks = Looks::of(&figure.panels);
    top = legend(&mut svg, figure, &looks, width.units(), top);
    for panel in &figure.panels {
        if !panel.title.is_empty() {
            let title = cut_to(&panel.title, width.units());
            svg.text("head", (0.0, top + 14.0), Anchor::Start, &title);
            top += 24.0;
        }
        let is_narrow = width == Width::Narrow;
        let frame = Frame { top, width: width.units(), is_narrow };
        top = match &panel.body {
            Body::Lines(panel) => lines::draw(&mut svg, frame, panel, &looks),
            Body::Bars(panel) => bars::draw(&mut svg, frame, panel),
        } + 14.0;
    }
    let (margin, height) = (if is_alone { 16.0 } else { 0.0 }, top - 10.0);
    let (wide, high) = (short(width.units() + 2.0 * margin), short(height + 2.0 * margin));
    let start = short(-margin);
    let sizes =
        if is_alone { format!(" width=\"{wide}\" height=\"{high}\"") } else { String::new() };
    let ground = if is_alone {
        format!(
            "<rect class=\"ground\" x=\"{start}\" y=\"{start}\" width=\"{wide}\" height=\"{high}\"/>\n"
        )
    } else {
        String::new()
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" \
         viewBox=\"{start} {start} {wide} {high}\"{sizes} role=\"img\" \
         aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n{style}{ground}{}</svg>\n",
        escape::html(&figure.title),
        escape::html(&figure.description),
        svg.into_text()
    )
}

/// What tells lines, or parts of bars, apart. Returns where it ends.
fn legend(svg: &mut Svg, figure: &Figure, looks: &Looks, width: f64, top: f64) -> f64 {
    const SAMPLE: f64 = 30.0;
    let mut parts: Vec<String> = Vec::new();
    for panel in &figure.panels {
        let Body::Bars(bars) = &panel.body else { continue };
        if parts.is_empty() {
            parts.clone_from(&bars.parts);
        }
    }
    let lines = looks.0.iter().enumerate().map(|(index, name)| (index, name, true));
    let parts = parts.iter().enumerate().map(|(index, name)| (index, name, false));
    let (mut x, mut y) = (0.0, top);
    let mut any = false;
    for (index, name, is_line) in lines.chain(parts) {
        let name = cut_to(name, width - SAMPLE - 8.0);
        let needs = SAMPLE + 8.0 + width_of(&name) + 18.0;
        if x > 0.0 && x + needs - 18.0 > width {
            (x, y) = (0.0, y + 19.0);
        }
        let middle = y + 8.0;
        if is_line {
            svg.open(&palette::class(index));
            let path = format!("M{} {}h{}", short(x), short(middle), short(SAMPLE));
            svg.path("line", &path, &palette::dash(index));
            svg.path("mark", &palette::marker(index, (x + SAMPLE / 2.0, middle)), "");
        } else {
            svg.open(&palette::class(0));
            svg.rect(bars::class_of(index), (x, middle - 6.0), (SAMPLE, 12.0));
        }
        svg.close();
        svg.text("", (x + SAMPLE + 7.0, middle + 4.0), Anchor::Start, &name);
        x += needs;
        any = true;
    }
    if any { y + 30.0 } else { top }
}
