//! The data arrives, whichever engine moves it.

use std::fs;

use crate::support::{ENGINES, Folder};

/// The engines that can run here, buffered and where possible with direct I/O.
fn ways() -> Vec<String> {
    let folder = Folder::new();
    let mut ways = Vec::new();
    for flags in if folder.is_direct() { &["", "--buffered"][..] } else { &["--buffered"] } {
        let engines = ENGINES.into_iter().filter(|engine| folder.can_run(engine));
        ways.extend(engines.map(|engine| format!("--engine {engine} {flags}")));
    }
    ways
}

#[test]
fn a_file_is_the_same_whichever_engine_wrote_it_and_its_last_byte_arrives() {
    let ways = ways();
    for size in [1, 511, 4097, 1_000_003, 8 << 20] {
        let mut contents = Vec::new();
        for way in &ways {
            let folder = Folder::new();
            let common = format!(
                "{way} --quiet --format json --validate --block-size 100000 --loops 2 \
                 --queue-depth 8"
            );
            let write = format!("{common} --write-file w --write-size {size} --seed 7 --keep");
            let written = folder.aio(&write).code(0).direction();
            assert_eq!(written["bytes"], 2 * size, "{write}");
            assert!(written["validated_bytes"].as_u64() >= Some(size), "{write}");
            let read = folder.aio(&format!("{common} --read-file w.0")).code(0).direction();
            assert_eq!(read["bytes"], 2 * size, "{write}");
            assert!(read["validated_bytes"].as_u64() >= Some(size), "{write}");
            contents.push(fs::read(folder.path().join("w.0")).unwrap());
        }
        assert!(contents.iter().all(|content| content.len() as u64 == size), "{size}");
        assert!(contents.windows(2).all(|pair| pair[0] == pair[1]), "{size}");
    }
}

#[test]
fn a_block_that_direct_io_cannot_move_is_rounded_up_on_the_receipt() {
    let folder = Folder::new();
    if !folder.is_direct() {
        return;
    }
    let line = "--engine sync --quiet --format json --write-file w --write-size 1000003";
    let ended = folder.aio(&format!("{line} --block-size 100000 --validate")).code(0);
    let alignment = ended.json()["targets"][0]["alignment_bytes"].as_u64().unwrap();
    let receipt = ended.receipts("block-size").remove(0);
    let granted = 100_000_u64.next_multiple_of(alignment);
    assert_eq!(
        (&receipt["asked"], &receipt["granted"]),
        (&"100000".into(), &granted.to_string().into())
    );
    assert!(receipt["why_not"].as_str().unwrap().contains("O_DIRECT"), "{receipt}");
    assert_eq!(ended.direction()["requests"], 3 * 1_000_003_u64.div_ceil(granted));
}

#[test]
fn the_seed_decides_the_data() {
    let folder = Folder::new();
    let write = |seed| {
        let line = "--engine sync --buffered --quiet --write-file w --write-size 1M --keep";
        folder.aio(&format!("{line} --overwrite --seed {seed}")).code(0);
        fs::read(folder.path().join("w.0")).unwrap()
    };
    let first = write(7);
    assert_ne!(write(8), first);
    assert_eq!(write(7), first);
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
