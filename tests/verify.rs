//! Blocks that are verified: written, damaged by hand, and told apart.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{ENGINES, Ended, Folder, skip};

const KINDS: [&str; 3] = ["crc32c", "xxh3", "pattern"];
const BLOCK: usize = 4096;
const BLOCKS: usize = 64;
const COMMON: &str = "--quiet --format json --keep --block-size 4k --file f --size 256k";

/// What one file was found to be, in JSON.
fn found(folder: &Folder, code: i32) -> Value {
    folder.aio("verify f --format json").code(code).json()["files"][0].take()
}

fn write(folder: &Folder, flags: &str) -> Ended {
    folder.aio(&format!("{COMMON} --engine sync --buffered {flags}")).code(0)
}

/// Whether files can be marked here; says so aloud when not.
fn has_marks(folder: &Folder) -> bool {
    let marked = found(folder, 0)["stale_is_known"] == true;
    if !marked {
        skip("a mark on files: this file system has no extended attributes");
    }
    marked
}

#[test]
fn what_each_engine_writes_is_found_right_at_once_later_and_when_it_is_read() {
    let folder = Folder::new();
    let direct = if folder.is_direct() { &["", "--buffered"][..] } else { &["--buffered"] };
    let engines: Vec<_> = ENGINES.into_iter().filter(|engine| folder.can_run(engine)).collect();
    for (kind, mode, flags) in [
        ("crc32c", "write", "--queue-depth 4 --io-parallel 2"),
        ("xxh3", "randwrite", "--queue-depth 1"),
        ("pattern", "randwrite", "--loops 3 --queue-depth 16"),
    ] {
        for engine in &engines {
            for way in direct {
                let folder = Folder::new();
                let common = format!("{COMMON} --engine {engine} {way} --verify {kind}");
                let written = folder.aio(&format!("{common} --rw {mode} {flags}")).code(0);
                assert_eq!(written.direction()["validated_bytes"], BLOCK * BLOCKS);
                let order = written.receipts("order").remove(0);
                assert_eq!(
                    (&order["asked"], &order["granted"]),
                    (&"overlap".into(), &"sequential".into())
                );
                let one = found(&folder, 0);
                assert_eq!(
                    (&one["is_right"], &one["blocks"]["right"]),
                    (&true.into(), &BLOCKS.into())
                );
                assert_eq!(
                    (&one["checksums"][0], &one["block_size_bytes"][0]),
                    (&kind.into(), &BLOCK.into())
                );
                for mode in ["read", "randread"] {
                    let read = folder.aio(&format!("{common} --rw {mode}")).code(0).direction();
                    assert_eq!(read["validated_bytes"], BLOCK * BLOCKS, "{common} {mode}");
                }
            }
        }
    }
}

#[test]
fn workloads_of_every_kind_leave_blocks_that_are_right() {
    for flags in [
        "--rw write --number-ios 150 --queue-depth 7",
        "--rw randwrite --norandommap --number-ios 500 --queue-depth 32",
        "--rw randwrite --random-distribution zipf:1.2 --number-ios 300 --loops 2",
        "--rw randwrite --runtime 100ms --queue-depth 3",
        "--rw write --runtime 50ms --ramp-time 20ms",
        "--rw randwrite --offset 64k --fsync 5 --batch-submit 2 --queue-depth 8",
        "--rw randwrite --compress-percentage 60",
        "--rw randrw --rwmixread 40 --number-ios 400 --norandommap --queue-depth 8",
        "--rw randwrite --threads 2 --file f.{tid}",
    ] {
        let shared =
            if flags.contains("{tid}") { COMMON.replace("--file f ", "") } else { COMMON.into() };
        for kind in KINDS {
            let folder = Folder::new();
            let line = format!("{shared} --engine sync --buffered --verify {kind} {flags}");
            let ended = folder.aio(&line).code(0);
            assert!(ended.direction()["validated_bytes"].as_u64() > Some(0), "{line}");
            let files = folder.names().join(" ");
            folder.aio(&format!("verify {files}")).code(0);
        }
    }
}

#[test]
fn requests_of_several_sizes_are_verified_in_blocks_of_their_common_part() {
    for mode in ["write", "randwrite"] {
        let folder = Folder::new();
        let line = "--quiet --format json --keep --engine sync --buffered --file f --size 1M \
                    --bssplit 8k/50:64k/20:12k/30 --number-ios 200 --verify crc32c";
        folder.aio(&format!("{line} --rw {mode}")).code(0);
        let one = found(&folder, 0);
        assert_eq!(one["block_size_bytes"], Value::from(vec![4096]), "{one}");
        if mode == "randwrite" {
            // It was filled before, so that every block can be read.
            folder.aio(&format!("{line} --rw randread")).code(0);
        }
    }
}

/// Damages the file and returns what kind that is, and which block it begins with.
type Harm = fn(&mut [u8], &[u8]) -> (&'static str, usize);

fn torn(bytes: &mut [u8], old: &[u8]) -> (&'static str, usize) {
    let half = 9 * BLOCK + 1536..10 * BLOCK;
    bytes[half.clone()].copy_from_slice(&old[half]);
    ("torn", 9)
}

fn stale(bytes: &mut [u8], old: &[u8]) -> (&'static str, usize) {
    let block = 20 * BLOCK..21 * BLOCK;
    bytes[block.clone()].copy_from_slice(&old[block]);
    ("stale", 20)
}

fn misplaced(bytes: &mut [u8], _old: &[u8]) -> (&'static str, usize) {
    bytes.copy_within(3 * BLOCK..4 * BLOCK, 31 * BLOCK);
    ("misplaced", 31)
}

fn zeroed(bytes: &mut [u8], _old: &[u8]) -> (&'static str, usize) {
    bytes[40 * BLOCK + 512..41 * BLOCK].fill(0);
    ("zeroed", 40)
}

fn corrupt(bytes: &mut [u8], _old: &[u8]) -> (&'static str, usize) {
    bytes[63 * BLOCK + 4000] ^= 4;
    ("corrupt", 63)
}

#[test]
fn each_kind_of_damage_is_told_apart_from_the_file_alone_and_when_it_is_read() {
    for kind in KINDS {
        let folder = Folder::new();
        let flags = format!("--rw randwrite --verify {kind}");
        write(&folder, &flags);
        if !has_marks(&folder) {
            return;
        }
        let path = folder.path().join("f");
        let old = fs::read(&path).unwrap();
        write(&folder, &flags);
        let right = fs::read(&path).unwrap();
        assert!(old.chunks(512).zip(right.chunks(512)).all(|(old, new)| old != new));
        let all: [Harm; 5] = [torn, stale, misplaced, zeroed, corrupt];
        for harm in all {
            let mut bytes = right.clone();
            let (name, block) = harm(&mut bytes, &old);
            fs::write(&path, &bytes).unwrap();
            let one = found(&folder, 1);
            let bad = &one["first_bad"];
            let place = (block * BLOCK).into();
            assert_eq!((&bad["kind"], &bad["offset_bytes"]), (&name.into(), &place), "{one}");
            assert_eq!(one["blocks"]["damaged"][name], 1, "{one}");
            assert_eq!(one["blocks"]["right"], BLOCKS - 1, "{one}");
            let sentence = format!("the block of 4096 bytes at offset {place} is {name}: expected");
            folder.aio("verify f").code(1).says(&[&sentence, ", found "]);
            for way in ["read --queue-depth 1", "randread --queue-depth 8 --io-parallel 2"] {
                let line = format!("{COMMON} --engine sync --buffered --rw {way} --verify {kind}");
                let ended = folder.aio(&line).code(1).says(&[&sentence]);
                let failure = &ended.direction()["failures"][0];
                assert_eq!(failure["offset_bytes"], place, "{failure}");
                assert!(failure["path"].as_str().unwrap().ends_with('f'), "{failure}");
            }
        }
        fs::write(&path, &right).unwrap();
        found(&folder, 0);
    }
}

#[test]
fn in_a_pattern_the_first_wrong_byte_is_named() {
    let folder = Folder::new();
    write(&folder, "--rw write --verify pattern");
    let path = folder.path().join("f");
    let mut bytes = fs::read(&path).unwrap();
    let at = 5 * BLOCK + 1234;
    let right = bytes[at];
    bytes[at] ^= 0x81;
    bytes[at + 70] ^= 0x81;
    let wrong = bytes[at];
    fs::write(&path, &bytes).unwrap();
    let expected = format!("expected byte {right:#04x} at offset {at}, found byte {wrong:#04x}");
    folder.aio("verify f").code(1).says(&[&expected]);
    assert_eq!(found(&folder, 1)["first_bad"]["at_bytes"], at);
}

#[test]
fn an_engine_that_writes_nothing_is_found_out() {
    let folder = Folder::new();
    let line = format!("{COMMON} --engine null --buffered --verify crc32c");
    folder.aio(&format!("{line} --rw randwrite")).code(1).says(&["is stale: expected write"]);
    folder
        .aio(&format!("{line} --rw write --file g").replace("--file f ", ""))
        .code(1)
        .says(&["is missing: expected a block", "found the end of the file at 0"]);
    folder.aio(&format!("{line} --rw read")).code(1).says(&["the block of 4096 bytes"]);
}

#[test]
fn what_another_run_or_checksum_wrote_is_told_in_words() {
    let folder = Folder::new();
    write(&folder, "--rw write --verify xxh3");
    let line = format!("{COMMON} --engine sync --buffered --rw read");
    if has_marks(&folder) {
        folder
            .aio(&format!("{line} --verify crc32c"))
            .refused(&["f was written with xxh3; read it with --verify xxh3"]);
    }
    // A copy, which has no marks.
    let copy = Folder::new();
    fs::copy(folder.path().join("f"), copy.path().join("f")).unwrap();
    copy.aio(&format!("{line} --verify crc32c"))
        .code(1)
        .says(&["expected a block with crc32c, found one with xxh3"]);
    let plain = Folder::new();
    write(&plain, "--rw write");
    plain.aio(&format!("{line} --verify crc32c")).code(1).says(&["no sector of it has a stamp"]);
    plain.aio("verify f").refused(&["f has no block that was written with --verify"]);
    plain.aio("verify missing").refused(&["cannot read missing", "No such file"]);
    plain.aio("verify").refused(&["<FILE>"]);
    plain.aio("verify .").refused(&[". is a folder"]);
}

#[test]
fn a_file_that_is_written_again_without_stamps_is_no_longer_held_to_them() {
    let folder = Folder::new();
    write(&folder, "--rw write --verify crc32c");
    if !has_marks(&folder) {
        return;
    }
    write(&folder, "--rw randwrite --number-ios 20");
    let one = found(&folder, 1);
    assert_eq!(one["stale_is_known"], false, "{one}");
    assert_eq!(one["blocks"]["damaged"]["corrupt"], 20, "{one}");
}

#[test]
fn several_files_are_judged_and_the_worst_decides() {
    let folder = Folder::new();
    write(&folder, "--rw write --verify crc32c");
    fs::copy(folder.path().join("f"), folder.path().join("short")).unwrap();
    let short = fs::OpenOptions::new().write(true).open(folder.path().join("short")).unwrap();
    short.set_len((10 * BLOCK) as u64).unwrap();
    folder.file("other", 10_000);
    folder.aio("verify f f").code(0);
    folder.aio("verify f other").code(2);
    let ended = folder.aio("verify other short f --format json").code(1);
    let files = ended.json()["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0]["blocks"]["damaged"]["missing"], BLOCKS - 10, "{}", files[0]);
    assert_eq!(files[0]["first_bad"]["offset_bytes"], 10 * BLOCK);
    assert_eq!(files[1]["is_right"], true);
}

#[test]
fn what_cannot_be_verified_is_refused_in_a_sentence() {
    let folder = Folder::new();
    let line = "--engine null --buffered --quiet --verify crc32c";
    for (flags, words) in [
        ("--file f --size 1M --rw write --block-size 1000", ["--verify", "--block-size"]),
        ("--file f --size 1M --rw write --offset 100 --bs 4k", ["--verify", "--offset"]),
        ("--file f --size 1M --rw write --bs 4k --threads 2", ["--verify", "{tid}"]),
        (
            "--file f --size 1M --rw randwrite --bs 4k --io-parallel 2",
            ["--verify", "--io-parallel"],
        ),
        ("--file f --size 1M --rw read --bs 4k --rate-iops 10", ["--verify", "--rate-iops"]),
        ("--write-file f --write-size 1M", ["--verify", "--validate checks tensors"]),
        ("--file f --size 1M --verify md5", ["--verify", "crc32c"]),
    ] {
        let line =
            if flags.contains("md5") { line.replace("--verify crc32c", "") } else { line.into() };
        folder.aio(&format!("{line} {flags}")).refused(&words);
    }
    assert_eq!(folder.names(), [""; 0]);
}

/// How many percent of a file a run-length coder saves, which writes a run of 4 to 259 equal bytes
/// as 3.
fn percent_saved(path: &Path) -> f64 {
    let bytes = fs::read(path).expect("it was written");
    let (mut at, mut coded) = (0, 0);
    while at < bytes.len() {
        let run = bytes[at..].iter().take(259).take_while(|byte| **byte == bytes[at]).count();
        coded += if run >= 4 { 3 } else { run };
        at += run;
    }
    let [coded, all] =
        [coded, bytes.len()].map(|n| f64::from(u32::try_from(n).expect("the file is small")));
    (1.0 - coded / all) * 100.0
}

#[test]
fn written_data_compresses_by_the_share_that_was_asked() {
    for (percent, verify) in
        [(0, ""), (30, ""), (75, ""), (100, ""), (40, "--verify pattern"), (80, "--verify xxh3")]
    {
        for mode in ["write", "randwrite"] {
            let folder = Folder::new();
            let flags = format!("--rw {mode} --compress-percentage {percent} {verify}");
            write(&folder, &flags);
            let saved = percent_saved(&folder.path().join("f"));
            let asked = f64::from(percent);
            assert!((saved - asked).abs() < 2.0, "{saved:.2} % were saved with {flags}");
        }
    }
}
