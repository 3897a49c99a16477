//! The plan in one line.

use aio_core::plan::{Access, Blocks, Order, Phase, Plan};
use aio_core::receipt::Receipt;

use super::numbers::{count, mode, size, time};

/// The plan in one line, with the sizes that are in force.
pub(super) fn plan_line(plan: &Plan, receipts: &[Receipt]) -> String {
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
    let blocks = plan.phases.first().and_then(|phase| match phase.access {
        Access::Blocks(blocks) => Some((phase, blocks)),
        Access::Tensor => None,
    });
    let mut parts = Vec::new();
    if let Some((phase, _)) = blocks {
        let range = match (granted("size"), phase.tensors[0].sizes_bytes.first()) {
            (Some(granted), _) => format!("{granted} bytes"),
            (None, Some(asked)) => size(*asked),
            (None, None) => "the whole file".into(),
        };
        parts.push(mode(phase.direction, phase.access));
        parts.push(format!("blocks of {block} in {range}"));
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
fn end_of_loop(blocks: Blocks) -> String {
    let runtime = blocks.runtime_ns.map(time);
    let requests = blocks.requests.map(|most| format!("{} per thread", count(most, "request")));
    let ends: Vec<_> = runtime.into_iter().chain(requests).collect();
    if ends.is_empty() { String::new() } else { format!(" of {}", ends.join(" or ")) }
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
    use aio_core::plan::Pattern;

    use super::super::sample;
    use super::*;

    #[test]
    fn the_line_says_what_ends_a_loop_over_blocks_and_how_much_is_used_of_the_file() {
        let mut report = sample::blocks();
        let group = &mut report.plan.phases[0];
        group.tensors[0].sizes_bytes.clear();
        group.access = Access::Blocks(Blocks {
            pattern: Pattern::Sequential,
            requests: Some(1),
            runtime_ns: Some(1_500_000_000),
        });
        insta::assert_snapshot!(plan_line(&report.plan, &report.receipts), @"plan: read, blocks of 4 KiB in the whole file, depth 32, 1 thread, 1 loop of 1500 ms or 1 request per thread, seed 0, O_DIRECT");
        let cut = Receipt::downgraded("size", "70000", "69632", "x");
        assert!(plan_line(&report.plan, &[cut]).contains("blocks of 4 KiB in 69632 bytes, "));
    }
}
