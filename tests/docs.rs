//! README.md and docs/ say nothing that the program does not do.
//!
//! - Blocks marked `sh` are run, those of a page one after the other in one folder, as a reader
//!   would.
//! - Blocks marked `console` have their output compared by trycmd. They are for what is the same on
//!   every machine.
//! - Blocks marked `text` are what no test can run: they need a device, or hours. The program still
//!   reads their commands, as dry runs that can reach no device.
//! - Links lead somewhere.

mod pages;

use std::path::Path;

use self::pages::{Page, anchors, pages};
use crate::support::{AIO, Ended, Folder, skip};

/// What a reader does once, and the tests have done by being built; and the demonstration, which
/// has tests of its own.
const DONE_ELSEWHERE: [&str; 5] = [
    "cargo build --release",
    "cargo run --release",
    "cargo test --workspace",
    "export PATH=\"$PWD/target/release:$PATH\"",
    "aio",
];

/// The page whose commands the tests of `aio diff` run, scripts of workflows and all.
const GUIDE_TO_GATES: &str = "docs/ci.md";

/// A folder that no machine has.
const NOWHERE: &str = "/no-such-folder/";

/// Runs a line of a shell in `folder`, in which `aio` is the program under test.
fn run(folder: &Folder, line: &str) -> Ended {
    let beside = Path::new(AIO).parent().expect("a program lies in a folder");
    let others = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{others}", beside.display());
    let output = folder.program("sh").args(["-c", line]).env("PATH", path).output();
    Ended::new(line, &output.expect("there is a shell"))
}

/// Files that a command is told to write.
fn outputs(line: &str) -> impl Iterator<Item = &str> {
    let words: Vec<_> = line.split_whitespace().collect();
    let names_one = |pair: &&[&str]| ["--output", "-o", "--save", "--plot", ">"].contains(&pair[0]);
    words.windows(2).filter(names_one).map(|pair| pair[1]).collect::<Vec<_>>().into_iter()
}

/// Runs the commands of `page`; says how many.
fn follow(page: &Page) -> usize {
    let folder = Folder::new();
    let mut known: Vec<String> = Vec::new();
    let mut ran = 0;
    for line in page.commands("sh") {
        let line = line.as_str();
        if DONE_ELSEWHERE.contains(&line) {
            continue;
        }
        let ended = run(&folder, line);
        let cannot = ["refuses O_DIRECT", "cannot run here"];
        if ended.code == 2 && cannot.iter().any(|reason| ended.stderr.contains(reason)) {
            // What follows may need what this would have made.
            skip(&format!("{}: {line}: {}", page.name, ended.stderr.trim()));
            return ran;
        }
        let ended = ended.code(0);
        ran += 1;
        if line.contains("--format classic") {
            assert_eq!(ended.stdout.lines().count(), 4, "{}", ended.stdout);
        }
        if line.starts_with("aio ") && !line.contains("--keep") {
            known.extend(outputs(line).map(Into::into));
            let left: Vec<_> =
                folder.names().into_iter().filter(|name| !known.contains(name)).collect();
            assert_eq!(left, [""; 0], "left behind by {}: {line}", page.name);
        } else {
            known = folder.names();
        }
    }
    ran
}

#[test]
fn every_command_of_every_page_does_what_it_says() {
    let pages = pages();
    let pages = pages.iter().filter(|page| page.name != GUIDE_TO_GATES);
    // Side by side, because most of them wait for time to pass; nothing here looks at a speed.
    let ran: Vec<_> = std::thread::scope(|scope| {
        let begun: Vec<_> =
            pages.map(|page| (&page.name, scope.spawn(move || follow(page)))).collect();
        begun.into_iter().map(|(name, page)| (name, page.join().unwrap())).collect()
    });
    let of_readme = ran.iter().find(|(name, _)| *name == "README.md");
    assert!(of_readme.is_some_and(|(_, commands)| *commands > 0), "{ran:?}");
}

#[test]
fn every_command_that_is_shown_only_is_one_that_the_program_can_read() {
    let mut read = 0;
    for page in pages() {
        let folder = Folder::new();
        for command in page.commands("text").iter().filter(|line| is_a_run(line)) {
            // Whatever it names, nothing of this machine can be touched.
            let command = command.replace("/dev/", NOWHERE).replace("/mnt/", NOWHERE);
            let line = format!("{command} --dry-run");
            let ended = run(&folder, &line);
            let said = &ended.stderr;
            let is_read = match ended.code {
                0 => true,
                1 => said.contains("space") || said.contains("memory"),
                2 => said.contains(NOWHERE) || said.contains("cannot run here"),
                _ => false,
            };
            assert!(is_read, "{}: {line}: {} {said}", page.name, ended.code);
            assert_eq!(folder.names(), [""; 0], "{}: {line}", page.name);
            read += 1;
        }
    }
    assert!(read > 0, "writing to a device is shown somewhere");
}

/// Whether a line of a block is a command that takes `--dry-run`, and not output or a synopsis.
fn is_a_run(line: &str) -> bool {
    if line.contains("[OPTIONS]") {
        return false;
    }
    let mut words = line.split_whitespace();
    let verb = (words.next() == Some("aio")).then(|| words.next()).flatten().unwrap_or("");
    verb.starts_with("--") || ["run", "fio", "compare"].contains(&verb)
}

#[test]
fn shown_output_is_what_the_program_prints() {
    let shown: Vec<_> =
        pages().into_iter().filter(|page| !page.commands("console").is_empty()).collect();
    assert!(!shown.is_empty());
    let folder = Folder::new();
    let cases = trycmd::TestCases::new();
    cases.register_bin("aio", Path::new(AIO));
    for page in &shown {
        // trycmd runs a page in the folder of its name, if there is one: here with a file of
        // somebody's in it.
        let name = page.name.replace('/', "-");
        let stem = name.strip_suffix(".md").expect("a page is Markdown");
        std::fs::write(folder.path().join(&name), &page.text).unwrap();
        let inside = folder.path().join(format!("{stem}.in"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("notes.txt"), [b'n'; 8192]).unwrap();
        cases.case(folder.path().join(&name));
    }
    cases.run();
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let pages = pages();
    let mut followed = 0;
    for page in &pages {
        for link in page.links() {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.beside(file) };
            assert!(target.exists(), "{}: {link}", page.name);
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                assert!(anchors(&text).contains(&anchor.to_owned()), "{}: {link}", page.name);
            }
            followed += 1;
        }
    }
    assert!(followed > 0);
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let pages = pages();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    let mut reached = vec![readme.path.clone()];
    let mut next = 0;
    while let Some(path) = reached.get(next).cloned() {
        next += 1;
        let Some(page) = pages.iter().find(|page| page.path == path) else { continue };
        for link in page.links() {
            let file = link.split('#').next().unwrap_or("");
            let Ok(target) = page.beside(file).canonicalize() else { continue };
            if !reached.contains(&target) {
                reached.push(target);
            }
        }
    }
    let lost: Vec<_> = pages.iter().filter(|page| !reached.contains(&page.path)).collect();
    assert!(lost.is_empty(), "{:?}", lost.iter().map(|page| &page.name).collect::<Vec<_>>());
}

#[test]
fn the_test_script_runs_the_test_command_of_the_readme() {
    let script = include_str!("../ci/test.sh");
    let pages = pages();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    assert!(readme.commands("sh").iter().any(|line| line == "cargo test --workspace"));
    assert!(script.lines().any(|line| line.starts_with("cargo test --workspace")));
}
