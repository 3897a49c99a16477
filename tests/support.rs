//! A folder of its own for each test, and the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

pub(crate) use aio_core::testing::skip;
use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub(crate) const AIO: &str = env!("CARGO_BIN_EXE_aio");

/// The engines that move data.
pub(crate) const ENGINES: [&str; 3] = ["uring", "libaio", "sync"];

/// What runs for longer than this hangs, and is killed.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A folder that goes with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty one, below the build folder: that is more often on a real disk than `/tmp`.
    pub(crate) fn new() -> Self {
        let inside = env!("CARGO_TARGET_TMPDIR");
        Self(TempDir::new_in(inside).expect("the build folder is writable"))
    }

    /// An empty one elsewhere.
    pub(crate) fn new_in(above: &str) -> Self {
        Self(TempDir::new_in(above).expect("it is writable"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Any program, to be run in it.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(name);
        command.current_dir(self.path()).timeout(LIMIT);
        command
    }

    /// Runs the program in it, with arguments that are parted by spaces.
    pub(crate) fn aio(&self, line: &str) -> Ended {
        let output = self.program(AIO).args(line.split_whitespace()).output();
        Ended::new(line, &output.expect("the program can be started"))
    }

    /// Runs the program in it, with arguments that have spaces in them.
    pub(crate) fn aio_words(&self, words: &[&str]) -> Ended {
        let output = self.program(AIO).args(words).output();
        Ended::new(&words.join(" "), &output.expect("the program can be started"))
    }

    /// Runs a script of a shell in it, with the program as `$0` and the arguments as `$@`.
    pub(crate) fn shell(&self, script: &str, line: &str) -> Ended {
        let mut shell = self.program("sh");
        let output = shell.args(["-c", script, AIO]).args(line.split_whitespace()).output();
        Ended::new(&format!("{line} (by {script})"), &output.expect("there is a shell"))
    }

    /// Whether this engine can run here; says so aloud when it cannot.
    pub(crate) fn can_run(&self, engine: &str) -> bool {
        self.would_run(&format!("--engine {engine} --buffered"))
    }

    /// Whether direct I/O can be done here; says so aloud when it cannot.
    pub(crate) fn is_direct(&self) -> bool {
        self.would_run("--engine null")
    }

    fn would_run(&self, flags: &str) -> bool {
        let ended = self.aio(&format!("{flags} --dry-run --write-file probe --write-size 1M"));
        if ended.code != 0 {
            skip(&ended.stderr);
        }
        ended.code == 0
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

    /// Asserts that all `words` are on stderr.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let Self { line, stderr, .. } = &self;
        for word in words {
            assert!(stderr.contains(word), "aio {line}: no {word:?} in\n{stderr}");
        }
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
        ended.says(words)
    }

    /// The results of `--format json`.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let Self { line, stdout, .. } = self;
        serde_json::from_str(stdout).unwrap_or_else(|error| panic!("aio {line}: {error}\n{stdout}"))
    }

    /// What the results in JSON say of the only direction of the only engine.
    #[track_caller]
    pub(crate) fn direction(&self) -> Value {
        self.json()["engines"][0]["directions"][0].take()
    }

    /// The receipts for `option` in results in JSON: of the run first, then of its only engine.
    #[track_caller]
    pub(crate) fn receipts(&self, option: &str) -> Vec<Value> {
        let json = self.json();
        let of = |place: &Value| place["receipts"].as_array().cloned().unwrap_or_default();
        let all = of(&json).into_iter().chain(of(&json["engines"][0]));
        all.filter(|receipt| receipt["option"] == option).collect()
    }
}
