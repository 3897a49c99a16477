//! Without arguments: a short comparison of all engines on a temporary file.

mod budget;
mod compare;
mod file;

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use aio_backends::{Choice, RunPlan, choose};
use aio_core::plan::{Direction, Origin, PathTemplate, Phase, Plan, TensorGroup};
use aio_core::receipt::merge as merge_receipts;
use aio_core::report::{EngineReport, Report, Status};
use aio_core::session::{Observer, Session};
use aio_core::target::Given;
use anyhow::Context;

use self::budget::{LoopTime, Rounds};
use crate::args::Loudness;
use crate::ending::{Ending, Failure};
use crate::measure;
use crate::output::Output;
use crate::progress::Display;
use crate::render::{Render, Text};
use crate::signals::Signals;
use crate::voice::{complain, printable, say};

/// The data of the temporary file.
const SEED: u64 = 1;

/// Makes the file, fills it, runs every engine in interleaved rounds, prints, and leaves nothing.
pub(crate) fn run(signals: &Signals) -> Result<Ending, Failure> {
    let begin = Instant::now();
    let output = Output::open(None)?;
    let folder =
        env::current_dir().context("cannot find the current folder").map_err(Failure::refused)?;
    let (made, direct) = file::make(&folder)?;
    if !direct {
        say(&printable(&format!(
            "aio: the file system of {} refuses O_DIRECT, so this runs buffered and is doubtful",
            folder.display()
        )));
    }
    let filled = file::fill(&made, &folder, SEED, signals.stop())?;
    if let Some(signalled) = signals.ending() {
        return Ok(signalled);
    }
    let given = Given { file: made.into() };
    let open = |loops| {
        let plan = plan(&folder, filled.bytes, !direct, loops);
        Session::open(plan, Some(&given), signals.stop().clone())
    };
    let trial = open(budget::trial_loops(filled.took))?;
    let choice = choose(&trial.plan().engines, &trial.needs()).map_err(Failure::refused)?;
    let mut display = Display::new(&Loudness::default());
    let time = try_out(&trial, &choice, filled.took, &mut display);
    let rounds = Rounds::fitting(time, choice.chosen.len(), begin.elapsed());
    drop(trial);
    let session = open(rounds.loops)?;
    let of_engine = measure_rounds(&session, &choice, rounds, begin, signals, &mut display);
    let number = of_engine.iter().map(Vec::len).max().unwrap_or(0);
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let not_started = choice.chosen.iter().zip(&of_engine).filter(|(_, runs)| runs.is_empty());
    let not_started = not_started.map(|(chosen, _)| measure::not_started(chosen));
    let unavailable = choice.unavailable.iter().cloned().chain(not_started).collect();
    let engines = of_engine.into_iter().filter_map(crate::merge::rounds).collect();
    let mut report = session.report(engines, unavailable);
    merge_receipts(&mut report.receipts, choice.receipts.clone());
    let written = print(&mut report, &folder, Rounds { number, ..rounds }, &output);
    session.finish().iter().for_each(|warning| complain(warning));
    written?;
    crate::conclude(&report, false, signals)
}

/// Loops to write and to read, of the whole file in one tensor. Its blocks are allocated already,
/// so that there is nothing to warm up.
fn plan(folder: &Path, size_bytes: u64, buffered: bool, loops: u32) -> Plan {
    let tensor = || TensorGroup {
        // A path in the folder, which tells what the file lies on.
        path: PathTemplate::new(folder.join("(temporary file without a name)")),
        tasklets: 1,
        sizes_bytes: vec![size_bytes],
        origin: Origin::Made,
    };
    let phase = |direction| Phase::of_tensors(direction, vec![tensor()]);
    let mut plan = Plan::tensor_swap(vec![phase(Direction::Write), phase(Direction::Read)]);
    plan.engines = vec!["all".into()];
    (plan.loops, plan.warmup_loops, plan.seed) = (loops, 0, SEED);
    plan.buffered = buffered;
    plan
}

/// Finds out what a loop takes, by running the first engine. Its numbers are used for nothing else.
/// When it fails, the file's filling has to do; the failure will be met again.
fn try_out(
    session: &Session,
    choice: &Choice,
    fill: Duration,
    observer: &mut dyn Observer,
) -> LoopTime {
    let guess = LoopTime { measured: fill, both: 2 * fill, setup: Duration::ZERO };
    let Some(first) = choice.chosen.first() else { return guess };
    let begin = Instant::now();
    let report = first.backend.run(session, &first.spec, 0, observer);
    if !is_complete(&report) {
        return guess;
    }
    let run = begin.elapsed();
    let loops = report.directions.iter().flat_map(|one| &one.loops);
    let times: Vec<_> = loops.map(|one| Duration::from_secs_f64(one.e2e_latency_s)).collect();
    let moving: Duration = times.iter().sum();
    LoopTime {
        measured: times.into_iter().min().unwrap_or(fill),
        both: moving / session.plan().loops,
        setup: run.saturating_sub(moving),
    }
}

/// The reports of each engine, round by round. Every round runs each engine once, each round
/// beginning with another one. An engine that failed is not run again.
fn measure_rounds(
    session: &Session,
    choice: &Choice,
    rounds: Rounds,
    begin: Instant,
    signals: &Signals,
    observer: &mut dyn Observer,
) -> Vec<Vec<EngineReport>> {
    let mut of_engine: Vec<Vec<EngineReport>> = vec![Vec::new(); choice.chosen.len()];
    let mut longest = Duration::ZERO;
    // No loop has the data of an earlier one, which might be found to be written already.
    let mut next_loop = budget::TRIAL_LOOPS_MAX;
    for round in 0..rounds.number {
        let round_begin = Instant::now();
        if round > 0 && begin.elapsed() + longest > budget::ALL {
            break;
        }
        for place in 0..choice.chosen.len() {
            let index = (place + round as usize) % choice.chosen.len();
            let before = &of_engine[index];
            if signals.stop().is_set() || before.iter().any(|report| !is_complete(report)) {
                continue;
            }
            let chosen = &choice.chosen[index];
            let mut report = chosen.backend.run(session, &chosen.spec, next_loop, observer);
            next_loop = next_loop.wrapping_add(rounds.loops);
            merge_receipts(&mut report.receipts, chosen.capabilities.receipts.clone());
            of_engine[index].push(report);
        }
        longest = longest.max(round_begin.elapsed());
    }
    of_engine
}

fn is_complete(report: &EngineReport) -> bool {
    report.directions.iter().all(|one| one.status == Status::Complete)
}

fn print(
    report: &mut Report,
    folder: &Path,
    rounds: Rounds,
    output: &Output,
) -> Result<(), Failure> {
    // The plan of one round, as often as it was run.
    report.plan.loops = rounds.number * rounds.loops;
    let text = Text {
        above: vec![format!(
            "A temporary file in {}, written and read by each engine in {}; it is gone now",
            folder.display(),
            rounds_phrase(rounds),
        )],
        below: compare::sentences(report),
    };
    let mut out = Vec::new();
    let rendered = text.render(report, &mut out).context("cannot render the results");
    rendered.map_err(Failure::failed)?;
    output.write(&out)
}

fn rounds_phrase(Rounds { number, loops }: Rounds) -> String {
    let rounds = if number == 1 { "round" } else { "interleaved rounds" };
    let of = if loops == 1 { "loop" } else { "loops" };
    format!("{number} {rounds} of {loops} {of}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_are_told_with_their_loops() {
        let phrase = |number, loops| rounds_phrase(Rounds { number, loops });
        assert_eq!(phrase(1, 1), "1 round of 1 loop");
        assert_eq!(phrase(3, 8), "3 interleaved rounds of 8 loops");
    }

    #[test]
    fn the_plan_is_one_that_the_core_accepts() {
        let plan = plan(Path::new("/data"), 1 << 20, false, 7);
        assert_eq!(aio_core::plan::check(&plan), Ok(()));
    }
}
