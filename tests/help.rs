//! The help.

use crate::support::{Folder, skip};

#[test]
fn help_has_all_groups_and_defaults_on_stdout_and_is_no_wider_than_a_page() {
    let folder = Folder::new();
    let help = folder.aio("--help").code(0);
    assert_eq!(help.stderr, "");
    for heading in [
        "Engine:",
        "What is moved:",
        "How it is moved:",
        "Checks and files:",
        "Results:",
        "Messages (on stderr):",
        "Examples:",
    ] {
        assert!(help.stdout.lines().any(|line| line == heading), "{heading}\n{}", help.stdout);
    }
    assert!(help.stdout.contains("[default: 1M] [alias: --bs]"), "{}", help.stdout);
    assert!(!help.stdout.contains("--gpu"), "what does not exist is not offered");
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
}

#[test]
fn the_examples_run_as_they_stand_and_leave_nothing() {
    let folder = Folder::new();
    let help = folder.aio("--help").stdout;
    let examples: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("    aio ")).collect();
    assert_eq!(examples.len(), 4, "{help}");
    for example in examples {
        let ended = folder.aio(example);
        if ended.stderr.contains("refuses O_DIRECT") {
            skip(&ended.stderr);
            continue;
        }
        ended.code(0);
        assert_eq!(folder.names(), [""; 0], "{example}");
    }
}

#[test]
fn the_version_is_printed() {
    let version = Folder::new().aio("--version").code(0);
    assert_eq!(version.stdout, format!("aio {}\n", env!("CARGO_PKG_VERSION")));
}
