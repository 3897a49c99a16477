//! Plans that cannot be carried out on the file that is there: it stays as it is, in content and
//! time.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::support::{AIO, Ended, Folder, skip};

const NULL: &str = "--engine null --buffered --quiet --block-size 4k";

/// What would be seen to change if the file were touched.
fn looks(path: &Path) -> (Vec<u8>, i64, i64, i64, u64, u32) {
    let there = fs::metadata(path).expect("the file is there");
    let content = fs::read(path).expect("the file can be read");
    (content, there.mtime(), there.mtime_nsec(), there.ctime(), there.ino(), there.mode())
}

#[test]
fn what_lies_beyond_a_file_is_neither_read_nor_written() {
    let folder = Folder::new();
    let path = folder.file("f", 64 << 10);
    let before = looks(&path);
    for (flags, words) in [
        ("--size 128k", ["65536 bytes", "--size asks for 131072"]),
        ("--size 64k --offset 4k", ["61440 bytes from --offset on, of 65536", "65536"]),
        ("--size 8k --offset 60k", ["4096 bytes from --offset on", "8192"]),
        ("--offset 64k", ["has 65536 bytes", "--offset 65536 leaves nothing"]),
        ("--offset 1M", ["has 65536 bytes", "--offset 1048576"]),
        ("--offset 62k", ["2048 bytes", "no whole block of 4096"]),
        ("--offset 9223372036854775807", ["65536 bytes", "9223372036854775807"]),
        ("--offset 9223372036854775807 --size 4k", ["--offset", "below 2^63"]),
        ("--offset 9223372036854771711 --size 4097", ["--offset", "below 2^63"]),
        ("--size 9223372036854775807", ["65536 bytes", "9223372036854775807"]),
        (
            "--size 9223372036854775807 --offset 1 --threads 4096 --loops 1000000",
            ["--offset", "2^63"],
        ),
    ] {
        for mode in ["read", "randread", "write", "randwrite", "rw", "randrw --threads 2"] {
            let line = format!("{NULL} --file f --overwrite --rw {mode} {flags}");
            let line =
                if flags.contains("--threads") { line.replace(" --threads 2", "") } else { line };
            folder.aio(&line).refused(&words);
        }
    }
    assert_eq!(looks(&path), before);
    assert_eq!(folder.names(), ["f"]);
}

#[test]
fn what_contradicts_itself_is_refused_before_a_file_is_looked_at() {
    let folder = Folder::new();
    let path = folder.file("f", 64 << 10);
    let before = looks(&path);
    let most = u64::MAX.to_string();
    for file in ["f --overwrite", "g --size 64k"] {
        for (flags, words) in [
            ("--rw randread --bssplit 4k/60:64k/50", ["--bssplit", "110 %"]),
            ("--rw randread --bssplit 4k/60:64k/30", ["--bssplit", "90 %"]),
            ("--rw randread --bssplit 4k/60,8k/40", ["--bssplit", "one list"]),
            ("--rw randread --bssplit 1g/50:4k/50 --iodepth 4", ["block", "1073741824"]),
            ("--rw randread --rwmixread 50", ["--rwmixread", "randrw"]),
            ("--rw write --rwmixread 50", ["--rwmixread", "randrw"]),
            ("--rwmixread 50", ["--rwmixread", "randrw"]),
            ("--rw randrw --rwmixread 101", ["--rwmixread", "from 0 to 100"]),
            ("--rw read --fsync 1", ["--fsync", "need writes"]),
            ("--rw randread --fdatasync 1", ["--fdatasync", "need writes"]),
            ("--rw read --end-fsync", ["--end-fsync", "needs writes"]),
            ("--rw randread --norandommap --random-distribution zipf:0", ["--random", "zipf"]),
            ("--rw write --random-distribution zipf:1.2", ["--random-distribution", "randwrite"]),
            ("--rw read --norandommap", ["--norandommap", "randread"]),
            ("--io-parallel 3 --number-ios 2", ["--io-parallel 3", "--number-ios 2"]),
            ("--io-parallel 3 --io-limit 8k", ["--io-parallel 3", "--io-limit 8192"]),
            ("--io-parallel 17", ["--io-parallel 17", "16 block(s)"]),
            ("--ramp-time 1s --warmup-loops 0", ["--ramp-time", "--warmup-loops"]),
            ("--rw write --drop-cache --number-ios {}", ["--number-ios", "from 1 to"]),
        ] {
            let bs = if flags.contains("bssplit") { "" } else { "--block-size 4k" };
            let flags = flags.replace("{}", &most);
            let line = format!("--engine null --buffered --quiet {bs} --file {file} {flags}");
            folder.aio(&line).refused(&words);
        }
    }
    assert_eq!(looks(&path), before);
    assert_eq!(folder.names(), ["f"]);
}

/// Runs something that a test needs; says aloud when it cannot be done.
fn done(program: &str, arguments: &[&str], path: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(path).output();
    match output {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            skip(&format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()));
            false
        }
        Err(error) => {
            skip(&format!("{program}: {error}"));
            false
        }
    }
}

/// Makes a file changeable again when the test ends, however it ends.
struct Changeable<'a>(&'a Path);

impl Drop for Changeable<'_> {
    fn drop(&mut self) {
        let _best_effort = Command::new("chattr").arg("-i").arg(self.0).status();
    }
}

#[test]
fn a_file_that_not_even_root_may_change_is_read_and_not_mixed() {
    let folder = Folder::new();
    let path = folder.file("f", 64 << 10);
    if !done("chattr", &["+i"], &path) {
        return;
    }
    let _changeable = Changeable(&path);
    let before = looks(&path);
    for mode in ["randrw", "rw --rwmixread 100", "randrw --rwmixread 0", "write", "randwrite"] {
        for engine in ["null", "sync"] {
            let line = format!(
                "--engine {engine} --buffered --quiet --block-size 4k --file f --overwrite --rw {mode}"
            );
            folder.aio(&line).refused(&["f", "Operation not permitted"]);
        }
    }
    folder.aio(&format!("{NULL} --file f --rw randread")).code(0);
    assert_eq!(looks(&path), before);
}

#[test]
fn a_file_that_a_user_may_only_read_is_read_and_not_mixed() {
    let folder = Folder::new();
    let path = folder.file("f", 64 << 10);
    let mode = |path: &Path, bits| {
        fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("it is ours");
    };
    mode(&path, 0o444);
    mode(folder.path(), 0o755);
    let before = looks(&path);
    let is_root = fs::OpenOptions::new().write(true).open(&path).is_ok();
    let aio = |line: &str| {
        let mut user = if is_root { folder.program("setpriv") } else { folder.program(AIO) };
        if is_root {
            user.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", AIO]);
        }
        user.args(line.split(' ')).output().ok().map(|output| Ended::new(line, &output))
    };
    let read = format!("{NULL} --file f --rw randread");
    match aio(&read) {
        Some(ended) if ended.code == 0 => {}
        Some(ended) => return skip(&format!("another user than root: {}", ended.stderr.trim())),
        None => return skip("another user than root: there is no setpriv"),
    }
    for how in ["randrw", "rw", "randwrite", "write"] {
        let ended = aio(&format!("{NULL} --file f --overwrite --rw {how}")).expect("it ran before");
        ended.refused(&["f", "Permission denied"]);
    }
    assert_eq!(looks(&path), before);
    assert_eq!(folder.names(), ["f"]);
}

#[test]
fn sums_that_do_not_fit_64_bits_end_in_no_panic() {
    let folder = Folder::new();
    // Written from front to end, so nothing is filled; and this engine moves nothing.
    let line = format!("{NULL} --file f --rw write --number-ios 2 --loops 3");
    for flags in [
        "--size 9223372036854775807 --threads 8",
        "--size 4611686018427387904 --threads 64 --io-parallel 2",
        "--size 64k --offset 9223372036854700000 --threads 4",
        "--size 9223372036854775807 --threads 3 --runtime 1ms",
    ] {
        folder.aio(&format!("{line} {flags}")).code(0);
        folder.aio(&format!("{line} {flags} --format json")).code(0);
        folder.aio(&format!("{line} {flags} --dry-run")).code(0);
        assert_eq!(folder.names(), [""; 0], "{flags}");
    }
    let filled = folder.aio(&format!("{NULL} --file f --rw randread --size 8191P")).code;
    assert_eq!(filled, 2, "there is no unit P");
}

#[test]
fn a_file_that_cannot_be_filled_for_lack_of_space_is_not_begun() {
    let folder = Folder::new();
    for work in [
        "--file f --rw randread --size 4096T",
        "--file f --rw randrw --size 9223372036854775807 --threads 8",
        "--file f.{tid} --rw randread --size 2000T --threads 4",
        "--file f --rw randwrite --size 4k --offset 4096T",
        "--folder . --read --io-size 4096T --dry-run",
    ] {
        for dry in ["", "--dry-run"] {
            let dry = if work.contains("dry-run") { "" } else { dry };
            let ended = folder.aio(&format!("{NULL} {work} {dry}")).code(1);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert!(
                ended.stderr.contains("(ENOSPC); use a smaller size")
                    || (work.contains("--folder") && ended.stderr.contains("of memory")),
                "{work}: {}",
                ended.stderr
            );
            assert_eq!(folder.names(), [""; 0], "{work}");
        }
    }
}
