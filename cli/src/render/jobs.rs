//! Results of several jobs in one document.
//!
//! Text, CSV and the classic lines only ever grow at their end, so that each job's part can be
//! written when it is known; the two kinds of JSON are whole documents.

use std::io::{self, Write};

use aio_core::report::{Report, Status};
use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{classic, csv, fio_json, json as report_json, text};
use crate::args::Format;
use crate::dry_run::Preview;
use crate::ending::Failure;
use crate::voice::printable;

/// The version of the document in JSON; that of the reports in it is theirs.
pub(crate) const SCHEMA_VERSION: u32 = 1;

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

/// Results of several jobs, or what they would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// The version of this format; the documents in it have versions of their own.
    schema_version: u32,
    /// The version of the tool.
    tool_version: String,
    /// How the jobs ended: as the worst of them did.
    status: Status,
    /// The jobs that were begun, in order.
    jobs: Vec<Part>,
}

/// A job, and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Part {
    /// It ran.
    Ran {
        /// The job's name.
        name: String,
        /// Its results: the document of a run.
        #[schemars(with = "Report")]
        report: Value,
    },
    /// It would run.
    Planned {
        /// The job's name.
        name: String,
        /// What it would be: the document of a preview.
        preview: Box<Preview>,
    },
    /// It cannot be looked at yet.
    Awaits {
        /// The job's name.
        name: String,
        /// Nothing.
        preview: (),
        /// The job that has to make its file before.
        awaits: String,
    },
}

fn as_json(jobs: &[JobResult]) -> serde_json::Result<Document> {
    let of_job = |job: &JobResult| {
        let name = job.name.clone();
        Ok(match &job.found {
            Found::Report(report) => Part::Ran { name, report: report_json::value(report)? },
            Found::Preview(preview) => Part::Planned { name, preview: preview.clone() },
            Found::Awaits(maker) => Part::Awaits { name, preview: (), awaits: maker.clone() },
        })
    };
    let parts = jobs.iter().map(of_job).collect::<serde_json::Result<Vec<_>>>()?;
    let has = |status: Status| reports(jobs).iter().any(|(_, report)| report.status == status);
    let status = match () {
        () if has(Status::Failed) => Status::Failed,
        () if has(Status::Interrupted) => Status::Interrupted,
        () => Status::Complete,
    };
    let tool_version = env!("CARGO_PKG_VERSION").into();
    Ok(Document { schema_version: SCHEMA_VERSION, tool_version, status, jobs: parts })
}
