//! Flushes: as many as were asked for, counted and shown, and apart from everything else.

use super::{COMMON, csv_rows, directions, engines, number};
use crate::support::Folder;

#[test]
fn a_lane_flushes_after_so_many_writes_of_its_own_and_says_how_long_that_took() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        for (flags, operation, flushes) in [
            ("--rw write --fsync 10 --number-ios 100", "fsync", 10),
            ("--rw randwrite --fdatasync 7 --number-ios 100 --loops 2", "fdatasync", 28),
            ("--rw write --fsync 10 --number-ios 100 --io-parallel 2", "fsync", 10),
            ("--rw write --fsync 30 --number-ios 100 --threads 2", "fsync", 6),
            ("--rw randrw --rwmixread 0 --fsync 1 --number-ios 9", "fsync", 9),
            ("--rw write --fsync 101 --number-ios 100", "fsync", 0),
            ("--rw write --fsync 18446744073709551615 --number-ios 10", "fsync", 0),
        ] {
            for depth in [1, 8] {
                let line = format!(
                    "{COMMON} --engine {engine} --file f --size 400k {flags} --queue-depth {depth}"
                );
                let json = folder.aio(&line).code(0).json();
                let one = directions(&json).last().unwrap();
                assert_eq!(one["flushes"]["operation"], operation, "{line}");
                assert_eq!(number(&one["flushes"]["requests"]), flushes, "{line}");
                assert_eq!(one["flushes"]["latency"].is_null(), flushes == 0, "{line}");
                assert_eq!(number(&one["bytes"]), number(&one["requests"]) * 4096, "{line}");
            }
        }
    }
}

#[test]
fn reads_of_a_mix_are_not_counted_towards_a_flush() {
    let folder = Folder::new();
    let line = format!(
        "{COMMON} --engine null --file f --size 256k --rw rw --fsync 5 --number-ios 1000 --seed 4"
    );
    let json = folder.aio(&line).code(0).json();
    let [read, write] = directions(&json) else { panic!("{json}") };
    assert_eq!(number(&write["flushes"]["requests"]), number(&write["requests"]) / 5, "{json}");
    assert!(read["flushes"].is_null(), "{json}");
}

#[test]
fn flushes_are_shown_in_every_form() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --block-size 4k --file f --rw write --size 512k \
                --fsync 1 --end-fsync";
    let text = folder.aio(line).code(0).stdout;
    assert!(text.contains("flushes between writes: 128 fsync, p50 "), "{text}");
    assert!(text.contains("flush after the loop: "), "{text}");
    let text = folder.aio(&format!("{line} --loops 3")).code(0).stdout;
    assert!(text.contains("flushes between writes: 384 fsync, p50 "), "{text}");
    assert!(text.contains("flushes after 3 loops: "), "{text}");
    let csv = folder.aio(&format!("{line} --format csv")).code(0).stdout;
    let row = csv_rows(&csv).remove(0);
    assert_eq!(row["flushes"], "128", "{csv}");
    for column in ["flush_latency_ns_p50", "flush_latency_ns_p99", "end_flush_s"] {
        assert!(row[column].parse::<f64>().unwrap() > 0.0, "{column}: {csv}");
    }
    let plain = line.replace("--fsync 1 --end-fsync", "");
    // Another line may say that nothing was flushed.
    let text = folder.aio(&plain).code(0).stdout;
    assert!(!text.contains("flushes between") && !text.contains("flush after"), "{text}");
    let csv = folder.aio(&format!("{plain} --format csv")).code(0).stdout;
    let row = csv_rows(&csv).remove(0);
    assert_eq!((row["flushes"], row["end_flush_s"]), ("", ""), "{csv}");
    let json = folder.aio(&format!("{line} --format json")).code(0).direction();
    assert!(json["end_flush_s"].as_f64().unwrap() > 0.0, "{json}");
}
