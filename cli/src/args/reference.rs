//! `docs/reference.md`: every command and flag, as the parser knows them.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::definition;
use crate::published;

const HEAD: &str = "\
# Reference

Every command and flag of `aio`, made from the definition of its command line by a test
(`AIO_BLESS=1 cargo test -p aio-cli --bin aio` writes it anew). Flags may be written with `-` or `_`
between words, and every command takes `--help`. `aio --help` has examples; `docs/workloads.md` and `docs/plans.md` explain.
";

#[test]
fn the_published_reference_is_that_of_the_command_line() {
    let mut whole = definition().disable_help_subcommand(true);
    whole.build();
    let mut text = String::from(HEAD);
    section(&whole, None, &mut text);
    for command in whole.get_subcommands().filter(|one| !one.is_hide_set()) {
        section(command, Some(&whole), &mut text);
    }
    published::is("docs/reference.md", &text);
}

#[test]
fn a_flag_has_all_its_names_its_default_and_its_help_in_the_reference() {
    let mut whole = definition();
    whole.build();
    let flag = |name: &str| {
        let found = whole.get_arguments().find(|arg| arg.get_long() == Some(name));
        entry(found.expect("there is such a flag"))
    };
    let depth = flag("queue-depth");
    assert!(depth.starts_with("- `--queue-depth <N>`: "), "{depth}");
    assert!(depth.contains("Other names: `--iodepth`."), "{depth}");
    assert!(depth.ends_with("Default: `32`.\n"), "{depth}");
    let format = flag("format");
    assert!(format.contains("One of `text`, `json`, `csv`, `classic`, `fio-json`."), "{format}");
    assert!(flag("verbose").starts_with("- `-v`, `--verbose`: "));
}

/// A command with its arguments in their groups; those that it shares with a run are not repeated.
fn section(command: &Command, whole: Option<&Command>, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("aio");
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").lines().map(str::trim);
    let usage = usage.collect::<Vec<_>>().join("\n");
    put(text, format_args!("\n## {name}\n\n{}\n\n```text\n{usage}\n```\n", paragraphs(&about)));
    let is_shared = |arg: &Arg| {
        let same = |other: &Arg| other.get_long() == arg.get_long() && entry(other) == entry(arg);
        arg.get_long().is_some() && whole.is_some_and(|run| run.get_arguments().any(same))
    };
    let is_shown = |arg: &&Arg| !arg.is_hide_set() && !is_help(arg) && !is_shared(arg);
    let shown: Vec<_> = command.get_arguments().filter(is_shown).collect();
    let mut headings: Vec<_> = shown.iter().map(|arg| arg.get_help_heading()).collect();
    headings.dedup();
    // What has no heading comes before what has one.
    headings.sort_by_key(Option::is_some);
    for (at, heading) in headings.iter().enumerate() {
        if headings[..at].contains(heading) {
            continue;
        }
        if let Some(heading) = heading {
            put(text, format_args!("\n### {heading}\n"));
        }
        text.push('\n');
        for arg in shown.iter().filter(|arg| arg.get_help_heading() == *heading) {
            text.push_str(&entry(arg));
        }
    }
    let shares_all = command.get_arguments().any(|arg| arg.get_long() == Some("queue-depth"));
    if whole.is_some() && shares_all {
        text.push_str("\nAnd the flags of a run, which are those of `aio` above.\n");
    }
}

fn is_help(arg: &Arg) -> bool {
    let action = arg.get_action();
    matches!(action, ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong)
}

/// One argument as an item of a list.
fn entry(arg: &Arg) -> String {
    let mut names: Vec<_> =
        arg.get_short().map(|short| format!("`-{short}`")).into_iter().collect();
    names.push(match arg.get_long() {
        Some(long) if !arg.get_action().takes_values() => format!("`--{long}`"),
        // As in the help: with what the flag takes behind it.
        _ => format!("`{arg}`"),
    });
    let help = arg.get_help().or(arg.get_long_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = format!("- {}: {}.", names.join(", "), sentence(&help));
    let values = arg.get_possible_values();
    let values: Vec<_> = values.iter().filter(|one| !one.is_hide_set()).collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        let names: Vec<_> = values.iter().map(|one| format!("`{}`", one.get_name())).collect();
        put(&mut text, format_args!(" One of {}.", names.join(", ")));
    }
    let others = arg.get_all_aliases().unwrap_or_default();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|name| format!("`--{name}`")).collect();
        put(&mut text, format_args!(" Other names: {}.", names.join(", ")));
    }
    if let [default] = arg.get_default_values()
        && arg.get_action().takes_values()
    {
        put(&mut text, format_args!(" Default: `{}`.", default.display()));
    }
    text.push('\n');
    text
}

/// Help in one line; what looks like a tag or a list to a reader of Markdown is kept from it.
fn sentence(help: &str) -> String {
    let line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('<', "\\<").replace('*', "\\*")
}

/// The same, paragraph by paragraph.
fn paragraphs(about: &str) -> String {
    about.split("\n\n").map(sentence).collect::<Vec<_>>().join("\n\n")
}

fn put(text: &mut String, piece: std::fmt::Arguments<'_>) {
    let _a_string_takes_all = text.write_fmt(piece);
}
