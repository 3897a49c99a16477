//! Every command of the README and of the guide to workloads is run, in a folder where nothing is
//! yet.

use crate::support::Folder;

const README: &str = include_str!("../README.md");
const WORKLOADS: &str = include_str!("../docs/workloads.md");

/// The blocks marked as shell, as their lines.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let marked = text.split("```sh\n").skip(1);
    marked
        .filter_map(|rest| rest.split("```").next())
        .map(|block| block.lines().collect())
        .collect()
}

/// The lines of all those blocks of the README.
fn commands() -> Vec<&'static str> {
    blocks(README).concat()
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let mut ran = 0;
    for command in commands() {
        let arguments = match command {
            // The program under test is what this builds and runs.
            "cargo run --release" => "",
            // This very run.
            "cargo test --workspace" => continue,
            other => other.strip_prefix("aio ").unwrap_or_else(|| panic!("what is {other:?}?")),
        };
        let folder = Folder::new();
        let ended = folder.aio(arguments);
        if ended.stderr.contains("refuses O_DIRECT") && ended.code == 2 {
            crate::support::skip(&format!("{command}: {}", ended.stderr.trim()));
            continue;
        }
        if ended.stderr.contains("cannot run here") && ended.code == 2 {
            crate::support::skip(&format!("{command}: {}", ended.stderr.trim()));
            continue;
        }
        let ended = ended.code(0);
        ran += 1;
        if arguments.contains("--format classic") {
            assert_eq!(ended.stdout.lines().count(), 4, "{}", ended.stdout);
        }
        let left: &[&str] = if arguments.contains("--output") { &["result.json"] } else { &[] };
        assert_eq!(folder.names(), left, "{command}");
    }
    assert!(ran > 0, "the README has commands");
}

#[test]
fn the_test_script_runs_the_test_command_of_the_readme() {
    let script = include_str!("../ci/test.sh");
    assert!(commands().contains(&"cargo test --workspace"));
    assert!(script.lines().any(|line| line.starts_with("cargo test --workspace")));
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local: Vec<_> = links.filter(|link| !link.contains("://")).collect();
    assert!(!local.is_empty());
    for link in local {
        assert!(root.join(link).exists(), "{link}");
    }
}

#[test]
fn the_commands_of_the_guide_to_workloads_do_what_it_says() {
    let blocks = blocks(WORKLOADS);
    assert!(!blocks.is_empty());
    for lines in blocks {
        // Those of a block follow each other.
        let folder = Folder::new();
        for command in lines {
            let arguments = command.strip_prefix("aio ").expect("a command of the program");
            let ended = folder.aio(arguments);
            if ended.code == 2 && ended.stderr.contains("refuses O_DIRECT") {
                crate::support::skip(&format!("{command}: {}", ended.stderr.trim()));
                break;
            }
            ended.code(0);
        }
    }
}
