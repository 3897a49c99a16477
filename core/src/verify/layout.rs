//! How blocks that can be verified lie in a file.

use serde::{Deserialize, Serialize};

use super::{Checksum, Generation};

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
        Some(Self {
            checksum: all.into_iter().find(|one| one.to_string() == *checksum)?,
            block_bytes: block.parse().ok()?,
            start_bytes: start.parse().ok()?,
            range_bytes: range.parse().ok()?,
            oldest,
        })
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
}
