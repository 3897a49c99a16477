//! A report as Markdown, for a comment on a change.

use super::escape;
use super::model::{Alarm, Cell, Column, Fact, Section, Sheet, Table, Tone};

/// Facts that a short text has room for.
const FACTS: [&str; 5] = ["Machine", "Target", "Plan", "Rounds", "Requests"];

/// The text.
pub(super) fn text(sheet: &Sheet) -> String {
    let several = sheet.sections.len() > 1;
    let mut parts = Vec::new();
    if several {
        parts.push(format!("## {}", escape::markdown(&sheet.title)));
    }
    for one in &sheet.sections {
        section(&mut parts, one, several);
    }
    parts.join("\n\n") + "\n"
}

fn section(parts: &mut Vec<String>, one: &Section, several: bool) {
    let level = if several { "###" } else { "##" };
    let name = if one.name.is_empty() { String::new() } else { format!("{}: ", one.name) };
    let heading = format!("{name}{}", one.heading);
    parts.push(format!("{level} {}", escape::markdown(&heading)));
    parts.push(list(&one.summary));
    if !one.alarms.is_empty() {
        let line = |Alarm { kind, text }: &Alarm| {
            format!("- **{}:** {}", kind.word(), escape::markdown(text))
        };
        parts.push(one.alarms.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    parts.extend(one.tables.first().map(table));
    for Fact { about, lines } in one.facts.iter().filter(|fact| FACTS.contains(&fact.about)) {
        parts.push(format!("{about}: {}", escape::markdown(&lines.join("; "))));
    }
}

/// One sentence as it is, several as a list.
fn list(sentences: &[String]) -> String {
    match sentences {
        [only] => escape::markdown(only),
        all => {
            let line = |one: &String| format!("- {}", escape::markdown(one));
            all.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

fn table(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let title = |column: &Column| escape::markdown(&column.title);
    let rule = |column: &Column| if column.is_number { "---:" } else { "---" }.to_owned();
    let mut lines = vec![
        row(table.columns.iter().map(title).collect()),
        row(table.columns.iter().map(rule).collect()),
    ];
    lines.extend(table.rows.iter().map(|cells| {
        let cells = cells.iter().zip(&table.columns);
        row(cells.map(|(one, column)| cell(one, column)).collect())
    }));
    lines.join("\n")
}

fn cell(cell: &Cell, column: &Column) -> String {
    let text = escape::markdown(&cell.text);
    let text = match cell.tone {
        Tone::Good | Tone::Bad => format!("**{text}**"),
        _ => text,
    };
    match cell.aside.as_ref().filter(|_| !column.is_brief) {
        Some(aside) => format!("{text} ({})", escape::markdown(aside)),
        None => text,
    }
}
