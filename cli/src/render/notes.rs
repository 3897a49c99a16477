//! The lines below the table: what was done, and all that qualifies the numbers.

mod flush;
mod mix;
mod parts;
mod steady;
mod turns;

use aio_core::plan::{Access, Batch, Direction, Order, Plan};
use aio_core::receipt::Receipt;
use aio_core::report::{
    DirectionReport, EngineReport, Report, Status, TargetReport, Unavailable, gib_per_s,
};

use super::devices;
use super::numbers::{count, has_rate, mode, range, ratio, short, size, span};
use super::table::directions;
use crate::measure::NOT_STARTED;

pub(crate) use parts::Parts;
pub(super) use turns::qualifying;
pub(crate) use turns::sequence;

/// The most targets that are listed.
const TARGETS_MAX: usize = 4;

/// All of them, in the order of their weight.
pub(super) fn lines(report: &Report) -> Vec<String> {
    Parts::of(report).into_lines()
}

/// Each direction of each engine.
pub(super) fn each(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
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
        "engine" if report.unavailable.iter().any(|one| one.reason != NOT_STARTED) => {
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
            range(alike.map(|one| one.e2e_speed_gib_per_s)).map(span)
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

/// The range of speeds of loops over blocks, when more than one counts.
fn loops_of_blocks(report: &Report) -> Vec<String> {
    let measured = each(report).filter(|(engine, one)| engine.moves_data && has_rate(one));
    let blocks = measured.filter(|(_, one)| one.access != Access::Tensor);
    let several = blocks.filter(|(_, one)| one.loops.iter().filter(|one| one.counts).count() > 1);
    let said = several.filter_map(|(engine, one)| {
        let counting = one.loops.iter().filter(|one| one.counts);
        // Over the time that the table's numbers of blocks are over.
        let speeds = span(range(counting.map(|one| one.task_speed_gib_per_s))?);
        let what = mode(one.direction, &one.access);
        Some((engine.engine.as_str(), format!("loops of {what}: {speeds} GiB/s")))
    });
    by_engine(&said.collect::<Vec<_>>(), report.engines.len())
}

/// What was compared in each direction, and with what.
fn validated(report: &Report) -> Vec<String> {
    let line = |direction: Direction| {
        let sound = each(report)
            .filter(|(_, one)| one.direction == direction && one.status == Status::Complete);
        let bytes: Vec<u64> = sound.filter_map(|(_, one)| one.validated_bytes).collect();
        let all: u64 = bytes.iter().sum();
        let mut blocks = report.plan.phases.iter().filter_map(|phase| phase.access.blocks());
        let by = blocks.find_map(|blocks| blocks.verify);
        let said = match (by, direction) {
            (Some(by), Direction::Write) => {
                format!("verified: {all} bytes of blocks read back without the engine, by {by}")
            }
            (Some(by), _) => format!("verified: {all} bytes of blocks as they were read, by {by}"),
            (None, Direction::Write) => format!(
                "validated: {all} bytes, equal to what the seed makes, read back without the engine"
            ),
            (None, _) => format!("validated: {all} bytes, equal to a buffered read of the file"),
        };
        (!bytes.is_empty()).then_some(said)
    };
    directions(report).into_iter().filter_map(line).collect()
}

/// Both directions of each engine as one, when they ran at the same time.
fn together(report: &Report) -> Vec<String> {
    let line = |engine: &EngineReport| {
        let both = &engine.directions;
        let is_measured = engine.moves_data && both.len() > 1 && both.iter().all(has_rate);
        if !report.plan.concurrent || !is_measured {
            return None;
        }
        let bytes = both.iter().map(|one| one.bytes).sum();
        let seconds = both.iter().map(|one| one.e2e_latency_s).fold(0.0, f64::max);
        let speed = short(gib_per_s(bytes, seconds));
        let name =
            if report.engines.len() > 1 { format!("{}: ", engine.engine) } else { String::new() };
        Some(format!(
            "{name}read and write together: {speed} GiB/s (sum of bytes over the end-to-end time); \
             CPU s is of both"
        ))
    };
    report.engines.iter().filter_map(line).collect()
}

/// Why an engine has no numbers.
pub(crate) fn unavailable_sentence(one: &Unavailable) -> String {
    let Unavailable { engine, reason } = one;
    if reason == NOT_STARTED {
        format!("{engine}: {reason}")
    } else {
        format!("unavailable: {engine} cannot run here: {reason}")
    }
}

/// A line for each target, up to a few.
pub(crate) fn target_lines(targets: &[TargetReport]) -> Vec<String> {
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
    lines.extend(devices::of_targets(targets));
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
    let waits = each(report).any(|(_, one)| waits_for_batches(&report.plan, one));
    let advice = if waits {
        "; small blocks in such batches wait for each other, see whether --batch-submit 1 is faster"
    } else {
        ""
    };
    (!all.is_empty()).then(|| {
        let all = all.join(", ");
        format!("requests that share a time stamp (submitted/reaped per call): {all}{advice}")
    })
}

/// Whether small blocks come and go nearly a whole queue at a time, which nobody asked for.
fn waits_for_batches(plan: &Plan, one: &DirectionReport) -> bool {
    let is_free = plan.batch == Batch::default() && plan.order == Order::Overlap;
    let is_small = one.access != Access::Tensor && plan.block_size_bytes <= SMALL_BLOCK_BYTES;
    let reaped = ratio(one.counters.reaped, one.counters.reap_calls).unwrap_or(0.0);
    let is_batch = plan.queue_depth > 1 && reaped > f64::from(plan.queue_depth) / 2.0;
    is_free && is_small && is_batch && has_rate(one)
}

/// Blocks that take a device about as long as a call takes the kernel.
const SMALL_BLOCK_BYTES: u64 = 16 << 10;

fn fingerprints(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for direction in directions(report) {
        let complete = || {
            each(report)
                .filter(|(_, one)| one.direction == direction && one.status == Status::Complete)
        };
        let by_time = complete().any(|(_, one)| one.access.is_ended_by_time());
        let common = common_share(complete().map(|(_, one)| one));
        let all: Vec<_> =
            complete().map(|(engine, one)| (&engine.engine, &one.fingerprint)).collect();
        let Some((_, first)) = all.first() else { continue };
        let each = || {
            let each = all.iter().map(|(engine, print)| format!("{engine} {print}"));
            each.collect::<Vec<_>>().join(", ")
        };
        lines.push(match all.len() {
            1 => format!("fingerprint: {direction} {first}"),
            _ if all.iter().all(|(_, other)| other == first) => {
                format!("fingerprint: {direction} {first}, the same requests for all engines")
            }
            _ if by_time && complete().all(|(_, one)| one.lane_prints.is_empty()) => format!(
                "fingerprint: {direction}: time ended the loops, so that engines made different \
                 numbers of requests; saved results do not hold what those have in common"
            ),
            _ if by_time && common.is_some() => {
                let percent = common.unwrap_or(0.0) * 100.0;
                format!(
                    "fingerprint: {direction}: the same requests for all engines as far as the \
                     slowest came before time ended it ({percent:.1} % of its requests compared)"
                )
            }
            _ => format!("fingerprint: {direction}: NOT the same requests: {}", each()),
        });
    }
    lines
}

/// The least share of the slower engine's requests that the first engine and another are known to
/// have in common; `None` when two had different ones.
fn common_share<'a>(mut all: impl Iterator<Item = &'a DirectionReport>) -> Option<f64> {
    let first = all.next()?;
    let mut least = 1.0_f64;
    for other in all {
        let (common, fewest) = first.common_requests(other)?;
        #[expect(clippy::cast_precision_loss, reason = "a share needs few digits")]
        let share = if fewest == 0 { 1.0 } else { common as f64 / fewest as f64 };
        least = least.min(share);
    }
    Some(least)
}

#[cfg(test)]
mod tests {
    use aio_core::verify::Checksum;

    use super::super::sample;
    use super::*;

    fn line_with(report: &Report, words: &str) -> Option<String> {
        lines(report).into_iter().find(|line| line.contains(words))
    }

    #[test]
    fn directions_at_the_same_time_are_told_together_too() {
        let mut report = sample::comparison();
        assert_eq!(line_with(&report, "together"), None, "they ran one after the other");
        report.plan.concurrent = true;
        for one in report.engines.iter_mut().flat_map(|engine| &mut engine.directions) {
            one.e2e_latency_s = 3.0;
        }
        assert_eq!(
            line_with(&report, "uring: read and write together").unwrap(),
            "uring: read and write together: 2.000 GiB/s (sum of bytes over the end-to-end time); \
             CPU s is of both"
        );
        report.engines.truncate(1);
        assert!(line_with(&report, "together").unwrap().starts_with("read and write together: "));
        report.engines[0].moves_data = false;
        assert_eq!(line_with(&report, "together"), None);
    }

    #[test]
    fn what_was_validated_says_with_what_it_was_compared() {
        let mut report = sample::comparison();
        assert_eq!(line_with(&report, "validated"), None);
        for one in report.engines.iter_mut().flat_map(|engine| &mut engine.directions) {
            one.validated_bytes = Some(5);
        }
        insta::assert_snapshot!(validated(&report).join("\n"), @r"
        validated: 10 bytes, equal to what the seed makes, read back without the engine
        validated: 10 bytes, equal to a buffered read of the file
        ");
        let mut report = sample::blocks();
        report.engines[0].directions[0].validated_bytes = Some(4096);
        if let Access::Blocks(blocks) = &mut report.plan.phases[0].access {
            blocks.verify = Some(Checksum::Xxh3);
        }
        let said = validated(&report).join("\n");
        insta::assert_snapshot!(said, @"verified: 4096 bytes of blocks as they were read, by xxh3");
    }

    #[test]
    fn engines_that_time_ended_are_compared_as_far_as_both_came() {
        let mut report = sample::blocks();
        report.engines[1].directions[0].fingerprint = "0000000000000000".into();
        assert_eq!(
            line_with(&report, "fingerprint").unwrap(),
            "fingerprint: read: the same requests for all engines as far as the slowest came before \
             time ended it (99.6 % of its requests compared)"
        );
        report.engines[1].directions[0].lane_prints = vec![vec![sample::print(900, 7)]];
        let differ = line_with(&report, "fingerprint").unwrap();
        assert!(differ.contains("NOT the same requests"), "{differ}");
        for engine in &mut report.engines {
            engine.directions[0].lane_prints.clear();
        }
        let saved = line_with(&report, "fingerprint").unwrap();
        assert!(saved.contains("saved results do not hold"), "nothing is claimed: {saved}");
    }

    #[test]
    fn several_loops_of_blocks_have_a_range() {
        let mut report = sample::blocks();
        assert_eq!(line_with(&report, "loops of"), None, "there is one");
        for one in report.engines.iter_mut().flat_map(|engine| &mut engine.directions) {
            let mut slower = one.loops[0];
            slower.task_speed_gib_per_s = one.loops[0].task_speed_gib_per_s / 2.0;
            one.loops.push(slower);
        }
        insta::assert_snapshot!(loops_of_blocks(&report).join("\n"), @r"
        uring: loops of randread: 0.500–1.000 GiB/s
        sync: loops of randread: 0.400–0.800 GiB/s
        ");
    }

    #[test]
    fn engines_that_were_not_started_are_told_and_are_not_called_unable() {
        let mut report = sample::interrupted();
        let reason = NOT_STARTED.into();
        report.unavailable.push(Unavailable { engine: "sync".into(), reason });
        report.receipts = vec![Receipt::downgraded("engine", "auto", "uring", "libaio: x")];
        assert_eq!(
            line_with(&report, "not started").unwrap(),
            "sync: not started, because the run ended before"
        );
        assert!(line_with(&report, "granted: engine").unwrap().ends_with("libaio: x"));
    }

    #[test]
    fn small_blocks_that_wait_for_each_other_have_an_advice_unless_batches_were_asked_for() {
        let mut report = sample::blocks();
        let has_advice =
            |report: &Report| line_with(report, "time stamp").unwrap().contains("--batch-submit 1");
        assert!(!has_advice(&report), "about one per call");
        let counters = &mut report.engines[0].directions[0].counters;
        counters.reap_calls = counters.reaped / 20;
        assert!(has_advice(&report), "20 of 32 at a time");
        report.plan.batch.submit = Some(32);
        assert!(!has_advice(&report), "they were asked for");
        report.plan.batch.submit = None;
        report.plan.block_size_bytes = 1 << 20;
        assert!(!has_advice(&report), "large ones take the device longer than a call");
    }
}
