//! The lines below the table: what was done, and all that qualifies the numbers.

use aio_core::plan::{Order, Phase, Plan};
use aio_core::receipt::Receipt;
use aio_core::report::{DirectionReport, EngineReport, Failure, Report, Status, TargetReport};

use super::numbers::{count, has_rate, range, ratio, short, size, span};
use super::table::directions;

/// The most targets that are listed.
const TARGETS_MAX: usize = 4;

/// All of them, in the order of their weight.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (engine, one) in failed(report) {
        lines.push(failure_headline(one));
        let sentences = one.failures.iter().map(failure_sentence);
        lines.extend(sentences.map(|sentence| format!("  {}, {sentence}", engine.engine)));
    }
    lines.extend(doubts(report));
    lines.extend(
        report
            .unavailable
            .iter()
            .map(|one| format!("unavailable: {} cannot run here: {}", one.engine, one.reason)),
    );
    lines.extend(downgrades(report));
    lines.extend(short_transfers(report));
    lines.extend(allocating(report));
    lines.extend(validated(report));
    lines.push(plan_line(&report.plan, &report.receipts));
    lines.extend(target_lines(&report.targets));
    lines.extend(batches(report));
    lines.extend(fingerprints(report));
    lines
}

/// Each direction of each engine.
fn each(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    let of_engine = |engine| each_of(engine);
    report.engines.iter().flat_map(of_engine)
}

fn each_of(engine: &EngineReport) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    engine.directions.iter().map(move |one| (engine, one))
}

/// Pairs of an engine and a sentence, as each sentence with its engines: `uring, sync: …`, or
/// without their names when it holds for all.
fn by_engine(said: &[(&str, String)], engines: usize) -> Vec<String> {
    let mut sentences: Vec<(&str, Vec<&str>)> = Vec::new();
    for (engine, sentence) in said {
        match sentences.iter_mut().find(|(known, _)| known == sentence) {
            Some((_, names)) if !names.contains(engine) => names.push(engine),
            Some(_) => {}
            None => sentences.push((sentence, vec![engine])),
        }
    }
    let line = |(sentence, names): (&str, Vec<&str>)| {
        if names.len() == engines {
            sentence.to_owned()
        } else {
            format!("{}: {sentence}", names.join(", "))
        }
    };
    sentences.into_iter().map(line).collect()
}

/// A sentence for each direction of an engine that failed.
pub(crate) fn failures(report: &Report) -> Vec<String> {
    let sentence = |(engine, one): (&EngineReport, &DirectionReport)| {
        let first = one.failures.first().map(failure_sentence).unwrap_or_default();
        format!("{}: {}, {first}", failure_headline(one), engine.engine)
    };
    failed(report).map(sentence).collect()
}

fn failed(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    each(report).filter(|(_, one)| one.status == Status::Failed)
}

fn failure_headline(one: &DirectionReport) -> String {
    let direction = capital(&one.direction.to_string());
    format!("Failure in one of {} {direction} tasklets", one.tasklets_count)
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// The message, and what it does not mention.
fn failure_sentence(failure: &Failure) -> String {
    let message = &failure.message;
    let mut parts = vec![format!("tasklet {}: {message}", failure.tid)];
    let offset = failure.offset_bytes.map(|at| (at.to_string(), format!("at offset {at}")));
    let length = failure.length_bytes.map(|long| (long.to_string(), format!("{long} bytes")));
    let path = failure.path.clone().map(|path| (path.clone(), path));
    let errno = failure.errno.clone().map(|name| (name.clone(), name));
    for (word, part) in [path, offset, length, errno].into_iter().flatten() {
        if !message.contains(&word) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

fn doubts(report: &Report) -> Vec<String> {
    let said: Vec<_> = each(report)
        .flat_map(|(engine, one)| {
            let sentence = |reason| format!("{} is doubtful: {reason}", one.direction);
            let reasons = one.doubts.iter().map(|doubt| &doubt.reason);
            reasons.map(move |reason| (engine.engine.as_str(), sentence(reason)))
        })
        .collect();
    by_engine(&said, report.engines.len())
}

fn downgrades(report: &Report) -> Vec<String> {
    let general = report.receipts.iter().filter(|receipt| receipt.is_downgrade());
    // Why an engine was passed over has a line of its own.
    let general = general.map(|receipt| match receipt.option.as_str() {
        "engine" if !report.unavailable.is_empty() => {
            format!("granted: engine {} instead of {}", receipt.granted, receipt.asked)
        }
        _ => receipt_sentence(receipt),
    });
    let said: Vec<_> = report
        .engines
        .iter()
        .flat_map(|engine| {
            let downgrades = engine.receipts.iter().filter(|receipt| receipt.is_downgrade());
            downgrades.map(|receipt| (engine.engine.as_str(), receipt_sentence(receipt)))
        })
        .collect();
    general.chain(by_engine(&said, report.engines.len())).collect()
}

/// What was granted, and instead of what.
pub(super) fn receipt_sentence(receipt: &Receipt) -> String {
    let Receipt { option, asked, granted, why_not } = receipt;
    match why_not {
        Some(why) => format!("granted: {option} {granted} instead of {asked}: {why}"),
        None => format!("granted: {option} {granted}"),
    }
}

fn short_transfers(report: &Report) -> Vec<String> {
    let some = each(report).filter(|(_, one)| one.short_transfers > 0);
    some.map(|(engine, one)| {
        let transfers = count(one.short_transfers, "short transfer");
        format!("{}: {transfers} in {}, continued to their end", engine.engine, one.direction)
    })
    .collect()
}

/// Loops that count of which some, or all, wrote into fresh files.
fn allocating(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    for (engine, one) in each(report).filter(|(engine, one)| engine.moves_data && has_rate(one)) {
        let counting = || one.loops.iter().filter(|one| one.counts);
        let speeds = |allocates| {
            let alike = counting().filter(move |one| one.allocates == allocates);
            range(alike.map(|one| one.task_speed_gib_per_s)).map(span)
        };
        let direction = one.direction;
        match (speeds(true), speeds(false)) {
            (Some(fresh), Some(again)) => said.push((
                engine.engine.as_str(),
                format!(
                    "{direction}: loops into fresh files, which allocate: {fresh} GiB/s; into \
                     allocated ones: {again} GiB/s"
                ),
            )),
            (Some(_), None) => said.push((
                engine.engine.as_str(),
                format!("{direction}: every loop wrote into fresh files, which allocates"),
            )),
            _ => {}
        }
    }
    by_engine(&said, report.engines.len())
}

fn validated(report: &Report) -> Option<String> {
    let sound = each(report).filter(|(_, one)| one.status == Status::Complete);
    let bytes: Vec<u64> = sound.filter_map(|(_, one)| one.validated_bytes).collect();
    let all: u64 = bytes.iter().sum();
    (!bytes.is_empty()).then(|| format!("validated: {all} bytes, no difference"))
}

/// The plan in one line, with the block size that is in force.
pub(super) fn plan_line(plan: &Plan, receipts: &[Receipt]) -> String {
    let rounded = receipts.iter().find(|one| one.option == "block-size" && one.is_downgrade());
    let block = match rounded {
        Some(receipt) => format!("blocks of {} bytes", receipt.granted),
        None => format!("blocks of {}", size(plan.block_size_bytes)),
    };
    let mut parts = vec![block, format!("depth {}", plan.queue_depth), threads(plan)];
    let loops = count(plan.loops.into(), "loop");
    parts.push(match (plan.warmup_loops, plan.include_warmup_time) {
        (0, _) => loops,
        (warmup, false) => format!("{loops} after {warmup} to warm up"),
        (warmup, true) => format!("{loops} and {warmup} to warm up that count too"),
    });
    parts.push(format!("seed {}", plan.seed));
    parts.push(if plan.buffered { "buffered".into() } else { "O_DIRECT".into() });
    if plan.concurrent {
        parts.push("directions at the same time".into());
    }
    if plan.order == Order::Sequential {
        parts.push("sequential requests".into());
    }
    parts.extend(plan.batch.submit.map(|most| format!("at most {most} per submitting call")));
    if plan.batch.complete > 1 {
        parts.push(format!("{} per reaping call", plan.batch.complete));
    }
    format!("plan: {}", parts.join(", "))
}

fn threads(plan: &Plan) -> String {
    let mut numbers: Vec<u32> = plan.phases.iter().map(Phase::tasklets).collect();
    numbers.dedup();
    let threads = if let [same] = numbers.as_slice() {
        count(u64::from(*same), "thread")
    } else {
        let of = |phase: &Phase| {
            format!("{} to {}", count(phase.tasklets().into(), "thread"), phase.direction)
        };
        plan.phases.iter().map(of).collect::<Vec<_>>().join(" and ")
    };
    if plan.lanes == 1 { threads } else { format!("{threads} × {} lanes", plan.lanes) }
}

/// A line for each target, up to a few.
pub(super) fn target_lines(targets: &[TargetReport]) -> Vec<String> {
    let line = |target: &TargetReport| {
        let mut parts = vec![target.path.clone(), size(target.size_bytes)];
        parts.extend(target.file_system.clone());
        parts.push(match target.alignment_bytes {
            Some(alignment) => format!("O_DIRECT in multiples of {}", size(alignment.into())),
            None => "no alignment needed".into(),
        });
        format!("target: {}", parts.join(", "))
    };
    let mut lines: Vec<_> = targets.iter().take(TARGETS_MAX).map(line).collect();
    if targets.len() > TARGETS_MAX {
        lines.push(format!("target: and {} more", targets.len() - TARGETS_MAX));
    }
    lines
}

/// How many requests one call handed over, and how many one call returned.
fn batches(report: &Report) -> Option<String> {
    let of = |(engine, one): (&EngineReport, &DirectionReport)| {
        let counters = &one.counters;
        let submitted = ratio(counters.submitted, counters.submit_calls)?;
        let reaped = ratio(counters.reaped, counters.reap_calls)?;
        let (name, direction) = (&engine.engine, one.direction);
        Some(format!("{name} {direction} {}/{}", short(submitted), short(reaped)))
    };
    let all: Vec<_> = each(report).filter(|(_, one)| has_rate(one)).filter_map(of).collect();
    (!all.is_empty()).then(|| {
        format!("requests that share a time stamp (submitted/reaped per call): {}", all.join(", "))
    })
}

fn fingerprints(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for direction in directions(report) {
        let complete = each(report)
            .filter(|(_, one)| one.direction == direction && one.status == Status::Complete);
        let all: Vec<_> =
            complete.map(|(engine, one)| (&engine.engine, &one.fingerprint)).collect();
        let Some((_, first)) = all.first() else { continue };
        lines.push(match all.len() {
            1 => format!("fingerprint: {direction} {first}"),
            _ if all.iter().all(|(_, other)| other == first) => {
                format!("fingerprint: {direction} {first}, the same requests for all engines")
            }
            _ => {
                let each: Vec<_> =
                    all.iter().map(|(engine, print)| format!("{engine} {print}")).collect();
                let each = each.join(", ");
                format!("fingerprint: {direction}: NOT the same requests: {each}")
            }
        });
    }
    lines
}
