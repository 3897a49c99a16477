//! Where results go: stdout, or a file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use aio_core::streams::stdout_is_closed;
use aio_core::target::Resolved;
use anyhow::{Context, Error, Result, anyhow};

use crate::ending::Failure;
use crate::voice;

/// A place for results that was found to be writable.
#[derive(Debug)]
pub(crate) enum Output {
    /// Stdout.
    Stdout,
    /// A regular file, which is replaced in one step.
    Replaced(PathBuf),
    /// Something else that has a name: a FIFO, `/dev/null`.
    Appended(PathBuf),
}

impl Output {
    /// Stdout, or the file `path`.
    ///
    /// # Errors
    /// When nothing can be written there, so that no run is made whose results would be lost.
    /// Nothing is left behind.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return refuse_closed_stdout().map(|()| Self::Stdout).map_err(Failure::failed);
        };
        Self::tried(path)
            .with_context(|| format!("cannot write results to {}", path.display()))
            .map_err(Failure::refused)
    }

    fn tried(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => Err(anyhow!("it is a folder")),
            Ok(there) if there.file_type().is_block_device() => {
                Err(anyhow!("it is a block device, and they would overwrite what it holds"))
            }
            Ok(there) if !there.is_file() => Ok(Self::Appended(path.into())),
            found => {
                // A link stays, and the file that it leads to is replaced.
                let path = if found.is_ok() { fs::canonicalize(path)? } else { path.into() };
                let beside = beside(&path)?;
                create(&beside)?;
                fs::remove_file(&beside)?;
                Ok(Self::Replaced(path))
            }
        }
    }

    /// Refuses to replace a file that is measured.
    pub(crate) fn refuse_targets(&self, resolved: &Resolved) -> Result<(), Failure> {
        let Self::Replaced(path) = self else { return Ok(()) };
        let tasklets = resolved.waves.iter().flatten();
        let same = tasklets.flat_map(|one| &one.files).any(|file| is_same(&file.path, path));
        if !same {
            return Ok(());
        }
        let path = path.display();
        Err(Failure::refused(anyhow!(
            "{path} is a file that is read or written, and results would replace it; name another"
        )))
    }

    /// Writes all of `bytes`. A reader that has gone is no error.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match self {
            Self::Stdout => refuse_closed_stdout()
                .and_then(|()| to_stdout(bytes).context("cannot write the results")),
            Self::Replaced(path) => replace(path, bytes).with_context(|| name(path)),
            Self::Appended(path) => append(path, bytes).with_context(|| name(path)),
        };
        written.map_err(Failure::failed)
    }
}

fn name(path: &Path) -> String {
    format!("cannot write results to {}", path.display())
}

/// Whether two paths lead to the same file, or would once it is made.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    // At least one is still to be made: the names decide.
    let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    full(one) == full(other)
}

/// A stdout that is closed takes everything that is written and loses it.
fn refuse_closed_stdout() -> Result<()> {
    if stdout_is_closed() {
        let closed = "cannot write the results: stdout is closed; redirect it to a file or a pipe";
        return Err(anyhow!(closed));
    }
    Ok(())
}

fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path)?;
    let replaced = create(&beside)
        .and_then(|mut file| {
            if let Ok(there) = fs::metadata(path) {
                file.set_permissions(there.permissions())?;
            }
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    replaced.map_err(|error| {
        if let Err(stays) = fs::remove_file(&beside)
            && stays.kind() != io::ErrorKind::NotFound
        {
            voice::complain(&format!("cannot remove {}: {stays}", beside.display()));
        }
        Error::from(error)
    })
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().context("it has no file name")?);
    name.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        fs::write(&path, "old and longer").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let output = Output::open(Some(&link)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old and longer");
        output.write(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_refused_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing/r.json")] {
            let refusal = Output::open(Some(&path)).unwrap_err().sentence();
            assert!(refusal.starts_with("cannot write results to "), "{refusal}");
        }
    }

    #[test]
    fn a_full_device_is_an_error() {
        let output = Output::open(Some(Path::new("/dev/full"))).unwrap();
        let failure = output.write(b"x").unwrap_err().sentence();
        assert!(failure.ends_with("No space left on device (os error 28)"), "{failure}");
    }
}
