//! Blocks that say by themselves what they must hold, and the judge of what was found instead.
//!
//! A block that is written with `--verify` is a row of sectors of 512 bytes, each with a [`Stamp`]
//! in front: its offset in the file, its number within the block, which write it belongs to, and a
//! checksum over the sector. The first sector has a [`Header`] too: who wrote the block, when, and
//! in which range. So each sector can be judged alone, and what became of a block is told apart:
//! *torn* (sectors of several writes), *stale* (whole, but of an older write than it must be),
//! *misplaced* (of another offset), *zeroed*, or plainly *corrupt*. `ARCHITECTURE.md` says more.
//!
//! Nothing in here opens a file but [`inspect`], which judges one from what is in it alone.

mod header;
mod inspect;
mod judge;
mod layout;
mod pattern;
mod sector;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

pub use header::{Generation, Header};
pub use inspect::{Counts, FirstBad, InspectError, Inspected, Wish, inspect};
pub use judge::{Damage, Freshness, Judged, Kind, judge};
pub use layout::Layout;
pub use sector::{Checksum, SECTOR_BYTES, Stamp};
pub use walk::{Grid, Piece, Walk};
pub use writer::Writer;
