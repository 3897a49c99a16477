//! Files that somebody cuts, removes or replaces while the program works with them.
//!
//! The program is held at a request in the middle of its work, so that nobody has to guess when
//! that is.

use std::fs::{self, OpenOptions};

use super::{Target, failed};
use crate::signals::Running;

/// Holds the 100th request until the test lets it go on.
const HELD: &str = "direct-io read:hold:after=100:times=1:mark=held \
                    write:hold:after=100:times=1:mark=held";

const BLOCKS: &str = "--file f --size 1M --block-size 4k --queue-depth 4 --number-ios 150 \
                      --warmup-loops 0 --loops 2 --quiet --format json --overwrite";

/// Starts the program, and changes something when it is held.
#[track_caller]
fn changed_by(target: &Target, line: &str, change: impl Fn(&Target)) -> Running {
    let mut running = target.start(HELD, line);
    let at = |name: &str| target.folder.path().join(name);
    running.until(|_| at("held").exists());
    change(target);
    fs::write(at("release"), "").expect("the folder can be written");
    running
}

/// Removes what held the program; says what is left.
fn left(target: &Target) -> Vec<String> {
    for name in ["held", "release"] {
        fs::remove_file(target.folder.path().join(name)).expect("what it made is there");
    }
    target.folder.names()
}

#[test]
fn reads_behind_the_new_end_of_a_file_that_was_cut_are_no_completed_ones() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for flags in ["", "--buffered --drop-cache"] {
            target.folder.file("f", 1 << 20);
            let line = format!("--engine {engine} {BLOCKS} --rw randread {flags}");
            let running = changed_by(&target, &line, |target| {
                let file = OpenOptions::new().write(true).open(target.folder.path().join("f"));
                file.unwrap().set_len(65536).unwrap();
            });
            let one = failed(running.ended(), &["0 bytes were moved inside the file", " of f "]);
            let offset = one["failures"][0]["offset_bytes"].as_u64().unwrap();
            assert!(offset >= 65536, "{offset}");
            assert_eq!(left(&target), ["f"]);
        }
    }
}

#[test]
fn a_file_that_was_cut_while_it_is_written_is_found_by_validation() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        let line = format!(
            "--engine {engine} --write-file w --write-size 8M --block-size 64k --loops 1 \
             --warmup-loops 0 --validate --quiet --format json"
        );
        let running = changed_by(&target, &line, |target| {
            let file = OpenOptions::new().write(true).open(target.folder.path().join("w.0"));
            file.unwrap().set_len(65536).unwrap();
        });
        failed(running.ended(), &["w.0: the data differs from what it must be at offset "]);
        assert_eq!(left(&target), [""; 0], "{line}");
    }
}

#[test]
fn a_file_whose_name_was_removed_is_used_to_the_end_and_does_not_come_back() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for rw in ["randread", "randwrite", "randrw"] {
            let line = format!("--engine {engine} {BLOCKS} --rw {rw}");
            let line = line.replace("--overwrite", "");
            let running = changed_by(&target, &line, |target| {
                fs::remove_file(target.folder.path().join("f")).unwrap();
            });
            let ended = running.ended().code(0);
            assert_eq!(ended.json()["status"], "complete", "{line}");
            assert_eq!(left(&target), [""; 0], "{line}");
        }
    }
}

#[test]
fn a_new_file_of_the_same_name_is_neither_written_nor_removed() {
    let Some(target) = Target::new() else { return };
    for engine in target.engines() {
        for work in [
            "--write-file w --threads 1 --write-size 4M --block-size 16k --validate",
            "--file w.0 --rw randwrite --size 1M --block-size 4k --number-ios 200 --verify crc32c",
            "--file w.0 --rw randread --size 1M --block-size 4k --number-ios 200",
        ] {
            let line = format!("--engine {engine} {work} --quiet --format json");
            let running = changed_by(&target, &line, |target| {
                let path = target.folder.path().join("w.0");
                fs::remove_file(&path).unwrap();
                fs::write(&path, "somebody else's").unwrap();
            });
            running.ended().code(0);
            assert_eq!(target.content("w.0"), b"somebody else's", "{line}");
            fs::remove_file(target.folder.path().join("w.0")).unwrap();
            assert_eq!(left(&target), [""; 0], "{line}");
        }
    }
}

#[test]
fn a_later_engine_does_not_take_a_new_file_for_the_one_that_was_made() {
    let Some(target) = Target::new() else { return };
    let line = "--engine sync,sync:inline=off --write-file w --write-size 4M --block-size 16k \
                --quiet --format json";
    let running = changed_by(&target, line, |target| {
        let path = target.folder.path().join("w.0");
        fs::remove_file(&path).unwrap();
        fs::write(&path, "somebody else's").unwrap();
    });
    let ended = running.ended().code(1).says(&["w.0"]);
    let report = ended.json();
    assert_eq!(report["engines"][0]["directions"][0]["status"], "complete");
    assert_eq!(report["engines"][1]["directions"][0]["status"], "failed");
    assert_eq!(target.content("w.0"), b"somebody else's");
}
