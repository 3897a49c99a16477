//! The requests of a lane, listed when its loops are over: the streams that gave them to the engine
//! are run once more, without doing them. Until then nothing is kept of a request for this.

use std::fmt::Write as _;

use super::lane::Work;
use super::source::{BlockStream, Share, Slice, Source, StreamName, VariedStream};
use crate::engine::Operation;
use crate::plan::Plan;
use crate::stats::Kind;

/// The most requests of a lane that are listed in a loop.
const LISTED_MAX: u64 = 1000;
/// Offsets that are asked for at a time.
const AT_A_TIME: usize = 64;

/// Whose requests are listed.
pub(super) struct Listing<'a> {
    pub plan: &'a Plan,
    pub work: &'a Work,
    pub tid: u32,
    pub lane: u32,
    /// Whether its blocks are verified.
    pub is_verified: bool,
}

impl Listing<'_> {
    /// Calls `tell` with each line about loop `index`, in which `made` requests were made.
    pub(super) fn of_loop(&self, index: u32, made: u64, mut tell: impl FnMut(String)) {
        let warm_up = if self.plan.counts(index) { "" } else { " (warm-up)" };
        let place = format!("lane {} loop {index}", self.lane);
        tell(format!(
            "{place}{warm_up}: {made} requests as given to the engine, in queue order; completions \
             are not logged"
        ));
        let listed = made.min(LISTED_MAX);
        let mut number = 0;
        self.first_requests(index, listed, |operation, offset_bytes, length_bytes| {
            let mut line = format!("{place} request {number}: {}", operation.name());
            if operation.kind() != Kind::Flush {
                let _a_string_takes_all = write!(line, " {length_bytes} bytes at {offset_bytes}");
            }
            tell(line);
            number += 1;
        });
        if made > listed {
            tell(format!("{place}: {} more requests are not listed", made - listed));
        }
    }

    /// Calls `enter` with operation, offset and length of each of the first `count` requests.
    fn first_requests(&self, index: u32, count: u64, mut enter: impl FnMut(Operation, u64, u32)) {
        let share = match self.work {
            Work::Slice(slice) => {
                let mut slice = *slice;
                return in_order(count, &mut slice, Slice::choose, |slice, offset_bytes| {
                    let (operation, length_bytes) = slice.request_at(offset_bytes);
                    enter(operation, offset_bytes, length_bytes);
                });
            }
            Work::Blocks(share) => share.in_loop(index, self.plan),
        };
        let Self { tid, lane, .. } = *self;
        let name = StreamName { seed: self.plan.seed, tid, lane, loop_index: index };
        self.of_blocks(&share, name, count, enter);
    }

    fn of_blocks(
        &self,
        share: &Share,
        name: StreamName,
        count: u64,
        enter: impl FnMut(Operation, u64, u32),
    ) {
        match share.kind_alike(self.is_verified) {
            Some(Kind::Read) => {
                of_stream(count, &mut BlockStream::<false>::new(share, name, 0, 0), enter);
            }
            Some(Kind::Write) => {
                of_stream(count, &mut BlockStream::<true>::new(share, name, 0, 0), enter);
            }
            _ => of_stream(count, &mut VariedStream::new(share, name, 0, 0), enter),
        }
    }
}

fn of_stream<S: Source>(count: u64, stream: &mut S, mut enter: impl FnMut(Operation, u64, u32)) {
    in_order(count, stream, S::choose, |stream, offset_bytes| {
        let job = stream.job(offset_bytes, &mut None);
        enter(job.operation, offset_bytes, job.length_bytes);
    });
}

/// Calls `each` with the first `count` offsets that `choose` gives.
fn in_order<S>(
    count: u64,
    stream: &mut S,
    choose: impl Fn(&mut S, &mut [u64]) -> usize,
    mut each: impl FnMut(&mut S, u64),
) {
    let mut offsets = [0; AT_A_TIME];
    let mut left = count;
    while left > 0 {
        let chosen = choose(stream, &mut offsets);
        if chosen == 0 {
            return;
        }
        for offset_bytes in offsets.iter().take(chosen) {
            if left == 0 {
                return;
            }
            each(stream, *offset_bytes);
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Access, Blocks, Direction, Flush, Pattern, Phase};
    use crate::target::Alignment;

    fn lines(work: &Work, plan: &Plan, index: u32, made: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let listing = Listing { plan, work, tid: 0, lane: 0, is_verified: false };
        listing.of_loop(index, made, |line| lines.push(line));
        lines
    }

    fn plan_of(direction: Direction, blocks: Blocks) -> Plan {
        let mut phase = Phase::of_tensors(direction, Vec::new());
        phase.access = Access::Blocks(blocks);
        Plan { warmup_loops: 1, ..Plan::tensor_swap(vec![phase]) }
    }

    /// A lane that asks for 16 blocks of 4 KiB.
    fn of_blocks(direction: Direction, blocks: &Blocks) -> Work {
        Work::Blocks(Share::split(direction, blocks, 16 * 4096, 4096, 1).remove(0))
    }

    #[test]
    fn a_tensor_is_listed_from_front_to_end_with_its_tail() {
        let alignment = Alignment { offset_bytes: 512, told: true };
        let slice = Slice::split(Direction::Write, 8192 + 700, 4096, alignment, 1)[0];
        let plan = Plan::tensor_swap(Vec::new());
        assert_eq!(
            lines(&Work::Slice(slice), &plan, 1, 3),
            [
                "lane 0 loop 1: 3 requests as given to the engine, in queue order; completions \
                 are not logged",
                "lane 0 loop 1 request 0: write 4096 bytes at 0",
                "lane 0 loop 1 request 1: write 4096 bytes at 4096",
                "lane 0 loop 1 request 2: write 1024 bytes at 8192",
            ]
        );
    }

    #[test]
    fn a_random_pass_lists_every_block_once_and_no_other_loop_has_its_order() {
        let mut blocks = Blocks::new(Pattern::Random);
        blocks.covers = true;
        let work = of_blocks(Direction::Read, &blocks);
        let plan = plan_of(Direction::Read, blocks);
        let offsets = |index| -> Vec<u64> {
            let lines = lines(&work, &plan, index, 16);
            let of = |line: &String| line.rsplit(' ').next()?.parse().ok();
            lines.iter().skip(1).filter_map(of).collect()
        };
        let mut first = offsets(0);
        assert_ne!(first, offsets(1));
        first.sort_unstable();
        assert_eq!(first, (0..16).map(|block| block * 4096).collect::<Vec<_>>());
    }

    #[test]
    fn flushes_are_listed_where_they_were_asked_for() {
        let mut blocks = Blocks::new(Pattern::Sequential);
        blocks.flush = Some(Flush { every: 2, data_only: true });
        let work = of_blocks(Direction::Write, &blocks);
        let listed = lines(&work, &plan_of(Direction::Write, blocks), 1, 3);
        assert_eq!(listed[2], "lane 0 loop 1 request 1: write 4096 bytes at 4096");
        assert_eq!(listed[3], "lane 0 loop 1 request 2: fdatasync");
    }

    #[test]
    fn only_the_first_thousand_are_listed_and_the_rest_is_counted() {
        let mut blocks = Blocks::new(Pattern::Sequential);
        blocks.requests = Some(1024);
        let work = of_blocks(Direction::Read, &blocks);
        let listed = lines(&work, &plan_of(Direction::Read, blocks), 0, 1024);
        assert!(listed[0].starts_with("lane 0 loop 0 (warm-up): 1024 requests"), "{}", listed[0]);
        assert_eq!(listed.len(), 1 + 1000 + 1);
        assert_eq!(listed[1001], "lane 0 loop 0: 24 more requests are not listed");
    }
}
