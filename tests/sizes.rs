//! Sizes and flags in all their spellings reach the plan.

use crate::support::Folder;

#[test]
fn sizes_in_all_spellings_reach_the_plan() {
    let folder = Folder::new();
    for (text, bytes) in [("1M", 1 << 20), ("1m", 1 << 20), ("1.5M", 3 << 19), ("64KiB", 1 << 16)] {
        let line = "--engine null --buffered --quiet --dry-run --format json --folder . --io_size";
        let ended = folder.aio(&format!("{line} {text} --block_size 4k")).code(0);
        let plain: String = ended.stdout.split_whitespace().collect();
        assert!(plain.contains(&format!("\"sizes_bytes\":[{bytes}]")), "{text}\n{plain}");
        assert!(plain.contains("\"block_size_bytes\":4096"), "{text}\n{plain}");
    }
}
