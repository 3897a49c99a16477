//! The same plan gives the same requests, whichever engine makes them: what came out, not what the
//! program says of it.
//!
//! The block layer tells what a loop device was asked for, by all engines; strace tells it once
//! more of those whose requests it decodes. These need root; what is missing is skipped aloud.

use crate::outside::{Disk, Moved, Trace};
use crate::strace::{self, Call};
use crate::support::{ENGINES, Ended, Folder, skip};

/// What is tried; blocks are small enough that no request is split on its way.
const PLANS: [&str; 11] = [
    "--rw read --number-ios 300",
    "--rw write --number-ios 300",
    "--rw randread --number-ios 300",
    "--rw randwrite --number-ios 300",
    "--rw randread --number-ios 90 --threads 2 --io-parallel 2 --loops 2 --seed 7",
    "--rw rw --number-ios 300 --rwmixread 40",
    "--rw randrw --number-ios 90 --rwmixread 70 --threads 2 --io-parallel 2",
    "--rw randread --number-ios 300 --random-distribution zipf:1.1",
    "--rw randwrite --number-ios 300 --random-distribution normal:10 --fsync 16",
    "--rw randrw --number-ios 200 --bssplit 4k/60:16k/30:64k/10",
    "--rw randrw --number-ios 300 --offset 1M --norandommap --fdatasync 7",
];

fn line(disk: &Disk, engine: &str, plan: &str) -> String {
    let path = disk.path();
    let block = if plan.contains("--bssplit") { "" } else { "--block-size 4k" };
    format!(
        "--engine {engine} --quiet --format json --file {path} --allow-device {path} --size 8M \
         {block} --queue-depth 8 {plan}"
    )
}

/// Requests and bytes that the only engine reports: read, and written.
fn reported(ended: &Ended) -> [(u64, u64); 2] {
    let json = ended.json();
    let directions = json["engines"][0]["directions"].as_array().expect("it ran");
    let of = |name: &str| {
        let these = directions.iter().filter(|one| one["direction"] == name);
        let numbers = these.map(|one| (one["requests"].as_u64(), one["bytes"].as_u64()));
        numbers.fold((0, 0), |sum, (requests, bytes)| {
            (sum.0 + requests.expect("a number"), sum.1 + bytes.expect("a number"))
        })
    };
    [of("read"), of("write")]
}

/// What the engines did, each as one account of it; at least two, or nothing is compared.
fn accounts(folder: &Folder, disk: &Disk, trace: &Trace, plan: &str) -> Vec<(String, Vec<Moved>)> {
    let can_strace = strace::is_there(folder);
    let mut accounts = Vec::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = line(disk, engine, plan);
        drop(trace.take());
        let reported = reported(&folder.aio(&line).code(0));
        let issued = trace.take();
        for is_write in [false, true] {
            let these = issued.iter().filter(|one| one.is_write == is_write);
            let bytes = these.clone().map(|one| one.bytes).sum();
            assert_eq!(
                reported[usize::from(is_write)],
                (these.count() as u64, bytes),
                "aio {line}"
            );
        }
        accounts.push((format!("the block layer, of {engine}"), issued));
        if can_strace && engine != "uring" {
            let (ended, calls) = strace::run(folder, disk, &line);
            ended.code(0);
            let mut moved: Vec<_> = calls.iter().flat_map(Call::moved).collect();
            moved.sort_unstable();
            accounts.push((format!("strace, of {engine}"), moved));
        }
    }
    accounts
}

/// Asserts that both accounts have the same requests, and each as often.
#[track_caller]
fn assert_same(plan: &str, one: &(String, Vec<Moved>), other: &(String, Vec<Moved>)) {
    let differ = one.1.iter().zip(&other.1).find(|(one, other)| one != other);
    assert_eq!(differ, None, "{plan}: {} and {}", one.0, other.0);
    assert_eq!(one.1.len(), other.1.len(), "{plan}: {} and {}", one.0, other.0);
}

#[test]
fn every_engine_makes_the_same_requests_of_a_plan() {
    let folder = Folder::new();
    let Some(disk) = Disk::attach(&folder) else { return };
    let Some(trace) = Trace::of(&folder, &disk) else { return };
    for plan in PLANS {
        let accounts = accounts(&folder, &disk, &trace, plan);
        let Some((first, others)) = accounts.split_first() else {
            return skip("requests of engines: none of them can run here");
        };
        for other in others {
            assert_same(plan, first, other);
        }
        let moved = &first.1;
        let has = |is_write: bool| moved.iter().any(|one| one.is_write == is_write);
        let mixed = ["--rw rw", "--rw randrw"].iter().any(|mode| plan.starts_with(mode));
        let writes = plan.contains("write");
        assert_eq!((has(false), has(true)), (mixed || !writes, mixed || writes), "{plan}");
        let start = if plan.contains("--offset 1M") { 1 << 20 } else { 0 };
        let range = start..=start + (8 << 20);
        let within = |one: &Moved| {
            range.contains(&one.offset_bytes) && range.contains(&(one.offset_bytes + one.bytes))
        };
        assert!(moved.iter().all(within), "{plan}");
    }
}

#[test]
fn another_seed_makes_other_requests() {
    let folder = Folder::new();
    let Some(disk) = Disk::attach(&folder) else { return };
    let Some(trace) = Trace::of(&folder, &disk) else { return };
    let of = |seed: u32| {
        let plan = format!("--rw randread --number-ios 300 --seed {seed}");
        folder.aio(&line(&disk, "sync", &plan)).code(0);
        trace.take()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}
