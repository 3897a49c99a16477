//! Through a piece of a file, block by block.

use super::sector::{SECTOR_BYTES, Sector};
use super::{Header, Stamp};

/// Where blocks begin and how long they are, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Where one of them begins.
    pub origin_bytes: u64,
    /// How long each is: whole sectors.
    pub block_bytes: u64,
}

impl Grid {
    /// The block that `offset_bytes` lies in: where it begins and where it ends.
    fn around(&self, offset_bytes: u64) -> (u64, u64) {
        let Self { origin_bytes, block_bytes } = *self;
        if offset_bytes < origin_bytes {
            // What lies before the first block is as well cut from there backwards.
            let rest = (origin_bytes - offset_bytes) % block_bytes;
            let end = offset_bytes + if rest == 0 { block_bytes } else { rest };
            return (end.saturating_sub(block_bytes), end);
        }
        let start = offset_bytes - (offset_bytes - origin_bytes) % block_bytes;
        (start, start + block_bytes)
    }
}

/// A block, or as much of it as there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Where in the file the bytes begin.
    pub offset_bytes: u64,
    /// Where the block begins; before the bytes, where only its end is there.
    pub block_offset_bytes: u64,
    /// Where it ends, unless a newer block lies over its end.
    pub block_end_bytes: u64,
    /// As much of it as there is: whole sectors.
    pub bytes: &'a [u8],
}

/// The blocks in a piece of a file. Headers say where they begin; where there are none, the grid
/// does.
#[derive(Debug)]
pub struct Walk<'a> {
    bytes: &'a [u8],
    offset_bytes: u64,
    grid: Grid,
}

impl<'a> Walk<'a> {
    /// Through `bytes`, whole sectors that lie at `offset_bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], offset_bytes: u64, grid: Grid) -> Self {
        Self { bytes, offset_bytes, grid }
    }

    /// What the headers so far say of the blocks to come.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Where the block that begins here begins and ends, and its header if it has one.
    fn block_here(&mut self) -> (u64, u64, Option<Header>) {
        let at = self.offset_bytes;
        match Sector::of(&self.bytes[..SECTOR_BYTES]) {
            Sector::Sound(stamp) if stamp.offset_bytes == at => {
                if let Some(header) = Header::parse(&stamp, self.bytes) {
                    let block_bytes = u64::from(header.length_bytes);
                    self.grid = Grid { origin_bytes: at, block_bytes };
                    return (at, at + block_bytes, Some(header));
                }
                (stamp.block_offset_bytes(), self.end_of(&stamp), None)
            }
            _ => {
                let (start, end) = self.grid.around(at);
                (start, end, None)
            }
        }
    }

    /// Where the block of a sector ends that is not its first: where the grid says so if the block
    /// is on it, else with the sector.
    fn end_of(&self, stamp: &Stamp) -> u64 {
        let (start, end) = self.grid.around(self.offset_bytes);
        let own = stamp.block_offset_bytes();
        if own == start {
            return end;
        }
        // A block of another length, whose front something newer has taken: as far as it goes on.
        let follows = |sector: &[u8]| {
            matches!(
                Sector::of(sector),
                Sector::Sound(next) if next.block_offset_bytes() == own
                    && next.is_of_the_write_of(stamp)
            )
        };
        let sectors = self.bytes.chunks_exact(SECTOR_BYTES).take_while(|sector| follows(sector));
        self.offset_bytes + (sectors.count() * SECTOR_BYTES) as u64
    }

    /// How many of the first `length` bytes are before a block that is newer than `header`: one
    /// that was written over this one later, with another length.
    fn until_overwritten(&self, length: usize, header: Option<&Header>) -> usize {
        let Some(header) = header else { return length };
        let sectors = self.bytes[..length].chunks_exact(SECTOR_BYTES).enumerate().skip(1);
        for (number, sector) in sectors {
            let start = number * SECTOR_BYTES;
            let at = self.offset_bytes + start as u64;
            if !Sector::may_begin_block(sector, at) {
                continue;
            }
            if let Sector::Sound(stamp) = Sector::of(sector)
                && let Some(other) = Header::parse(&stamp, sector)
                && other.generation > header.generation
            {
                return start;
            }
        }
        length
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.bytes.len() < SECTOR_BYTES {
            return None;
        }
        let (block_offset_bytes, block_end_bytes, header) = self.block_here();
        let rest = usize::try_from(block_end_bytes - self.offset_bytes).unwrap_or(usize::MAX);
        let whole = self.bytes.len() / SECTOR_BYTES * SECTOR_BYTES;
        let length = self.until_overwritten(rest.min(whole), header.as_ref());
        let (bytes, behind) = self.bytes.split_at(length);
        let offset_bytes = self.offset_bytes;
        self.bytes = behind;
        self.offset_bytes += length as u64;
        Some(Piece { offset_bytes, block_offset_bytes, block_end_bytes, bytes })
    }
}
