use aio_core::report::Comparison;

use super::*;
use crate::render::sample;

fn page_of(document: &Document) -> String {
    html::page(&sheet(sections_of(document, "")))
}

#[test]
fn dump_samples() {
    let Ok(folder) = std::env::var("AIO_PAGE_DUMP") else { return };
    let write =
        |name: &str, value: String| std::fs::write(format!("{folder}/{name}"), value).unwrap();
    write("contest.json", serde_json::to_string(&sample::contest()).unwrap());
    write("sweep.json", serde_json::to_string(&sample::sweep()).unwrap());
    write("blocks.json", serde_json::to_string(&sample::blocks()).unwrap());
    write("comparison.json", serde_json::to_string(&sample::comparison()).unwrap());
    write("troubled.json", serde_json::to_string(&sample::troubled()).unwrap());
    write("interrupted.json", serde_json::to_string(&sample::interrupted()).unwrap());
    write("null.json", serde_json::to_string(&sample::null()).unwrap());
    let mut ladder: Comparison = sample::contest();
    ladder.layout = aio_core::report::Layout::Ladder;
    for (index, one) in ladder.contestants.iter_mut().enumerate() {
        one.baseline = index.checked_sub(1);
    }
    ladder.judge();
    write("ladder.json", serde_json::to_string(&ladder).unwrap());
}
