//! Without arguments: a short comparison of all engines on a temporary file.

mod budget;
mod compare;
mod file;
mod merge;

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use aio_backends::{Choice, RunPlan, choose};
use aio_core::plan::{Direction, Origin, PathTemplate, Phase, Plan, TensorGroup};
use aio_core::receipt::merge as merge_receipts;
use aio_core::report::{EngineReport, Report, Status};
use aio_core::session::Session;
use aio_core::target::Given;
use anyhow::Context;

use crate::args::Loudness;
use crate::ending::{Ending, Failure};
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
    let plan = plan(&folder, filled.bytes, !direct);
    let given = Given { file: made.into() };
    let session = Session::open(plan, Some(&given), signals.stop().clone())?;
    let choice = choose(&session.plan().engines, &session.needs()).map_err(Failure::refused)?;
    let rounds = budget::rounds(filled.took, choice.chosen.len());
    let engines = measure_rounds(&session, &choice, rounds, begin, signals);
    let mut report = session.report(engines, choice.unavailable.clone());
    merge_receipts(&mut report.receipts, choice.receipts.clone());
    let written = print(&mut report, &folder);
    session.finish().iter().for_each(|warning| complain(warning));
    written?;
    crate::conclude(&report, false, signals)
}

/// One loop to write and one to read, of the whole file in one tensor. Its blocks are allocated
/// already, so that there is nothing to warm up.
fn plan(folder: &Path, size_bytes: u64, buffered: bool) -> Plan {
    let phase = |direction| Phase {
        direction,
        tensors: vec![TensorGroup {
            // A path in the folder, which tells what the file lies on.
            path: PathTemplate::new(folder.join("(temporary file without a name)")),
            tasklets: 1,
            sizes_bytes: vec![size_bytes],
            origin: Origin::Made,
        }],
    };
    let mut plan = Plan::tensor_swap(vec![phase(Direction::Write), phase(Direction::Read)]);
    plan.engines = vec!["all".into()];
    (plan.loops, plan.warmup_loops, plan.seed) = (1, 0, SEED);
    plan.buffered = buffered;
    plan
}

/// Every round runs each engine once, each round beginning with another one. An engine that failed
/// is not run again.
fn measure_rounds(
    session: &Session,
    choice: &Choice,
    rounds: u32,
    begin: Instant,
    signals: &Signals,
) -> Vec<EngineReport> {
    let mut display = Display::new(&Loudness::default());
    let mut of_engine: Vec<Vec<EngineReport>> = vec![Vec::new(); choice.chosen.len()];
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
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
            let mut report = chosen.backend.run(session, &chosen.spec, round, &mut display);
            merge_receipts(&mut report.receipts, chosen.capabilities.receipts.clone());
            of_engine[index].push(report);
        }
        longest = longest.max(round_begin.elapsed());
    }
    of_engine.into_iter().filter_map(merge::rounds).collect()
}

fn is_complete(report: &EngineReport) -> bool {
    report.directions.iter().all(|one| one.status == Status::Complete)
}

fn print(report: &mut Report, folder: &Path) -> Result<(), Failure> {
    let loops = report.engines.iter().flat_map(|engine| &engine.directions);
    let rounds = loops.map(|one| one.loops.len()).max().unwrap_or(0);
    // The plan of one round, as often as it was run.
    report.plan.loops = u32::try_from(rounds).unwrap_or(u32::MAX);
    let noun = if rounds == 1 { "round" } else { "interleaved rounds" };
    let text = Text {
        above: vec![format!(
            "A temporary file in {}, written and read by each engine in {rounds} {noun}; it is \
             gone now",
            folder.display()
        )],
        below: compare::sentences(report),
    };
    let mut out = Vec::new();
    let rendered = text.render(report, &mut out).context("cannot render the results");
    rendered.map_err(Failure::failed)?;
    Output::Stdout.write(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_one_that_the_core_accepts() {
        let plan = plan(Path::new("/data"), 1 << 20, false);
        assert_eq!(aio_core::plan::check(&plan), Ok(()));
    }
}
