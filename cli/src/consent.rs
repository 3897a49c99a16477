//! Much writing wears a drive out: it is told before anything is made, and asked about.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use aio_backends::{Choice, RunPlan};
use aio_core::session::{Runs, Session, Written, add_written};
use aio_core::stats::ROUNDS_MAX;
use anyhow::anyhow;

use crate::args::Args;
use crate::ending::{Ending, Failure};
use crate::signals::Signals;
use crate::voice::{printable, say};

/// More than this in all is asked about, whatever the drive: a consumer drive of 1 TB is rated for
/// some hundred times that in its life.
const MUCH_BYTES: u64 = 100 << 30;
/// So is more than this part of a device, one in ten,
const PART: u64 = 10;
/// unless it is at most this in all: no drive notices it, and small devices are for trying out.
const NEVER_ASKED_BYTES: u64 = 1 << 30;

/// How often the question looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// What `session` writes when each engine of `choice` runs once, or until its rate is steady.
pub(crate) fn written(session: &Session, choice: &Choice) -> Vec<Written> {
    let rounds = if session.plan().steady_state { ROUNDS_MAX as u64 } else { 1 };
    let moving = choice.chosen.iter().filter(|one| one.backend.moves_data()).count() as u64;
    let all = choice.chosen.len() as u64;
    session.written(Runs { all: all * rounds, that_move: moving * rounds })
}

/// What all of `lists` come to.
pub(crate) fn sum(lists: impl IntoIterator<Item = Vec<Written>>) -> Vec<Written> {
    let mut all = Vec::new();
    lists.into_iter().for_each(|one| add_written(&mut all, &one));
    all
}

/// Whether so much is written that it is asked about. What is only assumed is held against the
/// absolute limit alone: it says nothing certain about a small device.
pub(crate) fn is_much(written: &[Written]) -> bool {
    let known = written.iter().fold(0_u64, |sum, one| sum.saturating_add(one.bytes));
    let assumed = written.iter().fold(0_u64, |sum, one| sum.saturating_add(one.assumed_bytes));
    let is_large_part =
        |one: &Written| one.device_bytes.is_some_and(|size| one.bytes > size / PART);
    known.saturating_add(assumed) > MUCH_BYTES
        || known > NEVER_ASKED_BYTES && written.iter().any(is_large_part)
}

/// Bytes of all of `written`, known and assumed.
fn in_all(written: &[Written]) -> u64 {
    let bytes = written.iter().flat_map(|one| [one.bytes, one.assumed_bytes]);
    bytes.fold(0, u64::saturating_add)
}

/// Whether `now` comes to more than what was `asked` about.
pub(crate) fn is_more(now: &[Written], asked: &[Written]) -> bool {
    in_all(now) > in_all(asked)
}

/// Asks whether so much, or at `least` so much, is to be written, if it is much; how the program
/// ends if not. `--yes` answers. Nothing was made yet.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
pub(crate) fn ask(
    written: &[Written],
    least: &str,
    args: &Args,
    signals: &Signals,
) -> Result<Option<Ending>, Failure> {
    if !is_much(written) {
        return Ok(None);
    }
    let amounts = printable(&format!("{least}{}", amounts(written)));
    if args.safety.yes {
        if !args.loudness.quiet {
            say(&format!("aio: writes {amounts} (--yes)"));
        }
        return Ok(None);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::refused(anyhow!(
            "this writes {amounts}, and there is no terminal to ask whether that is meant; add --yes"
        )));
    }
    let mut stderr = io::stderr().lock();
    let _nobody_listens = write!(stderr, "aio: this writes {amounts}; go on? [y/N] ");
    let _nobody_listens = stderr.flush();
    drop(stderr);
    let answer = answer(signals);
    if let Some(signalled) = signals.ending() {
        say("");
        return Ok(Some(signalled));
    }
    if is_yes(&answer) {
        return Ok(None);
    }
    Err(Failure::refused(anyhow!("no target was made or written")))
}

/// What is typed, or nothing when a signal or the end of the input comes first.
fn answer(signals: &Signals) -> String {
    let (typed, read) = channel();
    // A thread of its own, because reading a terminal goes on when a signal comes.
    let reader = thread::Builder::new().name("aio-answer".into()).spawn(move || {
        let mut line = String::new();
        let _no_answer = io::stdin().read_line(&mut line);
        let _nobody_waits = typed.send(line);
    });
    if reader.is_err() {
        return String::new();
    }
    while !signals.stop().is_set() {
        match read.recv_timeout(LOOK) {
            Ok(line) => return line,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    String::new()
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// `150 GiB to /dev/nvme0n1 (466 GiB) and 1 GiB to /dev/sda`.
pub(crate) fn amounts(written: &[Written]) -> String {
    let each: Vec<_> = written.iter().map(amount).collect();
    match each.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => "nothing".into(),
    }
}

fn amount(one: &Written) -> String {
    let much = match (one.bytes, one.assumed_bytes) {
        (bytes, 0) => about(bytes),
        (0, assumed) => estimate(assumed),
        (bytes, assumed) => format!("{} and {}", about(bytes), estimate(assumed)),
    };
    let place = match &one.device {
        Some(name) => format!("/dev/{name}"),
        None => format!("the file system of {}", one.path),
    };
    let size = one.device_bytes.map(|bytes| format!(" ({})", about(bytes))).unwrap_or_default();
    format!("{much} to {place}{size}")
}

fn estimate(bytes: u64) -> String {
    format!("an estimated {} (only time ends it; at 1 GiB/s)", about(bytes))
}

/// In the largest unit of which there is at least one, rounded.
fn about(bytes: u64) -> String {
    let units = [("TiB", 40_u32), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = units.into_iter().find(|(_, bits)| bytes >> bits > 0);
    let Some((unit, bits)) = fitting else { return format!("{bytes} bytes") };
    let tenths = u128::from(bytes) * 10 / (1_u128 << bits);
    match (tenths / 10, tenths % 10) {
        (whole, tenth) if whole < 10 && tenth > 0 => format!("{whole}.{tenth} {unit}"),
        (whole, _) => format!("{whole} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn to(device: &str, device_bytes: u64, bytes: u64, assumed_bytes: u64) -> Written {
        let device_bytes = (device_bytes > 0).then_some(device_bytes);
        let device = (!device.is_empty()).then(|| device.to_owned());
        Written { device, path: "/mnt/f".into(), device_bytes, bytes, assumed_bytes }
    }

    #[test]
    fn more_than_100_gib_or_a_tenth_of_a_device_is_much_and_up_to_a_gib_never_is() {
        for (written, much) in [
            (vec![to("sda", 1 << 50, 100 * GIB, 0)], false),
            (vec![to("sda", 1 << 50, 100 * GIB + 1, 0)], true),
            (vec![to("sda", 1 << 50, 60 * GIB, 0), to("sdb", 1 << 50, 60 * GIB, 0)], true),
            (vec![to("sda", 100 * GIB, 10 * GIB, 0)], false),
            (vec![to("sda", 100 * GIB, 10 * GIB + 1, 0)], true),
            (vec![to("loop0", 30 << 20, GIB, 0)], false),
            (vec![to("loop0", 30 << 20, GIB + 1, 0)], true),
            (vec![to("", 0, 100 * GIB, 0)], false),
            (vec![to("", 0, 101 * GIB, 0)], true),
            (vec![to("sda", 100 * GIB, 0, 100 * GIB)], false),
            (vec![to("sda", 100 * GIB, 0, 101 * GIB)], true),
            (vec![to("sda", 100 * GIB, GIB, 100 * GIB)], true),
            (Vec::new(), false),
        ] {
            assert_eq!(is_much(&written), much, "{written:?}");
        }
    }

    #[test]
    fn amounts_name_the_devices_and_what_is_an_estimate() {
        let all = [
            to("nvme0n1", 500 * GIB, 150 * GIB, 0),
            to("loop0", 1 << 20, 1536 << 20, 0),
            to("", 0, 0, 3 << 40),
        ];
        insta::assert_snapshot!(amounts(&all), @"150 GiB to /dev/nvme0n1 (500 GiB), 1.5 GiB to /dev/loop0 (1 MiB) and an estimated 3 TiB (only time ends it; at 1 GiB/s) to the file system of /mnt/f");
        assert_eq!(amounts(&[to("sda", 0, 512, 0)]), "512 bytes to /dev/sda");
    }

    #[test]
    fn what_grew_since_the_answer_is_more_and_nothing_else() {
        let asked = [to("sda", GIB, 5, 1)];
        assert!(!is_more(&asked, &asked) && !is_more(&[to("sda", GIB, 4, 2)], &asked));
        assert!(is_more(&[to("sda", GIB, 5, 2)], &asked) && is_more(&asked, &[]));
    }

    #[test]
    fn only_a_yes_is_one() {
        let is = ["y\n", "Y", "yes\n", "YES "].map(is_yes);
        assert_eq!(is, [true; 4]);
        assert_eq!(["", "\n", "n", "no", "yesterday", "j"].map(is_yes), [false; 6]);
    }

    #[test]
    fn lists_are_added_device_by_device() {
        let lists = [vec![to("a", 9, 1, 2)], vec![to("b", 9, 1, 0), to("a", 9, 3, 4)]];
        assert_eq!(sum(lists), [to("a", 9, 4, 6), to("b", 9, 1, 0)]);
    }
}
