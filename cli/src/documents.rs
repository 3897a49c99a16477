//! Results that were saved before, read back.
//!
//! What cannot be read is refused in a sentence that says what it is instead, as far as one can
//! tell. Nothing here judges the numbers.

use std::io;
use std::path::{Path, PathBuf};

use aio_core::report::{Comparison, Report, SCHEMA_VERSION};
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::output::is_same;
use crate::sources;
use crate::voice::printable;

/// The largest document that is read, in bytes: some hundred times a report of many tasklets.
const BYTES_MAX: u64 = 64 << 20;

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

/// Refuses to write to a file that is read: `flag` names the output.
pub(crate) fn refuse_as_output<'a>(
    flag: &str,
    output: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<()> {
    if inputs.into_iter().any(|input| is_same(input, output)) {
        bail!("{flag} {} is a file of results that is read; name another", name(output));
    }
    Ok(())
}

/// Reads the results in `path`; `-` is stdin.
///
/// # Errors
/// The file cannot be read, or holds no results of aio.
pub(crate) fn read(path: &Path) -> Result<Document> {
    let name = name(path);
    let bytes = sources::read(path, BYTES_MAX).and_then(|bytes| at_most(bytes, BYTES_MAX));
    let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
    of_bytes(&bytes).with_context(|| format!("{name} cannot be used as results"))
}

/// What messages call the document in `path`.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".into() } else { printable(&path.to_string_lossy()) }
}

/// Refuses more than `bytes_max`.
fn at_most(bytes: Vec<u8>, bytes_max: u64) -> io::Result<Vec<u8>> {
    if bytes.len() as u64 > bytes_max {
        let limit = crate::render::size(bytes_max);
        return Err(io::Error::other(format!("it is larger than {limit}, which no results are")));
    }
    Ok(bytes)
}

/// Reads the results in `bytes`.
///
/// # Errors
/// They are no results of aio.
pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Document> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        bail!("it is empty; did the run that was to write it end early?");
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        anyhow!("it is not JSON ({error}); save results with --format json, or aio compare --save")
    })?;
    of_value(value)
}

fn of_value(value: Value) -> Result<Document> {
    let has = |key: &str| value.get(key).is_some();
    if has("fio version") {
        bail!("it is in the form of fio's JSON; save results with --format json");
    }
    refuse_newer(&value)?;
    match () {
        () if has("contestants") => {
            let comparison = Comparison::deserialize(value).map_err(|error| damaged(&error))?;
            Ok(Document::Comparison(Box::new(comparison)))
        }
        () if has("jobs") => jobs(value),
        () if has("plan") && has("engines") && has("status") => Ok(Document::Run(report(value)?)),
        () if has("plan") && has("engines") => {
            bail!("it is what --dry-run would do, and has no results")
        }
        () if has("base") && has("entries") => {
            bail!("it is what aio diff found; give the files that it compared")
        }
        () => bail!("it is JSON of something else than a run, jobs or a comparison of aio"),
    }
}

/// The jobs of `value` that have results; a preview among them has none.
fn jobs(mut value: Value) -> Result<Document> {
    let jobs = value.get_mut("jobs").and_then(Value::as_array_mut).map(std::mem::take);
    let jobs = jobs.context("it is JSON of something else: its jobs are no list")?;
    let mut named = Vec::new();
    for mut job in jobs {
        let name = job["name"].as_str().context("one of its jobs has no name")?.to_owned();
        let Some(of_job) = job.get_mut("report").map(Value::take) else { continue };
        let report = refuse_newer(&of_job).and_then(|()| report(of_job));
        let report = report.with_context(|| format!("job {}", printable(&name)))?;
        named.push((name, *report));
    }
    if named.is_empty() {
        bail!("none of its jobs has results");
    }
    Ok(Document::Jobs(named))
}

fn report(value: Value) -> Result<Box<Report>> {
    Report::deserialize(value).map(Box::new).map_err(|error| damaged(&error))
}

/// A later version may mean something else by the same names.
fn refuse_newer(value: &Value) -> Result<()> {
    match value.get("schema_version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(SCHEMA_VERSION) => {
            let tool = value.get("tool_version").and_then(Value::as_str);
            let tool = tool.map(|tool| format!(" ({})", printable(tool))).unwrap_or_default();
            bail!(
                "it was made by a newer aio{tool}: its schema_version is {version}, and this one \
                 reads up to {SCHEMA_VERSION}"
            )
        }
        _ => Ok(()),
    }
}

fn damaged(error: &serde_json::Error) -> anyhow::Error {
    anyhow!("it looks like results of aio and does not hold what they do: {error}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::args::Format;
    use crate::render::{self, Found, JobResult, sample};

    fn refusal(text: &str) -> String {
        let error = of_bytes(text.as_bytes()).unwrap_err();
        error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn what_was_written_is_read_back() {
        let report = sample::one_engine();
        let text = render::report(&report, Format::Json).unwrap();
        assert!(matches!(of_bytes(&text).unwrap(), Document::Run(read) if *read == report));
        let job = |name: &str| JobResult {
            name: name.into(),
            found: Found::Report(Box::new(report.clone())),
        };
        let awaits = JobResult { name: "c".into(), found: Found::Awaits("a".into()) };
        let text = render::jobs(&[job("a"), job("b"), awaits], Format::Json).unwrap();
        let Document::Jobs(jobs) = of_bytes(&text).unwrap() else { panic!("these are jobs") };
        assert_eq!(jobs, [("a".into(), report.clone()), ("b".into(), report)]);
        let mut contest = sample::contest();
        // Prints are no part of the document.
        let totals = contest.contestants.iter_mut().filter_map(|one| one.total.as_mut());
        totals.flat_map(|all| &mut all.directions).for_each(|one| one.lane_prints.clear());
        let text = serde_json::to_vec(&contest).unwrap();
        assert!(matches!(of_bytes(&text).unwrap(), Document::Comparison(read) if *read == contest));
    }

    #[test]
    fn what_holds_no_results_is_refused_with_what_it_is() {
        let newer = json!({ "schema_version": 99, "tool_version": "9\u{1b}", "contestants": [] });
        let damaged = json!({ "schema_version": 1, "contestants": [] });
        let previews = json!({ "schema_version": 1, "jobs": [{ "name": "a", "preview": null }] });
        let nested = json!({ "jobs": [{ "name": "a\n", "report": { "schema_version": 2 } }] });
        let texts = [
            " \n".into(),
            "{".into(),
            "\u{0}".into(),
            "[1]".into(),
            r#"{"fio version": "fio-3.33", "jobs": []}"#.into(),
            r#"{"plan": {}, "engines": []}"#.into(),
            r#"{"base": {}, "entries": []}"#.into(),
            r#"{"jobs": 3}"#.into(),
            newer.to_string(),
            damaged.to_string(),
            previews.to_string(),
            nested.to_string(),
        ];
        let refusals: Vec<_> = texts.iter().map(|text: &String| refusal(text)).collect();
        insta::assert_snapshot!(refusals.join("\n"), @r"
        it is empty; did the run that was to write it end early?
        it is not JSON (EOF while parsing an object at line 1 column 1); save results with --format json, or aio compare --save
        it is not JSON (expected value at line 1 column 1); save results with --format json, or aio compare --save
        it is JSON of something else than a run, jobs or a comparison of aio
        it is in the form of fio's JSON; save results with --format json
        it is what --dry-run would do, and has no results
        it is what aio diff found; give the files that it compared
        it is JSON of something else: its jobs are no list
        it was made by a newer aio (9\u{1b}): its schema_version is 99, and this one reads up to 1
        it looks like results of aio and does not hold what they do: missing field `tool_version`
        none of its jobs has results
        job a\n: it was made by a newer aio: its schema_version is 2, and this one reads up to 1
        ");
    }

    #[test]
    fn deep_nesting_and_too_much_of_it_are_refused() {
        assert!(refusal(&"[".repeat(100_000)).starts_with("it is not JSON (recursion limit"));
        let error = at_most(vec![b' '; (1 << 20) + 1], 1 << 20).unwrap_err().to_string();
        assert_eq!(error, "it is larger than 1 MiB, which no results are");
        assert_eq!(at_most(b"abc".to_vec(), 3).unwrap(), b"abc");
    }
}
