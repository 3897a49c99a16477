//! A folder of its own for each test, and the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder that goes with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty one, below the build folder: that is more often on a real disk than `/tmp`.
    pub(crate) fn new() -> Self {
        let inside = env!("CARGO_TARGET_TMPDIR");
        Self(TempDir::new_in(inside).expect("the build folder is writable"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, to be run in it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aio"));
        command.current_dir(self.path());
        command
    }

    /// Runs the program in it, with arguments that are parted by spaces.
    pub(crate) fn aio(&self, line: &str) -> Ended {
        let output = self.command().args(line.split_whitespace()).output();
        Ended::new(line, &output.expect("the program can be started"))
    }

    /// Makes a file of this many bytes that do not compress to nothing.
    pub(crate) fn file(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.path().join(name);
        let content: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        fs::write(&path, content).expect("there is room");
        path
    }

    /// The names of what is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("the folder is there");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
        names.sort();
        names
    }
}

/// How the program ended, and what it said.
pub(crate) struct Ended {
    line: String,
    /// The exit code; -1 when a signal killed it.
    pub(crate) code: i32,
    /// The results.
    pub(crate) stdout: String,
    /// The messages.
    pub(crate) stderr: String,
}

impl Ended {
    /// What came of the arguments `line`.
    pub(crate) fn new(line: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        Self {
            line: line.into(),
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        let Self { line, stdout, stderr, .. } = &self;
        assert_eq!(self.code, code, "aio {line}\nstdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// Asserts that it was refused: exit code 2, nothing on stdout, one sentence on stderr, with
    /// `words` in it.
    #[track_caller]
    pub(crate) fn refused(self, words: &[&str]) -> Self {
        let ended = self.code(2);
        let Self { line, stdout, stderr, .. } = &ended;
        assert_eq!(stdout, "", "aio {line}");
        assert_eq!(stderr.lines().count(), 1, "aio {line}\n{stderr}");
        assert!(stderr.starts_with("aio: "), "aio {line}\n{stderr}");
        for word in words {
            assert!(stderr.contains(word), "aio {line}: no {word:?} in\n{stderr}");
        }
        ended
    }
}
