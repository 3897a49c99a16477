//! Reads and writes that fail, end early or move nothing, of tensors and of blocks.

use super::{Target, counted_loops, failed, request};
use crate::support::ENGINES;

/// 16 requests a loop, one loop of warming up and two that count.
const TENSOR: &str = "--io-size 1M --block-size 64k --loops 2 --queue-depth 4 --validate --quiet \
                      --format json";
/// What a file system, a disk or a quota may say to a request.
const ERRNOS: [&str; 6] = ["EIO", "ENODATA", "ENOSPC", "EDQUOT", "EROFS", "EINVAL"];

#[test]
fn a_request_that_fails_is_named_with_file_offset_length_and_errno() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for flags in ["", "--buffered"] {
            for (errno, from) in ERRNOS.iter().zip((1..).map(|number| number << 16)) {
                let rule = format!("write:{errno}:from={from}:to={}", from + 4096);
                let line = format!("--engine {engine} {flags} --folder . {TENSOR}");
                let name = "_aio_write_1048576.pt.0_0";
                let sentence = format!("write of 65536 bytes at offset {from} of ./{name} failed");
                let one = failed(target.aio(&rule, &line), &[engine, &sentence, errno]);
                assert_eq!(request(&one), ("write", from, 1 << 16, *errno), "{line}");
                assert_eq!(counted_loops(&one), [0; 0], "{line}");
                assert_eq!(target.folder.names(), [""; 0], "{line}");
            }
        }
        for (errno, from) in ERRNOS[..2].iter().zip((3..).map(|number| number << 16)) {
            let rule = format!("direct-io read:{errno}:from={from}:to={}", from + 4096);
            let line = format!("--engine {engine} --folder . --read {TENSOR}");
            let one = failed(target.aio(&rule, &line), &[engine, "read of 65536 bytes"]);
            assert_eq!(request(&one), ("read", from, 1 << 16, *errno), "{line}");
            assert_eq!(target.folder.names(), [""; 0], "{line}");
        }
    }
}

#[test]
fn loops_that_were_finished_before_a_request_failed_are_kept_and_make_no_speed() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        let line = format!("--engine {engine} --write-file w --write-size 1M {TENSOR}");
        let line = line.replace("--io-size 1M ", "");
        // In the last of three loops.
        let one = failed(target.aio("write:EIO:after=40", &line), &["of w.0 failed", "EIO"]);
        assert_eq!(counted_loops(&one), [1 << 20], "{line}");
        assert_eq!((&one["bytes"], &one["requests"]), (&(1 << 20).into(), &16.into()));
        let speed = &one["loops"][1]["task_speed_gib_per_s"];
        assert!(speed.as_f64().is_some_and(|speed| speed > 0.0), "the loop has its own: {one}");
        let text = target.aio("write:EIO:after=40", &line.replace("json", "text")).code(1);
        assert!(text.stdout.contains("FAILED"), "{}", text.stdout);
        assert!(
            text.stdout.contains("1 loop was finished before; the JSON results have it"),
            "{}",
            text.stdout
        );
        assert!(!text.stdout.contains("validated"), "{}", text.stdout);
        assert_eq!(target.folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn short_transfers_go_on_and_the_data_is_right() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        // io_uring goes on by itself after a short read.
        let counts_reads = engine != "uring";
        let way = if engine == "uring" { "" } else { "direct-io" };
        for (work, rule, flags, is_counted) in [
            ("--read", format!("{way} read:half"), "", counts_reads),
            ("", format!("{way} write:half"), "", true),
            ("", "write:half".into(), "--buffered", true),
        ] {
            let line = format!("--engine {engine} {flags} --folder . {work} {TENSOR}");
            // A file to read is filled first, by other requests.
            let ended = target.aio(&rule, &line);
            if engine == "uring" && ended.code == 1 {
                // Where io_uring goes on by itself, Linux 6.18 may do so at the wrong offset of a FUSE
                // file: what it then brings must fail, and never pass for data.
                failed(ended, &["_aio_"]);
                continue;
            }
            let ended = ended.code(0);
            let one = ended.direction();
            assert_eq!(one["validated_bytes"], 1 << 20, "{line}");
            assert_eq!(counted_loops(&one), [1 << 20, 1 << 20], "each byte is counted once");
            assert_eq!(one["requests"], 32, "{line}");
            let short = one["short_transfers"].as_u64().unwrap();
            // 64k, 32k, 16k, 8k, 4k: at most four times each, less where the kernel goes on.
            assert!(short <= 128 && (short > 0 || !is_counted), "{short} times: {line}");
            assert_eq!(target.folder.names(), [""; 0], "{line}");
        }
    }
}

#[test]
fn data_that_the_kernel_puts_in_the_wrong_place_after_a_short_write_is_found() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        let line = format!(
            "--engine {engine} --file f --rw randwrite --size 1M --block-size 64k --verify crc32c \
             --queue-depth 4 --quiet --format json --keep"
        );
        let ended = target.aio("direct-io write:half:after=4:times=1", &line);
        if ended.code == 1 {
            assert_eq!(engine, "uring", "only there the kernel goes on by itself");
            failed(ended, &["f: the block of 65536 bytes at offset ", "expected", "found"]);
        } else {
            assert_eq!(ended.code(0).direction()["validated_bytes"], 1 << 20);
        }
        std::fs::remove_file(target.folder.path().join("f")).unwrap();
    }
}

#[test]
fn a_transfer_of_nothing_in_the_middle_of_a_file_is_no_completed_one() {
    let Some(target) = Target::new() else { return };
    let words = ["0 bytes were moved inside the file", "it was cut or its device is gone"];
    for engine in target.engines() {
        for rules in ["", "direct-io"] {
            let rules = format!("{rules} read:none:from=524288:to=528384");
            let line = format!("--engine {engine} --folder . --read {TENSOR}");
            let one = failed(target.aio(&rules, &line), &words);
            let (operation, offset, length, _) = request(&one);
            assert_eq!((operation, length), ("read", 1 << 16));
            // Without the word, the kernel believes that the file ends there.
            assert!(if rules.starts_with('d') { offset == 8 << 16 } else { offset >= 8 << 16 });
        }
        // The device is gone: nothing comes any more.
        target.folder.file("f", 1 << 20);
        let line = format!(
            "--engine {engine} --file f --rw randread --size 1M --block-size 4k --runtime 1h \
             --quiet --format json"
        );
        let one = failed(target.aio("direct-io read:none:after=500", &line), &words);
        assert_eq!(request(&one).0, "read");
        std::fs::remove_file(target.folder.path().join("f")).unwrap();
        let line = format!("--engine {engine} --folder . {TENSOR}");
        let one = failed(target.aio("direct-io write:none:after=20", &line), &["failed: "]);
        assert_eq!(request(&one).0, "write");
        assert_eq!(target.folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn a_request_that_is_to_be_made_again_is_made_again_or_fails() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for flags in ["", "--buffered"] {
            let line = format!("--engine {engine} {flags} --folder . {TENSOR}");
            let ended = target.aio("direct-io write:EAGAIN:after=20:times=1", &line);
            if ended.code == 0 {
                // By the kernel.
                assert_eq!(engine, "uring", "{line}");
                assert_eq!(ended.direction()["validated_bytes"], 1 << 20);
            } else {
                let one = failed(ended, &["write of 65536 bytes", "of ./_aio_write_1048576"]);
                assert_eq!(request(&one).3, "EAGAIN");
            }
            assert_eq!(target.folder.names(), [""; 0], "{line}");
        }
    }
}

#[test]
fn blocks_that_fail_in_a_mix_are_told_once_in_the_direction_of_the_request() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for (operation, flags) in [
            ("read", ""),
            ("write", ""),
            ("read", "--rate-iops 100000"),
            ("write", "--rate-iops 100000"),
            ("read", "--verify crc32c"),
        ] {
            let line = format!(
                "--engine {engine} --file f --rw randrw --size 1M --block-size 4k --number-ios 200 \
                 --loops 2 --queue-depth 4 --overwrite --quiet --format json {flags}"
            );
            // What is verified must have been written so.
            let makes = flags.contains("verify");
            if !makes {
                target.folder.file("f", 1 << 20);
            }
            let rules = format!("direct-io {operation}:EIO:to=262144");
            let one = failed(target.aio(&rules, &line), &["4096 bytes at offset ", " of f failed"]);
            assert_eq!(one["direction"], operation, "{line}");
            let failures = one["failures"].as_array().unwrap();
            assert!(failures.iter().all(|one| one["errno"] == "EIO"), "{failures:?}");
            assert!(failures[0]["offset_bytes"].as_u64().unwrap() < 262_144);
            let left: &[&str] = if makes { &[] } else { &["f"] };
            assert_eq!(target.folder.names(), left, "{line}");
            let _is_gone = std::fs::remove_file(target.folder.path().join("f"));
        }
    }
}

#[test]
fn blocks_that_were_done_before_one_failed_are_in_finished_loops_only() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for rw in ["randread", "randwrite"] {
            target.folder.file("f", 1 << 20);
            let operation = rw.trim_start_matches("rand");
            let line = format!(
                "--engine {engine} --file f --rw {rw} --size 1M --block-size 4k --overwrite \
                 --number-ios 100 --warmup-loops 0 --loops 3 --quiet --format json"
            );
            let rules = format!("direct-io {operation}:ENODATA:after=230");
            let one = failed(target.aio(&rules, &line), &["4096 bytes", "of f failed", "ENODATA"]);
            assert_eq!(counted_loops(&one), [409_600, 409_600], "{line}");
            assert_eq!((&one["bytes"], &one["requests"]), (&819_200.into(), &200.into()));
        }
    }
}

#[test]
fn several_files_and_threads_all_end_when_one_of_them_fails() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        let line = format!(
            "--engine {engine} --write-file w --threads 4 --io-parallel 2 --write-size 512k \
             --block-size 64k --loops 20 --quiet --format json"
        );
        let one = failed(target.aio("write:EIO:file=w.2:after=50", &line), &["of w.2 failed"]);
        assert_eq!(one["failures"][0]["tid"], 2);
        assert_eq!(target.folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn no_further_engine_is_run_after_one_that_failed_and_those_before_it_are_kept() {
    let Some(target) = Target::new() else { return };
    if target.engines().count() < ENGINES.len() {
        return;
    }
    let line = "--engine sync,libaio,uring --write-file w --write-size 1M --block-size 64k \
                --loops 1 --warmup-loops 0 --quiet --format json";
    let ended = target.aio("write:EIO:after=20", line).code(1).says(&["libaio", "of w.0 failed"]);
    let report = ended.json();
    let status = |engine: usize| &report["engines"][engine]["directions"][0]["status"];
    assert_eq!((status(0), status(1)), (&"complete".into(), &"failed".into()));
    assert!(report["engines"][0]["directions"][0]["requests_per_s"].as_f64().unwrap() > 0.0);
    assert_eq!(report["unavailable"][0]["engine"], "uring");
    assert_eq!(target.folder.names(), [""; 0]);
}
