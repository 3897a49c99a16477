//! What makes no sense, or cannot be done, is refused in one sentence before anything is made.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Folder, skip};

/// A line that would run if the words behind it made sense.
const GOOD: &str = "--engine null --write-file w --write-size 1M --buffered --quiet";

#[test]
fn values_out_of_range_name_flag_value_and_what_is_accepted() {
    let folder = Folder::new();
    for (flags, words) in [
        ("--block-size 0", ["--block-size", "'0'", "at least 1 byte"]),
        ("--block-size 2G", ["--block-size", "2147483648", "1073741824"]),
        ("--threads 0", ["--threads", "'0'", "from 1 to 4096"]),
        ("--loops 0", ["--loops", "'0'", "from 1 to 1000000"]),
        ("--loops -1", ["--loops", "'-1'", "from 1 to 1000000"]),
        ("--queue-depth 0", ["--queue-depth", "'0'", "from 1 to"]),
        ("--io-parallel 2", ["--io-parallel", "2", "1 block"]),
        ("--batch-complete 33", ["--batch-complete", "33", "from 1 to 32"]),
        ("--memory 2m", ["--memory", "'2m'", "thp, 4k, hugetlb"]),
        ("--cpus 65000", ["--cpus", "65000", "CPUs"]),
        ("--numa-node 1000", ["--numa-node", "1000", "no such node"]),
        ("--format xml", ["--format", "'xml'", "text, json, csv, classic"]),
    ] {
        folder.aio(&format!("{GOOD} {flags}")).refused(&words);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn sizes_that_are_none_name_flag_and_value() {
    let folder = Folder::new();
    for size in ["1Q", "0", "-1", "9223372036854775808", "8388608T", "1e3", "M", "1.5", "x,1M"] {
        let value = size.split(',').next().unwrap();
        folder.aio(&format!("--folder . --io-size {size}")).refused(&["--io-size", value]);
    }
    folder.aio("--write-file w --write-size ,1M").refused(&["--write-size"]);
}

#[test]
fn flags_that_contradict_each_other_are_named_both() {
    let folder = Folder::new();
    for (flags, words) in [
        ("--read-file f --folder .", ["--folder", "--read-file"]),
        ("--read-file f --sequential-requests --overlap-events", ["--overlap", "--sequential"]),
        ("--read-file f --single-submit --batch-submit 2", ["--single-submit", "--batch-submit"]),
        ("--read-file f --quiet --verbose", ["--quiet", "--verbose"]),
        ("--read-file f --concurrent", ["--concurrent", "to write"]),
        ("--io-size 1M", ["--io-size", "--folder"]),
        ("--write-file w", ["--write-file", "--write-size"]),
        ("--folder .", ["--folder", "--io-size"]),
        ("--folder-to-device-mapping .:x --io-size 1M", ["--folder-to-device-mapping", ".:x"]),
        ("--gpu --read-file f", ["--gpu", "not supported yet"]),
        ("--engine uring", ["nothing to move", "without any flag all engines are compared"]),
        ("--block-sise 1M", ["--block-sise", "--block-size"]),
        ("stray", ["'stray'", "unexpected"]),
    ] {
        folder.aio(flags).refused(&words);
    }
}

#[test]
fn an_engine_that_does_not_exist_is_named_with_those_that_do() {
    let folder = Folder::new();
    let words = ["\"urinng\"", "uring, libaio, sync"];
    folder.aio("--write-file w --write-size 1M --buffered --engine urinng").refused(&words);
    folder.aio(&format!("{GOOD} --engine null:fast")).refused(&["null:fast", "it has none"]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn more_threads_than_a_run_may_have_are_refused_with_the_limit() {
    let folder = Folder::new();
    let line = "--engine sync --write-file w --write-size 1M --buffered --queue-depth 100000";
    folder.aio(line).refused(&["100000", "1024"]);
}

#[test]
fn more_requests_than_the_machine_has_for_linux_aio_name_the_sysctl() {
    let folder = Folder::new();
    let sysctl = fs::read_to_string("/proc/sys/fs/aio-max-nr").unwrap_or_default();
    if !sysctl.trim().parse().is_ok_and(|most: u64| most < 100_000) {
        return skip(&format!("a queue that is too deep: fs.aio-max-nr is {sysctl:?}"));
    }
    if folder.can_run("libaio") {
        let words = ["100000", "sysctl -w fs.aio-max-nr="];
        for size in ["1M", "8G"] {
            let line = "--engine libaio --write-file w --buffered --queue-depth 100000";
            folder.aio(&format!("{line} --dry-run --write-size {size}")).refused(&words);
        }
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_deeper_ring_than_the_kernel_allows_names_its_limit() {
    let folder = Folder::new();
    if folder.can_run("uring") {
        let line = "--engine uring --write-file w --write-size 1M --buffered --queue-depth 100000";
        folder.aio(line).refused(&["100000", "32768"]);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_character_device_is_not_written_even_if_asked() {
    let folder = Folder::new();
    symlink("/dev/null", folder.path().join("w.0")).unwrap();
    for flags in ["", "--overwrite", "--overwrite --dry-run"] {
        folder.aio(&format!("{GOOD} {flags}")).refused(&["w.0", "a character device"]);
    }
    assert_eq!(folder.names(), ["w.0"]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    folder.file("empty", 0);
    fs::create_dir(folder.path().join("dir")).unwrap();
    let read = |name: &str| folder.aio(&format!("--engine null --buffered --read-file {name}"));
    read("missing").refused(&["missing", "No such file"]);
    read("empty").refused(&["empty"]);
    read("dir").refused(&["dir", "a folder"]);
    read("/dev/null").refused(&["/dev/null", "a character device"]);
    mkfifo(&folder.path().join("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    read("fifo").refused(&["fifo", "a FIFO"]);
    let secret = folder.file("secret", 4096);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&secret).is_ok() {
        skip("this user may read every file");
    } else {
        read("secret").refused(&["secret", "Permission denied"]);
    }
}

#[test]
fn one_missing_folder_of_two_is_named_and_the_other_stays_empty() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("good")).unwrap();
    let line = "--engine null --buffered --folder good bad --io-size 1M";
    folder.aio(line).refused(&["bad", "No such file"]);
    assert_eq!(fs::read_dir(folder.path().join("good")).unwrap().count(), 0);
}

#[test]
fn a_foreign_file_is_not_overwritten_unless_asked() {
    let folder = Folder::new();
    let path = folder.file("w.0", 3);
    let before = fs::read(&path).unwrap();
    folder.aio(GOOD).refused(&["w.0", "--overwrite"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    folder.aio(&format!("{GOOD} --overwrite")).code(0);
}

#[test]
fn results_that_could_not_be_written_are_foreseen() {
    let folder = Folder::new();
    folder.aio(&format!("{GOOD} --output missing/r")).refused(&["missing/r", "No such file"]);
    folder.aio(&format!("{GOOD} --output .")).refused(&["a folder"]);
    folder.file("f", 4096);
    let line = "--engine null --buffered --quiet --read-file f --output ./f";
    folder.aio(line).refused(&["f is a file", "would replace it"]);
    assert_eq!(folder.names(), ["f"]);
}
