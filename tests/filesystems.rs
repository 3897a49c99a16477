//! File systems that are full, in memory, without direct I/O or read-only.
//!
//! Each is mounted in a namespace that only the program and a shell around it see, which ordinary
//! users may do on many machines.

use std::fs;

use crate::support::{AIO, ENGINES, Ended, Folder, skip};

pub(crate) const SMALL_TMPFS: &str = "mount -t tmpfs -o size=30m tmpfs there";
const TMPFS: &str = "mount -t tmpfs tmpfs there";
const RAMFS: &str = "mount -t ramfs ramfs there";
const READ_ONLY: &str =
    "mount -t tmpfs tmpfs there && echo mine > there/f && mount -o bind,ro there there";

/// Ways into a mount namespace: for everybody, and for root where the first is switched off.
const WAYS: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];

/// How the program ended in a file system of its own, and the names that it left there.
pub(crate) struct Tried {
    pub(crate) ended: Ended,
    pub(crate) left: String,
}

/// Runs the program in what `mount` mounts at the folder `there`. `None`, said aloud, when nothing
/// can be mounted here.
pub(crate) fn aio_on(mount: &str, line: &str) -> Option<Tried> {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("there")).expect("there is room");
    // A program that hangs is killed by `timeout`, because killing `unshare` would not reach it.
    let script = format!(
        "{mount} && cd there && timeout 9 true || exit 125
         timeout -s KILL 60 \"$0\" \"$@\"
         code=$?
         ls -A > ../left
         exit $code"
    );
    let mut reasons = Vec::new();
    for way in WAYS {
        let mut command = folder.program("unshare");
        let command = command.args(way).args(["sh", "-c", &script, AIO]);
        match command.args(line.split_whitespace()).output() {
            Err(error) => reasons.push(format!("unshare: {error}")),
            Ok(output) => {
                let ended = Ended::new(&format!("{line} (after {mount})"), &output);
                if let Ok(left) = fs::read_to_string(folder.path().join("left")) {
                    return Some(Tried { ended, left });
                }
                assert_eq!(ended.stdout, "", "the program ran, though it was not to");
                reasons.push(ended.stderr);
            }
        }
    }
    skip(&format!("{mount}: {}", reasons.join("; ")));
    None
}

/// The engines that can run here.
fn engines() -> impl Iterator<Item = &'static str> {
    let folder = Folder::new();
    ENGINES.into_iter().filter(move |engine| folder.can_run(engine))
}

/// Whether direct I/O was refused, as by tmpfs before Linux 6.6; said aloud.
pub(crate) fn is_refused(tried: &Tried) -> bool {
    let refused = tried.ended.code == 2 && tried.ended.stderr.contains("refuses O_DIRECT");
    if refused {
        skip(&tried.ended.stderr);
    }
    refused
}

#[test]
fn a_full_file_system_fails_the_run_with_the_offset_and_the_partial_file_is_removed() {
    // How much time lets a run write is not known, so that it is not refused beforehand.
    for engine in engines() {
        for flags in ["", "--buffered"] {
            let line = format!(
                "--engine {engine} --file w --rw write --size 256M --runtime 1m --format json --quiet \
                 {flags}"
            );
            let Some(tried) = aio_on(SMALL_TMPFS, &line) else { return };
            if is_refused(&tried) {
                continue;
            }
            assert_eq!(tried.left, "", "{line}");
            let words = [engine, " at offset ", " of w ", "No space left on device (ENOSPC)"];
            let ended = tried.ended.code(1).says(&words);
            let direction = ended.direction();
            assert_eq!(direction["status"], "failed");
            assert_eq!(direction["task_speed_gib_per_s"], serde_json::Value::Null);
            let failure = &direction["failures"][0];
            assert_eq!((&failure["path"], &failure["errno"]), (&"w".into(), &"ENOSPC".into()));
            let offset = failure["offset_bytes"].as_u64().unwrap();
            assert!(offset < 256 << 20, "{offset}");
        }
    }
}

#[test]
fn a_file_to_read_that_does_not_fit_its_file_system_is_not_begun() {
    let line = "--engine sync --buffered --quiet --folder . --io-size 64M --read";
    let Some(tried) = aio_on(SMALL_TMPFS, line) else { return };
    assert_eq!(tried.left, "");
    tried.ended.code(1).says(&[
        "what would be written in . needs 64 MiB more and 30 MiB are free",
        "No space left on device (ENOSPC); use a smaller size",
    ]);
}

#[test]
fn a_file_system_without_direct_io_is_refused_and_nothing_is_made() {
    for engine in engines() {
        for work in ["--write-file w --write-size 2M", "--folder . --io-size 2M --read"] {
            let line = format!("--engine {engine} {work}");
            let Some(tried) = aio_on(RAMFS, &line) else { return };
            assert_eq!(tried.left, "", "{line}");
            tried.ended.refused(&["refuses O_DIRECT", "--buffered"]);
        }
    }
}

#[test]
fn a_file_system_without_direct_io_runs_when_buffered_is_asked() {
    for engine in engines() {
        let line =
            format!("--engine {engine} --buffered --folder . --io-size 2M --validate --read");
        let Some(tried) = aio_on(RAMFS, &format!("{line} --quiet --format json")) else { return };
        assert_eq!(tried.left, "", "{line}");
        let direction = tried.ended.code(0).direction();
        assert_eq!(doubts(&direction), ["buffered", "memory-file-system", "short-run"], "{line}");
    }
}

#[test]
fn direct_io_to_memory_is_doubtful_and_an_error_with_strict() {
    for engine in engines() {
        let line = format!("--engine {engine} --write-file w --write-size 2M --quiet");
        let Some(tried) = aio_on(TMPFS, &format!("{line} --format json")) else { return };
        if is_refused(&tried) {
            return;
        }
        let direction = tried.ended.code(0).direction();
        assert_eq!(doubts(&direction), ["memory-file-system", "short-run"], "{line}");
        let Some(text) = aio_on(TMPFS, &line) else { return };
        let ended = text.ended.code(0);
        assert!(ended.stdout.contains("doubtful"), "{}", ended.stdout);
    }
    let line = "--engine sync --write-file w --write-size 1M --block-size 64k --strict --quiet";
    let Some(strict) = aio_on(TMPFS, line) else { return };
    assert_eq!(strict.left, "");
    strict.ended.code(3).says(&["--strict: ", "write is doubtful: tmpfs keeps files in memory"]);
}

/// The codes of what makes a result doubtful.
fn doubts(direction: &serde_json::Value) -> Vec<&str> {
    let doubts = direction["doubts"].as_array().expect("a list of doubts");
    doubts.iter().map(|doubt| doubt["code"].as_str().expect("a code")).collect()
}

#[test]
fn without_arguments_a_file_system_without_direct_io_is_used_buffered_and_doubted() {
    let Some(tried) = aio_on(RAMFS, "") else { return };
    assert_eq!(tried.left, "");
    let ended = tried.ended.code(0).says(&["refuses O_DIRECT", "buffered", "doubtful"]);
    assert!(ended.stdout.contains("sync"), "{}", ended.stdout);
    assert!(ended.stdout.contains("write is doubtful: ramfs keeps files in memory"));
    let rows = ended.stdout.lines().filter(|line| line.ends_with("  ok"));
    assert_eq!(rows.count(), 0, "{}", ended.stdout);
}

#[test]
fn without_arguments_a_small_file_system_gets_a_smaller_file() {
    let Some(tried) = aio_on(SMALL_TMPFS, "") else { return };
    assert_eq!(tried.left, "");
    let ended = tried.ended.code(0);
    assert!(ended.stdout.contains("without a name), 28 MiB"), "{}", ended.stdout);
}

#[test]
fn a_file_system_that_cannot_be_written_is_refused() {
    let words = ["Read-only file system"];
    for line in [
        "",
        "--engine sync --buffered --write-file w --write-size 1M",
        "--engine sync --buffered --write-file f --write-size 1M --overwrite",
        "--engine sync --buffered --folder . --io-size 1M --read",
        "--engine null --buffered --write-file ../w --write-size 1M --output r",
    ] {
        let Some(tried) = aio_on(READ_ONLY, line) else { return };
        assert_eq!(tried.left, "f\n", "aio {line}");
        tried.ended.refused(&words);
    }
    let line = "--engine sync --buffered --quiet --read-file f --validate";
    let Some(tried) = aio_on(READ_ONLY, line) else { return };
    tried.ended.code(0);
}
