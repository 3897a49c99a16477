//! Differences with fixed numbers, as they are shown.

use aio_core::plan::Direction;
use aio_core::report::{Metric, SCHEMA_VERSION};
use aio_core::stats::compare::{Finding, Interval, LEVEL, Paired, Verdict};

use super::super::difference::{
    Condition, Difference, Entry, MetricDifference, Name, Outcome, Remark, Which,
};
use super::*;

fn name(job: Option<&str>, contestant: &str) -> Name {
    let job = job.map(String::from);
    Name { job, contestant: contestant.into(), direction: Direction::Read }
}

/// `change`, and 1 % to either side of it.
fn around(change: f64) -> (f64, Option<f64>, Option<f64>) {
    (change, Some(change - 0.01), Some(change + 0.01))
}

fn metric(metric: Metric, base: f64, change: f64) -> MetricDifference {
    let interval = |median: f64| Interval { median, low: Some(median), high: Some(median) };
    let (ratio, low, high) = around(1.0 + change);
    let ratio = Paired { ratio, low, high, p_value: 0.001, p_value_least: 0.001, rounds: 10 };
    let new = interval(base * (1.0 + change));
    MetricDifference { metric, base: interval(base), new, ratio: Some(ratio) }
}

fn entry(name: Name, change: f64, finding: Finding, outcome: Outcome) -> Entry {
    let (_, low, high) = around(change);
    Entry {
        name,
        base_rounds: 10,
        new_rounds: 10,
        metrics: vec![
            metric(Metric::Iops, 412_345.0, change),
            metric(Metric::Bandwidth, 1.573, change),
            metric(Metric::P99, 310_000.0, -change),
            metric(Metric::Calls, 0.0312, 0.0),
        ],
        verdict: Verdict { finding, change: Some(change), low, high },
        outcome,
    }
}

/// One of each outcome, with names that try to break out of where they are shown.
fn difference() -> Difference {
    let mut few = entry(name(None, "libaio"), 0.004, Finding::CannotTell, Outcome::NotEnoughRounds);
    (few.base_rounds, few.new_rounds) = (1, 3);
    let mut none = entry(name(None, "null"), 0.0, Finding::CannotTell, Outcome::NotMeasured);
    none.metrics.clear();
    none.verdict = Verdict { change: None, low: None, high: None, ..none.verdict };
    let evil = name(Some("a|b\u{1b}[31m"), "<b>`@x`");
    Difference {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".into(),
        base: vec!["old.json".into()],
        new: vec!["new_1.json".into(), "new_2.json".into()],
        metric: Metric::Iops,
        level: LEVEL,
        max_regress: 0.05,
        entries: vec![
            entry(name(None, "uring"), -0.078, Finding::Worse, Outcome::Regression),
            entry(name(None, "sync"), -0.03, Finding::Worse, Outcome::Slower),
            entry(evil, 0.12, Finding::Better, Outcome::Faster),
            entry(name(None, "uring:sqpoll"), 0.001, Finding::NoDifference, Outcome::NoDifference),
            entry(name(None, "uring:x"), 0.002, Finding::CannotTell, Outcome::CannotTell),
            few,
            none,
        ],
        only_in_base: vec![name(None, "gone")],
        only_in_new: vec![name(None, "added")],
        conditions: vec![
            Condition { what: "kernel".into(), base: "6.1.0".into(), new: "6.12.0".into() },
            Condition { what: "device".into(), base: "A|B".into(), new: "none".into() },
        ],
        remarks: vec![Remark {
            side: Which::Both,
            code: "buffered".into(),
            reason: "uring read is doubtful: buffered I/O measures the page cache".into(),
        }],
        failures: vec!["uring read: slower".into()],
    }
}

fn shown(format: DiffFormat) -> String {
    String::from_utf8(rendered(&difference(), format).unwrap()).unwrap()
}

#[test]
fn text_has_a_table_a_verdict_for_each_and_what_else_differs() {
    insta::assert_snapshot!(shown(DiffFormat::Text), @"");
}

#[test]
fn markdown_has_a_heading_a_table_and_names_that_stay_in_their_cells() {
    insta::assert_snapshot!(shown(DiffFormat::Md), @"");
}

#[test]
fn each_row_of_a_table_has_as_many_cells_as_its_head() {
    let text = shown(DiffFormat::Md);
    let cells = |line: &str| line.replace("\\|", "").matches('|').count() - 1;
    let mut tables = 0;
    let mut width = None;
    for line in text.lines() {
        match (line.starts_with('|'), width) {
            (true, None) => {
                tables += 1;
                width = Some(cells(line));
            }
            (true, Some(width)) => assert_eq!(cells(line), width, "{line}"),
            (false, _) => width = None,
        }
    }
    assert_eq!(tables, 2, "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("<b>"), "{text}");
}

#[test]
fn json_is_what_was_found() {
    let text = shown(DiffFormat::Json);
    assert_eq!(serde_json::from_str::<Difference>(&text).unwrap(), difference());
    assert!(text.starts_with("{\n  \"schema_version\": 1,"), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = &value["entries"][0];
    assert_eq!(
        (&first["contestant"], &first["direction"], &first["outcome"]),
        (&"uring".into(), &"read".into(), &"regression".into())
    );
    assert_eq!(first["metrics"][0]["metric"], "iops");
}

#[test]
fn the_heading_says_what_became_of_the_gate() {
    let of = |outcomes: &[Outcome]| {
        let entry = |outcome: &Outcome| entry(name(None, "x"), 0.0, Finding::CannotTell, *outcome);
        heading(&Difference { entries: outcomes.iter().map(entry).collect(), ..difference() })
    };
    use Outcome::{CannotTell, Faster, NotEnoughRounds, Regression};
    assert_eq!(of(&[Faster]), "no regression");
    assert_eq!(of(&[CannotTell, NotEnoughRounds]), "cannot tell");
    assert_eq!(of(&[CannotTell, Faster, Faster]), "no regression, and 1 of 3 cannot tell");
    assert_eq!(of(&[Regression, Faster]), "a regression");
    assert_eq!(of(&[Regression, Regression]), "2 regressions");
}
