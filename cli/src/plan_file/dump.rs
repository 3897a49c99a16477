//! From a command line back to a plan file.

use std::ffi::OsString;
use std::fmt::Write;

use anyhow::anyhow;

use super::read::{OF_THE_RUN, ONLY_TYPED};
use crate::args::{Catalogue, Given, Takes};
use crate::ending::Failure;
use crate::voice::is_hidden;

/// The plan file of one command line, given its flags. What was not given stands below as a
/// comment, so that the file says what it was when it was written.
///
/// # Errors
/// A value that TOML cannot hold.
pub(crate) fn dump_run(given: &[Given]) -> Result<String, Failure> {
    let catalogue = Catalogue::of_run();
    let mut text = head();
    for one in given {
        key(&catalogue, one, &mut text)?;
    }
    let is_given = |name: &str| given.iter().any(|one| one.flag == name);
    let left = catalogue.flags().iter().filter(|flag| !is_given(&flag.name));
    let defaults = left.filter_map(|flag| Some((flag.name.as_str(), flag.default.as_deref()?)));
    let defaults: Vec<_> = defaults.collect();
    if !defaults.is_empty() {
        text.push_str("\n# As they are when nothing is said:\n");
    }
    for (name, default) in defaults {
        let _a_string_takes_all = writeln!(text, "# {name} = {}", scalar(default));
    }
    Ok(text)
}

/// The plan file of several jobs, given the name and the flags of each.
///
/// # Errors
/// A value that TOML cannot hold.
pub(crate) fn dump(jobs: &[(&str, &[Given])]) -> Result<String, Failure> {
    let catalogue = Catalogue::of_run();
    let is_shared = |one: &&Given| OF_THE_RUN.contains(&one.flag.as_str());
    let mut text = head();
    let shared = jobs.first().map(|(_, given)| *given).unwrap_or_default();
    for one in shared.iter().filter(is_shared) {
        key(&catalogue, one, &mut text)?;
    }
    for (name, given) in jobs {
        let _a_string_takes_all = write!(text, "\n[[job]]\nname = {}\n", quoted(name));
        for one in given.iter().filter(|one| !is_shared(one)) {
            key(&catalogue, one, &mut text)?;
        }
    }
    Ok(text)
}

fn head() -> String {
    format!("# A plan of aio {}, for aio run.\n", env!("CARGO_PKG_VERSION"))
}

/// The line of one flag.
fn key(catalogue: &Catalogue, given: &Given, text: &mut String) -> Result<(), Failure> {
    let Given { flag, values } = given;
    if ONLY_TYPED.contains(&flag.as_str()) {
        return Ok(());
    }
    let words = values.iter().map(|value| word(flag, value)).collect::<Result<Vec<_>, _>>()?;
    let takes = catalogue.find(flag).map(|flag| flag.takes);
    let value = match (takes, words.as_slice()) {
        (Some(Takes::Nothing), _) | (Some(Takes::Times), []) => "true".into(),
        (_, [one]) => scalar(one),
        (_, several) => {
            let items: Vec<_> = several.iter().map(|one| scalar(one)).collect();
            format!("[{}]", items.join(", "))
        }
    };
    let _a_string_takes_all = writeln!(text, "{flag} = {value}");
    Ok(())
}

fn word<'v>(flag: &str, value: &'v OsString) -> Result<&'v str, Failure> {
    value.to_str().ok_or_else(|| {
        let value = value.display();
        Failure::refused(anyhow!(
            "--{flag} {value} is not UTF-8, and a plan file holds nothing else"
        ))
    })
}

/// A plain number as a number, everything else as a string.
fn scalar(value: &str) -> String {
    let is_number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    if is_number { value.into() } else { quoted(value) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => {
                let _a_string_takes_all = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
