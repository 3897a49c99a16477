//! What a stranger sees.

use super::*;
use crate::render::sample;
use crate::render::wrap::PAGE_COLUMNS;

fn rendered(comparison: &Comparison, format: Format) -> String {
    let mut out = Vec::new();
    write(comparison, format, Ink::Blocks, &mut out).expect("a Vec takes all");
    let text = String::from_utf8(out).expect("comparisons are UTF-8");
    let is_narrow = |line: &str| line.chars().count() <= PAGE_COLUMNS;
    assert!(format != Format::Text || text.lines().all(is_narrow), "{text}");
    text
}

#[test]
fn show() {
    eprintln!("{}", rendered(&sample::contest(), Format::Text));
    eprintln!("{}", rendered(&sample::sweep(), Format::Text));
    eprintln!("{}", rendered(&ladder(), Format::Text));
    eprintln!("{}", rendered(&scale(), Format::Text));
    let mut by_p99 = sample::contest();
    by_p99.metric = aio_core::report::Metric::P99;
    by_p99.judge();
    eprintln!("{}", rendered(&by_p99, Format::Text));
    let mut both = sample::contest();
    for one in &mut both.contestants {
        for round in &mut one.rounds {
            let read = round.measures[0];
            round.measures.push(aio_core::report::Measures {
                direction: aio_core::plan::Direction::Write,
                requests_per_s: read
                    .requests_per_s
                    .map(|rate| rate * (1.0 + f64::from(round.index % 3) / 7.0)),
                p99_ns: Some(12_000_000.0),
                ..read
            });
        }
        one.name = one.name.replace("libaio", "uring:sqpoll:fixed-buffers=off");
    }
    both.judge();
    eprintln!("{}", rendered(&both, Format::Text));
    for rounds in [0, 3, 7] {
        let mut few = sample::contest();
        for one in &mut few.contestants {
            one.rounds.truncate(rounds);
        }
        few.status = aio_core::report::Status::Interrupted;
        few.contestants[1].rounds.truncate(2);
        few.judge();
        eprintln!("{}", rendered(&few, Format::Text));
    }
}

/// Three steps, each 5 % faster than the one before but the last.
fn ladder() -> Comparison {
    let mut comparison = sample::contest();
    comparison.layout = aio_core::report::Layout::Ladder;
    let names = ["plain", "+batch", "+sqpoll (without defer-taskrun)"];
    for (index, name) in names.into_iter().enumerate() {
        comparison.contestants[index].name = name.into();
        comparison.contestants[index].baseline = index.checked_sub(1);
    }
    comparison.judge();
    comparison
}

/// One engine with 1, 8 and 32 threads.
fn scale() -> Comparison {
    let mut comparison = sample::sweep();
    comparison.layout = aio_core::report::Layout::Scale;
    comparison.contestants.retain(|one| one.engine == "uring");
    for (index, one) in comparison.contestants.iter_mut().enumerate() {
        one.name = one.name.replace("queue-depth", "threads");
        one.point[0].flag = "threads".into();
        one.baseline = (index > 0).then_some(0);
    }
    comparison.judge();
    comparison
}
