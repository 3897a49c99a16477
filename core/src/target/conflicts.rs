//! Refuses targets that cannot be what was meant.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::describe::folder_of;
use super::device::is_device;
use super::file_id::FileId;
use super::guard::RefusedTarget;
use super::resolve::ResolveError;
use super::tasklet::{Tasklet, TaskletFile};
use crate::plan::{Access, Direction};

/// A write to F makes F.0, F.1 and so on, so a read of F is a mistake that is easily made.
pub(super) fn refuse_missing_with_a_hint(path: &Path) -> Result<(), RefusedTarget> {
    let mut first = path.as_os_str().to_owned();
    first.push(".0");
    if fs::exists(path).unwrap_or(true) || !fs::exists(&first).unwrap_or(false) {
        return Ok(());
    }
    let what = format!(
        "does not exist, but {} does; give that, or {}.{{tid}} for one file per thread",
        Path::new(&first).display(),
        path.display()
    );
    Err(RefusedTarget::unfit(path, what))
}

/// Why no file is made at `path`, among the device nodes.
pub(super) fn refuse_among_devices(path: &Path) -> RefusedTarget {
    // A write to F makes F.0, unless F is allowed as a device.
    let meant = path.with_extension("");
    let what = if is_device(&meant) {
        let meant = meant.display();
        format!("does not exist, but {meant} does; add --allow-device {meant} to write to it")
    } else {
        "would be a file among devices, and no device has that name; give a file elsewhere".into()
    };
    RefusedTarget::unfit(path, what)
}

/// Refuses two tasklets that write one file, and a file that is written and read. Tasklets of one
/// phase may write blocks of the same file: none of them claims to find its own data there.
pub(super) fn refuse_shared_writes(phases: &[Vec<Tasklet>]) -> Result<(), ResolveError> {
    refuse_to_make_twice(phases)?;
    let mut seen: HashMap<Identity, (usize, Direction)> = HashMap::new();
    let all =
        phases.iter().enumerate().flat_map(|(phase, all)| all.iter().map(move |t| (phase, t)));
    for (phase, tasklet) in all {
        let blocks = matches!(tasklet.access, Access::Blocks(_));
        for file in &tasklet.files {
            match seen.insert(Identity::of(&file.path), (phase, tasklet.direction)) {
                None => {}
                Some((_, Direction::Read)) if tasklet.direction == Direction::Read => {}
                Some((before, _)) if blocks && before == phase => {}
                Some((_, Direction::Write)) if tasklet.direction == Direction::Write => {
                    let what = "would be written by two tasklets; put {tid} into the path";
                    return Err(RefusedTarget::unfit(&file.path, what).into());
                }
                Some(_) => {
                    let what = "would be both written and read; give two different files";
                    return Err(RefusedTarget::unfit(&file.path, what).into());
                }
            }
        }
    }
    Ok(())
}

/// Refuses a file for blocks that is missing and named twice: it would be made twice at the same
/// time. One that is there may be used from several names.
fn refuse_to_make_twice(phases: &[Vec<Tasklet>]) -> Result<(), ResolveError> {
    for phase in phases {
        let mut seen: HashMap<Identity, &TaskletFile> = HashMap::new();
        for file in phase.iter().flat_map(|tasklet| &tasklet.files) {
            if !file.is_made_for_blocks() {
                continue;
            }
            let first = *seen.entry(Identity::of(&file.path)).or_insert(file);
            if !first.is_made_together_with(file) {
                let what = "would be made twice; name it once, with more --threads";
                return Err(RefusedTarget::unfit(&file.path, what).into());
            }
        }
    }
    Ok(())
}

/// What a path stands for: the file, or the name that it will have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    File(FileId),
    Device { number: u64, is_block: bool },
    Name(PathBuf),
}

impl Identity {
    pub(super) fn of(path: &Path) -> Self {
        if let Ok(there) = fs::metadata(path) {
            let kind = there.file_type();
            if kind.is_block_device() || kind.is_char_device() {
                // Nodes of one device may have several names and inodes.
                return Self::Device { number: there.rdev(), is_block: kind.is_block_device() };
            }
            return Self::File(FileId::of(&there));
        }
        let folder = folder_of(path);
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        Self::Name(folder.join(path.file_name().unwrap_or_default()))
    }
}
