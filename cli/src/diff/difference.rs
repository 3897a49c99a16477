//! What `aio diff` found, as plain data; in JSON as it stands here.

use std::fmt;

use aio_core::plan::Direction;
use aio_core::report::Metric;
use aio_core::stats::compare::{Interval, Paired, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::voice::printable;

/// Two sets of results against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Difference {
    /// The version of this format.
    pub(crate) schema_version: u32,
    /// The version of the tool.
    pub(crate) tool_version: String,
    /// The files of the base.
    pub(crate) base: Vec<String>,
    /// The files that were compared with it.
    pub(crate) new: Vec<String>,
    /// What verdicts rest on.
    pub(crate) metric: Metric,
    /// How often one of the verdicts finds a difference where there is none.
    pub(crate) level: f64,
    /// The share of the base's value by which a result may be worse.
    pub(crate) max_regress: f64,
    /// What both sides have.
    pub(crate) entries: Vec<Entry>,
    /// What only the base has.
    pub(crate) only_in_base: Vec<Name>,
    /// What only the other side has.
    pub(crate) only_in_new: Vec<Name>,
    /// In what else than their numbers the sides differ.
    pub(crate) conditions: Vec<Condition>,
    /// Reasons not to trust a number.
    pub(crate) remarks: Vec<Remark>,
    /// Why the gate failed, a sentence each; empty when it did not.
    pub(crate) failures: Vec<String>,
}

/// What is compared: the same engine, or contestant, in the same direction of the same job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Name {
    /// The job, where there are several.
    pub(crate) job: Option<String>,
    /// The contestant, or the spec of the engine.
    pub(crate) contestant: String,
    /// Which way.
    pub(crate) direction: Direction,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(job) = &self.job {
            write!(f, "job {} ", printable(job))?;
        }
        write!(f, "{} {}", printable(&self.contestant), self.direction)
    }
}

/// One of those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Entry {
    /// What it is.
    #[serde(flatten)]
    pub(crate) name: Name,
    /// Rounds of the base.
    pub(crate) base_rounds: usize,
    /// Rounds of the other side.
    pub(crate) new_rounds: usize,
    /// Each metric that all rounds of both sides measured.
    pub(crate) metrics: Vec<MetricDifference>,
    /// What the metric that decides says.
    pub(crate) verdict: Verdict,
    /// What follows.
    pub(crate) outcome: Outcome,
}

impl Entry {
    /// Whether a difference was found.
    pub(crate) fn differs(&self) -> bool {
        matches!(self.outcome, Outcome::Regression | Outcome::Slower | Outcome::Faster)
    }
}

/// One metric on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct MetricDifference {
    /// Of what, in the unit of the metric: see `docs/report.md`.
    pub(crate) metric: Metric,
    /// The middle of the base's rounds.
    pub(crate) base: Interval,
    /// The same of the other side.
    pub(crate) new: Interval,
    /// The other side's over the base's; absent when a value is not above 0.
    pub(crate) ratio: Option<Paired>,
}

/// What follows for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Worse by more than is allowed.
    Regression,
    /// Worse, and within what is allowed.
    Slower,
    /// Better.
    Faster,
    /// No difference was found, and none that matters would have been missed.
    NoDifference,
    /// There was too much noise.
    CannotTell,
    /// No difference could have been found with so few rounds.
    NotEnoughRounds,
    /// The metric that decides has no ratio.
    NotMeasured,
}

/// Something beside the numbers in which the sides differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Condition {
    /// What it is.
    pub(crate) what: String,
    /// What it is on the base's side; several by commas.
    pub(crate) base: String,
    /// What it is on the other.
    pub(crate) new: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, base, new } = self;
        write!(f, "{}: {} -> {}", printable(what), printable(base), printable(new))
    }
}

/// A reason not to trust a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Remark {
    /// Whose number.
    pub(crate) side: Which,
    /// A stable word for programs.
    pub(crate) code: String,
    /// A sentence for people.
    pub(crate) reason: String,
}

/// A side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Which {
    /// The base.
    Base,
    /// What is compared with it.
    New,
    /// Either.
    Both,
}

impl Which {
    /// Its name in sentences.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::New => "new",
            Self::Both => "base and new",
        }
    }
}
