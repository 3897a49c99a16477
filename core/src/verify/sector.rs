//! One sector: its stamp, its checksum, and what can be said of it alone.
//!
//! ```text
//! byte  0  checksum over bytes 8..512; for `pattern` over the stamp, and the header where there is
//!          one
//!       8  offset of the sector in the file
//!      16  sequence: the number of the loop in the upper 24 bits, that of the write below
//!      24  writer: a hash of run, loop, tasklet and lane
//!      28  place: number of the sector in its block (22 bits), kind of checksum (2), share of the
//!          content that compresses, in percent (8)
//!      32  header, in a block's first sector; else content
//! ```
//! All numbers are little-endian.

use std::fmt;

use twox_hash::XxHash3_64;

use super::{header, pattern};

/// The unit of what storage writes at once, and of what is judged by itself.
pub const SECTOR_BYTES: usize = 512;
/// Bytes of a stamp.
pub(super) const STAMP_BYTES: usize = 32;
/// What the upper half of a checksum of 32 bits holds, so that few things look like one.
const SHORT_SUM: u64 = 0x6169_6f56 << 32;
const INDEX_BITS: u32 = 22;
const PERCENT_SHIFT: u32 = 24;

/// How the content of a block is checked.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// CRC-32C, which processors compute by themselves.
    Crc32c,
    /// XXH3 with 64 bits.
    Xxh3,
    /// None: every byte follows from seed, offset and sequence, so that the first wrong one is
    /// named.
    Pattern,
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Checksum {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32c => "crc32c",
            Self::Xxh3 => "xxh3",
            Self::Pattern => "pattern",
        }
    }

    fn code(self) -> u32 {
        match self {
            Self::Crc32c => 1,
            Self::Xxh3 => 2,
            Self::Pattern => 3,
        }
    }

    fn of_code(code: u32) -> Option<Self> {
        [Self::Crc32c, Self::Xxh3, Self::Pattern].into_iter().find(|one| one.code() == code)
    }

    pub(super) fn over(self, index: u32, sector: &[u8]) -> u64 {
        let stamped = if index == 0 { header::END } else { STAMP_BYTES };
        match self {
            Self::Crc32c => SHORT_SUM | u64::from(crc32c::crc32c(&sector[8..])),
            Self::Xxh3 => XxHash3_64::oneshot(&sector[8..]),
            Self::Pattern => SHORT_SUM | u64::from(crc32c::crc32c(&sector[8..stamped])),
        }
    }
}

/// What stands in front of a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Where in the file the sector belongs.
    pub offset_bytes: u64,
    /// Which write of its lane it belongs to: the loop's number in the upper 24 bits, the number
    /// within the loop below.
    pub sequence: u64,
    /// A hash that names run, loop, tasklet and lane.
    pub writer: u32,
    /// The number of the sector within its block.
    pub index: u32,
    /// How it is checked.
    pub checksum: Checksum,
    /// How many percent of the content are constant.
    pub compress_percent: u8,
}

/// Where the numbers of loops begin in a sequence: there is room for more writes in a loop than a
/// device survives.
pub(super) const LOOP_SHIFT: u32 = 40;

impl Stamp {
    /// The number of the write within its loop.
    #[must_use]
    pub fn write_number(&self) -> u64 {
        self.sequence & ((1 << LOOP_SHIFT) - 1)
    }

    /// The number of the loop.
    #[must_use]
    pub fn loop_number(&self) -> u64 {
        self.sequence >> LOOP_SHIFT
    }

    /// Whether both belong to one write.
    #[must_use]
    pub fn is_of_the_write_of(&self, other: &Self) -> bool {
        (self.sequence, self.writer) == (other.sequence, other.writer)
    }

    /// The offset of the block that the sector belongs to.
    #[must_use]
    pub fn block_offset_bytes(&self) -> u64 {
        self.offset_bytes.wrapping_sub(u64::from(self.index) * SECTOR_BYTES as u64)
    }

    /// The stamp of the sector at `offset_bytes` that the same write to the same block left, if the
    /// block reaches that far.
    pub(super) fn sibling(&self, offset_bytes: u64) -> Option<Self> {
        let within = offset_bytes.checked_sub(self.block_offset_bytes())?;
        let index = u32::try_from(within / SECTOR_BYTES as u64).ok()?;
        (index < 1 << INDEX_BITS).then_some(Self { offset_bytes, index, ..*self })
    }

    /// Puts the stamp in front of `sector`, whose content is there but for that of a pattern, and
    /// whose header is, where there is one.
    pub(super) fn put(&self, sector: &mut [u8]) {
        self.put_fields(sector);
        if self.checksum == Checksum::Pattern {
            pattern::fill(self, sector);
        }
        let sum = self.checksum.over(self.index, sector);
        sector[..8].copy_from_slice(&sum.to_le_bytes());
    }

    fn put_fields(&self, sector: &mut [u8]) {
        let place = self.index
            | self.checksum.code() << INDEX_BITS
            | u32::from(self.compress_percent) << PERCENT_SHIFT;
        sector[8..16].copy_from_slice(&self.offset_bytes.to_le_bytes());
        sector[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        sector[24..28].copy_from_slice(&self.writer.to_le_bytes());
        sector[28..32].copy_from_slice(&place.to_le_bytes());
    }

    /// The stamp that the first bytes of `sector` would be; nothing is checked yet.
    pub(super) fn parse(sector: &[u8]) -> Option<Self> {
        let place = number_32(sector, 28);
        Some(Self {
            offset_bytes: number_64(sector, 8),
            sequence: number_64(sector, 16),
            writer: number_32(sector, 24),
            index: place & ((1 << INDEX_BITS) - 1),
            checksum: Checksum::of_code(place >> INDEX_BITS & 3)?,
            compress_percent: u8::try_from(place >> PERCENT_SHIFT).ok().filter(|p| *p <= 100)?,
        })
    }

    /// Where `sector`, which is to belong to this stamp, first is not as it must be, as far as that
    /// can be told byte by byte: with `pattern` everywhere but in the header, else in the stamp.
    /// Says which byte of the sector it is, and what it must be.
    pub(super) fn first_difference(&self, sector: &[u8]) -> Option<(usize, u8)> {
        let mut wanted = [0; SECTOR_BYTES];
        wanted.copy_from_slice(sector);
        self.put_fields(&mut wanted);
        if self.checksum == Checksum::Pattern {
            pattern::fill(self, &mut wanted);
        }
        (8..SECTOR_BYTES).find(|at| sector[*at] != wanted[*at]).map(|at| (at, wanted[at]))
    }
}

/// What a sector is, taken by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sector {
    /// Nothing but zeros.
    Zero,
    /// As it was written, wherever that was.
    Sound(Stamp),
    /// Not as anything was written; with the stamp, if that at least is whole.
    Spoilt(Option<Stamp>),
}

impl Sector {
    /// Looks at the [`SECTOR_BYTES`] of a sector.
    pub(super) fn of(sector: &[u8]) -> Self {
        let Some(stamp) = Stamp::parse(sector) else {
            return if is_zero(sector) { Self::Zero } else { Self::Spoilt(None) };
        };
        match stamp.checksum {
            sum if sum.over(stamp.index, sector) != number_64(sector, 0) => Self::Spoilt(None),
            Checksum::Pattern if stamp.first_difference(sector).is_some() => {
                Self::Spoilt(Some(stamp))
            }
            _ => Self::Sound(stamp),
        }
    }

    /// Whether `sector` may be the first one of a block at `offset_bytes`; cheap, and to be looked
    /// at closely.
    pub(super) fn may_begin_block(sector: &[u8], offset_bytes: u64) -> bool {
        number_64(sector, 8) == offset_bytes
            && number_32(sector, 28) & ((1 << INDEX_BITS) - 1) == 0
            && header::has_magic(sector)
    }
}

/// Whether all of `bytes` are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

pub(super) fn number_64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

pub(super) fn number_32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
