//! What went wrong, in the text and on stderr.

use aio_core::report::{DirectionReport, EngineReport, Failure, Report, Status};

use super::notes::each;
use crate::ending::{has_cure, with_cure};

/// Each direction that failed, and below it each of its failures.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (engine, one) in failed(report) {
        lines.push(failure_headline(one));
        let mut sentences: Vec<_> = one.failures.iter().map(failure_sentence).collect();
        // The cure is the same for all tasklets, and told once.
        if let Some(curable) = sentences.iter_mut().find(|sentence| has_cure(sentence)) {
            *curable = with_cure(std::mem::take(curable));
        }
        let line = |sentence| format!("  {}, {sentence}", engine.engine);
        lines.extend(sentences.into_iter().map(line));
        lines.extend(kept_line(one));
    }
    lines
}

/// Where the loops are that count and were finished before it failed, if there are any.
fn kept_line(one: &DirectionReport) -> Option<String> {
    let finished = one.loops.iter().filter(|done| done.counts).count();
    let (were, them) = if finished == 1 { ("loop was", "it") } else { ("loops were", "them") };
    let line = || format!("  {finished} {were} finished before; the JSON results have {them}");
    (finished > 0).then(line)
}

/// A sentence for each direction of an engine that failed.
pub(crate) fn failures(report: &Report) -> Vec<String> {
    let sentence = |(engine, one): (&EngineReport, &DirectionReport)| {
        let first = one.failures.first().map(failure_sentence).unwrap_or_default();
        with_cure(format!("{}: {}, {first}", failure_headline(one), engine.engine))
    };
    failed(report).map(sentence).collect()
}

fn failed(report: &Report) -> impl Iterator<Item = (&EngineReport, &DirectionReport)> {
    // A direction that runs beside one that failed fails with it, and has nothing to say.
    each(report).filter(|(_, one)| one.status == Status::Failed && !one.failures.is_empty())
}

fn failure_headline(one: &DirectionReport) -> String {
    let direction = capital(&one.direction.to_string());
    let mut tids: Vec<_> = one.failures.iter().map(|failure| failure.tid).collect();
    tids.sort_unstable();
    tids.dedup();
    let failed = if tids.len() > 1 { tids.len().to_string() } else { "one".into() };
    format!("Failure in {failed} of {} {direction} tasklets", one.tasklets_count)
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

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn tasklets_that_failed_are_counted_and_a_cure_for_all_is_told_once() {
        let mut report = sample::troubled();
        let failed = &mut report.engines[0].directions[0];
        failed.tasklets_count = 16;
        let message = "cannot open f: Too many open files (os error 24)";
        let failure = Failure { message: message.into(), ..failed.failures[0].clone() };
        failed.failures = (3..6).map(|tid| Failure { tid, ..failure.clone() }).collect();
        let told = failures(&report).remove(0);
        assert!(
            told.starts_with("Failure in 3 of 16 Write tasklets: libaio, tasklet 3: "),
            "{told}"
        );
        assert!(told.ends_with("; raise the limit with ulimit -n"), "{told}");
        let all = lines(&report);
        assert_eq!(all[0], "Failure in 3 of 16 Write tasklets");
        assert_eq!(all[4], "  3 loops were finished before; the JSON results have them");
        assert_eq!(all.iter().filter(|line| line.contains("ulimit -n")).count(), 1, "{all:#?}");
        report.engines[0].directions[0].failures.truncate(1);
        assert!(failures(&report)[0].starts_with("Failure in one of 16 Write tasklets: "));
        report.engines[0].directions[0].failures.clear();
        assert_eq!(failures(&report), [""; 0], "another direction has the reason");
    }
}
