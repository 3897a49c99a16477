//! Processes that are stopped and go on, and signals that nobody asked for.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::signals::{Running, has_content};
use crate::support::{ENGINES, Folder};

/// How often a run is stopped in quick succession.
const STOPS: usize = 60;
/// Longer than the loop has taken before.
const LONG: Duration = Duration::from_millis(900);

/// The fields of `/proc/PID/stat` behind the name, which may have any character in it.
fn stat(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

/// Whether the process with this id is stopped.
fn is_stopped(pid: u32) -> bool {
    stat(pid).first().is_some_and(|state| state == "T")
}

/// The CPU time of the process with this id, most often in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    stat(pid).iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[test]
fn a_run_that_is_stopped_again_and_again_is_complete_and_its_data_right() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for way in ["--buffered", ""] {
            if way.is_empty() && !folder.is_direct() {
                continue;
            }
            let line = format!(
                "--engine {engine} {way} --quiet --write-file w --write-size 4M --block-size 16k \
                 --queue-depth 8 --io-parallel 2 --loops 400 --validate --format json"
            );
            let mut running = Running::start(&folder, &line);
            running.until(|_| has_content(&folder, "w.0"));
            for _ in 0..STOPS {
                running.send(&["STOP", "CONT"]);
            }
            let direction = running.ended().code(0).direction();
            assert_eq!(direction["status"], "complete", "{engine} {way}");
            assert_eq!(direction["validated_bytes"], 4 << 20, "{engine} {way}");
            assert_eq!(direction["bytes"], 400 << 22, "{engine} {way}");
            assert_eq!(folder.names(), [""; 0], "{engine} {way}");
        }
    }
}

#[test]
fn the_time_of_a_stop_is_part_of_the_loop_that_it_fell_into() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --file w --rw randwrite --size 1M --block-size 4k \
             --queue-depth 4 --runtime 1h --loops 1 --format json --yes"
        );
        let mut running = Running::start(&folder, &line);
        // Nothing but the loop takes so much.
        running.until(|pid| cpu_ticks(pid) >= 20);
        running.send(&["STOP"]);
        running.until(is_stopped);
        let stopped = Instant::now();
        thread::sleep(LONG);
        let stopped_s = stopped.elapsed().as_secs_f64();
        running.send(&["CONT", "INT"]);
        let direction = running.ended().code(130).direction();
        let taken_s = direction["task_latency_s"].as_f64().unwrap();
        assert!(taken_s >= stopped_s, "{engine}: {taken_s} s, stopped for {stopped_s} s");
        let longest_s = direction["loops"][0]["e2e_latency_s"].as_f64().unwrap();
        assert!(longest_s >= stopped_s, "{engine}: {longest_s} s, stopped for {stopped_s} s");
    }
}

#[test]
fn signals_that_nobody_asked_for_change_nothing() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 4M --block-size 16k \
             --queue-depth 8 --loops 200 --validate --format json"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|_| has_content(&folder, "w.0"));
        for _ in 0..20 {
            running.send(&["URG", "WINCH", "CONT", "CHLD"].repeat(10));
        }
        let direction = running.ended().code(0).direction();
        assert_eq!(direction["validated_bytes"], 4 << 20, "{engine}");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}

#[test]
fn a_run_that_is_told_to_end_while_it_is_stopped_ends_when_it_goes_on() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 1M --loops 1000000 \
             --format json --yes"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|_| has_content(&folder, "w.0"));
        running.send(&["STOP"]);
        running.until(is_stopped);
        running.send(&["TERM", "CONT"]);
        let ended = running.ended().code(143);
        assert_eq!(ended.direction()["status"], "interrupted", "{engine}");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}
