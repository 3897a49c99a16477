//! A finding: what is, what it does to a measurement, and the command that would change it.

use schemars::JsonSchema;
use serde::Serialize;

/// What a finding is about. In the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    /// The kernel and what it runs in: a virtual machine, a container.
    Kernel,
    /// The engines, and what may keep them from the kernel.
    Engines,
    /// How much a process may have of what it needs.
    Limits,
    /// Memory and its pages.
    Memory,
    /// The processors.
    Processor,
    /// The block device under the place, and those that it is built upon.
    Device,
    /// The file system of the place.
    FileSystem,
    /// The file or device itself.
    Target,
}

impl Topic {
    /// What the finding is called in a text.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Engines => "engines",
            Self::Limits => "limits",
            Self::Memory => "memory",
            Self::Processor => "processor",
            Self::Device => "device",
            Self::FileSystem => "file system",
            Self::Target => "target",
        }
    }
}

/// How a finding is judged; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Numbers will not mean what they seem to mean, or something cannot be measured at all.
    Warning,
    /// Worth knowing when numbers are read or compared.
    Note,
    /// It could not be found out.
    Unknown,
    /// Nothing to do.
    Good,
}

impl Verdict {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 4] = [Self::Warning, Self::Note, Self::Unknown, Self::Good];

    /// What it is called in a text.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Good => "good",
        }
    }
}

/// One thing that bears on a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// What it is about.
    pub(crate) topic: Topic,
    /// What was looked at: `scheduler of nvme0n1`, `memlock`.
    pub(crate) name: String,
    /// How it is judged.
    pub(crate) verdict: Verdict,
    /// What is; for `unknown`, why that is not known.
    pub(crate) state: String,
    /// What that does to a measurement, in one sentence without a full stop.
    pub(crate) effect: String,
    /// The command of a shell that would change it; null where no command can, or nothing needs to
    /// be changed. It is never run by the doctor.
    pub(crate) cure: Option<String>,
    /// What to know before that command is run, or what to do where there is none.
    pub(crate) remark: Option<String>,
}

impl Finding {
    /// A finding without a cure.
    pub(crate) fn new(
        (topic, name): (Topic, impl Into<String>),
        verdict: Verdict,
        state: impl Into<String>,
        effect: impl Into<String>,
    ) -> Self {
        let (name, state, effect) = (name.into(), state.into(), effect.into());
        Self { topic, name, verdict, state, effect, cure: None, remark: None }
    }

    /// The same with a command.
    pub(crate) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    /// The same with what to know or to do.
    pub(crate) fn remark(self, remark: impl Into<String>) -> Self {
        Self { remark: Some(remark.into()), ..self }
    }
}

/// Good if `is_good`, and `otherwise` if not.
pub(crate) fn good_or(otherwise: Verdict, is_good: bool) -> Verdict {
    if is_good { Verdict::Good } else { otherwise }
}

/// The finding of that name, for tests.
#[cfg(test)]
#[track_caller]
pub(crate) fn named<'f>(findings: &'f [Finding], name: &str) -> &'f Finding {
    let mut all = findings.iter().filter(|finding| finding.name == name);
    let found = all.next().unwrap_or_else(|| panic!("there is no {name} in {findings:#?}"));
    assert!(all.next().is_none(), "{name} is there twice");
    assert!(!found.effect.is_empty() && !found.effect.ends_with('.'), "{found:?}");
    found
}
