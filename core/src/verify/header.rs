//! What the first sector of a block says of the block and of the run that wrote it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sector::{SECTOR_BYTES, STAMP_BYTES, Stamp, number_32, number_64};
use crate::plan::BLOCK_BYTES_MAX;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 64;
/// Where a header ends in its sector.
pub(super) const END: usize = STAMP_BYTES + HEADER_BYTES;
/// What a header begins with; its last byte is the version of the format.
const MAGIC: [u8; 8] = *b"aioblk\0\x01";
/// The flag of [`Header::whole_range`].
const WHOLE_RANGE: u32 = 1;

/// Which loop of which run wrote a block. Later ones are greater.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub struct Generation {
    /// When the run began, in nanoseconds since 1970.
    pub run: u64,
    /// The number of the loop.
    pub loop_number: u32,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loop {} of run {}", self.loop_number, self.run)
    }
}

/// The header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Bytes of the block, a multiple of 512.
    pub length_bytes: u32,
    /// The run and loop that wrote it.
    pub generation: Generation,
    /// The tasklet that wrote it.
    pub tid: u32,
    /// The lane of that tasklet.
    pub lane: u32,
    /// Whether all of the range holds blocks with headers once the run is through.
    pub whole_range: bool,
    /// Where the range of the run begins in the file.
    pub range_start_bytes: u64,
    /// How long that range is.
    pub range_bytes: u64,
    /// The seed of the run.
    pub seed: u64,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&MAGIC);
        put(&self.length_bytes.to_le_bytes());
        put(&self.generation.loop_number.to_le_bytes());
        put(&self.generation.run.to_le_bytes());
        put(&self.tid.to_le_bytes());
        put(&self.lane.to_le_bytes());
        put(&(if self.whole_range { WHOLE_RANGE } else { 0 }).to_le_bytes());
        put(&0_u32.to_le_bytes());
        put(&self.range_start_bytes.to_le_bytes());
        put(&self.range_bytes.to_le_bytes());
        put(&self.seed.to_le_bytes());
        bytes
    }

    /// The header in a block's first sector, which is sound and has `stamp`; `None` when it makes no
    /// sense, as that of a later version of the format.
    pub(super) fn parse(stamp: &Stamp, sector: &[u8]) -> Option<Self> {
        if stamp.index != 0 || !has_magic(sector) {
            return None;
        }
        let bytes = &sector[STAMP_BYTES..END];
        let header = Self {
            length_bytes: number_32(bytes, 8),
            generation: Generation { run: number_64(bytes, 16), loop_number: number_32(bytes, 12) },
            tid: number_32(bytes, 24),
            lane: number_32(bytes, 28),
            whole_range: number_32(bytes, 32) & WHOLE_RANGE != 0,
            range_start_bytes: number_64(bytes, 40),
            range_bytes: number_64(bytes, 48),
            seed: number_64(bytes, 56),
        };
        let length = u64::from(header.length_bytes);
        let fits = length > 0 && length <= BLOCK_BYTES_MAX;
        (fits && length.is_multiple_of(SECTOR_BYTES as u64)).then_some(header)
    }
}

/// Whether a header of this format may follow the stamp of `sector`.
pub(super) fn has_magic(sector: &[u8]) -> bool {
    sector[STAMP_BYTES..STAMP_BYTES + MAGIC.len()] == MAGIC
}
