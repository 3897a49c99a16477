//! Targets that fail: files of which some transfers fail, end early or take long, as
//! `ci/lab/faulty-fuse.c` plays them, file systems that turn read-only and devices that shrink.
//!
//! Whatever happens, the program ends by itself and with the right code, one sentence has the
//! cause, what it made is gone, and what was finished before is kept and marked.

mod calls;
mod changed;
mod checked;
mod flushed;
mod hung;
mod rounds;
mod storage;
mod transfers;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::lab;
use crate::signals::Running;
use crate::support::{AIO, ENGINES, Ended, Folder, skip};

/// What runs for longer than this hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A folder in which the program meets faults. From outside it is a folder like any other.
struct Target {
    folder: Folder,
    player: &'static Path,
}

impl Target {
    /// An empty one; `None`, said aloud, where faults cannot be played.
    fn new() -> Option<Self> {
        static PLAYER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match PLAYER.get_or_init(player) {
            Ok(player) => Some(Self { folder: Folder::new(), player }),
            Err(reason) => {
                skip(&format!("no file system with faults: {reason}"));
                None
            }
        }
    }

    /// Runs the program in it by `rules`, both parted by spaces.
    fn aio(&self, rules: &str, line: &str) -> Ended {
        let mut command = self.folder.program(self.player);
        let command = command.arg(self.folder.path()).args(rules.split_whitespace());
        let command = command.args(["--", AIO]).args(line.split_whitespace()).timeout(LIMIT);
        let output = command.output().expect("the player can be started");
        Ended::new(&format!("{line} (by {rules})"), &output)
    }

    /// Starts the program in it by `rules`, as a process that passes signals on.
    fn start(&self, rules: &str, line: &str) -> Running {
        let (player, place) = (self.player.display(), self.folder.path().display());
        let script = format!("exec {player} {place} {rules} -- \"$0\" \"$@\"");
        Running::start_by(&self.folder, &script, line)
    }

    /// The engines that can run here.
    fn engines(&self) -> impl Iterator<Item = &'static str> {
        ENGINES.into_iter().filter(|engine| self.folder.can_run(engine))
    }

    /// What is in a file of it.
    fn content(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).expect("it is there")
    }
}

/// The program that plays faults, when it works here.
fn player() -> Result<PathBuf, String> {
    let player = lab::compile("faulty-fuse")?;
    let folder = Folder::new();
    let mut command = folder.program(&player);
    let output = command.arg(folder.path()).args(["--", "true"]).timeout(LIMIT).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(player);
    }
    Err(String::from_utf8_lossy(&output.stderr).trim_end().into())
}

/// Asserts that a run with `--quiet --format json` failed as a run has to: one sentence on stderr,
/// with the `words`; a report without rates; nothing that the kernel was left with. Returns the
/// only direction, or the only one of which a request failed.
#[track_caller]
fn failed(ended: Ended, words: &[&str]) -> Value {
    let ended = ended.code(1).says(words);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("left to the kernel"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("defect"), "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(report["status"], "failed", "{report}");
    let directions = report["engines"][0]["directions"].as_array().expect("a list");
    for one in directions {
        assert_eq!(one["status"], "failed");
        for rate in ["task_speed_gib_per_s", "e2e_speed_gib_per_s", "requests_per_s", "ratios"] {
            assert_eq!(one[rate], Value::Null, "{rate} of what failed");
        }
    }
    let mut to_blame = directions.iter().filter(|one| one["failures"] != Value::Array(Vec::new()));
    let one = to_blame.next().expect("a direction has the cause").clone();
    assert_eq!(to_blame.next(), None, "the cause is told once");
    one
}

/// What the only failure of a direction says of a request: operation, offset, length, errno.
#[track_caller]
fn request(direction: &Value) -> (&str, u64, u64, &str) {
    let failures = direction["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), 1, "{failures:?}");
    let word = |field: &str| failures[0][field].as_str().unwrap_or_default();
    let number = |field: &str| failures[0][field].as_u64().unwrap_or(u64::MAX);
    (word("operation"), number("offset_bytes"), number("length_bytes"), word("errno"))
}

/// The loops that count of a direction, each with its bytes.
fn counted_loops(direction: &Value) -> Vec<u64> {
    let loops = direction["loops"].as_array().expect("a list");
    let counting = loops.iter().filter(|one| one["counts"] == true);
    counting.map(|one| one["bytes"].as_u64().expect("a number")).collect()
}
