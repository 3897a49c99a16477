//! Sentences, word for word.

use aio_core::plan::{Blocks, Phase};

use super::*;
use crate::render::sample;

fn found(finding: Finding, change: f64, low: f64, high: f64) -> Verdict {
    Verdict { finding, change: Some(change), low: Some(low), high: Some(high) }
}

#[test]
fn a_difference_has_its_size_and_its_interval() {
    let of = |finding, metric, [change, low, high]: [f64; 3]| {
        verdict(&found(finding, change, low, high), metric, true)
    };
    let better = |numbers| of(Finding::Better, Metric::Iops, numbers);
    assert_eq!(better([0.12, 0.09, 0.15]), "faster by 12 % (9–15)");
    assert_eq!(better([0.0123, 0.0112, 0.0134]), "faster by 1.2 % (1.1–1.3)");
    assert_eq!(better([0.004, 0.0002, 0.008]), "faster by 0.40 % (0.02–0.80)");
    assert_eq!(better([1.832, 1.8319, 1.8321]), "faster by 183 %", "both ends read the same");
    let worse = |metric, numbers| of(Finding::Worse, metric, numbers);
    assert_eq!(worse(Metric::Bandwidth, [-0.05, -0.07, -0.03]), "slower by 5 % (3–7)");
    assert_eq!(worse(Metric::P99, [0.05, 0.03, 0.07]), "higher by 5 % (3–7)");
    assert_eq!(of(Finding::Better, Metric::Cpu, [-0.5, -0.6, -0.4]), "lower by 50 % (40–60)");
}

#[test]
fn no_difference_says_how_large_one_may_have_been_missed() {
    let of = |low, high| verdict(&found(Finding::NoDifference, 0.0, low, high), Metric::Iops, true);
    assert_eq!(of(-0.021, 0.01), "no difference larger than 3 % seen");
    assert_eq!(of(-0.003, 0.004), "no difference larger than 0.4 % seen");
    assert_eq!(of(0.0, 0.0), "no difference seen");
}

#[test]
fn too_few_rounds_and_too_much_noise_are_told_apart() {
    let noisy = found(Finding::CannotTell, 0.02, -0.14, 0.22);
    let said = |has_rounds| verdict(&noisy, Metric::Iops, has_rounds);
    assert_eq!(said(true), "too noisy to tell (−14 to +22 %)");
    assert_eq!(said(false), "not enough rounds to tell");
    let small = found(Finding::CannotTell, 0.02, -0.0004, 0.052);
    assert_eq!(verdict(&small, Metric::Iops, true), "too noisy to tell (0.0 to +5.2 %)");
    let none = Verdict { change: None, low: None, high: None, ..noisy };
    assert_eq!(verdict(&none, Metric::Iops, true), "not enough rounds to tell");
}

#[test]
fn a_workload_leaves_out_what_is_swept() {
    let plan = sample::blocks().plan;
    let swept = Setting { flag: "block-size".into(), value: "4k".into() };
    let of = |point: &[Setting]| workload(&plan, Direction::Read, point);
    assert_eq!(of(&[]), "random reads of 4 KiB");
    assert_eq!(of(&[swept]), "random reads");
    let mut mixed = plan.clone();
    let blocks = Blocks { read_percent: Some(70), ..Blocks::new(Pattern::Sequential) };
    mixed.phases[0].access = Access::Blocks(blocks);
    assert_eq!(workload(&mixed, Direction::Write, &[]), "sequential writes of a mix, of 4 KiB");
    mixed.phases = vec![Phase::of_tensors(Direction::Read, Vec::new())];
    assert_eq!(workload(&mixed, Direction::Read, &[]), "reads of tensors in blocks of 4 KiB");
}

#[test]
fn values_have_their_units_and_ratios_three_digits() {
    let values = [
        value(Metric::Iops, 101_234.0),
        value(Metric::Bandwidth, 1.5),
        value(Metric::P99, 80_000.0),
        value(Metric::P999, 1.25e6),
        value(Metric::Cpu, 4000.0),
        value(Metric::Calls, 2.0),
    ];
    insta::assert_snapshot!(values.join("\n"), @r"
    101.2 k IOPS
    1.500 GiB/s
    p99 80.00 us
    p99.9 1.250 ms
    4.000 us of CPU per request
    2.000 calls per request
    ");
    assert_eq!(
        [123.4, 12.34, 1.234, 0.1234, 0.01234].map(ratio),
        ["123", "12.3", "1.23", "0.12", "0.0123"]
    );
    let times = [0.0, 5.25, 40.4, 200.0, 3900.0].map(time);
    assert_eq!(times, ["0 s", "5.2 s", "40 s", "3 min 20 s", "1 h 5 min"]);
}

#[test]
fn standings_name_the_direction_where_there_are_several() {
    let mut comparison = sample::contest();
    assert_eq!(standing(&comparison), "so far libaio 0.99 of uring, sync 0.80 of uring");
    for round in comparison.contestants.iter_mut().flat_map(|one| &mut one.rounds) {
        let write = aio_core::report::Measures { direction: Direction::Write, ..round.measures[0] };
        round.measures.push(write);
    }
    comparison.judge();
    assert!(standing(&comparison).contains("sync read 0.80 of uring, sync write 0.80 of uring"));
    comparison.contestants.iter_mut().for_each(|one| one.rounds.clear());
    comparison.judge();
    assert_eq!(standing(&comparison), "");
}
