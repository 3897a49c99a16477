//! Results on stdout, or in a file.

use std::fs;

use crate::support::{Folder, skip};

const NULL: &str = "--engine null --buffered --quiet --write-file w --write-size 8M";

#[test]
fn a_dry_run_shows_the_plan_and_makes_nothing() {
    let folder = Folder::new();
    let ended = folder.aio(&format!("{NULL} --dry-run --block-size 64k")).code(0);
    for words in ["plan: blocks of 64 KiB", "target: w.0, 8 MiB", "engine: null", "dry run"] {
        assert!(ended.stdout.contains(words), "{words}\n{}", ended.stdout);
    }
    let ended = folder.aio(&format!("{NULL} --dry-run --format json")).code(0);
    for key in ["plan", "targets", "receipts", "engines", "unavailable"] {
        assert!(ended.stdout.contains(&format!("\n  \"{key}\":")), "{key}\n{}", ended.stdout);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_null_engine_has_requests_per_second_and_never_bytes() {
    let folder = Folder::new();
    let text = folder.aio(NULL).code(0);
    assert!(text.stdout.contains("moves no data"), "{}", text.stdout);
    assert_eq!(text.stderr, "");
    let classic = folder.aio(&format!("{NULL} --format classic")).code(0).stdout;
    assert_eq!(classic.lines().count(), 4, "{classic}");
    assert!(classic.contains("Task Write Speed = - GB/sec\n"), "{classic}");
    let json = folder.aio(&format!("{NULL} --format json")).code(0).stdout;
    assert!(json.contains("\"task_speed_gib_per_s\": null"), "{json}");
    assert_eq!(folder.names(), [""; 0], "what was made is removed");
}

#[test]
fn every_engine_is_given_the_same_requests() {
    let folder = Folder::new();
    let line = "--engine all,null --buffered --quiet --folder . --io-size 3M --block-size 64k \
                --threads 2 --io-parallel 2 --format csv";
    let csv = folder.aio(line).code(0).stdout;
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = rows.next().unwrap();
    let column = names.iter().position(|name| *name == "fingerprint").unwrap();
    let mut fingerprints: Vec<_> = rows.map(|row| row[column].to_owned()).collect();
    assert!(fingerprints.len() >= 2 && fingerprints[0].len() == 16, "{csv}");
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1, "{csv}");
}

#[test]
fn results_go_to_a_file_that_is_replaced_and_stdout_stays_empty() {
    let folder = Folder::new();
    fs::write(folder.path().join("r.csv"), "old").unwrap();
    let ended = folder.aio(&format!("{NULL} --format csv --output r.csv")).code(0);
    assert_eq!(ended.stdout, "");
    let csv = fs::read_to_string(folder.path().join("r.csv")).unwrap();
    assert!(csv.starts_with("engine,direction,status,"), "{csv}");
    assert_eq!(folder.names(), ["r.csv"]);
}

#[test]
fn log_lines_of_the_tasklets_that_are_asked_for_go_to_stderr() {
    let folder = Folder::new();
    let line = "--engine null --buffered --write-file w --write-size 1M --threads 2";
    let quiet = folder.aio(line).code(0);
    assert!(!quiet.stderr.contains("tid"), "{}", quiet.stderr);
    let first = folder.aio(&format!("{line} -v")).code(0).stderr;
    assert!(first.contains("[write tid 0]") && !first.contains("[write tid 1]"), "{first}");
    let second = folder.aio(&format!("{line} --log-tids 1")).code(0).stderr;
    assert!(second.contains("[write tid 1]") && !second.contains("[write tid 0]"), "{second}");
    let all = folder.aio(&format!("{line} --log_tids all")).code(0).stderr;
    assert!(all.contains("[write tid 1]") && all.contains("[write tid 0]"), "{all}");
}

#[test]
fn buffered_results_are_doubtful_and_strict_says_so_after_printing() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --write-file w --write-size 1M";
    let ended = folder.aio(line).code(0);
    assert!(ended.stdout.contains("doubtful"), "{}", ended.stdout);
    let strict = folder.aio(&format!("{line} --strict"));
    if strict.code == 2 {
        skip(&strict.stderr);
        return;
    }
    let strict = strict.code(3);
    assert!(strict.stdout.contains("doubtful") && strict.stderr.contains("--strict: "));
}
