//! What the file must hold, and whether it does, as the standard library and the judge of verified
//! blocks read it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aio_core::data::DataStream;
use aio_core::plan::{Blocks, Checksum, Direction, Pattern};
use aio_core::testing::Dice;
use aio_core::verify::{FirstBad, InspectError, Wish, inspect};

use crate::work::{FILE_BYTES, Work};

const SECTOR_BYTES: usize = 512;

/// What is known of the file.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Nothing; it may not even be there.
    Unknown,
    /// All of a tensor.
    Tensor { seed: u64, loop_index: u32, size_bytes: u64 },
    /// Verified blocks: every one, or some among others that are nobody's.
    Blocks { block_bytes: u32, checksum: Checksum, is_whole: bool, last: Work },
}

impl Content {
    /// Removes the file, of which nothing is known any more.
    pub(crate) fn forgotten(path: &Path) -> Self {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            _ => Self::Unknown,
        }
    }

    /// Whether `work` can be done on what is there, so that all of the file is known afterwards.
    pub(crate) fn suits(&self, work: &Work, path: &Path) -> bool {
        // Of a file that was made by a round of few requests there may be but a part.
        let is_long = || fs::metadata(path).is_ok_and(|there| there.len() == FILE_BYTES);
        match (self, &work.blocks) {
            // A tensor is read whatever it is, and a file to write is emptied first.
            (Self::Tensor { .. } | Self::Blocks { .. }, None) => true,
            (Self::Blocks { block_bytes, checksum, is_whole, .. }, Some(blocks)) => {
                let is_alike =
                    work.verified_bytes() == *block_bytes && blocks.verify == Some(*checksum);
                is_alike && is_long() && (*is_whole || work.direction == Direction::Write)
            }
            _ => false,
        }
    }

    /// Whether it is blocks that are verified, all of them.
    pub(crate) fn is_verified(&self) -> bool {
        matches!(self, Self::Blocks { is_whole: true, .. })
    }

    /// `work` was done to its end, from the loop `first_loop` on.
    pub(crate) fn after_all_of(&mut self, work: &Work, first_loop: u32) {
        let was_whole = self.is_verified();
        match (&work.blocks, work.direction) {
            (None, Direction::Read) => {}
            (None, _) => {
                let loop_index = first_loop + work.warmup_loops + work.loops - 1;
                let (seed, size_bytes) = (work.seed, work.size_bytes);
                *self = Self::Tensor { seed, loop_index, size_bytes };
            }
            (Some(blocks), direction) => {
                // What is read or mixed was filled with verified blocks when it was made.
                let is_whole = was_whole || direction != Direction::Write || work.writes_all();
                *self = Self::of_blocks(work, blocks, is_whole);
            }
        }
    }

    /// `work` was begun. A file that it has made may not be filled to its end.
    pub(crate) fn after_a_part_of(&mut self, work: &Work) {
        let is_there = !matches!(self, Self::Unknown);
        match &work.blocks {
            _ if work.direction == Direction::Read && is_there => {}
            Some(blocks) if is_there => {
                *self = Self::of_blocks(work, blocks, self.is_verified());
            }
            _ => *self = Self::Unknown,
        }
    }

    fn of_blocks(work: &Work, blocks: &Blocks, is_whole: bool) -> Self {
        let checksum = blocks.verify.expect("all blocks of the soak are verified");
        Self::Blocks { block_bytes: work.verified_bytes(), checksum, is_whole, last: work.clone() }
    }

    /// A round that reads every block of it.
    pub(crate) fn read_of_all(&self) -> Option<Work> {
        let Self::Blocks { block_bytes, checksum, last, .. } = self else { return None };
        let blocks = Blocks { verify: Some(*checksum), ..Blocks::new(Pattern::Sequential) };
        Some(Work {
            direction: Direction::Read,
            block_bytes: *block_bytes,
            lanes: 1,
            loops: 1,
            warmup_loops: 0,
            blocks: Some(blocks),
            ..last.clone()
        })
    }

    /// Asserts that the file holds what it must.
    #[track_caller]
    pub(crate) fn assert_holds(&self, path: &Path, what: &str) {
        match self {
            Self::Unknown => {}
            Self::Tensor { seed, loop_index, size_bytes } => {
                let there = fs::read(path).expect("it can be read");
                assert_eq!(there.len() as u64, *size_bytes, "{what}");
                let differs = first_difference(*seed, *loop_index, &there);
                assert_eq!(differs, None, "CORRUPT: {what}");
            }
            Self::Blocks { block_bytes, is_whole, .. } => {
                let wish = Wish { path: path.into(), all_written: false };
                let inspected = match inspect(&wish, &|| false) {
                    Ok(inspected) => inspected,
                    Err(InspectError::NoBlocks(_)) if !is_whole => return,
                    Err(_) if !is_whole && !path.exists() => return,
                    Err(error) => panic!("{what}: {error}"),
                };
                assert_eq!(inspected.first_bad, None, "CORRUPT: {what}");
                if *is_whole {
                    let all = FILE_BYTES / u64::from(*block_bytes);
                    assert_eq!(inspected.counts.right, all, "CORRUPT: {what}");
                }
            }
        }
    }

    /// Of a run that says that all is right although its file was cut under it: whether the file
    /// shows that, in which case a look from outside must find it.
    #[track_caller]
    pub(crate) fn tells_a_cut(&self, path: &Path, what: &str) -> bool {
        let there = fs::read(path).expect("it can be read");
        let is_short = (there.len() as u64) < self.size_bytes();
        let has_holes =
            there.chunks(SECTOR_BYTES).any(|sector| sector.iter().all(|byte| *byte == 0));
        if !is_short && !has_holes {
            self.assert_holds(path, what);
            return false;
        }
        let is_found = match self {
            Self::Tensor { seed, loop_index, .. } => {
                is_short || first_difference(*seed, *loop_index, &there).is_some()
            }
            // A round that wrote but a part leaves no word that each block must be there.
            Self::Blocks { block_bytes, is_whole: true, .. } => {
                let all = FILE_BYTES / u64::from(*block_bytes);
                look(path) != Look::Right { blocks: all }
            }
            _ => true,
        };
        assert!(is_found, "CORRUPT: cut and not found: {what}");
        true
    }

    fn size_bytes(&self) -> u64 {
        match self {
            Self::Tensor { size_bytes, .. } => *size_bytes,
            _ => FILE_BYTES,
        }
    }
}

fn first_difference(seed: u64, loop_index: u32, there: &[u8]) -> Option<usize> {
    let mut expected = vec![0; there.len()];
    DataStream::new(seed, 0).fill(0, loop_index, &mut expected);
    expected.iter().zip(there).position(|(one, other)| one != other)
}

/// What a look at the blocks of the file finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing that could be judged.
    Nothing,
    /// No damage in so many blocks.
    Right { blocks: u64 },
    /// A block is damaged.
    Bad { offset_bytes: u64, length_bytes: u64 },
}

/// Looks at the blocks of the file from outside.
pub(crate) fn look(path: &Path) -> Look {
    let wish = Wish { path: path.into(), all_written: false };
    let found = inspect(&wish, &|| false);
    match found.map(|inspected| (inspected.first_bad, inspected.counts.right)) {
        Err(_unreadable) => Look::Nothing,
        Ok((None, blocks)) => Look::Right { blocks },
        Ok((Some(FirstBad { offset_bytes, length_bytes, .. }), _)) => {
            Look::Bad { offset_bytes, length_bytes }
        }
    }
}

/// Turns one bit of the file around and returns where.
pub(crate) fn flip_a_bit(dice: &mut Dice, path: &Path) -> u64 {
    let file: File = OpenOptions::new().read(true).write(true).open(path).expect("it is there");
    let at = dice.below_u64(file.metadata().expect("it is open").len());
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it can be read");
    byte[0] ^= 1 << dice.below(8);
    file.write_all_at(&byte, at).expect("it can be written");
    at
}
