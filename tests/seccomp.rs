//! Kernels and containers without some system calls, as `ci/lab/without-syscalls.c` plays them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{AIO, Ended, Folder, skip};

pub(crate) const ENOSYS: u32 = 38;
pub(crate) const EPERM: u32 = 1;

pub(crate) const IO_URING: &str = "io_uring_setup,io_uring_enter,io_uring_register";
pub(crate) const BOTH: &str = "io_uring_setup,io_uring_enter,io_uring_register,io_setup";

const LINE: &str = "--buffered --write-file w --write-size 1M";

/// The filter, ready to run, or why there is none here.
fn filter() -> Result<&'static Path, &'static str> {
    static FILTER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match FILTER.get_or_init(|| compile().and_then(try_out)) {
        Ok(path) => Ok(path),
        Err(reason) => Err(reason),
    }
}

fn compile() -> Result<PathBuf, String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../ci/lab/without-syscalls.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Made beside and renamed: another process may be running the one that is there.
    let beside = folder.join(format!("without-syscalls.{}", std::process::id()));
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let compiler = compiler.env("LC_ALL", "C").args(["-Wall", "-Wextra", source, "-o"]);
    let output =
        compiler.arg(&beside).output().map_err(|error| format!("a C compiler: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No such file or directory") {
        return Err(format!("the headers of C and Linux: {said}"));
    }
    assert!(output.status.success(), "{source} does not compile:\n{said}");
    let path = folder.join("without-syscalls");
    fs::rename(&beside, &path).map_err(|error| error.to_string())?;
    Ok(path)
}

fn try_out(filter: PathBuf) -> Result<PathBuf, String> {
    let output =
        Command::new(&filter).args(["38", "io_uring_setup,o_direct", "--", "true"]).output();
    match output {
        Ok(output) if output.status.success() => Ok(filter),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs the program in `folder` while `calls` fail with `errno`. `None`, said aloud, when there is
/// no filter here.
pub(crate) fn aio_without(folder: &Folder, calls: &str, errno: u32, line: &str) -> Option<Ended> {
    let filter =
        filter().inspect_err(|reason| skip(&format!("no seccomp filter: {reason}"))).ok()?;
    let mut command = folder.program(filter);
    let command = command.args([&errno.to_string(), calls, "--", AIO]);
    let output = command.args(line.split_whitespace()).output().expect("the filter can be started");
    Some(Ended::new(&format!("{line} (without {calls})"), &output))
}

#[test]
fn without_io_uring_the_listing_says_why_and_has_its_options_all_the_same() {
    let folder = Folder::new();
    let Some(ended) = aio_without(&folder, IO_URING, ENOSYS, "engines uring --format json") else {
        return;
    };
    let uring = ended.code(0).json()["engines"][0].take();
    assert_eq!(uring["can_run"], false);
    assert!(uring["reason"].as_str().is_some_and(|reason| reason.contains("ENOSYS")), "{uring}");
    let options = uring["options"].as_array().unwrap();
    assert!(!options.is_empty() && options.iter().all(|one| one["here"].is_null()), "{uring}");
}

#[test]
fn without_io_uring_auto_takes_libaio_and_says_so() {
    let folder = Folder::new();
    if !folder.can_run("libaio") {
        return;
    }
    let Some(text) = aio_without(&folder, IO_URING, ENOSYS, LINE) else { return };
    let text = text.code(0).says(&["--engine auto takes libaio", "uring: ", "ENOSYS"]);
    let row = text.stdout.lines().find(|line| line.starts_with("libaio"));
    assert!(row.is_some_and(|row| row.contains("write")), "{}", text.stdout);

    let line = format!("{LINE} --format json --quiet");
    let Some(ended) = aio_without(&folder, IO_URING, ENOSYS, &line) else { return };
    let ended = ended.code(0);
    assert_eq!(ended.stderr, "", "--quiet");
    let receipts = ended.receipts("engine");
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert_eq!(
        (&receipts[0]["asked"], &receipts[0]["granted"]),
        (&"auto".into(), &"libaio".into())
    );
    assert!(receipts[0]["why_not"].as_str().unwrap().contains("ENOSYS"), "{receipts:?}");
    let json = ended.json();
    assert_eq!(json["engines"][0]["engine"], "libaio");
    assert_eq!(json["unavailable"][0]["engine"], "uring");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn without_io_uring_it_is_refused_by_name_with_the_reason_and_the_cure() {
    let folder = Folder::new();
    let line = format!("{LINE} --engine uring");
    let Some(ended) = aio_without(&folder, IO_URING, ENOSYS, &line) else { return };
    ended.refused(&["uring", "ENOSYS", "Linux 5.", "seccomp"]);
    let Some(ended) = aio_without(&folder, IO_URING, EPERM, &line) else { return };
    ended.refused(&["uring", "EPERM", "container or seccomp profile", "allow io_uring_setup"]);
    let line = format!("{LINE} --engine sync,uring");
    let Some(ended) = aio_without(&folder, IO_URING, ENOSYS, &line) else { return };
    ended.refused(&["uring", "ENOSYS"]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn without_linux_aio_it_is_refused_by_name_with_the_reason_and_the_cure() {
    let folder = Folder::new();
    let line = format!("{LINE} --engine libaio");
    for (call, errno, name) in [
        ("io_setup", ENOSYS, "ENOSYS"),
        ("io_setup", EPERM, "EPERM"),
        ("io_submit", EPERM, "EPERM"),
    ] {
        let Some(ended) = aio_without(&folder, call, errno, &line) else { return };
        ended.refused(&["libaio", call, name, "seccomp filter", "allow io_setup"]);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn without_io_uring_and_linux_aio_auto_takes_sync_and_says_why() {
    let folder = Folder::new();
    for (errno, name) in [(ENOSYS, "ENOSYS"), (EPERM, "EPERM")] {
        let Some(ended) = aio_without(&folder, BOTH, errno, LINE) else { return };
        let setup = [format!("io_uring_setup: {name}"), format!("io_setup: {name}")];
        ended.code(0).says(&["auto takes sync", "uring: ", "libaio: ", &setup[0], &setup[1]]);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn an_engine_that_auto_passed_over_is_refused_by_strict_before_anything_is_made() {
    let folder = Folder::new();
    let line = "--strict --write-file w --write-size 1M --buffered";
    let Some(ended) = aio_without(&folder, BOTH, ENOSYS, line) else { return };
    ended.refused(&["--strict: engine was asked as auto and granted as sync", "ENOSYS"]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn without_arguments_an_engine_that_cannot_run_is_named_with_the_reason() {
    let folder = Folder::new();
    let Some(ended) = aio_without(&folder, IO_URING, ENOSYS, "") else { return };
    let stdout = ended.code(0).stdout;
    assert!(stdout.contains("unavailable: uring"), "{stdout}");
    assert!(stdout.contains("io_uring_setup: ENOSYS"), "{stdout}");
    assert!(stdout.lines().any(|line| line.starts_with("sync ")), "{stdout}");
    assert!(!stdout.lines().any(|line| line.starts_with("uring ")), "{stdout}");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_data_is_right_without_calls_that_an_engine_can_do_without() {
    let folder = Folder::new();
    let line =
        "--buffered --quiet --validate --write-file w --write-size 1000003 --loops 1 --engine";
    for (engine, calls) in [
        ("libaio", "io_pgetevents"),
        ("sync", "preadv2,pwritev2,statx,fallocate"),
        ("sync", "mbind,ioprio_set,sched_setaffinity"),
    ] {
        if !folder.can_run(engine) {
            continue;
        }
        let line = format!("{line} {engine}");
        let Some(ended) = aio_without(&folder, calls, ENOSYS, &line) else { return };
        let ended = ended.code(0);
        assert!(ended.stdout.contains("validated: "), "{}", ended.stdout);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn direct_io_that_is_refused_names_buffered_and_nothing_is_made() {
    let folder = Folder::new();
    let there = folder.file("there", 4096);
    for work in [
        "--write-file w --write-size 1M",
        "--write-file there --write-size 1M --overwrite",
        "--folder . --io-size 1M --read",
        "--read-file there",
    ] {
        let line = format!("--engine sync {work}");
        let Some(ended) = aio_without(&folder, "o_direct", ENOSYS, &line) else { return };
        ended.refused(&["refuses O_DIRECT", "--buffered"]);
        assert_eq!(folder.names(), ["there"], "{line}");
    }
    assert_eq!(fs::metadata(there).unwrap().len(), 4096);
    let line = "--engine sync --buffered --quiet --read-file there --validate";
    let Some(ended) = aio_without(&folder, "o_direct", ENOSYS, line) else { return };
    ended.code(0);
}

#[test]
fn without_arguments_direct_io_that_is_refused_is_told_and_doubted() {
    let folder = Folder::new();
    let Some(ended) = aio_without(&folder, "o_direct", ENOSYS, "") else { return };
    let ended = ended.code(0).says(&["refuses O_DIRECT", "buffered", "doubtful"]);
    assert!(ended.stdout.contains("write is doubtful: buffered I/O"), "{}", ended.stdout);
    assert_eq!(folder.names(), [""; 0]);
}
