//! What a comparison found out: contestants, their rounds, and what can be said of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EngineReport, Machine, Measures, Metric, Status, TargetReport, Unavailable};
use crate::plan::{Direction, Plan};
use crate::stats::compare::{Interval, Paired, Verdict, median, paired, verdict};

/// All that a comparison found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The version of this format.
    pub schema_version: u32,
    /// The version of the tool.
    pub tool_version: String,
    /// Where it ran.
    pub machine: Machine,
    /// Each file that was read or written.
    pub targets: Vec<TargetReport>,
    /// How the contestants came about, which is how they are best shown.
    pub layout: Layout,
    /// What verdicts rest on.
    pub metric: Metric,
    /// The share of comparisons without a difference in which one of the verdicts of a family may
    /// find one.
    pub level: f64,
    /// A ratio is known well enough when its interval is no wider than twice this share.
    pub resolution: f64,
    /// Rounds that were asked for, after being rounded up so that every contestant is in every
    /// place equally often.
    pub rounds_planned: u32,
    /// Seconds that all of it took, set-up included.
    pub elapsed_s: f64,
    /// The contestants, in the order in which they were asked for.
    pub contestants: Vec<Contestant>,
    /// Engines that were asked for in general (`all`, `auto`) and cannot run here.
    pub unavailable: Vec<Unavailable>,
    /// Whether contestants were given the same requests.
    pub requests: RequestsCheck,
    /// How it ended. Rounds that were finished by then count.
    pub status: Status,
    /// What went wrong, when something did.
    pub failure: Option<String>,
}

impl Comparison {
    /// Works out anew what can be said of each contestant, from the rounds that there are.
    pub fn judge(&mut self) {
        let judged: Vec<_> = self.contestants.iter().map(|one| self.judged(one)).collect();
        for (contestant, results) in self.contestants.iter_mut().zip(judged) {
            contestant.results = results;
        }
    }

    fn judged(&self, one: &Contestant) -> Vec<DirectionResult> {
        let baseline = one.baseline.and_then(|index| self.contestants.get(index));
        let family = self.family_of(one);
        let result = |direction| DirectionResult {
            direction,
            medians: medians(one, direction),
            versus: baseline.map(|base| self.versus(base, one, direction, family)),
        };
        directions(one).into_iter().map(result).collect()
    }

    /// How many verdicts are given together with that of `one`, so that they share the level: those
    /// against the same baseline, in all directions. The steps of a ladder are one family.
    #[must_use]
    pub fn family_of(&self, one: &Contestant) -> usize {
        let is_ladder = self.layout == Layout::Ladder;
        let together = |other: &&Contestant| {
            other.baseline.is_some() && (is_ladder || other.baseline == one.baseline)
        };
        let verdicts = self.contestants.iter().filter(together);
        verdicts.map(|other| directions(other).len().max(1)).sum::<usize>().max(1)
    }

    fn versus(
        &self,
        base: &Contestant,
        one: &Contestant,
        direction: Direction,
        family: usize,
    ) -> Versus {
        let ratio = |metric| {
            let (base, one) = pairs(base, one, direction, metric);
            let paired = paired(&base, &one)?;
            Some(MetricRatio { metric, paired })
        };
        let ratios: Vec<_> = Metric::ALL.into_iter().filter_map(ratio).collect();
        let decides = ratios.iter().find(|one| one.metric == self.metric).map(|one| one.paired);
        let verdict = verdict(decides, self.metric.is_rate(), family, self.level);
        Versus { baseline: base.name.clone(), ratios, verdict }
    }
}

/// The directions that `one` has rounds of, in their order.
fn directions(one: &Contestant) -> Vec<Direction> {
    let first = one.rounds.first();
    first.into_iter().flat_map(|round| &round.measures).map(|one| one.direction).collect()
}

fn value(round: &Round, direction: Direction, metric: Metric) -> Option<f64> {
    let measures = round.measures.iter().find(|one| one.direction == direction)?;
    measures.get(metric).filter(|value| value.is_finite())
}

fn medians(one: &Contestant, direction: Direction) -> Vec<MetricMedian> {
    let of = |metric| {
        let values: Option<Vec<f64>> =
            one.rounds.iter().map(|round| value(round, direction, metric)).collect();
        Some(MetricMedian { metric, rounds: median(&values?)? })
    };
    Metric::ALL.into_iter().filter_map(of).collect()
}

/// The values of rounds that both contestants have; none when one of them lacks a value.
fn pairs(
    base: &Contestant,
    one: &Contestant,
    direction: Direction,
    metric: Metric,
) -> (Vec<f64>, Vec<f64>) {
    let both = one.rounds.iter().filter_map(|round| {
        let of_base = base.rounds.iter().find(|other| other.index == round.index)?;
        Some(value(of_base, direction, metric).zip(value(round, direction, metric)))
    });
    both.collect::<Option<Vec<_>>>().unwrap_or_default().into_iter().unzip()
}

/// How the contestants of a comparison came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Engines, or what was given as contestants, against the baseline.
    #[default]
    Contestants,
    /// The same at each point of a sweep.
    Sweep,
    /// Steps that each add one option to the one before, which is their baseline.
    Ladder,
    /// A sweep of the number of threads.
    Scale,
}

/// A flag and its value, as on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The long name of the flag, without dashes in front.
    pub flag: String,
    /// Its value; empty for a switch.
    pub value: String,
}

/// An engine with what it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contestant {
    /// A name that no other contestant of the comparison has.
    pub name: String,
    /// The spec of its engine.
    pub engine: String,
    /// The point of the sweep; empty without one. Contestants of the same point are compared with
    /// each other.
    pub point: Vec<Setting>,
    /// The flags in which it differs from the command line, beside those of its point.
    pub changes: Vec<Setting>,
    /// Which contestant it is compared with, by its place in the list; absent for a baseline.
    pub baseline: Option<usize>,
    /// What it was asked to do.
    pub plan: Plan,
    /// Its rounds, in the order in which they ran; the practice before them is left out.
    pub rounds: Vec<Round>,
    /// What can be said of it, once per direction.
    pub results: Vec<DirectionResult>,
    /// Its rounds as one; absent when none was finished.
    pub total: Option<EngineReport>,
}

/// One pass of one contestant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// Counted from 0; the same for all contestants that took turns in it.
    pub index: u32,
    /// How many others of its point ran before it in this round.
    pub place: u32,
    /// When it began, in seconds after the comparison did.
    pub begin_s: f64,
    /// What it measured, once per direction.
    pub measures: Vec<Measures>,
}

/// What can be said of a contestant in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DirectionResult {
    /// Which way.
    pub direction: Direction,
    /// The middle of its rounds, for each metric that all of them measured.
    pub medians: Vec<MetricMedian>,
    /// How it compares with its baseline; absent for a baseline.
    pub versus: Option<Versus>,
}

impl DirectionResult {
    /// The middle of the rounds of `metric`.
    #[must_use]
    pub fn median(&self, metric: Metric) -> Option<Interval> {
        self.medians.iter().find(|one| one.metric == metric).map(|one| one.rounds)
    }
}

/// The median of rounds, with what it may well be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricMedian {
    /// Of what, in the unit that [`Metric`] states.
    pub metric: Metric,
    /// The median of the rounds, and its interval of 95 %.
    #[serde(flatten)]
    pub rounds: Interval,
}

/// A contestant against its baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Versus {
    /// The name of the baseline.
    pub baseline: String,
    /// Its value over the baseline's, for each metric that all rounds of both measured.
    pub ratios: Vec<MetricRatio>,
    /// What the comparison's metric says.
    pub verdict: Verdict,
}

impl Versus {
    /// The ratio of `metric`.
    #[must_use]
    pub fn ratio(&self, metric: Metric) -> Option<Paired> {
        self.ratios.iter().find(|one| one.metric == metric).map(|one| one.paired)
    }
}

/// The ratio of one metric, over rounds of the same index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricRatio {
    /// Of what.
    pub metric: Metric,
    /// The ratio with its interval and how surely it is none.
    #[serde(flatten)]
    pub paired: Paired,
}

/// Whether contestants of the same point were given the same requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestsCheck {
    /// Runs that were held against another one.
    pub runs_compared: u64,
    /// Requests of those that are known to be the same: all of them where requests or bytes end a
    /// run; up to the last checkpoint that both came to where time does.
    pub common_requests: u64,
    /// Requests that the shorter one of each such pair made.
    pub fewest_requests: u64,
    /// Contestants that were asked for other requests than their baseline, by another number of
    /// threads, say: what they measured is compared, and is not of the same work.
    #[serde(default)]
    pub other_requests: Vec<String>,
    /// What does not agree, in a sentence; the comparison has failed then.
    pub mismatch: Option<String>,
}
