//! The judge: from the bytes of one block to what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sector::{SECTOR_BYTES, Sector};
use super::{Checksum, Generation, Header, Stamp};

/// How new a block must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Of any age.
    Any,
    /// Of this generation or a later one.
    Since(Generation),
    /// From the writer of this name, with a sequence from `earliest` to `last`.
    Exactly {
        /// The name in the stamps.
        writer: u32,
        /// The sequence of the first of the writes that may have come last.
        earliest: u64,
        /// The sequence of the last of them.
        last: u64,
    },
}

/// What a block was found to be when all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The stamp of the first sector that was looked at.
    pub stamp: Stamp,
    /// The header, when the first sector of the block was among them.
    pub header: Option<Header>,
}

/// The kinds of damage.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Sectors of several writes.
    Torn,
    /// Whole, but older than it must be.
    Stale,
    /// Written to another offset.
    Misplaced,
    /// Zeros.
    Zeroed,
    /// Anything else that was never written so.
    Corrupt,
    /// Behind the end of the file.
    Missing,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Torn, Self::Stale, Self::Misplaced, Self::Zeroed, Self::Corrupt, Self::Missing];

    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Torn => "torn",
            Self::Stale => "stale",
            Self::Misplaced => "misplaced",
            Self::Zeroed => "zeroed",
            Self::Corrupt => "corrupt",
            Self::Missing => "missing",
        }
    }
}

/// What became of a block. Offsets are in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Zeros instead of sectors.
    Zeroed {
        /// The first of them.
        at_bytes: u64,
        /// How many.
        zero_bytes: u64,
    },
    /// Sectors of several writes.
    Torn {
        /// Where the second write begins.
        at_bytes: u64,
        /// The write of the first sectors.
        first: Stamp,
        /// The write of those from `at_bytes` on.
        then: Stamp,
    },
    /// Whole, but older than it must be.
    Stale {
        /// What it must be.
        wanted: Freshness,
        /// What it is.
        found: Stamp,
        /// When that was written, if the header was among what was looked at.
        generation: Option<Generation>,
    },
    /// Whole, but of an older generation than others beside it.
    Older {
        /// The newest generation in the file.
        newest: Generation,
        /// That of the block.
        found: Generation,
    },
    /// Sectors that were written elsewhere.
    Misplaced {
        /// The first of them.
        at_bytes: u64,
        /// The offset of the block that it was written to.
        belongs_at_bytes: u64,
    },
    /// One byte, and maybe more, is not what was written.
    WrongByte {
        /// Which.
        at_bytes: u64,
        /// What it must be.
        expected: u8,
        /// What it is.
        found: u8,
    },
    /// A sector does not match its checksum.
    WrongSector {
        /// Its first byte.
        at_bytes: u64,
    },
    /// No sector is one that was written with `--verify`.
    Unknown,
    /// Checked in another way than was asked.
    OtherChecksum {
        /// What was asked.
        wanted: Checksum,
        /// What the block has.
        found: Checksum,
    },
    /// Behind the end of the file.
    Missing {
        /// Where that is.
        end_bytes: u64,
    },
}

/// Judges `bytes`, whole sectors at `offset_bytes` of a file, all of which must be of the block
/// that begins at `block_offset_bytes`.
///
/// # Errors
/// What became of the block: of several kinds of damage, the one that comes first.
///
/// # Panics
/// When `bytes` are no whole sectors, or none.
pub fn judge(
    bytes: &[u8],
    offset_bytes: u64,
    block_offset_bytes: u64,
    freshness: Freshness,
) -> Result<Judged, Damage> {
    assert!(!bytes.is_empty() && bytes.len().is_multiple_of(SECTOR_BYTES), "whole sectors");
    let mut first: Option<Stamp> = None;
    for (sector, at_bytes) in bytes.chunks_exact(SECTOR_BYTES).zip(offsets(offset_bytes)) {
        let bad = match Sector::of(sector) {
            Sector::Zero => {
                let zero_bytes = zero_bytes_from(&bytes[index(at_bytes - offset_bytes)..]);
                Some(Damage::Zeroed { at_bytes, zero_bytes })
            }
            Sector::Spoilt(stamp) => {
                let here = stamp.filter(|stamp| stamp.offset_bytes == at_bytes);
                let known = here.or(first).or_else(|| any_stamp(bytes, offset_bytes));
                Some(spoilt(sector, at_bytes, known))
            }
            Sector::Sound(stamp) => misfit(&stamp, at_bytes, block_offset_bytes, &mut first),
        };
        if let Some(bad) = bad {
            return Err(bad);
        }
    }
    let stamp = first.expect("there is a sector, and each is sound");
    let header = Header::parse(&stamp, bytes);
    is_fresh(&stamp, header.as_ref(), freshness)?;
    Ok(Judged { stamp, header })
}

fn offsets(start_bytes: u64) -> impl Iterator<Item = u64> {
    (0_u64..).map(move |number| start_bytes + number * SECTOR_BYTES as u64)
}

fn index(bytes: u64) -> usize {
    usize::try_from(bytes).expect("it is in memory")
}

/// How many bytes of zeros, in whole sectors, there are from the front of `bytes` on.
fn zero_bytes_from(bytes: &[u8]) -> u64 {
    let sectors = bytes.chunks_exact(SECTOR_BYTES);
    let zeros = sectors.take_while(|sector| Sector::of(sector) == Sector::Zero);
    (zeros.count() * SECTOR_BYTES) as u64
}

/// What is wrong with a sound sector where it is. The first one that is right decides which write
/// the others must be of.
fn misfit(
    stamp: &Stamp,
    at_bytes: u64,
    block_offset_bytes: u64,
    first: &mut Option<Stamp>,
) -> Option<Damage> {
    if stamp.offset_bytes != at_bytes {
        return Some(Damage::Misplaced { at_bytes, belongs_at_bytes: stamp.block_offset_bytes() });
    }
    let one = *first.get_or_insert(*stamp);
    let is_of_the_block = stamp.block_offset_bytes() == block_offset_bytes;
    let fits = stamp.is_of_the_write_of(&one) && is_of_the_block;
    (!fits).then_some(Damage::Torn { at_bytes, first: one, then: *stamp })
}

/// A stamp that says which write the block is of, from any of its sectors.
fn any_stamp(bytes: &[u8], offset_bytes: u64) -> Option<Stamp> {
    let mut sectors = bytes.chunks_exact(SECTOR_BYTES).zip(offsets(offset_bytes));
    sectors.find_map(|(sector, at_bytes)| match Sector::of(sector) {
        Sector::Sound(stamp) | Sector::Spoilt(Some(stamp)) => {
            (stamp.offset_bytes == at_bytes).then_some(stamp)
        }
        _ => None,
    })
}

/// What is wrong with a sector that was never written so, when the write may be `known` from
/// another sector of the block.
fn spoilt(sector: &[u8], at_bytes: u64, known: Option<Stamp>) -> Damage {
    let Some(known) = known else { return Damage::Unknown };
    let Some(wanted) = known.sibling(at_bytes) else { return Damage::WrongSector { at_bytes } };
    match wanted.first_difference(sector) {
        Some((at, expected)) => {
            Damage::WrongByte { at_bytes: at_bytes + at as u64, expected, found: sector[at] }
        }
        None => Damage::WrongSector { at_bytes },
    }
}

fn is_fresh(stamp: &Stamp, header: Option<&Header>, wanted: Freshness) -> Result<(), Damage> {
    let generation = header.map(|header| header.generation);
    let fresh = match wanted {
        Freshness::Any => true,
        Freshness::Since(oldest) => generation.is_none_or(|generation| generation >= oldest),
        Freshness::Exactly { writer, earliest, last } => {
            stamp.writer == writer && (earliest..=last).contains(&stamp.sequence)
        }
    };
    if fresh { Ok(()) } else { Err(Damage::Stale { wanted, found: *stamp, generation }) }
}

/// Which write a stamp names, in words.
fn write_of(stamp: &Stamp) -> String {
    format!("write {} of loop {}", stamp.write_number(), stamp.loop_number())
}

impl Damage {
    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Zeroed { .. } => Kind::Zeroed,
            Self::Torn { .. } => Kind::Torn,
            Self::Stale { .. } | Self::Older { .. } => Kind::Stale,
            Self::Misplaced { .. } => Kind::Misplaced,
            Self::Missing { .. } => Kind::Missing,
            Self::WrongByte { .. }
            | Self::WrongSector { .. }
            | Self::Unknown
            | Self::OtherChecksum { .. } => Kind::Corrupt,
        }
    }

    /// Where it begins, if that is known more closely than the block.
    #[must_use]
    pub fn at_bytes(&self) -> Option<u64> {
        match *self {
            Self::Zeroed { at_bytes, .. }
            | Self::Torn { at_bytes, .. }
            | Self::Misplaced { at_bytes, .. }
            | Self::WrongByte { at_bytes, .. }
            | Self::WrongSector { at_bytes } => Some(at_bytes),
            Self::Stale { .. }
            | Self::Older { .. }
            | Self::Unknown
            | Self::OtherChecksum { .. }
            | Self::Missing { .. } => None,
        }
    }

    /// What must be there, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Zeroed { .. } | Self::Unknown | Self::Missing { .. } => {
                "a block that was written with --verify".into()
            }
            Self::Torn { first, .. } => format!("all of {}", write_of(first)),
            Self::Stale { wanted: Freshness::Exactly { earliest, last, .. }, found, .. } => {
                let of = |sequence| write_of(&Stamp { sequence, ..*found });
                if earliest == last {
                    format!("{} of this run", of(*last))
                } else {
                    format!("{} of this run, or one at the same time as it", of(*last))
                }
            }
            Self::Stale { wanted: Freshness::Since(oldest), .. } => {
                format!("{oldest}, or a later one")
            }
            Self::Stale { wanted: Freshness::Any, .. } => "a later one".into(),
            Self::Older { newest, .. } => format!("{newest}, as in other blocks"),
            Self::Misplaced { .. } => "a block that was written to this offset".into(),
            Self::WrongByte { at_bytes, expected, .. } => {
                format!("byte {expected:#04x} at offset {at_bytes}")
            }
            Self::WrongSector { at_bytes } => {
                format!("a sector at offset {at_bytes} that matches its checksum")
            }
            Self::OtherChecksum { wanted, .. } => format!("a block with {wanted}"),
        }
    }

    /// What is there instead, in words.
    #[must_use]
    pub fn found(&self) -> String {
        match self {
            Self::Zeroed { at_bytes, zero_bytes } => {
                format!("{zero_bytes} bytes of zeros from offset {at_bytes} on")
            }
            Self::Torn { at_bytes, then, .. } => {
                format!("sectors of {} from offset {at_bytes} on", other_write(self, then))
            }
            Self::Stale { found, generation: Some(generation), .. } => {
                format!("write {} of {generation}", found.write_number())
            }
            Self::Stale { found, generation: None, .. } => write_of(found),
            Self::Older { found, .. } => format!("a block of {found}"),
            Self::Misplaced { at_bytes, belongs_at_bytes } => format!(
                "from offset {at_bytes} on, what was written to the block at {belongs_at_bytes}"
            ),
            Self::WrongByte { found, .. } => format!("byte {found:#04x}"),
            Self::WrongSector { .. } => "one that does not".into(),
            Self::Unknown => "something else: no sector of it has a stamp that is whole".into(),
            Self::OtherChecksum { found, .. } => format!("one with {found}"),
            Self::Missing { end_bytes } => format!("the end of the file at {end_bytes}"),
        }
    }
}

/// The second write of a torn block, told apart from one of the same number in another run.
fn other_write(damage: &Damage, then: &Stamp) -> String {
    match damage {
        Damage::Torn { first, .. } if first.sequence == then.sequence => {
            format!("{} of another run", write_of(then))
        }
        _ => write_of(then),
    }
}
