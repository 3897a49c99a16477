//! Writes that are done by hand, some of them not or in another order, and reads that bring what
//! they should not.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;

use super::post::Sum;
use super::replay::each_write;
use super::*;
use crate::memory::{Block, Mapping, MemoryKind, Part};
use crate::plan::{Direction, Phase, SizeShare};
use crate::schedule::source::{Share, Source, StreamName};
use crate::stats::What;
use crate::verify::{Damage, FirstBad, Kind, Walk};

const BLOCK: u32 = 4096;
const BLOCKS: u64 = 64;
const START: u64 = 8192;

/// A run over a file of its own.
struct Run {
    plan: Plan,
    terms: Terms,
    lanes: Vec<Share>,
    file: File,
    loops: u32,
}

/// A write: its lane, loop, number, offset and length.
type Write = (u32, u32, u64, u64, u32);

impl Run {
    fn new(lanes: u32, queue_depth: u32, loops: u32, change: impl FnOnce(&mut Blocks)) -> Self {
        let mut blocks = Blocks::new(Pattern::Random);
        (blocks.verify, blocks.offset_bytes) = (Some(Checksum::Crc32c), START);
        change(&mut blocks);
        let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(Direction::Write, Vec::new())]);
        (plan.queue_depth, plan.loops, plan.warmup_loops) = (queue_depth, loops, 0);
        let range_bytes = BLOCKS * u64::from(BLOCK);
        let header = Header {
            length_bytes: blocks.verified_bytes(BLOCK),
            generation: Generation { run: 7, loop_number: 0 },
            tid: 0,
            lane: FILLED,
            whole_range: true,
            range_start_bytes: START,
            range_bytes,
            seed: plan.seed,
        };
        let lanes = Share::split(Direction::Write, &blocks, range_bytes, BLOCK, lanes);
        let terms = Terms { blocks, header };
        Self { plan, terms, lanes, file: tempfile::tempfile().unwrap(), loops }
    }

    fn share(&self, lane: u32) -> &Share {
        &self.lanes[lane as usize]
    }

    fn requests(&self, lane: u32) -> u64 {
        self.share(lane).requests.unwrap()
    }

    /// All writes in the order of their requests.
    fn writes(&self) -> Vec<Write> {
        let mut all = Vec::new();
        for loop_index in 0..self.loops {
            for lane in (0..).take(self.lanes.len()) {
                let name = StreamName { seed: self.plan.seed, tid: 0, lane, loop_index };
                let (share, count) = (self.share(lane), self.requests(lane));
                each_write(share, &self.plan, name, count, |number, offset, length| {
                    all.push((lane, loop_index, number, offset, length));
                });
            }
        }
        all
    }

    fn write(&self, (lane, loop_index, number, offset_bytes, length): Write) {
        let writer = self.terms.writer(lane, loop_index);
        let mut bytes = vec![9; length as usize];
        writer.stamp(offset_bytes, writer.sequence(number), &mut bytes);
        self.file.write_all_at(&bytes, offset_bytes).unwrap();
    }

    fn read_back(&self, is_filled: bool) -> Result<Sum, FirstBad> {
        let (plan, terms, file) = (&self.plan, &self.terms, &self.file);
        let what = ReadBack { plan, terms, file, tid: 0, first_loop: 0, is_filled };
        let lanes = (0..).take(self.lanes.len());
        let writes: Vec<_> =
            lanes.map(|lane| vec![self.requests(lane); self.loops as usize]).collect();
        read_back(&what, &self.lanes, &writes, &|| false).unwrap()
    }
}

#[test]
fn what_was_written_as_told_is_right_whatever_the_workload() {
    let share = |bytes, percent| SizeShare { bytes, percent };
    let runs = [
        Run::new(1, 1, 1, |_| {}),
        Run::new(3, 8, 2, |blocks| blocks.pattern = Pattern::Sequential),
        Run::new(1, 8, 3, |blocks| (blocks.covers, blocks.requests) = (false, Some(150))),
        Run::new(1, 4, 2, |blocks| {
            (blocks.sizes, blocks.requests) = (vec![share(1024, 60), share(BLOCK, 40)], Some(90));
        }),
    ];
    for run in runs {
        run.writes().into_iter().for_each(|write| run.write(write));
        let sum = run.read_back(false).unwrap();
        let access = &run.terms.blocks;
        let covers = access.is_covering() || access.pattern == Pattern::Sequential;
        assert!(sum.is_whole || !covers, "of a random order some blocks may be left out");
        assert!(sum.right_bytes > 0 && sum.right_bytes <= BLOCKS * u64::from(BLOCK));
        if covers {
            assert_eq!(sum.right_bytes, BLOCKS * u64::from(BLOCK));
            let oldest = Generation { run: 7, loop_number: run.loops - 1 };
            assert_eq!(sum.oldest_of_all(), Some(oldest));
        }
    }
}

#[test]
fn each_lost_write_that_was_the_last_of_its_block_is_found() {
    let run = Run::new(1, 1, 2, |blocks| (blocks.covers, blocks.requests) = (false, Some(100)));
    let writes = run.writes();
    for (lost, write) in writes.iter().enumerate() {
        run.file.set_len(0).unwrap();
        let others = writes.iter().enumerate().filter(|(index, _)| *index != lost);
        others.for_each(|(_, write)| run.write(*write));
        let is_last = writes[lost + 1..].iter().all(|later| later.3 != write.3);
        match run.read_back(false) {
            Ok(_) => assert!(!is_last, "{write:?}"),
            Err(bad) => {
                assert!(is_last, "{write:?}: {bad}");
                assert_eq!(bad.offset_bytes, write.3);
                let kinds = [Kind::Stale, Kind::Zeroed, Kind::Missing];
                assert!(kinds.contains(&bad.damage.kind()), "{bad}");
            }
        }
    }
}

#[test]
fn writes_of_a_block_may_change_places_only_within_a_queue_depth() {
    let depth = 8;
    let run = Run::new(1, depth, 1, |blocks| (blocks.covers, blocks.requests) = (false, Some(200)));
    let writes = run.writes();
    let mut last: HashMap<u64, Vec<usize>> = HashMap::new();
    writes.iter().enumerate().for_each(|(n, write)| last.entry(write.3).or_default().push(n));
    let (mut near, mut far) = (0, 0);
    for numbers in last.values().filter(|numbers| numbers.len() > 1) {
        for write in &writes {
            run.write(*write);
        }
        let [one, two] = [numbers[numbers.len() - 2], numbers[numbers.len() - 1]];
        run.write(writes[one]);
        let is_near = two - one < depth as usize;
        (near, far) = (near + u32::from(is_near), far + u32::from(!is_near));
        let kind = run.read_back(false).err().map(|bad| bad.damage.kind());
        assert_eq!(kind, (!is_near).then_some(Kind::Stale), "{one} and {two}");
    }
    assert!(near > 0 && far > 0, "both are met");
}

#[test]
fn blocks_that_nobody_wrote_are_judged_only_in_a_file_that_was_filled() {
    let run = Run::new(1, 1, 1, |blocks| blocks.requests = Some(10));
    let mut bytes = vec![7; usize::try_from(START + BLOCKS * u64::from(BLOCK)).unwrap()];
    run.file.write_all_at(&bytes, 0).unwrap();
    run.writes().into_iter().for_each(|write| run.write(write));
    let sum = run.read_back(false).unwrap();
    assert_eq!((sum.right_bytes, sum.oldest_of_all()), (10 * u64::from(BLOCK), None));
    assert_eq!(run.read_back(true).unwrap_err().damage, Damage::Unknown);
    run.terms.filler().stamp_filling(0, &mut bytes);
    run.file.write_all_at(&bytes, 0).unwrap();
    run.writes().into_iter().for_each(|write| run.write(write));
    let sum = run.read_back(true).unwrap();
    assert_eq!((sum.right_bytes, sum.is_whole), (BLOCKS * u64::from(BLOCK), true));
    // The end was cut off.
    run.file.set_len(START + 5 * u64::from(BLOCK)).unwrap();
    let bad = run.read_back(true).unwrap_err();
    let end_bytes = START + 5 * u64::from(BLOCK);
    assert_eq!((bad.offset_bytes, bad.damage), (end_bytes, Damage::Missing { end_bytes }));
}

#[test]
fn filling_in_pieces_of_any_length_gives_blocks_that_are_right() {
    let run = Run::new(1, 1, 1, |_| {});
    let filler = run.terms.filler();
    for piece in [512, 1536, 4096, 10_240, 1 << 20] {
        let mut bytes = vec![1; usize::try_from(START + (BLOCKS + 1) * 4096).unwrap()];
        for (number, part) in (0_u64..).zip(bytes.chunks_mut(piece)) {
            filler.stamp_filling(number * piece as u64, part);
        }
        let [start, end] =
            [START, START + BLOCKS * 4096].map(|offset| usize::try_from(offset).unwrap());
        assert!(bytes[..start].iter().chain(&bytes[end..]).all(|byte| *byte == 1));
        let walk = Walk::new(&bytes[start..end], START, run.terms.grid());
        let right = walk.filter(|piece| {
            crate::verify::judge(
                piece.bytes,
                piece.offset_bytes,
                piece.offset_bytes,
                Freshness::Any,
            )
            .is_ok()
        });
        assert_eq!(right.count() as u64, BLOCKS, "in pieces of {piece}");
    }
}

/// Jobs of one lane that reads `run`'s range, and `depth` places with a block each.
fn reading(run: &Run, depth: u32) -> (Checked<VariedStream>, Vec<Option<Block>>, Part) {
    let length = usize::try_from(BLOCK * depth).unwrap();
    let memory = Mapping::reserve(length, MemoryKind::Small).unwrap().0;
    let mut part = Part::new(memory, BLOCK, depth as usize);
    let homes = (0..depth).map(|_| part.lend(BLOCK)).collect();
    let range_bytes = BLOCKS * u64::from(BLOCK);
    let share = Share::split(Direction::Read, &run.terms.blocks, range_bytes, BLOCK, 1).remove(0);
    let name = StreamName { seed: 1, tid: 0, lane: 0, loop_index: 0 };
    let stream = VariedStream::new(&share, name, 0, 0);
    (run.terms.checked(stream, &run.file, 0, 0, depth), homes, part)
}

#[test]
fn a_round_is_judged_when_none_is_in_flight_and_all_memory_comes_back() {
    for bad_one in [None, Some(0), Some(2)] {
        let run = Run::new(1, 3, 1, |_| {});
        run.writes().into_iter().for_each(|write| run.write(write));
        let (mut checked, mut homes, mut part) = reading(&run, 3);
        let mut offsets = [0; 10];
        assert_eq!(checked.choose(&mut offsets), 10);
        let mut jobs: Vec<_> = (0..3).map(|n| checked.job(offsets[n], &mut homes[n])).collect();
        for (number, job) in jobs.iter_mut().enumerate() {
            let bytes = job.block.as_mut().unwrap().as_mut_slice();
            run.file.read_exact_at(bytes, offsets[number]).unwrap();
            if bad_one == Some(number) {
                bytes[2000] ^= 1;
            }
        }
        for (number, job) in jobs.into_iter().enumerate() {
            let what: What = job.what;
            checked.check(offsets[number], what, job.block.as_ref());
            checked.take_back(job.block, &mut homes[number]);
            let goes_on = checked.choose(&mut [0; 1]) > 0;
            assert!(goes_on || number == 2, "judged with requests in flight");
            assert_eq!(goes_on, number < 2 || bad_one.is_none());
            // Nothing more is asked for by that.
            assert!(homes[number].is_none(), "it waits for the end of the round");
        }
        let mut home = None;
        let next = bad_one.is_none().then(|| checked.job(offsets[3], &mut home));
        if let Some(job) = next {
            assert!(job.block.is_some(), "a place without memory gets some that waits");
            checked.take_back(job.block, &mut home);
        }
        homes.push(home);
        let (right_bytes, bad) = checked.finish(homes.iter_mut());
        assert_eq!(bad.map(|bad| bad.offset_bytes), bad_one.map(|number| offsets[number]));
        let before = bad_one.unwrap_or(3) as u64;
        assert_eq!(right_bytes, before * u64::from(BLOCK));
        assert_eq!(homes.iter().flatten().count(), 3);
        homes.into_iter().flatten().for_each(|block| assert!(part.take_back(block).is_ok()));
        assert!(part.into_region().is_ok());
    }
}
