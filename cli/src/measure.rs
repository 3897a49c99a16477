//! Runs a session's plan on the engines that were chosen.

use aio_backends::{Choice, Chosen, RunPlan};
use aio_core::receipt::{Receipt, merge};
use aio_core::report::{DirectionReport, EngineReport, Report, Status, Unavailable};
use aio_core::session::{Observer, Session};
use anyhow::{Result, anyhow};

use crate::args::Loudness;
use crate::ending::Failure;
use crate::signals::Signals;
use crate::steady;
use crate::voice::{printable, say};

/// Refuses to run what needs more descriptors than there may be.
pub(crate) fn refuse_too_few_descriptors(
    session: &Session,
    choice: &Choice,
) -> Result<(), Failure> {
    let each = choice.chosen.iter().map(|chosen| chosen.backend.descriptors_per_engine());
    let refused = session.refuse_too_few_descriptors(each.max().unwrap_or(0));
    refused.map_err(Failure::refused)
}

/// Runs every engine in order. After a failure or a signal no further engine is run; what was
/// measured until then is in the report.
pub(crate) fn measure(
    session: &Session,
    choice: &Choice,
    signals: &Signals,
    observer: &mut dyn Observer,
) -> Report {
    let mut engines = Vec::new();
    for chosen in &choice.chosen {
        if signals.stop().is_set() {
            break;
        }
        let mut engine = if session.plan().steady_state {
            steady::run(session, chosen, signals, observer)
        } else {
            chosen.backend.run(session, &chosen.spec, 0, observer)
        };
        merge(&mut engine.receipts, chosen.capabilities.receipts.clone());
        let failed = engine.directions.iter().any(|one| one.status == Status::Failed);
        engines.push(engine);
        if failed {
            break;
        }
    }
    let not_started = choice.chosen.iter().skip(engines.len()).map(not_started);
    let unavailable = choice.unavailable.iter().cloned().chain(not_started).collect();
    let mut report = session.report(engines, unavailable);
    merge(&mut report.receipts, choice.receipts.clone());
    report
}

/// Why an engine that could run has no numbers.
pub(crate) const NOT_STARTED: &str = "not started, because the run ended before";

/// An engine that was chosen, and that the run did not come to.
pub(crate) fn not_started(chosen: &Chosen) -> Unavailable {
    Unavailable { engine: chosen.spec.clone(), reason: NOT_STARTED.into() }
}

/// Says which engines `auto` and `all` took, and which engines other names stand for.
pub(crate) fn tell_choice(choice: &Choice, loudness: &Loudness) {
    if loudness.quiet {
        return;
    }
    for receipt in choice.receipts.iter().filter(|receipt| receipt.asked != receipt.granted) {
        say(&printable(&choice_sentence(receipt)));
    }
}

fn choice_sentence(receipt: &Receipt) -> String {
    let Receipt { option, asked, granted, why_not } = receipt;
    match why_not {
        Some(why) => format!("aio: --{option} {asked} takes {granted} ({why})"),
        None => format!("aio: --{option} {asked} takes {granted}"),
    }
}

/// Whether all engines were given the same requests, as far as they finished. What time ended is
/// not compared: each engine came as far as it could.
///
/// # Errors
/// Two engines that were not.
pub(crate) fn same_requests(engines: &[EngineReport]) -> Result<()> {
    let finished = || {
        engines.iter().flat_map(|engine| {
            let complete = engine.directions.iter().filter(|one| one.status == Status::Complete);
            complete.map(move |one| (&engine.engine, one))
        })
    };
    for (name, one) in finished() {
        let first = finished().find(|(_, other)| other.direction == one.direction);
        if let Some((first_name, first)) = first
            && !alike(first, one)
        {
            return Err(anyhow!(
                "{first_name} and {name} were not given the same {} requests: their fingerprints \
                 are {} and {}",
                one.direction,
                first.fingerprint,
                one.fingerprint
            ));
        }
    }
    Ok(())
}

/// Whether two engines were given the same requests, as far as both came where time ended them.
fn alike(one: &DirectionReport, other: &DirectionReport) -> bool {
    if one.access.is_ended_by_time() {
        one.common_requests(other).is_some()
    } else {
        one.fingerprint == other.fingerprint
    }
}

#[cfg(test)]
mod tests {
    use aio_core::plan::{Access, Blocks, Pattern};

    use super::*;
    use crate::render::sample;

    #[test]
    fn engines_with_different_requests_are_found_and_unfinished_ones_are_left_out() {
        let mut report = sample::comparison();
        assert!(same_requests(&report.engines).is_ok());
        report.engines[1].directions[0].fingerprint = "0000000000000000".into();
        let refusal = same_requests(&report.engines).unwrap_err().to_string();
        assert!(refusal.starts_with("uring and sync were not given the same write"), "{refusal}");
        report.engines[1].directions[0].status = Status::Interrupted;
        assert!(same_requests(&report.engines).is_ok());
        let mut report = sample::blocks();
        report.engines[1].directions[0].fingerprint = "0000000000000000".into();
        assert!(same_requests(&report.engines).is_ok(), "time ended them");
        report.engines[1].directions[0].lane_prints = vec![vec![sample::print(900, 7)]];
        assert!(same_requests(&report.engines).is_err(), "but not before they differed");
        for engine in &mut report.engines {
            let blocks = Blocks { requests: Some(9), ..Blocks::new(Pattern::Random) };
            engine.directions[0].access = Access::Blocks(blocks);
        }
        assert!(same_requests(&report.engines).is_err());
    }

    #[test]
    fn auto_says_what_it_took_and_why_it_passed_over_others() {
        let receipt = Receipt::downgraded("engine", "auto", "libaio", "uring: no such call");
        assert_eq!(
            choice_sentence(&receipt),
            "aio: --engine auto takes libaio (uring: no such call)"
        );
    }
}
