//! Numbers that are none, and plans that cannot be: refused in one sentence, by the name of the
//! flag, before anything is made or changed.

mod plans;

use std::collections::BTreeSet;

use crate::support::{AIO, Ended, Folder};

/// What somebody might give for a number, by a slip or out of malice.
const NUMBERS: [&str; 18] = [
    "0",
    "-1",
    "--1",
    "+1",
    "NaN",
    "inf",
    "-inf",
    "1e999",
    "0x10",
    "9223372036854775808",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "",
    " ",
    "1,",
    "١٢",
    "１",
    "1\u{301}",
];

/// Where a number in the value of each flag is, and a line that would run with a good one.
const WITH_NUMBERS: [(&str, &[&str], &str); 30] = [
    ("write-size", &["{}", "1k,{}"], "--write-file w"),
    ("io-size", &["{}"], "--folder ."),
    ("folder-to-device-mapping", &[".:{}"], "--io-size 8k"),
    ("seed", &["{}"], BLOCKS),
    ("size", &["{}"], "--file f --rw randrw"),
    ("offset", &["{}"], BLOCKS),
    ("runtime", &["{}", "{}ms"], BLOCKS),
    ("ramp-time", &["{}", "{}d"], BLOCKS),
    ("number-ios", &["{}"], BLOCKS),
    ("io-limit", &["{}", "{}G"], BLOCKS),
    ("rwmixread", &["{}"], BLOCKS),
    ("random-distribution", &["zipf:{}", "pareto:{}", "normal:{}"], BLOCKS),
    ("bssplit", &["{}/100", "4k/50:4k/{}"], "--file f --rw randrw --size 64k"),
    ("rate-iops", &["{}", "{},poisson"], BLOCKS),
    ("fsync", &["{}"], BLOCKS),
    ("fdatasync", &["{}"], BLOCKS),
    ("compress-percentage", &["{}"], BLOCKS),
    ("block-size", &["{}", "{}k"], "--file f --rw randrw --size 64k"),
    ("queue-depth", &["{}"], BLOCKS),
    ("threads", &["{}"], BLOCKS),
    ("io-parallel", &["{}"], BLOCKS),
    ("loops", &["{}"], BLOCKS),
    ("warmup-loops", &["{}"], BLOCKS),
    ("batch-submit", &["{}"], BLOCKS),
    ("batch-complete", &["{}"], BLOCKS),
    ("cpus", &["{}", "0-{}"], BLOCKS),
    ("numa-node", &["{}"], BLOCKS),
    ("log-tids", &["{}"], BLOCKS),
    ("interval", &["{}", "{}us"], BLOCKS),
    ("engine", &["sync:pool={}", "uring:sqpoll=on:sqpoll-idle-ms={}"], BLOCKS),
];
const BLOCKS: &str = "--file f --rw randrw --size 64k --block-size 4k";

/// Flags whose values are names: files, kinds and forms.
const WITHOUT_NUMBERS: [&str; 9] = [
    "read-file",
    "write-file",
    "folder",
    "file",
    "rw",
    "verify",
    "memory",
    "allow-device",
    "output",
];
/// The same of flags that commands have too, and of one that has expressions.
const OF_COMMANDS: [&str; 2] = ["format", "assert"];

/// Flags of `aio compare` that have numbers.
const OF_COMPARE: [(&str, &[&str]); 7] = [
    ("rounds", &["{}"]),
    ("practice-rounds", &["{}"]),
    ("cool-down", &["{}", "{}ms"]),
    ("resolution", &["{}", "{}%"]),
    ("time-budget", &["{}", "{}h"]),
    ("scale", &["{}"]),
    ("sweep", &["queue-depth={}", "queue-depth=1..{}"]),
];
/// What does what it says there.
const GOOD_IN_COMPARE: [(&str, &str); 2] = [("practice-rounds", "0"), ("cool-down", "0")];

/// What is a number after all, and does what it says.
const GOOD: [(&str, &str); 13] = [
    ("seed", "0"),
    ("seed", "9223372036854775808"),
    ("offset", "0"),
    ("rwmixread", "0"),
    ("compress-percentage", "0"),
    ("warmup-loops", "0"),
    ("numa-node", "0"),
    ("cpus", "0"),
    ("cpus", "0-0"),
    ("log-tids", "0"),
    ("folder-to-device-mapping", ".:0"),
    // What is left out is what is left of 100.
    ("bssplit", "4k/50:4k/"),
    // More writes than there will ever be: it never flushes.
    ("fsync", "9223372036854775808"),
];

/// The flags that a text of help lists with a value.
fn flags_with_values(help: &str) -> BTreeSet<String> {
    let flag = |line: &str| {
        let line = line.trim_start();
        let long = line.strip_prefix("--").or_else(|| Some(line.split_once(", --")?.1))?;
        let (name, value) = long.split_once([' ', '='])?;
        (line.starts_with('-') && value.trim_start().starts_with(['<', '['])).then(|| name.into())
    };
    help.lines().filter_map(flag).collect()
}

#[test]
fn every_flag_with_a_value_is_tried_or_known_to_have_no_number() {
    let folder = Folder::new();
    let help = folder.aio("--help").code(0).stdout;
    let known: BTreeSet<String> = WITH_NUMBERS
        .iter()
        .map(|(flag, ..)| *flag)
        .chain(WITHOUT_NUMBERS)
        .chain(OF_COMMANDS)
        .map(String::from)
        .collect();
    let there = flags_with_values(&help);
    assert!(there.contains("size") && there.contains("log-tids"), "{there:?}");
    assert_eq!(there, known, "a flag is new or gone: say above whether it takes numbers");
}

#[test]
fn a_number_that_is_none_is_refused_by_the_name_of_its_flag_and_nothing_is_made() {
    let folder = Folder::new();
    for (flag, forms, base) in WITH_NUMBERS {
        let mut tried = 0;
        for (number, form) in
            NUMBERS.iter().flat_map(|one| forms.iter().map(move |form| (one, form)))
        {
            let value = form.replace("{}", number);
            let flag_and_value = format!("--{flag}={value}");
            let mut aio = folder.program(AIO);
            if flag != "engine" {
                aio.args(["--engine", "null"]);
            }
            aio.args(["--buffered"]).args(base.split(' ')).arg(&flag_and_value);
            let output = aio.output().expect("the program can be started");
            let ended = Ended::new(&format!("{base} {flag_and_value}"), &output);
            tried += 1;
            let is_good = GOOD.contains(&(flag, &*value))
                || (flag == "fdatasync" && GOOD.contains(&("fsync", &*value)));
            // A node or a CPU may not be there, or not be this process's.
            if !(is_good && ended.code == 0) {
                assert!(!is_good || matches!(flag, "cpus" | "numa-node"), "{flag_and_value}");
                ended.refused(&[flag]);
            }
            assert_eq!(folder.names(), [""; 0], "{flag_and_value}");
        }
        assert_eq!(tried, NUMBERS.len() * forms.len(), "--{flag}");
    }
}

#[test]
fn comparisons_refuse_such_numbers_too() {
    let folder = Folder::new();
    for (flag, forms) in OF_COMPARE {
        for (number, form) in
            NUMBERS.iter().flat_map(|one| forms.iter().map(move |form| (one, form)))
        {
            let value = form.replace("{}", number);
            let flag_and_value = format!("--{flag}={value}");
            let mut aio = folder.program(AIO);
            aio.args("compare --engine null --buffered --number-ios 1 --rw randread".split(' '));
            if flag != "rounds" {
                aio.args(["--rounds", "1"]);
            }
            aio.args("--file f --size 64k --block-size 4k".split(' ')).arg(&flag_and_value);
            let output = aio.output().expect("the program can be started");
            let ended = Ended::new(&flag_and_value, &output);
            if GOOD_IN_COMPARE.contains(&(flag, &*value)) {
                ended.code(0);
            } else {
                ended.refused(&[flag]);
            }
            assert_eq!(folder.names(), [""; 0], "{flag_and_value}");
        }
    }
}

#[test]
fn an_assertion_needs_a_number_that_is_one() {
    let folder = Folder::new();
    let digits = |number: &&&str| number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit());
    for number in NUMBERS.iter().filter(digits) {
        for form in ["iops>={}", "p99<{}us", "errors=={}", "{}<p99", "p99{}5us"] {
            let expression = form.replace("{}", number);
            let words = ["--engine", "null", "--buffered", "--assert", &expression];
            let words = [&words[..], &BLOCKS.split(' ').collect::<Vec<_>>()[..]].concat();
            folder.aio_words(&words).refused(&["assert"]);
            assert_eq!(folder.names(), [""; 0], "{expression}");
        }
    }
}

#[test]
fn a_number_that_looks_like_a_flag_is_still_the_value_of_the_one_before() {
    let folder = Folder::new();
    for (flag, forms, base) in WITH_NUMBERS {
        let value = forms[0].replace("{}", "-1");
        let line = format!("--buffered {base} --{flag} {value}");
        folder.aio(&line).refused(&[flag]);
        assert_eq!(folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn a_number_of_an_option_of_an_engine_is_held_to_its_range() {
    let folder = Folder::new();
    let listed = folder.aio("engines --format json").code(0).json();
    let mut tried = 0;
    for engine in listed["engines"].as_array().unwrap() {
        let name = engine["engine"].as_str().unwrap();
        for option in engine["options"].as_array().unwrap() {
            let key = option["key"].as_str().unwrap();
            let range = &option["accepts"]["number"];
            let Some(least) = range["least"].as_u64() else { continue };
            for number in NUMBERS.iter().filter(|number| **number != "0" || least > 0) {
                let spec = format!("--engine={name}:{key}={number}");
                let mut aio = folder.program(AIO);
                let aio = aio.args(["--buffered"]).args(BLOCKS.split(' ')).arg(&spec);
                let output = aio.output().expect("the program can be started");
                Ended::new(&spec, &output).refused(&[if *number == "1," { "engine" } else { key }]);
                assert_eq!(folder.names(), [""; 0], "{spec}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 3 * 16, "{tried} options were tried");
}
