//! Limits of the process, and places where it may not write.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{ENGINES, Folder, skip};

/// The bit of `CAP_IPC_LOCK`, with which the limit of locked memory means nothing.
pub(crate) const CAP_IPC_LOCK: u32 = 14;

/// Whether this process has the capability of this number.
pub(crate) fn has_capability(bit: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << bit) != 0)
}

#[test]
fn a_file_that_may_not_grow_fails_the_run_and_no_signal_ends_the_program() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 8M --format json"
        );
        // Blocks of 512 bytes or of 1 KiB, as the shell likes.
        let ended = folder.shell("ulimit -f 1024 && exec \"$0\" \"$@\"", &line).code(1);
        let ended = ended.says(&[engine, " at offset ", " of w.0 ", "File too large (EFBIG)"]);
        assert_eq!(ended.direction()["failures"][0]["errno"], "EFBIG");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}

#[test]
fn a_file_to_read_that_may_not_grow_cannot_be_filled_and_is_removed() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --folder . --io-size 8M --read";
    let ended = folder.shell("ulimit -f 1024 && exec \"$0\" \"$@\"", line).code(1);
    ended.says(&["cannot fill ./_aio_read_8388608.pt.0_0", "File too large"]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn without_arguments_a_file_that_may_not_grow_stays_small() {
    let folder = Folder::new();
    let ended = folder.shell("ulimit -f 20480 && exec \"$0\"", "").code(0);
    assert!(ended.stdout.contains("A temporary file in "), "{}", ended.stdout);
    let ended = folder.shell("ulimit -f 100 && exec \"$0\"", "").code(1);
    ended.says(&["cannot fill a temporary file in ", "File too large"]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_run_gets_by_with_few_descriptors() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!("--engine {engine} --buffered --quiet --write-file w --write-size 8M");
        folder.shell("ulimit -n 16 && exec \"$0\" \"$@\"", &line).code(0);
    }
}

#[test]
fn a_run_that_needs_more_descriptors_than_allowed_fails_in_one_sentence() {
    let folder = Folder::new();
    let common = "--buffered --quiet --threads 16 --format json";
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let write = format!("--engine {engine} {common} --write-file w --write-size 1M");
        let ended = folder.shell("ulimit -n 16 && exec \"$0\" \"$@\"", &write).code(1);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        let ended = ended.says(&["Failure in ", " of 16 Write tasklets", "Too many open files"]);
        let ended = ended.says(&["; raise the limit with ulimit -n"]);
        assert_eq!(ended.direction()["status"], "failed");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
    // Files that are there are opened before anything starts.
    for tid in 0..16 {
        folder.file(&format!("r.{tid}"), 4096);
    }
    let read = format!("--engine null {common} --read-file r.{{tid}}");
    let ended = folder.shell("ulimit -n 16 && exec \"$0\" \"$@\"", &read);
    ended.refused(&["r.", "Too many open files", "; raise the limit with ulimit -n"]);
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_in_every_role() {
    let folder = Folder::new();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        return skip("a folder that may not be written: this user may write everywhere");
    }
    for work in [
        "--folder closed --io-size 1M",
        "--folder closed --io-size 1M --read",
        "--folder . closed --io-size 1M",
        "--write-file closed/w --write-size 1M",
        "--write-file w --write-size 1M --output closed/r",
    ] {
        let line = format!("--engine null --buffered {work}");
        folder.aio(&line).refused(&["closed", "Permission denied"]);
        assert_eq!(folder.names(), ["closed"], "{line}");
    }
}

#[test]
fn a_full_device_for_the_results_is_an_error_after_the_files_are_removed() {
    let folder = Folder::new();
    for format in ["text", "json", "csv", "classic"] {
        let line = "--engine null --buffered --quiet --write-file w --write-size 1M";
        let ended = folder.aio(&format!("{line} --output /dev/full --format {format}")).code(1);
        assert_eq!(ended.stdout, "");
        ended.says(&["cannot write results to /dev/full", "No space left on device"]);
        assert_eq!(folder.names(), [""; 0]);
    }
}
