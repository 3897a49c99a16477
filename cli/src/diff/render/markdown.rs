//! For a comment on a change, or the summary of a job of continuous integration.

use super::super::difference::{Difference, Entry, MetricDifference, Outcome};
use super::super::words;
use crate::render::comparison::words::capital;
use crate::voice::printable;

/// All of `difference`: a heading, a table of what decides, what else differs, and all metrics in
/// a part that is folded up.
pub(super) fn markdown(difference: &Difference) -> String {
    let metric = difference.metric;
    let mut lines = vec![format!("### aio: {}", super::heading(difference)), String::new()];
    lines.push(format!("| result | base {metric} | new {metric} | verdict |"));
    lines.push("| --- | ---: | ---: | --- |".into());
    lines.extend(difference.entries.iter().map(|entry| row(entry, difference)));
    for (names, side) in
        [(&difference.only_in_base, "in the base only"), (&difference.only_in_new, "new")]
    {
        lines.extend(names.iter().map(|name| {
            let name = escaped(&name.to_string());
            format!("| {name} | | | {side} |")
        }));
    }
    lines.push(String::new());
    lines.push(footer(difference));
    let conditions =
        difference.conditions.iter().map(|one| format!("- {}", escaped(&one.to_string())));
    section("What else differs:", conditions.collect(), &mut lines);
    let remarks = difference
        .remarks
        .iter()
        .map(|one| format!("- {}: {}", one.side.name(), escaped(&one.reason)));
    section("Doubts:", remarks.collect(), &mut lines);
    lines.extend(["", "<details><summary>All metrics</summary>", ""].map(String::from));
    lines.push("| result | metric | base | new | change (95 % interval) |".into());
    lines.push("| --- | --- | ---: | ---: | ---: |".into());
    lines.extend(difference.entries.iter().flat_map(all_metrics));
    lines.extend(["", "</details>", ""].map(String::from));
    lines.join("\n")
}

fn row(entry: &Entry, difference: &Difference) -> String {
    let metric = difference.metric;
    let decides = entry.metrics.iter().find(|one| one.metric == metric);
    let [base, new] = decides.map_or_else(Default::default, |one| {
        [words::value(metric, &one.base), words::value(metric, &one.new)]
    });
    let verdict = escaped(&words::verdict(entry, metric, difference.max_regress));
    let verdict = match entry.outcome {
        Outcome::Regression => format!("**{verdict}**"),
        _ => verdict,
    };
    format!("| {} | {base} | {new} | {verdict} |", escaped(&entry.name.to_string()))
}

fn all_metrics(entry: &Entry) -> Vec<String> {
    let name = escaped(&entry.name.to_string());
    let row = |one: &MetricDifference| {
        format!(
            "| {name} | {} | {} | {} | {} |",
            one.metric,
            words::value(one.metric, &one.base),
            words::value(one.metric, &one.new),
            one.ratio.as_ref().map_or_else(String::new, words::ratio),
        )
    };
    entry.metrics.iter().map(row).collect()
}

fn footer(difference: &Difference) -> String {
    let rounds = |of: fn(&Entry) -> usize| {
        let counts = difference.entries.iter().map(of);
        let least = counts.clone().min().unwrap_or_default();
        let most = counts.max().unwrap_or_default();
        if least == most { least.to_string() } else { format!("{least} to {most}") }
    };
    let (base, new) = (rounds(|entry| entry.base_rounds), rounds(|entry| entry.new_rounds));
    let most = match difference.max_regress {
        share if share > 0.0 => format!(" of more than {}", words::percent(share)),
        _ => String::new(),
    };
    let differs = difference.entries.iter().any(Entry::differs);
    let times = if differs { format!(" {}.", capital(words::TWO_TIMES)) } else { String::new() };
    format!(
        "Medians of rounds: {base} of the base ({}), {new} of the new results ({}); changes are of \
         their geometric means. A regression is a loss{most} that chance does not explain.{times}",
        escaped(&difference.base.join(", ")),
        escaped(&difference.new.join(", ")),
    )
}

fn section(title: &str, items: Vec<String>, lines: &mut Vec<String>) {
    if items.is_empty() {
        return;
    }
    lines.extend([String::new(), title.into(), String::new()]);
    lines.extend(items);
}

/// `text` so that Markdown shows it as it is, within a cell of a table too.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A name of somebody who would be told of it.
            '@' => out.push_str("&#64;"),
            _ => out.push(c),
        }
    }
    out
}
