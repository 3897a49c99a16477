//! For people: what was found, in sentences, then in numbers, then all that qualifies them.

use std::io::{self, Write};

use aio_core::report::Comparison;

use super::bars::Ink;
use super::{notes, summary, table};
use crate::render::text::{machine_line, paragraph};

pub(super) fn write(comparison: &Comparison, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let machine = machine_line(&comparison.tool_version, &comparison.machine);
    paragraph(&[machine, notes::compared(comparison)], out)?;
    let blocks = [notes::status(comparison), summary::sentences(comparison)];
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        writeln!(out)?;
        paragraph(block, out)?;
    }
    for line in table::tables(comparison, ink) {
        writeln!(out, "{line}")?;
    }
    let blocks = [
        notes::along(comparison, ink),
        [notes::legend(comparison), notes::below(comparison)].concat(),
    ];
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        writeln!(out)?;
        paragraph(block, out)?;
    }
    Ok(())
}
