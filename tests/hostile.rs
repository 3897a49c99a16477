//! Files that are no plans and no results, given as such: refused in one sentence, within the time
//! that every test has, and ended by a signal where they keep one waiting.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{AIO, Ended, Folder, LIMIT};

/// The commands that read a file before they do anything.
const READERS: [&str; 4] = ["run", "fio", "report", "diff --force other.json"];

fn fifo(folder: &Folder, name: &str) {
    folder.program("mkfifo").arg(name).assert().success();
}

/// What became of it; killed when it does not end.
fn ended(line: &str, mut child: Child) -> Ended {
    let end = Instant::now() + LIMIT;
    while child.try_wait().expect("it can be waited for").is_none() {
        if Instant::now() > end {
            child.kill().expect("it is ours");
            panic!("aio {line} does not end");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ended::new(line, &child.wait_with_output().expect("it has ended"))
}

fn start(folder: &Folder, line: &str, input: Stdio) -> Child {
    let mut command = Command::new(AIO);
    command.current_dir(folder.path()).args(line.split_whitespace()).stdin(input);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program can be started")
}

#[test]
fn content_that_nobody_means_is_refused_by_every_command_that_reads_a_file() {
    let folder = Folder::new();
    let contents: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("nuls", vec![0; 1 << 16]),
        ("latin", b"[[job]]\nfile = \"\xff\xfe\"\n".to_vec()),
        ("line", vec![b'a'; 10 << 20]),
        ("deep.toml", format!("file = {}", "[".repeat(200_000)).into()),
        ("deep.json", "{\"a\":[".repeat(200_000).into()),
        ("marked", b"\xef\xbb\xbf{}".to_vec()),
        ("escapes", b"[j\x1b[31m]\n\x1b]0;x\x07 = 1\n".to_vec()),
        ("endless.fio", b"[j]\ninclude endless.fio\n".to_vec()),
    ];
    for (name, content) in &contents {
        fs::write(folder.path().join(name), content).expect("there is room");
        for reader in READERS {
            let ended = folder.aio(&format!("{reader} {name}")).refused(&[]);
            let shown = ended.stderr.trim_end();
            assert!(!shown.contains(char::is_control), "{reader} {name}: {shown:?}");
            assert!(shown.len() < 4096, "{reader} {name} says {} bytes", shown.len());
        }
    }
}

#[test]
fn what_is_no_file_is_refused_by_every_command_that_reads_one() {
    let folder = Folder::new();
    for reader in READERS {
        for path in [".", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "none"] {
            folder.aio(&format!("{reader} {path}")).refused(&[]);
        }
    }
}

#[test]
fn a_fifo_that_nobody_writes_to_is_as_good_as_empty() {
    let folder = Folder::new();
    fifo(&folder, "p");
    folder.aio("report p").refused(&["p cannot be used as results: it is empty"]);
}

#[test]
fn a_signal_ends_the_wait_for_input() {
    let folder = Folder::new();
    fifo(&folder, "p");
    folder.aio(
        "--engine null --buffered --quiet --write-file w --write-size 1M --format json --output \
         other.json",
    );
    for reader in READERS {
        for path in ["p", "-"] {
            let line = format!("{reader} {path}");
            // The other end of this pipe stays open.
            let child = start(&folder, &line, Stdio::piped());
            thread::sleep(Duration::from_millis(300));
            let number = child.id().to_string();
            folder.program("kill").args(["-TERM", &number]).assert().success();
            ended(&line, child).code(143);
        }
    }
}

#[test]
fn a_fifo_is_read_to_its_end_however_slowly_it_comes() {
    let folder = Folder::new();
    fifo(&folder, "p");
    let path = folder.path().join("p");
    let writer = thread::spawn(move || {
        let mut pipe = fs::File::options().write(true).open(path).expect("the program reads");
        for part in
            ["write-file = 'f'\nwrite-size", " = '1M'\nengine = 'null'\n", "buffered = true\n"]
        {
            thread::sleep(Duration::from_millis(100));
            pipe.write_all(part.as_bytes()).expect("the program still reads");
        }
    });
    let ended = folder.aio("run p --dry-run --format json").code(0);
    assert_eq!(
        ended.json()["jobs"][0]["preview"]["plan"]["phases"][0]["tensors"][0]["path"],
        "f.{tid}"
    );
    writer.join().expect("all of it was read");
}

#[test]
fn results_of_megabytes_are_refused_without_much_memory_for_the_refusal() {
    let folder = Folder::new();
    let nested =
        format!("{{\"jobs\":[{}]}}", "{\"name\":\"a\"},".repeat(500_000).trim_end_matches(','));
    fs::write(folder.path().join("many"), nested).expect("there is room");
    folder.aio("report many").refused(&["none of its jobs has results"]);
    fs::write(folder.path().join("large"), vec![b' '; (64 << 20) + 1]).expect("there is room");
    folder.aio("report large").refused(&["it is larger than 64 MiB"]);
}
