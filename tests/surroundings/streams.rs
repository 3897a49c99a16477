//! Standard streams that are closed, full, or read by nobody.

use std::fs;

use crate::support::{Folder, skip};

const FORMATS: [&str; 6] = ["text", "json", "csv", "classic", "fio-json", "text --verbose"];
const WORK: &str = "--engine null --buffered --write-file w --write-size 8M --loops 3";

/// What is said of a stdout that cannot take results.
const CLOSED: &str = "cannot write the results: stdout is closed";

/// Each way to break streams, how the program ends then, and what it says where it can be heard.
const WAYS: [(&str, i32, &str); 11] = [
    ("<&-", 0, ""),
    ("2>&-", 0, ""),
    ("2>/dev/full", 0, ""),
    (">/dev/null", 0, ""),
    ("1<>/dev/null", 0, ""),
    (">/dev/full", 1, "cannot write the results: No space left on device (os error 28)"),
    (">&-", 1, CLOSED),
    ("1</dev/null", 1, CLOSED),
    (">&- 2>&-", 1, ""),
    ("<&- >&- 2>&-", 1, ""),
    (">/dev/full 2>/dev/full", 1, ""),
];

#[test]
fn results_that_nobody_gets_are_a_failure_and_messages_are_not_whatever_the_format() {
    let folder = Folder::new();
    for format in FORMATS {
        for (way, code, said) in WAYS {
            let line = format!("{WORK} --format {format}");
            let ended = folder.shell(&format!("\"$0\" \"$@\" {way}"), &line).code(code);
            let ended = ended.says(&[said]);
            assert!(!ended.stderr.contains("panic"), "{}", ended.stderr);
            let is_silent = code == 1 || way.starts_with('>') || way.starts_with("1<>");
            assert_eq!(ended.stdout.is_empty(), is_silent, "{way}: {}", ended.stdout);
            assert_eq!(folder.names(), [""; 0], "{way}");
        }
    }
}

#[test]
fn nothing_is_run_whose_results_would_be_lost() {
    let folder = Folder::new();
    for line in ["", "engines", "schema run", "--help", "man", "completions bash"] {
        let ended = folder.shell("\"$0\" \"$@\" >&-", line).code(1).says(&[CLOSED]);
        assert_eq!(ended.stderr.lines().count(), 1, "aio {line}: {}", ended.stderr);
        assert_eq!(folder.names(), [""; 0]);
    }
    // A file that is there shows that nothing was begun.
    folder.file("f", 64 << 10);
    let before = fs::read(folder.path().join("f")).unwrap();
    let line = "--engine sync --buffered --file f --rw write --overwrite";
    folder.shell("\"$0\" \"$@\" >&-", line).code(1).says(&[CLOSED]);
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), before);
    let line = "compare --engine sync,null --buffered --rounds 2 --write-file w --write-size 64k";
    folder.shell("\"$0\" \"$@\" >&-", line).code(1).says(&[CLOSED]);
    assert_eq!(folder.names(), ["f"]);
}

#[test]
fn results_in_a_file_need_no_stdout() {
    let folder = Folder::new();
    let line = format!("{WORK} --quiet --format json --output r.json");
    folder.shell("\"$0\" \"$@\" <&- >&- 2>&-", &line).code(0);
    let text = fs::read_to_string(folder.path().join("r.json")).unwrap();
    assert!(text.contains("\"status\": \"complete\""), "{text}");
    assert_eq!(folder.names(), ["r.json"]);
}

#[test]
fn no_file_gets_the_number_of_a_stream_that_was_closed_and_is_written_by_mistake() {
    let folder = Folder::new();
    for engine in crate::support::ENGINES {
        if !folder.can_run(engine) {
            continue;
        }
        // Everything is said that can be, while the target is the first file to be opened.
        let line = format!(
            "--engine {engine} --buffered --verbose --verbose --write-file w --write-size 64k \
             --block-size 16k --keep --validate --loops 2 --output r"
        );
        folder.shell("\"$0\" \"$@\" <&- >&- 2>&-", &line).code(0);
        let target = fs::read(folder.path().join("w.0")).unwrap();
        assert_eq!(target.len(), 64 << 10, "{engine}");
        // As a run whose streams are all there leaves it.
        folder.aio(&format!("{line} --overwrite")).code(0);
        assert!(fs::read(folder.path().join("w.0")).unwrap() == target, "{engine}");
        fs::remove_file(folder.path().join("w.0")).unwrap();
        fs::remove_file(folder.path().join("r")).unwrap();
    }
}

#[test]
fn a_pipe_that_nobody_reads_any_more_is_no_failure_whatever_the_format() {
    let folder = Folder::new();
    for format in FORMATS {
        let script = "{ \"$0\" \"$@\"; echo $? >&2; } | true";
        let line = format!("{WORK} --format {format}");
        let ended = folder.shell(script, &line);
        if ended.stderr.is_empty() {
            return skip("a pipe that nobody reads: this shell ends both sides of it");
        }
        assert_eq!(ended.stderr.lines().last(), Some("0"), "{format}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panic"), "{}", ended.stderr);
        assert_eq!(folder.names(), [""; 0]);
    }
}
