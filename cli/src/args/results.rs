//! The flags of the commands that read results: `aio diff` and `aio report`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use aio_core::report::Metric;
use clap::ValueEnum;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::values::percent;

/// Files that are given by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(pub(crate) Vec<PathBuf>);

/// Names between commas, of whatever bytes they are.
#[expect(clippy::needless_pass_by_value, reason = "the parser of flags gives it away")]
fn files(text: OsString) -> Result<Files, String> {
    let names = text.as_bytes().split(|byte| *byte == b',');
    let names: Vec<_> = names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect();
    if names.iter().any(|name| name.as_os_str().is_empty()) {
        return Err("give names of files, with one comma between two of them".into());
    }
    Ok(Files(names))
}

/// `aio diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// Results to compare with, as JSON; several, by commas, are rounds of the same; - is stdin
    #[arg(value_name = "BASE.json[,…]", value_parser = OsStringValueParser::new().try_map(files))]
    pub(crate) base: Files,

    /// Results that are compared with those; several, by commas, are rounds of the same
    #[arg(value_name = "NEW.json[,…]", value_parser = OsStringValueParser::new().try_map(files))]
    pub(crate) new: Files,

    /// A loss of up to this is no failure
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = percent)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) max_regress: f64,

    /// Fail too when nothing can be told: too few rounds, too much noise, or a result that only the
    /// base has
    #[arg(long)]
    pub(crate) strict: bool,

    /// Compare what measured something else too, such as another block size or engine, and runs
    /// that failed
    #[arg(long)]
    pub(crate) force: bool,

    /// What decides: iops, bandwidth, p50, p99, p99.9, response-p99, cpu or calls
    #[arg(long, value_name = "NAME", default_value = "iops", value_parser = str::parse::<Metric>)]
    pub(crate) metric: Metric,

    /// Form of the results: text, md (a table for a comment on a change) or json
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, hide_possible_values = true)]
    pub(crate) format: DiffFormat,

    /// Write the results to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The forms that differences come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    Text,
    Md,
    Json,
}

/// `aio report`.
#[derive(Debug, clap::Args)]
pub(crate) struct Page {
    /// Results as JSON: of aio compare --save, or of a run with --format json
    #[arg(value_name = "RESULTS.json", required = true)]
    pub(crate) results: Vec<PathBuf>,

    /// Form of the report: html (one file that needs no network and no script) or md
    #[arg(long, value_enum, default_value_t = PageFormat::Html, hide_possible_values = true)]
    pub(crate) format: PageFormat,

    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write one figure as SVG to this file, instead of a report
    #[arg(long, value_name = "FILE.svg", conflicts_with_all = ["format", "output"])]
    pub(crate) plot: Option<PathBuf>,

    /// Which figure: latency, rate, sweep, ladder or cpu [default: the one that says most]
    #[arg(long, value_name = "NAME", requires = "plot")]
    pub(crate) figure: Option<String>,
}

/// The forms that reports come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    Html,
    Md,
}
