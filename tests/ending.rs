//! How the program ends when its surroundings do not play along.

use std::fs::OpenOptions;
use std::process::Command;

use crate::support::{AIO, Ended, Folder};

const NULL: [&str; 7] = [
    "--engine=null",
    "--buffered",
    "--quiet",
    "--write-file=w",
    "--write-size=8M",
    "--loops=3",
    "--seed=1",
];

fn program(folder: &Folder) -> Command {
    let mut command = Command::new(AIO);
    command.current_dir(folder.path());
    command
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let folder = Folder::new();
    for arguments in [&NULL[..], &["--help"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = program(&folder).args(arguments).stdout(full).output().unwrap();
        let ended = Ended::new("… >/dev/full", &output).code(1);
        assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program(&folder).args(NULL).stdout(writer).output().unwrap();
    let ended = Ended::new("… | true", &output).code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_reader_that_takes_one_line_and_goes_is_no_error() {
    let folder = Folder::new();
    let script = r#"{ "$0" "$@"; echo $? >&2; } | head -1"#;
    let line = "--engine null --buffered --quiet --write-file w --write-size 1M";
    for line in ["--help", line, &format!("{line} --format json --loops 2000")] {
        let ended = folder.shell(script, line).code(0);
        assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
        assert_eq!(ended.stderr, "0\n", "aio {line}");
    }
    assert_eq!(folder.names(), [""; 0]);
}
