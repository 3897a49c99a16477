//! Refuses phases of blocks that contradict themselves, before anything is looked at.

use super::check::{BLOCK_BYTES_MAX, PlanError, within};
use super::verify::check_verify;
use super::{Blocks, Direction, Distribution, Order, Pattern, Phase, Plan};

/// The most bytes that the requests of a tasklet may move in one loop, when their number is given:
/// 1 PiB, so that sums over all tasklets stay far from where 64 bits end.
const REQUESTS_BYTES_MAX: u64 = 1 << 50;
/// The longest time of a loop: a year.
pub const RUNTIME_NS_MAX: u64 = 365 * 24 * 3600 * 1_000_000_000;
/// The furthest that a file reaches.
const END_BYTES_MAX: u64 = i64::MAX as u64;
/// The most requests per second that are scheduled: one per nanosecond.
const RATE_PER_S_MAX: f64 = 1e9;
/// The most sizes of requests.
const SIZES_MAX: usize = 64;

fn conflict(what: impl Into<String>) -> PlanError {
    PlanError::Conflict(what.into())
}

fn out_of_range(option: &'static str, value: impl std::fmt::Display, accepted: &str) -> PlanError {
    let (value, accepted) = (value.to_string(), accepted.into());
    PlanError::OutOfRange { option, value, accepted }
}

/// Refuses what blocks cannot be combined with, and numbers that make no sense.
pub(super) fn check_blocks(plan: &Plan, phase: &Phase, blocks: &Blocks) -> Result<(), PlanError> {
    refuse_unfit(plan, phase, blocks)?;
    check_ends(plan, blocks)?;
    check_range(phase, blocks)?;
    check_order(phase, blocks)?;
    check_sizes(plan, blocks)?;
    check_verify(plan, phase, blocks)?;
    within("compress-percentage", blocks.compress_percent.into(), 0..=100)?;
    match blocks.rate {
        Some(rate) if !(rate.per_s > 0.0 && rate.per_s <= RATE_PER_S_MAX) => {
            Err(out_of_range("rate-iops", rate.per_s, "give more than 0 and at most 1e9"))
        }
        _ => Ok(()),
    }
}

fn refuse_unfit(plan: &Plan, phase: &Phase, blocks: &Blocks) -> Result<(), PlanError> {
    let writes = phase.direction.writes_data();
    let unfit = [
        (plan.validate, "--validate cannot be used with --file; --verify checks blocks"),
        (plan.concurrent, "--concurrent cannot be used with --file; --rw rw reads and writes"),
        (
            plan.different_file_each_iteration,
            "--different-file-each-iteration cannot be used with --file, which is the same in all \
             loops",
        ),
        (
            phase.tensors.iter().any(|group| group.sizes_bytes.len() > 1),
            "--size takes one size, which holds for all threads",
        ),
        (
            blocks.flush.is_some() && !writes,
            "--fsync and --fdatasync need writes; give --rw write, randwrite, rw or randrw",
        ),
        (
            blocks.rate.is_some() && plan.order == Order::Sequential,
            "--sequential-requests cannot be used with --rate-iops, which says when requests start",
        ),
        (
            blocks.end_fsync && !writes,
            "--end-fsync needs writes; give --rw write, randwrite, rw or randrw",
        ),
        (
            blocks.compress_percent > 0 && !writes,
            "--compress-percentage is about data that is written; give --rw write, randwrite, rw \
             or randrw",
        ),
    ];
    unfit.iter().find(|(found, _)| *found).map_or(Ok(()), |(_, why)| Err(conflict(*why)))
}

/// What ends a loop.
fn check_ends(plan: &Plan, blocks: &Blocks) -> Result<(), PlanError> {
    let lanes = u64::from(plan.lanes);
    if let Some(requests) = blocks.requests {
        within("number-ios", requests, 1..=REQUESTS_BYTES_MAX / plan.block_size_bytes)?;
        if lanes > requests {
            let accepted = format!(
                "--number-ios {requests} is split over the lanes, and each needs a request; use \
                 fewer lanes or a larger --number-ios"
            );
            return Err(out_of_range("io-parallel", lanes, &accepted));
        }
    }
    if let Some(bytes) = blocks.io_limit_bytes {
        within("io-limit", bytes, 1..=REQUESTS_BYTES_MAX)?;
        if lanes > bytes.div_ceil(plan.block_size_bytes) {
            let accepted = format!(
                "--io-limit {bytes} is split over the lanes, and each needs a block; use fewer \
                 lanes or a larger --io-limit"
            );
            return Err(out_of_range("io-parallel", lanes, &accepted));
        }
    }
    for (option, ns) in [("runtime", blocks.runtime_ns), ("ramp-time", blocks.ramp_ns)] {
        if let Some(ns) = ns.filter(|ns| !(1..=RUNTIME_NS_MAX).contains(ns)) {
            return Err(out_of_range(option, format!("{ns}ns"), "give a time from 1ns to 365d"));
        }
    }
    if blocks.ramp_ns.is_some() && plan.warmup_loops == 0 {
        return Err(conflict("--ramp-time is how long a warm-up loop takes; --warmup-loops is 0"));
    }
    Ok(())
}

fn check_range(phase: &Phase, blocks: &Blocks) -> Result<(), PlanError> {
    for size in phase.tensors.iter().flat_map(|group| &group.sizes_bytes) {
        if blocks.offset_bytes > END_BYTES_MAX - (*size).min(END_BYTES_MAX) {
            let accepted = format!("with --size {size} it must lie below 2^63 bytes");
            return Err(out_of_range("offset", blocks.offset_bytes, &accepted));
        }
    }
    within("offset", blocks.offset_bytes, 0..=END_BYTES_MAX)
}

fn check_order(phase: &Phase, blocks: &Blocks) -> Result<(), PlanError> {
    if let Some(percent) = blocks.read_percent {
        within("rwmixread", percent.into(), 0..=100)?;
        if phase.direction != Direction::Mixed {
            return Err(conflict("--rwmixread needs --rw rw or randrw"));
        }
    }
    let number = match blocks.distribution {
        Distribution::Uniform => return Ok(()),
        Distribution::Zipf { theta: number }
        | Distribution::Pareto { h: number }
        | Distribution::Normal { sigma_percent: number } => number,
    };
    let checked = blocks.distribution.check();
    checked.map_err(|accepted| out_of_range("random-distribution", number, accepted))?;
    if blocks.pattern == Pattern::Sequential {
        return Err(conflict("--random-distribution needs --rw randread, randwrite or randrw"));
    }
    Ok(())
}

fn check_sizes(plan: &Plan, blocks: &Blocks) -> Result<(), PlanError> {
    if blocks.sizes.is_empty() {
        return Ok(());
    }
    within("bssplit", blocks.sizes.len() as u64, 1..=SIZES_MAX as u64)?;
    for share in &blocks.sizes {
        within("bssplit", share.bytes.into(), 1..=BLOCK_BYTES_MAX)?;
    }
    let percents: u64 = blocks.sizes.iter().map(|share| u64::from(share.percent)).sum();
    if percents != 100 {
        return Err(conflict(format!("the shares of --bssplit come to {percents} %, not to 100")));
    }
    let largest = blocks.sizes.iter().map(|share| u64::from(share.bytes)).max();
    if largest != Some(plan.block_size_bytes) {
        return Err(conflict("the block size is the largest of --bssplit"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::plan;
    use super::super::{Access, Flush, Rate, SizeShare, check};
    use super::*;

    fn refusal_of_blocks(change: impl FnOnce(&mut Plan, &mut Blocks)) -> String {
        let mut blocks = Blocks::new(Pattern::Random);
        (blocks.requests, blocks.runtime_ns) = (Some(1000), Some(1_000_000_000));
        let mut plan = plan();
        plan.phases[0].access = Access::Blocks(blocks.clone());
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

    #[test]
    fn numbers_beyond_their_range_are_named() {
        let of = |change: fn(&mut Blocks)| refusal_of_blocks(|_, blocks| change(blocks));
        let rate = |per_s| Some(Rate { per_s, poisson: false });
        for refused in [
            of(|blocks| blocks.io_limit_bytes = Some(0)),
            of(|blocks| blocks.io_limit_bytes = Some(u64::MAX)),
            of(|blocks| blocks.offset_bytes = u64::MAX),
            of(|blocks| blocks.offset_bytes = (1 << 63) - (1 << 20)),
            of(|blocks| blocks.compress_percent = 101),
            of(|blocks| blocks.distribution = Distribution::Zipf { theta: f64::NAN }),
            of(|blocks| blocks.distribution = Distribution::Zipf { theta: 0.0 }),
            of(|blocks| blocks.distribution = Distribution::Pareto { h: 1.0 }),
            of(|blocks| blocks.distribution = Distribution::Normal { sigma_percent: -1.0 }),
            refusal_of_blocks(|_, blocks| blocks.rate = rate(0.0)),
            refusal_of_blocks(|_, blocks| blocks.rate = rate(f64::NAN)),
            refusal_of_blocks(|_, blocks| blocks.rate = rate(f64::INFINITY)),
            refusal_of_blocks(|plan, blocks| {
                plan.warmup_loops = 1;
                blocks.ramp_ns = Some(0);
            }),
        ] {
            assert!(refused.contains("is out of range"), "{refused}");
        }
    }

    #[test]
    fn what_a_direction_has_no_use_for_is_refused() {
        let flush = Some(Flush { every: 1, data_only: false });
        let reading = |change: fn(&mut Blocks)| {
            refusal_of_blocks(|plan, blocks| {
                plan.phases[0].direction = Direction::Read;
                change(blocks);
            })
        };
        assert!(reading(|blocks| blocks.end_fsync = true).starts_with("--end-fsync needs"));
        assert!(reading(|blocks| blocks.compress_percent = 1).starts_with("--compress"));
        assert!(reading(|blocks| blocks.read_percent = Some(1)).starts_with("--rwmixread"));
        let flushes = refusal_of_blocks(|plan, blocks| {
            plan.phases[0].direction = Direction::Trim;
            blocks.flush = flush;
        });
        assert!(flushes.starts_with("--fsync and --fdatasync need writes"), "{flushes}");
        let order = refusal_of_blocks(|_, blocks| {
            blocks.pattern = Pattern::Sequential;
            blocks.distribution = Distribution::Zipf { theta: 1.2 };
        });
        assert!(order.starts_with("--random-distribution needs"), "{order}");
        let tensor = {
            let mut plan = plan();
            plan.phases[0].direction = Direction::Mixed;
            check(&plan).unwrap_err().to_string()
        };
        assert!(tensor.starts_with("--rw mixed needs --file"), "{tensor}");
    }

    #[test]
    fn shares_of_sizes_come_to_100() {
        let split = |shares: &[(u32, u32)]| {
            let sizes: Vec<_> = shares
                .iter()
                .map(|(bytes, percent)| SizeShare { bytes: *bytes, percent: *percent })
                .collect();
            move |_: &mut Plan, blocks: &mut Blocks| blocks.sizes = sizes
        };
        let over = refusal_of_blocks(split(&[(4096, 60), (1 << 20, 50)]));
        assert_eq!(over, "the shares of --bssplit come to 110 %, not to 100");
        let largest = refusal_of_blocks(split(&[(4096, 60), (8192, 40)]));
        assert!(largest.contains("the largest of --bssplit"), "{largest}");
        assert!(refusal_of_blocks(split(&[(0, 0), (1 << 20, 100)])).contains("--bssplit 0"));
    }
}
