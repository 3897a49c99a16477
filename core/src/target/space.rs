//! Room for the files that a run fills before it measures anything.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::describe::folder_of;
use super::resolve::ResolveError;
use super::tasklet::Tasklet;

/// Refuses files to be filled that do not fit their file system: else it would be full, for
/// everybody, by the time that this is found out.
pub(super) fn refuse_too_little_space(phases: &[Vec<Tasklet>]) -> Result<(), ResolveError> {
    let mut files: HashMap<&Path, u64> = HashMap::new();
    for tasklet in phases.iter().flatten() {
        for file in tasklet.files.iter().filter(|file| file.is_to_be_filled()) {
            let bytes = files.entry(&file.path).or_default();
            *bytes = tasklet.end_bytes().max(*bytes);
        }
    }
    let mut asked: HashMap<u64, (PathBuf, u64)> = HashMap::new();
    for (path, bytes) in files {
        let folder = folder_of(path);
        let Ok(there) = fs::metadata(folder) else { continue };
        // What an earlier file of that name has is used again.
        let reused = fs::metadata(path).map_or(0, |file| file.blocks().saturating_mul(512));
        let sum = &mut asked.entry(there.dev()).or_insert_with(|| (folder.to_owned(), 0)).1;
        *sum = sum.saturating_add(bytes.saturating_sub(reused));
    }
    for (folder, asked_bytes) in asked.into_values() {
        let Some(free_bytes) = free_bytes(&folder).filter(|free| asked_bytes > *free) else {
            continue;
        };
        return Err(ResolveError::Space { folder, asked_bytes, free_bytes });
    }
    Ok(())
}

/// What is free in the file system of `folder`, without what is kept back for the system; `None`
/// where it does not tell.
fn free_bytes(folder: &Path) -> Option<u64> {
    Some(room(folder)?.free_bytes)
}

/// The room of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What is free, without what is kept back for the system.
    pub free_bytes: u64,
    /// All of it.
    pub whole_bytes: u64,
}

/// The room of the file system of `path`; `None` where it does not tell.
pub(super) fn room(path: &Path) -> Option<Room> {
    let told = statvfs(path).ok().filter(|told| told.blocks() > 0)?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.fragment_size());
    Some(Room { free_bytes: bytes(told.blocks_available()), whole_bytes: bytes(told.blocks()) })
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
}
