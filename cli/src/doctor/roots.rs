//! Where the kernel tells about itself. Tests have trees of their own there.

use std::fs;
use std::path::{Path, PathBuf};

/// The roots of what is read.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    /// `/proc`.
    pub(crate) proc: PathBuf,
    /// `/sys`.
    pub(crate) sys: PathBuf,
    /// `/`, for the marks that containers leave.
    pub(crate) root: PathBuf,
}

impl Roots {
    /// Those of this machine.
    pub(crate) fn here() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), root: "/".into() }
    }

    /// Whether `/proc` is mounted.
    pub(crate) fn has_proc(&self) -> bool {
        self.proc.join("self/status").exists()
    }

    /// Whether `/sys` is mounted.
    pub(crate) fn has_sys(&self) -> bool {
        self.sys.join("devices").is_dir()
    }

    /// What a file below `/proc` says.
    pub(crate) fn in_proc(&self, path: &str) -> Option<String> {
        text(&self.proc.join(path))
    }

    /// What a file below `/sys` says.
    pub(crate) fn in_sys(&self, path: &str) -> Option<String> {
        text(&self.sys.join(path))
    }
}

/// What a file says, without white space at its ends, unless that is nothing.
pub(crate) fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The number that a file says.
pub(crate) fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

/// The value behind `name:` in the lines of a table such as `/proc/self/status`.
pub(crate) fn field<'t>(table: &'t str, name: &str) -> Option<&'t str> {
    table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The word between brackets, as files of sysfs mark the one that is in force.
pub(crate) fn chosen(all: &str) -> Option<&str> {
    all.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(word, _)| word)
}

/// The names in a folder, in order of the alphabet; none where there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// A tree of files, for tests: pairs of path and content below `proc`, `sys` and `root`.
#[cfg(test)]
pub(crate) fn fake(files: &[(&str, &str)]) -> (tempfile::TempDir, Roots) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let roots = Roots { proc: at("proc"), sys: at("sys"), root: at("root") };
    for (path, content) in files {
        let path = at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{content}\n")).unwrap();
    }
    (folder, roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_nothing() {
        let (_folder, roots) = fake(&[("proc/sys/fs/aio-nr", "7"), ("sys/empty", "")]);
        assert_eq!(roots.in_proc("sys/fs/aio-nr").as_deref(), Some("7"));
        assert_eq!((roots.in_proc("none"), roots.in_sys("empty")), (None, None));
        assert!(!roots.has_proc() && !roots.has_sys());
        let (_folder, roots) = fake(&[("proc/self/status", "x"), ("sys/devices/x", "x")]);
        assert!(roots.has_proc() && roots.has_sys());
    }

    #[test]
    fn tables_and_choices_are_read() {
        assert_eq!(field("Seccomp:\t2\nSeccomp_filters:\t1\n", "Seccomp"), Some("2"));
        assert_eq!(field("Seccomp_filters:\t1\n", "Seccomp"), None);
        assert_eq!(chosen("always [madvise] never"), Some("madvise"));
        assert_eq!(chosen("none"), None);
    }
}
