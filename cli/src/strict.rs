//! `--strict`: what was not granted as asked, and what makes a number doubtful, are errors.

use aio_backends::Choice;
use aio_core::receipt::Receipt;
use aio_core::report::{EngineReport, Report, Status};
use aio_core::session::Session;
use anyhow::anyhow;

use crate::ending::Failure;

/// Refuses what is known to be downgraded before the run.
pub(crate) fn refuse_downgrades(session: &Session, choice: &Choice) -> Result<(), Failure> {
    let of_engines = choice.chosen.iter().flat_map(|chosen| &chosen.capabilities.receipts);
    let receipts = session.resolved().receipts.iter().chain(&choice.receipts).chain(of_engines);
    let downgrades = downgrades(receipts);
    if downgrades.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(anyhow!("--strict: {}", downgrades.join("; "))))
}

/// What `--strict` does not accept about a result: one sentence each.
pub(crate) fn objections(report: &Report) -> Vec<String> {
    let of_engines = report.engines.iter().flat_map(|engine| &engine.receipts);
    let mut objections = downgrades(report.receipts.iter().chain(of_engines));
    report.engines.iter().for_each(|engine| add_doubts(engine, &mut objections));
    objections
}

/// The same about one engine.
pub(crate) fn objections_of(engine: &EngineReport) -> Vec<String> {
    let mut objections = downgrades(engine.receipts.iter());
    add_doubts(engine, &mut objections);
    objections
}

fn add_doubts(engine: &EngineReport, objections: &mut Vec<String>) {
    for one in engine.directions.iter().filter(|one| one.status != Status::Failed) {
        for doubt in &one.doubts {
            let sentence = format!("{} is doubtful: {}", one.direction, doubt.reason);
            if !objections.contains(&sentence) {
                objections.push(sentence);
            }
        }
    }
}

fn downgrades<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Vec<String> {
    let mut sentences = Vec::new();
    for receipt in receipts {
        let Some(why) = &receipt.why_not else { continue };
        let Receipt { option, asked, granted, .. } = receipt;
        let sentence = format!("{option} was asked as {asked} and granted as {granted} ({why})");
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn downgrades_and_doubts_are_objected_to_once_each() {
        assert_eq!(objections(&sample::one_engine()), [""; 0]);
        let report = sample::troubled();
        insta::assert_snapshot!(objections(&report).join("\n"), @r"
        block-size was asked as 100000 and granted as 100352 (O_DIRECT moves multiples of 512 bytes here)
        engine was asked as all and granted as libaio,sync (uring: no such system call)
        memory-lock was asked as locked and granted as unlocked (RLIMIT_MEMLOCK is 8 MiB)
        read is doubtful: buffered I/O measures the page cache
        ");
    }
}
