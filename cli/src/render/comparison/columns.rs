//! Columns that are looked at for their width before they become a table.

use crate::render::numbers::NONE;
use crate::render::table::{LABEL_COLUMNS_MIN, laid_out};
use crate::render::wrap::PAGE_COLUMNS;
use crate::voice::printable;

/// Names are broken rather than that a column goes, down to this.
const NAME_COLUMNS_MAX: usize = 16;

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) title: String,
    pub(super) cells: Vec<String>,
    /// Whether its cells end at the same place.
    pub(super) is_number: bool,
}

impl Column {
    /// Words, which begin at the same place.
    pub(super) fn words(title: &str, cells: impl Iterator<Item = String>) -> Self {
        let cells = cells.map(|cell| printable(&cell)).collect();
        Self { title: title.into(), cells, is_number: false }
    }

    /// Numbers; what was not measured is a dash.
    pub(super) fn numbers(title: &str, cells: impl Iterator<Item = Option<String>>) -> Self {
        let cells = cells.map(|cell| cell.unwrap_or_else(|| NONE.into())).collect();
        Self { title: title.into(), cells, is_number: true }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_empty() || cell == NONE)
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().chain([&self.title]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

/// Whether `columns` are no wider than a page, with two between any two of them, when long names in
/// the first one are broken.
pub(super) fn fit(columns: &[Column]) -> bool {
    let shown = |(place, column): (usize, &Column)| match place {
        0 => column.width().min(NAME_COLUMNS_MAX) + 2,
        _ => column.width() + 2,
    };
    let width: usize = columns.iter().enumerate().map(shown).sum();
    width.saturating_sub(2) <= PAGE_COLUMNS
}

/// The lines of a table. Numbers must stand next to each other.
pub(super) fn lines(columns: &[Column]) -> Vec<String> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    if rows == 0 {
        return Vec::new();
    }
    let begin = columns.iter().position(|column| column.is_number).unwrap_or(columns.len());
    let end = columns.iter().rposition(|column| column.is_number).map_or(begin, |last| last + 1);
    let header = columns.iter().map(|column| column.title.clone()).collect();
    let row = |row: usize| columns.iter().map(|column| column.cells[row].clone()).collect();
    laid_out(header, (0..rows).map(row).collect(), begin..end, LABEL_COLUMNS_MIN)
}
