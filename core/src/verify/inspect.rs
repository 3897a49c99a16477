//! A file or device judged from what is in it alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::header::Header;
use super::judge::{Damage, Freshness, Judged, Kind, judge};
use super::sector::{SECTOR_BYTES, Sector, is_zero};
use super::walk::{Grid, Piece, Walk};
use super::{Generation, Layout};
use crate::target::{RefusedTarget, open_to_inspect, read_whole};

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 8 << 20;

/// What is to be inspected, and what is known of it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The file or device.
    pub path: PathBuf,
    /// Whether the last loop of the last run wrote every block, so that older ones are stale.
    pub all_written: bool,
}

/// Why a file could not be inspected.
#[derive(Debug, Error)]
pub enum InspectError {
    /// It cannot be opened.
    #[error(transparent)]
    Refused(#[from] RefusedTarget),
    /// There is no block in it that was written with `--verify`.
    #[error(
        "{} has no block that was written with --verify; write it with --file and --verify first",
        .0.display()
    )]
    NoBlocks(PathBuf),
    /// It cannot be read.
    #[error("cannot read {length_bytes} bytes at offset {offset_bytes} of {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where.
        offset_bytes: u64,
        /// How many bytes from there on.
        length_bytes: u64,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
}

/// How many blocks were found to be what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As they were written.
    pub right: u64,
    /// Damaged, by kind.
    pub damaged: BTreeMap<Kind, u64>,
    /// Not written with `--verify`, where that need not be.
    pub unwritten: u64,
}

impl Counts {
    fn damaged_one(&mut self, kind: Kind) {
        *self.damaged.entry(kind).or_default() += 1;
    }

    /// Blocks that are not what they must be.
    #[must_use]
    pub fn damaged_in_all(&self) -> u64 {
        self.damaged.values().sum()
    }
}

/// The first damaged block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstBad {
    /// Where it begins.
    pub offset_bytes: u64,
    /// How long it is, as far as is known.
    pub length_bytes: u64,
    /// What became of it.
    pub damage: Damage,
}

impl fmt::Display for FirstBad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset_bytes, length_bytes, damage } = self;
        write!(
            f,
            "the block of {length_bytes} bytes at offset {offset_bytes} is {}: expected {}, found {}",
            damage.kind().name(),
            damage.expected(),
            damage.found()
        )
    }
}

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub struct Inspected {
    /// The size of the file.
    pub size_bytes: u64,
    /// What the run that wrote it has noted on it.
    pub layout: Option<Layout>,
    /// How its blocks are checked.
    pub checksums: BTreeSet<&'static str>,
    /// How long its blocks are.
    pub block_bytes: BTreeSet<u32>,
    /// How many blocks are of which generation, and where the first of them is.
    pub generations: BTreeMap<Generation, (u64, u64)>,
    /// How many blocks are what.
    pub counts: Counts,
    /// The first that is damaged.
    pub first_bad: Option<FirstBad>,
}

/// Reads all of the file or device through the page cache, of which clean pages are dropped before,
/// and judges every block in it. `stopped` is asked now and then.
///
/// # Errors
/// When the file cannot be opened or read, or has no block that was written with `--verify`.
pub fn inspect(wish: &Wish, stopped: &dyn Fn() -> bool) -> Result<Inspected, InspectError> {
    let path = &wish.path;
    let (file, size_bytes, layout) = open_to_inspect(path)?;
    let source = Source { file: &file, path, size_bytes, stopped };
    judge_all(&source, layout, wish.all_written)
}

/// The same of an open file, whose layout may be a lie.
fn judge_all(
    source: &Source,
    layout: Option<Layout>,
    all_written: bool,
) -> Result<Inspected, InspectError> {
    let first = source.first_header()?;
    let grid = match (layout, first) {
        (Some(Layout { start_bytes, block_bytes, .. }), _) => {
            Grid { origin_bytes: start_bytes, block_bytes: block_bytes.into() }
        }
        (None, Some((offset_bytes, header))) => {
            Grid { origin_bytes: offset_bytes, block_bytes: header.length_bytes.into() }
        }
        (None, None) => return Err(InspectError::NoBlocks(source.path.into())),
    };
    let mut survey = Survey::new(source.size_bytes, layout, first.map(|(_, header)| header));
    source.each_piece(grid, |piece| survey.enter(piece))?;
    survey.note_missing(grid);
    if all_written {
        survey.judge_older();
    }
    Ok(survey.found)
}

/// Where blocks are read from.
struct Source<'a> {
    file: &'a File,
    path: &'a Path,
    size_bytes: u64,
    stopped: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    /// Fills `buffer` from `at` on, as far as the file goes; whole sectors.
    fn read<'b>(&self, buffer: &'b mut [u8], at: u64) -> Result<&'b [u8], InspectError> {
        if (self.stopped)() {
            return Err(InspectError::Stopped);
        }
        let rest = usize::try_from(self.size_bytes - at).unwrap_or(usize::MAX);
        let length = buffer.len().min(rest) / SECTOR_BYTES * SECTOR_BYTES;
        let chunk = &mut buffer[..length];
        read_whole(self.file, chunk, at).map_err(|unreadable| InspectError::Read {
            path: self.path.into(),
            offset_bytes: unreadable.offset_bytes,
            length_bytes: unreadable.length_bytes,
            source: unreadable.source,
        })?;
        Ok(chunk)
    }

    /// The first header that is sound and where it belongs.
    fn first_header(&self) -> Result<Option<(u64, Header)>, InspectError> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut at = 0;
        loop {
            let chunk = self.read(&mut buffer, at)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            for sector in chunk.chunks_exact(SECTOR_BYTES) {
                if Sector::may_begin_block(sector, at)
                    && let Sector::Sound(stamp) = Sector::of(sector)
                    && let Some(header) = Header::parse(&stamp, sector)
                {
                    return Ok(Some((at, header)));
                }
                at += SECTOR_BYTES as u64;
            }
        }
    }

    /// Calls `enter` with each block of the file, whole.
    fn each_piece(
        &self,
        mut grid: Grid,
        mut enter: impl FnMut(&Piece),
    ) -> Result<(), InspectError> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut at = 0;
        loop {
            let room = buffer.len() as u64;
            let chunk = self.read(&mut buffer, at)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let chunk_end = at + chunk.len() as u64;
            let is_last = self.size_bytes - chunk_end < SECTOR_BYTES as u64;
            let mut walk = Walk::new(chunk, at, grid);
            let (start, mut wanted) = (at, room);
            for piece in walk.by_ref() {
                let piece_end = piece.offset_bytes + piece.bytes.len() as u64;
                let goes_on = piece_end == chunk_end && piece.block_end_bytes > chunk_end;
                if goes_on && !is_last {
                    // The rest of it is not read yet. It is read again with what follows it, if
                    // that is as long as blocks can be.
                    wanted = wanted.max(piece.block_end_bytes - piece.offset_bytes);
                    if piece.offset_bytes > start || wanted > room {
                        break;
                    }
                }
                enter(&piece);
                at = piece_end;
            }
            grid = walk.grid();
            if wanted > room {
                buffer = vec![0; usize::try_from(wanted).unwrap_or(CHUNK_BYTES)];
            }
        }
    }
}

/// What is being found.
struct Survey {
    found: Inspected,
    freshness: Freshness,
    /// Where every block must be one that was written with `--verify`.
    demanded: Range<u64>,
}

impl Survey {
    fn new(size_bytes: u64, layout: Option<Layout>, first: Option<Header>) -> Self {
        let found = Inspected { size_bytes, layout, ..Inspected::default() };
        let oldest = layout.and_then(|layout| layout.oldest);
        let demanded = match (layout, first) {
            (Some(layout), _) if oldest.is_some() => layout.start_bytes..layout.end_bytes(),
            (None, Some(header)) if header.whole_range => {
                let start = header.range_start_bytes;
                start..start.saturating_add(header.range_bytes)
            }
            _ => 0..0,
        };
        Self { found, freshness: oldest.map_or(Freshness::Any, Freshness::Since), demanded }
    }

    fn enter(&mut self, piece: &Piece) {
        let Piece { offset_bytes, block_offset_bytes, block_end_bytes, bytes } = *piece;
        let end = offset_bytes + bytes.len() as u64;
        let ends_early = end < block_end_bytes && self.found.size_bytes - end < 512;
        let damage = match judge(bytes, offset_bytes, block_offset_bytes, self.freshness) {
            Ok(judged) => {
                self.note(&judged, offset_bytes);
                if !ends_early {
                    self.found.counts.right += 1;
                    return;
                }
                Damage::Missing { end_bytes: self.found.size_bytes }
            }
            Err(damage) => damage,
        };
        let is_foreign = damage == Damage::Unknown || is_zero(bytes);
        if is_foreign && !self.demanded.contains(&offset_bytes) {
            self.found.counts.unwritten += 1;
            return;
        }
        let length_bytes = block_end_bytes - block_offset_bytes;
        self.bad(FirstBad { offset_bytes: block_offset_bytes, length_bytes, damage });
    }

    fn note(&mut self, judged: &Judged, offset_bytes: u64) {
        let found = &mut self.found;
        found.checksums.insert(judged.stamp.checksum.name());
        if let Some(Header { length_bytes, generation, .. }) = judged.header {
            found.block_bytes.insert(length_bytes);
            found.generations.entry(generation).or_insert((0, offset_bytes)).0 += 1;
        }
    }

    fn bad(&mut self, bad: FirstBad) {
        self.found.counts.damaged_one(bad.damage.kind());
        match &self.found.first_bad {
            Some(first) if first.offset_bytes <= bad.offset_bytes => {}
            _ => self.found.first_bad = Some(bad),
        }
    }

    /// Counts the blocks that must be there and lie behind the end of the file.
    fn note_missing(&mut self, grid: Grid) {
        let end_bytes = self.found.size_bytes;
        let first = self.demanded.start.max(end_bytes.next_multiple_of(SECTOR_BYTES as u64));
        // The one that the file ends in is counted as it is met.
        // A range may be said to reach beyond all that a file can be.
        let behind = first.saturating_sub(grid.origin_bytes);
        let behind = behind.checked_next_multiple_of(grid.block_bytes).unwrap_or(u64::MAX);
        let offset_bytes = grid.origin_bytes.saturating_add(behind);
        if offset_bytes < self.demanded.end {
            let length_bytes = grid.block_bytes;
            self.bad(FirstBad {
                offset_bytes,
                length_bytes,
                damage: Damage::Missing { end_bytes },
            });
            let others = (self.demanded.end - offset_bytes).div_ceil(length_bytes) - 1;
            *self.found.counts.damaged.entry(Kind::Missing).or_default() += others;
        }
    }

    /// Makes stale ones of the blocks that are older than the newest.
    fn judge_older(&mut self) {
        let Some((newest, _)) = self.found.generations.last_key_value() else { return };
        let newest = *newest;
        let older: Vec<_> = self.found.generations.range(..newest).map(|(g, n)| (*g, *n)).collect();
        for (generation, (blocks, offset_bytes)) in older {
            self.found.counts.right -= blocks;
            *self.found.counts.damaged.entry(Kind::Stale).or_default() += blocks;
            let damage = Damage::Older { newest, found: generation };
            let length_bytes = self.found.block_bytes.first().copied().unwrap_or(0).into();
            let bad = FirstBad { offset_bytes, length_bytes, damage };
            if self.found.first_bad.is_none_or(|first| first.offset_bytes > offset_bytes) {
                self.found.first_bad = Some(bad);
            }
        }
    }
}

#[cfg(test)]
mod fuzzed;
#[cfg(test)]
mod tests;
