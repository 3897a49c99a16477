//! Room for what a run writes: refused before anything is made, where there is too little.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::compression::compresses;
use super::conflicts::Identity;
use super::describe::{Mounts, folder_of};
use super::resolve::ResolveError;
use super::tasklet::{Source, Tasklet, TaskletFile};
use crate::plan::{Blocks, Direction, Pattern, Plan};

/// Of what is free, this part is kept back: one in twenty. A file system that is filled to the brim
/// is slow, and everybody else on it fails.
const KEPT_BACK: u64 = 20;

/// The room that files of a run will take on their file systems, each file once however many
/// engines, tasklets or contestants write to it.
#[derive(Clone, Debug, Default)]
pub struct Room {
    files: HashMap<Identity, FileRoom>,
}

#[derive(Clone, Debug)]
struct FileRoom {
    /// What tells how much is free: the file, or the folder that it will be in.
    at: PathBuf,
    /// The file system, by its number.
    device: u64,
    /// What is to be allocated for it.
    bytes: u64,
}

impl Room {
    /// What `tasklets` of `plan` will take.
    pub(super) fn of<'a>(
        plan: &Plan,
        tasklets: impl Iterator<Item = &'a Tasklet>,
        mounts: &Mounts,
    ) -> Self {
        let mut room = Self::default();
        for tasklet in tasklets {
            for file in &tasklet.files {
                let (most, range) = bytes_written(plan, tasklet, file);
                // How much of incompressible data such a file system can take, nobody knows.
                let is_compressed = || {
                    let there = mounts.file_system_of(&file.path)?;
                    compresses(&file.path, &there)
                };
                if most == 0 || is_compressed() == Some(true) {
                    continue;
                }
                if let Some(needed) = FileRoom::of(&file.path, most, range) {
                    room.add_file(Identity::of(&file.path), &needed);
                }
            }
        }
        room
    }

    /// Adds what another run takes while what is in here stays where it is.
    pub fn add(&mut self, other: &Self) {
        for (identity, needed) in &other.files {
            self.add_file(identity.clone(), needed);
        }
    }

    fn add_file(&mut self, identity: Identity, needed: &FileRoom) {
        let all = self.files.entry(identity).or_insert_with(|| needed.clone());
        all.bytes = all.bytes.max(needed.bytes);
    }

    /// Whether all of it fits, with a part of what is free kept back.
    ///
    /// # Errors
    /// The first file system that is too small. One that does not tell what is free has room.
    pub fn check(&self) -> Result<(), ResolveError> {
        let mut asked: HashMap<u64, (&Path, u64)> = HashMap::new();
        for file in self.files.values() {
            let (at, sum) = asked.entry(file.device).or_insert((&file.at, 0));
            // The same one of several each time.
            *at = (*at).min(&file.at);
            *sum = sum.saturating_add(file.bytes);
        }
        let mut asked: Vec<_> = asked.into_values().collect();
        asked.sort_unstable();
        for (at, asked_bytes) in asked {
            let Some(free_bytes) = free_bytes(at) else { continue };
            if asked_bytes > usable(free_bytes) {
                return Err(ResolveError::Space { at: at.into(), asked_bytes, free_bytes });
            }
        }
        Ok(())
    }
}

impl FileRoom {
    /// What has to be allocated so that the file at `path` holds `most` bytes more or other ones in
    /// a range of `range` bytes; `None` where its folder cannot be looked at.
    fn of(path: &Path, most: u64, range: u64) -> Option<Self> {
        // What a file of that name has is used again.
        let (at, device, reused) = match fs::metadata(path) {
            Ok(file) => (path, file.dev(), file.blocks().saturating_mul(512)),
            Err(_missing) => {
                let folder = folder_of(path);
                (folder, fs::metadata(folder).ok()?.dev(), 0)
            }
        };
        let bytes = range.saturating_sub(reused).min(most);
        Some(Self { at: at.into(), device, bytes })
    }
}

/// The most bytes that `tasklet` fills `file` with or writes to it for the first time, as far as
/// that is known, and the length of what they lie in.
fn bytes_written(plan: &Plan, tasklet: &Tasklet, file: &TaskletFile) -> (u64, u64) {
    let (end, range) = (tasklet.end_bytes(), tasklet.size_bytes);
    match &file.source {
        Source::Open(_) => (0, 0),
        Source::MakeToWrite(_) | Source::MakeToRead(_) => (end, end),
        Source::MakeForBlocks(made) if made.is_filled() => (end, end),
        // How far time lets it come is not known, and nothing is refused for what may not be. Of a
        // file that is there only holes are allocated.
        Source::MakeForBlocks(_) | Source::WriteInPlace(_) => {
            (first_loop_bytes(plan, tasklet).unwrap_or(0).min(range), range)
        }
    }
}

/// The bytes of different blocks that one loop of a tasklet writes for certain; `None` where only
/// time ends it.
fn first_loop_bytes(plan: &Plan, tasklet: &Tasklet) -> Option<u64> {
    let blocks = tasklet.access.blocks()?;
    if tasklet.direction != Direction::Write || !is_without_repetition(blocks) {
        return Some(0);
    }
    let block_bytes = u32::try_from(plan.block_size_bytes).ok()?;
    let range_blocks = tasklet.size_bytes / plan.block_size_bytes.max(1);
    let requests = blocks.requests_max(range_blocks, block_bytes);
    let by_requests = requests.map(|requests| requests.saturating_mul(block_bytes.into()));
    by_requests.filter(|_| blocks.sizes.len() <= 1).or(blocks.bytes_max(tasklet.size_bytes))
}

fn is_without_repetition(blocks: &Blocks) -> bool {
    blocks.pattern == Pattern::Sequential || blocks.is_covering()
}

/// What a run may use of `free_bytes`.
#[must_use]
pub fn usable(free_bytes: u64) -> u64 {
    free_bytes - free_bytes / KEPT_BACK
}

/// What is free in the file system of `path`; `None` where it does not tell.
fn free_bytes(path: &Path) -> Option<u64> {
    Some(free_space(path)?.free_bytes)
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeSpace {
    /// What is free, without what is kept back for the system.
    pub free_bytes: u64,
    /// All of it.
    pub whole_bytes: u64,
}

/// How full the file system of `path` is; `None` where it does not tell.
pub(super) fn free_space(path: &Path) -> Option<FreeSpace> {
    let told = statvfs(path).ok().filter(|told| told.blocks() > 0)?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.fragment_size());
    let (free_bytes, whole_bytes) = (bytes(told.blocks_available()), bytes(told.blocks()));
    Some(FreeSpace { free_bytes, whole_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_what_is_free_and_one_without_blocks_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).is_some_and(|free| free < 1 << 60));
        assert_eq!(free_bytes(Path::new("/proc")), None);
        assert_eq!(free_bytes(Path::new("/no-such-folder")), None);
    }

    #[test]
    fn a_twentieth_of_what_is_free_is_kept_back() {
        assert_eq!([0, 19, 20, 100].map(usable), [0, 19, 19, 95]);
    }

    #[test]
    fn a_file_counts_once_and_what_it_has_already_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), vec![1; 1 << 16]).unwrap();
        let there = fs::File::open(path("there")).unwrap();
        there.sync_all().unwrap();
        let needed = |name: &str, bytes| FileRoom::of(&path(name), bytes, bytes).unwrap();
        assert_eq!(needed("missing", 1 << 20).bytes, 1 << 20);
        assert!(needed("there", 1 << 16).bytes < 1 << 16);
        let mut room = Room::default();
        room.add_file(Identity::of(&path("missing")), &needed("missing", 5));
        let mut other = Room::default();
        other.add_file(
            Identity::of(&folder.path().join(".").join("missing")),
            &needed("missing", 7),
        );
        room.add(&other);
        assert_eq!(room.files.values().map(|file| file.bytes).collect::<Vec<_>>(), [7]);
        assert!(room.check().is_ok());
        let twice_too_much = free_bytes(folder.path()).unwrap();
        for name in ["a", "b"] {
            let half = needed(name, twice_too_much / 2);
            room.add_file(Identity::of(&path(name)), &half);
        }
        let refused = room.check().unwrap_err().to_string();
        assert!(refused.contains("No space left on device (ENOSPC)"), "{refused}");
    }

    #[test]
    fn only_holes_of_a_file_that_is_there_take_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holes");
        fs::File::create(&path).unwrap().set_len(1 << 20).unwrap();
        assert_eq!(FileRoom::of(&path, 4096, 1 << 20).unwrap().bytes, 4096);
        assert_eq!(FileRoom::of(&path, 1 << 30, 1 << 20).unwrap().bytes, 1 << 20);
    }
}
