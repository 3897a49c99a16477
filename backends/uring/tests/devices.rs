//! What only a disk can show. `AIO_TEST_NVME` names an NVMe block device whose contents may be
//! destroyed, such as a guest's (`ci/kernels.sh`); without it everything here is skipped.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aio_core::clock::Stamp;
use aio_core::engine::{
    Backend, Completions, Deadline, IoEngine, Lane, LaneSetup, Needs, Operation, Operations,
    Request,
};
use aio_core::memory::{Mapping, MemoryKind, Part};
use aio_core::receipt::Receipt;
use aio_core::testing::skip;
use aio_uring::Uring;

const BLOCK_BYTES: u32 = 8192;
const BLOCKS: u32 = 512;
const DEPTH: u32 = 16;

/// The name of the device under `/dev`, or nothing, aloud.
fn disk() -> Option<String> {
    let disk = env::var("AIO_TEST_NVME").ok();
    if disk.is_none() {
        skip("AIO_TEST_NVME names no disk to try on");
    }
    disk.map(|path| path.trim_start_matches("/dev/").to_owned())
}

fn open(name: &str, flags: i32) -> Arc<File> {
    let path = format!("/dev/{name}");
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path);
    Arc::new(opened.unwrap_or_else(|error| panic!("{path}: {error}")))
}

fn has_queues_to_poll(disk: &str) -> bool {
    let io_poll = fs::read_to_string(format!("/sys/block/{disk}/queue/io_poll")).unwrap();
    io_poll.trim() == "1"
}

fn needs(target: &Arc<File>, buffered: bool) -> Needs {
    let operations = Operations::of(&[Operation::Read, Operation::Write]);
    Needs {
        target: Some(Arc::clone(target)),
        buffered,
        largest_block_bytes: BLOCK_BYTES,
        ..Needs::new(operations, DEPTH)
    }
}

fn refusal(options: &str, needs: &Needs) -> String {
    let probed = Uring::parse(options).unwrap().probe(needs);
    probed.expect_err("the probe is to refuse this").sentence()
}

/// What block `index` holds after `round`.
fn pattern(round: u32, index: u32) -> Vec<u8> {
    let words = 0..BLOCK_BYTES / 4;
    words.flat_map(|word| (round << 28 | index << 11 | word).to_le_bytes()).collect()
}

/// Moves all blocks through a queue that is kept as full as it can be.
struct Moves<'a> {
    operation: Operation,
    round: u32,
    part: &'a mut Part,
}

impl Lane for Moves<'_> {
    type Output = Vec<Receipt>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Receipt> {
        let mut done = Completions::with_capacity(DEPTH as usize);
        let mut free: Vec<_> = (0..DEPTH).collect();
        let mut index_of = [0; DEPTH as usize];
        let (mut next, mut finished) = (0, 0);
        while finished < BLOCKS {
            while next < BLOCKS && !free.is_empty() {
                let tag = free.pop().unwrap();
                let mut block = self.part.lend(BLOCK_BYTES).unwrap();
                if self.operation == Operation::Write {
                    block.as_mut_slice().copy_from_slice(&pattern(self.round, next));
                }
                let request = Request {
                    offset_bytes: u64::from(next) * u64::from(BLOCK_BYTES),
                    block: Some(block),
                    length_bytes: BLOCK_BYTES,
                    block_start_bytes: 0,
                    tag,
                    target: 0,
                    operation: self.operation,
                };
                engine.queue(request).unwrap();
                index_of[tag as usize] = next;
                next += 1;
            }
            let deadline = Deadline::after(Stamp::now(), Duration::from_secs(20));
            let progress = engine.submit_and_reap(3, deadline, &mut done).unwrap();
            assert!(progress.reaped > 0, "nothing came back within 20 s");
            for completion in done.drain() {
                let index = index_of[completion.tag as usize];
                assert_eq!(completion.result(), Ok(BLOCK_BYTES), "block {index}");
                let block = completion.block.unwrap();
                let want = pattern(self.round, index);
                assert!(block.as_slice() == want, "block {index} holds something else");
                self.part.take_back(block).unwrap();
                free.push(completion.tag);
                finished += 1;
            }
        }
        engine.receipts()
    }
}

/// Writes or reads all blocks of `target` and checks what was read.
fn go(options: &str, target: &Arc<File>, operation: Operation, round: u32) -> Vec<Receipt> {
    let uring = Uring::parse(options).unwrap();
    let length_bytes = (BLOCKS * BLOCK_BYTES) as usize;
    let (region, _) = Mapping::reserve(length_bytes, MemoryKind::Small).unwrap();
    let mut part = Part::new(region, BLOCK_BYTES, DEPTH as usize);
    let setup = LaneSetup {
        queue_depth: DEPTH,
        largest_block_bytes: BLOCK_BYTES,
        operations: Operations::of(&[Operation::Read, Operation::Write]),
        files: [Arc::clone(target)].into(),
        segments: part.segments(),
    };
    let moves = Moves { operation, round, part: &mut part };
    let receipts = uring.with_engine(setup, moves).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(part.is_whole());
    receipts
}

/// Checks by the block device's page cache that it holds what `round` has written.
fn assert_holds(disk: &str, round: u32) {
    let file = open(disk, 0);
    nothing_cached(&file);
    let mut block = vec![0; BLOCK_BYTES as usize];
    for index in 0..BLOCKS {
        file.read_exact_at(&mut block, u64::from(index) * u64::from(BLOCK_BYTES)).unwrap();
        assert!(block == pattern(round, index), "block {index} is not what was written");
    }
}

/// Makes the kernel forget the pages of `file` that passthrough does not know of.
fn nothing_cached(file: &File) {
    file.sync_all().unwrap();
    fs::write("/proc/sys/vm/drop_caches", "1").unwrap();
}

/// Interrupts of the disk's queues so far, but for those of its administration.
fn interrupts() -> u64 {
    let text = fs::read_to_string("/proc/interrupts").unwrap();
    let of_queue = |line: &&str| {
        let name = line.split_whitespace().last().unwrap_or_default();
        let queue = name.strip_prefix("nvme").and_then(|name| name.split_once('q'));
        queue.is_some_and(|(_, queue)| queue != "0")
    };
    let numbers = |line: &str| -> u64 {
        line.split_whitespace().skip(1).map_while(|word| word.parse::<u64>().ok()).sum()
    };
    text.lines().filter(of_queue).map(numbers).sum()
}

/// The same, once what was read ahead through the page cache is in.
fn interrupts_at_rest() -> u64 {
    loop {
        let count = interrupts();
        thread::sleep(Duration::from_millis(100));
        if interrupts() == count {
            return count;
        }
    }
}

#[test]
fn polling_is_refused_where_it_would_be_interrupts_in_disguise() {
    let Some(disk) = disk() else { return };
    let direct = open(&disk, libc::O_DIRECT);
    let refused = refusal("iopoll", &needs(&direct, true));
    assert!(refused.contains("leave out --buffered"), "{refused}");
    let probed = Uring::parse("iopoll").unwrap().probe(&needs(&direct, false));
    if has_queues_to_poll(&disk) {
        let receipts = probed.expect("the device has queues to poll").receipts;
        assert!(receipts.contains(&Receipt::granted("iopoll", "on")), "{receipts:?}");
    } else {
        let refused = probed.expect_err("the device has no queues to poll").sentence();
        assert!(refused.contains("nvme.poll_queues"), "{refused}");
    }
}

#[test]
fn a_polled_ring_moves_the_right_data_without_any_interrupt() {
    let Some(disk) = disk() else { return };
    if !has_queues_to_poll(&disk) {
        skip("the disk has no queues to poll");
        return;
    }
    let direct = open(&disk, libc::O_DIRECT);
    for (round, options) in [
        (1, "iopoll"),
        (2, "hybrid-iopoll"),
        (3, "iopoll:fixed-buffers=off:fixed-files=off:defer-taskrun=off"),
        (4, "iopoll:registered-ring=off:single-issuer=off"),
    ] {
        let before = interrupts_at_rest();
        go(options, &direct, Operation::Write, round);
        go(options, &direct, Operation::Read, round);
        assert_eq!(interrupts() - before, 0, "interrupts came with {options}");
        assert_holds(&disk, round);
    }
    let before = interrupts_at_rest();
    go("", &direct, Operation::Read, 4);
    assert!(interrupts() > before, "without polling there must be interrupts to count");
}

#[test]
fn a_thread_of_the_kernel_can_poll_the_device_too() {
    let Some(disk) = disk() else { return };
    if !has_queues_to_poll(&disk) {
        skip("the disk has no queues to poll");
        return;
    }
    let direct = open(&disk, libc::O_DIRECT);
    let before = interrupts_at_rest();
    go("iopoll:sqpoll", &direct, Operation::Write, 5);
    go("iopoll:sqpoll", &direct, Operation::Read, 5);
    assert_eq!(interrupts() - before, 0);
    assert_holds(&disk, 5);
}

/// The generic device of `disk` under `/dev`, or nothing, aloud.
fn generic(disk: &str) -> Option<String> {
    let name = disk.replacen("nvme", "ng", 1);
    let is_there = fs::metadata(format!("/dev/{name}")).is_ok();
    if !is_there {
        skip("this kernel has no NVMe generic devices");
    }
    is_there.then_some(name)
}

#[test]
fn commands_read_and_write_what_the_block_device_holds() {
    let Some(disk) = disk() else { return };
    let Some(generic) = generic(&disk) else { return };
    let (direct, commands) = (open(&disk, libc::O_DIRECT), open(&generic, 0));
    let mut variants = vec![
        "passthrough",
        "passthrough:fixed-buffers=off",
        "passthrough:fixed-files=off:registered-ring=off:defer-taskrun=off",
        "passthrough:sqpoll",
    ];
    if has_queues_to_poll(&disk) {
        variants.push("passthrough:iopoll");
    }
    for (round, options) in (6..).zip(variants) {
        go("", &direct, Operation::Write, 0);
        let before = interrupts_at_rest();
        let receipts = go(options, &commands, Operation::Read, 0);
        go(options, &commands, Operation::Write, round);
        assert!(!options.contains("iopoll") || interrupts() == before, "{options}");
        assert_holds(&disk, round);
        assert!(receipts.contains(&Receipt::granted("passthrough", "on")));
        let buffers = receipts.iter().find(|receipt| receipt.option == "fixed-buffers").unwrap();
        let is_off = options.contains("fixed-buffers=off");
        let is_old = buffers.why_not.as_deref().is_some_and(|why| why.contains("Linux 6.12"));
        assert_eq!(buffers.granted == "off", is_off || is_old, "{buffers:?}");
        let probed = Uring::parse(options).unwrap().probe(&needs(&commands, false));
        probed.unwrap_or_else(|error| panic!("{options}: {error:?}"));
    }
}

/// Does one request after the other, and results in their statuses.
struct OneByOne<'a> {
    part: &'a mut Part,
    /// Operation, offset and length of each.
    requests: Vec<(Operation, u64, u32)>,
}

impl Lane for OneByOne<'_> {
    type Output = Vec<i32>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<i32> {
        let mut done = Completions::with_capacity(1);
        let one = |(operation, offset_bytes, length_bytes): (Operation, u64, u32)| {
            let block = operation.moves_data().then(|| self.part.lend(BLOCK_BYTES).unwrap());
            let (block_start_bytes, tag, target) = (0, 0, 0);
            let request = Request {
                offset_bytes,
                block,
                length_bytes,
                block_start_bytes,
                tag,
                target,
                operation,
            };
            engine.queue(request).unwrap();
            let deadline = Deadline::after(Stamp::now(), Duration::from_secs(20));
            engine.submit_and_reap(1, deadline, &mut done).unwrap();
            let completion = done.drain().next().expect("nothing came back within 20 s");
            if let Some(block) = completion.block {
                self.part.take_back(block).unwrap();
            }
            completion.status
        };
        self.requests.into_iter().map(one).collect()
    }
}

#[test]
fn commands_that_cannot_be_are_errors_and_change_nothing() {
    let Some(disk) = disk() else { return };
    let Some(generic) = generic(&disk) else { return };
    go("", &open(&disk, libc::O_DIRECT), Operation::Write, 14);
    let commands = open(&generic, 0);
    let sectors = fs::read_to_string(format!("/sys/block/{disk}/size")).unwrap();
    let end_bytes = sectors.trim().parse::<u64>().unwrap() * 512;
    let (region, _) = Mapping::reserve(8 * BLOCK_BYTES as usize, MemoryKind::Small).unwrap();
    let mut part = Part::new(region, BLOCK_BYTES, 1);
    let setup = LaneSetup {
        queue_depth: 1,
        largest_block_bytes: BLOCK_BYTES,
        operations: Operations::of(&[Operation::Read, Operation::Write, Operation::Fsync]),
        files: [commands].into(),
        segments: part.segments(),
    };
    let requests = vec![
        (Operation::Write, 1, 4096),
        (Operation::Write, 4096, 4095),
        (Operation::Write, 4096, 0),
        (Operation::Read, end_bytes, 4096),
        (Operation::Read, end_bytes - 4096, 4096),
        (Operation::Fsync, 0, 0),
    ];
    let lane = OneByOne { part: &mut part, requests };
    let statuses = Uring::parse("passthrough").unwrap().with_engine(setup, lane).unwrap();
    let invalid = -libc::EINVAL;
    assert_eq!(statuses, [invalid, invalid, invalid, -libc::EIO, 4096, 0]);
    assert_holds(&disk, 14);
}

#[test]
fn a_target_for_other_options_and_a_block_too_long_are_refused() {
    let Some(disk) = disk() else { return };
    let Some(generic) = generic(&disk) else { return };
    let (direct, commands) = (open(&disk, libc::O_DIRECT), open(&generic, 0));
    let refused = refusal("passthrough", &needs(&commands, true));
    assert!(refused.contains("leave out --buffered"), "{refused}");
    let refused = refusal("passthrough", &needs(&direct, false));
    assert!(refused.contains("give the character device (/dev/ng0n1)"), "{refused}");
    let most_kib = fs::read_to_string(format!("/sys/block/{disk}/queue/max_hw_sectors_kb"));
    let most_bytes = most_kib.unwrap().trim().parse::<u32>().unwrap() * 1024;
    let long = Needs { largest_block_bytes: most_bytes + 512, ..needs(&commands, false) };
    let refused = refusal("passthrough", &long);
    assert!(refused.contains(&format!("--block-size {most_bytes} or less")), "{refused}");
    if !has_queues_to_poll(&disk) {
        let refused = refusal("passthrough:iopoll", &needs(&commands, false));
        assert!(refused.contains("nvme.poll_queues"), "{refused}");
    }
}
