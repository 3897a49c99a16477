//! The content of `pattern`: each byte follows from the stamp, and with it from the seed.

use super::header;
use super::sector::{SECTOR_BYTES, STAMP_BYTES, Stamp};
use crate::data::COMPRESSIBLE;

/// Fills the part of `sector` behind stamp and header.
///
/// Words of `SplitMix64` (S. Vigna) over a counter, so that a word needs none before it.
pub(super) fn fill(stamp: &Stamp, sector: &mut [u8]) {
    let start = if stamp.index == 0 { header::END } else { STAMP_BYTES };
    let random = SECTOR_BYTES * usize::from(100 - stamp.compress_percent) / 100;
    let (content, constant) = sector[start..].split_at_mut(random.saturating_sub(start));
    let key = mixed(stamp.offset_bytes ^ mixed(stamp.sequence ^ mixed(stamp.writer.into())));
    for (word, number) in content.chunks_mut(8).zip(1_u64..) {
        let bytes = mixed(key.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        word.copy_from_slice(&bytes.to_le_bytes()[..word.len()]);
    }
    constant.fill(COMPRESSIBLE);
}

/// The finalizer of `SplitMix64`.
pub(super) fn mixed(mut word: u64) -> u64 {
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}
