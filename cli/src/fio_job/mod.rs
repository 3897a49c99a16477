//! fio's job files, as far as aio has what they ask for.
//!
//! [`ini`] reads the file into sections of options, [`translate`] says each section in aio's flags,
//! and [`crate::jobs`] takes it from there. What means something else in fio is said in full (fio's
//! blocks are of 4 KiB, and its I/O is buffered, unless told otherwise) or refused; only what
//! `--lenient` allows is left out, and listed. `docs/plans.md` has the whole table.

mod ini;
mod options;
#[cfg(test)]
mod tests;
mod translate;
mod units;

use std::env;

use crate::args::Fio;
use crate::ending::Failure;
use crate::jobs::{self, Draft, Job};
use crate::voice::complain;
use crate::{plan_file, voice};

/// The jobs of the job file that `asked` names. What it leaves out goes to stderr.
///
/// # Errors
/// The file cannot be read, or one of its lines asks for what aio does not have.
pub(crate) fn jobs(asked: &Fio) -> Result<Vec<Job>, Failure> {
    let (name, text) = plan_file::text(&asked.job_file).map_err(Failure::refused)?;
    let surroundings = ini::Surroundings {
        variable: &|name| env::var(name).ok(),
        include: &|path| plan_file::text(path).map_err(Failure::refused),
    };
    let sections = ini::sections(&name, &text, &surroundings)?;
    let has_engine = asked.args.given.iter().any(|one| one.flag == "engine");
    let (drafts, remarks) = drafts(&sections, Manner { is_lenient: asked.lenient, has_engine })?;
    let jobs = jobs::typed(&drafts, &asked.args.given)?;
    // What was left out is said in any case; --quiet is about notes.
    remarks.ignored.iter().for_each(|sentence| complain(sentence));
    if !asked.args.loudness.quiet {
        let notes = remarks.notes.iter().map(|note| voice::printable(note));
        notes.for_each(|note| voice::say(&format!("aio: {note}")));
    }
    Ok(jobs)
}

/// How a job file is taken.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    /// Whether what aio does not have is left out.
    is_lenient: bool,
    /// Whether the command line names an engine, so that the file's does not count.
    has_engine: bool,
}

/// What is to be said about the way a job file was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Remarks {
    /// What was left out.
    ignored: Vec<String>,
    /// What was taken otherwise than fio takes it.
    notes: Vec<String>,
}

fn drafts(sections: &[ini::Section], manner: Manner) -> Result<(Vec<Draft>, Remarks), Failure> {
    let mut remarks = Remarks::default();
    let mut drafts: Vec<Draft> = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let mut draft = translate::draft(section, index == 0, manner, &mut remarks)?;
        let mut twins = 2;
        let name = draft.name.clone();
        while drafts.iter().any(|other| other.name == draft.name) {
            draft.name = format!("{name}-{twins}");
            twins += 1;
        }
        drafts.push(draft);
    }
    Ok((drafts, remarks))
}
