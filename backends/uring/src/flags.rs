//! The flags that a ring is set up with, and how those that a kernel lacks are left out.

use std::io;

use aio_core::receipt::Receipt;
use io_uring::{Builder, cqueue, squeue};

use crate::options::Uring;

/// One flag of `io_uring_setup`, in the order in which kernels learned them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Flag {
    /// A request that fails at once does not stop the batch that it is in.
    SubmitAll,
    CoopTaskrun,
    SingleIssuer,
    DeferTaskrun,
    NoSqarray,
    HybridIopoll,
}

/// `IORING_SETUP_IOPOLL`, for a ring that is set up by hand.
pub(crate) const IOPOLL: u32 = 1 << 0;
/// `IORING_SETUP_SQPOLL`, the same.
pub(crate) const SQPOLL: u32 = 1 << 1;
/// `IORING_SETUP_SQ_AFF`, the same.
pub(crate) const SQ_AFF: u32 = 1 << 2;

impl Flag {
    const OLDEST_FIRST: [Self; 6] = [
        Self::SubmitAll,
        Self::CoopTaskrun,
        Self::SingleIssuer,
        Self::DeferTaskrun,
        Self::NoSqarray,
        Self::HybridIopoll,
    ];

    /// The flag in the words of the command line.
    fn name(self) -> &'static str {
        match self {
            Self::SubmitAll => "submit-all",
            Self::CoopTaskrun => "coop-taskrun",
            Self::SingleIssuer => "single-issuer",
            Self::DeferTaskrun => "defer-taskrun",
            Self::NoSqarray => "no-sqarray",
            Self::HybridIopoll => "hybrid-iopoll",
        }
    }

    /// The first Linux that knows the flag (`man 2 io_uring_setup`).
    fn since(self) -> &'static str {
        match self {
            Self::SubmitAll => "5.18",
            Self::CoopTaskrun => "5.19",
            Self::SingleIssuer => "6.0",
            Self::DeferTaskrun => "6.1",
            Self::NoSqarray => "6.6",
            Self::HybridIopoll => "6.13",
        }
    }

    /// The flag in `linux/io_uring.h`.
    fn bit(self) -> u32 {
        match self {
            Self::SubmitAll => 1 << 7,
            Self::CoopTaskrun => 1 << 8,
            Self::SingleIssuer => 1 << 12,
            Self::DeferTaskrun => 1 << 13,
            Self::NoSqarray => 1 << 16,
            Self::HybridIopoll => 1 << 17,
        }
    }

    /// Whether `options` ask for the flag.
    fn is_asked_by(self, options: &Uring) -> bool {
        match self {
            // Every engine goes on after a failed request, so this one has no switch.
            Self::SubmitAll => true,
            Self::CoopTaskrun => options.coop_taskrun,
            Self::SingleIssuer => options.single_issuer,
            Self::DeferTaskrun => options.defer_taskrun,
            Self::NoSqarray => options.no_sqarray,
            Self::HybridIopoll => options.hybrid_iopoll,
        }
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// The flags that `options` ask for and that can be asked of a kernel together.
    pub(crate) fn asked(options: &Uring) -> Self {
        let asked = Flag::OLDEST_FIRST.into_iter().filter(|flag| flag.is_asked_by(options));
        asked
            .filter(|flag| why_impossible(*flag, options).is_none())
            .fold(Self(0), |set, flag| Self(set.0 | 1 << flag as u8))
    }

    pub(crate) fn contains(self, flag: Flag) -> bool {
        self.0 & 1 << flag as u8 != 0
    }

    fn newest(self) -> Option<Flag> {
        Flag::OLDEST_FIRST.into_iter().rev().find(|flag| self.contains(*flag))
    }

    /// The set without `flag`, and without what needs it.
    fn without(self, flag: Flag) -> Self {
        let set = Self(self.0 & !(1 << flag as u8));
        if flag == Flag::SingleIssuer { set.without(Flag::DeferTaskrun) } else { set }
    }

    /// The flags as `io_uring_setup` takes them.
    pub(crate) fn bits(self) -> u32 {
        let flags = Flag::OLDEST_FIRST.into_iter().filter(|flag| self.contains(*flag));
        flags.fold(0, |bits, flag| bits | flag.bit())
    }

    /// Sets the flags on `builder`, but for the one that it has no setter for.
    pub(crate) fn apply<S, C>(self, builder: &mut Builder<S, C>)
    where
        S: squeue::EntryMarker,
        C: cqueue::EntryMarker,
    {
        for flag in Flag::OLDEST_FIRST.into_iter().filter(|flag| self.contains(*flag)) {
            match flag {
                Flag::SubmitAll => builder.setup_submit_all(),
                Flag::CoopTaskrun => builder.setup_coop_taskrun(),
                Flag::SingleIssuer => builder.setup_single_issuer(),
                Flag::DeferTaskrun => builder.setup_defer_taskrun(),
                Flag::NoSqarray => builder.setup_no_sqarray(),
                Flag::HybridIopoll => builder,
            };
        }
    }

    /// What became of each flag that `options` ask for, when this set was granted.
    pub(crate) fn receipts(self, options: &Uring) -> Vec<Receipt> {
        let asked = Self::asked(options);
        let receipt = |flag: Flag| {
            let name = flag.name();
            if self.contains(flag) {
                Receipt::granted(name, "on")
            } else if !flag.is_asked_by(options) {
                Receipt::granted(name, "off")
            } else if asked.contains(flag) {
                let why_not = format!("EINVAL: needs Linux {}", flag.since());
                Receipt::downgraded(name, "on", "off", &why_not)
            } else {
                let why_not = why_impossible(flag, options).unwrap_or("needs single-issuer");
                Receipt::downgraded(name, "on", "off", why_not)
            }
        };
        // What is off unless it is asked for is told only when it is.
        let told = |flag: &Flag| *flag != Flag::HybridIopoll || options.hybrid_iopoll;
        Flag::OLDEST_FIRST.into_iter().filter(told).map(receipt).collect()
    }
}

/// Why `flag`, for which `options` ask, cannot be had with the rest that they ask for.
fn why_impossible(flag: Flag, options: &Uring) -> Option<&'static str> {
    match flag {
        Flag::DeferTaskrun if !options.single_issuer => Some("needs single-issuer"),
        // Deferred work wakes nobody who waits on the ring's descriptor.
        Flag::DeferTaskrun if !options.ext_arg => Some("needs ext-arg"),
        Flag::DeferTaskrun | Flag::CoopTaskrun if options.sqpoll.is_some() => {
            Some("sqpoll excludes it")
        }
        // Whoever sets the fields of the options by hand can ask for these. A ring that polls must
        // not be opened unless it is known that its targets can be polled.
        Flag::HybridIopoll if !options.iopoll => Some("needs iopoll"),
        Flag::HybridIopoll if options.nop || options.passthrough => {
            Some("only reads and writes have it")
        }
        _ => None,
    }
}

/// Calls `set_up` with `asked`, and as long as it says `EINVAL` again without the newest flag, so
/// that a kernel gets every flag that it is new enough for. Returns the result and its flags.
pub(crate) fn negotiate<R>(
    asked: Flags,
    mut set_up: impl FnMut(Flags) -> io::Result<R>,
) -> io::Result<(R, Flags)> {
    let mut flags = asked;
    loop {
        match (set_up(flags), flags.newest()) {
            (Ok(ring), _) => return Ok((ring, flags)),
            (Err(error), Some(newest)) if error.raw_os_error() == Some(libc::EINVAL) => {
                flags = flags.without(newest);
            }
            (Err(error), _) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Sqpoll;

    /// A kernel that knows only the flags in `knows`, and counts how often it is asked.
    fn kernel(knows: &[Flag]) -> (Flags, Vec<Receipt>, u32) {
        let options = Uring::default();
        let mut calls = 0;
        let set_up = |flags: Flags| {
            calls += 1;
            let unknown = |flag: &Flag| flags.contains(*flag) && !knows.contains(flag);
            if Flag::OLDEST_FIRST.iter().any(unknown) {
                Err(io::Error::from_raw_os_error(libc::EINVAL))
            } else {
                Ok(())
            }
        };
        let ((), flags) = negotiate(Flags::asked(&options), set_up).unwrap();
        (flags, flags.receipts(&options), calls)
    }

    fn downgrades(receipts: &[Receipt]) -> Vec<(&str, &str)> {
        let lost = receipts.iter().filter(|receipt| receipt.is_downgrade());
        lost.map(|receipt| (&*receipt.option, receipt.why_not.as_deref().unwrap())).collect()
    }

    #[test]
    fn a_new_kernel_grants_everything_at_the_first_call() {
        let (flags, receipts, calls) = kernel(&Flag::OLDEST_FIRST[..5]);
        assert_eq!((flags, calls), (Flags::asked(&Uring::default()), 1));
        assert_eq!(receipts.len(), 5);
        assert!(receipts.iter().all(|receipt| receipt.granted == "on"));
    }

    #[test]
    fn linux_6_1_loses_no_sqarray_only() {
        let (flags, receipts, calls) = kernel(&Flag::OLDEST_FIRST[..4]);
        assert_eq!(calls, 2);
        assert!(flags.contains(Flag::DeferTaskrun));
        assert_eq!(downgrades(&receipts), [("no-sqarray", "EINVAL: needs Linux 6.6")]);
    }

    #[test]
    fn linux_5_10_loses_each_flag_one_call_at_a_time() {
        let (flags, receipts, calls) = kernel(&[]);
        assert_eq!((flags, calls), (Flags(0), 6));
        let want = [
            ("submit-all", "EINVAL: needs Linux 5.18"),
            ("coop-taskrun", "EINVAL: needs Linux 5.19"),
            ("single-issuer", "EINVAL: needs Linux 6.0"),
            ("defer-taskrun", "EINVAL: needs Linux 6.1"),
            ("no-sqarray", "EINVAL: needs Linux 6.6"),
        ];
        assert_eq!(downgrades(&receipts), want);
    }

    #[test]
    fn losing_single_issuer_loses_what_needs_it() {
        let all = Flags::asked(&Uring::default());
        let rest = all.without(Flag::SingleIssuer);
        assert!(!rest.contains(Flag::DeferTaskrun) && rest.contains(Flag::NoSqarray));
    }

    #[test]
    fn other_errors_and_an_einval_without_flags_are_final() {
        for (errno, want_calls) in [(libc::EPERM, 1), (libc::EINVAL, 6)] {
            let mut calls = 0;
            let result = negotiate(Flags::asked(&Uring::default()), |_| {
                calls += 1;
                io::Result::<()>::Err(io::Error::from_raw_os_error(errno))
            });
            assert_eq!(result.unwrap_err().raw_os_error(), Some(errno));
            assert_eq!(calls, want_calls);
        }
    }

    #[test]
    fn what_the_user_switched_off_is_granted_off_and_a_contradiction_is_a_downgrade() {
        let options = Uring { single_issuer: false, coop_taskrun: false, ..Uring::default() };
        let receipts = Flags::asked(&options).receipts(&options);
        assert!(receipts.contains(&Receipt::granted("single-issuer", "off")));
        assert!(receipts.contains(&Receipt::granted("coop-taskrun", "off")));
        assert_eq!(downgrades(&receipts), [("defer-taskrun", "needs single-issuer")]);
        let options = Uring { ext_arg: false, ..Uring::default() };
        let receipts = Flags::asked(&options).receipts(&options);
        assert_eq!(downgrades(&receipts), [("defer-taskrun", "needs ext-arg")]);
        let options = Uring { sqpoll: Some(Sqpoll::default()), ..Uring::default() };
        let why = "sqpoll excludes it";
        let receipts = Flags::asked(&options).receipts(&options);
        assert_eq!(downgrades(&receipts), [("coop-taskrun", why), ("defer-taskrun", why)]);
    }

    #[test]
    fn a_kernel_before_6_13_polls_without_sleeping_and_says_so() {
        let options = Uring::parse("hybrid-iopoll").unwrap();
        let asked = Flags::asked(&options);
        let all_but_newest = |flags: Flags| {
            let refused = io::Error::from_raw_os_error(libc::EINVAL);
            if flags.contains(Flag::HybridIopoll) { Err(refused) } else { Ok(()) }
        };
        let ((), granted) = negotiate(asked, all_but_newest).unwrap();
        let want = [("hybrid-iopoll", "EINVAL: needs Linux 6.13")];
        assert_eq!(downgrades(&granted.receipts(&options)), want);
        let receipts = asked.receipts(&options);
        assert!(receipts.contains(&Receipt::granted("hybrid-iopoll", "on")));
    }

    #[test]
    fn polling_after_a_sleep_is_never_asked_for_without_what_checks_and_carries_it() {
        let with_sleep = Uring { hybrid_iopoll: true, ..Uring::default() };
        let polled = Uring { iopoll: true, ..with_sleep.clone() };
        let refused = |options: &Uring| {
            let asked = Flags::asked(options);
            assert!(!asked.contains(Flag::HybridIopoll));
            let receipts = asked.receipts(options);
            let receipt = receipts.into_iter().find(|receipt| receipt.option == "hybrid-iopoll");
            receipt.and_then(|receipt| receipt.why_not).expect("it is on a receipt, with a reason")
        };
        assert_eq!(refused(&with_sleep), "needs iopoll");
        for options in
            [Uring { nop: true, ..polled.clone() }, Uring { passthrough: true, ..polled.clone() }]
        {
            assert_eq!(refused(&options), "only reads and writes have it");
        }
        assert!(Flags::asked(&polled).contains(Flag::HybridIopoll));
    }

    #[test]
    fn what_sqpoll_switches_off_by_implication_is_no_downgrade() {
        let options = Uring::parse("sqpoll").unwrap();
        let receipts = Flags::asked(&options).receipts(&options);
        assert!(receipts.contains(&Receipt::granted("defer-taskrun", "off")));
        assert!(receipts.contains(&Receipt::granted("coop-taskrun", "off")));
        assert_eq!(downgrades(&receipts), []);
    }
}
