//! Two tables: who is how fast, with the verdicts; and the details.
//!
//! What does not fit the page goes in this order: the interval of the median moves from the first
//! table to the second, then the bar goes, then names are broken. Intervals that do not fit the
//! second table have a third one.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, DirectionResult, Layout, Metric, Versus};

use super::bars::Ink;
use super::columns::{Column, fit, lines};
use super::summary::{against, directions, entries, points};
use super::units::{LatencyUnit, interval, median, title};
use super::words;
use crate::render::numbers::mode;

/// Columns of the longest bar.
const BAR_COLUMNS: usize = 10;
const INTERVAL: &str = "95 % interval";
const RATIO_INTERVAL: &str = "ratio 95 %";
const BAR: &str = "";

/// A row: a contestant in one direction.
#[derive(Clone, Copy)]
struct Row<'a> {
    contestant: &'a Contestant,
    result: &'a DirectionResult,
    /// Whether the one above is of another point.
    is_first_of_point: bool,
}

/// Both tables, each with an empty line above it.
pub(super) fn tables(comparison: &Comparison, ink: Ink) -> Vec<String> {
    let rows = rows(comparison);
    let unit = LatencyUnit::of(comparison);
    let mut first = verdicts(comparison, &rows, unit, ink);
    let mut moved = None;
    if !fit(&first) {
        moved = taken(&mut first, INTERVAL);
    }
    if !fit(&first) {
        taken(&mut first, BAR);
    }
    let with_labels = |columns: Vec<Column>| match columns.len() {
        0 => columns,
        _ => labels(comparison, &rows).into_iter().chain(columns).collect(),
    };
    let mut second = details(comparison, &rows, unit);
    let intervals = intervals(comparison, &rows, unit, moved);
    second.extend(intervals.iter().cloned());
    let mut third = Vec::new();
    if !fit(&with_labels(second.clone())) {
        second.truncate(second.len() - intervals.len());
        third = intervals;
    }
    let tables = [first, with_labels(second), with_labels(third)];
    let shown = tables.iter().map(|columns| lines(columns)).filter(|lines| !lines.is_empty());
    shown.flat_map(|lines| [String::new()].into_iter().chain(lines)).collect()
}

fn taken(columns: &mut Vec<Column>, title: &str) -> Option<Column> {
    // From behind: what a row does has no title either.
    let place = columns.iter().rposition(|column| column.title == title)?;
    Some(columns.remove(place))
}

fn rows(comparison: &Comparison) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for direction in directions(comparison) {
        for point in points(comparison) {
            for (place, (contestant, result)) in
                entries(comparison, Some(point), direction).enumerate()
            {
                rows.push(Row { contestant, result, is_first_of_point: place == 0 });
            }
        }
    }
    rows
}

/// What the row is of: its point, its name and, where they differ in that, what it does.
fn labels(comparison: &Comparison, rows: &[Row<'_>]) -> Vec<Column> {
    let flags = comparison.contestants.iter().map(|one| &one.point).find(|point| !point.is_empty());
    let points = flags.map(|settings| {
        let flags: Vec<_> = settings.iter().map(|one| one.flag.as_str()).collect();
        let values = |row: &Row<'_>| {
            let values: Vec<_> = row.contestant.point.iter().map(|one| one.value.clone()).collect();
            if row.is_first_of_point { values.join(", ") } else { String::new() }
        };
        Column::words(&flags.join(", "), rows.iter().map(values))
    });
    let what = match comparison.layout {
        Layout::Ladder => "step",
        _ if comparison.contestants.iter().all(|one| one.changes.is_empty()) => "engine",
        _ => "contestant",
    };
    let names = Column::words(what, rows.iter().map(|row| words::short_name(row.contestant)));
    let modes = Column::words("", rows.iter().map(|row| what_it_does(row.contestant, row.result)));
    // What all of them do is in the sentence above.
    let modes = Some(modes).filter(|modes| modes.cells.iter().any(|mode| *mode != modes.cells[0]));
    points.into_iter().chain([names]).chain(modes).collect()
}

fn what_it_does(one: &Contestant, result: &DirectionResult) -> String {
    let access = one.plan.phases.first().map(|phase| phase.access.clone()).unwrap_or_default();
    mode(result.direction, &access)
}

fn verdicts(comparison: &Comparison, rows: &[Row<'_>], unit: LatencyUnit, ink: Ink) -> Vec<Column> {
    let metric = comparison.metric;
    let each = |cell: &dyn Fn(&Row<'_>) -> Option<String>| {
        rows.iter().map(cell).collect::<Vec<_>>().into_iter()
    };
    let of_median = |row: &Row<'_>| Some(median(metric, unit, row.result.median(metric)?));
    let of_interval = |row: &Row<'_>| interval(metric, unit, row.result.median(metric)?);
    let of_ratio = |row: &Row<'_>| ratio(comparison, row);
    let in_all = |row: &Row<'_>| in_all(comparison, row);
    let per_thread = |row: &Row<'_>| per_thread(comparison, row);
    let optional = [
        Column::numbers(INTERVAL, each(&of_interval)),
        Column::numbers("ratio", each(&of_ratio)),
        Column::numbers("in all", each(&in_all)),
        Column::numbers("per thread", each(&per_thread)),
    ];
    let mut columns = labels(comparison, rows);
    columns.push(Column::numbers(&title(metric, unit), each(&of_median)));
    columns.extend(optional.into_iter().filter(|column| !column.is_empty()));
    columns.push(Column::words(BAR, bars(metric, rows, ink).into_iter()));
    let verdicts = rows.iter().map(|row| verdict(comparison, row));
    columns.extend(Some(Column::words("verdict", verdicts)).filter(|column| !column.is_empty()));
    columns
}

/// Against the baseline, which itself has a 1 where others are compared with it.
fn ratio(comparison: &Comparison, row: &Row<'_>) -> Option<String> {
    match &row.result.versus {
        Some(versus) => versus.ratio(comparison.metric).map(|one| words::ratio(one.ratio)),
        None => is_baseline(comparison, row.contestant).then(|| "1".into()),
    }
}

fn is_baseline(comparison: &Comparison, one: &Contestant) -> bool {
    let mut baselines = comparison.contestants.iter().filter_map(|other| other.baseline);
    baselines.any(|index| comparison.contestants.get(index) == Some(one))
}

/// A step of a ladder against the first one.
fn in_all(comparison: &Comparison, row: &Row<'_>) -> Option<String> {
    let first = comparison.contestants.first()?;
    let is_ladder = comparison.layout == Layout::Ladder;
    let all = against(comparison.metric, first, row.contestant, row.result.direction);
    all.filter(|_| is_ladder).map(words::ratio)
}

/// The rate of each thread, against the same contestant with the fewest.
fn per_thread(comparison: &Comparison, row: &Row<'_>) -> Option<String> {
    let is_rated = comparison.layout == Layout::Scale && comparison.metric.is_rate();
    let ratio = per_thread_ratio(comparison, row.contestant, row.result.direction);
    ratio.filter(|_| is_rated).map(words::ratio)
}

fn per_thread_ratio(
    comparison: &Comparison,
    one: &Contestant,
    direction: Direction,
) -> Option<f64> {
    let threads = |one: &Contestant| {
        let setting = one.point.iter().find(|setting| setting.flag == "threads")?;
        setting.value.parse::<f64>().ok().filter(|threads| *threads > 0.0)
    };
    let name = words::short_name(one);
    let first = comparison.contestants.iter().find(|other| words::short_name(other) == name)?;
    let ratio = against(comparison.metric, first, one, direction)?;
    Some(ratio * threads(first)? / threads(one)?)
}

/// Bars, the longest of which is the greatest value of its direction.
fn bars(metric: Metric, rows: &[Row<'_>], ink: Ink) -> Vec<String> {
    let value = |row: &Row<'_>| row.result.median(metric).map_or(0.0, |rounds| rounds.median);
    let bar = |row: &Row<'_>| {
        let alike = rows.iter().filter(|other| other.result.direction == row.result.direction);
        let greatest = alike.map(value).fold(f64::MIN_POSITIVE, f64::max);
        ink.bar(value(row) / greatest, BAR_COLUMNS)
    };
    rows.iter().map(bar).collect()
}

fn verdict(comparison: &Comparison, row: &Row<'_>) -> String {
    if row.contestant.rounds.is_empty() {
        return "no round was finished".into();
    }
    let said = words::of_result(comparison, row.contestant, row.result);
    let is_baseline = is_baseline(comparison, row.contestant);
    said.unwrap_or_else(|| if is_baseline { "baseline".into() } else { String::new() })
}

/// All other metrics.
fn details(comparison: &Comparison, rows: &[Row<'_>], unit: LatencyUnit) -> Vec<Column> {
    let others = Metric::ALL.into_iter().filter(|metric| *metric != comparison.metric);
    let of_metric = |metric: Metric| {
        let cell = |row: &Row<'_>| Some(median(metric, unit, row.result.median(metric)?));
        Column::numbers(&title(metric, unit), rows.iter().map(cell))
    };
    others.map(of_metric).filter(|column| !column.is_empty()).collect()
}

/// What the first table had no room for, and the interval of the ratio.
fn intervals(
    comparison: &Comparison,
    rows: &[Row<'_>],
    unit: LatencyUnit,
    moved: Option<Column>,
) -> Vec<Column> {
    let of_ratio = |row: &Row<'_>| ratio_interval(row.result.versus.as_ref()?, comparison.metric);
    let title = format!("{} 95 %", title(comparison.metric, unit));
    let moved = moved.map(|column| Column { title, ..column });
    let ratios = Column::numbers(RATIO_INTERVAL, rows.iter().map(of_ratio));
    moved.into_iter().chain([ratios]).filter(|column| !column.is_empty()).collect()
}

fn ratio_interval(versus: &Versus, metric: Metric) -> Option<String> {
    let ratio = versus.ratio(metric)?;
    Some(format!("{:.3}–{:.3}", ratio.low?, ratio.high?))
}
