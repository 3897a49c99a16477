use super::*;
use crate::memory::{Mapping, MemoryKind, Part};
use crate::plan::{Blocks, SizeShare};

const BLOCK: u32 = 4096;
const NAME: StreamName = StreamName { seed: 1, tid: 0, lane: 0, loop_index: 0 };

fn share(direction: Direction, access: &Blocks, blocks: u64) -> Share {
    Share::split(direction, access, blocks * u64::from(BLOCK), BLOCK, 1).remove(0)
}

#[test]
fn data_that_compresses_by_a_share_is_made_anew_for_each_write() {
    let access = Blocks { compress_percent: 50, ..Blocks::new(Pattern::Sequential) };
    let share = share(Direction::Write, &access, 8);
    assert_eq!(share.kind_alike(false), None);
    let memory = Mapping::reserve(BLOCK as usize, MemoryKind::Small).unwrap().0;
    let mut home = Part::new(memory, BLOCK, 1).lend(BLOCK);
    let mut stream = VariedStream::new(&share, NAME, 0, 0);
    let (mut some, mut seen) = ([0; 8], std::collections::HashSet::new());
    assert_eq!(stream.choose(&mut some), 8);
    for offset_bytes in some {
        let job = stream.job(offset_bytes, &mut home);
        for chunk in job.block.as_ref().unwrap().as_slice().chunks(512) {
            let (random, constant) = chunk.split_at(256);
            assert!(constant.iter().all(|byte| *byte == constant[0]));
            assert!(random[16..].chunks(16).all(|part| seen.insert(part.to_vec())));
        }
        stream.take_back(job.block, &mut home);
    }
}

/// All jobs with their offsets, as a queue that is never full asks for them, a fence where one
/// had to wait.
fn jobs(share: &Share) -> Vec<(Operation, u64, u32)> {
    let mut stream = VariedStream::new(share, NAME, 0, 0);
    let (mut all, mut some) = (Vec::<(Operation, u64, u32)>::new(), [0; 64]);
    let is_flush = |operation: Operation| operation.kind() == Kind::Flush;
    loop {
        let count = stream.choose(&mut some);
        if count == 0 {
            return all;
        }
        for (index, offset_bytes) in some[..count].iter().enumerate() {
            let fenced = stream.is_fenced();
            let job = stream.job(*offset_bytes, &mut None);
            let is_behind = all.last().is_some_and(|(before, ..)| is_flush(*before));
            assert_eq!(fenced, is_behind || is_flush(job.operation));
            assert!(!fenced || index == 0, "only the first of those chosen together may wait");
            all.push((job.operation, *offset_bytes, job.length_bytes));
        }
    }
}

#[test]
fn a_mix_has_its_share_of_reads_and_together_they_ask_for_every_block_once() {
    let access = Blocks { read_percent: Some(70), ..Blocks::new(Pattern::Random) };
    let all = jobs(&share(Direction::Mixed, &access, 10_000));
    let reads = all.iter().filter(|(operation, ..)| *operation == Operation::Read).count();
    // 7000 on average, with a standard deviation of 46.
    assert!((6770..7230).contains(&reads), "{reads}");
    let mut offsets: Vec<_> = all.iter().map(|(_, offset, _)| offset / 4096).collect();
    offsets.sort_unstable();
    assert!(offsets.into_iter().eq(0..10_000));
}

#[test]
fn reads_and_writes_in_order_have_a_front_each() {
    let access = Blocks { read_percent: Some(50), ..Blocks::new(Pattern::Sequential) };
    let all = jobs(&share(Direction::Mixed, &access, 64));
    for wanted in [Operation::Read, Operation::Write] {
        let mine = all.iter().filter(|(operation, ..)| *operation == wanted);
        assert!(mine.map(|(_, offset, _)| offset / 4096).eq(
            (0..64).take(all.iter().filter(|(operation, ..)| *operation == wanted).count())
        ));
    }
}

#[test]
fn a_flush_comes_after_so_many_writes_and_is_not_counted() {
    let flush = Some(Flush { every: 3, data_only: true });
    let all = |requests| {
        let requests = Some(requests);
        let access = Blocks { requests, flush, ..Blocks::new(Pattern::Sequential) };
        let all = jobs(&share(Direction::Write, &access, 64));
        all.iter().map(|(job, ..)| *job).collect::<Vec<_>>()
    };
    let (write, flush) = (Operation::Write, Operation::Fdatasync);
    assert_eq!(all(6), [write, write, write, flush, write, write, write, flush]);
    assert_eq!(all(7), [write, write, write, flush, write, write, write, flush, write]);
}

#[test]
fn sizes_have_their_shares_and_lie_inside_the_range_and_at_multiples_of_themselves() {
    let sizes =
        vec![SizeShare { bytes: 512, percent: 25 }, SizeShare { bytes: BLOCK, percent: 75 }];
    for pattern in [Pattern::Random, Pattern::Sequential] {
        let access = Blocks {
            sizes: sizes.clone(),
            requests: Some(4000),
            offset_bytes: 8192,
            ..Blocks::new(pattern)
        };
        let all = jobs(&share(Direction::Read, &access, 100));
        let small = all.iter().filter(|(_, _, length)| *length == 512).count();
        // 1000 on average, with a standard deviation of 27.
        assert!((860..1140).contains(&small), "{small}");
        for (_, offset, length) in &all {
            assert!((8192..=8192 + 100 * 4096 - u64::from(*length)).contains(offset));
            assert!(pattern == Pattern::Sequential || offset % u64::from(*length) == 0);
        }
        let within = all.iter().filter(|(_, offset, _)| offset % 4096 != 0).count();
        assert!(within > 100, "small ones lie anywhere in a block");
    }
}

#[test]
fn a_number_of_bytes_ends_requests_of_several_sizes() {
    let sizes =
        vec![SizeShare { bytes: 512, percent: 50 }, SizeShare { bytes: BLOCK, percent: 50 }];
    let access = Blocks { sizes, io_limit_bytes: Some(1 << 20), ..Blocks::new(Pattern::Random) };
    let moved: u64 = jobs(&share(Direction::Read, &access, 100))
        .iter()
        .map(|(_, _, length)| u64::from(*length))
        .sum();
    assert!((1 << 20..(1 << 20) + u64::from(BLOCK)).contains(&moved), "{moved}");
}

#[test]
fn requests_of_several_sizes_move_as_much_as_the_range_has_unless_told_otherwise() {
    let sizes =
        vec![SizeShare { bytes: 512, percent: 50 }, SizeShare { bytes: BLOCK, percent: 50 }];
    let access = Blocks { sizes, ..Blocks::new(Pattern::Sequential) };
    let size_bytes = 100 * u64::from(BLOCK);
    for lanes in [1, 3] {
        let shares = Share::split(Direction::Read, &access, size_bytes, BLOCK, lanes);
        let moved: u64 = shares.iter().flat_map(jobs).map(|(_, _, len)| u64::from(len)).sum();
        let rounded = u64::from(lanes) * u64::from(BLOCK);
        assert!((size_bytes..size_bytes + rounded).contains(&moved), "{moved}");
    }
}

#[test]
fn a_number_of_bytes_is_rounded_up_once_however_many_lanes_there_are() {
    let access =
        Blocks { io_limit_bytes: Some(3 * u64::from(BLOCK) - 1), ..Blocks::new(Pattern::Random) };
    for lanes in 1..=3 {
        let shares = Share::split(Direction::Trim, &access, 1 << 20, BLOCK, lanes);
        assert_eq!(shares.iter().flat_map(jobs).count(), 3, "{lanes} lanes");
    }
}

#[test]
fn a_skewed_order_asks_for_some_blocks_much_more_often() {
    for (distribution, least) in [
        (Distribution::Zipf { theta: 1.2 }, 500),
        (Distribution::Pareto { h: 0.1 }, 100),
        (Distribution::Normal { sigma_percent: 5.0 }, 50),
    ] {
        let access =
            Blocks { distribution, requests: Some(10_000), ..Blocks::new(Pattern::Random) };
        let mut counts = vec![0; 1000];
        for (_, offset, _) in jobs(&share(Direction::Read, &access, 1000)) {
            counts[usize::try_from(offset / 4096).unwrap()] += 1;
        }
        let most = counts.iter().max().copied().unwrap_or(0);
        assert!(most > least, "{distribution:?}: {most}");
    }
}

#[test]
fn a_trim_has_no_memory_and_leaves_that_of_its_place() {
    let all = jobs(&share(Direction::Trim, &Blocks::new(Pattern::Random), 16));
    assert_eq!(all.len(), 16);
    assert!(all.iter().all(|(operation, ..)| *operation == Operation::Trim));
}
