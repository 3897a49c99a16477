//! What would wear a drive is told and asked about, once, before anything is made.

use std::fs;

use crate::support::{AIO, Ended, Folder, skip};

/// 195 GiB, of one MiB.
const MUCH: &str = "--engine sync --buffered --write-file w --write-size 1M --loops 200000 \
                    --warmup-loops 0";

/// A folder on a drive that wears; `None`, said aloud, where it lies in memory.
fn folder() -> Option<Folder> {
    let folder = Folder::new();
    let preview = folder.aio(&format!("{MUCH} --dry-run")).code(0).stdout;
    if preview.contains("would write: 195 GiB to ") {
        return Some(folder);
    }
    skip("what would wear a drive: the build folder is on none");
    None
}

#[test]
fn much_writing_is_refused_without_a_terminal_before_anything_is_made() {
    let Some(folder) = folder() else { return };
    let plan = "write-file = 'w'\nwrite-size = '1M'\nloops = 100000\nwarmup-loops = 0\n\
                engine = 'sync'\nbuffered = true\n";
    fs::write(folder.path().join("p.toml"), format!("[[job]]\n{plan}[[job]]\n{plan}")).unwrap();
    let job = "[j]\nfilename=w\nrw=write\nsize=1m\nbs=64k\nloops=200000\nioengine=sync\n";
    fs::write(folder.path().join("j.fio"), job).unwrap();
    let timed = "--engine sync --buffered --file w --size 1M --rw randwrite --block-size 4k";
    for line in [
        MUCH.to_owned(),
        // What jobs and rounds write adds up.
        "run p.toml --quiet".into(),
        "fio j.fio --quiet".into(),
        "compare --rounds 10 --practice-rounds 0 --engine sync,sync --buffered --write-file w \
         --write-size 1M --loops 10000 --quiet"
            .into(),
        format!("{timed} --loops 100 --runtime 10s"),
        format!("{timed} --runtime 1s --steady-state --loops 20"),
        format!("{timed} --runtime 2h --rate-iops 10000"),
    ] {
        let ended = folder.aio(&line).refused(&["this writes ", "add --yes"]);
        let is_timed = line.contains("--runtime") && !line.contains("--rate");
        assert_eq!(ended.stderr.contains("an estimated "), is_timed, "{}", ended.stderr);
        assert_eq!(folder.names(), ["j.fio", "p.toml"], "{line}");
    }
}

#[test]
fn little_writing_reading_and_what_moves_nothing_is_not_asked_about() {
    let folder = Folder::new();
    for (line, writes) in [
        ("--engine null --buffered --write-file w --write-size 1M --loops 1000000", false),
        ("--engine sync --buffered --write-file w --write-size 1M", true),
        ("--engine sync --buffered --file w --size 1M --rw randwrite --runtime 90s", true),
        ("--engine sync --buffered --file w --size 1M --rw randtrim --loops 1000000", true),
    ] {
        let preview = folder.aio(&format!("{line} --dry-run"));
        if preview.code == 2 {
            skip(&preview.stderr);
            continue;
        }
        let preview = preview.code(0).stdout;
        assert!(!preview.contains("--yes"), "{line}: {preview}");
        assert!(writes || !preview.contains("would write"), "{line}: {preview}");
    }
}

#[test]
fn yes_on_the_command_line_answers_and_a_file_cannot() {
    let Some(folder) = folder() else { return };
    // It is ended when it has begun.
    let script = "timeout --preserve-status -s INT 2 \"$0\" \"$@\"";
    let ended = folder.shell(script, &format!("{MUCH} --yes")).code(130);
    ended.says(&["aio: writes 195 GiB to "]);
    assert_eq!(folder.names(), [""; 0]);
    fs::write(folder.path().join("p.toml"), "write-file = 'w'\nwrite-size = '1M'\nyes = true\n")
        .unwrap();
    folder.aio("run p.toml").refused(&["p.toml:3: yes is for the command line"]);
    fs::write(folder.path().join("j.fio"), "[j]\nfilename=w\nrw=write\nsize=1m\nyes=1\n").unwrap();
    folder.aio("fio j.fio").refused(&["j.fio:5: ", "yes"]);
    let contestants = "--contestant threads=1 --contestant yes";
    folder
        .aio(&format!("compare {contestants} --write-file w --write-size 1M"))
        .refused(&["--yes is of the whole command"]);
    let dumped = folder.aio(&format!("{MUCH} --yes --dump-plan")).code(0).stdout;
    assert!(!dumped.contains("yes"), "{dumped}");
}

/// Runs the program on a terminal of its own, on which `typed` is typed after a second; `None`,
/// said aloud, without a program that makes terminals.
fn on_a_terminal(folder: &Folder, typed: &str, line: &str) -> Option<Ended> {
    let command = format!("timeout --preserve-status --foreground -s INT 4 {AIO} {line}");
    let script = "command -v script > /dev/null || exit 125
                  typed=$1; command=$2
                  (sleep 1; printf \"$typed\"; sleep 4) | script -qec \"$command\" /dev/null";
    let output = folder.program("sh").args(["-c", script, "sh", typed, &command]).output();
    let ended = Ended::new(&format!("{line} (and {typed:?} is typed)"), &output.expect("a shell"));
    if ended.code == 125 {
        skip("questions on a terminal: there is no program called script");
        return None;
    }
    Some(ended)
}

#[test]
fn on_a_terminal_it_is_asked_and_only_yes_goes_on() {
    let Some(folder) = folder() else { return };
    for (typed, code, made) in [
        ("n\\n", 2, false),
        ("\\n", 2, false),
        ("\\004", 2, false),
        ("\\003", 130, false),
        ("y\\n", 130, true),
    ] {
        let Some(ended) = on_a_terminal(&folder, typed, MUCH) else { return };
        let ended = ended.code(code);
        let said = ended.stdout.contains("this writes 195 GiB to ");
        assert!(said && ended.stdout.contains("go on? [y/N]"), "{typed}: {}", ended.stdout);
        assert_eq!(ended.stdout.contains("INTERRUPTED"), made, "{typed}: {}", ended.stdout);
        assert_eq!(folder.names(), [""; 0], "{typed}");
    }
}
