//! For people: a table, and what it means.

use super::super::difference::{Difference, Entry, MetricDifference, Name};
use super::super::words;
use crate::render::{laid_out, wrapped};
use crate::voice::printable;

/// The least that a name is broken to.
const LABEL_COLUMNS_MIN: usize = 16;

/// All of `difference`.
pub(super) fn text(difference: &Difference) -> String {
    let Difference { base, new, metric, max_regress, .. } = difference;
    let mut lines = wrapped(&format!("base: {}", printable(&base.join(", "))));
    lines.extend(wrapped(&format!("new:  {}", printable(&new.join(", ")))));
    lines.push(String::new());
    lines.extend(table(difference));
    lines.extend(wrapped(
        "base and new: medians of rounds; change: of their geometric means, which the verdict is on",
    ));
    lines.push(String::new());
    for entry in &difference.entries {
        let verdict = words::verdict(entry, *metric, *max_regress);
        lines.extend(wrapped(&format!("{}: {verdict}", entry.name)));
    }
    if difference.entries.iter().any(Entry::differs) {
        lines.extend(wrapped(words::TWO_TIMES));
    }
    let only = |names: &[Name], side: &str| {
        names.iter().flat_map(|name| wrapped(&format!("{name}: in the {side} only"))).collect()
    };
    let only: [Vec<_>; 2] =
        [only(&difference.only_in_base, "base"), only(&difference.only_in_new, "new results")];
    lines.extend(only.concat());
    if !difference.conditions.is_empty() {
        lines.push(String::new());
        lines.push("what else differs:".into());
        let conditions = difference.conditions.iter();
        lines.extend(conditions.flat_map(|one| wrapped(&format!("  {one}"))));
    }
    if !difference.remarks.is_empty() {
        lines.push(String::new());
    }
    for remark in &difference.remarks {
        let line = format!("{}: {}", remark.side.name(), printable(&remark.reason));
        lines.extend(wrapped(&line));
    }
    lines.push(String::new());
    lines.push(format!("{} (by {metric})", super::heading(difference)));
    lines.push(String::new());
    lines.join("\n")
}

fn table(difference: &Difference) -> Vec<String> {
    let header = ["", "metric", "base", "new", "change (95 % interval)"].map(String::from).to_vec();
    let rows = difference.entries.iter().flat_map(rows).collect();
    laid_out(header, rows, 2..5, LABEL_COLUMNS_MIN)
}

fn rows(entry: &Entry) -> Vec<Vec<String>> {
    let row = |(index, one): (usize, &MetricDifference)| {
        vec![
            if index == 0 { entry.name.to_string() } else { String::new() },
            one.metric.to_string(),
            words::value(one.metric, &one.base),
            words::value(one.metric, &one.new),
            one.ratio.as_ref().map_or_else(|| "-".into(), words::ratio),
        ]
    };
    if entry.metrics.is_empty() {
        let mut nothing = vec!["-".to_owned(); 5];
        nothing[0] = entry.name.to_string();
        return vec![nothing];
    }
    entry.metrics.iter().enumerate().map(row).collect()
}
