//! `/proc` and `/sys` that are not there: runs work, and say what could not be seen.

use std::fs;

use crate::devices::Loop;
use crate::support::{AIO, ENGINES, Ended, Folder, skip};

/// Runs the program in `folder` where the folders `hidden` are empty. `None`, said aloud, where
/// nobody may mount anything.
fn aio_without(folder: &Folder, hidden: &str, line: &str) -> Option<Ended> {
    // A user who is not root is, in a name space of his own.
    let user = if is_root() { "" } else { "--user --map-root-user" };
    // What cannot be unmounted, because others see it too, is covered.
    let script = format!(
        "for path in {hidden}; do mount -t tmpfs -o ro,size=4k none $path || exit 125; done
         exec \"$0\" \"$@\""
    );
    let mut unshare = folder.program("unshare");
    unshare.args(user.split_whitespace()).args(["--mount", "sh", "-c", &script, AIO]);
    let output = match unshare.args(line.split_whitespace()).output() {
        Ok(output) => output,
        Err(error) => {
            skip(&format!("no name space of mounts: {error}"));
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(125) || said.starts_with("unshare: ") {
        skip(&format!("no name space of mounts: {said}"));
        return None;
    }
    Some(Ended::new(&format!("{line} (without {hidden})"), &output))
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

const HIDDEN: [&str; 3] = ["/proc", "/sys", "/proc /sys"];

#[test]
fn runs_of_every_engine_work_without_proc_and_sys() {
    let folder = Folder::new();
    folder.file("r", 1 << 20);
    for hidden in HIDDEN {
        for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
            let line = format!(
                "--engine {engine} --buffered --quiet --write-file w --write-size 1000003 \
                 --read-file r --validate --format json"
            );
            let Some(ended) = aio_without(&folder, hidden, &line) else { return };
            let json = ended.code(0).json();
            assert_eq!(json["status"], "complete", "{engine} without {hidden}");
            let line = format!(
                "--engine {engine} --buffered --quiet --file b --rw randrw --size 1M --block-size \
                 4k --verify crc32c --format json"
            );
            let Some(ended) = aio_without(&folder, hidden, &line) else { return };
            assert_eq!(ended.code(0).json()["status"], "complete", "{engine} without {hidden}");
            assert_eq!(folder.names(), ["r"], "{engine} without {hidden}");
        }
    }
}

#[test]
fn every_form_of_results_works_without_proc_and_sys() {
    let folder = Folder::new();
    for format in ["text --verbose", "csv", "classic", "fio-json"] {
        let line = format!("--buffered --write-file w --write-size 1M --format {format}");
        let Some(ended) = aio_without(&folder, "/proc /sys", &line) else { return };
        let ended = ended.code(0);
        assert!(!ended.stdout.is_empty() && !ended.stderr.contains("panic"), "{}", ended.stderr);
    }
    for line in [
        "engines",
        "",
        "compare --engine sync,null --buffered --rounds 2 --write-file w \
                 --write-size 64k --cool-down 0 --quiet",
    ] {
        let Some(ended) = aio_without(&folder, "/proc /sys", line) else { return };
        assert!(!ended.code(0).stdout.is_empty(), "{line}");
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_cannot_be_seen_of_a_device_is_doubted_and_it_is_not_written() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &["--direct-io=on"]) else { return };
    let name = disk.name();
    let before = disk.content();
    for hidden in HIDDEN {
        let line = format!(
            "--engine sync --quiet --write-file {name} --write-size 1M --allow-device {name}"
        );
        let Some(ended) = aio_without(&folder, hidden, &line) else { return };
        ended.refused(&[name]);
        assert!(disk.content() == before, "{name} was written without {hidden}");
        let line = format!("--engine sync --quiet --read-file {name} --loops 1 --format json");
        let Some(ended) = aio_without(&folder, hidden, &line) else { return };
        let direction = ended.code(0).direction();
        assert_eq!(direction["status"], "complete", "{name} without {hidden}");
        let doubts = direction["doubts"].as_array().expect("doubts are a list");
        let unseen = doubts.iter().any(|doubt| doubt["code"] == "unseen");
        assert!(unseen, "{name} without {hidden}: {doubts:?}");
    }
}
