//! Signals in mid-run. They are sent when the program is seen to be at work, never after a guess.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{AIO, ENGINES, Ended, Folder, LIMIT, skip};

/// Takes much longer than any test waits.
const ENDLESS: &str = "--buffered --quiet --loops 1000000 --block-size 64k --format json --yes";

/// Time between two looks at what the program does.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The program at work. It is killed when a test is done with it.
pub(crate) struct Running {
    child: Child,
    line: String,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Starts the program in `folder`.
    pub(crate) fn start(folder: &Folder, line: &str) -> Self {
        Self::start_by(folder, "exec \"$0\" \"$@\"", line)
    }

    /// Has a script of a shell start it, with the program as `$0` and the arguments as `$@`.
    pub(crate) fn start_by(folder: &Folder, script: &str, line: &str) -> Self {
        // Files without names hold more than a pipe that nobody empties.
        let file = || tempfile::tempfile().expect("there is room for what it says");
        let copy = |file: &File| file.try_clone().expect("there are enough descriptors");
        let (stdout, stderr) = (file(), file());
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path()).stdin(Stdio::null());
        shell.stdout(copy(&stdout)).stderr(copy(&stderr));
        let shell = shell.args(["-c", script, AIO]).args(line.split_whitespace());
        let child = shell.spawn().expect("there is a shell");
        Self { child, line: line.into(), stdout, stderr }
    }

    /// Waits until `is_seen` of the process with this id.
    #[track_caller]
    pub(crate) fn until(&mut self, is_seen: impl FnMut(u32) -> bool) {
        assert!(self.sees(is_seen), "aio {} ended too early", self.line);
    }

    /// Waits until `is_seen` of the process with this id, or until it has ended; says which.
    #[track_caller]
    pub(crate) fn sees(&mut self, mut is_seen: impl FnMut(u32) -> bool) -> bool {
        let begin = Instant::now();
        while !is_seen(self.child.id()) {
            if self.try_wait().is_some() {
                return false;
            }
            assert!(begin.elapsed() < LIMIT, "aio {} does not get on", self.line);
            thread::sleep(LOOK_EVERY);
        }
        true
    }

    /// Waits until there is something on stdout. It need not have ended.
    #[track_caller]
    pub(crate) fn until_it_says_something(&mut self) {
        let stdout = self.stdout.try_clone().expect("there are enough descriptors");
        self.until(|_| stdout.metadata().is_ok_and(|file| file.len() > 0));
    }

    /// Sends signals, one after the other.
    pub(crate) fn send(&self, names: &[&str]) {
        let pid = self.child.id();
        let kills: Vec<_> = names.iter().map(|name| format!("kill -s {name} {pid}")).collect();
        // Built into the shell; the program of that name is not everywhere. No id is used again
        // before its process was waited for.
        let mut shell = Command::new("sh");
        let status = shell.args(["-c", &kills.join("; ")]).status().expect("there is a shell");
        assert!(status.success(), "{names:?} could not be sent");
    }

    /// How it ended, and what it said.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.try_wait() {
                break status;
            }
            assert!(begin.elapsed() < LIMIT, "aio {} hangs", self.line);
            thread::sleep(LOOK_EVERY);
        };
        let read = |mut file: &File| {
            let mut bytes = Vec::new();
            let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
            read.expect("what it said can be read");
            bytes
        };
        let (stdout, stderr) = (read(&self.stdout), read(&self.stderr));
        Ended::new(&self.line, &Output { status, stdout, stderr })
    }

    fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is a child of this process")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _was_waited_for = self.child.wait();
    }
}

/// Whether `name` in `folder` has something in it.
pub(crate) fn has_content(folder: &Folder, name: &str) -> bool {
    fs::metadata(folder.path().join(name)).is_ok_and(|file| file.len() > 0)
}

/// How many bytes the process has written by system calls, where the kernel counts them.
pub(crate) fn written_bytes(pid: u32) -> Option<u64> {
    let counters = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let written = counters.lines().find_map(|line| line.strip_prefix("wchar: "))?;
    written.parse().ok()
}

/// Whether hangups are ignored here, and therefore by the program too: `nohup cargo test`.
pub(crate) fn ignores_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// Whether the process has an open file without a name in `folder`, with something in it.
fn has_nameless_content(folder: &Folder, pid: u32) -> bool {
    let place = fs::canonicalize(folder.path()).expect("the folder is there");
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let path = descriptor.path();
        fs::read_link(&path).is_ok_and(|link| link.starts_with(&place))
            && fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0)
    })
}

#[test]
fn a_signal_ends_a_run_with_its_partial_result_and_files_are_cleaned_up() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
            if signal == "HUP" && ignores_hangups() {
                skip("SIGHUP: it is ignored here");
                continue;
            }
            let line = format!("--engine {engine} --write-file w --write-size 8M {ENDLESS}");
            let mut running = Running::start(&folder, &line);
            running.until(|_| has_content(&folder, "w.0"));
            running.send(&[signal]);
            let ended = running.ended().code(code);
            assert_eq!(ended.json()["status"], "interrupted", "{line}");
            assert_eq!(ended.direction()["status"], "interrupted", "{line}");
            assert_eq!(folder.names(), [""; 0], "{line}");
        }
    }
}

#[test]
fn loops_that_were_finished_are_reported() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("loops before a signal: this kernel has no /proc/self/io");
    }
    let line = format!("--engine sync --write-file w --write-size 64k {ENDLESS}");
    let mut running = Running::start(&folder, &line);
    running.until(|pid| written_bytes(pid) >= Some(100 << 16));
    running.send(&["INT"]);
    let direction = running.ended().code(130).direction();
    let loops = direction["loops"].as_array().unwrap();
    let counted = loops.iter().filter(|one| one["counts"] == true).count();
    assert!(counted >= 90, "{counted} loops");
    assert_eq!(direction["bytes"], counted << 16, "the bytes are those of the loops");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn blocks_that_were_done_before_a_signal_are_a_result() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("blocks before a signal: this kernel has no /proc/self/io");
    }
    for threads in [1, 2] {
        // Several megabytes of blocks have gone out when the signal comes.
        let line = format!(
            "--engine sync --file w --rw randwrite --size 1M --block-size 4k --queue-depth 1 \
             --buffered --runtime 1h --threads {threads} --format json --quiet --yes"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|pid| written_bytes(pid) >= Some(8 << 20));
        running.send(&["INT"]);
        let direction = running.ended().code(130).direction();
        assert_eq!(direction["status"], "interrupted");
        let requests = direction["requests"].as_u64().unwrap();
        assert!(requests >= 1000, "{requests}");
        assert_eq!(direction["bytes"], requests * 4096);
        assert!(direction["requests_per_s"].as_f64().unwrap() > 0.0);
        assert_eq!(direction["unfinished_bytes"], 0);
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn both_halves_of_a_mix_that_were_done_before_a_signal_are_a_result() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("a mix before a signal: this kernel has no /proc/self/io");
    }
    for flags in ["--queue-depth 1", "--queue-depth 8 --threads 2 --fsync 100"] {
        let line = format!(
            "--engine sync --file w --rw randrw --size 1M --block-size 4k --buffered --runtime 1h \
             --ramp-time 1ms {flags} --format json --quiet --yes"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|pid| written_bytes(pid) >= Some(8 << 20));
        running.send(&["INT"]);
        let json = running.ended().code(130).json();
        let directions = json["engines"][0]["directions"].as_array().unwrap();
        assert_eq!(directions.len(), 2);
        for one in directions {
            assert_eq!(one["status"], "interrupted");
            let requests = one["requests"].as_u64().unwrap();
            assert!(requests >= 500, "{line}: {requests}");
            assert_eq!(one["bytes"], requests * 4096, "{line}");
            assert_eq!(one["loops"][1]["bytes"], requests * 4096, "{line}");
        }
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn the_table_says_that_it_is_partial() {
    let folder = Folder::new();
    let line = format!("--engine sync --write-file w --write-size 8M {ENDLESS}");
    let mut running = Running::start(&folder, &line.replace("json", "text"));
    running.until(|_| has_content(&folder, "w.0"));
    running.send(&["INT"]);
    let ended = running.ended().code(130);
    assert!(ended.stdout.contains("INTERRUPTED"), "{}", ended.stdout);
}

#[test]
fn a_signal_while_a_file_is_filled_ends_the_run_and_the_file_is_removed() {
    let folder = Folder::new();
    let line = format!("--engine sync --folder . --io-size 64M --read --threads 2 {ENDLESS}");
    let mut running = Running::start(&folder, &line);
    running.until(|_| has_content(&folder, "_aio_read_67108864.pt.0_0"));
    running.send(&["INT"]);
    running.ended().code(130);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_signal_ends_all_engines_and_directions() {
    let folder = Folder::new();
    let line =
        format!("--engine all --folder . --io-size 8M --threads 2 --io-parallel 2 {ENDLESS}");
    let mut running = Running::start(&folder, &line);
    running.until(|_| has_content(&folder, "_aio_write_8388608.pt.0_0"));
    running.send(&["TERM"]);
    let ended = running.ended().code(143);
    assert_eq!(ended.json()["engines"].as_array().unwrap().len(), 1, "no further engine is run");
    let started = ended.json()["engines"][0]["engine"].clone();
    for engine in ENGINES.into_iter().filter(|engine| *engine != started) {
        let all = ended.json()["unavailable"].take();
        let mut all = all.as_array().unwrap().iter();
        assert!(all.any(|one| one["engine"] == engine), "{engine} has a reason");
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_is_kept_or_foreign_stays_after_a_signal() {
    let folder = Folder::new();
    let foreign = folder.file("foreign", 1 << 20);
    let before = fs::read(&foreign).unwrap();
    let line =
        format!("--engine sync --read-file foreign --write-file w --write-size 1M {ENDLESS}");
    let mut running = Running::start(&folder, &format!("{line} --keep"));
    running.until(|_| has_content(&folder, "w.0"));
    running.send(&["INT"]);
    running.ended().code(130);
    assert_eq!(folder.names(), ["foreign", "w.0"]);
    assert_eq!(fs::read(&foreign).unwrap(), before);
}

#[test]
fn a_run_that_was_started_by_nohup_lives_through_a_hangup() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("loops after a hangup: this kernel has no /proc/self/io");
    }
    let line = format!("--engine sync --write-file w --write-size 64k {ENDLESS}");
    let mut running = Running::start_by(&folder, r#"trap "" HUP; exec "$0" "$@""#, &line);
    running.until(|_| has_content(&folder, "w.0"));
    running.send(&["HUP"]);
    let mut before = None;
    running.until(|pid| {
        let written = written_bytes(pid);
        written >= before.get_or_insert(written).map(|bytes| bytes + (100 << 16))
    });
    running.send(&["INT"]);
    running.ended().code(130);
}

#[test]
fn without_arguments_a_signal_leaves_nothing_whichever_it_is() {
    for (signals, code) in
        [(&["INT"][..], 130), (&["INT", "INT"], 130), (&["TERM"], 143), (&["KILL"], -1)]
    {
        let folder = Folder::new();
        let mut running = Running::start(&folder, "");
        running.until(|pid| has_nameless_content(&folder, pid));
        running.send(signals);
        running.ended().code(code);
        assert_eq!(folder.names(), [""; 0], "{signals:?}");
    }
}

#[test]
fn a_second_interrupt_ends_the_run_at_once() {
    let folder = Folder::new();
    let line = format!("--engine sync --write-file w --write-size 64M {ENDLESS}");
    let mut running = Running::start(&folder, &line);
    running.until(|_| has_content(&folder, "w.0"));
    running.send(&["INT", "INT"]);
    running.ended().code(130);
}

#[test]
fn a_second_interrupt_leaves_nothing() {
    for _ in 0..5 {
        let folder = Folder::new();
        let line = format!("--engine sync --write-file w --write-size 64M {ENDLESS}");
        let mut running = Running::start(&folder, &line);
        running.until(|_| has_content(&folder, "w.0"));
        running.send(&["INT", "INT"]);
        running.ended().code(130);
        assert_eq!(folder.names(), [""; 0]);
    }
}
