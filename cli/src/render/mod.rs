//! Results in the forms that people and programs read. Each is a pure function of its data.

mod classic;
pub(crate) mod comparison;
mod course;
mod csv;
mod details;
mod devices;
mod doctor;
mod engines;
mod failures;
mod fio_json;
mod jobs;
mod json;
mod notes;
mod numbers;
mod pace;
mod plan;
#[cfg(test)]
pub(crate) mod sample;
mod table;
mod text;
mod verified;
mod wrap;

use std::io::{self, Write};

use aio_core::report::{Comparison, Report};
use anyhow::Context;

use crate::args::{Format, ListFormat};
use crate::doctor::Examination;
use crate::dry_run::Preview;
use crate::ending::Failure;
use crate::engines::Listing;
use crate::verify::Findings;

pub(crate) use comparison::words::{rate, standing};
pub(crate) use failures::failures;
pub(crate) use jobs::{
    Document as JobsDocument, Found, JobResult, SCHEMA_VERSION as JOBS_SCHEMA_VERSION,
    grows_at_its_end, jobs,
};
pub(crate) use notes::{Parts, sequence, target_lines, unavailable_sentence};
pub(crate) use numbers::{
    NONE, calls_per_request, count, counting_speeds, has_rate, mode, scaled, short, size,
};
pub(crate) use plan::plan_line;
pub(crate) use table::{directions, laid_out, verdict};
pub(crate) use text::{Text, machine_line};
pub(crate) use wrap::wrapped;

/// A form that a report comes in.
pub(crate) trait Render {
    /// Writes the whole of `report` to `out`.
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// `report` in the form that was asked for.
pub(crate) fn report(report: &Report, format: Format) -> Result<Vec<u8>, Failure> {
    let renderer: &dyn Render = match format {
        Format::Text => &Text::of_run(report),
        Format::Json => &json::Json,
        Format::Csv => &csv::Csv,
        Format::Classic => &classic::Classic,
        Format::FioJson => &fio_json::FioJson::of_now(),
    };
    let mut out = Vec::new();
    let result = renderer.render(report, &mut out).context("cannot render the results");
    result.map(|()| out).map_err(Failure::failed)
}

/// What a comparison found, in the form that was asked for: text, JSON or CSV.
pub(crate) fn comparison(comparison: &Comparison, format: Format) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let ink = comparison::Ink::of_locale();
    let result = comparison::write(comparison, format, ink, &mut out);
    result.context("cannot render the comparison").map(|()| out).map_err(Failure::failed)
}

/// What a run would be, for people or, as JSON, for programs.
pub(crate) fn preview(preview: &Preview, format: Format) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let result = match format {
        Format::Json => json::write(preview, &mut out),
        _ => text::write_preview(preview, &mut out),
    };
    result.context("cannot render the plan").map(|()| out).map_err(Failure::failed)
}

/// What engines there are, in the form that was asked for.
pub(crate) fn listing(listing: &Listing, format: ListFormat) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let result = match format {
        ListFormat::Text => engines::write(listing, &mut out),
        ListFormat::Json => json::write(listing, &mut out),
    };
    result.context("cannot render the listing").map(|()| out).map_err(Failure::failed)
}

/// What bears on a measurement, in the form that was asked for.
pub(crate) fn examination(found: &Examination, format: ListFormat) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let result = match format {
        ListFormat::Text => doctor::write(found, &mut out),
        ListFormat::Json => json::write(found, &mut out),
    };
    result.context("cannot render the findings").map(|()| out).map_err(Failure::failed)
}

/// What was found in files, in the form that was asked for.
pub(crate) fn findings(findings: &Findings, format: ListFormat) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let result = match format {
        ListFormat::Text => verified::write(findings, &mut out),
        ListFormat::Json => json::write(findings, &mut out),
    };
    result.context("cannot render the findings").map(|()| out).map_err(Failure::failed)
}

#[cfg(test)]
pub(crate) fn rendered(renderer: &dyn Render, report: &Report) -> String {
    let mut out = Vec::new();
    renderer.render(report, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("reports are UTF-8")
}
