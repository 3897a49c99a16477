//! Blocks of a file: as many as were asked for are moved, and no others.

use std::fs::{self, File};

use serde_json::Value;

use crate::support::{ENGINES, Folder, skip};

const COMMON: &str = "--buffered --quiet --format json --block-size 4k";

/// The engines that can run here, that which moves no data too.
fn engines(folder: &Folder) -> impl Iterator<Item = &'static str> {
    ENGINES.into_iter().filter(|engine| folder.can_run(engine)).chain(["null"])
}

/// Requests and bytes of the only direction.
fn moved(one: &Value) -> (u64, u64) {
    let number = |field: &str| one[field].as_u64().unwrap_or_else(|| panic!("{field}: {one}"));
    (number("requests"), number("bytes"))
}

#[test]
fn the_number_of_requests_holds_for_each_thread_and_loop_and_every_engine() {
    let folder = Folder::new();
    for mode in ["read", "write", "randread", "randwrite"] {
        let mut fingerprints = Vec::new();
        for engine in engines(&folder) {
            let line = format!(
                "{COMMON} --engine {engine} --file f --rw {mode} --size 256k --number-ios 101 \
                 --threads 2 --io-parallel 3 --loops 2 --queue-depth 4"
            );
            let one = folder.aio(&line).code(0).direction();
            assert_eq!(moved(&one), (2 * 2 * 101, 2 * 2 * 101 * 4096), "{line}");
            for timed in one["loops"].as_array().unwrap() {
                assert_eq!(timed["bytes"], 2 * 101 * 4096, "{line}");
            }
            for tasklet in one["tasklets"].as_array().unwrap() {
                assert_eq!(tasklet["bytes"], 2 * 101 * 4096, "{line}");
            }
            fingerprints.push(one["fingerprint"].clone());
        }
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), 1, "{mode}");
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn without_an_end_a_loop_has_as_many_requests_as_the_range_has_blocks() {
    let folder = Folder::new();
    for mode in ["read", "randread"] {
        let line = format!("{COMMON} --engine null --file f --rw {mode} --size 250k");
        let one = folder.aio(&line).code(0).direction();
        assert_eq!(moved(&one), (62, 62 * 4096), "{mode}");
    }
}

#[test]
fn what_comes_first_ends_a_loop() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        let line = format!("{COMMON} --engine {engine} --file f --rw randread --size 16k");
        let few = folder.aio(&format!("{line} --runtime 1h --number-ios 9")).code(0).direction();
        assert_eq!(moved(&few), (9, 9 * 4096), "{engine}");
        let many = format!("{line} --runtime 200ms --number-ios 200000000000");
        let (requests, bytes) = moved(&folder.aio(&many).code(0).direction());
        assert!(requests > 4, "{engine}: {requests} requests go on after the end of the range");
        assert_eq!(bytes, requests * 4096, "{engine}");
    }
}

#[test]
fn the_seed_decides_which_blocks_are_asked_for() {
    let folder = Folder::new();
    let print = |mode: &str, seed: u32| {
        let line = format!("{COMMON} --engine null --file f --size 1M --rw {mode} --seed {seed}");
        folder.aio(&line).code(0).direction()["fingerprint"].clone()
    };
    assert_eq!(print("randread", 1), print("randread", 1));
    assert_ne!(print("randread", 1), print("randread", 2));
    assert_ne!(print("randread", 1), print("read", 1));
}

#[test]
fn a_range_may_be_larger_than_memory() {
    let folder = Folder::new();
    let file = File::create(folder.path().join("f")).unwrap();
    if let Err(error) = file.set_len(8 << 40) {
        return skip(&format!("a file of 8 TiB: {error}"));
    }
    for engine in engines(&folder) {
        let line = format!("{COMMON} --engine {engine} --file f --rw randread --number-ios 1000");
        assert_eq!(moved(&folder.aio(&line).code(0).direction()), (1000, 4_096_000), "{engine}");
    }
}

#[test]
fn only_blocks_that_are_asked_for_are_written() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let path = folder.file("f", 100_000);
        let before = fs::read(&path).unwrap();
        let line = format!("{COMMON} --engine {engine} --file f --size 64k --overwrite");
        folder.aio(&format!("{line} --rw randwrite --number-ios 1")).code(0);
        let after = fs::read(&path).unwrap();
        assert_eq!(after.len(), before.len());
        let differ = after.chunks(4096).zip(before.chunks(4096)).map(|(a, b)| a != b);
        let differ: Vec<_> = differ.collect();
        assert_eq!(differ.iter().filter(|differ| **differ).count(), 1, "{engine}");
        assert!(!differ[16..].contains(&true), "{engine} wrote behind the range");
        folder.aio(&format!("{line} --rw write")).code(0);
        let after = fs::read(&path).unwrap();
        assert_eq!(after[65_536..], before[65_536..], "{engine} wrote behind the range");
        let same = after[..65_536].chunks(4096).zip(before.chunks(4096)).any(|(a, b)| a == b);
        assert!(!same, "{engine} left a block out");
        // Its first blocks only, and the file is no longer than those.
        let line = format!("{COMMON} --engine {engine} --file new --size 64k --keep --overwrite");
        folder.aio(&format!("{line} --rw write --number-ios 3")).code(0);
        assert_eq!(fs::read(folder.path().join("new")).unwrap().len(), 3 * 4096, "{engine}");
        fs::remove_file(folder.path().join("new")).unwrap();
    }
}
