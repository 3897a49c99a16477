//! What a stranger sees.

use super::*;
use crate::render::sample;
use crate::render::wrap::PAGE_COLUMNS;

fn rendered(comparison: &Comparison, format: Format) -> String {
    let mut out = Vec::new();
    write(comparison, format, Ink::Blocks, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("comparisons are UTF-8")
}

#[test]
fn nothing_is_wider_than_a_page() {
    for comparison in [sample::contest(), sample::sweep()] {
        let text = rendered(&comparison, Format::Text);
        assert!(text.lines().all(|line| line.chars().count() <= PAGE_COLUMNS), "{text}");
        assert!(text.contains("Random reads of 4 KiB"), "{text}");
    }
}
