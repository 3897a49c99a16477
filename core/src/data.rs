//! What targets are filled with: seeded, incompressible, and different in every 4 KiB and loop.
//!
//! Each 4 KiB page is the output of xoshiro256++ seeded by (seed, stream, page), with the loop's
//! number and the page's offset, both 64-bit little-endian, in its first 16 bytes. The loop comes
//! first, so that even a tail of a few bytes tells one loop from the next.
//!
//! A share of it can be made to compress away: the end of each 512 bytes is constant then, which is
//! how fio divides it too, so that whatever a file system compresses at a time has that share.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::memory::PAGE_BYTES;

const HEADER_BYTES: usize = 16;
/// The unit in which a share of the content is made to compress away.
const COMPRESS_CHUNK_BYTES: usize = 512;
/// What content that compresses away consists of: not zeros, which file systems may turn into
/// holes.
pub(crate) const COMPRESSIBLE: u8 = 0xA5;

/// The content of one tensor: a pure function of seed, stream, offset and loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataStream {
    base: u64,
    compress_percent: u8,
}

impl DataStream {
    /// The content number `stream` (a tasklet's number) of `seed`.
    #[must_use]
    pub fn new(seed: u64, stream: u32) -> Self {
        // The multiplier of SplitMix64: neighbouring streams must not share pages.
        let spread = (u64::from(stream) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { base: seed ^ spread.rotate_left(17), compress_percent: 0 }
    }

    /// The same, of which `percent` of a hundred compress away, but for the marks of pages and
    /// loops.
    #[must_use]
    pub fn compressible(self, percent: u8) -> Self {
        Self { compress_percent: percent.min(100), ..self }
    }

    /// Fills `bytes`, which lies at `offset_bytes` of the tensor, as of loop `loop_index`.
    pub fn fill(self, offset_bytes: u64, loop_index: u32, bytes: &mut [u8]) {
        for mut piece in pieces(offset_bytes, bytes) {
            if piece.skip == 0 {
                self.fill_page(piece.page, piece.bytes);
            } else {
                let mut whole = [0; PAGE_BYTES];
                self.fill_page(piece.page, &mut whole);
                piece.bytes.copy_from_slice(&whole[piece.skip..][..piece.bytes.len()]);
            }
            stamp_piece(loop_index.into(), &mut piece);
        }
    }

    fn fill_page(self, number: u64, page: &mut [u8]) {
        let seed = self.base.wrapping_add(number.wrapping_mul(0xD134_2543_DE82_EF95));
        Xoshiro256PlusPlus::seed_from_u64(seed).fill_bytes(page);
        if self.compress_percent > 0 {
            let random = COMPRESS_CHUNK_BYTES * usize::from(100 - self.compress_percent) / 100;
            for chunk in page.chunks_mut(COMPRESS_CHUNK_BYTES) {
                let random = random.min(chunk.len());
                chunk[random..].fill(COMPRESSIBLE);
            }
        }
    }

    /// Where `bytes`, at `offset_bytes` of the tensor, first differs from loop `loop_index`: the
    /// offset of the byte in the tensor.
    #[must_use]
    pub fn first_difference(self, offset_bytes: u64, loop_index: u32, bytes: &[u8]) -> Option<u64> {
        let mut expected = [0; PAGE_BYTES];
        let mut at = offset_bytes;
        for piece in bytes.chunks(PAGE_BYTES) {
            let expected = &mut expected[..piece.len()];
            self.fill(at, loop_index, expected);
            if piece != expected {
                let index = piece.iter().zip(expected.iter()).position(|(a, b)| a != b)?;
                return Some(at + index as u64);
            }
            at += PAGE_BYTES as u64;
        }
        None
    }
}

/// Marks content that is in `bytes` already as of loop `number`, or for blocks, as of the lane's
/// write of that number; much cheaper than a new fill.
pub fn stamp(offset_bytes: u64, number: u64, bytes: &mut [u8]) {
    pieces(offset_bytes, bytes).for_each(|mut piece| stamp_piece(number, &mut piece));
}

/// Spoils memory that a read is about to fill, so that a read that moves nothing is noticed.
pub fn poison(bytes: &mut [u8]) {
    for sector in bytes.chunks_mut(512) {
        let length = sector.len().min(HEADER_BYTES);
        for byte in &mut sector[..length] {
            *byte = !*byte ^ 0x5A;
        }
    }
}

/// What lies in one page of the content: the page's number, where in it the bytes start, and the
/// bytes.
struct Piece<'a> {
    page: u64,
    skip: usize,
    bytes: &'a mut [u8],
}

/// Cuts `bytes`, which start at `offset_bytes`, where pages of the content begin.
fn pieces(offset_bytes: u64, bytes: &mut [u8]) -> impl Iterator<Item = Piece<'_>> {
    let page_bytes = PAGE_BYTES as u64;
    let skip = usize::try_from(offset_bytes % page_bytes).expect("a page is small");
    let head_length = if skip == 0 { 0 } else { (PAGE_BYTES - skip).min(bytes.len()) };
    let (head, rest) = bytes.split_at_mut(head_length);
    let first = offset_bytes / page_bytes;
    let head = (head_length > 0).then_some(Piece { page: first, skip, bytes: head });
    let next = (offset_bytes + head_length as u64).div_ceil(page_bytes);
    let whole = rest.chunks_mut(PAGE_BYTES);
    head.into_iter().chain((next..).zip(whole).map(|(page, bytes)| Piece { page, skip: 0, bytes }))
}

fn stamp_piece(number: u64, piece: &mut Piece<'_>) {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&number.to_le_bytes());
    header[8..].copy_from_slice(&(piece.page * PAGE_BYTES as u64).to_le_bytes());
    let Some(header) = header.get(piece.skip..) else { return };
    let length = piece.bytes.len().min(header.len());
    piece.bytes[..length].copy_from_slice(&header[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(seed: u64, stream: u32, loop_index: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        DataStream::new(seed, stream).fill(0, loop_index, &mut bytes);
        bytes
    }

    #[test]
    fn content_depends_on_seed_stream_loop_and_offset() {
        let one = content(1, 0, 0, 16384);
        assert_eq!(one, content(1, 0, 0, 16384));
        assert_ne!(one, content(2, 0, 0, 16384));
        assert_ne!(one, content(1, 1, 0, 16384));
        assert_ne!(one, content(1, 0, 1, 16384));
        let pages: Vec<_> = one.chunks(PAGE_BYTES).collect();
        assert!(pages.iter().enumerate().all(|(i, page)| !pages[..i].contains(page)));
    }

    #[test]
    fn pieces_are_the_same_as_the_whole() {
        let whole = content(9, 3, 2, 20_000);
        let mut pieces = vec![0; 20_000];
        let stream = DataStream::new(9, 3);
        let (head, tail) = pieces.split_at_mut(8192);
        stream.fill(8192, 2, tail);
        stream.fill(0, 2, head);
        assert_eq!(whole, pieces);
        for length in [1, 7, 1000, 4095, 5000] {
            let mut pieces = vec![0; 20_000];
            let mut at = 0;
            for piece in pieces.chunks_mut(length) {
                stream.fill(at, 0, piece);
                stamp(at, 2, piece);
                at += piece.len() as u64;
            }
            assert_eq!(whole, pieces, "in pieces of {length} bytes");
        }
    }

    #[test]
    fn a_new_stamp_equals_a_new_fill() {
        let mut stamped = content(5, 0, 0, 10_001);
        stamp(0, 7, &mut stamped);
        assert_eq!(stamped, content(5, 0, 7, 10_001));
    }

    #[test]
    fn the_first_difference_is_found_also_in_a_tail_of_one_byte() {
        let mut bytes = content(1, 0, 3, 8193);
        let stream = DataStream::new(1, 0);
        assert_eq!(stream.first_difference(0, 3, &bytes), None);
        assert_eq!(stream.first_difference(0, 2, &bytes), Some(0), "a lost last loop is seen");
        assert_eq!(stream.first_difference(8192, 2, &bytes[8192..]), Some(8192));
        bytes[5000] ^= 1;
        assert_eq!(stream.first_difference(0, 3, &bytes), Some(5000));
    }

    #[test]
    fn poisoned_memory_differs_from_what_it_held_in_every_sector() {
        let before = content(1, 0, 0, 4097);
        let mut after = before.clone();
        poison(&mut after);
        let pairs = before.chunks(512).zip(after.chunks(512));
        assert!(pairs.into_iter().all(|(before, after)| before != after));
    }

    /// How many percent of `bytes` a run-length coder saves, which writes a run of 4 to 259 equal
    /// bytes as 3.
    fn percent_saved(bytes: &[u8]) -> f64 {
        let (mut at, mut coded) = (0, 0);
        while at < bytes.len() {
            let run = bytes[at..].iter().take(259).take_while(|byte| **byte == bytes[at]).count();
            coded += if run >= 4 { 3 } else { run };
            at += run;
        }
        let [coded, all] = [coded, bytes.len()].map(|n| f64::from(u32::try_from(n).unwrap()));
        (1.0 - coded / all) * 100.0
    }

    #[test]
    fn the_share_that_compresses_away_is_the_one_that_was_asked() {
        for percent in [0, 1, 10, 25, 50, 66, 75, 90, 99, 100] {
            let stream = DataStream::new(3, 1).compressible(percent);
            let mut bytes = vec![0; 1 << 20];
            stream.fill(0, 4, &mut bytes);
            let saved = percent_saved(&bytes);
            assert!((saved - f64::from(percent)).abs() < 2.0, "{saved:.2} % and not {percent}");
            assert_eq!(stream.first_difference(0, 4, &bytes), None);
            stamp(0, 5, &mut bytes);
            assert_eq!(stream.first_difference(0, 5, &bytes), None);
        }
    }

    #[test]
    fn content_does_not_compress() {
        // Byte frequencies of incompressible data are near uniform.
        let bytes = content(42, 0, 0, 1 << 20);
        let mut counts = [0_u32; 256];
        for byte in &bytes {
            counts[usize::from(*byte)] += 1;
        }
        assert!(counts.iter().all(|count| (3600..8200).contains(count)), "{counts:?}");
    }
}
