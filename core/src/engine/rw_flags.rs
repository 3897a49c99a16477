//! Flags that a single read or write carries (`RWF_*` of `include/uapi/linux/fs.h`), for every
//! engine whose calls have room for them. How they are handed over is the engine's.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::fs::File;
use std::io;
use std::ops::BitOr;
use std::sync::Arc;

use super::options::{Accepts, Asked, OptionSpec};
use super::request::{Operation, Operations};
use super::rw_probe::refuses;
use super::setup::Unsupported;
use crate::receipt::Receipt;

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RwFlags(i32);

/// What there is to know about one flag.
struct Known {
    flag: RwFlags,
    spec: OptionSpec,
    symbol: &'static str,
}

const fn known(
    flag: RwFlags,
    key: &'static str,
    symbol: &'static str,
    help: &'static str,
    since: &'static str,
) -> Known {
    let spec =
        OptionSpec { key, accepts: Accepts::Switch, default: "off", help, since: Some(since) };
    Known { flag, spec, symbol }
}

const KNOWN: [Known; 4] = [
    known(
        RwFlags::NOWAIT,
        "nowait",
        "RWF_NOWAIT",
        "ask first without blocking, and again, blocking, where that is EAGAIN",
        "4.14",
    ),
    known(RwFlags::HIPRI, "hipri", "RWF_HIPRI", "poll the device; needs direct I/O", "4.6"),
    known(RwFlags::DSYNC, "dsync", "RWF_DSYNC", "make the data of each write durable", "4.7"),
    known(
        RwFlags::DONTCACHE,
        "dontcache",
        "RWF_DONTCACHE",
        "drop pages from the page cache after use; needs --buffered",
        "6.14",
    ),
];

impl RwFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `nowait`: fail with `EAGAIN` rather than block the caller.
    pub const NOWAIT: Self = Self(libc::RWF_NOWAIT);
    /// `hipri`: poll for the completion.
    pub const HIPRI: Self = Self(libc::RWF_HIPRI);
    /// `dsync`: make the data of a write durable before it completes.
    pub const DSYNC: Self = Self(libc::RWF_DSYNC);
    /// `dontcache`: leave nothing behind in the page cache.
    pub const DONTCACHE: Self = Self(0x80);

    /// The option that asks for this flag.
    ///
    /// # Panics
    /// When it is not exactly one flag.
    #[must_use]
    pub const fn spec(self) -> OptionSpec {
        let mut index = 0;
        while KNOWN[index].flag.0 != self.0 {
            index += 1;
        }
        KNOWN[index].spec
    }

    /// The flags whose options were switched on.
    #[must_use]
    pub fn asked(asked: &Asked) -> Self {
        let on = KNOWN.iter().filter(|known| asked.switch(known.spec.key) == Some(true));
        on.fold(Self::NONE, |flags, known| flags | known.flag)
    }

    /// The set that the kernel was told as `bits`.
    #[must_use]
    pub const fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// Whether no flag is in the set.
    #[must_use]
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `flags` are in the set.
    #[must_use]
    #[inline(always)]
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The set without `flags`.
    #[must_use]
    #[inline(always)]
    pub fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// As the kernel is told.
    #[must_use]
    #[inline(always)]
    pub fn bits(self) -> i32 {
        self.0
    }

    /// The flags' names, as the kernel's headers have them: `RWF_NOWAIT and RWF_DSYNC`.
    fn symbols(self) -> String {
        let on = KNOWN.iter().filter(|known| self.contains(known.flag));
        on.map(|known| known.symbol).collect::<Vec<_>>().join(" and ")
    }

    /// Refuses flags that mean nothing for I/O that is `buffered` or not, whatever the kernel says.
    ///
    /// # Errors
    /// Which flag it is, and what to do.
    pub fn check(self, buffered: bool) -> Result<(), Unsupported> {
        if buffered && self.contains(Self::HIPRI) {
            return Err(Unsupported::new(
                "hipri polls the device, which buffered I/O does not wait for",
                "leave out --buffered or hipri",
            ));
        }
        if !buffered && self.contains(Self::DONTCACHE) {
            return Err(Unsupported::new(
                "dontcache is about the page cache, which direct I/O goes around",
                "add --buffered or leave out dontcache",
            ));
        }
        Ok(())
    }

    /// What becomes of the flags on `files`, by asking the kernel. Without files nothing can be
    /// asked: then the flags stay, and only what is known has a receipt. There is none for `hipri`:
    /// what polling comes to depends on how the engine waits.
    #[must_use]
    pub fn grant(self, operations: Operations, files: &[Arc<File>]) -> GrantedFlags {
        let mut granted = GrantedFlags { of: [self.without(Self::DSYNC), self], ..<_>::default() };
        for known in KNOWN.iter().filter(|known| self.contains(known.flag)) {
            match known.flag {
                Self::HIPRI => {}
                Self::DSYNC => granted.receipts.push(dsync_receipt(operations)),
                _ => granted.ask(known, operations, files),
            }
        }
        granted
    }
}

impl BitOr for RwFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn dsync_receipt(operations: Operations) -> Receipt {
    if operations.contains(Operation::Write) {
        Receipt::granted("dsync", "on for writes")
    } else {
        Receipt::downgraded("dsync", "on for writes", "off", "nothing is written")
    }
}

/// What an engine may use of the flags that it was asked for.
#[derive(Clone, Debug, Default)]
pub struct GrantedFlags {
    /// For reads and for writes.
    of: [RwFlags; 2],
    /// What was asked and granted, a line for each flag and direction.
    pub receipts: Vec<Receipt>,
}

impl GrantedFlags {
    /// The flags of requests that read.
    #[must_use]
    pub fn for_reads(&self) -> RwFlags {
        self.of[0]
    }

    /// The flags of requests that write.
    #[must_use]
    pub fn for_writes(&self) -> RwFlags {
        self.of[1]
    }

    fn ask(&mut self, known: &Known, operations: Operations, files: &[Arc<File>]) {
        let key = known.spec.key;
        for (place, operation) in [Operation::Read, Operation::Write].into_iter().enumerate() {
            if files.is_empty() || !operations.contains(operation) {
                continue;
            }
            let on = format!("on for {operation}s");
            if files.iter().any(|file| refuses(file, operation, known.flag)) {
                self.of[place] = self.of[place].without(known.flag);
                let why = format!(
                    "the file system of the target refuses {} for them (EOPNOTSUPP)",
                    known.symbol
                );
                self.receipts.push(Receipt::downgraded(key, &on, "off", &why));
            } else {
                self.receipts.push(Receipt::granted(key, &on));
            }
        }
    }
}

/// The error of an engine one of whose requests came back with `EOPNOTSUPP` under `flags`, although
/// nothing spoke against them when it was opened.
#[must_use]
#[cold]
pub fn flags_refused(flags: RwFlags) -> io::Error {
    let symbols = flags.symbols();
    io::Error::other(format!(
        "EOPNOTSUPP: the target's file system or device does not take {symbols}; leave the option \
         out or choose another target"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [OptionSpec; 4] = [
        RwFlags::NOWAIT.spec(),
        RwFlags::HIPRI.spec(),
        RwFlags::DSYNC.spec(),
        RwFlags::DONTCACHE.spec(),
    ];

    fn asked(text: &str) -> RwFlags {
        RwFlags::asked(&Asked::parse(text, &SPECS).unwrap())
    }

    fn both() -> Operations {
        Operations::of(&[Operation::Read, Operation::Write])
    }

    #[test]
    fn options_become_the_kernel_s_bits() {
        assert_eq!(asked("").bits(), 0);
        assert_eq!(asked("nowait").bits(), 8);
        assert_eq!(asked("hipri=on:dsync").bits(), 3);
        assert_eq!(asked("dontcache:nowait=off").bits(), 0x80);
        assert_eq!(RwFlags::DONTCACHE.spec().since, Some("6.14"));
    }

    #[test]
    fn what_contradicts_the_kind_of_io_is_refused_in_a_sentence() {
        let refusal = |text, buffered| {
            asked(text).check(buffered).err().map(|unsupported| unsupported.sentence())
        };
        assert_eq!(
            refusal("hipri", true).unwrap(),
            "hipri polls the device, which buffered I/O does not wait for; leave out --buffered \
             or hipri"
        );
        assert_eq!(
            refusal("nowait:dontcache", false).unwrap(),
            "dontcache is about the page cache, which direct I/O goes around; add --buffered or \
             leave out dontcache"
        );
        assert_eq!(refusal("hipri:nowait:dsync", false), None);
        assert_eq!(refusal("dontcache:nowait:dsync", true), None);
    }

    #[test]
    fn only_writes_are_made_durable() {
        let granted = asked("dsync").grant(both(), &[]);
        assert!(granted.for_reads().is_empty());
        assert_eq!(granted.for_writes(), RwFlags::DSYNC);
        assert_eq!(granted.receipts, [Receipt::granted("dsync", "on for writes")]);
        let reads = asked("dsync").grant(Operations::of(&[Operation::Read]), &[]);
        assert!(reads.receipts[0].is_downgrade());
    }

    #[test]
    fn without_a_file_nothing_is_claimed_about_what_only_a_file_can_tell() {
        let granted = asked("nowait:dontcache").grant(both(), &[]);
        assert_eq!(granted.receipts, []);
        assert_eq!(granted.for_reads(), asked("nowait:dontcache"));
    }

    #[test]
    fn a_refusal_at_run_time_names_the_flags() {
        let text = flags_refused(asked("nowait:dsync")).to_string();
        assert!(text.contains("EOPNOTSUPP") && text.contains("RWF_NOWAIT and RWF_DSYNC"), "{text}");
    }
}
