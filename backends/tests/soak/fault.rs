//! What is done to a run from outside.
#![expect(unsafe_code, reason = "signals are given an action")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::thread;
use std::time::Duration;

use aio_core::session::Stop;
use aio_core::testing::{Dice, Usage};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::storm::Storm;
use crate::work::FILE_BYTES;

/// When it begins, at the latest.
const DELAY_MAX: Duration = Duration::from_millis(30);
/// How long a limit is lowered, at most.
const HOLD_MAX: Duration = Duration::from_millis(40);
/// Direct writes of multiples of this are taken everywhere.
const SECTORS_BYTES: u64 = 4096;
/// Memory that is taken and used.
const PRESSURE_BYTES: usize = 96 << 20;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The run is told to stop.
    Stop,
    /// A thousand signals a second, to each thread.
    Storm,
    /// `RLIMIT_FSIZE` is lowered for a moment.
    FileSize,
    /// `RLIMIT_NOFILE` is lowered for a moment.
    Descriptors,
    /// The file is cut.
    Cut,
    /// Much memory is used for a moment, and the page cache forgets the file.
    Pressure,
    /// A bit of the file is turned around when the run is over.
    Flip,
}

impl Fault {
    /// Their names, in the order of their numbers.
    pub(crate) const NAMES: [&str; 8] =
        ["none", "stop", "storm", "file size", "descriptors", "cut", "pressure", "flip"];

    /// Those after which the data must be right, or one bit of it wrong.
    pub(crate) const GENTLE: [Self; 4] = [Self::Stop, Self::Storm, Self::Pressure, Self::Flip];
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Stop,
        Self::Storm,
        Self::Pressure,
        Self::Flip,
        Self::FileSize,
        Self::Descriptors,
        Self::Cut,
    ];

    /// A random one of `faults`; in a third of all rounds, none.
    pub(crate) fn draw(dice: &mut Dice, faults: &[Self]) -> Self {
        if dice.one_in(3) { Self::None } else { dice.pick(faults) }
    }

    /// Whether it may be why a run says `message`.
    pub(crate) fn explains(self, message: &str) -> bool {
        let words: &[&str] = match self {
            Self::FileSize => &["File too large", "EFBIG"],
            Self::Descriptors => &["Too many open files", "EMFILE"],
            Self::Cut => &[
                "0 bytes were moved",
                "the data differs",
                "is not what it must be",
                "expected",
                "the file ends there",
                "--size asks for",
                "bytes by now",
                "short transfers that do not get on",
            ],
            _ => &[],
        };
        words.iter().any(|word| message.contains(word))
    }

    /// Does it at a random moment of `run`, on the file `path`, and undoes it.
    pub(crate) fn during<T>(
        self,
        dice: &mut Dice,
        path: &Path,
        stop: &Stop,
        run: impl FnOnce() -> T,
    ) -> T {
        let delay = part_of(dice, DELAY_MAX);
        let hold = part_of(dice, HOLD_MAX);
        let (number, at) = (dice.below(12), dice.below_u64(FILE_BYTES));
        let act = move || {
            thread::sleep(delay);
            match self {
                Self::Stop => stop.set(),
                Self::FileSize => {
                    // A limit within a sector cuts a direct write to what direct I/O refuses.
                    let most = at.max(1 << 20) / SECTORS_BYTES * SECTORS_BYTES;
                    lowered(Resource::RLIMIT_FSIZE, most, hold);
                }
                Self::Descriptors => {
                    let room = Usage::now().descriptors as u64 + u64::from(number);
                    lowered(Resource::RLIMIT_NOFILE, room, hold);
                }
                Self::Cut => cut(path, at),
                Self::Pressure => press(path, hold),
                Self::None | Self::Storm | Self::Flip => {}
            }
        };
        match self {
            Self::None | Self::Flip => run(),
            Self::Storm => {
                let _storm = Storm::begin();
                run()
            }
            _ => thread::scope(|scope| {
                scope.spawn(act);
                run()
            }),
        }
    }
}

/// From now on, a write beyond `RLIMIT_FSIZE` fails and does not end the process.
pub(crate) fn ignore_size_signals() {
    let action = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: what is ignored runs no code.
    unsafe { sigaction(Signal::SIGXFSZ, &action) }.expect("SIGXFSZ can be ignored");
}

fn part_of(dice: &mut Dice, most: Duration) -> Duration {
    let micros = u32::try_from(most.as_micros()).expect("it is short");
    Duration::from_micros(dice.below(micros).into())
}

/// Has the soft limit be `to` for the time `hold`.
fn lowered(resource: Resource, to: u64, hold: Duration) {
    let (soft, hard) = getrlimit(resource).expect("every process has limits");
    setrlimit(resource, to.min(soft), hard).expect("a soft limit may be lowered");
    thread::sleep(hold);
    setrlimit(resource, soft, hard).expect("a soft limit may be raised again");
}

fn cut(path: &Path, at: u64) {
    // A run may be about to make it.
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        let length = file.metadata().expect("it is open").len();
        file.set_len(at.min(length)).expect("it can be cut");
    }
}

fn press(path: &Path, hold: Duration) {
    let memory = vec![1_u8; PRESSURE_BYTES];
    if let Ok(file) = File::open(path) {
        let advice = PosixFadviseAdvice::POSIX_FADV_DONTNEED;
        let _only_advice = posix_fadvise(&file, 0, 0, advice);
    }
    thread::sleep(hold);
    drop(std::hint::black_box(memory));
}
