//! Comparisons: the words for what was found, and the forms that it comes in.

mod bars;
mod columns;
mod csv;
mod notes;
pub(crate) mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod units;
pub(crate) mod words;

use std::io::{self, Write};

use aio_core::report::Comparison;

use super::json;
use crate::args::Format;

pub(crate) use bars::Ink;
pub(crate) use summary::{directions, sentences};

/// Writes the whole of `comparison` to `out`; text is drawn with `ink`.
pub(super) fn write(
    comparison: &Comparison,
    format: Format,
    ink: Ink,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(comparison, ink, out),
        Format::Json => json::write(&json::of_comparison(comparison)?, out),
        Format::Csv => csv::write(comparison, out),
        Format::Classic | Format::FioJson => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "comparisons come as text, json or csv, which --format chooses",
        )),
    }
}
