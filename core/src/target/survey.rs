//! What is known of a place before anything is done there. Opens it for reading at most, and
//! changes nothing.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::alignment::Alignment;
use super::compression::compresses;
use super::describe::{FileSystem, Mounts};
use super::device::{TargetKind, block_number_of, who_uses};
use super::extents::{Layout, layout};
use super::guard::{RefusedTarget, open_existing};
use super::mark::{self, Owner};
use super::resolve::end_of;
use super::space::{Room, room};
use super::storage::storage;
use crate::report::Storage;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder, in which files can be made.
    Folder,
    /// What can be a target as it is.
    Target(TargetKind),
}

/// What is known of direct I/O at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectIo {
    /// It is taken, in multiples of this.
    Taken(Alignment),
    /// The file system refuses it.
    Refused,
    /// That cannot be found out without making a file there, or without reading what is there.
    Unknown,
}

/// What was found at a path.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The path as it was given.
    pub path: PathBuf,
    /// What it leads to.
    pub place: Place,
    /// It, open for reading, past the page cache where that is taken; `None` for a folder and for
    /// what cannot be opened.
    pub file: Option<Arc<File>>,
    /// Why it could not be opened.
    pub unreadable: Option<String>,
    /// What is known of direct I/O.
    pub direct: DirectIo,
    /// Its size; `None` for a folder and where it does not tell.
    pub size_bytes: Option<u64>,
    /// The file system that it is on, or the device that it is; `None` where `/proc` does not tell.
    pub file_system: Option<FileSystem>,
    /// Whether its file system compresses what is written there, where it tells.
    pub compresses: Option<bool>,
    /// The room of its file system; `None` for devices.
    pub room: Option<Room>,
    /// The block device under it; `None` where there is not one.
    pub storage: Option<Storage>,
    /// How it lies on storage; `None` for what is no file and where nothing is told.
    pub layout: Option<Layout>,
    /// Whose the file is; `None` for what is no file.
    pub owner: Option<Owner>,
    /// Why the device must not be written, with what to do; `None` when nothing is known to use it,
    /// and for what is no device.
    pub used: Option<String>,
}

/// Looks at what is at `path`.
///
/// # Errors
/// When it is not there, or is neither a folder nor what can be a target.
pub fn survey(path: &Path) -> Result<Survey, RefusedTarget> {
    let metadata = fs::metadata(path).map_err(|error| RefusedTarget::io("look at", path, error))?;
    let place = place_of(path, &metadata)?;
    let mut found = Survey {
        path: path.into(),
        place,
        file: None,
        unreadable: None,
        direct: DirectIo::Unknown,
        size_bytes: None,
        file_system: Mounts::read().file_system_of(path),
        compresses: None,
        room: None,
        storage: None,
        layout: None,
        owner: None,
        used: None,
    };
    found.compresses = found.file_system.as_ref().and_then(|there| compresses(path, there));
    // Without a mount table the metadata still has the number.
    let number = block_number_of(path).unwrap_or_else(|| number_of(&metadata));
    found.storage = storage(&number);
    match place {
        Place::Folder => found.room = room(path),
        Place::Target(kind) => found.look_into(kind),
    }
    Ok(found)
}

fn place_of(path: &Path, metadata: &Metadata) -> Result<Place, RefusedTarget> {
    if metadata.is_dir() {
        return Ok(Place::Folder);
    }
    TargetKind::of(metadata).map(Place::Target).ok_or_else(|| {
        let what = "is neither a folder nor a file, a block device or an NVMe generic device";
        RefusedTarget::unfit(path, what)
    })
}

fn number_of(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    let is_device = metadata.file_type().is_block_device();
    let device = if is_device { metadata.rdev() } else { metadata.dev() };
    format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
}

impl Survey {
    /// Adds what only an open descriptor tells.
    fn look_into(&mut self, kind: TargetKind) {
        let path = &self.path;
        if kind == TargetKind::File {
            self.room = room(path);
        } else {
            self.used = who_uses(path);
        }
        let opened = match open_existing(path, true) {
            Err(RefusedTarget::NoDirectIo { .. }) => {
                self.direct = DirectIo::Refused;
                open_existing(path, false)
            }
            other => other,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                self.unreadable = Some(words(&error));
                return;
            }
        };
        self.size_bytes = end_of(&file, path).ok();
        if self.direct != DirectIo::Refused && kind != TargetKind::NvmeGeneric {
            self.direct = Alignment::of(&file).map_or(DirectIo::Refused, DirectIo::Taken);
        }
        if kind == TargetKind::File {
            self.owner = Some(mark::owner(&file));
            self.layout = self.size_bytes.and_then(|bytes| layout(&file, bytes));
        }
        self.file = Some(Arc::new(file));
    }
}

/// An error with its cause, without the path.
fn words(error: &RefusedTarget) -> String {
    match error {
        RefusedTarget::Io { source, .. } => io::Error::to_string(source),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::skip;

    #[test]
    fn a_folder_and_a_file_are_looked_at_and_stay_as_they_were() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let found = survey(folder.path()).unwrap();
        assert_eq!((found.place, found.direct), (Place::Folder, DirectIo::Unknown));
        assert!(found.room.is_some_and(|room| room.free_bytes <= room.whole_bytes));
        assert!(found.file.is_none() && found.layout.is_none() && found.owner.is_none());
        let path = folder.path().join("f");
        fs::write(&path, vec![7; 8192]).unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let found = survey(&path).unwrap();
        assert_eq!(found.place, Place::Target(TargetKind::File));
        assert_eq!((found.size_bytes, found.owner), (Some(8192), Some(Owner::Others)));
        assert!(found.file.is_some() && found.unreadable.is_none() && found.used.is_none());
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_there_or_no_target_is_refused() {
        let refused = |path: &str| survey(Path::new(path)).unwrap_err().to_string();
        assert_eq!(refused("/no-such-file"), "cannot look at /no-such-file");
        let what = "is neither a folder nor a file, a block device or an NVMe generic device";
        assert_eq!(refused("/dev/null"), format!("/dev/null {what}"));
    }

    #[test]
    fn a_file_with_a_hole_says_so_and_data_that_is_not_written_back_is_left_where_it_is() {
        let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        io::Write::write_all(&mut file, &[7; 4096]).unwrap();
        file.as_file().set_len(1 << 20).unwrap();
        match survey(file.path()).unwrap().layout {
            Some(found) => assert!(found.holes, "{found:?}"),
            None => skip("no FIEMAP here"),
        }
    }
}
