//! The rounds of a comparison.

use std::time::{Duration, Instant};

use aio_backends::RunPlan;
use aio_core::receipt::merge as merge_receipts;
use aio_core::report::{
    Comparison, EngineReport, Machine, Measures, RequestsCheck, Round, SCHEMA_VERSION, Status,
    TargetReport,
};
use aio_core::session::Written;
use aio_core::stats::compare::{LEVEL, is_decided, order, rounds_per_cycle, rounds_to_decide};

use super::drifts::Drifts;
use super::entrants::Field;
use super::live::Live;
use super::requests;
use super::rest::rest;
use crate::args::Compare;
use crate::ending::Failure;
use crate::signals::Signals;
use crate::voice::say;
use crate::{consent, merge, render};

/// Rounds, unless told otherwise.
const ROUNDS: u32 = 10;
/// The time that rounds are added in, unless told otherwise.
const TIME_BUDGET: Duration = Duration::from_secs(600);
/// More rounds tell nothing new.
const ROUNDS_MAX: u32 = 100_000;

/// Writes what is known so far; whether that is all.
pub(super) type Write<'a> = dyn FnMut(&Comparison, bool) -> Result<(), Failure> + 'a;

/// Contestants on their way through the rounds.
pub(super) struct Contest<'a> {
    asked: &'a Compare,
    field: Field,
    comparison: Comparison,
    /// For each kind of requests, the first run that made them, and whose it was.
    references: Vec<(usize, EngineReport)>,
    /// No run writes the data of an earlier one.
    next_loop: u32,
    begin: Instant,
    longest_round: Duration,
    /// For each entrant and direction, the rounds in which its rate drifted.
    drifts: Drifts,
    live: Live,
}

/// How many rounds more than can come to a verdict find a difference of 5 % in nine of ten
/// comparisons, when the noise is 2 %; by simulation with two to six contestants.
fn spare(needed: u32) -> u32 {
    if needed > 10 { 3 } else { 2 }
}

/// A run that is over, and where it stood in its round.
struct Turn {
    entrant: usize,
    place: u32,
    begin_s: f64,
    report: EngineReport,
}

/// How a round ended.
enum Ended {
    /// All have run.
    Whole,
    /// One has failed or a signal came; the round does not count.
    Early,
}

/// How many rounds there will be, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    pub(super) rounds: u32,
    /// Rounds after which each contestant was in each place equally often.
    cycle: u32,
    /// Rounds that can come to a verdict.
    needed: u32,
}

impl Planned {
    /// For the contestants in `field`.
    pub(super) fn of(asked: &Compare, field: &Field) -> Self {
        Self::of_comparison(asked, field, &empty(asked, field))
    }

    fn of_comparison(asked: &Compare, field: &Field, comparison: &Comparison) -> Self {
        let verdicts = comparison.contestants.iter().map(|one| comparison.family_of(one));
        let directions = field.sessions.first().map_or(1, |session| {
            session.plan().phases.iter().map(|phase| phase.direction.parts().len()).sum::<usize>()
        });
        let needed = rounds_to_decide(verdicts.max().unwrap_or(1) * directions.max(1), LEVEL);
        let given = asked.rounds.unwrap_or(ROUNDS.max(needed + spare(needed)));
        let cycle = rounds_per_cycle(field.largest_group());
        Self { rounds: given.div_ceil(cycle).saturating_mul(cycle), cycle, needed }
    }
}

impl<'a> Contest<'a> {
    /// What all runs write; with `--until-decided`, those that are certain to come.
    pub(super) fn written(&self) -> Vec<Written> {
        let runs = self.comparison.rounds_planned.saturating_add(self.asked.practice_rounds);
        self.written_by(runs)
    }

    fn written_by(&self, runs: u32) -> Vec<Written> {
        let entrants = self.field.entrants.iter();
        let each = entrants.map(|one| one.written(&self.field.sessions[one.session], runs));
        consent::sum(each)
    }

    /// Whether a cycle more would write as much as must be asked about, and was not.
    fn would_write_much(&self, round: u32) -> bool {
        let was_asked = self.asked.args.safety.yes || consent::is_much(&self.written());
        let cycle = rounds_per_cycle(self.field.largest_group());
        let runs = round.saturating_add(cycle).saturating_add(self.asked.practice_rounds);
        !was_asked && consent::is_much(&self.written_by(runs))
    }

    /// Before the first round.
    pub(super) fn new(asked: &'a Compare, field: Field) -> Self {
        let mut comparison = empty(asked, &field);
        let planned = Planned::of_comparison(asked, &field, &comparison);
        comparison.rounds_planned = planned.rounds;
        if !asked.args.loudness.quiet {
            tell_rounds(asked.rounds, planned, &comparison);
        }
        let names: Vec<String> =
            field.entrants.iter().map(|entrant| entrant.name.clone()).collect();
        let live = Live::new(&asked.args.loudness, &names);
        Self {
            asked,
            field,
            comparison,
            references: Vec::new(),
            next_loop: 0,
            begin: Instant::now(),
            longest_round: Duration::ZERO,
            drifts: Drifts::default(),
            live,
        }
    }

    /// Runs all rounds, and writes what is known after each.
    pub(super) fn run(&mut self, signals: &Signals, write: &mut Write) -> Result<(), Failure> {
        for round in 0..self.asked.practice_rounds {
            self.live.round(None, self.comparison.rounds_planned);
            let (_not_counted, ended) = self.round(round, signals);
            if matches!(ended, Ended::Early) {
                return Ok(());
            }
        }
        let mut round = 0;
        while self.goes_on(round) {
            let begin = Instant::now();
            self.live.round(Some(round), self.comparison.rounds_planned);
            let (turns, ended) = self.round(round, signals);
            if matches!(ended, Ended::Early) {
                return Ok(());
            }
            for turn in turns {
                self.count(round, turn);
            }
            self.comparison.judge();
            self.comparison.elapsed_s = self.begin.elapsed().as_secs_f64();
            write(&self.comparison, false)?;
            round += 1;
            self.longest_round = self.longest_round.max(begin.elapsed());
            self.tell_standing(round);
        }
        self.comparison.status = Status::Complete;
        self.tell_unfinished(round);
        Ok(())
    }

    /// Says that the rounds were over before what was asked was done or known.
    fn tell_unfinished(&self, rounds: u32) {
        if self.asked.args.loudness.quiet {
            return;
        }
        let planned = self.comparison.rounds_planned;
        if rounds < planned {
            say(&format!("aio: --time-budget was over after {rounds} of {planned} rounds"));
            return;
        }
        if !self.asked.until_decided || self.is_decided() {
            return;
        }
        if self.would_write_much(rounds) {
            say("aio: more rounds would write so much that it is asked about; add --yes");
            return;
        }
        let percent = self.comparison.resolution * 100.0;
        say(&format!(
            "aio: the time was over before every ratio was known to {percent} %; give more \
             --time-budget, or a wider --resolution"
        ));
    }

    /// What came out, once files that were made are gone.
    pub(super) fn finish(self, signals: &Signals) -> Comparison {
        let Self { mut comparison, mut field, begin, .. } = self;
        comparison.elapsed_s = begin.elapsed().as_secs_f64();
        if signals.stop().is_set() && comparison.failure.is_none() {
            comparison.status = Status::Interrupted;
        }
        // The first session has the list of what was made, and goes last.
        let first = field.sessions.swap_remove(0);
        drop(field);
        first.finish().iter().for_each(|warning| crate::voice::complain(warning));
        comparison
    }

    /// Whether round `round` is to be run.
    fn goes_on(&self, round: u32) -> bool {
        let budget = self.budget();
        let would_end = self.begin.elapsed() + self.longest_round;
        if round > 0 && budget.is_some_and(|budget| would_end > budget) || round == ROUNDS_MAX {
            return false;
        }
        if !self.asked.until_decided || round < self.comparison.rounds_planned {
            return round < self.comparison.rounds_planned;
        }
        let is_whole = round.is_multiple_of(rounds_per_cycle(self.field.largest_group()));
        !(is_whole && (self.is_decided() || self.would_write_much(round)))
    }

    /// The time after which no round is begun.
    fn budget(&self) -> Option<Duration> {
        let given = self.asked.time_budget_ns.map(Duration::from_nanos);
        given.or(self.asked.until_decided.then_some(TIME_BUDGET))
    }

    /// Whether every ratio is known as closely as was asked.
    fn is_decided(&self) -> bool {
        let comparison = &self.comparison;
        let Comparison { metric, level, resolution, .. } = *comparison;
        comparison.contestants.iter().all(|one| {
            let family = comparison.family_of(one);
            let versus = one.results.iter().filter_map(|result| result.versus.as_ref());
            let ratios = versus.map(|versus| versus.ratio(metric));
            // What no round measures is not measured by more of them.
            ratios
                .into_iter()
                .all(|ratio| ratio.is_none() || is_decided(ratio, family, level, resolution))
        })
    }

    /// Every entrant once. Points of a sweep are visited in an order of their own.
    fn round(&mut self, round: u32, signals: &Signals) -> (Vec<Turn>, Ended) {
        let mut turns = Vec::new();
        for group in order(self.field.groups.len(), round) {
            let members = self.field.groups[group].clone();
            for (place, member) in (0_u32..).zip(order(members.len(), round)) {
                let Some(turn) = self.turn(members[member], place, signals) else {
                    return (turns, Ended::Early);
                };
                turns.push(turn);
            }
        }
        (turns, Ended::Whole)
    }

    /// One run of one entrant; `None` when it failed or a signal came.
    fn turn(&mut self, entrant: usize, place: u32, signals: &Signals) -> Option<Turn> {
        if signals.stop().is_set() {
            return None;
        }
        let begin_s = self.begin.elapsed().as_secs_f64();
        self.live.turn(entrant);
        let one = &self.field.entrants[entrant];
        let session = &self.field.sessions[one.session];
        let chosen = &one.chosen;
        let mut report = chosen.backend.run(session, &chosen.spec, self.next_loop, &mut self.live);
        self.next_loop = self.next_loop.wrapping_add(session.plan().loops_in_all());
        merge_receipts(&mut report.receipts, one.receipts.clone());
        rest(session, Duration::from_nanos(self.asked.cool_down_ns), signals.stop());
        if report.directions.iter().any(|one| one.status != Status::Complete) {
            self.failed(entrant, report, signals);
            return None;
        }
        self.live.finished(entrant, &rates(&report));
        self.hold_requests(entrant, &report);
        self.comparison.requests.mismatch.is_none().then_some(Turn {
            entrant,
            place,
            begin_s,
            report,
        })
    }

    fn failed(&mut self, entrant: usize, report: EngineReport, signals: &Signals) {
        let is_failure = report.directions.iter().any(|one| one.status == Status::Failed);
        if !is_failure && signals.stop().is_set() {
            return;
        }
        let one = &self.field.entrants[entrant];
        let report = self.field.sessions[one.session].report(vec![report], Vec::new());
        let failures = render::failures(&report).join("; ");
        self.comparison.failure = Some(format!("{}: {failures}", one.name));
        self.comparison.status = Status::Failed;
    }

    /// Compares what was requested with the first run that was to make the same requests.
    fn hold_requests(&mut self, entrant: usize, report: &EngineReport) {
        let plan = |entrant: usize| {
            let session = self.field.entrants[entrant].session;
            self.field.sessions[session].plan()
        };
        let same = |(other, _): &&(usize, EngineReport)| {
            requests::asks_for_the_same(plan(*other), plan(entrant))
        };
        let Some((other, reference)) = self.references.iter().find(same) else {
            return self.references.push((entrant, report.clone()));
        };
        let names = [*other, entrant].map(|index| self.field.entrants[index].name.as_str());
        let check = &mut self.comparison.requests;
        requests::compare(reference, report, names, check);
        if let Some(mismatch) = &check.mismatch {
            self.comparison.failure = Some(mismatch.clone());
            self.comparison.status = Status::Failed;
        }
    }

    /// Adds a run to the results of its contestant.
    fn count(&mut self, index: u32, turn: Turn) {
        let Turn { entrant, place, begin_s, mut report } = turn;
        self.drifts.take(entrant, &mut report);
        let contestant = &mut self.comparison.contestants[entrant];
        let measures = report.directions.iter().map(|one| Measures::of(&report, one)).collect();
        contestant.rounds.push(Round { index, place, begin_s, measures });
        let before = contestant.total.take();
        contestant.total = merge::rounds(before.into_iter().chain([report]).collect());
        if let Some(total) = &mut contestant.total {
            self.drifts.tell(entrant, contestant.rounds.len(), total);
        }
    }

    /// Says how the contestants stand after `done` rounds.
    fn tell_standing(&mut self, done: u32) {
        let mean = (self.begin.elapsed()) / (done + self.asked.practice_rounds);
        let left = self.comparison.rounds_planned.saturating_sub(done);
        let budget = self.budget().map(|budget| budget.saturating_sub(self.begin.elapsed()));
        let left = mean.saturating_mul(left);
        self.live.left(budget.map_or(left, |budget| budget.min(left)));
        let line = render::standing(&self.comparison);
        self.live.standing(&line);
    }
}

/// Requests per second of each direction, in words.
fn rates(report: &EngineReport) -> String {
    let of_direction = |one: &aio_core::report::DirectionReport| {
        let rate = render::rate(one.requests_per_s);
        if report.directions.len() == 1 { rate } else { format!("{} {rate}", one.direction) }
    };
    report.directions.iter().map(of_direction).collect::<Vec<_>>().join(", ")
}

/// What is said of the number of rounds before they begin.
fn tell_rounds(asked: Option<u32>, planned: Planned, comparison: &Comparison) {
    let Planned { rounds: planned, cycle, needed } = planned;
    if let Some(asked) = asked.filter(|asked| *asked != planned) {
        say(&format!(
            "aio: {planned} rounds instead of {asked}, so that each of {cycle} is in each place \
             equally often"
        ));
    }
    let has_verdicts = comparison.contestants.iter().any(|one| one.baseline.is_some());
    if has_verdicts && planned < needed {
        say(&format!(
            "aio: {planned} rounds cannot tell a difference from chance at a level of 1 %; {needed} \
             can, when they all agree"
        ));
    }
}

/// Entrants that are asked for other requests than their baseline.
fn others(field: &Field) -> Vec<String> {
    let plan = |entrant: usize| field.sessions[field.entrants[entrant].session].plan();
    let differs = |(index, baseline): &(usize, Option<usize>)| {
        baseline.is_some_and(|base| !requests::asks_for_the_same(plan(base), plan(*index)))
    };
    let baselines = field.entrants.iter().map(|one| one.baseline).enumerate();
    baselines.filter(differs).map(|(index, _)| field.entrants[index].name.clone()).collect()
}

/// A comparison without rounds.
fn empty(asked: &Compare, field: &Field) -> Comparison {
    let mut targets: Vec<TargetReport> = Vec::new();
    for target in field.sessions.iter().flat_map(|session| &session.resolved().targets) {
        if !targets.contains(target) {
            targets.push(target.clone());
        }
    }
    let plan = |session: usize| field.sessions[session].plan();
    let contestants = field.entrants.iter();
    Comparison {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        machine: Machine::look(),
        targets,
        layout: field.layout,
        metric: asked.metric,
        level: LEVEL,
        resolution: asked.resolution,
        rounds_planned: 0,
        elapsed_s: 0.0,
        contestants: contestants.map(|one| one.contestant(plan(one.session))).collect(),
        unavailable: field.unavailable.clone(),
        requests: RequestsCheck { other_requests: others(field), ..RequestsCheck::default() },
        status: Status::Interrupted,
        failure: None,
    }
}
