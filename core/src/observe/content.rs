//! Whether what was read is data, or one value over and over.
//!
//! It is looked at in the memory that it was read into, after the clock has stopped: that costs no
//! request, and is what was measured.

use crate::memory::Region;

/// Bytes that are looked at as one.
const PIECE_BYTES: usize = 4096;
/// The most pieces of a region that are looked at.
const PIECES_MAX: usize = 64;
/// What the first word of a piece holds until something is read there.
const UNREAD: u64 = 0x6169_6f75_6e72_6561;

/// Pieces that were looked at, those that are one value throughout, and those in which it is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub pieces: u64,
    pub constant: u64,
    pub zero: u64,
}

/// Marks memory that is to be read into, where it will be looked at, so that what was never read is
/// not taken for zeros.
pub(crate) fn mark_unread(memory: &mut Region) {
    let bytes = memory.as_mut_slice();
    for at in pieces(bytes.len()) {
        bytes[at..at + 8].copy_from_slice(&UNREAD.to_ne_bytes());
    }
}

/// Where the pieces begin that are looked at.
fn pieces(length_bytes: usize) -> impl Iterator<Item = usize> {
    let all = length_bytes / PIECE_BYTES;
    let some = all.min(PIECES_MAX);
    (0..some).map(move |index| index * all / some * PIECE_BYTES)
}

impl Content {
    /// Looks at some pieces, spread evenly, of memory that was [marked](mark_unread) and read into.
    pub(crate) fn look(&mut self, memory: &Region) {
        self.look_at(memory.as_slice());
    }

    fn look_at(&mut self, bytes: &[u8]) {
        for at in pieces(bytes.len()) {
            let piece = &bytes[at..at + PIECE_BYTES];
            let (words, _none) = piece.as_chunks::<8>();
            let first = words[0];
            if u64::from_ne_bytes(first) == UNREAD {
                continue;
            }
            let is_constant = words.iter().all(|word| *word == first);
            self.pieces += 1;
            self.constant += u64::from(is_constant);
            self.zero += u64::from(is_constant && first == [0; 8]);
        }
    }

    /// Adds what was found elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.pieces += other.pieces;
        self.constant += other.constant;
        self.zero += other.zero;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataStream;
    use crate::memory::{Mapping, MemoryKind};

    fn looked(bytes: &[u8]) -> Content {
        let mut content = Content::default();
        content.look_at(bytes);
        content
    }

    #[test]
    fn zeros_and_constants_are_told_from_data_and_from_what_was_never_read() {
        let (mut memory, _) = Mapping::reserve(4 * PIECE_BYTES, MemoryKind::Small).unwrap();
        mark_unread(&mut memory);
        let mut content = Content::default();
        content.look(&memory);
        assert_eq!(content, Content::default());
        let pieces = memory.as_mut_slice();
        pieces[..PIECE_BYTES].fill(0);
        pieces[PIECE_BYTES..2 * PIECE_BYTES].fill(7);
        DataStream::new(0, 0).fill(0, 0, &mut pieces[2 * PIECE_BYTES..3 * PIECE_BYTES]);
        content.look(&memory);
        assert_eq!(content, Content { pieces: 3, constant: 2, zero: 1 });
        content.add(content);
        assert_eq!(content.pieces, 6);
    }

    #[test]
    fn no_more_than_some_pieces_are_looked_at_and_a_tail_is_left_out() {
        assert_eq!(looked(&vec![0; 1 << 20]).pieces, 64);
        assert_eq!(looked(&vec![0; PIECE_BYTES - 1]), Content::default());
        assert_eq!(looked(&vec![0; 3 * PIECE_BYTES / 2]).zero, 1);
    }
}
