//! Plan files of any text, read to plans, and written and read again.

use aio_core::testing::{fuzz_text, one_sentence};

use super::*;
use crate::args::{Catalogue, Given};
use crate::lower::lower;
use crate::voice::printable;

fn told(failure: &Failure) -> String {
    let sentence = failure.sentence();
    one_sentence(&printable(&sentence));
    sentence
}

fn tried(text: &str) -> String {
    let jobs = match of_text("p.toml", text) {
        Ok(jobs) => jobs,
        Err(failure) => return told(&failure),
    };
    let given: Vec<(&str, &[Given])> =
        jobs.iter().map(|job| (job.name.as_str(), job.args.given.as_slice())).collect();
    let dumped = dump(&given).expect("what was read from TOML can be written to it");
    let again = of_text("p.toml", &dumped);
    let again = again.unwrap_or_else(|failure| panic!("{dumped}\n{}", failure.sentence()));
    assert_eq!(again.len(), jobs.len(), "{dumped}");
    let mut way = String::from("jobs ");
    for (job, again) in jobs.iter().zip(&again) {
        assert_eq!(job.name, again.name, "{dumped}");
        match (lower(&job.args), lower(&again.args)) {
            (Ok(plan), Ok(same)) => assert_eq!(plan, same, "{dumped}"),
            (Err(error), Err(_)) => way += &told(&Failure::refused(error)),
            _ => panic!("only one of both can be lowered:\n{dumped}"),
        }
    }
    way
}

#[test]
fn fuzzed_plan_files_read_back_as_they_were_written_or_are_refused() {
    let corpus = [
        "block-size = '4k'\nengine = ['uring', 'sync']\n[defaults]\nqueue_depth = 8\nbuffered = true\n\
         [[job]]\nname = 'a'\nfile = 'f'\n[[job]]\nread-file = 'g'\nbuffered = false\n",
        "name = \"x\"\nwrite-file = \"f\"\nwrite-size = \"1M\"\nverbose = 2\nseed = 0x10\nloops = +3\n",
        "file = 'b'\nrw = 'randread'\nrate-iops = 1000.5\nruntime = '1.5s'\ncpus = [0, '2-4']\n",
    ];
    let catalogue = Catalogue::of_run();
    let flags: Vec<String> = catalogue.names().map(|name| format!("\n{name} = ")).collect();
    let mut words: Vec<&str> = flags.iter().map(String::as_str).collect();
    words.extend([
        "[[job]]\n",
        "[defaults]\n",
        "name = ",
        "true",
        "false",
        "'",
        "\"\"\"",
        "[",
        "]",
        "{",
    ]);
    words.extend([
        "= ",
        "\n",
        "#",
        "1979-05-27T07:32:00Z",
        "inf",
        "0b1",
        "_",
        "\\u00e9",
        "a.b.c = 1",
    ]);
    fuzz_text("plan files", &corpus, &words, tried);
}

#[test]
fn more_jobs_than_anybody_runs_are_refused_before_they_are_read() {
    let text = "[[job]]\nfile = 'f'\n".repeat(50_000);
    let refusal = of_text("p.toml", &text).unwrap_err().sentence();
    assert_eq!(refusal, "p.toml:1: there are 50000 jobs, and a file may have 1000 at most");
}

#[test]
fn what_is_deeply_nested_is_refused() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let text = format!("file = {}{}", open.repeat(100_000), close.repeat(100_000));
        assert!(of_text("p.toml", &text).is_err());
    }
    assert!(of_text("p.toml", &format!("{}x = 1", "a.".repeat(100_000))).is_err());
    assert!(of_text("p.toml", &format!("[{}x]", "a.".repeat(100_000))).is_err());
}
