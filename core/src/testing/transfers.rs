//! Checks of what requests do to files and memory.

use std::sync::Arc;

use super::fixture::{
    BLOCK_BYTES, Exchange, Store, bring_home, lend, open, part, pattern, request, setup,
};
use crate::engine::{Backend, Completion, Errno, Files, Operation, Request};
use crate::memory::Part;

/// The deepest queue of these checks, and the blocks in their memory.
const DEPTH: u32 = 8;
const BLOCK: usize = BLOCK_BYTES as usize;

/// Has the requests that `make` builds done at once, gives their completions to `check`, and
/// checks that the memory is home.
fn exchange<B: Backend>(
    backend: &B,
    depth: u32,
    files: &Files,
    make: impl FnOnce(&mut Part) -> Vec<Request>,
    check: impl FnOnce(&[Completion]),
) {
    let mut part = part(depth);
    let setup = setup(depth, Arc::clone(files), &part);
    let requests = make(&mut part);
    let Some(completions) = open(backend, setup, Exchange(requests)) else { return };
    check(&completions);
    bring_home(&mut part, completions);
}

/// The bytes of a completion's block.
fn bytes(completion: &Completion) -> &[u8] {
    completion.block.as_ref().expect("reads and writes have a block").as_slice()
}

pub(super) fn data_makes_the_round_trip<B: Backend>(backend: &B) {
    for depth in [1, DEPTH] {
        let store = Store::new(DEPTH as usize * BLOCK);
        let place = |tag: u32| u64::from(depth - 1 - tag) * u64::from(BLOCK_BYTES);
        let read = |part: &mut Part| -> Vec<_> {
            let read = |tag| request(Operation::Read, tag, lend(part), place(tag));
            (0..depth).map(read).collect()
        };
        let write = |part: &mut Part| -> Vec<_> {
            let write = |tag: u32| {
                let mut block = lend(part);
                block.as_mut_slice().copy_from_slice(&pattern(tag as usize + 1, BLOCK));
                request(Operation::Write, tag, block, place(tag))
            };
            (0..depth).map(write).collect()
        };
        exchange(backend, depth, &store.files(), write, |completions| {
            for completion in completions {
                let want = pattern(completion.tag as usize + 1, BLOCK);
                assert_eq!(completion.result(), Ok(BLOCK_BYTES), "a write was cut short");
                assert!(bytes(completion) == want, "a write changed its memory");
                let stored = store.bytes(place(completion.tag), BLOCK);
                assert!(stored == want, "what was written is not what the file holds");
            }
        });
        let check_reads = |salt: usize| {
            move |completions: &[Completion]| {
                for completion in completions {
                    let want = pattern(salt + completion.tag as usize, BLOCK);
                    assert_eq!(completion.result(), Ok(BLOCK_BYTES), "a read was cut short");
                    assert!(bytes(completion) == want, "what was read is not what the file holds");
                }
            }
        };
        exchange(backend, depth, &store.files(), read, check_reads(1));
        for tag in 0..depth {
            store.overwrite(&pattern(20 + tag as usize, BLOCK), place(tag));
        }
        exchange(backend, depth, &store.files(), read, check_reads(20));
    }
}

pub(super) fn lengths_and_offsets_need_no_alignment_on_a_buffered_file<B: Backend>(backend: &B) {
    let lengths = [1, 511, 513, 4095, 17, 1000];
    let count = u32::try_from(lengths.len()).expect("a short list");
    let store = Store::new(2 * BLOCK * lengths.len());
    let place = |tag: u32| u64::from(tag) * 2 * u64::from(BLOCK_BYTES) + 3;
    for operation in [Operation::Write, Operation::Read] {
        let make = |part: &mut Part| -> Vec<_> {
            let one = |(tag, length): (u32, &u32)| {
                let mut block = lend(part);
                block.as_mut_slice().copy_from_slice(&pattern(tag as usize + 1, BLOCK));
                let mut request = request(operation, tag, block, place(tag));
                request.length_bytes = *length;
                request
            };
            (0..count).zip(&lengths).map(one).collect()
        };
        exchange(backend, count, &store.files(), make, |completions| {
            for (completion, length) in completions.iter().zip(lengths) {
                let tag = completion.tag;
                let length_bytes = length as usize;
                assert_eq!(completion.result(), Ok(length), "an unaligned {operation}");
                let want = pattern(tag as usize + 1, BLOCK);
                assert!(bytes(completion) == want, "an unaligned {operation} moved other bytes");
                let stored = store.bytes(place(tag), length_bytes);
                assert!(stored == want[..length_bytes], "an unaligned write went elsewhere");
                let behind = place(tag) + u64::from(length);
                let kept = &pattern(0, store_bytes(count))[to_index(behind)..][..8];
                let stored = store.bytes(behind, 8);
                assert!(stored == kept, "an unaligned write wrote past its length");
            }
        });
    }
}

/// Bytes in the file of `count` pairs of blocks.
fn store_bytes(count: u32) -> usize {
    2 * BLOCK * count as usize
}

fn to_index(offset_bytes: u64) -> usize {
    usize::try_from(offset_bytes).expect("a small file")
}

pub(super) fn a_transfer_starts_where_it_is_told_to_in_its_block<B: Backend>(backend: &B) {
    const START: usize = 1000;
    const LENGTH: usize = 500;
    let store = Store::new(2 * BLOCK);
    let make = |part: &mut Part| -> Vec<_> {
        let one = |(tag, operation)| {
            let mut block = lend(part);
            block.as_mut_slice().copy_from_slice(&pattern(9, BLOCK));
            let mut request = request(operation, tag, block, u64::from(tag * BLOCK_BYTES));
            request.block_start_bytes = 1000;
            request.length_bytes = 500;
            request
        };
        [(0, Operation::Read), (1, Operation::Write)].into_iter().map(one).collect()
    };
    exchange(backend, 2, &store.files(), make, |completions| {
        let mut want = pattern(9, BLOCK);
        assert_eq!(completions[1].result(), Ok(500), "a write of the tail of a block");
        assert!(bytes(&completions[1]) == want, "a write changed its memory");
        let stored = store.bytes(u64::from(BLOCK_BYTES), LENGTH);
        assert!(stored == want[START..START + LENGTH], "a write did not start where told to");
        want[START..START + LENGTH].copy_from_slice(&pattern(0, LENGTH));
        assert_eq!(completions[0].result(), Ok(500), "a read into the tail of a block");
        assert!(bytes(&completions[0]) == want, "a read did not start where told to");
    });
}

pub(super) fn a_read_at_the_end_of_the_file_is_short<B: Backend>(backend: &B) {
    let store = Store::new(10_000);
    let places = [8192, 10_000, 20_000, 0];
    let make = |part: &mut Part| -> Vec<_> {
        let read = |(tag, at)| request(Operation::Read, tag, lend(part), at);
        (0..).zip(places).map(read).collect()
    };
    exchange(backend, 4, &store.files(), make, |completions| {
        let results: Vec<_> = completions.iter().map(Completion::result).collect();
        assert_eq!(
            results,
            [Ok(10_000 - 8192), Ok(0), Ok(0), Ok(BLOCK_BYTES)],
            "reads across the end, at the end, past the end and before the end of a file"
        );
        let want = &pattern(0, 10_000)[8192..];
        assert!(bytes(&completions[0])[..want.len()] == *want, "a short read has other bytes");
    });
}

pub(super) fn requests_go_to_their_own_target<B: Backend>(backend: &B) {
    let stores = [Store::new(2 * BLOCK), Store::new(2 * BLOCK)];
    stores[1].overwrite(&pattern(1, 2 * BLOCK), 0);
    let files: Files = stores.iter().map(|store| Arc::clone(&store.file)).collect();
    let make = |part: &mut Part| -> Vec<_> {
        let one = |tag: u32| {
            let operation = if tag < 2 { Operation::Read } else { Operation::Write };
            let mut block = lend(part);
            block.as_mut_slice().copy_from_slice(&pattern(5 + tag as usize, BLOCK));
            let mut request = request(operation, tag, block, u64::from(tag / 2 * BLOCK_BYTES));
            request.target = u16::from(tag % 2 == 1);
            request
        };
        (0..4).map(one).collect()
    };
    exchange(backend, 4, &files, make, |completions| {
        for target in 0..2 {
            let read = bytes(&completions[target]);
            assert!(read == pattern(target, BLOCK), "a read went to another target");
            let written = stores[target].bytes(u64::from(BLOCK_BYTES), BLOCK);
            assert!(written == pattern(7 + target, BLOCK), "a write went to another target");
        }
    });
}

pub(super) fn a_request_that_fails_leaves_the_others_alone<B: Backend>(backend: &B) {
    let store = Store::new(DEPTH as usize * BLOCK);
    let files: Files = Arc::new([Arc::clone(&store.file), Arc::clone(&store.read_only)]);
    // First, in the middle and last, and two in a row.
    let fails = |tag: u32| matches!(tag, 0 | 3 | 4 | 7);
    let make = |part: &mut Part| -> Vec<_> {
        let one = |tag: u32| {
            let operation = if tag == 2 { Operation::Read } else { Operation::Write };
            let at = u64::from(tag) * u64::from(BLOCK_BYTES);
            let mut request = request(operation, tag, lend(part), at);
            request.target = u16::from(fails(tag));
            request
        };
        (0..DEPTH).map(one).collect()
    };
    exchange(backend, DEPTH, &files, make, |completions| {
        for completion in completions {
            let tag = completion.tag;
            let want = if fails(tag) { Err(Errno(libc::EBADF)) } else { Ok(BLOCK_BYTES) };
            let told = "tags 0, 3, 4 and 7 write to a file that is open for reading only";
            assert_eq!(completion.result(), want, "tag {tag}; {told}");
        }
    });
}
