//! `aio diff`: results of two times against each other.
//!
//! [`sides`] reads the files of each side, [`same`] says what the sides do not have in common,
//! [`judge`] what the numbers say; what comes of that is plain data ([`mod@difference`]), which
//! [`render`] shows.

mod difference;
mod judge;
mod render;
mod same;
mod sides;
mod words;

use std::path::Path;

use aio_core::report::SCHEMA_VERSION;
use aio_core::stats::compare::LEVEL;
use anyhow::anyhow;

pub(crate) use self::difference::Difference;
use self::difference::Outcome;
use self::sides::Side;
use crate::args::Diff;
use crate::documents;
use crate::ending::{Ending, Failure};
use crate::output::{self, Output};
use crate::voice::say;

/// Compares the two sets that `asked` names.
pub(crate) fn run(asked: &Diff) -> Result<Ending, Failure> {
    let output = Output::open(asked.output.as_deref())?;
    refuse_as_output(asked)?;
    let difference = difference(asked)?;
    output.write(&render::rendered(&difference, asked.format)?)?;
    if let Some(cure) = judge::cure(&difference) {
        say(&format!("aio: note: {cure}"));
    }
    Ok(Ending::Done.gated(&difference.failures, None))
}

/// What the two sets differ in.
fn difference(asked: &Diff) -> Result<Difference, Failure> {
    refuse_twice(asked)?;
    let base = Side::read(&asked.base.0, asked.force)?;
    let new = Side::read(&asked.new.0, asked.force)?;
    of_sides(asked, &base, new)
}

/// The same of sides that have been read.
fn of_sides(asked: &Diff, base: &Side, mut new: Side) -> Result<Difference, Failure> {
    let mut conditions = Vec::new();
    if asked.force {
        conditions.extend(new.take_name_of(base));
    }
    let (entries, different) = judge::entries(asked, base, &new)?;
    conditions.extend(different);
    conditions.extend(same::conditions(base, &new));
    if entries.is_empty() {
        return Err(nothing_in_common(base, &new));
    }
    let mut difference = Difference {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        base: base.files.clone(),
        new: new.files.clone(),
        metric: asked.metric,
        level: LEVEL,
        max_regress: asked.max_regress,
        entries,
        only_in_base: base.names_not_in(&new),
        only_in_new: new.names_not_in(base),
        conditions,
        remarks: sides::remarks(base, &new),
        failures: Vec::new(),
    };
    difference.failures = failures(&difference, asked.strict);
    Ok(difference)
}

/// The two documents against each other, forced, in every form.
#[cfg(test)]
pub(crate) fn of_documents(
    base: documents::Document,
    new: documents::Document,
) -> Result<String, Failure> {
    use crate::args::{Asked, Command, DiffFormat, parse};
    let line = ["aio", "diff", "base", "new", "--force", "--strict"].map(Into::into);
    let Ok(Asked::Command(Command::Diff(asked))) = parse(line) else { panic!("it is a diff") };
    let base = Side::of("base", base, true)?;
    let difference = of_sides(&asked, &base, Side::of("new", new, true)?)?;
    let forms = [DiffFormat::Text, DiffFormat::Md, DiffFormat::Json];
    let made = forms.map(|format| render::rendered(&difference, format));
    let made = made.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    Ok(String::from_utf8(made).expect("forms are UTF-8"))
}

/// Results that took days to come by are not replaced by what is said of them.
fn refuse_as_output(asked: &Diff) -> Result<(), Failure> {
    let Some(output) = &asked.output else { return Ok(()) };
    let inputs = asked.base.0.iter().chain(&asked.new.0);
    documents::refuse_as_output("--output", output, inputs).map_err(Failure::refused)
}

/// A file that counted twice would make rounds out of nothing, and stdin can be read once.
fn refuse_twice(asked: &Diff) -> Result<(), Failure> {
    let of = |paths: &[std::path::PathBuf], what: &str| {
        for (index, path) in paths.iter().enumerate() {
            if paths[..index].iter().any(|other| output::is_same(other, path)) {
                let name = documents::name(path);
                return Err(Failure::refused(anyhow!("{name} is given twice {what}")));
            }
        }
        Ok(())
    };
    of(&asked.base.0, "as base, and its rounds count once")?;
    of(&asked.new.0, "as new, and its rounds count once")?;
    let all = asked.base.0.iter().chain(&asked.new.0);
    let stdin: Vec<_> = all.filter(|path| *path == Path::new("-")).cloned().collect();
    of(&stdin, "and can be read once")
}

fn nothing_in_common(base: &Side, new: &Side) -> Failure {
    let names = |side: &Side| {
        if side.entries.is_empty() {
            return format!("{} has no round that was finished", side.files.join(", "));
        }
        let names = side.entries.iter().map(|one| one.name.to_string());
        format!("{} has {}", side.files.join(", "), names.collect::<Vec<_>>().join(", "))
    };
    Failure::refused(anyhow!(
        "the two have no engine, direction and job in common: {}; {}; --force compares two engines \
         of different names when each side has one",
        names(base),
        names(new)
    ))
}

/// What fails the gate, a sentence each.
fn failures(difference: &Difference, strict: bool) -> Vec<String> {
    let mut failures = Vec::new();
    for entry in &difference.entries {
        let fails = match entry.outcome {
            Outcome::Regression => true,
            Outcome::Slower | Outcome::Faster | Outcome::NoDifference => false,
            Outcome::CannotTell | Outcome::NotEnoughRounds | Outcome::NotMeasured => strict,
        };
        if fails {
            let sentence = words::verdict(entry, difference.metric, difference.max_regress);
            failures.push(format!("{}: {sentence}", entry.name));
        }
    }
    let missing = difference.only_in_base.iter().filter(|_| strict);
    failures.extend(missing.map(|name| format!("{name}: it is in the base only")));
    failures
}
