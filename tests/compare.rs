//! `aio compare` as a user runs it: turns, files, gates, signals.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::signals::Running;
use crate::support::{Ended, Folder};

/// Few requests of a small file, so that a round takes milliseconds; buffered, because not every
/// file system has direct I/O.
const WORK: &str = "--file bench --rw randread --block-size 4k --size 1M --number-ios 64 \
                    --buffered --queue-depth 4 --cool-down 0";

fn compare(folder: &Folder, flags: &str) -> Ended {
    folder.aio(&format!("compare {WORK} {flags}"))
}

fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("it is JSON")
}

fn names(document: &Value) -> Vec<&str> {
    let contestants = document["contestants"].as_array().expect("a list");
    contestants.iter().filter_map(|one| one["name"].as_str()).collect()
}

fn number(value: &Value) -> usize {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.expect("a whole number")
}

fn contestants(document: &Value) -> &Vec<Value> {
    document["contestants"].as_array().expect("a list")
}

/// For each contestant, how often it was in each place.
fn places(document: &Value) -> BTreeMap<String, Vec<usize>> {
    let contestants = document["contestants"].as_array().expect("a list");
    let of = |one: &Value| {
        let mut counts = vec![0; contestants.len()];
        for round in one["rounds"].as_array().expect("a list") {
            counts[number(&round["place"])] += 1;
        }
        (one["name"].as_str().expect("a name").to_owned(), counts)
    };
    contestants.iter().map(of).collect()
}

#[test]
fn every_contestant_is_in_every_place_equally_often_and_makes_the_same_requests() {
    let folder = Folder::new();
    let ended = compare(&folder, "--engine sync,null,sync:inline=off --rounds 4 --format json");
    let ended = ended.code(0);
    assert!(ended.stderr.contains("6 rounds instead of 4"), "{}", ended.stderr);
    let document = document(&ended);
    assert_eq!(names(&document), ["sync", "null", "sync:inline=off"]);
    for (name, counts) in places(&document) {
        assert_eq!(counts, [2, 2, 2], "{name}");
    }
    let requests = &document["requests"];
    // Six rounds and one of practice, of three, all held against the first run.
    assert_eq!(requests["runs_compared"], 20);
    assert_eq!(requests["common_requests"], 20 * 64);
    assert_eq!(requests["mismatch"], Value::Null);
    assert_eq!(folder.names(), [""; 0], "the file that was made is gone");
}

#[test]
fn an_engine_can_be_compared_with_itself_under_another_number() {
    let folder = Folder::new();
    let ended = compare(&folder, "--engine sync,sync --rounds 2 --format json").code(0);
    assert!(ended.stderr.contains("2 rounds cannot tell"), "{}", ended.stderr);
    let document = document(&ended);
    assert_eq!(names(&document), ["sync", "sync #2"]);
    let verdict = &document["contestants"][1]["results"][0]["versus"]["verdict"];
    assert_eq!(verdict["finding"], "cannot-tell", "two rounds are not enough");
}

#[test]
fn contestants_differ_in_any_flag_and_the_baseline_is_named() {
    let folder = Folder::new();
    let line = format!("compare {WORK} --rounds 2 --format json --baseline");
    let line: Vec<String> = line.split_whitespace().map(String::from).collect();
    let mut line: Vec<&str> = line.iter().map(String::as_str).collect();
    line.push("engine=sync queue-depth=2");
    for contestant in ["engine=null", "engine=sync queue-depth=2"] {
        line.extend(["--contestant", contestant]);
    }
    let ended = folder.aio_words(&line).code(0);
    let document = document(&ended);
    assert_eq!(names(&document), ["engine=null", "engine=sync queue-depth=2"]);
    assert_eq!(document["contestants"][0]["baseline"], 1);
    assert_eq!(document["contestants"][1]["baseline"], Value::Null);
    assert_eq!(document["contestants"][1]["plan"]["queue_depth"], 2);
    assert_eq!(document["requests"]["fewest_requests"], 5 * 64, "depth does not change requests");
}

#[test]
fn sweeps_cross_and_each_point_has_a_baseline_of_its_own() {
    let folder = Folder::new();
    let flags = "--engine sync,null --rounds 2 --format json --sweep block-size=4k,8k \
                 --sweep queue-depth=1..2";
    let document = document(&compare(&folder, flags).code(0));
    assert_eq!(document["layout"], "sweep");
    let names = names(&document);
    assert_eq!(names.len(), 8);
    assert_eq!(
        names[..2],
        ["sync block-size=4k queue-depth=1", "null block-size=4k queue-depth=1"]
    );
    let contestants = contestants(&document);
    for (index, one) in contestants.iter().enumerate() {
        let baseline = if index % 2 == 1 { Value::from(index - 1) } else { Value::Null };
        assert_eq!(one["baseline"], baseline, "{}", one["name"]);
    }
    // Blocks of 4k and of 8k are other requests, and only the same are held against each other.
    assert_eq!(document["requests"]["runs_compared"], 24 - 2);
}

#[test]
fn threads_are_walked_and_a_ladder_adds_one_option_at_a_time() {
    let folder = Folder::new();
    let scale = compare(&folder, "--engine sync --rounds 3 --scale=3 --format json").code(0);
    let scale = document(&scale);
    assert_eq!(names(&scale), ["sync threads=1", "sync threads=2", "sync threads=3"]);
    assert_eq!(scale["layout"], "scale");
    let ladder = compare(&folder, "--ladder libaio --rounds 3 --format json");
    if ladder.code == 2 && ladder.stderr.contains("cannot run here") {
        crate::support::skip(ladder.stderr.trim());
        return;
    }
    let ladder = document(&ladder.code(0));
    assert_eq!(names(&ladder), ["plain", "+batch", "+user-ring"]);
    let contestants = contestants(&ladder);
    let baselines: Vec<_> = contestants.iter().map(|one| one["baseline"].as_u64()).collect();
    assert_eq!(baselines, [None, Some(0), Some(1)]);
    assert_eq!(contestants[0]["plan"]["batch"]["submit"], 1);
    assert_eq!(contestants[1]["plan"]["batch"]["submit"], Value::Null);
}

#[test]
fn writes_go_through_the_same_file_and_leave_nothing() {
    let folder = Folder::new();
    let line = "compare --write-file tensor --write-size 64k --block-size 16k --buffered --loops 1 \
                --engine sync,null --rounds 2 --cool-down 0 --format csv";
    let ended = folder.aio(line).code(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "a header, and a row for each: {}", ended.stdout);
    assert!(lines[0].starts_with("contestant,"), "{}", lines[0]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_gate_is_checked_for_every_contestant_after_the_results() {
    let folder = Folder::new();
    let ended =
        compare(&folder, "--engine sync,null --rounds 2 --assert errors==0 --assert iops<1");
    assert!(ended.stdout.contains("verdict"), "{}", ended.stdout);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let failed = ended.stderr.lines().filter(|line| line.contains("--assert iops<1"));
    assert_eq!(failed.count(), 2, "{}", ended.stderr);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    for (flags, reason) in [
        ("--baseline uring --engine sync,null", "--baseline uring: there is no such contestant"),
        ("--sweep queue-depth=0", "queue-depth"),
        ("--sweep speed=1,2", "there is no flag --speed"),
        ("--contestant sync", "there is no flag --sync"),
        ("--contestant engine=nothing", "there is no engine"),
        ("--ladder sync", "it has no steps to climb"),
        ("--ladder uring --engine sync", "--ladder names its engine"),
        ("--steady-state", "--steady-state"),
        ("--format classic", "--format classic"),
        ("--dump-plan", "--dump-plan"),
        ("--save r.json --output r.json", "are the same file"),
        ("--save r.json --output ./r.json", "are the same file"),
        ("--metric response-p99", "needs --rate-iops"),
        ("--sweep queue-depth=1,1", "is there twice"),
        ("--save bench", "results would replace it"),
    ] {
        if flags.contains("--save bench") {
            fs::write(folder.path().join("bench"), vec![1; 1 << 20]).expect("it can be written");
        }
        let ended = compare(&folder, flags);
        assert_eq!(ended.code, 2, "{flags}: {}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{flags}: {}", ended.stderr);
        if !flags.contains("--save bench") {
            assert_eq!(folder.names(), [""; 0], "{flags}");
        }
    }
}

#[test]
fn a_dry_run_shows_every_contestant_and_makes_nothing() {
    let folder = Folder::new();
    let ended = compare(&folder, "--engine sync,null --dry-run").code(0);
    for name in ["job sync", "job null", "nothing was moved"] {
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn finished_rounds_are_on_disk_while_it_runs_and_survive_an_interrupt() {
    let folder = Folder::new();
    let line = format!("compare {WORK} --engine sync,null --rounds 100000 --save saved.json");
    let mut running = Running::start(&folder, &line);
    let saved = folder.path().join("saved.json");
    let rounds = || -> Option<usize> {
        let document: Value = serde_json::from_str(&fs::read_to_string(&saved).ok()?).ok()?;
        Some(document["contestants"][0]["rounds"].as_array()?.len())
    };
    running.until(|_| rounds().is_some_and(|rounds| rounds >= 2));
    running.send(&["INT"]);
    let ended = running.ended();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert!(ended.stdout.contains("INTERRUPTED"), "{}", ended.stdout);
    let text = fs::read_to_string(&saved).expect("it was saved");
    let document: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(document["status"], "interrupted");
    let of = |index: usize| document["contestants"][index]["rounds"].as_array().map_or(0, Vec::len);
    assert!(of(0) >= 2 && of(0) == of(1), "whole rounds only: {} and {}", of(0), of(1));
    assert_eq!(folder.names(), ["saved.json"]);
}

#[test]
fn a_failure_names_the_contestant_and_keeps_the_rounds_before() {
    let folder = Folder::new();
    // The disk is full for whoever writes more than it is allowed to.
    let line = "compare --write-file tensor --write-size 64k --block-size 16k --buffered --loops 1 \
                --engine sync,null --rounds 2 --cool-down 0 --save saved.json";
    let ended = folder.shell("ulimit -f 16; exec \"$0\" \"$@\"", line);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("sync: "), "{}", ended.stderr);
    assert!(!folder.names().iter().any(|name| name.starts_with("tensor")), "{:?}", folder.names());
}
