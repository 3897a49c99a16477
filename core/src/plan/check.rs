//! Refuses plans that contradict themselves, before anything is looked at.

use thiserror::Error;

use super::blocks::check_blocks;
use super::{Access, Direction, Origin, Phase, Plan, TensorGroup};

/// The largest block: what one registered buffer may cover.
pub const BLOCK_BYTES_MAX: u64 = 1 << 30;
/// The largest tensor: what a file offset can reach.
const TENSOR_BYTES_MAX: u64 = i64::MAX as u64;
/// The most blocks of a range: what can be told apart in a number of 53 bits.
const RANGE_BLOCKS_MAX: u64 = 1 << 52;
/// The shortest interval of a series: a lane looks at all its latencies when one ends.
const INTERVAL_NS_MIN: u64 = 10_000_000;
/// The most tasklets in a run.
const TASKLETS_MAX: u32 = 4096;

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

pub(super) fn within(
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
    if let Some(interval_ns) = plan.interval_ns.filter(|given| *given < INTERVAL_NS_MIN) {
        let value = format!("{} ms", interval_ns / 1_000_000);
        let accepted = "give 10ms or more".into();
        return Err(PlanError::OutOfRange { option: "interval", value, accepted });
    }
    within("batch-complete", plan.batch.complete.into(), 1..=plan.queue_depth.into())?;
    if let Some(submit) = plan.batch.submit {
        within("batch-submit", submit.into(), 1..=plan.queue_depth.into())?;
    }
    if plan.drop_cache && !plan.buffered {
        return Err(PlanError::Conflict(
            "--drop-cache needs --buffered; direct I/O does not go through the page cache".into(),
        ));
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
        match &phase.access {
            Access::Blocks(blocks) => check_blocks(plan, phase, blocks)?,
            Access::Tensor if matches!(phase.direction, Direction::Mixed | Direction::Trim) => {
                let what =
                    format!("--rw {} needs --file; a tensor is read or written", phase.direction);
                return Err(PlanError::Conflict(what));
            }
            Access::Tensor => {}
        }
        for group in &phase.tensors {
            check_group(plan, phase, group)?;
        }
    }
    Ok(())
}

fn check_group(plan: &Plan, phase: &Phase, group: &TensorGroup) -> Result<(), PlanError> {
    let option = match (&phase.access, phase.direction, group.origin) {
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
        lanes_have_blocks(plan, &phase.access, *size)?;
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
    access: &Access,
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
    if blocks > RANGE_BLOCKS_MAX && matches!(access, Access::Blocks(_)) {
        return Err(PlanError::Conflict(format!(
            "the range of {size_bytes} bytes has more than 2^52 blocks of {block_bytes} bytes; give \
             a larger --block-size"
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
pub(super) mod tests {
    use super::super::PathTemplate;
    use super::*;

    /// One that is accepted: two tensors to write.
    pub(in crate::plan) fn plan() -> Plan {
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
}
