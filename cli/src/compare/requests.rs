//! Whether contestants were given the same requests.

use aio_core::plan::Plan;
use aio_core::report::{DirectionReport, EngineReport, RequestsCheck};

/// Whether two plans ask for the same requests, whatever else they differ in: files may have other
/// names, and queues other depths.
pub(super) fn asks_for_the_same(one: &Plan, other: &Plan) -> bool {
    let shape = |plan: &Plan| {
        let of_phase = |phase: &aio_core::plan::Phase| {
            let groups = phase.tensors.iter();
            let groups = groups.map(|group| (group.tasklets, group.sizes_bytes.clone()));
            (phase.direction, phase.access.clone(), groups.collect::<Vec<_>>())
        };
        let phases: Vec<_> = plan.phases.iter().map(of_phase).collect();
        let loops = (plan.loops, plan.warmup_loops, plan.different_file_each_iteration);
        (phases, plan.block_size_bytes, plan.lanes, plan.seed, plan.concurrent, loops)
    };
    shape(one) == shape(other)
}

/// Holds `run` against `reference`, which had the same plan as far as requests go, and counts what
/// they have in common. `names` are theirs.
pub(super) fn compare(
    reference: &EngineReport,
    run: &EngineReport,
    names: [&str; 2],
    check: &mut RequestsCheck,
) {
    for one in &run.directions {
        let same = |other: &&DirectionReport| other.direction == one.direction;
        let Some(first) = reference.directions.iter().find(same) else { continue };
        let common = if one.access.is_ended_by_time() {
            first.common_requests(one)
        } else {
            (first.fingerprint == one.fingerprint).then_some((one.requests, one.requests))
        };
        check.runs_compared += 1;
        let Some((common, fewest)) = common else {
            let [first_name, name] = names;
            let sentence = format!(
                "{first_name} and {name} were not given the same {} requests: their fingerprints \
                 are {} and {}",
                one.direction, first.fingerprint, one.fingerprint
            );
            check.mismatch.get_or_insert(sentence);
            continue;
        };
        check.common_requests += common;
        check.fewest_requests += fewest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    fn check(reference: &EngineReport, run: &EngineReport) -> RequestsCheck {
        let mut check = RequestsCheck::default();
        compare(reference, run, ["uring", "sync"], &mut check);
        check
    }

    #[test]
    fn runs_that_requests_end_must_have_equal_fingerprints() {
        let report = sample::comparison();
        let found = check(&report.engines[0], &report.engines[1]);
        assert_eq!((found.runs_compared, found.mismatch), (2, None));
        assert_eq!(found.common_requests, found.fewest_requests);
        let mut other = report.engines[1].clone();
        other.directions[0].fingerprint = "f".into();
        let found = check(&report.engines[0], &other).mismatch.expect("they differ");
        assert!(found.starts_with("uring and sync were not given the same write requests"));
    }

    #[test]
    fn runs_that_time_ends_agree_up_to_a_checkpoint() {
        let mut report = sample::blocks();
        let found = check(&report.engines[0], &report.engines[1]);
        assert_eq!((found.mismatch, found.fewest_requests), (None, 900));
        assert!(found.common_requests > 800 && found.common_requests <= 900);
        report.engines[1].directions[0].lane_prints = vec![vec![sample::print(900, 7)]];
        assert!(check(&report.engines[0], &report.engines[1]).mismatch.is_some());
    }

    #[test]
    fn plans_that_ask_for_other_requests_are_told_from_those_that_do_not() {
        let plan = sample::blocks().plan;
        let deeper = Plan { queue_depth: plan.queue_depth + 1, buffered: true, ..plan.clone() };
        assert!(asks_for_the_same(&plan, &deeper));
        let larger = Plan { block_size_bytes: 2 * plan.block_size_bytes, ..plan.clone() };
        assert!(!asks_for_the_same(&plan, &larger));
    }
}
