//! Reports of saved results.

use std::fs;

use crate::support::{Folder, skip};

/// A folder with the results of a small run.
fn measured() -> Folder {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let line = "--engine sync --buffered --quiet --file f --rw randread --bs 4k --number-ios 2000 \
                --format json --output run.json";
    folder.aio(line).code(0);
    folder
}

#[test]
fn results_of_a_run_become_one_page_that_needs_nothing_else() {
    let folder = measured();
    let ended = folder.aio("report run.json -o report.html").code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    assert!(page.contains("Random reads of 4 KiB: sync"), "{page}");
    assert!(page.matches("<svg").count() >= 4, "latency and CPU, wide and narrow");
    assert_eq!(folder.aio("report run.json").code(0).stdout, page, "on stdout by default");
    assert_eq!(folder.names(), ["f", "report.html", "run.json"]);
}

#[test]
fn a_comparison_becomes_a_page_a_table_and_a_figure() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let workload = "--buffered --quiet --file f --rw randread --bs 4k --number-ios 500";
    let line =
        format!("compare --engine sync,null --rounds 2 --cool-down 0 {workload} --save c.json");
    folder.aio(&line).code(0);
    let page = folder.aio("report c.json").code(0).stdout;
    assert!(page.contains("not enough rounds to tell"), "{page}");
    let md = folder.aio("report c.json --format md").code(0).stdout;
    assert!(md.contains("| contestant | verdict | ratio |"), "{md}");
    folder.aio("report c.json --plot rounds.svg --figure rate").code(0);
    let svg = fs::read_to_string(folder.path().join("rounds.svg")).unwrap();
    assert!(svg.contains("Rate by round") && svg.contains("prefers-color-scheme"), "{svg}");
}

#[test]
fn a_figure_that_is_not_there_is_refused_and_leaves_no_file() {
    let folder = measured();
    folder.aio("report run.json --plot p.svg --figure pie").refused(&["pie", "latency"]);
    folder.aio("report run.json --plot p.svg --figure sweep").refused(&["no figure sweep", "cpu"]);
    folder.aio("report run.json --figure cpu").code(2);
    assert_eq!(folder.names(), ["f", "run.json"]);
}

#[test]
fn what_holds_no_results_is_refused() {
    let folder = Folder::new();
    fs::write(folder.path().join("x.json"), "{}").unwrap();
    folder.aio("report x.json").refused(&["x.json"]);
    folder.aio("report missing.json").refused(&["missing.json", "No such file"]);
}

#[test]
fn a_hostile_name_of_a_file_is_only_text() {
    let folder = Folder::new();
    let name = "<script>alert(1)<\u{2f}script>\"'&`|\u{1b}[31m.json".replace('/', "\u{2044}");
    let measured = measured();
    if let Err(error) = fs::copy(measured.path().join("run.json"), folder.path().join(&name)) {
        return skip(&error.to_string());
    }
    let output = folder.program(crate::support::AIO).args(["report", &name, &name]).output();
    let page = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"), "{page}");
    assert!(!page.contains('\u{1b}'));
}
