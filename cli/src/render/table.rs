//! The table: a row per direction and engine.

use std::ops::Range;

use aio_core::plan::{Access, Direction};
use aio_core::report::{DirectionReport, EngineReport, Report, Status};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};

use super::numbers::{
    NONE, calls_per_request, counting_speeds, has_rate, milliseconds, mode, per_second,
    requests_per_s, scaled, short, span,
};
use super::wrap::PAGE_COLUMNS;
use crate::voice::printable;

type Content = fn(&EngineReport, &DirectionReport) -> Option<String>;

/// Columns in order: title, content, and whether it is shown when no row has anything in it.
const COLUMNS: [(&str, Content, bool); 12] = [
    ("engine", |engine, _| Some(printable(&engine.engine)), true),
    ("", |_, one| Some(mode(one.direction, &one.access)), true),
    ("IOPS", iops, false),
    ("GiB/s", speed, true),
    ("task s", |_, one| has_rate(one).then(|| short(one.task_latency_s)), false),
    ("e2e s", e2e, false),
    ("loops GiB/s", loops, false),
    ("p50 ms", |_, one| latency(one, one.request_latency.p50_ns), false),
    ("p99 ms", |_, one| latency(one, one.request_latency.p99_ns), false),
    ("calls/req", calls, false),
    ("CPU s", |_, one| has_rate(one).then(|| short(one.cpu.user_s + one.cpu.system_s)), false),
    ("verdict", |engine, one| Some(verdict(engine, one).into()), true),
];

/// The least that an engine's name is broken to.
pub(super) const LABEL_COLUMNS_MIN: usize = 8;

/// An engine's name in lines of no more than `most` columns, broken where one of its parts ends if
/// that can be, and with nothing left out.
fn label(name: &str, most: usize) -> String {
    let columns = |text: &str| text.chars().count();
    if columns(name) <= most {
        return name.into();
    }
    let mut lines = vec![String::new()];
    for part in name.split_inclusive([':', '=', ',', ' ']) {
        let begun = lines.last().map_or(0, |line| columns(line));
        if begun > 0 && begun + columns(part) > most {
            lines.push(String::new());
        }
        for c in part.chars() {
            if lines.last().is_some_and(|line| columns(line) == most) {
                lines.push(String::new());
            }
            lines.last_mut().expect("there is a first line").push(c);
        }
    }
    lines.join("\n")
}

/// What counts for blocks, of which each request has one.
fn iops(_: &EngineReport, one: &DirectionReport) -> Option<String> {
    (is_blocks(one) && has_rate(one)).then(|| scaled(one.requests_per_s))
}

fn is_blocks(one: &DirectionReport) -> bool {
    one.access != Access::Tensor
}

/// Of blocks over the time that their requests per second are over, so that one is a multiple of
/// the other.
fn speed(engine: &EngineReport, one: &DirectionReport) -> Option<String> {
    if is_blocks(one) {
        (engine.moves_data && has_rate(one)).then(|| short(one.task_speed_gib_per_s))
    } else if engine.moves_data {
        has_rate(one).then(|| short(one.e2e_speed_gib_per_s))
    } else {
        requests_per_s(one).map(per_second)
    }
}

/// Of blocks nothing that is shown is over it, and the page has no room for it.
fn e2e(_: &EngineReport, one: &DirectionReport) -> Option<String> {
    (has_rate(one) && !is_blocks(one)).then(|| short(one.e2e_latency_s))
}

fn loops(engine: &EngineReport, one: &DirectionReport) -> Option<String> {
    // Loops of blocks are told below the table, where there is room.
    let measured = engine.moves_data && has_rate(one) && !is_blocks(one);
    counting_speeds(one).filter(|_| measured).map(span)
}

fn latency(one: &DirectionReport, ns: Option<u64>) -> Option<String> {
    ns.filter(|_| has_rate(one)).map(milliseconds)
}

fn calls(engine: &EngineReport, one: &DirectionReport) -> Option<String> {
    calls_per_request(engine, one).filter(|_| has_rate(one)).map(short)
}

/// Whether its numbers are to be trusted, in a word or two.
pub(crate) fn verdict(engine: &EngineReport, one: &DirectionReport) -> &'static str {
    match one.status {
        Status::Failed => "FAILED",
        Status::Interrupted => "partial",
        Status::Complete if !engine.moves_data => "moves no data",
        Status::Complete if one.doubts.is_empty() && has_rate(one) => "ok",
        // The part of a mix that was to have no requests.
        Status::Complete if one.doubts.is_empty() => NONE,
        Status::Complete => "doubtful",
    }
}

/// The directions of the report, in its order.
pub(crate) fn directions(report: &Report) -> Vec<Direction> {
    let mut directions = Vec::new();
    for one in report.engines.iter().flat_map(|engine| &engine.directions) {
        if !directions.contains(&one.direction) {
            directions.push(one.direction);
        }
    }
    directions
}

/// The table's lines, engines below each other for each direction.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for direction in directions(report) {
        for engine in &report.engines {
            for one in engine.directions.iter().filter(|one| one.direction == direction) {
                rows.push(COLUMNS.iter().map(|(_, content, _)| content(engine, one)).collect());
            }
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let shown = |index: &usize| COLUMNS[*index].2 || rows.iter().any(|row| row[*index].is_some());
    let shown: Vec<usize> = (0..COLUMNS.len()).filter(shown).collect();
    let header = shown.iter().map(|index| COLUMNS[*index].0.to_owned()).collect();
    let cells = |row: &Vec<Option<String>>| {
        let shown = shown.iter().map(|index| row[*index].as_deref().unwrap_or(NONE).to_owned());
        shown.collect()
    };
    laid_out(header, rows.iter().map(cells).collect(), 2..shown.len() - 1, LABEL_COLUMNS_MIN)
}

/// A table of `rows` as lines that are no wider than a page: the columns `right` end at the same
/// place, and in the first one no name is broken to less than `label_min`.
pub(crate) fn laid_out(
    header: Vec<String>,
    mut rows: Vec<Vec<String>>,
    right: Range<usize>,
    label_min: usize,
) -> Vec<String> {
    // What all other columns leave of the page; two columns part any two of them.
    let width = |index: usize| {
        let cells = rows.iter().map(|row| &row[index]).chain([&header[index]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let others: usize = (1..header.len()).map(|index| width(index) + 2).sum();
    let left = PAGE_COLUMNS.saturating_sub(others + 1).max(label_min);
    for row in &mut rows {
        row[0] = label(&row[0], left);
    }
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_width(u16::try_from(PAGE_COLUMNS).expect("a page is narrow"));
    let columns = header.len();
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for place in 0..columns {
        let Some(column) = table.column_mut(place) else { continue };
        column.set_padding((0, 1));
        if right.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn blocks_fit_the_page_with_the_widest_verdict_and_without_bytes_where_none_are_moved() {
        let mut report = sample::blocks();
        report.engines[1].engine = "null".into();
        report.engines[1].moves_data = false;
        report.engines[1].directions[0].requests_per_s = 10_540_000.0;
        insta::assert_snapshot!(lines(&report).join("\n"), @r"
        engine               IOPS  GiB/s  task s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ──────────────────────────────────────────────────────────────────────────────────────────
        uring   randread  262.1 k  1.000   1.000   14.90   20.10     0.0114  0.250  ok
        null    randread  10.54 M      -   1.250   14.90   20.10     0.0114  0.250  moves no data
        ");
    }

    #[test]
    fn a_long_name_goes_on_below_and_nothing_of_it_is_lost() {
        for (name, broken) in [
            ("uring", "uring"),
            ("uring:fixed-b", "uring:fixed-b"),
            ("uring:fixed-buf", "uring:\nfixed-buf"),
            ("uring:sqpoll:depth=4", "uring:sqpoll:\ndepth=4"),
            ("name:withoutanyplacetobreak", "name:\nwithoutanypla\ncetobreak"),
        ] {
            assert_eq!(label(name, 13), broken);
        }
        let mut report = sample::comparison();
        report.engines[0].engine = "uring:fixed-buffers:single-issuer".into();
        insta::assert_snapshot!(lines(&report).join("\n"), @r"
        engine                 GiB/s  task s  e2e s  loops GiB/s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ────────────────────────────────────────────────────────────────────────────────────────────────────
        uring:          write  1.980   1.500  1.515  1.650–2.475   14.90   20.10      0.977  0.250  ok
        fixed-buffers:
        single-issuer
        sync            write  1.584   1.875  1.894  1.320–1.980   14.90   20.10      0.977  0.250  ok
        uring:          read   3.960   0.750  0.758  3.808–4.125   14.90   20.10      0.977  0.250  ok
        fixed-buffers:
        single-issuer
        sync            read   3.168   0.938  0.947  3.046–3.300   14.90   20.10      0.977  0.250  ok
        ");
    }
}
