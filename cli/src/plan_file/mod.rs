//! Plans in files: TOML whose keys are the long names of the flags.
//!
//! Keys above the first `[[job]]`, or below `[defaults]`, are of all jobs. Nothing here knows what
//! a flag means: [`crate::jobs`] has the parser of the command line read them.

mod dump;
#[cfg(test)]
mod fuzzed;
mod read;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::args::Run;
use crate::ending::Failure;
use crate::jobs::{self, Job};
use crate::sources;

pub(crate) use dump::{dump, dump_run};

/// No file that a person writes is larger.
const BYTES_MAX: u64 = 1 << 20;

/// The jobs of the plan file that `asked` names.
///
/// # Errors
/// The file cannot be read, or one of its lines says what no command line could.
pub(crate) fn jobs(asked: &Run) -> Result<Vec<Job>, Failure> {
    let (name, text) = text(&asked.plan).map_err(Failure::refused)?;
    let drafts = read::drafts(&name, &text)?;
    jobs::typed(&drafts, &asked.args.given)
}

/// The jobs of a plan file with the text `text`, which messages call `name`.
#[cfg(test)]
pub(crate) fn of_text(name: &str, text: &str) -> Result<Vec<Job>, Failure> {
    jobs::typed(&read::drafts(name, text)?, &[])
}

/// What messages call the file `path`, and what is in it; `-` is stdin.
pub(crate) fn text(path: &Path) -> Result<(String, String)> {
    let name = if path.as_os_str() == "-" { "stdin".into() } else { path.display().to_string() };
    let bytes = sources::read(path, BYTES_MAX).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > BYTES_MAX {
        bail!("{name} is larger than 1 MiB, and no such file of jobs is");
    }
    let text = String::from_utf8(bytes);
    let text = text.map_err(|error| error.utf8_error());
    Ok((name.clone(), text.with_context(|| format!("{name} is not UTF-8"))?))
}
