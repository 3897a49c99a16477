//! The workloads of fio's vocabulary: each asks for the blocks that it is said to ask for, on every
//! engine, and the report adds up.

mod flushes;
mod traced;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::devices::Loop;
use crate::support::{ENGINES, Folder};

const COMMON: &str = "--buffered --quiet --format json --block-size 4k";
const BLOCK: u64 = 4096;

/// The engines that can run here.
fn engines(folder: &Folder) -> impl Iterator<Item = &'static str> {
    ENGINES.into_iter().filter(|engine| folder.can_run(engine))
}

/// The directions of the only engine.
fn directions(json: &Value) -> &[Value] {
    json["engines"][0]["directions"].as_array().expect("a list")
}

fn number(place: &Value) -> u64 {
    place.as_u64().unwrap_or_else(|| panic!("{place} is no number"))
}

/// Requests in all directions; asserts that loops and tasklets of each add up to its bytes.
fn requests_that_add_up(json: &Value) -> u64 {
    let mut requests = 0;
    for one in directions(json) {
        let sum = |list: &str| -> u64 {
            let parts = one[list].as_array().expect("a list").iter();
            parts.filter(|part| part["counts"] != false).map(|part| number(&part["bytes"])).sum()
        };
        let bytes = number(&one["bytes"]);
        assert_eq!((sum("loops"), sum("tasklets")), (bytes, bytes), "{one}");
        requests += number(&one["requests"]);
    }
    requests
}

/// Numbers of the blocks of `name`, which was nothing but zeros, that were written since.
fn written_blocks(folder: &Folder, name: &str) -> BTreeSet<u64> {
    let content = fs::read(folder.path().join(name)).expect("it is there");
    let blocks = (0..).zip(content.chunks(4096));
    blocks
        .filter(|(_, block)| block.iter().any(|byte| *byte != 0))
        .map(|(index, _)| index)
        .collect()
}

/// Makes `name` of so many blocks of zeros.
fn zeros(folder: &Folder, name: &str, blocks: usize) {
    fs::write(folder.path().join(name), vec![0; blocks * 4096]).expect("there is room");
}

#[test]
fn every_mode_and_mix_adds_up_on_every_engine_at_any_depth() {
    let folder = Folder::new();
    for (mode, parts) in [
        ("read", 1),
        ("randwrite", 1),
        ("rw", 2),
        ("randrw --rwmixread 0", 2),
        ("randrw --rwmixread 30", 2),
        ("randrw --rwmixread 100", 2),
    ] {
        for depth in [1, 8] {
            let mut fingerprints = BTreeSet::new();
            for engine in engines(&folder) {
                let line = format!(
                    "{COMMON} --engine {engine} --file f --rw {mode} --size 256k --number-ios 101 \
                     --threads 2 --io-parallel 2 --loops 3 --warmup-loops 1 --queue-depth {depth}"
                );
                let json = folder.aio(&line).code(0).json();
                assert_eq!(directions(&json).len(), parts, "{line}");
                assert_eq!(requests_that_add_up(&json), 2 * 3 * 101, "{line}");
                for one in directions(&json) {
                    assert_eq!(number(&one["bytes"]), number(&one["requests"]) * BLOCK, "{line}");
                    assert_eq!(one["loops"].as_array().unwrap().len(), 4, "{line}");
                    fingerprints.insert(one["fingerprint"].to_string());
                }
            }
            assert_eq!(fingerprints.len(), 1, "{mode} at depth {depth}");
        }
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_mix_has_the_share_of_reads_that_is_asked_for() {
    let folder = Folder::new();
    for (flags, shares) in [
        ("--rwmixread 0", 0..=0),
        ("--rwmixread 30", 540..=660),
        ("", 930..=1070),
        ("--rwmixread 100", 2000..=2000),
    ] {
        for pattern in ["", "rand"] {
            let line = format!(
                "{COMMON} --engine null --file f --rw {pattern}rw {flags} --size 256k \
                 --number-ios 2000"
            );
            let json = folder.aio(&line).code(0).json();
            let reads = number(&directions(&json)[0]["requests"]);
            assert!(shares.contains(&reads), "{line}: {reads}");
            assert_eq!(requests_that_add_up(&json), 2000, "{line}");
        }
    }
}

#[test]
fn the_part_of_a_mix_that_is_left_out_is_no_reason_for_doubt_and_has_no_rate() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --block-size 4k --file f --rw randrw --size 256k";
    for (percent, left_out, there) in [(0, 0, 1), (100, 1, 0)] {
        let line = format!("{line} --rwmixread {percent}");
        let json = folder.aio(&format!("{line} --format json")).code(0).json();
        let codes = |index: usize| {
            let doubts = directions(&json)[index]["doubts"].as_array().unwrap();
            doubts.iter().map(|doubt| doubt["code"].clone()).collect::<Vec<_>>()
        };
        assert!(codes(there).contains(&"short-run".into()), "{json}");
        assert!(!codes(left_out).contains(&"short-run".into()), "{json}");
        assert_eq!(directions(&json)[left_out]["request_latency"], Value::Null, "{json}");
        let csv = folder.aio(&format!("{line} --format csv")).code(0).stdout;
        assert_eq!(csv.lines().count(), 3, "{csv}");
        assert!(!csv.contains("NaN") && !csv.contains("inf"), "{csv}");
    }
}

#[test]
fn calls_of_a_mix_are_counted_once() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --block-size 4k --file f --rw rw --size 256k \
                --queue-depth 1";
    let ended = folder.aio(&format!("{line} --format csv")).code(0).stdout;
    let mut rows = csv_rows(&ended);
    assert_eq!(rows.len(), 2, "{ended}");
    for row in &mut rows {
        let calls: f64 = row.remove("system_calls_per_request").unwrap().parse().unwrap();
        assert!((calls - 1.0).abs() < 1e-9, "each request is a call of its own: {ended}");
    }
    let text = folder.aio(line).code(0).stdout.replace("\n  ", " ");
    assert!(text.contains("reads and writes together: "), "{text}");
    assert!(text.contains("calls/req and CPU s are of both"), "{text}");
}

/// The rows of a table in CSV, by the names of its columns.
fn csv_rows(text: &str) -> Vec<std::collections::HashMap<&str, &str>> {
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().expect("a header").split(',').collect();
    lines.map(|line| names.iter().copied().zip(line.split(',')).collect()).collect()
}

#[test]
fn a_pass_writes_every_block_and_chance_does_not() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        for flags in ["", "--io-parallel 3", "--threads 2", "--queue-depth 1"] {
            zeros(&folder, "f", 256);
            let line = format!(
                "{COMMON} --engine {engine} --file f --rw randwrite --overwrite --seed 5 {flags}"
            );
            folder.aio(&line).code(0);
            assert_eq!(written_blocks(&folder, "f").len(), 256, "{line}");
            zeros(&folder, "f", 256);
            folder.aio(&format!("{line} --norandommap")).code(0);
            let some = written_blocks(&folder, "f").len();
            assert!((100..256).contains(&some), "{line} by chance: {some}");
        }
    }
}

#[test]
fn what_is_popular_leaves_most_blocks_alone_and_half_a_pass_half_of_them() {
    let folder = Folder::new();
    for (flags, expected) in [
        ("--number-ios 128", 128..=128),
        ("--io-limit 512k", 128..=128),
        ("--io-limit 2M", 256..=256),
        ("--random-distribution uniform", 256..=256),
        ("--random-distribution zipf:1.2", 30..=140),
        ("--random-distribution pareto:0.1", 20..=140),
        ("--random-distribution normal:5", 20..=120),
    ] {
        zeros(&folder, "f", 256);
        let line =
            format!("{COMMON} --engine sync --file f --rw randwrite --overwrite --seed 2 {flags}");
        folder.aio(&line).code(0);
        let written = written_blocks(&folder, "f");
        assert!(expected.contains(&written.len()), "{line}: {}", written.len());
        if flags.contains("normal") {
            let middle = written.iter().filter(|block| (64..192).contains(*block)).count();
            assert_eq!(middle, written.len(), "the middle half is ten deviations wide");
        }
    }
}

#[test]
fn a_range_begins_at_its_offset_and_nothing_around_it_is_touched() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        for mode in ["write", "randwrite"] {
            for offset in [3 * 4096, 3 * 4096 + 100] {
                zeros(&folder, "f", 16);
                let line = format!(
                    "{COMMON} --engine {engine} --file f --rw {mode} --overwrite --offset {offset} \
                     --size 16k --io-parallel 2"
                );
                folder.aio(&line).code(0);
                let content = fs::read(folder.path().join("f")).unwrap();
                let end = offset + 4 * 4096;
                let is_blank = |part: &[u8]| part.iter().all(|byte| *byte == 0);
                assert!(is_blank(&content[..offset]) && is_blank(&content[end..]), "{line}");
                assert_eq!(content.len(), 16 * 4096, "{line}");
                let mut inside = content[offset..end].chunks(4096);
                assert!(inside.all(|block| !is_blank(block)), "{line}");
            }
        }
    }
    let rest = folder.aio(&format!("{COMMON} --engine null --file f --offset 60k")).code(0).json();
    assert_eq!(requests_that_add_up(&rest), 1, "all that is left of it");
}

#[test]
fn direct_io_refuses_an_offset_between_its_blocks() {
    let folder = Folder::new();
    if !folder.is_direct() {
        return;
    }
    zeros(&folder, "f", 16);
    let line = "--engine sync --quiet --block-size 4k --file f --rw randread --offset 100";
    folder.aio(line).refused(&["--offset 100", "O_DIRECT", "multiple of"]);
}

#[test]
fn a_number_of_bytes_is_moved_whatever_the_size_and_split() {
    let folder = Folder::new();
    for (flags, bytes) in [
        ("--block-size 4k --io-limit 100k", 100 << 10..=100 << 10),
        ("--block-size 4k --io-limit 100001", 102_400..=102_400),
        ("--block-size 4k --io-limit 3M", 3 << 20..=3 << 20),
        ("--block-size 4k --io-limit 12k --io-parallel 2", 12 << 10..=12 << 10),
        ("--bssplit 4k/60:64k/40 --io-limit 3M", 3 << 20..=(3 << 20) + (64 << 10)),
        ("--bssplit 4k/60:64k/40", 1 << 20..=(1 << 20) + (64 << 10)),
        ("--bssplit 4k/60:64k/40 --io-parallel 2", 1 << 20..=(1 << 20) + (128 << 10)),
    ] {
        for mode in ["read", "randread"] {
            let line = format!(
                "--buffered --quiet --format json --engine null --file f --size 1M --rw {mode} \
                 {flags}"
            );
            let one = folder.aio(&line).code(0).direction();
            assert!(bytes.contains(&number(&one["bytes"])), "{line}: {}", one["bytes"]);
        }
    }
}

#[test]
fn a_ramp_ends_by_time_alone_and_the_loop_that_counts_by_what_was_asked() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        let line = format!(
            "{COMMON} --engine {engine} --file f --rw randrw --size 256k --ramp-time 20ms \
             --number-ios 10 --threads 2"
        );
        let json = folder.aio(&line).code(0).json();
        assert_eq!(requests_that_add_up(&json), 20, "{line}");
        let warm_up = directions(&json).iter().map(|one| number(&one["loops"][0]["bytes"]));
        assert!(warm_up.sum::<u64>() > 0, "{json}");
        for one in directions(&json) {
            let counts: Vec<_> =
                one["loops"].as_array().unwrap().iter().map(|one| &one["counts"]).collect();
            assert_eq!(counts, [false, true], "{line}");
        }
    }
}

#[test]
fn several_files_have_threads_of_their_own_each() {
    let folder = Folder::new();
    zeros(&folder, "b", 16);
    for engine in engines(&folder) {
        let line = format!(
            "{COMMON} --engine {engine} --file a b c.{{tid}} --rw randwrite --size 64k --threads 2 \
             --overwrite"
        );
        let one = folder.aio(&line).code(0).direction();
        let paths: Vec<_> =
            one["tasklets"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
        assert_eq!(paths, ["a", "a", "b", "b", "c.4", "c.5"], "{line}");
        assert_eq!(number(&one["requests"]), 6 * 16, "{line}");
        assert_eq!(folder.names(), ["b"], "{line}");
        assert_eq!(written_blocks(&folder, "b").len(), 16, "{line}");
    }
}

#[test]
fn a_file_that_would_be_made_twice_is_refused_and_one_that_is_there_is_not() {
    let folder = Folder::new();
    for (names, named) in [("f f", "f"), ("f ./f", "./f"), ("g f ./g", "./g")] {
        for mode in ["randread", "randwrite"] {
            let line = format!("{COMMON} --engine null --file {names} --rw {mode} --size 64k");
            folder.aio(&line).refused(&[named, "made twice", "--threads"]);
        }
    }
    assert_eq!(folder.names(), [""; 0]);
    zeros(&folder, "f", 16);
    let line = format!("{COMMON} --engine null --file f ./f --rw randread");
    assert_eq!(number(&folder.aio(&line).code(0).direction()["requests"]), 32);
}

#[test]
fn a_whole_device_is_read_and_written_in_blocks() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let name = disk.name();
    let before = disk.content();
    for engine in engines(&folder) {
        let line = format!(
            "{COMMON} --engine {engine} --file {name} --rw randread --block-size 64k --seed 3"
        );
        let line = line.replace("--block-size 4k ", "");
        let one = folder.aio(&line).code(0).direction();
        assert_eq!(number(&one["bytes"]), before.len() as u64, "{line}");
        let write = line.replace("randread", "randrw --rwmixread 30");
        folder.aio(&write).refused(&[name, "--allow-device"]);
        assert!(disk.content() == before, "{write}");
    }
    for engine in engines(&folder) {
        let line = format!(
            "{COMMON} --engine {engine} --file {name} --rw randwrite --offset 1M --size 1M \
             --allow-device {name}"
        );
        let one = folder.aio(&line).code(0).direction();
        assert_eq!(number(&one["requests"]), 256, "{line}");
        let after = disk.content();
        let (front, rest) = after.split_at(1 << 20);
        assert!(front == &before[..1 << 20] && rest[1 << 20..] == before[2 << 20..], "{line}");
        let same = (256..512).filter(|block| {
            let block = block * 4096..(block + 1) * 4096;
            after[block.clone()] == before[block]
        });
        assert_eq!(same.count(), 0, "{line}: every block was written");
    }
}
