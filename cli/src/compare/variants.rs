//! What was asked to be compared, as flags: before any engine is chosen.

use aio_backends::RunPlan;
use aio_core::engine::LadderStep;
use aio_core::report::{Layout, Metric, Setting};
use anyhow::anyhow;

use super::axes::{Axis, axis, crossed};
use super::settings::{settings, text, varied};
use crate::args::{Args, Catalogue, Compare, Format, Given};
use crate::ending::Failure;

/// The flag that gives requests a schedule.
const RATE: &str = "rate-iops";

/// A plan, by its flags, that one or several engines run.
#[derive(Debug)]
pub(super) struct Variant {
    /// The point of the sweep; empty without one.
    pub(super) point: Vec<Setting>,
    /// What else differs from the command line.
    pub(super) changes: Vec<Setting>,
    /// The step of a ladder that it is.
    pub(super) step: Option<LadderStep>,
    /// All flags.
    pub(super) args: Args,
}

/// How contestants came about, and all variants in order.
pub(super) fn variants(asked: &Compare) -> Result<(Layout, Vec<Variant>), Failure> {
    refuse_flags_of_runs(asked)?;
    let catalogue = Catalogue::of_run();
    let maker = Maker { asked, catalogue: &catalogue };
    if let Some(engine) = &asked.ladder {
        return Ok((Layout::Ladder, maker.ladder(engine)?));
    }
    let (layout, axes) = maker.axes()?;
    let points = crossed(&axes).map_err(Failure::refused)?;
    let mut variants = Vec::new();
    for point in points {
        maker.at(&point, &mut variants)?;
    }
    let has_rate = |one: &Variant| one.args.given.iter().any(|given| given.flag == RATE);
    if asked.metric == Metric::ResponseP99 && !variants.iter().all(has_rate) {
        return Err(Failure::refused(anyhow!(
            "--metric response-p99 needs --rate-iops: nothing is due without a schedule"
        )));
    }
    Ok((layout, variants))
}

fn refuse_flags_of_runs(asked: &Compare) -> Result<(), Failure> {
    let args = &asked.args;
    let refuse = |sentence: &str| Err(Failure::refused(anyhow!("{sentence}")));
    if args.safety.dump_plan {
        return refuse("--dump-plan writes the plan of one run, and aio compare makes several");
    }
    if args.tuning.steady_state {
        return refuse(
            "--steady-state has rounds of its own and cannot be used with aio compare; give \
             --until-decided or more --rounds",
        );
    }
    if matches!(args.listing.format, Format::Classic | Format::FioJson) {
        return refuse(
            "aio compare has no result for --format classic or fio-json; give text, json or csv",
        );
    }
    Ok(())
}

struct Maker<'a> {
    asked: &'a Compare,
    catalogue: &'a Catalogue,
}

impl Maker<'_> {
    fn axes(&self) -> Result<(Layout, Vec<Axis>), Failure> {
        if let Some(most) = self.asked.scale {
            let all = axis(&format!("threads=1..{most}"), self.catalogue);
            return Ok((Layout::Scale, vec![all.map_err(Failure::refused)?]));
        }
        let axes = self.asked.sweeps.iter().map(|text| axis(text, self.catalogue));
        let axes: Vec<Axis> = axes.collect::<Result<_, _>>().map_err(Failure::refused)?;
        let flags = axes.iter().enumerate();
        for (index, one) in flags {
            if axes[..index].iter().any(|other| other.flag == one.flag) {
                return Err(Failure::refused(anyhow!("--sweep {} is there twice", one.flag)));
            }
        }
        let layout = if axes.is_empty() { Layout::Contestants } else { Layout::Sweep };
        Ok((layout, axes))
    }

    /// The variants of one point.
    fn at(&self, point: &[Setting], variants: &mut Vec<Variant>) -> Result<(), Failure> {
        let swept = |failure: Failure| match point {
            [] => failure,
            point => failure.within(format!("--sweep {}", text(point))),
        };
        if self.asked.contestants.is_empty() {
            variants.push(self.variant(point, Vec::new(), "all").map_err(swept)?);
        }
        for words in &self.asked.contestants {
            let named = |failure: Failure| failure.within(format!("--contestant {words:?}"));
            let changes = settings(words, self.catalogue).map_err(Failure::refused);
            let variant = changes.and_then(|changes| self.variant(point, changes, "auto"));
            variants.push(variant.map_err(named).map_err(swept)?);
        }
        Ok(())
    }

    /// One variant; its engine is `engine` where nobody names one.
    fn variant(
        &self,
        point: &[Setting],
        changes: Vec<Setting>,
        engine: &str,
    ) -> Result<Variant, Failure> {
        let settings: Vec<Setting> = point.iter().chain(&changes).cloned().collect();
        let mut args = varied(self.given(), &settings, self.catalogue)?;
        if !args.given.iter().any(|one| one.flag == "engine") {
            args.engines = vec![engine.into()];
        }
        Ok(Variant { point: point.into(), changes, step: None, args })
    }

    fn given(&self) -> &[Given] {
        &self.asked.args.given
    }

    fn ladder(&self, engine: &str) -> Result<Vec<Variant>, Failure> {
        let backend = aio_backends::parse(engine).map_err(Failure::refused)?;
        if self.given().iter().any(|one| one.flag == "engine") {
            return Err(Failure::refused(anyhow!("--ladder names its engine; leave out --engine")));
        }
        if engine.contains(':') {
            let sentence = anyhow!("--ladder {engine}: give the engine without options");
            return Err(Failure::refused(sentence));
        }
        let steps = backend.ladder();
        if steps.is_empty() {
            return Err(Failure::refused(anyhow!("--ladder {engine}: it has no steps to climb")));
        }
        steps.iter().map(|step| self.rung(backend.name(), *step)).collect()
    }

    /// The variant of a step of a ladder.
    pub(super) fn rung(&self, engine: &str, step: LadderStep) -> Result<Variant, Failure> {
        let spec = match step.options {
            "" => engine.to_owned(),
            options => format!("{engine}:{options}"),
        };
        let setting = |flag: &str, value: String| Setting { flag: flag.into(), value };
        let mut changes = vec![setting("engine", spec)];
        if !step.is_batched {
            changes.push(setting("batch-submit", "1".into()));
        }
        let variant = self.variant(&[], changes, engine)?;
        Ok(Variant { step: Some(step), ..variant })
    }
}

/// What takes the place of a step of a ladder that cannot be had.
pub(super) fn otherwise(
    asked: &Compare,
    engine: &str,
    step: LadderStep,
) -> Option<Result<Variant, Failure>> {
    let catalogue = Catalogue::of_run();
    let maker = Maker { asked, catalogue: &catalogue };
    step.otherwise.map(|other| maker.rung(engine, *other))
}
