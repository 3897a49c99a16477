//! Several runs from one file: what plan files and fio's job files have in common.
//!
//! A file is read into [`Draft`]s: flags by their long names, each with the line that asked for it.
//! [`typed`] lays what was given on the command line over them and has the parser of the command
//! line read the result, so that a file can say whatever a command line can, and nothing else.
//! [`run()`] checks all jobs and runs them.

mod run;

use std::fmt;
use std::rc::Rc;

use anyhow::anyhow;

use crate::args::{Args, Catalogue, Given, RefusedFlags, from_flags};
use crate::ending::Failure;

pub(crate) use run::run;

/// The most jobs of one file: each is read as a command line is, and more are no plan of anybody.
pub(crate) const JOBS_MAX: usize = 1000;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as it was named.
    pub(crate) file: Rc<str>,
    /// The line, from 1 on.
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Place {
    /// A refusal of what stands there.
    pub(crate) fn refuse(&self, sentence: impl fmt::Display) -> Failure {
        Failure::refused(anyhow!("{self}: {sentence}"))
    }
}

/// What a file asks of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The long name of the flag.
    pub(crate) flag: String,
    /// Its values: none for a switch.
    pub(crate) values: Vec<String>,
    /// Whether it is asked for, or a switch that is turned off.
    pub(crate) is_on: bool,
    /// Where that is said.
    pub(crate) place: Place,
}

/// A job as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    /// Its name.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) place: Place,
    /// Its flags, each once.
    pub(crate) entries: Vec<Entry>,
}

/// A job that can be lowered to a plan.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its name.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) place: Place,
    /// What its flags mean.
    pub(crate) args: Args,
}

impl Job {
    /// A refusal of the job as a whole.
    pub(crate) fn refuse(&self, failure: Failure) -> Failure {
        failure.within(format!("{}: job {:?}", self.place, self.name))
    }
}

/// `over` laid over `base`: a flag takes the place of the same flag, and of those that it cannot be
/// used with.
pub(crate) fn layered(catalogue: &Catalogue, base: &[Entry], over: &[Entry]) -> Vec<Entry> {
    let stays = |entry: &&Entry| {
        !over.iter().any(|above| {
            above.flag == entry.flag || above.is_on && catalogue.exclude(&above.flag, &entry.flag)
        })
    };
    base.iter().filter(stays).chain(over).cloned().collect()
}

/// The jobs as if each had been typed on a command line of its own, `given` behind it.
///
/// # Errors
/// The line of the first flag that the command line would not accept, and why.
pub(crate) fn typed(drafts: &[Draft], given: &[Given]) -> Result<Vec<Job>, Failure> {
    let catalogue = Catalogue::of_run();
    drafts.iter().map(|draft| typed_job(&catalogue, draft, given)).collect()
}

fn typed_job(catalogue: &Catalogue, draft: &Draft, given: &[Given]) -> Result<Job, Failure> {
    let gives_way = |entry: &Entry| {
        given.iter().any(|one| one.flag == entry.flag || catalogue.exclude(&one.flag, &entry.flag))
    };
    let stay: Vec<_> =
        draft.entries.iter().filter(|entry| entry.is_on && !gives_way(entry)).collect();
    let of_file = stay.iter().map(|entry| Given {
        flag: entry.flag.clone(),
        values: entry.values.iter().map(Into::into).collect(),
    });
    let flags: Vec<_> = of_file.chain(given.iter().cloned()).collect();
    let args = from_flags(&flags).map_err(|RefusedFlags { flags, sentence }| {
        // Of two that do not go together, the one that came later is in the way.
        let entry = stay.iter().rfind(|entry| flags.contains(&entry.flag));
        entry.map_or(&draft.place, |entry| &entry.place).refuse(sentence)
    })?;
    Ok(Job { name: draft.name.clone(), place: draft.place.clone(), args })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(flag: &str, value: Option<&str>, line: usize) -> Entry {
        Entry {
            flag: flag.into(),
            values: value.map(String::from).into_iter().collect(),
            is_on: value != Some("off"),
            place: Place { file: "f".into(), line },
        }
    }

    fn draft(entries: &[Entry]) -> Draft {
        let place = Place { file: "f".into(), line: 1 };
        Draft { name: "j".into(), place, entries: entries.to_vec() }
    }

    fn given(flag: &str, value: &str) -> Given {
        let values = if value.is_empty() { Vec::new() } else { vec![value.into()] };
        Given { flag: flag.into(), values }
    }

    #[test]
    fn the_command_line_wins_over_the_same_flag_and_over_those_that_it_excludes() {
        let file = draft(&[
            entry("read-file", Some("a"), 2),
            entry("block-size", Some("4k"), 3),
            entry("sequential-requests", None, 4),
        ]);
        let over = [given("block-size", "8k"), given("overlap-events", "")];
        let job = &typed(std::slice::from_ref(&file), &over).unwrap()[0];
        assert_eq!(job.args.tuning.block_size_bytes, 8192);
        assert!(!job.args.tuning.sequential_requests);
        let job = &typed(std::slice::from_ref(&file), &[given("file", "b")]).unwrap()[0];
        assert_eq!(job.args.workload.read_file, None, "--file takes the place of --read-file");
    }

    #[test]
    fn a_refusal_names_the_line_of_the_flag_or_of_the_job() {
        let bad = draft(&[entry("seed", Some("1"), 2), entry("block-size", Some("0"), 3)]);
        let sentence = typed(&[bad], &[]).unwrap_err().sentence();
        assert!(sentence.starts_with("f:3: invalid value '0' for '--block-size"), "{sentence}");
        let sentence = typed(&[draft(&[])], &[given("seed", "x")]).unwrap_err().sentence();
        assert!(sentence.starts_with("f:1: invalid value 'x' for '--seed"), "{sentence}");
    }

    #[test]
    fn a_switch_that_is_off_undoes_one_below_and_excludes_nothing() {
        let catalogue = Catalogue::of_run();
        let base = [entry("sequential-requests", None, 1), entry("buffered", None, 2)];
        let over = [entry("overlap-events", Some("off"), 3), entry("buffered", Some("off"), 4)];
        let flags: Vec<_> = layered(&catalogue, &base, &over);
        let flags: Vec<_> = flags.iter().map(|one| (one.flag.as_str(), one.is_on)).collect();
        assert_eq!(
            flags,
            [("sequential-requests", true), ("overlap-events", false), ("buffered", false)]
        );
    }
}
