//! Workloads as the kernel saw them, by the eyes of `strace`.

use std::collections::BTreeMap;
use std::fs;

use super::{BLOCK, COMMON, zeros};
use crate::strace;
use crate::support::{AIO, Ended, Folder};

/// A system call: what, its arguments, and what it returned; in the order in which they began.
struct Call {
    name: String,
    arguments: String,
    result: i64,
    /// Its place among beginnings and ends of all calls.
    begun: usize,
    ended: usize,
}

impl Call {
    /// The last two arguments of a `pread64` or `pwrite64`: length and offset.
    fn place(&self) -> (u64, u64) {
        let mut last = self.arguments.rsplitn(3, ", ");
        let mut next = || last.next().expect("an argument").parse().expect("a number");
        let offset = next();
        (next(), offset)
    }
}

/// Runs the program under `strace`; `None`, said aloud, where that cannot be done.
fn traced(folder: &Folder, calls: &str, line: &str) -> Option<Vec<Call>> {
    if !strace::is_there(folder) {
        return None;
    }
    let mut strace = folder.program("strace");
    let strace = strace.args(["-f", "-qq", "-s", "16", "-o", "trace", "-e"]);
    let output = strace.arg(format!("trace={calls}")).arg(AIO).args(line.split(' ')).output();
    let ended = Ended::new(line, &output.expect("strace can be started"));
    ended.code(0);
    let trace = fs::read_to_string(folder.path().join("trace")).expect("strace has written it");
    Some(read(&trace))
}

/// Reads what `strace -f` writes, in which a call may be in two parts.
fn read(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, what)) = line.split_once(' ') else { continue };
        let what = what.trim_start();
        let result = |text: &str| {
            let number = text.split_whitespace().next().unwrap_or("0");
            number.parse().unwrap_or(0)
        };
        if let Some(resumed) = what.strip_prefix("<... ") {
            let Some(index) = open.remove(thread) else { continue };
            let (rest, end) = resumed.rsplit_once(" = ").unwrap_or((resumed, ""));
            let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
            let call = &mut calls[index];
            call.arguments += rest.trim_end().trim_end_matches(')');
            (call.result, call.ended) = (result(end), at);
        } else if let Some((name, rest)) = what.split_once('(') {
            let (arguments, end) = match rest.rsplit_once(" = ") {
                Some((arguments, end)) if !rest.contains("<unfinished") => (arguments, Some(end)),
                _ => (rest.split("<unfinished").next().unwrap_or(rest), None),
            };
            let arguments = match end {
                Some(_) => arguments.trim_end().trim_end_matches(')'),
                None => arguments.trim_end(),
            };
            if end.is_none() {
                open.insert(thread, calls.len());
            }
            let (name, arguments) = (name.into(), arguments.into());
            let (result, ended) =
                (end.map_or(0, result), if end.is_some() { at } else { usize::MAX });
            calls.push(Call { name, arguments, result, begun: at, ended });
        }
    }
    calls
}

#[test]
fn a_pass_asks_for_every_block_once_and_two_passes_twice() {
    let folder = Folder::new();
    zeros(&folder, "f", 64);
    for (mode, call) in [("randread", "pread64"), ("randrw", "pread64,pwrite64")] {
        for flags in ["", "--io-parallel 2", "--queue-depth 1"] {
            for passes in [1, 2] {
                let line = format!(
                    "{COMMON} --engine sync --file f --rw {mode} --overwrite --number-ios {} {flags}",
                    passes * 64
                );
                let Some(calls) = traced(&folder, call, line.trim_end()) else { return };
                let mut seen = [0; 64];
                for call in calls.iter().filter(|call| call.result == 4096) {
                    let (length, offset) = call.place();
                    assert_eq!((length, offset % BLOCK), (BLOCK, 0), "{line}");
                    seen[usize::try_from(offset / BLOCK).unwrap()] += 1;
                }
                assert_eq!(seen, [passes; 64], "{line}");
            }
        }
    }
}

#[test]
fn several_sizes_have_their_shares_and_lie_inside_the_range() {
    let folder = Folder::new();
    zeros(&folder, "f", 256);
    for mode in ["read", "randread"] {
        let line = format!(
            "--buffered --quiet --engine sync --file f --rw {mode} --bssplit 4k/60:64k/40 --offset \
             64k --size 512k --number-ios 1000"
        );
        let Some(calls) = traced(&folder, "pread64", &line) else { return };
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for call in calls.iter().filter(|call| call.result >= 4096) {
            let (length, offset) = call.place();
            *counts.entry(length).or_default() += 1;
            assert!(offset >= 64 << 10 && offset + length <= 576 << 10, "{length} at {offset}");
        }
        assert_eq!(counts.values().sum::<u64>(), 1000, "{counts:?}");
        assert_eq!(counts.len(), 2, "{counts:?}");
        // 600 on average, with a standard deviation of 15.
        assert!((520..=680).contains(&counts[&4096]), "{counts:?}");
    }
}

#[test]
fn no_flush_is_asked_for_while_a_write_is_in_flight() {
    let folder = Folder::new();
    // One that is made is flushed when it is filled.
    zeros(&folder, "f", 64);
    for (flag, name) in [("--fsync", "fsync"), ("--fdatasync", "fdatasync")] {
        for flags in ["--queue-depth 1", "--queue-depth 8", "--rw randrw --queue-depth 8"] {
            let mode = if flags.contains("--rw") { "" } else { "--rw write " };
            let line =
                format!("{COMMON} --engine sync --file f --overwrite {mode}{flags} {flag} 5");
            let Some(calls) = traced(&folder, "pwrite64,fsync,fdatasync", &line) else { return };
            let (flushes, others): (Vec<_>, Vec<_>) =
                calls.iter().partition(|call| call.name != "pwrite64");
            let writes = others.iter().filter(|call| call.result == 4096).count();
            assert_eq!(flushes.len(), writes / 5, "{line}");
            for flush in &flushes {
                assert_eq!((flush.name.as_str(), flush.result), (name, 0), "{line}");
                let beside = others
                    .iter()
                    .find(|write| write.begun < flush.begun && flush.begun < write.ended);
                assert!(beside.is_none(), "{line}: a write was in flight");
            }
        }
    }
}

#[test]
fn linux_aio_has_nothing_in_flight_when_it_flushes() {
    let folder = Folder::new();
    if !folder.can_run("libaio") {
        return;
    }
    // Completions are seen where the ring in memory is not looked into.
    let line = format!(
        "{COMMON} --engine libaio:user-ring=off:pgetevents=off --file f --size 256k --rw write \
         --queue-depth 8 --fsync 5"
    );
    let Some(calls) = traced(&folder, "io_submit,io_getevents", &line) else { return };
    let (mut in_flight, mut flushes, mut has_written) = (0, 0, false);
    for call in &calls {
        match call.name.as_str() {
            "io_submit" => {
                for (index, one) in call.arguments.split("aio_lio_opcode=").skip(1).enumerate() {
                    has_written |= one.starts_with("IOCB_CMD_PWRITE");
                    // Before the first write, each queue that is opened tries whether it can flush.
                    if has_written && one.starts_with("IOCB_CMD_FSYNC") {
                        assert_eq!((index, in_flight, call.result), (0, 0, 1), "{line}");
                        flushes += 1;
                    }
                }
                in_flight += call.result;
            }
            _ => in_flight -= call.result.max(0),
        }
    }
    assert_eq!((flushes, in_flight), (64 / 5, 0), "64 writes, 5 by 5");
}

#[test]
fn the_flush_after_a_loop_comes_after_all_of_its_writes_and_once_for_each_thread() {
    let folder = Folder::new();
    for engine in ["sync", "libaio", "uring"].into_iter().filter(|one| folder.can_run(one)) {
        let line = format!(
            "{COMMON} --engine {engine} --file f --size 64k --rw write --threads 2 --io-parallel 2 \
             --loops 3 --end-fsync"
        );
        let Some(calls) = traced(&folder, "fsync,pwrite64", &line) else { return };
        let flushes: Vec<_> = calls.iter().filter(|call| call.name == "fsync").collect();
        assert_eq!(flushes.len(), 6, "{line}");
        let last = flushes.iter().map(|call| call.begun).max().unwrap();
        let later = calls.iter().filter(|call| call.name == "pwrite64" && call.begun > last);
        assert_eq!(later.count(), 0, "{line}");
    }
}
