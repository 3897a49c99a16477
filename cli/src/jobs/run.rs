//! Checks all jobs, and runs them one after the other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aio_core::plan::{Origin, Plan};
use aio_core::session::{Session, Written, add_written};
use aio_core::target::{ResolveError, Room};

use super::Job;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::results::Results;
use crate::signals::Signals;
use crate::voice::{printable, say};
use crate::{Question, consent, lower, plan_file};

/// What is known of a job before anything has run.
enum Outlook {
    /// It can run, and writes so much.
    Ready(Vec<Written>),
    /// It needs a file that the job of this name makes and leaves.
    Awaits(String),
}

/// Runs `jobs` in order; one that does not end well is the last. What is the run's and not a job's,
/// such as the form of the results, is the same in all of them.
pub(crate) fn run(jobs: &[Job], signals: &Signals) -> Result<Ending, Failure> {
    let Some(Job { args: first, .. }) = jobs.first() else { return Ok(Ending::Done) };
    let plan = |job: &Job| {
        let lowered = lower::lower(&job.args).map_err(Failure::refused);
        lowered.map_err(|failure| job.refuse(failure))
    };
    let plans = jobs.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    if first.safety.dump_plan {
        for (job, plan) in jobs.iter().zip(&plans) {
            let checked = aio_core::plan::check(plan).map_err(Failure::refused);
            checked.map_err(|failure| job.refuse(failure))?;
        }
        let named = jobs.iter().map(|job| (job.name.as_str(), job.args.given.as_slice()));
        Output::Stdout.write(plan_file::dump(&named.collect::<Vec<_>>())?.as_bytes())?;
        return Ok(Ending::Done);
    }
    let mut results = Results::open(&first.listing)?;
    let Ahead { outlooks, written } = look_ahead(jobs, &plans, &results, signals)?;
    if !first.safety.dry_run
        && let Some(ended) = consent::ask(&written, "", first, signals)?
    {
        return Ok(ended);
    }
    let ended = each(jobs, plans, &outlooks, &mut results, signals);
    results.finish()?;
    ended
}

/// What is known of all jobs before the first one runs.
struct Ahead {
    outlooks: Vec<Outlook>,
    /// What those write that are known well enough.
    written: Vec<Written>,
}

/// Looks at every job before the first one runs, and changes nothing.
fn look_ahead(
    jobs: &[Job],
    plans: &[Plan],
    results: &Results,
    signals: &Signals,
) -> Result<Ahead, Failure> {
    // Files that are missing and that a job leaves, with the job's name.
    let mut left = BTreeMap::new();
    let mut outlooks = Vec::new();
    let mut written = Vec::new();
    // What jobs have made by then that leave it.
    let mut kept = Room::default();
    for (job, plan) in jobs.iter().zip(plans) {
        match Session::open(plan.clone(), None, signals.stop().clone()) {
            Ok(session) => {
                let chosen = crate::chosen(&session, &job.args, results);
                let chosen = chosen.map_err(|failure| job.refuse(failure))?;
                let of_job = consent::written(&session, &chosen);
                add_written(&mut written, &of_job);
                outlooks.push(Outlook::Ready(of_job));
                let mut room = kept.clone();
                room.add(&session.resolved().room);
                room.check().map_err(|error| job.refuse(error.into()))?;
                if plan.keep {
                    kept = room;
                    let tasklets = session.resolved().waves.iter().flatten();
                    let paths = tasklets.flat_map(|one| &one.files).map(|file| file.path.clone());
                    let missing = paths.filter(|path| !path.exists());
                    left.extend(missing.map(|path| (path, job.name.clone())));
                }
            }
            Err(error) => match (&error, awaited(plan, &left)) {
                (ResolveError::Target(_), Some(maker)) => {
                    known_engines(plan).map_err(|failure| job.refuse(failure))?;
                    outlooks.push(Outlook::Awaits(maker));
                }
                _ => return Err(job.refuse(error.into())),
            },
        }
    }
    Ok(Ahead { outlooks, written })
}

/// The job that makes what `plan` needs and is not there, when all of it is in `left`.
fn awaited(plan: &Plan, left: &BTreeMap<PathBuf, String>) -> Option<String> {
    let groups = plan.phases.iter().flat_map(|phase| &phase.tensors);
    let needed = groups.filter(|group| group.origin == Origin::Existing);
    let paths = needed.flat_map(|group| {
        let size = group.sizes_bytes.first().copied().unwrap_or_default();
        (0..group.tasklets).map(move |tid| group.path.expand(tid, 0, size))
    });
    let makers = paths.filter(|path| !path.exists()).map(|path| left.get(&path));
    let makers: Option<Vec<_>> = makers.collect();
    makers?.into_iter().next_back().cloned()
}

/// Refuses engines that do not exist; whether they can run is found out when their target is there.
fn known_engines(plan: &Plan) -> Result<(), Failure> {
    let mut named = plan.engines.iter().filter(|spec| !matches!(spec.as_str(), "auto" | "all"));
    named.try_for_each(|spec| aio_backends::parse(spec).map(drop)).map_err(Failure::refused)
}

fn each(
    jobs: &[Job],
    plans: Vec<Plan>,
    outlooks: &[Outlook],
    results: &mut Results,
    signals: &Signals,
) -> Result<Ending, Failure> {
    let mut worst = Ending::Done;
    for (index, (job, plan)) in jobs.iter().zip(plans).enumerate() {
        results.begin(&job.name);
        if let (true, Outlook::Awaits(maker)) = (job.args.safety.dry_run, &outlooks[index]) {
            results.cannot_preview(maker)?;
            continue;
        }
        if !job.args.loudness.quiet && jobs.len() > 1 && !job.args.safety.dry_run {
            let name = printable(&job.name);
            say(&format!("aio: job {name} ({} of {})", index + 1, jobs.len()));
        }
        let question = match &outlooks[index] {
            Outlook::Ready(written) => Question::Answered(written),
            Outlook::Awaits(_) => Question::Open,
        };
        let ended = crate::perform(plan, &job.args, results, question, signals);
        let ended = ended.unwrap_or_else(|failure| {
            let ending = job.refuse(failure).tell();
            // Something was done by now, so that nothing is merely refused any more.
            if index > 0 && ending == Ending::Refused { Ending::Failed } else { ending }
        });
        match ended {
            Ending::Done => {}
            gate @ (Ending::Doubtful | Ending::Gate) => worst = gate,
            ended => {
                tell_the_rest(&jobs[index + 1..]);
                return Ok(ended);
            }
        }
    }
    Ok(worst)
}

fn tell_the_rest(rest: &[Job]) {
    if rest.is_empty() {
        return;
    }
    let names: Vec<_> = rest.iter().map(|job| printable(&job.name)).collect();
    let noun = if rest.len() == 1 { "job was" } else { "jobs were" };
    say(&format!("aio: {} {noun} not started: {}", rest.len(), names.join(", ")));
}
