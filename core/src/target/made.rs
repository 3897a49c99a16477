//! What a run created, and must remove.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::file_id::FileId;

/// The files that a run created. They are removed when this is dropped, unless they are to be kept.
#[derive(Debug, Default)]
pub struct Made {
    files: Mutex<Vec<MadeFile>>,
    keep: bool,
}

#[derive(Debug)]
struct MadeFile {
    path: PathBuf,
    id: FileId,
}

impl Made {
    /// An empty list; `keep` leaves the files in place at the end.
    #[must_use]
    pub fn new(keep: bool) -> Self {
        Self { files: Mutex::default(), keep }
    }

    /// Remembers `file`, just created at `path`.
    ///
    /// # Errors
    /// When the file cannot be looked at; it is not remembered then.
    pub fn remember(&self, path: &Path, file: &File) -> io::Result<()> {
        let made = MadeFile { path: path.into(), id: FileId::of(&file.metadata()?) };
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(made);
        Ok(())
    }

    /// Whether this run created the file.
    #[must_use]
    pub fn contains(&self, id: FileId) -> bool {
        let files = self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.iter().any(|file| file.id == id)
    }

    /// Removes what was created, unless it is to be kept, and forgets it. A name that means another
    /// file by now is left alone. Returns the files that could not be removed, each with its error.
    pub fn remove(&self) -> Vec<(PathBuf, io::Error)> {
        let mut files = self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let files = std::mem::take(&mut *files);
        if self.keep {
            return Vec::new();
        }
        files.into_iter().filter_map(|file| remove(&file).err().map(|e| (file.path, e))).collect()
    }
}

fn remove(file: &MadeFile) -> io::Result<()> {
    match fs::symlink_metadata(&file.path) {
        Ok(now) if now.is_file() && FileId::of(&now) == file.id => fs::remove_file(&file.path),
        // Somebody else's by now, or gone.
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _best_effort = self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_goes_and_what_took_its_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = Made::new(false);
        for name in ["a", "b"] {
            made.remember(&path(name), &File::create(path(name)).unwrap()).unwrap();
        }
        fs::write(path("c"), "another").unwrap();
        fs::rename(path("c"), path("b")).unwrap();
        drop(made);
        assert!(!path("a").exists());
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "another");
    }

    #[test]
    fn kept_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let made = Made::new(true);
        made.remember(&path, &File::create(&path).unwrap()).unwrap();
        assert!(made.remove().is_empty());
        drop(made);
        assert!(path.exists());
    }
}
