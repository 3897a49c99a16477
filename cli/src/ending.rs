//! How the program ends: exit codes, and errors that know theirs.

use std::fmt;
use std::process::ExitCode;

use aio_core::target::ResolveError;

use crate::voice;

/// How the program ends. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All was done.
    Done,
    /// Input, output or something else in the run failed; or the results could not be written.
    Failed,
    /// Refused before anything was created or changed.
    Refused,
    /// Done, but `--strict` does not accept the result.
    Doubtful,
    /// Done, but a gate failed: an assertion, or a difference that is a regression.
    Gate,
    /// This signal ended it, after the partial result was printed.
    Signalled(u8),
}

impl Ending {
    /// How the program ends when `failures` of a gate, which are of `job` where there are several,
    /// came up behind this. They are told, unless a signal cut short what they are about; nothing
    /// that is worse than a gate is made better.
    pub(crate) fn gated(self, failures: &[String], job: Option<&str>) -> Self {
        if failures.is_empty() || matches!(self, Self::Signalled(_) | Self::Refused) {
            return self;
        }
        let of_job = job.map(|name| format!("job {name}: ")).unwrap_or_default();
        for failure in failures {
            voice::complain(&format!("{of_job}{failure}"));
        }
        if self == Self::Failed { self } else { Self::Gate }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::Refused => 2,
            Ending::Doubtful | Ending::Gate => 3,
            Ending::Signalled(signal) => 128 + signal,
        })
    }
}

/// Why the program ends early, and how.
#[derive(Debug)]
pub(crate) struct Failure {
    ending: Ending,
    error: anyhow::Error,
}

impl Failure {
    /// Refused before anything was created.
    pub(crate) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self { ending: Ending::Refused, error: error.into() }
    }

    /// Failed on the way.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { ending: Ending::Failed, error: error.into() }
    }

    /// The same, said of `what`.
    pub(crate) fn within(self, what: String) -> Self {
        Self { error: self.error.context(what), ..self }
    }

    /// Says on stderr what happened, and how the program ends.
    pub(crate) fn tell(&self) -> Ending {
        voice::complain(&self.sentence());
        self.ending
    }

    /// The error and its causes.
    pub(crate) fn sentence(&self) -> String {
        with_cure(chain(self.error.chain()))
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        match error {
            // Too little of something is a failure, whether foreseen or met.
            ResolveError::Memory { .. } | ResolveError::Space { .. } => Self::failed(error),
            other => Self::refused(other),
        }
    }
}

/// An error and its causes, once each: some errors are a cover of their cause and say the same.
fn chain(links: impl Iterator<Item = impl fmt::Display>) -> String {
    let mut said: Vec<String> = Vec::new();
    for link in links.map(|link| link.to_string()) {
        if said.last() != Some(&link) {
            said.push(link);
        }
    }
    said.join(": ")
}

/// What the kernel says for EMFILE.
const TOO_MANY_FILES: &str = "Too many open files (os error 24)";
/// How a report's failures name it.
const EMFILE: &str = "EMFILE";
const LIMIT_OF_FILES: &str = "raise the limit with ulimit -n";

/// Whether `sentence` is about something that [`with_cure`] knows a cure for.
pub(crate) fn has_cure(sentence: &str) -> bool {
    (sentence.contains(TOO_MANY_FILES) || sentence.contains(EMFILE))
        && !sentence.contains("ulimit -n")
}

/// `sentence`, and what would cure it.
pub(crate) fn with_cure(sentence: String) -> String {
    if has_cure(&sentence) { format!("{sentence}; {LIMIT_OF_FILES}") } else { sentence }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_chain_of_causes_is_told_once_each() {
        let error = anyhow!("no space").context("no space").context("cannot write");
        assert_eq!(Failure::failed(error).sentence(), "cannot write: no space");
    }

    #[test]
    fn a_limit_of_descriptors_is_told_with_its_cure_once() {
        let sentence = "cannot open f: Too many open files (os error 24)";
        let cured = with_cure(sentence.into());
        assert_eq!(cured, format!("{sentence}; raise the limit with ulimit -n"));
        assert_eq!(with_cure(cured.clone()), cured);
        assert_eq!(with_cure("cannot open f".into()), "cannot open f");
    }

    #[test]
    fn a_gate_that_failed_is_worse_than_a_doubt_and_not_than_a_failure_or_a_signal() {
        let failures = ["x".to_owned()];
        for (before, after) in [
            (Ending::Done, Ending::Gate),
            (Ending::Doubtful, Ending::Gate),
            (Ending::Failed, Ending::Failed),
            (Ending::Signalled(2), Ending::Signalled(2)),
        ] {
            assert_eq!(before.gated(&failures, None), after);
            assert_eq!(before.gated(&[], None), before);
        }
    }

    #[test]
    fn too_little_memory_is_a_failure_and_no_refusal() {
        let failure = Failure::from(ResolveError::Memory {
            cure: "less",
            asked_bytes: 2,
            available_bytes: 1,
            of_group: false,
        });
        assert_eq!(failure.ending, Ending::Failed);
    }
}
