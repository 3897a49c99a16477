//! Names that mean to do something to whoever looks at them: in every form of results, in messages,
//! and in results that come from elsewhere.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, Folder};

/// A formula, the escapes of a terminal (of 7 and of 8 bits), what turns writing around, tags.
const HOSTILE: &str =
    "=cmd|'x'!A0 \u{1b}[31m\u{9b}2J\u{202e}\u{200b}\t\"><script>alert(1)</script>&a|b`c`";

/// Asserts that nothing in `text` can act on a terminal.
#[track_caller]
fn is_harmless(what: &str, text: &str) {
    let bad = text.chars().find(|&c| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{what}: {text:?}");
}

#[track_caller]
fn said_harmlessly(ended: &Ended, what: &str) {
    is_harmless(&format!("{what}: stdout"), &ended.stdout);
    is_harmless(&format!("{what}: stderr"), &ended.stderr);
}

/// The cells of a table in CSV.
fn cells(csv: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in csv.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells
}

#[track_caller]
fn has_no_formula(csv: &str) {
    for cell in cells(csv) {
        let is_number = cell.parse::<f64>().is_ok();
        assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
    }
}

#[test]
fn names_of_files_do_nothing_in_any_form_of_results() {
    let folder = Folder::new();
    let name = HOSTILE.replace('/', "\\");
    fs::write(folder.path().join(&name), vec![7; 1 << 20]).unwrap();
    let run = ["--engine", "sync", "--buffered", "--file", &name, "--rw", "randread"];
    for form in ["text", "json", "csv", "classic", "fio-json"] {
        let words: Vec<_> = run.into_iter().chain(["--format", form, "-v"]).collect();
        let ended = folder.aio_words(&words).code(0);
        said_harmlessly(&ended, form);
        if form == "csv" {
            has_no_formula(&ended.stdout);
        }
        if form == "json" {
            assert_eq!(ended.json()["targets"][0]["path"], name.as_str());
        }
    }
    for more in [["--dry-run", "--format=text"], ["--dry-run", "--format=json"]] {
        said_harmlessly(&folder.aio_words(&[&run[..], &more].concat()).code(0), "dry run");
    }
    said_harmlessly(&folder.aio_words(&[&run[..], &["--dump-plan"]].concat()).code(0), "plan");
    for words in [
        &["--read-file", &format!("{name} is missing")][..],
        &["--write-file", &name, "--write-size", "1M", "--allow-device", &name],
        &["--engine", &name, "--read-file", &name],
        &["--engine", &format!("uring:{name}"), "--read-file", &name],
        &["--block-size", &name],
        &[&format!("--{name}")],
        &[&name],
        &["run", &name],
        &["fio", &name],
        &["report", &name],
        &["diff", &name, &name],
        &["verify", &name],
        &["compare", "--contestant", &name, "--read-file", "f"],
        &["compare", "--sweep", &format!("{name}=1"), "--read-file", "f"],
        &["--read-file", &name, "--output", &format!("{name}/r")],
        &["--read-file", &name, "--assert", &name],
    ] {
        let ended = folder.aio_words(words);
        assert_ne!(ended.code, 0, "{words:?}");
        said_harmlessly(&ended, &format!("{words:?}"));
    }
}

#[test]
fn names_of_jobs_do_nothing_in_any_form_of_results() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    // A plan file takes no control characters in a name.
    let name = HOSTILE.replace(char::is_control, "");
    let quoted = serde_json::to_string(&name).unwrap();
    let job = format!("[[job]]\nname = {quoted}\nread-file = 'f'\nbuffered = true\n");
    let plan = format!("engine = 'sync'\n{job}{}", job.replace("=cmd", "@cmd"));
    fs::write(folder.path().join("p.toml"), plan).unwrap();
    let fio =
        format!("[{}]\nfilename=f\nrw=read\nbs=4k\nioengine=sync\n", HOSTILE.replace(']', ""));
    fs::write(folder.path().join("j.fio"), fio).unwrap();
    for file in ["run p.toml", "fio j.fio"] {
        for form in ["text", "json", "csv", "classic", "fio-json"] {
            let ended = folder.aio(&format!("{file} --format {form}")).code(0);
            said_harmlessly(&ended, &format!("{file} {form}"));
            if form == "csv" {
                has_no_formula(&ended.stdout);
                let apart = ended.stdout.contains("'=cmd|");
                assert!(apart, "{file}: {}", ended.stdout);
            }
        }
    }
}

/// Puts `text` in the place of every string in results that is not a word of the format.
fn poison(value: &mut Value, text: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let is_named = matches!(
                    name.as_str(),
                    "engine"
                        | "engines"
                        | "path"
                        | "name"
                        | "kernel"
                        | "cpu_model"
                        | "why_not"
                        | "asked"
                        | "granted"
                        | "reason"
                        | "message"
                        | "file_system"
                        | "model"
                        | "tool_version"
                        | "mount_options"
                        | "firmware"
                        | "scheduler"
                        | "option"
                );
                match field {
                    Value::String(one) if is_named => *one = text.into(),
                    other => poison(other, text),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| poison(one, text)),
        _ => {}
    }
}

#[test]
fn results_from_elsewhere_do_nothing_on_a_page_or_in_a_difference() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let common = "--buffered --quiet --file f --rw randread --bs 4k --number-ios 200";
    folder.aio(&format!("--engine sync {common} --format json --output run.json")).code(0);
    let rounds = "compare --engine sync,null --rounds 2 --cool-down 0";
    folder.aio(&format!("{rounds} {common} --save contest.json")).code(0);
    for name in ["run.json", "contest.json"] {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        poison(&mut value, HOSTILE);
        let bad = format!("bad-{name}");
        fs::write(folder.path().join(&bad), value.to_string()).unwrap();
        for line in [
            format!("report {bad}"),
            format!("report {bad} --format md"),
            format!("diff {name} {bad}"),
            format!("diff {bad} {bad} --format md"),
            format!("diff {bad} {bad} --format json"),
        ] {
            let ended = folder.aio(&line);
            said_harmlessly(&ended, &line);
            assert!(ended.code != 101 && ended.code >= 0, "{line}: {}", ended.stderr);
            let is_page = line.starts_with("report") || line.contains("md");
            assert!(!is_page || !ended.stdout.contains("<script"), "{line}: {}", ended.stdout);
        }
    }
}
