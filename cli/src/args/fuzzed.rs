//! Command lines of any words, as far as to a plan that is checked, and to a file and back.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use aio_core::testing::{fuzz, one_sentence};

use super::*;
use crate::lower::lower;
use crate::plan_file;
use crate::voice::printable;

/// The way of a refusal, which can be printed.
fn told(failure: &Failure) -> String {
    let sentence = failure.sentence();
    one_sentence(&printable(&sentence));
    sentence
}

fn planned(args: &Args) -> Result<aio_core::plan::Plan, String> {
    let plan = lower(args).map_err(|error| told(&Failure::refused(error)))?;
    aio_core::plan::check(&plan).map_err(|error| told(&Failure::refused(error)))?;
    Ok(plan)
}

/// What the words of `line`, one in each of its lines, come to.
fn tried(line: &[u8]) -> String {
    let words = line.split(|byte| *byte == b'\n').map(|word| OsString::from_vec(word.to_vec()));
    match parse(std::iter::once("aio".into()).chain(words)) {
        Err(failure) => told(&failure),
        Ok(Asked::Text(_)) => "a text".into(),
        Ok(Asked::Command(command)) => {
            let command = format!("{command:?}");
            command.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().into()
        }
        Ok(Asked::Run(args)) => match planned(&args) {
            Err(refusal) => refusal,
            Ok(plan) => match plan_file::dump_run(&args.given) {
                Err(failure) => told(&failure),
                Ok(text) => {
                    let jobs = plan_file::of_text("p.toml", &text);
                    let jobs =
                        jobs.unwrap_or_else(|failure| panic!("{text}{}", failure.sentence()));
                    assert_eq!(jobs.len(), 1);
                    assert_eq!(lower(&jobs[0].args).unwrap(), plan, "{text}");
                    "a run".into()
                }
            },
        },
    }
}

#[test]
fn fuzzed_command_lines_are_plans_that_a_file_can_hold_or_refused_in_a_sentence() {
    let corpus: [&[u8]; 10] = [
        b"--write-file\nf\n--write-size\n1G\n--engine\nuring,sync",
        b"--folder\na\nb\n--io-size\n1M,2M\n--cpus\n0,4-6\n--loops\n2",
        b"--file\nb\n--rw\nrandrw\n--rwmixread=70\n--bssplit\n4k/60:64k/40\n--runtime\n10s\n--size\n1G",
        b"--file\nb\n--rw=randread\n--distribution\nzipf:1.1\n--rate-iops\n1000,poisson\n--seed\n7",
        b"--file\nb\n--rw\nwrite\n--verify\nxxh3\n--fsync\n8\n--overwrite\n-vv\n--assert\np99<1ms",
        b"--read-file\nf\n--concurrent\n--batch-submit\n8\n--batch-complete=4\n--memory\n4k\n--buffered",
        b"compare\n--engine\nsync,null\n--file\nb\n--size\n1M\n--sweep\nqueue-depth=1..8",
        b"diff\na\n--base\nb\n--new\nc\n--max-regress\n2%",
        b"run\nplan.toml\n--seed\n3",
        b"fio\njob.fio\n--lenient",
    ];
    let flags: Vec<String> =
        Catalogue::of_run().flags().iter().map(|flag| format!("\n--{}\n", flag.name)).collect();
    let mut words: Vec<&str> = flags.iter().map(String::as_str).collect();
    words.extend([
        "\n",
        "=",
        "\n--\n",
        "randwrite",
        "trim",
        "{tid}",
        "4k",
        "1.5G",
        "10s",
        "all",
        "\n-q",
        "7%",
    ]);
    fuzz("command lines", &corpus, &words, tried);
}
