//! The plan in one line.

use aio_core::plan::{Blocks, Distribution, Order, Pattern, Phase, Plan, SizeShare};
use aio_core::receipt::Receipt;

use super::numbers::{count, mode, size, time};

/// The plan in one line, with the sizes that are in force.
pub(crate) fn plan_line(plan: &Plan, receipts: &[Receipt]) -> String {
    let granted = |option: &str| {
        receipts
            .iter()
            .find(|one| one.option == option && one.is_downgrade())
            .map(|one| &one.granted)
    };
    let block = match granted("block-size") {
        Some(granted) => format!("{granted} bytes"),
        None => size(plan.block_size_bytes),
    };
    let blocks = plan.phases.first().and_then(|phase| {
        let blocks = phase.access.blocks()?;
        Some((phase, blocks))
    });
    let mut parts = Vec::new();
    if let Some((phase, blocks)) = blocks {
        let range = match (granted("size"), phase.tensors[0].sizes_bytes.first()) {
            (Some(granted), _) => format!("{granted} bytes"),
            (None, Some(asked)) => size(*asked),
            (None, None) => "the whole file".into(),
        };
        parts.push(mode(phase.direction, &phase.access));
        let from = match blocks.offset_bytes {
            0 => String::new(),
            offset => format!(" from {} on", size(offset)),
        };
        parts.push(match granted("bssplit").cloned().or_else(|| split(blocks)) {
            Some(split) => format!("blocks of {split} in {range}{from}"),
            None => format!("blocks of {block} in {range}{from}"),
        });
        parts.extend(order_of(blocks));
        parts.extend(extras(blocks));
    } else {
        parts.push(format!("blocks of {block}"));
    }
    parts.push(format!("depth {}", plan.queue_depth));
    parts.push(threads(plan));
    let end = blocks.map(|(_, blocks)| end_of_loop(blocks)).unwrap_or_default();
    let loops = count(plan.loops.into(), "loop") + &end;
    parts.push(match (plan.warmup_loops, plan.include_warmup_time) {
        (0, _) => loops,
        (warmup, false) => format!("{loops} after {warmup} to warm up"),
        (warmup, true) => format!("{loops} and {warmup} to warm up that count too"),
    });
    if plan.steady_state {
        parts.push("in rounds until they are steady".into());
    }
    parts.push(format!("seed {}", plan.seed));
    parts.push(if plan.buffered { "buffered".into() } else { "O_DIRECT".into() });
    if plan.concurrent {
        parts.push("directions at the same time".into());
    }
    if plan.order == Order::Sequential {
        parts.push("sequential requests".into());
    }
    parts.extend(plan.batch.submit.map(|most| format!("at most {most} per submitting call")));
    if plan.batch.complete > 1 {
        parts.push(format!("{} per reaping call", plan.batch.complete));
    }
    format!("plan: {}", parts.join(", "))
}

/// What ends a loop over blocks, when it is not the end of the range.
fn end_of_loop(blocks: &Blocks) -> String {
    let runtime = blocks.runtime_ns.map(time);
    let requests = blocks.requests.map(|most| format!("{} per thread", count(most, "request")));
    let bytes = blocks.io_limit_bytes.map(|most| format!("{} per thread", size(most)));
    let ends: Vec<_> = runtime.into_iter().chain(requests).chain(bytes).collect();
    if ends.is_empty() { String::new() } else { format!(" of {}", ends.join(" or ")) }
}

/// The sizes of requests, where there are several.
fn split(blocks: &Blocks) -> Option<String> {
    let one = |share: &SizeShare| format!("{} ({} %)", size(share.bytes.into()), share.percent);
    let all: Vec<_> = blocks.sizes.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// Which random blocks come, where that is not each once.
fn order_of(blocks: &Blocks) -> Option<String> {
    if blocks.pattern == Pattern::Sequential {
        return None;
    }
    match blocks.distribution {
        Distribution::Uniform if blocks.is_covering() => None,
        Distribution::Uniform => Some("each block by chance".into()),
        Distribution::Zipf { theta } => Some(format!("zipf {theta}")),
        Distribution::Pareto { h } => Some(format!("pareto {h}")),
        Distribution::Normal { sigma_percent } => Some(format!("normal {sigma_percent} %")),
    }
}

/// What else is asked of blocks.
fn extras(blocks: &Blocks) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(blocks.read_percent.map(|percent| format!("{percent} % reads")));
    parts.extend(
        blocks.flush.map(|flush| {
            format!("{} after every {}", flush.operation(), count(flush.every, "write"))
        }),
    );
    if blocks.end_fsync {
        parts.push("fsync after each loop".into());
    }
    parts.extend(blocks.rate.map(|rate| {
        let process = if rate.poisson { ", by chance" } else { "" };
        format!("{} requests/s per thread{process}", rate.per_s)
    }));
    if blocks.compress_percent > 0 {
        parts.push(format!("{} % compressible", blocks.compress_percent));
    }
    parts.extend(blocks.ramp_ns.map(|ns| format!("{} to ramp up", time(ns))));
    parts
}

fn threads(plan: &Plan) -> String {
    let mut numbers: Vec<u32> = plan.phases.iter().map(Phase::tasklets).collect();
    numbers.dedup();
    let threads = if let [same] = numbers.as_slice() {
        count(u64::from(*same), "thread")
    } else {
        let of = |phase: &Phase| {
            format!("{} to {}", count(phase.tasklets().into(), "thread"), phase.direction)
        };
        plan.phases.iter().map(of).collect::<Vec<_>>().join(" and ")
    };
    if plan.lanes == 1 { threads } else { format!("{threads} × {} lanes", plan.lanes) }
}

#[cfg(test)]
mod tests {
    use aio_core::plan::Access;

    use super::super::sample;
    use super::*;

    #[test]
    fn the_line_says_what_ends_a_loop_over_blocks_and_how_much_is_used_of_the_file() {
        let mut report = sample::blocks();
        let group = &mut report.plan.phases[0];
        group.tensors[0].sizes_bytes.clear();
        group.access = Access::Blocks(Blocks {
            requests: Some(1),
            runtime_ns: Some(1_500_000_000),
            ..Blocks::new(Pattern::Sequential)
        });
        insta::assert_snapshot!(plan_line(&report.plan, &report.receipts), @"plan: read, blocks of 4 KiB in the whole file, depth 32, 1 thread, 1 loop of 1500 ms or 1 request per thread, seed 0, O_DIRECT");
        let cut = Receipt::downgraded("size", "70000", "69632", "x");
        assert!(plan_line(&report.plan, &[cut]).contains("blocks of 4 KiB in 69632 bytes, "));
    }
}
