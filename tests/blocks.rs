//! Blocks of a file, as fio asks for them: what is refused, and what becomes of the file.

use std::fs;

use crate::support::{Folder, skip};

const NULL: &str = "--engine null --buffered --quiet --block-size 4k";

#[test]
fn a_dry_run_shows_mode_range_and_end_and_makes_nothing() {
    let folder = Folder::new();
    let line = "--dry-run --file f --rw randread --size 1M --runtime 1.5 --number-ios 7";
    let ended = folder.aio(&format!("{NULL} {line}")).code(0);
    let plan = "plan: randread, blocks of 4 KiB in 1 MiB, depth 32, 1 thread, 1 loop of 1500 ms or \
                7 requests per thread";
    let text = ended.stdout.replace("\n  ", " ");
    assert!(text.contains(plan), "{text}");
    let json = folder.aio(&format!("{NULL} {line} --format json")).code(0).json();
    let phase = &json["plan"]["phases"][0];
    assert_eq!(phase["direction"], "read");
    let blocks = &phase["access"]["blocks"];
    assert_eq!(blocks["pattern"], "random");
    assert_eq!((&blocks["requests"], &blocks["runtime_ns"]), (&7.into(), &1_500_000_000.into()));
    assert_eq!((&json["plan"]["loops"], &json["plan"]["warmup_loops"]), (&1.into(), &0.into()));
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    for (flags, words) in [
        ("--file f", ["f does not exist", "--size"]),
        ("--file f --size 3k", ["3072 bytes", "no whole block of 4096 bytes"]),
        ("--file f --size 1M --rw randomly", ["--rw", "randrw"]),
        ("--file f --size 1M --runtime 0", ["--runtime", "more than 0"]),
        ("--file f --size 1M --runtime -1", ["--runtime", "a time is"]),
        ("--file f --size 1M --runtime NaN", ["--runtime", "a time is"]),
        ("--file f --size 1M --runtime 1e9d", ["--runtime", "a time is"]),
        ("--file f --size 1M --runtime 9999999d", ["--runtime", "365d"]),
        ("--file f --size 1M --number-ios 0", ["--number-ios", "from 1 to"]),
        ("--file f --size 1M --number_ios 18446744073709551615", ["--number-ios", "from 1 to"]),
        ("--file f --size 1M --validate", ["--validate", "--file"]),
        ("--file f --size 8k --io-parallel 3", ["--io-parallel 3", "2 block(s)"]),
        (
            "--file f --size 1M --number-ios 1 --io-parallel 2",
            ["--io-parallel 2", "--number-ios 1"],
        ),
        ("--file f --size 1M --concurrent", ["--file", "--concurrent"]),
        ("--file f --size 1M --different-file-each-iteration", ["--file", "--different-file"]),
        ("--file f --size 1M --folder .", ["--file", "--folder"]),
        ("--file f --io-size 1M", ["--io-size", "--file"]),
        ("--rw read", ["--rw", "--file"]),
        ("--read-file f --size 1M", ["--size", "--file"]),
        ("--read-file f --runtime 1", ["--runtime", "--file"]),
        ("--read-file f --number-ios 1", ["--number-ios", "--file"]),
        ("--file no/f --size 1M", ["no", "No such file"]),
        ("--file . --size 1M", [". is a folder", "to read"]),
        ("--file . --size 1M --rw write --overwrite", [". is a folder", "to write"]),
        ("--file /dev/null --rw write --overwrite", ["/dev/null", "character device"]),
    ] {
        folder.aio(&format!("{NULL} {flags}")).refused(&words);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_foreign_file_is_written_only_if_asked_and_keeps_its_length() {
    let folder = Folder::new();
    let path = folder.file("f", 70_000);
    let before = fs::read(&path).unwrap();
    for mode in ["write", "randwrite"] {
        for size in ["", "--size 64k"] {
            let line = format!("{NULL} --file f --rw {mode} {size}");
            folder.aio(&line).refused(&["f exists and was not made by aio", "--overwrite"]);
            folder.aio(&format!("{line} --overwrite --dry-run")).code(0);
            // This engine moves no data, so whatever changed was done around it.
            folder.aio(&format!("{line} --overwrite")).code(0);
            assert_eq!(fs::read(&path).unwrap(), before, "{line}");
        }
    }
    folder.aio(&format!("{NULL} --file f --size 100k")).refused(&["70000 bytes", "102400"]);
    assert_eq!(folder.names(), ["f"]);
}

#[test]
fn a_range_that_is_no_multiple_of_the_block_is_cut_on_the_receipt() {
    let folder = Folder::new();
    folder.file("f", 70_000);
    let line = format!("{NULL} --file f --rw randread --format json");
    let ended = folder.aio(&line).code(0);
    let receipt = ended.receipts("size").remove(0);
    assert_eq!((&receipt["asked"], &receipt["granted"]), (&"70000".into(), &"69632".into()));
    assert!(receipt["why_not"].as_str().unwrap().contains("the last 368 bytes"), "{receipt}");
    assert_eq!(ended.json()["targets"][0]["size_bytes"], 69_632);
    folder.aio(&format!("{line} --strict")).refused(&["size was asked as 70000"]);
    let whole = folder.aio(&format!("{line} --size 68k")).code(0);
    assert!(whole.receipts("size").is_empty());
}

#[test]
fn a_missing_file_is_made_and_removed_unless_it_is_to_be_kept() {
    for (mode, bytes) in
        [("read", 1 << 20), ("randread", 1 << 20), ("write", 0), ("randwrite", 1 << 20)]
    {
        let folder = Folder::new();
        let line = format!("{NULL} --file f --rw {mode} --size 1M --threads 2");
        folder.aio(&line).code(0);
        assert_eq!(folder.names(), [""; 0], "{mode}");
        folder.aio(&format!("{line} --keep")).code(0);
        let kept = fs::read(folder.path().join("f")).unwrap();
        assert_eq!(kept.len(), bytes, "{mode} starts so, and this engine adds nothing");
        assert!(bytes == 0 || kept.iter().any(|byte| *byte != 0), "{mode}");
        let each = line.replace("--file f", "--file g.{tid}");
        folder.aio(&format!("{each} --keep")).code(0);
        assert_eq!(folder.names(), ["f", "g.0", "g.1"], "{mode}");
    }
}

#[test]
fn results_of_blocks_lead_with_requests_per_second_in_every_form() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let line = "--engine sync --buffered --quiet --block-size 4k --file f --rw randread --loops 2";
    let text = folder.aio(line).code(0).stdout;
    let header = text.lines().find(|line| line.starts_with("engine ")).unwrap();
    assert!(header.find("IOPS") < header.find("GiB/s"), "{text}");
    assert!(text.contains("sync    randread") && text.contains("loops of randread: "), "{text}");
    let one = folder.aio(&format!("{line} --format json")).code(0).direction();
    assert_eq!(one["access"]["blocks"]["pattern"], "random");
    let (requests, seconds) = (one["requests"].as_f64(), one["task_latency_s"].as_f64());
    let rate = requests.unwrap() / seconds.unwrap();
    assert!((one["requests_per_s"].as_f64().unwrap() / rate - 1.0).abs() < 1e-9, "{one}");
    let csv = folder.aio(&format!("{line} --format csv")).code(0).stdout;
    let mut rows = csv.lines();
    let names: Vec<_> = rows.next().unwrap().split(',').collect();
    let cells: Vec<_> = rows.next().unwrap().split(',').collect();
    let cell = |name| cells[names.iter().position(|one| *one == name).expect("a column")];
    assert_eq!(cell("access"), "random", "{csv}");
    assert!(cell("iops").parse::<f64>().unwrap() > 0.0, "{csv}");
}

#[test]
fn a_kept_file_is_written_again_unless_somebody_changed_it() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --block-size 4k --file f --rw randwrite --keep \
                --number-ios 8";
    folder.aio(&format!("{line} --size 64k")).code(0);
    let again = folder.aio(line);
    if again.code == 2 && again.stderr.contains("was not made by aio") {
        return skip("a mark on files: this file system has no extended attributes");
    }
    again.code(0);
    let path = folder.path().join("f");
    let mut content = fs::read(&path).unwrap();
    content.push(7);
    fs::write(&path, &content).unwrap();
    folder.aio(line).refused(&["f was made by aio and has been changed since", "--overwrite"]);
    assert_eq!(fs::read(&path).unwrap(), content);
}
