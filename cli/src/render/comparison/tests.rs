//! What a stranger sees.

use super::*;
use crate::render::sample;

fn rendered(comparison: &Comparison, format: Format) -> String {
    let mut out = Vec::new();
    write(comparison, format, Ink::Blocks, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("comparisons are UTF-8")
}

#[test]
fn a_contest() {
    insta::assert_snapshot!(rendered(&sample::contest(), Format::Text), @"");
}

#[test]
fn a_sweep() {
    insta::assert_snapshot!(rendered(&sample::sweep(), Format::Text), @"");
}
