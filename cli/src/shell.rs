//! What a shell needs to know: completions and the manual page.

use crate::args::Completions;
use crate::ending::{Ending, Failure};

/// Prints the completions of a shell.
pub(crate) fn completions(asked: &Completions) -> Result<Ending, Failure> {
    let _ = asked;
    Ok(Ending::Done)
}

/// Prints the manual page.
pub(crate) fn manual() -> Result<Ending, Failure> {
    Ok(Ending::Done)
}
