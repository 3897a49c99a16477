//! Colours, dashes and markers.
//!
//! The colours are those of Okabe and Ito, which people who do not see all colours can tell apart
//! (<https://jfly.uni-koeln.de/color/>), each on the ground on which it is seen well; yellow, which
//! is not seen on white, is grey there.

use super::real;
use super::svg::short;

/// How many lines have colours of their own.
pub(super) const COLOURS: usize = 8;

const LIGHT: [&str; COLOURS] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#777777"];
const DARK: [&str; COLOURS] =
    ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#ffffff", "#4a9bd0"];

/// Lengths of strokes and gaps.
const DASHES: [&str; 5] = ["", "7 3", "2 3", "9 3 2 3", "12 4"];

/// The rules of style for figures: first those for light, then those that replace them in the dark.
/// They need no custom properties, so that programs that show SVG and no pages know them too.
#[must_use]
pub(in crate::page) fn rules() -> String {
    let mut css = String::from(include_str!("figure.css"));
    css.push_str(&colours(&LIGHT, ["#1b1f24", "#57606a", "#d8dee4", "#8c959f", "#ffffff"]));
    css.push_str("@media screen and (prefers-color-scheme:dark){\n");
    css.push_str(&colours(&DARK, ["#e6e8eb", "#a0a8b2", "#2f353d", "#6b7480", "#14171b"]));
    css.push_str("}\n");
    css
}

/// Colours of the lines; and of ink, of what is said aside, of the grid, of axes and of the ground.
fn colours(of_lines: &[&str; COLOURS], others: [&str; 5]) -> String {
    use std::fmt::Write;
    let [ink, aside, grid, axis, ground] = others;
    let mut css = format!(
        ".fig text{{fill:{ink};stroke:{ground}}}\n.fig .aside{{fill:{aside}}}\n.fig .grid{{stroke:{grid}}}\n\
         .fig .axis{{stroke:{axis}}}\n.fig .whisker{{stroke:{ink}}}\n"
    );
    for (index, colour) in of_lines.iter().enumerate() {
        let _never_fails = writeln!(css, ".fig .s{index}{{color:{colour}}}");
    }
    css
}

/// The class of the `index`-th line.
pub(super) fn class(index: usize) -> String {
    format!("s{}", index % COLOURS)
}

/// The attribute for the dashes of the `index`-th line.
pub(super) fn dash(index: usize) -> String {
    match DASHES[index % DASHES.len()] {
        "" => String::new(),
        dash => format!(" stroke-dasharray=\"{dash}\""),
    }
}

/// The path of the marker of the `index`-th line around a point.
pub(super) fn marker(index: usize, (x, y): (f64, f64)) -> String {
    let around = |corners: &[(f64, f64)]| {
        let corners: Vec<_> = corners
            .iter()
            .map(|(right, down)| format!("{} {}", short(x + right), short(y + down)))
            .collect();
        format!("M{}Z", corners.join("L"))
    };
    let ring = |corners: usize, radius: f64, turn: f64| {
        let corner = |index: usize| {
            let angle = (real(index) / real(corners) + turn) * std::f64::consts::TAU;
            (radius * angle.sin(), -radius * angle.cos())
        };
        around(&(0..corners).map(corner).collect::<Vec<_>>())
    };
    match index % 6 {
        // A disc, as two arcs.
        0 => format!("M{} {}a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z", short(x - 3.2), short(y)),
        1 => ring(4, 4.2, 0.125),
        2 => ring(3, 4.6, 0.0),
        3 => ring(4, 4.8, 0.0),
        4 => ring(3, 4.6, 0.5),
        _ => around(&[
            (-1.2, -4.0),
            (1.2, -4.0),
            (1.2, -1.2),
            (4.0, -1.2),
            (4.0, 1.2),
            (1.2, 1.2),
            (1.2, 4.0),
            (-1.2, 4.0),
            (-1.2, 1.2),
            (-4.0, 1.2),
            (-4.0, -1.2),
            (-1.2, -1.2),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn forty_lines_look_different_even_where_colours_repeat() {
        let looks: BTreeSet<_> = (0..40).map(|index| (class(index), dash(index))).collect();
        assert_eq!(looks.len(), 40);
    }

    #[test]
    fn neighbours_have_different_markers_and_dashes_so_that_no_colour_is_needed() {
        let looks: BTreeSet<_> =
            (0..30).map(|index| (dash(index), marker(index, (0.0, 0.0)))).collect();
        assert_eq!(looks.len(), 30);
    }

    #[test]
    fn light_and_dark_have_different_grounds_and_eight_colours_each() {
        for colours in [LIGHT, DARK] {
            assert_eq!(colours.iter().collect::<BTreeSet<_>>().len(), COLOURS);
        }
        let css = rules();
        assert!(css.contains("prefers-color-scheme:dark") && css.contains(".fig .s7{"));
        assert!(!css.contains('<'), "it goes into a style element as it is");
    }
}
