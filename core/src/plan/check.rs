//! Refuses plans that contradict themselves, before anything is looked at.

use thiserror::Error;

use super::{Access, Blocks, Direction, Origin, Phase, Plan, TensorGroup};

/// The largest block: what one registered buffer may cover.
pub const BLOCK_BYTES_MAX: u64 = 1 << 30;
/// The largest tensor: what a file offset can reach.
const TENSOR_BYTES_MAX: u64 = i64::MAX as u64;
/// The most tasklets in a run.
const TASKLETS_MAX: u32 = 4096;
/// The most bytes that the requests of a tasklet may move in one loop, when their number is given:
/// 1 PiB, so that sums over all tasklets stay far from where 64 bits end.
const REQUESTS_BYTES_MAX: u64 = 1 << 50;
/// The longest time of a loop: a year.
pub const RUNTIME_NS_MAX: u64 = 365 * 24 * 3600 * 1_000_000_000;

/// A plan that cannot be run anywhere. Options are named as on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A number is out of range.
    #[error("--{option} {value} is out of range; {accepted}")]
    OutOfRange {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What is accepted.
        accepted: String,
    },
    /// Options exclude each other, or one needs another.
    #[error("{0}")]
    Conflict(String),
}

fn within(
    option: &'static str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), PlanError> {
    if range.contains(&value) {
        return Ok(());
    }
    let accepted = format!("give a value from {} to {}", range.start(), range.end());
    Err(PlanError::OutOfRange { option, value: value.to_string(), accepted })
}

/// Refuses a plan that contradicts itself.
///
/// # Errors
/// The first contradiction, as one sentence that names the option.
pub fn check(plan: &Plan) -> Result<(), PlanError> {
    within("block-size", plan.block_size_bytes, 1..=BLOCK_BYTES_MAX)?;
    within("queue-depth", plan.queue_depth.into(), 1..=u32::MAX.into())?;
    within("io-parallel", plan.lanes.into(), 1..=1024)?;
    within("loops", plan.loops.into(), 1..=1_000_000)?;
    within("warmup-loops", plan.warmup_loops.into(), 0..=1_000_000)?;
    within("batch-complete", plan.batch.complete.into(), 1..=plan.queue_depth.into())?;
    if let Some(submit) = plan.batch.submit {
        within("batch-submit", submit.into(), 1..=plan.queue_depth.into())?;
    }
    if plan.phases.is_empty() {
        return Err(PlanError::Conflict("there is nothing to read or write".into()));
    }
    if plan.concurrent && plan.phases.len() < 2 {
        return Err(PlanError::Conflict(
            "--concurrent needs something to read and something to write".into(),
        ));
    }
    for phase in &plan.phases {
        let tasklets: u64 = phase.tensors.iter().map(|group| u64::from(group.tasklets)).sum();
        within("threads", tasklets, 1..=TASKLETS_MAX.into())?;
        if let Access::Blocks(blocks) = phase.access {
            check_blocks(plan, phase, blocks)?;
        }
        for group in &phase.tensors {
            check_group(plan, phase, group)?;
        }
    }
    Ok(())
}

/// Refuses what blocks cannot be combined with, and ends of a loop that make no sense.
fn check_blocks(plan: &Plan, phase: &Phase, blocks: Blocks) -> Result<(), PlanError> {
    let unfit = [
        (plan.validate, "--validate cannot be used with --file: blocks are not checked yet"),
        (plan.concurrent, "--concurrent cannot be used with --file, which goes one way"),
        (
            plan.different_file_each_iteration,
            "--different-file-each-iteration cannot be used with --file, which is the same in all \
             loops",
        ),
        (
            phase.tensors.iter().any(|group| group.sizes_bytes.len() > 1),
            "--size takes one size, which holds for all threads",
        ),
    ];
    if let Some((_, why)) = unfit.iter().find(|(found, _)| *found) {
        return Err(PlanError::Conflict((*why).into()));
    }
    if let Some(requests) = blocks.requests {
        within("number-ios", requests, 1..=REQUESTS_BYTES_MAX / plan.block_size_bytes)?;
        if u64::from(plan.lanes) > requests {
            return Err(PlanError::OutOfRange {
                option: "io-parallel",
                value: plan.lanes.to_string(),
                accepted: format!(
                    "--number-ios {requests} is split over the lanes, and each needs a request; use \
                     fewer lanes or a larger --number-ios"
                ),
            });
        }
    }
    match blocks.runtime_ns {
        Some(ns) if !(1..=RUNTIME_NS_MAX).contains(&ns) => Err(PlanError::OutOfRange {
            option: "runtime",
            value: format!("{ns}ns"),
            accepted: "give a time from 1ns to 365d".into(),
        }),
        _ => Ok(()),
    }
}

fn check_group(plan: &Plan, phase: &Phase, group: &TensorGroup) -> Result<(), PlanError> {
    let option = match (phase.access, phase.direction, group.origin) {
        (Access::Blocks(_), ..) => "size",
        (Access::Tensor, Direction::Write, Origin::Made) => "write-size",
        _ => "io-size",
    };
    if group.sizes_bytes.len() > group.tasklets as usize {
        return Err(PlanError::Conflict(format!(
            "{} sizes are given for {} tasklets; give at most one size per tasklet",
            group.sizes_bytes.len(),
            group.tasklets
        )));
    }
    if group.origin == Origin::Made && group.sizes_bytes.is_empty() {
        return Err(PlanError::Conflict(format!(
            "{} is to be made, but no size is given; add --{option}",
            group.path
        )));
    }
    for size in &group.sizes_bytes {
        within(option, *size, 1..=TENSOR_BYTES_MAX)?;
        lanes_have_blocks(plan, phase.access, *size)?;
    }
    if plan.different_file_each_iteration && !group.path.has("loop") {
        return Err(PlanError::Conflict(format!(
            "--different-file-each-iteration needs {{loop}} in the path {}",
            group.path
        )));
    }
    Ok(())
}

/// Refuses more lanes than a tensor or range of `size_bytes` has blocks. The tail of a tensor is a
/// block, that of a range is left out.
pub(crate) fn lanes_have_blocks(
    plan: &Plan,
    access: Access,
    size_bytes: u64,
) -> Result<(), PlanError> {
    let block_bytes = plan.block_size_bytes;
    let (noun, blocks) = match access {
        Access::Tensor => ("tensor", size_bytes.div_ceil(block_bytes)),
        Access::Blocks(_) => ("range", size_bytes / block_bytes),
    };
    if blocks == 0 {
        return Err(PlanError::Conflict(format!(
            "the range of {size_bytes} bytes has no whole block of {block_bytes} bytes; give a \
             larger --size or a smaller --block-size"
        )));
    }
    if u64::from(plan.lanes) <= blocks {
        return Ok(());
    }
    Err(PlanError::OutOfRange {
        option: "io-parallel",
        value: plan.lanes.to_string(),
        accepted: format!(
            "a {noun} of {size_bytes} bytes has {blocks} block(s) of {block_bytes} bytes, and each \
             lane needs one; use fewer lanes or a smaller --block-size"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{PathTemplate, Pattern};
    use super::*;

    fn plan() -> Plan {
        let group = TensorGroup {
            path: PathTemplate::new("f.{tid}"),
            tasklets: 2,
            sizes_bytes: vec![1 << 20],
            origin: Origin::Made,
        };
        Plan::tensor_swap(vec![Phase::of_tensors(Direction::Write, vec![group])])
    }

    fn refusal(change: impl FnOnce(&mut Plan)) -> String {
        let mut plan = plan();
        change(&mut plan);
        check(&plan).expect_err("a contradiction").to_string()
    }

    #[test]
    fn the_defaults_are_accepted() {
        assert_eq!(check(&plan()), Ok(()));
    }

    #[test]
    fn each_number_out_of_range_is_named_with_its_value_and_what_is_accepted() {
        let text = refusal(|plan| plan.block_size_bytes = 0);
        assert_eq!(text, "--block-size 0 is out of range; give a value from 1 to 1073741824");
        assert!(refusal(|plan| plan.block_size_bytes = (1 << 30) + 1).contains("--block-size"));
        assert!(refusal(|plan| plan.loops = 0).contains("--loops 0"));
        assert!(refusal(|plan| plan.queue_depth = 0).contains("--queue-depth 0"));
        assert!(refusal(|plan| plan.batch.complete = 33).contains("--batch-complete 33"));
        assert!(refusal(|plan| plan.batch.submit = Some(0)).contains("--batch-submit 0"));
        let none = refusal(|plan| plan.phases[0].tensors[0].tasklets = 0);
        assert!(none.contains("--threads 0"), "{none}");
        assert!(refusal(|plan| plan.phases[0].tensors[0].sizes_bytes = vec![0]).contains("size 0"));
        assert!(
            refusal(|plan| plan.phases[0].tensors[0].sizes_bytes = vec![1 << 63]).contains("9223")
        );
    }

    #[test]
    fn more_lanes_than_blocks_are_refused() {
        let text = refusal(|plan| plan.lanes = 2);
        assert!(text.starts_with("--io-parallel 2 is out of range"), "{text}");
        assert!(text.contains("1 block(s)"), "{text}");
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(refusal(|plan| plan.phases.clear()).contains("nothing"));
        assert!(refusal(|plan| plan.concurrent = true).contains("--concurrent"));
        assert!(refusal(|plan| plan.different_file_each_iteration = true).contains("{loop}"));
        let many = |plan: &mut Plan| plan.phases[0].tensors[0].sizes_bytes = vec![1 << 20; 3];
        assert!(refusal(many).contains("3 sizes are given for 2 tasklets"));
        let none = |plan: &mut Plan| plan.phases[0].tensors[0].sizes_bytes.clear();
        assert!(refusal(none).contains("--write-size"));
    }

    fn refusal_of_blocks(change: impl FnOnce(&mut Plan, &mut Blocks)) -> String {
        let mut blocks = Blocks {
            pattern: Pattern::Random,
            requests: Some(1000),
            runtime_ns: Some(1_000_000_000),
        };
        let mut plan = plan();
        plan.phases[0].access = Access::Blocks(blocks);
        assert_eq!(check(&plan), Ok(()));
        change(&mut plan, &mut blocks);
        plan.phases[0].access = Access::Blocks(blocks);
        check(&plan).expect_err("a contradiction").to_string()
    }

    #[test]
    fn blocks_that_would_never_begin_or_never_end_are_refused() {
        let none = refusal_of_blocks(|_, blocks| blocks.requests = Some(0));
        assert!(
            none.starts_with("--number-ios 0 is out of range; give a value from 1 to"),
            "{none}"
        );
        let none = refusal_of_blocks(|_, blocks| blocks.runtime_ns = Some(0));
        assert_eq!(none, "--runtime 0ns is out of range; give a time from 1ns to 365d");
        let long = refusal_of_blocks(|_, blocks| blocks.runtime_ns = Some(RUNTIME_NS_MAX + 1));
        assert!(long.starts_with("--runtime"), "{long}");
        let many = refusal_of_blocks(|_, blocks| blocks.requests = Some(u64::MAX));
        assert!(many.starts_with("--number-ios"), "{many}");
    }

    #[test]
    fn a_range_without_a_whole_block_or_with_fewer_than_lanes_is_refused() {
        let none = refusal_of_blocks(|plan, _| {
            plan.phases[0].tensors[0].sizes_bytes = vec![(1 << 20) - 1];
        });
        assert!(none.contains("1048575 bytes has no whole block of 1048576 bytes"), "{none}");
        let few = refusal_of_blocks(|plan, _| {
            plan.lanes = 2;
            plan.phases[0].tensors[0].sizes_bytes = vec![(2 << 20) - 1];
        });
        assert!(few.starts_with("--io-parallel 2 is out of range; a range of 2097151"), "{few}");
        let few = refusal_of_blocks(|plan, blocks| {
            plan.lanes = 2;
            plan.phases[0].tensors[0].sizes_bytes = vec![2 << 20];
            blocks.requests = Some(1);
        });
        assert!(few.contains("--number-ios 1 is split over the lanes"), "{few}");
    }

    #[test]
    fn what_blocks_cannot_be_combined_with_is_named() {
        for (change, flag) in [
            ((|plan| plan.validate = true) as fn(&mut Plan), "--validate"),
            (|plan| plan.different_file_each_iteration = true, "--different-file-each-iteration"),
            (|plan| plan.phases[0].tensors[0].sizes_bytes = vec![1 << 20; 2], "--size"),
            (
                |plan| {
                    plan.phases.push(plan.phases[0].clone());
                    plan.concurrent = true;
                },
                "--concurrent",
            ),
        ] {
            let text = refusal_of_blocks(|plan, _| change(plan));
            assert!(text.starts_with(flag), "{text}");
        }
    }
}
