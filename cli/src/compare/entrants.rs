//! Contestants that can run here: each with its plan held against the machine, and its engine.

use aio_backends::{Choice, Chosen, RunPlan, choose};
use aio_core::plan::Plan;
use aio_core::receipt::{Receipt, merge};
use aio_core::report::{Contestant, Layout, Setting, Unavailable};
use aio_core::session::{Runs, Session, Written};
use aio_core::target::Room;
use anyhow::anyhow;

use super::settings::text;
use super::variants::{Variant, otherwise, variants};
use crate::args::Compare;
use crate::ending::Failure;
use crate::lower::lower;
use crate::output::Output;
use crate::signals::Signals;
use crate::{measure, strict};

/// A contestant before its rounds.
#[derive(Debug)]
pub(super) struct Entrant {
    /// A name that no other has.
    pub(super) name: String,
    point: Vec<Setting>,
    changes: Vec<Setting>,
    /// The place of its session in the list.
    pub(super) session: usize,
    /// Its engine.
    pub(super) chosen: Chosen,
    /// What the machine made of its plan and engine.
    pub(super) receipts: Vec<Receipt>,
    /// The place of the entrant that it is compared with.
    pub(super) baseline: Option<usize>,
}

impl Entrant {
    /// What so many runs of it on `session`, which is its own, write.
    pub(super) fn written(&self, session: &Session, runs: u32) -> Vec<Written> {
        let all = u64::from(runs);
        let that_move = if self.chosen.backend.moves_data() { all } else { 0 };
        session.written(Runs { all, that_move })
    }

    /// As a contestant without rounds.
    pub(super) fn contestant(&self, plan: &Plan) -> Contestant {
        Contestant {
            name: self.name.clone(),
            engine: self.chosen.spec.clone(),
            point: self.point.clone(),
            changes: self.changes.clone(),
            baseline: self.baseline,
            plan: Plan { engines: vec![self.chosen.spec.clone()], ..plan.clone() },
            rounds: Vec::new(),
            results: Vec::new(),
            total: None,
        }
    }
}

/// All entrants with what they run on.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) layout: Layout,
    pub(super) sessions: Vec<Session>,
    pub(super) entrants: Vec<Entrant>,
    /// Entrants that take turns with each other, by their places; one group per point of a sweep.
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) unavailable: Vec<Unavailable>,
    /// The choices that were made, to be told.
    pub(super) choices: Vec<Choice>,
}

/// Holds all that `asked` names against the machine. Nothing is created.
pub(super) fn field(
    asked: &Compare,
    outputs: &[Output],
    signals: &Signals,
) -> Result<Field, Failure> {
    let (layout, variants) = variants(asked)?;
    let mut field = Field {
        layout,
        sessions: Vec::new(),
        entrants: Vec::new(),
        groups: Vec::new(),
        unavailable: Vec::new(),
        choices: Vec::new(),
    };
    let is_alone = variants.len() == 1;
    for variant in &variants {
        let added = field.add(asked, variant, outputs, signals);
        added.map_err(
            |(settings, failure)| {
                if is_alone { failure } else { failure.within(settings) }
            },
        )?;
    }
    // Files of all of them stay until the end, each of them once.
    let mut room = Room::default();
    field.sessions.iter().for_each(|session| room.add(&session.resolved().room));
    room.check()?;
    field.name_apart();
    field.group();
    field.find_baselines(asked.baseline.as_deref())?;
    Ok(field)
}

impl Field {
    /// Adds the entrants of a variant; a failure comes with the settings that it is of.
    fn add(
        &mut self,
        asked: &Compare,
        variant: &Variant,
        outputs: &[Output],
        signals: &Signals,
    ) -> Result<(), (String, Failure)> {
        let settings: Vec<_> = variant.point.iter().chain(&variant.changes).cloned().collect();
        let named = |failure| (text(&settings), failure);
        let plan = lower(&variant.args).map_err(Failure::refused).map_err(named)?;
        let session = match self.sessions.first() {
            // What holds a device is one open file.
            Some(first)
                if first.plan().buffered != plan.buffered && !first.resolved().held.is_empty() =>
            {
                let sentence = "a device that is written is opened once for all contestants: have \
                                all of them --buffered, or none";
                return Err(named(Failure::refused(anyhow!(sentence))));
            }
            Some(first) => first.beside(plan),
            None => Session::open(plan, None, signals.stop().clone()),
        };
        let session = session.map_err(Failure::from).map_err(named)?;
        for output in outputs {
            output.refuse_targets(session.resolved()).map_err(named)?;
        }
        let choice = match choose(&session.plan().engines, &session.needs()) {
            Ok(choice) => choice,
            Err(refusal) => return self.pass_over(asked, variant, refusal, outputs, signals),
        };
        measure::refuse_too_few_descriptors(&session, &choice).map_err(named)?;
        if variant.args.safety.strict {
            strict::refuse_downgrades(&session, &choice).map_err(named)?;
        }
        let of_session = session.resolved().receipts.clone();
        for chosen in &choice.chosen {
            let mut receipts = of_session.clone();
            merge(&mut receipts, chosen.capabilities.receipts.clone());
            self.entrants.push(Entrant {
                name: name(variant, chosen, choice.chosen.len()),
                point: variant.point.clone(),
                changes: variant.changes.clone(),
                session: self.sessions.len(),
                chosen: chosen.clone(),
                receipts,
                baseline: None,
            });
        }
        for one in &choice.unavailable {
            if !self.unavailable.contains(one) {
                self.unavailable.push(one.clone());
            }
        }
        self.choices.push(choice);
        self.sessions.push(session);
        Ok(())
    }

    /// A step of a ladder that cannot be had is replaced by the one that it says, or left out, with
    /// the reason. Whatever else cannot run is refused.
    fn pass_over(
        &mut self,
        asked: &Compare,
        variant: &Variant,
        refusal: aio_backends::NoneUsable,
        outputs: &[Output],
        signals: &Signals,
    ) -> Result<(), (String, Failure)> {
        let Some((step, engine)) = variant.step.zip(asked.ladder.as_deref()) else {
            let settings: Vec<_> = variant.point.iter().chain(&variant.changes).cloned().collect();
            return Err((text(&settings), Failure::refused(refusal)));
        };
        self.unavailable.push(Unavailable {
            engine: format!("{engine} {}", step.name),
            reason: refusal.to_string(),
        });
        match otherwise(asked, engine, step) {
            Some(Ok(other)) => self.add(asked, &other, outputs, signals),
            Some(Err(failure)) => Err((step.name.into(), failure)),
            None => Ok(()),
        }
    }

    /// Entrants of the same name get numbers: an engine may be compared with itself.
    fn name_apart(&mut self) {
        for index in 1..self.entrants.len() {
            let (before, rest) = self.entrants.split_at_mut(index);
            let one = &mut rest[0];
            let plain = one.name.clone();
            let mut number = 2;
            while before.iter().any(|other| other.name == one.name) {
                one.name = format!("{plain} #{number}");
                number += 1;
            }
        }
    }

    /// Entrants of one point take turns; so do all where each point has one.
    fn group(&mut self) {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, entrant) in self.entrants.iter().enumerate() {
            let found = groups.iter_mut().find(|group| {
                let first = group.first().map(|first| &self.entrants[*first]);
                first.is_some_and(|first| first.point == entrant.point)
            });
            match found {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        if groups.iter().all(|group| group.len() == 1) {
            groups = vec![groups.concat()];
        }
        self.groups = groups;
    }

    fn find_baselines(&mut self, asked: Option<&str>) -> Result<(), Failure> {
        for group in &self.groups {
            let is_asked = |index: &&usize| {
                let one = &self.entrants[**index];
                asked.is_some_and(|asked| asked == one.name || asked == one.chosen.spec)
            };
            let baseline = group.iter().find(is_asked).copied();
            if let (Some(asked), None) = (asked, baseline) {
                let names: Vec<_> =
                    group.iter().map(|index| self.entrants[*index].name.as_str()).collect();
                return Err(Failure::refused(anyhow!(
                    "--baseline {asked}: there is no such contestant; there are {}",
                    names.join(", ")
                )));
            }
            let baseline = baseline.or(group.first().copied());
            for (place, index) in group.iter().enumerate() {
                let before = place.checked_sub(1).map(|place| group[place]);
                self.entrants[*index].baseline = match self.layout {
                    Layout::Ladder => before,
                    _ => baseline.filter(|baseline| baseline != index),
                };
            }
        }
        Ok(())
    }

    /// The most entrants that take turns with each other.
    pub(super) fn largest_group(&self) -> usize {
        self.groups.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// What a contestant is called: its engine, or what was typed for it, and its point.
fn name(variant: &Variant, chosen: &Chosen, engines: usize) -> String {
    if let Some(step) = variant.step {
        return step.name.into();
    }
    let mut words = Vec::new();
    let names_engine = variant.changes.iter().any(|setting| setting.flag == "engine");
    if variant.changes.is_empty() || engines > 1 && !names_engine {
        words.push(chosen.spec.clone());
    }
    if engines > 1 && names_engine {
        let rest: Vec<_> =
            variant.changes.iter().filter(|setting| setting.flag != "engine").cloned().collect();
        words.extend([chosen.spec.clone(), text(&rest)]);
    } else {
        words.push(text(&variant.changes));
    }
    words.push(text(&variant.point));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}
