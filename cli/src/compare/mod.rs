//! `aio compare`: contestants take turns in rounds, and what they measured is judged.
//!
//! From flags to variants (plans), from variants to entrants (which can run here), through rounds
//! to a [`Comparison`], which is written after each round.

mod axes;
mod contest;
mod drifts;
mod entrants;
mod live;
mod requests;
mod rest;
mod settings;
mod variants;

use aio_core::report::{Comparison, Status};
use anyhow::anyhow;

use self::contest::{Contest, Planned};
use self::entrants::{Field, field};
use crate::args::{Compare, Format};
use crate::dry_run::Preview;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::render::{self, Found, JobResult};
use crate::signals::Signals;
use crate::{consent, gate, measure, output, strict, voice};

/// Compares what `asked` names.
pub(crate) fn run(asked: &Compare, signals: &Signals) -> Result<Ending, Failure> {
    let listing = &asked.args.listing;
    let output = Output::open(listing.output.as_deref())?;
    let saved = asked.save.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    if let (Some(output), Some(save)) = (&listing.output, &asked.save)
        && output::is_same(output, save)
    {
        let sentence = "--save and --output are the same file; give --save alone";
        return Err(Failure::refused(anyhow!(sentence)));
    }
    let outputs: Vec<Output> = [Some(output), saved].into_iter().flatten().collect();
    let field = field(asked, &outputs, signals)?;
    if asked.args.safety.dry_run {
        return preview(asked, &field, listing.format, &outputs[0]);
    }
    if let Some(choice) = field.choices.first() {
        measure::tell_choice(choice, &asked.args.loudness);
    }
    signals.remove_at_once(field.sessions[0].made());
    let mut contest = Contest::new(asked, field);
    let least = if asked.until_decided { "at least " } else { "" };
    if let Some(ended) = consent::ask(&contest.written(), least, &asked.args, signals)? {
        return Ok(ended);
    }
    let mut write = |comparison: &Comparison, is_last: bool| {
        write(comparison, is_last, listing.format, &outputs)
    };
    let ran = contest.run(signals, &mut write);
    let comparison = contest.finish(signals);
    let written = write(&comparison, true);
    ran.and(written)?;
    let ended = conclude(asked, &comparison, signals)?;
    Ok(ended.gated(&gate::check_comparison(&asked.args.safety.asserts, &comparison), None))
}

/// Writes what is known: after each round where a file is replaced, in the end everywhere.
fn write(
    comparison: &Comparison,
    is_last: bool,
    format: Format,
    outputs: &[Output],
) -> Result<(), Failure> {
    // Without a finished round there is nothing that is worth replacing what was saved before.
    let has_rounds = comparison.contestants.iter().any(|one| !one.rounds.is_empty());
    if let Some(saved) = outputs.get(1).filter(|_| has_rounds) {
        saved.write(&render::comparison(comparison, Format::Json)?)?;
    }
    if is_last || matches!(outputs[0], Output::Replaced(_)) {
        outputs[0].write(&render::comparison(comparison, format)?)?;
    }
    Ok(())
}

/// What would be compared.
fn preview(
    asked: &Compare,
    field: &Field,
    format: Format,
    output: &Output,
) -> Result<Ending, Failure> {
    let runs = Planned::of(asked, field).rounds + asked.practice_rounds;
    let of_entrant = |entrant: &entrants::Entrant| {
        let session = &field.sessions[entrant.session];
        let choice = aio_backends::Choice {
            chosen: vec![entrant.chosen.clone()],
            ..aio_backends::Choice::default()
        };
        let written = entrant.written(session, runs);
        let found = Found::Preview(Box::new(Preview::of(session, &choice, written)));
        JobResult { name: entrant.name.clone(), found }
    };
    let previews: Vec<_> = field.entrants.iter().map(of_entrant).collect();
    output.write(&render::jobs(&previews, format)?)?;
    Ok(Ending::Done)
}

/// How the program ends after its results are out.
fn conclude(
    asked: &Compare,
    comparison: &Comparison,
    signals: &Signals,
) -> Result<Ending, Failure> {
    if let Some(signalled) = signals.ending() {
        if let Some(failure) = &comparison.failure {
            voice::complain(failure);
        }
        return Ok(signalled);
    }
    if let Some(failure) = &comparison.failure {
        return Err(Failure::failed(anyhow!("{failure}")));
    }
    if comparison.status != Status::Complete {
        return Ok(Ending::Failed);
    }
    let objections = if asked.args.safety.strict { objections(comparison) } else { Vec::new() };
    for objection in &objections {
        voice::complain(&format!("--strict: {objection}"));
    }
    Ok(if objections.is_empty() { Ending::Done } else { Ending::Doubtful })
}

/// What `--strict` does not accept: downgrades and doubts of any contestant.
fn objections(comparison: &Comparison) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for contestant in &comparison.contestants {
        let of_one = contestant.total.iter().flat_map(strict::objections_of);
        let named = of_one.map(|objection| format!("{}: {objection}", contestant.name));
        all.extend(named);
    }
    all
}
