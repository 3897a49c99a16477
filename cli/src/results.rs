//! What a program run has found so far, on its way to where results go.

use aio_core::report::Report;
use aio_core::target::Resolved;

use crate::args::{Format, Listing};
use crate::dry_run::Preview;
use crate::ending::Failure;
use crate::output::Output;
use crate::render::{self, Found, JobResult};

/// The results of one run, or of several jobs.
#[derive(Debug)]
pub(crate) struct Results {
    output: Output,
    format: Format,
    jobs: Vec<JobResult>,
    /// The job whose results come next; none when there are no jobs but one run.
    job: Option<String>,
    /// What is on stdout or behind a FIFO already.
    written_bytes: usize,
}

impl Results {
    /// None yet.
    ///
    /// # Errors
    /// When nothing can be written where they are to go.
    pub(crate) fn open(listing: &Listing) -> Result<Self, Failure> {
        let output = Output::open(listing.output.as_deref())?;
        let format = listing.format;
        Ok(Self { output, format, jobs: Vec::new(), job: None, written_bytes: 0 })
    }

    /// Refuses to replace a file that is measured.
    pub(crate) fn refuse_targets(&self, resolved: &Resolved) -> Result<(), Failure> {
        self.output.refuse_targets(resolved)
    }

    /// From now on results are of the job `name`.
    pub(crate) fn begin(&mut self, name: &str) {
        self.job = Some(name.into());
    }

    /// The job whose results come next, where there are jobs.
    pub(crate) fn job(&self) -> Option<String> {
        self.job.clone()
    }

    /// Takes a preview.
    pub(crate) fn preview(&mut self, preview: Preview) -> Result<(), Failure> {
        match self.job.take() {
            Some(name) => self.add(name, Found::Preview(Box::new(preview))),
            None => self.output.write(&render::preview(&preview, self.format)?),
        }
    }

    /// Takes the word that there can be no preview before the job `maker` has run.
    pub(crate) fn cannot_preview(&mut self, maker: &str) -> Result<(), Failure> {
        let name = self.job.take().unwrap_or_default();
        self.add(name, Found::Awaits(maker.into()))
    }

    /// Takes a report.
    pub(crate) fn report(&mut self, report: &Report) -> Result<(), Failure> {
        match self.job.take() {
            Some(name) => self.add(name, Found::Report(Box::new(report.clone()))),
            None => self.output.write(&render::report(report, self.format)?),
        }
    }

    /// What is known by now is written at once, where a form allows it: a later job may fail.
    fn add(&mut self, name: String, found: Found) -> Result<(), Failure> {
        self.jobs.push(JobResult { name, found });
        let is_replaced = matches!(self.output, Output::Replaced(_));
        if is_replaced || render::grows_at_its_end(self.format) { self.write() } else { Ok(()) }
    }

    /// Writes what is not written yet.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        if self.jobs.is_empty() { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let document = render::jobs(&self.jobs, self.format)?;
        if matches!(self.output, Output::Replaced(_)) {
            return self.output.write(&document);
        }
        let rest = &document[self.written_bytes..];
        if !rest.is_empty() {
            self.output.write(rest)?;
        }
        self.written_bytes = document.len();
        Ok(())
    }
}
