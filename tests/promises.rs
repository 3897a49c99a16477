//! docs/promises.md: each promise is kept by tests that exist.

use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Whether `source` has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_it = |line: &str| line.starts_with(&format!("fn {name}("));
    // Attributes may lie in between.
    let is_test = |at: usize| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
        above.into_iter().any(|line| *line == "#[test]")
    };
    lines.iter().enumerate().any(|(at, line)| is_it(line) && is_test(at))
}

/// The text and the target of each link of a line.
fn links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split('[').skip(1).filter_map(|rest| {
        let (text, rest) = rest.split_once("](")?;
        Some((text, rest.split_once(')')?.0))
    })
}

#[test]
fn every_promise_is_kept_by_tests_that_exist() {
    let root = Path::new(ROOT);
    let page = fs::read_to_string(root.join("docs/promises.md")).unwrap();
    let mut promises: Vec<(String, usize)> = Vec::new();
    for line in page.lines() {
        if line.starts_with("- ") {
            promises.push((line.into(), 0));
        }
        for (text, target) in links(line) {
            let name = text.trim_matches('`');
            let file = root.join("docs").join(target);
            let source = fs::read_to_string(&file);
            let source = source.unwrap_or_else(|error| panic!("{target}: {error}"));
            let is_script =
                file.extension().is_some_and(|end| end == "sh") && target.ends_with(name);
            assert!(is_script || has_test(&source, name), "{target} has no test {name}");
            promises.last_mut().expect("a promise stands above it").1 += 1;
        }
    }
    assert!(promises.len() > 20, "{}", promises.len());
    for (promise, tests) in promises {
        assert!(tests > 0, "nothing keeps this promise: {promise}");
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("(docs/promises.md)"));
}

#[test]
fn a_function_that_is_no_test_keeps_no_promise() {
    let source = "#[test]\n// Why.\n#[ignore]\nfn one() {}\n\nfn two() {}\n";
    assert!(has_test(source, "one"));
    assert!(!has_test(source, "two") && !has_test(source, "three"));
}
