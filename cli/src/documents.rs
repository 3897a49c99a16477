//! Results that were saved before, read back.

use std::path::Path;

use aio_core::report::{Comparison, Report};
use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_json::Value;

/// A document that holds results.
#[derive(Debug)]
pub(crate) enum Document {
    /// Of a run.
    Run(Box<Report>),
    /// Of several jobs, each with its name.
    Jobs(Vec<(String, Report)>),
    /// Of `aio compare`.
    Comparison(Box<Comparison>),
}

/// Reads the results in `path`; `-` is stdin.
///
/// # Errors
/// The file cannot be read, or holds no results of aio.
pub(crate) fn read(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    of_text(&text).with_context(|| format!("{} holds no results of aio", path.display()))
}

fn of_text(text: &str) -> Result<Document> {
    let value: Value = serde_json::from_str(text)?;
    if value.get("contestants").is_some() {
        return Ok(Document::Comparison(Box::new(Comparison::deserialize(value)?)));
    }
    if value.get("engines").is_some() && value.get("plan").is_some() {
        return Ok(Document::Run(Box::new(Report::deserialize(value)?)));
    }
    Err(anyhow!("it is not JSON of a run, of jobs or of a comparison"))
}
