//! The words of SVG, with all text escaped.

use std::fmt::Write;

use crate::page::escape;

/// Which end of a text lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A drawing in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Svg(String);

impl Svg {
    /// All that was drawn.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Begins a group of `class`.
    pub(super) fn open(&mut self, class: &str) {
        self.put(&format!("<g class=\"{class}\">"));
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.put("</g>\n");
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let path = format!("M{} {}L{} {}", short(from.0), short(from.1), short(to.0), short(to.1));
        self.path(class, &path, "");
    }

    /// A path with more attributes, which are ours and need no escaping.
    pub(super) fn path(&mut self, class: &str, path: &str, attributes: &str) {
        self.put(&format!("<path class=\"{class}\" d=\"{path}\"{attributes}/>\n"));
    }

    /// A rectangle.
    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        self.put(&format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
            short(corner.0),
            short(corner.1),
            short(size.0),
            short(size.1)
        ));
    }

    /// A line of text.
    pub(super) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.put(&format!(
            "<text{class} x=\"{}\" y=\"{}\"{anchor}>{}</text>\n",
            short(at.0),
            short(at.1),
            escape::html(text)
        ));
    }

    fn put(&mut self, words: &str) {
        self.0.push_str(words);
    }
}

/// A coordinate with no more digits than can be seen.
pub(super) fn short(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    let text = text.strip_suffix(".0").map_or(text.as_str(), |whole| whole);
    if text == "-0" { "0".into() } else { text.into() }
}

/// The path through `points`.
pub(super) fn path_through(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.enumerate() {
        let verb = if index == 0 { 'M' } else { 'L' };
        let _never_fails = write!(path, "{verb}{} {}", short(x), short(y));
    }
    path
}

/// About how wide `text` is, in user units, at a size of 12; rather too much than too little.
pub(super) fn width_of(text: &str) -> f64 {
    let wide = |c: char| {
        if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '|') { 4.4 } else { 7.4 }
    };
    escape::visible(text).chars().map(wide).sum()
}

/// `text`, or its beginning with an ellipsis where it is wider than `most`.
pub(super) fn cut_to(text: &str, most: f64) -> String {
    let text = escape::visible(text);
    if width_of(&text) <= most {
        return text;
    }
    let mut kept = String::new();
    let mut width = width_of("…");
    for c in text.chars() {
        width += width_of(c.encode_utf8(&mut [0; 4]));
        if width > most {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        for (number, text) in [(1.0, "1"), (0.25, "0.2"), (-0.01, "0"), (719.96, "720")] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn texts_are_escaped_and_long_ones_are_cut() {
        let mut svg = Svg::default();
        svg.text("t", (1.0, 2.0), Anchor::End, "<script>&\"\u{202e}");
        assert_eq!(
            svg.into_text(),
            "<text class=\"t\" x=\"1\" y=\"2\" text-anchor=\"end\">\
             &lt;script&gt;&amp;&quot;\\u{202e}</text>\n"
        );
        let cut = cut_to("uring:sqpoll:fixed-buffers", 80.0);
        assert!(cut.ends_with('…') && cut.starts_with("uring:sq"), "{cut}");
        assert!(width_of(&cut) <= 88.0);
        assert_eq!(cut_to("uring", 80.0), "uring");
    }
}
