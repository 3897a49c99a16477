//! Results of several jobs in one document.
//!
//! Text, CSV and the classic lines only ever grow at their end, so that each job's part can be
//! written when it is known; the two kinds of JSON are whole documents.

use std::io::{self, Write};

use aio_core::report::{Report, Status};
use anyhow::Context;
use serde_json::{Value, json};

use super::{classic, csv, fio_json, json as report_json, text};
use crate::args::Format;
use crate::dry_run::Preview;
use crate::ending::Failure;
use crate::voice::printable;

/// The version of the document in JSON; that of the reports in it is theirs.
const SCHEMA_VERSION: u32 = 1;

/// What came of a job.
#[derive(Debug)]
pub(crate) struct JobResult {
    /// The job's name.
    pub(crate) name: String,
    /// What is known.
    pub(crate) found: Found,
}

/// What is known of a job.
#[derive(Debug)]
pub(crate) enum Found {
    /// It ran.
    Report(Box<Report>),
    /// It would run.
    Preview(Box<Preview>),
    /// It would need a file of the job of this name.
    Awaits(String),
}

/// Whether a document of this form is the start of the same document with more jobs.
pub(crate) fn grows_at_its_end(format: Format) -> bool {
    matches!(format, Format::Text | Format::Csv | Format::Classic)
}

/// The results of all `jobs` in the form that was asked for.
pub(crate) fn jobs(jobs: &[JobResult], format: Format) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let written = match format {
        Format::Text => as_text(jobs, &mut out),
        Format::Json => as_json(jobs)
            .map_err(io::Error::from)
            .and_then(|document| report_json::write(&document, &mut out)),
        Format::Csv => csv::write_jobs(&reports(jobs), &mut out),
        Format::Classic => classic::write_jobs(&reports(jobs), &mut out),
        Format::FioJson => fio_json::FioJson::of_now().write_jobs(&reports(jobs), &mut out),
    };
    written.context("cannot render the results").map(|()| out).map_err(Failure::failed)
}

fn reports(jobs: &[JobResult]) -> Vec<(&str, &Report)> {
    let ran = jobs.iter().filter_map(|job| match &job.found {
        Found::Report(report) => Some((job.name.as_str(), report.as_ref())),
        Found::Preview(_) | Found::Awaits(_) => None,
    });
    ran.collect()
}

fn as_text(jobs: &[JobResult], out: &mut dyn Write) -> io::Result<()> {
    for (index, job) in jobs.iter().enumerate() {
        if let (0, Found::Report(report)) = (index, &job.found) {
            let machine = text::machine_line(&report.tool_version, &report.machine);
            text::paragraph(&[machine, String::new()], out)?;
        }
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "job {}", printable(&job.name))?;
        match &job.found {
            Found::Report(report) => text::Text::of_run(report).body(report, out)?,
            Found::Preview(preview) => text::write_preview(preview, out)?,
            Found::Awaits(maker) => {
                let maker = printable(maker);
                writeln!(out, "cannot be looked at before job {maker} has made its file")?;
            }
        }
    }
    Ok(())
}

fn as_json(jobs: &[JobResult]) -> serde_json::Result<Value> {
    let of_job = |job: &JobResult| {
        Ok(match &job.found {
            Found::Report(report) => {
                json!({ "name": job.name, "report": report_json::value(report)? })
            }
            Found::Preview(preview) => json!({ "name": job.name, "preview": preview }),
            Found::Awaits(maker) => json!({ "name": job.name, "preview": null, "awaits": maker }),
        })
    };
    let parts = jobs.iter().map(of_job).collect::<serde_json::Result<Vec<_>>>()?;
    let has = |status: Status| reports(jobs).iter().any(|(_, report)| report.status == status);
    let status = match () {
        () if has(Status::Failed) => Status::Failed,
        () if has(Status::Interrupted) => Status::Interrupted,
        () => Status::Complete,
    };
    Ok(json!({
        "schema_version": SCHEMA_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "status": status,
        "jobs": parts,
    }))
}
