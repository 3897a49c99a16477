//! How blocks that can be verified lie in a file.

use serde::{Deserialize, Serialize};

use super::{Checksum, Generation, SECTOR_BYTES};
use crate::plan::BLOCK_BYTES_MAX;

/// What is known of a file besides what its blocks say: what a run that is through has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// How the blocks are checked.
    pub checksum: Checksum,
    /// Bytes of a block.
    pub block_bytes: u32,
    /// Where the first block is.
    pub start_bytes: u64,
    /// Bytes of the range that the run used.
    pub range_bytes: u64,
    /// The oldest generation that a block of the range may have, if each must have one.
    pub oldest: Option<Generation>,
}

impl Layout {
    /// The layout as one line of text, for a mark on the file.
    pub(crate) fn to_text(self) -> String {
        let Self { checksum, block_bytes, start_bytes, range_bytes, oldest } = self;
        let whole = oldest.map_or_else(
            || "part".into(),
            |Generation { run, loop_number }| format!("whole {run} {loop_number}"),
        );
        format!("verify 1 {checksum} {block_bytes} {start_bytes} {range_bytes} {whole}")
    }

    /// The layout that `text` is.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let (["verify", "1", checksum, block, start, range], rest) = words.split_at_checked(6)?
        else {
            return None;
        };
        let oldest = match rest {
            ["part"] => None,
            ["whole", run, loop_number] => {
                Some(Generation { run: run.parse().ok()?, loop_number: loop_number.parse().ok()? })
            }
            _ => return None,
        };
        let all = [Checksum::Crc32c, Checksum::Xxh3, Checksum::Pattern];
        let layout = Self {
            checksum: all.into_iter().find(|one| one.to_string() == *checksum)?,
            block_bytes: block.parse().ok()?,
            start_bytes: start.parse().ok()?,
            range_bytes: range.parse().ok()?,
            oldest,
        };
        layout.is_one_of_ours().then_some(layout)
    }

    /// Whether a run can have noted it: whoever owns the file can write something else there.
    fn is_one_of_ours(&self) -> bool {
        let sector = SECTOR_BYTES as u64;
        let block_bytes = u64::from(self.block_bytes);
        (1..=BLOCK_BYTES_MAX).contains(&block_bytes)
            && block_bytes.is_multiple_of(sector)
            && self.start_bytes.is_multiple_of(sector)
    }

    /// Where the range ends.
    #[must_use]
    pub fn end_bytes(&self) -> u64 {
        self.start_bytes.saturating_add(self.range_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fuzz_text;

    #[test]
    fn a_layout_becomes_text_and_back_and_other_text_is_none() {
        let part = Layout {
            checksum: Checksum::Xxh3,
            block_bytes: 4096,
            start_bytes: 512,
            range_bytes: u64::MAX,
            oldest: None,
        };
        let whole = Layout { oldest: Some(Generation { run: u64::MAX, loop_number: 7 }), ..part };
        for layout in [part, whole, Layout { checksum: Checksum::Crc32c, ..part }] {
            assert_eq!(Layout::of_text(&layout.to_text()), Some(layout));
        }
        for text in
            ["", "being written", "verify 1 xxh3 4096 0 8 whole 1", "verify 2 xxh3 1 1 1 part"]
        {
            assert_eq!(Layout::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_layout_that_no_run_has_noted_is_none() {
        for text in [
            "verify 1 xxh3 0 0 4096 part",
            "verify 1 xxh3 100 0 4096 part",
            "verify 1 xxh3 4096 100 4096 part",
            "verify 1 xxh3 4294966784 0 4096 part",
        ] {
            assert_eq!(Layout::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn fuzzed_texts_are_layouts_that_are_written_the_same_way_or_none() {
        let corpus = ["verify 1 xxh3 4096 512 4096 part", "verify 1 crc32c 512 0 8192 whole 77 7"];
        let words = ["verify", "1", "pattern", "crc32c", "part", "whole", " "];
        fuzz_text("layouts", &corpus, &words, |text| {
            let Some(layout) = Layout::of_text(text) else { return "none".into() };
            assert_eq!(Layout::of_text(&layout.to_text()), Some(layout));
            format!("{} {}", layout.checksum, layout.oldest.is_some())
        });
    }
}
