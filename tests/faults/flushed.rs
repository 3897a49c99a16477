//! Flushes that fail: between writes, after a loop, after a file is filled, before it is read back.

use super::{Target, counted_loops, failed, request};

/// 100 writes to a file that is there.
const BLOCKS: &str = "--file f --rw randwrite --size 1M --block-size 4k --overwrite \
                      --number-ios 100 --warmup-loops 0 --queue-depth 4 --quiet --format json";

#[test]
fn a_flush_between_writes_that_fails_ends_the_run() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for flush in ["fsync", "fdatasync"] {
            for flags in ["", "--buffered"] {
                target.folder.file("f", 1 << 20);
                let line = format!("--engine {engine} {BLOCKS} --{flush} 20 --loops 3 {flags}");
                // Five flushes a loop: in the second.
                let sentence = format!("{flush} of f failed: I/O error (EIO)");
                let one = failed(target.aio("fsync:EIO:after=7", &line), &[engine, &sentence]);
                let whole_file = u64::MAX;
                assert_eq!(request(&one), (flush, whole_file, whole_file, "EIO"), "{line}");
                assert_eq!(counted_loops(&one), [409_600], "{line}");
            }
        }
    }
}

#[test]
fn a_flush_after_a_loop_that_fails_ends_the_run() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        target.folder.file("f", 1 << 20);
        let line = format!("--engine {engine} {BLOCKS} --end-fsync --loops 3 --threads 2");
        let line = line.replace("--file f", "--file f g");
        target.folder.file("g", 1 << 20);
        let words = ["fsync of g failed: Quota exceeded (EDQUOT)"];
        let one = failed(target.aio("fsync:EDQUOT:file=g:times=1", &line), &words);
        assert_eq!(request(&one).0, "fsync");
        assert_eq!(request(&one).3, "EDQUOT");
    }
}

#[test]
fn a_file_that_does_not_become_durable_is_not_measured() {
    let Some(target) = Target::new() else { return };
    for work in ["--file f --rw randread --size 1M", "--folder . --io-size 1M --read"] {
        let line = format!("--engine sync --block-size 4k --quiet --format json {work}");
        let one = failed(target.aio("fsync:EIO", &line), &["fsync of ", "when it was filled"]);
        assert_eq!(request(&one).3, "EIO");
        assert_eq!(one["requests"], 0, "{line}");
        assert_eq!(target.folder.names(), [""; 0], "{line}");
        let rule = "write:ENOSPC:from=1044480";
        let one = failed(target.aio(rule, &line), &["cannot fill ", "No space left on device"]);
        assert_eq!(request(&one).3, "ENOSPC");
        assert_eq!(target.folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn what_does_not_become_durable_is_not_verified() {
    let Some(target) = Target::new() else { return };
    target.folder.file("f", 1 << 20);
    let line = format!("--engine sync {BLOCKS} --verify crc32c");
    let one = failed(target.aio("fsync:EIO", &line), &["fsync of f failed: I/O error (EIO)"]);
    assert_eq!(request(&one).0, "fsync");
}
