//! What is said on stderr. A stderr that is closed or full is no reason to fail.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Says what went wrong, in one line.
pub(crate) fn complain(sentence: &str) {
    say(&format!("aio: {}", printable(sentence)));
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    let _nobody_listens = writeln!(io::stderr().lock(), "{line}");
}

/// Whether a character moves the cursor, turns the writing around, or is not to be seen at all.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A document of JSON with the same characters written as escapes, which mean the same: it may be
/// shown on a terminal.
pub(crate) fn printable_json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut units = [0; 2];
    for c in document.chars() {
        // What stands between strings; within them the writer has escaped it already.
        if c == '\n' || !is_hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            let _a_string_takes_all = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// `text` with whatever could move the cursor or turn the writing around made visible.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_with_escapes() {
        let value = serde_json::json!({ "a\u{9b}b": "\u{202e}\u{7f}\u{e0041}\n\u{1b}é" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = printable_json(&text);
        assert!(shown.chars().all(|c| c == '\n' || !is_hidden(c)), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(printable("a\u{1b}[31m\n\u{202e}é"), "a\\u{1b}[31m\\n\\u{202e}é");
    }
}
