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
    insta::assert_snapshot!(shown(DiffFormat::Text), @r"
    base: old.json
    new:  new_1.json, new_2.json

                                    metric            base          new  change (95 % interval)
    ────────────────────────────────────────────────────────────────────────────────────────────
    uring read                      iops         412.3 k/s    380.2 k/s   −7.8 % (−8.8 to −6.8)
                                    bandwidth  1.573 GiB/s  1.450 GiB/s   −7.8 % (−8.8 to −6.8)
                                    p99           310.0 us     334.2 us   +7.8 % (+6.8 to +8.8)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    sync read                       iops         412.3 k/s    400.0 k/s   −3.0 % (−4.0 to −2.0)
                                    bandwidth  1.573 GiB/s  1.526 GiB/s   −3.0 % (−4.0 to −2.0)
                                    p99           310.0 us     319.3 us   +3.0 % (+2.0 to +4.0)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    job a|b\u{1b}[31m <b>`@x` read  iops         412.3 k/s    461.8 k/s      +12 % (+11 to +13)
                                    bandwidth  1.573 GiB/s  1.762 GiB/s      +12 % (+11 to +13)
                                    p99           310.0 us     272.8 us      −12 % (−13 to −11)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    uring:sqpoll read               iops         412.3 k/s    412.8 k/s   +0.1 % (−0.9 to +1.1)
                                    bandwidth  1.573 GiB/s  1.575 GiB/s   +0.1 % (−0.9 to +1.1)
                                    p99           310.0 us     309.7 us   −0.1 % (−1.1 to +0.9)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    uring:x read                    iops         412.3 k/s    413.2 k/s   +0.2 % (−0.8 to +1.2)
                                    bandwidth  1.573 GiB/s  1.576 GiB/s   +0.2 % (−0.8 to +1.2)
                                    p99           310.0 us     309.4 us   −0.2 % (−1.2 to +0.8)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    libaio read                     iops         412.3 k/s    414.0 k/s   +0.4 % (−0.6 to +1.4)
                                    bandwidth  1.573 GiB/s  1.579 GiB/s   +0.4 % (−0.6 to +1.4)
                                    p99           310.0 us     308.8 us   −0.4 % (−1.4 to +0.6)
                                    calls           0.0312       0.0312      0 % (−1.0 to +1.0)
    null read                       -                    -            -                       -
    base and new: medians of rounds; change: of their geometric means, which the verdict is on

    uring read: slower by 7.8 % (6.8–8.8): a regression of more than 5 %
    sync read: slower by 3 % (2–4), which --max-regress allows
    job a|b\u{1b}[31m <b>`@x` read: faster by 12 % (11–13)
    uring:sqpoll read: no difference larger than 2 % seen
    uring:x read: too noisy to tell (−0.8 to +1.2 %)
    libaio read: not enough rounds to tell (1 and 3)
    null read: iops has no value above 0 in all rounds
    unless the rounds of both took turns, a machine that changed in between looks like this too
    gone read: in the base only
    added read: in the new results only

    what else differs:
      kernel: 6.1.0 -> 6.12.0
      device: A|B -> none

    base and new: uring read is doubtful: buffered I/O measures the page cache

    a regression (by iops)
    ");
}

#[test]
fn markdown_has_a_heading_a_table_and_names_that_stay_in_their_cells() {
    insta::assert_snapshot!(shown(DiffFormat::Md), @r"
    ### aio: a regression

    | result | base iops | new iops | verdict |
    | --- | ---: | ---: | --- |
    | uring read | 412.3 k/s | 380.2 k/s | **slower by 7.8 % (6.8–8.8): a regression of more than 5 %** |
    | sync read | 412.3 k/s | 400.0 k/s | slower by 3 % (2–4), which --max-regress allows |
    | job a\|b\\u{1b}\[31m &lt;b&gt;\`&#64;x\` read | 412.3 k/s | 461.8 k/s | faster by 12 % (11–13) |
    | uring:sqpoll read | 412.3 k/s | 412.8 k/s | no difference larger than 2 % seen |
    | uring:x read | 412.3 k/s | 413.2 k/s | too noisy to tell (−0.8 to +1.2 %) |
    | libaio read | 412.3 k/s | 414.0 k/s | not enough rounds to tell (1 and 3) |
    | null read |  |  | iops has no value above 0 in all rounds |
    | gone read | | | in the base only |
    | added read | | | new |

    Medians of rounds: 1 to 10 of the base (old.json), 3 to 10 of the new results (new\_1.json, new\_2.json); changes are of their geometric means. A regression is a loss of more than 5 % that chance does not explain. Unless the rounds of both took turns, a machine that changed in between looks like this too.

    What else differs:

    - kernel: 6.1.0 -&gt; 6.12.0
    - device: A\|B -&gt; none

    Doubts:

    - base and new: uring read is doubtful: buffered I/O measures the page cache

    <details><summary>All metrics</summary>

    | result | metric | base | new | change (95 % interval) |
    | --- | --- | ---: | ---: | ---: |
    | uring read | iops | 412.3 k/s | 380.2 k/s | −7.8 % (−8.8 to −6.8) |
    | uring read | bandwidth | 1.573 GiB/s | 1.450 GiB/s | −7.8 % (−8.8 to −6.8) |
    | uring read | p99 | 310.0 us | 334.2 us | +7.8 % (+6.8 to +8.8) |
    | uring read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |
    | sync read | iops | 412.3 k/s | 400.0 k/s | −3.0 % (−4.0 to −2.0) |
    | sync read | bandwidth | 1.573 GiB/s | 1.526 GiB/s | −3.0 % (−4.0 to −2.0) |
    | sync read | p99 | 310.0 us | 319.3 us | +3.0 % (+2.0 to +4.0) |
    | sync read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |
    | job a\|b\\u{1b}\[31m &lt;b&gt;\`&#64;x\` read | iops | 412.3 k/s | 461.8 k/s | +12 % (+11 to +13) |
    | job a\|b\\u{1b}\[31m &lt;b&gt;\`&#64;x\` read | bandwidth | 1.573 GiB/s | 1.762 GiB/s | +12 % (+11 to +13) |
    | job a\|b\\u{1b}\[31m &lt;b&gt;\`&#64;x\` read | p99 | 310.0 us | 272.8 us | −12 % (−13 to −11) |
    | job a\|b\\u{1b}\[31m &lt;b&gt;\`&#64;x\` read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |
    | uring:sqpoll read | iops | 412.3 k/s | 412.8 k/s | +0.1 % (−0.9 to +1.1) |
    | uring:sqpoll read | bandwidth | 1.573 GiB/s | 1.575 GiB/s | +0.1 % (−0.9 to +1.1) |
    | uring:sqpoll read | p99 | 310.0 us | 309.7 us | −0.1 % (−1.1 to +0.9) |
    | uring:sqpoll read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |
    | uring:x read | iops | 412.3 k/s | 413.2 k/s | +0.2 % (−0.8 to +1.2) |
    | uring:x read | bandwidth | 1.573 GiB/s | 1.576 GiB/s | +0.2 % (−0.8 to +1.2) |
    | uring:x read | p99 | 310.0 us | 309.4 us | −0.2 % (−1.2 to +0.8) |
    | uring:x read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |
    | libaio read | iops | 412.3 k/s | 414.0 k/s | +0.4 % (−0.6 to +1.4) |
    | libaio read | bandwidth | 1.573 GiB/s | 1.579 GiB/s | +0.4 % (−0.6 to +1.4) |
    | libaio read | p99 | 310.0 us | 308.8 us | −0.4 % (−1.4 to +0.6) |
    | libaio read | calls | 0.0312 | 0.0312 | 0 % (−1.0 to +1.0) |

    </details>
    ");
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
    use Outcome::{CannotTell, Faster, NotEnoughRounds, Regression};
    let of = |outcomes: &[Outcome]| {
        let entry = |outcome: &Outcome| entry(name(None, "x"), 0.0, Finding::CannotTell, *outcome);
        heading(&Difference { entries: outcomes.iter().map(entry).collect(), ..difference() })
    };
    assert_eq!(of(&[Faster]), "no regression");
    assert_eq!(of(&[CannotTell, NotEnoughRounds]), "cannot tell");
    assert_eq!(of(&[CannotTell, Faster, Faster]), "no regression, and 1 of 3 cannot tell");
    assert_eq!(of(&[Regression, Faster]), "a regression");
    assert_eq!(of(&[Regression, Regression]), "2 regressions");
}
