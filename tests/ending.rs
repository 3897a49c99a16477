//! How the program ends when its surroundings do not play along.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ended, Folder};

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_aio"));
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
fn a_closed_stdout_and_a_full_stderr_are_no_panic() {
    let folder = Folder::new();
    for script in [r#""$0" "$@" >&-"#, r#""$0" "$@" 2>/dev/full"#, r#""$0" "$@" 2>&- >&- <&-"#] {
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path()).args(["-c", script, env!("CARGO_BIN_EXE_aio")]);
        let output = shell.args(NULL).output().unwrap();
        let ended = Ended::new(script, &output).code(0);
        assert!(!ended.stderr.contains("panic"), "{}", ended.stderr);
    }
}

/// A run that takes much longer than the test waits for it.
const LONG: [&str; 7] = [
    "--engine=sync",
    "--buffered",
    "--write-file=w",
    "--write-size=8M",
    "--loops=1000000",
    "-v",
    "--block-size=64k",
];

#[test]
fn signals_end_a_run_with_its_partial_result_and_files_are_cleaned_up() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = Folder::new();
        let mut child = program(&folder)
            .args(LONG)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first words are said when it is well under way.
        let mut first = [0; 1];
        child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let sent = Instant::now();
        let kill = ["-s", signal, &child.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(sent.elapsed() < Duration::from_secs(15), "the run ends soon");
        let ended = Ended::new(signal, &output).code(code);
        assert!(ended.stdout.contains("INTERRUPTED"), "{}", ended.stdout);
        assert_eq!(folder.names(), [""; 0]);
    }
}
