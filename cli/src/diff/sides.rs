//! The results of each side, all of its files together.

use std::path::PathBuf;

use aio_core::plan::{Direction, Plan};
use aio_core::receipt::{Receipt, merge};
use aio_core::report::{
    Comparison, Doubt, EngineReport, Machine, Measures, Report, Round, Status, TargetReport,
};
use anyhow::anyhow;

use super::difference::{Condition, Name, Remark, Which};
use super::same;
use crate::documents::{self, Document};
use crate::ending::Failure;
use crate::render::has_rate;
use crate::voice::printable;

/// All that one side has.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// What its files are called.
    pub(super) files: Vec<String>,
    /// Where its results come from.
    pub(super) sources: Vec<Source>,
    /// Its results by name, in the order in which they were met.
    pub(super) entries: Vec<Measured>,
    /// What is to be said of a file as a whole.
    remarks: Vec<Doubt>,
}

/// Where results come from: a run, a job, or a comparison.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) tool_version: String,
    pub(super) machine: Machine,
    pub(super) targets: Vec<TargetReport>,
}

/// What was measured of one engine in one direction.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) name: Name,
    /// The spec of the engine.
    pub(super) engine: String,
    pub(super) plan: Plan,
    pub(super) rounds: Vec<Measures>,
    pub(super) receipts: Vec<Receipt>,
    doubts: Vec<Doubt>,
    /// The first file that has it.
    pub(super) file: String,
}

impl Side {
    /// Reads `paths`.
    ///
    /// # Errors
    /// One that cannot be read; unless forced, one whose run failed, or that measured something
    /// else than another.
    pub(super) fn read(paths: &[PathBuf], force: bool) -> Result<Self, Failure> {
        let mut side = Self::default();
        for path in paths {
            let name = documents::name(path);
            let document = documents::read(path).map_err(Failure::refused)?;
            side.files.push(name.clone());
            side.add(&name, document, force)?;
        }
        Ok(side)
    }

    /// A side of one document.
    #[cfg(test)]
    pub(super) fn of(file: &str, document: Document, force: bool) -> Result<Self, Failure> {
        let mut side = Self { files: vec![file.into()], ..Self::default() };
        side.add(file, document, force)?;
        Ok(side)
    }

    fn add(&mut self, file: &str, document: Document, force: bool) -> Result<(), Failure> {
        match document {
            Document::Run(report) => self.add_report(file, None, *report, force),
            Document::Jobs(jobs) => jobs
                .into_iter()
                .try_for_each(|(name, report)| self.add_report(file, Some(&name), report, force)),
            Document::Comparison(comparison) => self.add_comparison(file, *comparison, force),
        }
    }

    fn add_report(
        &mut self,
        file: &str,
        job: Option<&str>,
        report: Report,
        force: bool,
    ) -> Result<(), Failure> {
        let of = match job {
            Some(job) => format!("{file}: job {}", printable(job)),
            None => file.to_owned(),
        };
        self.look_at(&of, "run", report.status, None, force)?;
        for engine in &report.engines {
            let mut receipts = report.receipts.clone();
            merge(&mut receipts, engine.receipts.iter().cloned());
            for one in &engine.directions {
                let contestant = engine.engine.clone();
                let job = job.map(String::from);
                let name = Name { job, contestant, direction: one.direction };
                let measured = Measured {
                    name,
                    engine: engine.engine.clone(),
                    plan: report.plan.clone(),
                    // A direction that failed is not one whose numbers are 0.
                    rounds: Vec::from_iter(has_rate(one).then(|| Measures::of(engine, one))),
                    receipts: receipts.clone(),
                    doubts: one.doubts.clone(),
                    file: of.clone(),
                };
                self.pool(measured, force)?;
            }
        }
        let Report { tool_version, machine, targets, .. } = report;
        self.sources.push(Source { tool_version, machine, targets });
        Ok(())
    }

    fn add_comparison(
        &mut self,
        file: &str,
        comparison: Comparison,
        force: bool,
    ) -> Result<(), Failure> {
        let why = comparison.failure.as_deref().or(comparison.requests.mismatch.as_deref());
        self.look_at(file, "comparison", comparison.status, why, force)?;
        for one in comparison.contestants {
            for direction in directions(&one.rounds) {
                let of_direction = |total: &EngineReport| {
                    total.directions.iter().find(|one| one.direction == direction).cloned()
                };
                let rounds = one.rounds.iter().flat_map(|round| &round.measures);
                let measured = Measured {
                    name: Name { job: None, contestant: one.name.clone(), direction },
                    engine: one.engine.clone(),
                    plan: one.plan.clone(),
                    rounds: rounds.filter(|one| one.direction == direction).copied().collect(),
                    receipts: one.total.as_ref().map_or(Vec::new(), |all| all.receipts.clone()),
                    doubts: one
                        .total
                        .as_ref()
                        .and_then(of_direction)
                        .map_or(Vec::new(), |one| one.doubts),
                    file: file.into(),
                };
                self.pool(measured, force)?;
            }
        }
        let Comparison { tool_version, machine, targets, .. } = comparison;
        self.sources.push(Source { tool_version, machine, targets });
        Ok(())
    }

    /// Refuses what failed, and notes what was cut short.
    fn look_at(
        &mut self,
        of: &str,
        what: &str,
        status: Status,
        why: Option<&str>,
        force: bool,
    ) -> Result<(), Failure> {
        let why = why.map(|why| format!(" ({})", printable(why))).unwrap_or_default();
        match status {
            Status::Complete => {}
            Status::Interrupted => {
                let reason = format!("the {what} in {of} was cut short by a signal");
                self.remarks.push(Doubt::new("interrupted", reason));
            }
            Status::Failed if force => {
                self.remarks.push(Doubt::new("failed", format!("the {what} in {of} failed{why}")));
            }
            Status::Failed => {
                return Err(Failure::refused(anyhow!(
                    "{of}: the {what} failed{why}, so that it tells nothing about speed; --force \
                     compares what there is"
                )));
            }
        }
        Ok(())
    }

    /// Adds the rounds of `more` to those of the same name.
    fn pool(&mut self, more: Measured, force: bool) -> Result<(), Failure> {
        let Some(known) = self.entries.iter_mut().find(|one| one.name == more.name) else {
            self.entries.push(more);
            return Ok(());
        };
        if let Some(field) = same::different(known, &more).first().filter(|_| !force) {
            return Err(same::refusal(field, known, &more));
        }
        known.rounds.extend(more.rounds);
        merge(&mut known.receipts, more.receipts);
        let new = more.doubts.into_iter().filter(|doubt| !known.doubts.contains(doubt));
        let new: Vec<_> = new.collect();
        known.doubts.extend(new);
        Ok(())
    }

    /// What `name` measured.
    pub(super) fn find(&self, name: &Name) -> Option<&Measured> {
        self.entries.iter().find(|one| one.name == *name)
    }

    /// What is here and not in `other`.
    pub(super) fn names_not_in(&self, other: &Self) -> Vec<Name> {
        let missing = self.entries.iter().filter(|one| other.find(&one.name).is_none());
        missing.map(|one| one.name.clone()).collect()
    }

    /// When each side has one contestant of its own name, that of `base` is taken for both. Tells
    /// the two names.
    pub(super) fn take_name_of(&mut self, base: &Self) -> Option<Condition> {
        let condition = Condition {
            what: "engine".into(),
            base: base.only_name()?.into(),
            new: self.only_name()?.into(),
        };
        if condition.base == condition.new {
            return None;
        }
        for one in &mut self.entries {
            one.name.contestant.clone_from(&condition.base);
        }
        Some(condition)
    }

    fn only_name(&self) -> Option<&str> {
        let mut names = self.entries.iter().map(|one| one.name.contestant.as_str());
        let first = names.next()?;
        names.all(|name| name == first).then_some(first)
    }

    /// What makes its numbers doubtful.
    fn doubts(&self) -> Vec<Doubt> {
        let of_entry = |one: &Measured| {
            let name = one.name.to_string();
            let doubts = one.doubts.clone().into_iter();
            doubts.map(move |doubt| {
                Doubt::new(&doubt.code, format!("{name} is doubtful: {}", doubt.reason))
            })
        };
        let of_entries: Vec<_> = self.entries.iter().flat_map(of_entry).collect();
        self.remarks.iter().cloned().chain(of_entries).collect()
    }
}

fn directions(rounds: &[Round]) -> Vec<Direction> {
    let mut directions = Vec::new();
    for one in rounds.iter().flat_map(|round| &round.measures) {
        if !directions.contains(&one.direction) {
            directions.push(one.direction);
        }
    }
    directions
}

/// What makes the numbers of either side doubtful; what is said of both is said once.
pub(super) fn remarks(base: &Side, new: &Side) -> Vec<Remark> {
    let (base, new) = (base.doubts(), new.doubts());
    let remark = |doubt: &Doubt, side| {
        let Doubt { code, reason } = doubt.clone();
        Remark { side, code, reason }
    };
    let of_base = base.iter().map(|doubt| {
        let side = if new.contains(doubt) { Which::Both } else { Which::Base };
        remark(doubt, side)
    });
    let of_new = new.iter().filter(|doubt| !base.contains(doubt));
    of_base.chain(of_new.map(|doubt| remark(doubt, Which::New))).collect()
}
