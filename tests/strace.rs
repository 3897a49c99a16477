//! The system calls that move data, as `strace` saw them.

use std::fs;

use crate::outside::{Disk, Moved};
use crate::support::{AIO, Ended, Folder, skip};

/// What an engine may move data and wait with, and how the program begins. A question mark lets
/// strace pass over what it does not know.
const CALLS: &str = "trace=execve,?io_uring_enter,io_submit,io_getevents,?io_pgetevents,pread64,\
                     pwrite64,preadv,pwritev,?preadv2,?pwritev2,fsync,fdatasync";

/// One call that a thread of a lane made after its engine was set up.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    arguments: String,
    result: i64,
}

/// Whether strace can be used here; says so aloud when it cannot.
pub(crate) fn is_there(folder: &Folder) -> bool {
    match folder.program("strace").args(["-qq", "-o", "probe.strace", "true"]).output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            skip(&format!("no strace: {}", String::from_utf8_lossy(&output.stderr)));
            false
        }
        Err(error) => {
            skip(&format!("no strace: {error}"));
            false
        }
    }
}

/// Runs the program with the arguments `line` and returns how it ended, and the calls of its lanes
/// and their helpers that concern `disk`.
pub(crate) fn run(folder: &Folder, disk: &Disk, line: &str) -> (Ended, Vec<Call>) {
    let logs = folder.path().join("strace");
    fs::create_dir(&logs).expect("there is no such folder yet");
    // A log per thread, in which no call is split by one of another; paths behind descriptors; no
    // data; whole arrays.
    let mut strace = folder.program("strace");
    strace.args(["-ff", "-qq", "-y", "-s", "0", "-e", "abbrev=none", "-e", "signal=none"]);
    strace.args(["-e", CALLS]);
    strace.arg("-o").arg(logs.join("thread")).arg(AIO).args(line.split_whitespace());
    let ended = Ended::new(line, &strace.output().expect("strace can be started"));
    let entries = fs::read_dir(&logs).expect("it is readable");
    let texts = entries.map(|entry| fs::read_to_string(entry.expect("it is there").path()));
    let mut calls = Vec::new();
    let mut main_threads = 0;
    for text in texts {
        let text = text.expect("what strace writes is UTF-8");
        if text.starts_with("execve(") {
            // The loader reads libraries, and engines are probed here; no lane runs here.
            main_threads += 1;
            continue;
        }
        // What is counted at the ends of a loop is read from files of the kernel.
        let concerned = text.lines().filter(|line| line.starts_with("io_") || is_for(disk, line));
        let of_thread = concerned.map(Call::parse);
        // A lane tries calls before the clock starts, so that they move nothing.
        calls.extend(of_thread.skip_while(|call| !call.begins()));
    }
    assert_eq!(main_threads, 1, "{line}");
    fs::remove_dir_all(&logs).expect("it is ours");
    (ended, calls)
}

/// Whether the call's first argument is a descriptor of `disk`.
fn is_for(disk: &Disk, line: &str) -> bool {
    let path = line.split_once('<').and_then(|(_, rest)| rest.split(['>', '<']).next());
    path == Some(disk.path())
}

impl Call {
    fn parse(line: &str) -> Self {
        let parts = line.split_once('(').and_then(|(name, rest)| {
            let (arguments, result) = rest.rsplit_once(" = ")?;
            let arguments = arguments.trim_end().trim_end_matches(')').into();
            let result = result.split(' ').next()?.parse().ok()?;
            Some(Self { name: name.into(), arguments, result })
        });
        parts.unwrap_or_else(|| panic!("strace says {line}"))
    }

    fn number(&self, argument: usize) -> u64 {
        let word = self.arguments.split(", ").nth(argument).and_then(|word| word.parse().ok());
        word.unwrap_or_else(|| panic!("{self:?} has no number {argument}"))
    }

    /// Whether it can be the first of a thread beside trials: those ask for nothing, read behind the
    /// end of the target, or are an asynchronous flush before anything was written.
    fn begins(&self) -> bool {
        match self.name.as_str() {
            "io_uring_enter" => self.number(1) > 0 || self.number(2) > 0,
            "io_submit" => self.arguments.contains("_CMD_P"),
            "io_getevents" | "io_pgetevents" => false,
            // A thread of a pool may begin with one.
            "fsync" | "fdatasync" => true,
            _ => self.result > 0,
        }
    }

    /// How many requests the kernel took by it.
    pub(crate) fn taken(&self) -> u64 {
        match self.name.as_str() {
            "io_getevents" | "io_pgetevents" => 0,
            "io_uring_enter" | "io_submit" => u64::try_from(self.result).unwrap_or(0),
            _ => 1,
        }
    }

    /// The reads and writes that the kernel took by it, as far as strace decodes them: those of
    /// `io_uring` are in memory that it does not look at.
    pub(crate) fn moved(&self) -> Vec<Moved> {
        let is_write = self.name.starts_with("pwrite");
        match self.name.as_str() {
            "pread64" | "pwrite64" => {
                vec![Moved { is_write, bytes: self.number(2), offset_bytes: self.number(3) }]
            }
            "preadv" | "pwritev" | "preadv2" | "pwritev2" => {
                let (_, rest) = self.arguments.split_once("iov_len=").expect("it has one vector");
                let (bytes, rest) = rest.split_once("}], 1, ").expect("it has but one");
                let offset = rest.split(", ").next().expect("there is a first one");
                let number = |text: &str| text.parse().expect("a number");
                vec![Moved { is_write, bytes: number(bytes), offset_bytes: number(offset) }]
            }
            "io_submit" => {
                let requests = self.arguments.split("aio_lio_opcode=IOCB_CMD_").skip(1);
                let taken = usize::try_from(self.taken()).expect("it is no more than were queued");
                requests.take(taken).filter_map(queued).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Reads the rest of a request such as `PREAD, …, aio_nbytes=4096, aio_offset=8368128}`; `None` for
/// a flush.
fn queued(text: &str) -> Option<Moved> {
    let field = |name: &str| {
        let (_, rest) = text.split_once(name).unwrap_or_else(|| panic!("{text}"));
        let digits = rest.split(|char: char| !char.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{text}"))
    };
    let is_write = match text.split(',').next() {
        Some("PREAD") => false,
        Some("PWRITE") => true,
        Some("FSYNC" | "FDSYNC") => return None,
        _ => panic!("neither read nor write: {text}"),
    };
    Some(Moved { is_write, offset_bytes: field("aio_offset="), bytes: field("aio_nbytes=") })
}
