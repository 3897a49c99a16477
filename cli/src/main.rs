//! `aio`, a storage benchmark whose engines run identical work. The whole flow is on this page.
#![forbid(unsafe_code)]

mod args;
mod compare;
mod consent;
mod demo;
mod diff;
mod doctor;
mod documents;
mod dry_run;
mod ending;
mod engines;
mod fio_job;
mod gate;
mod jobs;
mod lower;
mod measure;
mod merge;
mod output;
mod page;
mod plan_file;
mod privileges;
mod progress;
#[cfg(test)]
mod published;
mod render;
mod results;
mod schema;
mod shell;
mod signals;
mod sources;
mod steady;
mod strict;
mod verify;
mod voice;

use std::env;
use std::process::ExitCode;

use aio_backends::{Choice, choose};
use aio_core::plan::Plan;
use aio_core::report::{Report, Status};
use aio_core::session::{Session, Written};

use crate::args::{Args, Asked, Command};
use crate::dry_run::Preview;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::progress::Display;
use crate::results::Results;
use crate::signals::Signals;

fn main() -> ExitCode {
    let ending = privileges::refuse_borrowed().and_then(|()| {
        let signals = Signals::watch()?;
        if env::args_os().len() <= 1 {
            return demo::run(&signals);
        }
        match args::parse(env::args_os())? {
            Asked::Text(text) => Output::Stdout.write(text.as_bytes()).map(|()| Ending::Done),
            Asked::Run(args) => run(&args, &signals),
            Asked::Command(Command::Engines(asked)) => engines::list(&asked),
            Asked::Command(Command::Doctor(asked)) => doctor::examine(&asked),
            Asked::Command(Command::Verify(asked)) => verify::verify(&asked, &signals),
            Asked::Command(Command::Run(asked)) => jobs::run(&plan_file::jobs(&asked)?, &signals),
            Asked::Command(Command::Fio(asked)) => jobs::run(&fio_job::jobs(&asked)?, &signals),
            Asked::Command(Command::Compare(asked)) => compare::run(&asked, &signals),
            Asked::Command(Command::Diff(asked)) => diff::run(&asked),
            Asked::Command(Command::Report(asked)) => page::run(&asked),
            Asked::Command(Command::Completions(asked)) => shell::completions(&asked),
            Asked::Command(Command::Man(asked)) => shell::manual(&asked),
            Asked::Command(Command::Schema(asked)) => schema::print(&asked),
        }
    });
    ending.unwrap_or_else(|failure| failure.tell()).into()
}

/// What a command line without a command asks for.
fn run(args: &Args, signals: &Signals) -> Result<Ending, Failure> {
    let plan = lower::lower(args).map_err(Failure::refused)?;
    if args.safety.dump_plan {
        aio_core::plan::check(&plan).map_err(Failure::refused)?;
        Output::Stdout.write(plan_file::dump_run(&args.given)?.as_bytes())?;
        return Ok(Ending::Done);
    }
    perform(plan, args, &mut Results::open(&args.listing)?, Question::Open, signals)
}

/// Whether it was asked already if as much as this run writes is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question<'a> {
    /// Not yet.
    Open,
    /// Together with other runs, when this one was to write so much. Those have changed the files
    /// since, so that it may be more by now.
    Answered(&'a [Written]),
}

/// Resolve, choose, measure, print, clean up.
fn perform(
    plan: Plan,
    args: &Args,
    results: &mut Results,
    question: Question<'_>,
    signals: &Signals,
) -> Result<Ending, Failure> {
    let session = Session::open(plan, None, signals.stop().clone())?;
    signals.remove_at_once(session.made());
    let choice = chosen(&session, args, results)?;
    measure::tell_choice(&choice, &args.loudness);
    let written = consent::written(&session, &choice);
    if args.safety.dry_run {
        results.preview(Preview::of(&session, &choice, written))?;
        return Ok(Ending::Done);
    }
    let is_open = match question {
        Question::Open => true,
        Question::Answered(asked) => consent::is_more(&written, asked),
    };
    if is_open && let Some(ended) = consent::ask(&written, "", args, signals)? {
        return Ok(ended);
    }
    let report = measure::measure(&session, &choice, signals, &mut Display::new(&args.loudness));
    let job = results.job();
    let written = results.report(&report);
    session.finish().iter().for_each(|warning| voice::complain(warning));
    written?;
    let ended = conclude(&report, args.safety.strict, signals)?;
    Ok(ended.gated(&gate::check(&args.safety.asserts, &report), job.as_deref()))
}

/// The engines that `session` runs on, once nothing speaks against it that is known before.
fn chosen(session: &Session, args: &Args, results: &Results) -> Result<Choice, Failure> {
    results.refuse_targets(session.resolved())?;
    let choice = choose(&session.plan().engines, &session.needs()).map_err(Failure::refused)?;
    measure::refuse_too_few_descriptors(session, &choice)?;
    if args.safety.strict {
        strict::refuse_downgrades(session, &choice)?;
    }
    Ok(choice)
}

/// How the program ends after its results are out.
fn conclude(report: &Report, strict: bool, signals: &Signals) -> Result<Ending, Failure> {
    // Also when a signal has ended the run: what the kernel was left with is not the signal's doing.
    for failure in render::failures(report) {
        voice::complain(&failure);
    }
    if let Some(signalled) = signals.ending() {
        return Ok(signalled);
    }
    if report.status != Status::Complete {
        return Ok(Ending::Failed);
    }
    measure::same_requests(&report.engines).map_err(Failure::failed)?;
    let objections = if strict { strict::objections(report) } else { Vec::new() };
    for objection in &objections {
        voice::complain(&format!("--strict: {objection}"));
    }
    Ok(if objections.is_empty() { Ending::Done } else { Ending::Doubtful })
}
