//! Which engine was fastest, and whether that means anything.

use aio_core::plan::Direction;
use aio_core::report::{DirectionReport, Report};

use crate::render::{counting_speeds, has_rate};

/// A sentence per direction, and one on what to think of them. None for fewer than two engines.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let directions = [Direction::Write, Direction::Read];
    let mut sentences: Vec<_> =
        directions.into_iter().filter_map(|direction| sentence(report, direction)).collect();
    if !sentences.is_empty() {
        sentences.push("Differences below the spread of the loops are noise.".into());
    }
    sentences
}

fn sentence(report: &Report, direction: Direction) -> Option<String> {
    let mut ranked: Vec<(&str, &DirectionReport)> = report
        .engines
        .iter()
        .flat_map(|engine| engine.directions.iter().map(|one| (engine.engine.as_str(), one)))
        .filter(|(_, one)| one.direction == direction && has_rate(one))
        .collect();
    ranked.sort_by(|(_, a), (_, b)| b.e2e_speed_gib_per_s.total_cmp(&a.e2e_speed_gib_per_s));
    let ((name, fastest), others) = ranked.split_first()?;
    if others.is_empty() {
        return None;
    }
    let other = |(name, one): &(&str, &DirectionReport)| {
        let ratio = one.e2e_speed_gib_per_s / fastest.e2e_speed_gib_per_s;
        let noise = if overlap(fastest, one) { ", within the spread" } else { "" };
        format!("{name} {ratio:.2} times that{noise}")
    };
    let others: Vec<_> = others.iter().map(other).collect();
    let speed = fastest.e2e_speed_gib_per_s;
    Some(format!("Fastest {direction}: {name} {speed:.2} GiB/s; {}.", others.join("; ")))
}

/// Whether a loop of the slower one was as fast as a loop of the faster one.
fn overlap(fast: &DirectionReport, slow: &DirectionReport) -> bool {
    match (counting_speeds(fast), counting_speeds(slow)) {
        (Some((slowest, _)), Some((_, fastest))) => slowest <= fastest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn the_fastest_is_named_with_the_others_relative_to_it() {
        insta::assert_snapshot!(sentences(&sample::comparison()).join("\n"), @r"
        Fastest write: uring 1.98 GiB/s; sync 0.80 times that, within the spread.
        Fastest read: uring 3.96 GiB/s; sync 0.80 times that.
        Differences below the spread of the loops are noise.
        ");
    }

    #[test]
    fn one_engine_is_no_comparison() {
        assert_eq!(sentences(&sample::one_engine()), [""; 0]);
    }
}
