//! The data arrives, whichever engine moves it.

use std::fs;

use crate::support::Folder;

const ENGINES: [&str; 3] = ["uring", "libaio", "sync"];

/// Whether the engine cannot run here, said aloud.
fn skipped(folder: &Folder, engine: &str) -> bool {
    let line = "--buffered --dry-run --write-file probe --write-size 1M --engine";
    let ended = folder.aio(&format!("{line} {engine}"));
    if ended.code != 0 {
        eprintln!("skipped: {}", ended.stderr);
    }
    ended.code != 0
}

#[test]
fn a_file_is_the_same_whichever_engine_wrote_it_and_its_last_byte_arrives() {
    let mut contents = Vec::new();
    for engine in ENGINES {
        let folder = Folder::new();
        if skipped(&folder, engine) {
            continue;
        }
        let common = "--quiet --buffered --validate --block-size 100000 --loops 2";
        let write = format!("{common} --engine {engine} --write-file w --write-size 1000003");
        let written = folder.aio(&format!("{write} --seed 7 --keep")).code(0);
        assert!(written.stdout.contains("validated: "), "{}", written.stdout);
        let read = folder.aio(&format!("{common} --engine {engine} --read-file w.0")).code(0);
        assert!(read.stdout.contains("validated: "), "{}", read.stdout);
        contents.push(fs::read(folder.path().join("w.0")).unwrap());
    }
    assert!(contents.iter().all(|content| content.len() == 1_000_003));
    assert!(contents.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_line_of_the_predecessor_prints_its_four_lines() {
    let folder = Folder::new();
    let line = "--folder . --io_size 8M --read --block_size 1M --queue_depth 32 --io_parallel 2 \
                --multi_process 2 --loops 3 --warmup_loops 1 --buffered --quiet --format classic";
    let classic = folder.aio(line).code(0).stdout;
    let names: Vec<_> = classic.lines().filter_map(|line| line.split(" = ").next()).collect();
    let expected = ["Task Read Latency", "Task Read Speed", "E2E Read Latency", "E2E Read Speed"];
    assert_eq!(names, expected);
    assert!(classic.lines().all(|line| line.split(' ').count() == 6), "{classic}");
    assert_eq!(folder.names(), [""; 0]);
}
