//! The conformance suite and the stress test that every engine passes, for the tests of backends.
//!
//! [`conformance()`] holds what the [engine contract](crate::engine) promises, as checks that run
//! against any [`Backend`](crate::engine::Backend) on small buffered files in the directory for
//! temporary files; [`stress()`] tries the same at random, for as long as it is told to. Neither
//! measures anything or knows a backend by name.

mod bare;
mod conformance;
mod dice;
mod discards;
mod exactly_once;
mod fixture;
mod flags;
mod leaving;
mod opening;
mod queueing;
mod stress;
mod transfers;
mod usage;

use std::io::Write;

pub use conformance::conformance;
pub use dice::Dice;
pub use discards::discards;
pub use flags::{cold_reads, direct_round_trip};
pub use stress::{StressPlan, StressReport, stress, variable};
pub use usage::{Usage, anonymous_bytes};

use crate::engine::Unsupported;

/// Says what a check leaves out: aloud when the kernel refused it, and only to who asks for the
/// output of passing tests when the backend is made that way.
fn leave_out(what: &str, unsupported: &Unsupported) {
    let reason = format!("{what}: {}", unsupported.sentence());
    match &unsupported.source {
        Some(_kernel) => skip(&reason),
        None => eprintln!("left out: {reason}"),
    }
}

/// Says on standard error, in one line that starts with `skipped: `, what a test leaves out.
///
/// The test harness keeps what the print macros of passing tests say to itself; this reaches the
/// terminal all the same, and `ci/test.sh` counts such lines.
pub fn skip(reason: &str) {
    let words: Vec<_> = reason.split_whitespace().collect();
    // As one piece, so that lines of tests that run at the same time stay whole.
    let line = format!("skipped: {}\n", words.join(" "));
    let _nobody_listens = std::io::stderr().write_all(line.as_bytes());
}
