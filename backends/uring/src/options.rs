//! What can be switched about the engine, and its reading from the command line's words.

use std::ops::RangeInclusive;

use aio_core::engine::{Accepts, Asked, OptionError, OptionSpec};
use aio_core::receipt::Receipt;

/// The `io_uring` backend: a value that says how its rings are to be opened.
///
/// The default asks for everything. What a kernel lacks is left out when a ring is opened, one flag
/// at a time, and that is written on the engine's receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own to the user")]
pub struct Uring {
    /// Promise that one thread submits (`IORING_SETUP_SINGLE_ISSUER`, Linux 6.0).
    pub single_issuer: bool,
    /// Finish requests only inside calls that ask for completions (`IORING_SETUP_DEFER_TASKRUN`,
    /// Linux 6.1). Needs `single_issuer`, and is left out without it.
    pub defer_taskrun: bool,
    /// Do not interrupt the lane to finish requests (`IORING_SETUP_COOP_TASKRUN`, Linux 5.19).
    pub coop_taskrun: bool,
    /// Leave out the ring's array of indices (`IORING_SETUP_NO_SQARRAY`, Linux 6.6).
    pub no_sqarray: bool,
    /// Register the targets and name them by index.
    pub fixed_files: bool,
    /// Register the memory, so that it is pinned once and not for each request.
    pub fixed_buffers: bool,
    /// Read and write with `READV` and `WRITEV` instead of `READ` and `WRITE`, as a kernel before
    /// 5.6 has to. Excludes `fixed_buffers`, which is left out with it.
    pub vectored: bool,
    /// Wait with a deadline in the ring's own call (`IORING_ENTER_EXT_ARG`, Linux 5.11), and not by
    /// polling the ring's descriptor. `defer_taskrun` needs it, and is left out without it.
    pub ext_arg: bool,
    /// Register the ring's own descriptor (Linux 5.18).
    pub registered_ring: bool,
    /// Ask the kernel for nothing (`IORING_OP_NOP`), to measure the ring alone.
    pub nop: bool,
    /// Have a thread of the kernel take the requests, without a call (`IORING_SETUP_SQPOLL`). It
    /// excludes `defer_taskrun` and `coop_taskrun`, which are left out with it.
    pub sqpoll: Option<Sqpoll>,
    /// The most threads, of each kind, that the kernel uses for requests that would block
    /// (`IORING_REGISTER_IOWQ_MAX_WORKERS`, Linux 5.15).
    pub iowq_workers: Option<u32>,
    /// Poll the device for completions instead of waiting for its interrupts
    /// (`IORING_SETUP_IOPOLL`), where direct I/O and a device with queues for that allow it.
    pub iopoll: bool,
    /// Sleep for a part of the time before polling (`IORING_SETUP_HYBRID_IOPOLL`, Linux 6.13).
    /// Comes with `iopoll`.
    pub hybrid_iopoll: bool,
    /// Send NVMe commands to generic character devices (`IORING_OP_URING_CMD`, Linux 5.19).
    pub passthrough: bool,
}

/// The kernel's thread that takes requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sqpoll {
    /// The CPU that it runs on; any when absent.
    pub cpu: Option<u32>,
    /// How long it looks for requests before it goes to sleep; a second when absent.
    pub idle_ms: Option<u32>,
}

impl Default for Uring {
    fn default() -> Self {
        Self {
            single_issuer: true,
            defer_taskrun: true,
            coop_taskrun: true,
            no_sqarray: true,
            fixed_files: true,
            fixed_buffers: true,
            vectored: false,
            ext_arg: true,
            registered_ring: true,
            nop: false,
            sqpoll: None,
            iowq_workers: None,
            iopoll: false,
            hybrid_iopoll: false,
            passthrough: false,
        }
    }
}

const fn switch(key: &'static str, help: &'static str, since: &'static str) -> OptionSpec {
    OptionSpec { key, accepts: Accepts::Switch, default: "on", help, since: Some(since) }
}

const fn off_switch(key: &'static str, help: &'static str, since: &'static str) -> OptionSpec {
    OptionSpec { default: "off", ..switch(key, help, since) }
}

const fn number(
    key: &'static str,
    range: RangeInclusive<u32>,
    default: &'static str,
    help: &'static str,
    since: &'static str,
) -> OptionSpec {
    OptionSpec { key, accepts: Accepts::number(range), default, help, since: Some(since) }
}

/// The options, as they are listed.
pub(crate) const OPTIONS: [OptionSpec; 17] = [
    switch("fixed-files", "register the targets and name them by index", "5.1"),
    switch("fixed-buffers", "register the memory, to pin it once and not per request", "5.1"),
    switch("single-issuer", "promise that one thread submits", "6.0"),
    switch("defer-taskrun", "finish requests only in calls that ask for completions", "6.1"),
    switch("coop-taskrun", "do not interrupt the lane to finish requests", "5.19"),
    switch("no-sqarray", "leave out the ring's array of indices", "6.6"),
    switch("ext-arg", "wait in the ring's own call, not on its descriptor", "5.11"),
    switch("registered-ring", "register the ring's own descriptor", "5.18"),
    off_switch("vectored", "read and write with READV and WRITEV, as before Linux 5.6", "5.1"),
    off_switch("nop", "ask the kernel for nothing, to measure the ring alone", "5.1"),
    off_switch("sqpoll", "have a thread of the kernel take requests without a call", "5.1"),
    number("sqpoll-cpu", 0..=65_535, "any", "the CPU of that thread", "5.1"),
    number("sqpoll-idle-ms", 1..=3_600_000, "1000", "how long it looks before it sleeps", "5.1"),
    number("iowq-workers", 1..=65_535, "kernel", "most threads, of each kind, to block in", "5.15"),
    off_switch("iopoll", "poll the device for completions, in place of interrupts", "5.1"),
    off_switch("hybrid-iopoll", "sleep for a part of the time before polling", "6.13"),
    off_switch("passthrough", "send NVMe commands to a generic device, /dev/ng0n1", "5.19"),
];

impl Uring {
    /// Reads the options behind `uring:`, as in `fixed-buffers=off:registered-ring=off`. The empty
    /// text means the defaults. What excludes an option that is on by default switches it off;
    /// what needs an option that is off by default switches it on.
    ///
    /// # Errors
    /// One sentence that names what is not accepted, and says what is.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        let asked = Asked::parse(options, &OPTIONS)?;
        let on = |key| asked.switch(key).unwrap_or(true);
        let single_issuer = on("single-issuer");
        if !single_issuer && asked.switch("defer-taskrun") == Some(true) {
            return Err(conflict("defer-taskrun=on needs single-issuer=on"));
        }
        let ext_arg = on("ext-arg");
        if !ext_arg && asked.switch("defer-taskrun") == Some(true) {
            return Err(conflict("defer-taskrun=on needs ext-arg=on"));
        }
        let sqpoll = sqpoll(&asked)?;
        let extra = |key| asked.switch(key).unwrap_or(false);
        let (nop, hybrid_iopoll) = (extra("nop"), extra("hybrid-iopoll"));
        if hybrid_iopoll && asked.switch("iopoll") == Some(false) {
            return Err(conflict("hybrid-iopoll=on needs iopoll=on"));
        }
        let passthrough = extra("passthrough");
        if nop && passthrough {
            return Err(conflict("nop=on sends no commands for passthrough"));
        }
        if hybrid_iopoll && passthrough {
            return Err(conflict("hybrid-iopoll=on and passthrough=on cannot be combined yet"));
        }
        let vectored = extra("vectored");
        if vectored && asked.switch("fixed-buffers") == Some(true) {
            return Err(conflict("vectored=on and fixed-buffers=on exclude each other"));
        }
        if vectored && (nop || passthrough) {
            return Err(conflict("nop=on and passthrough=on make no reads that are vectored"));
        }
        let iopoll = hybrid_iopoll || extra("iopoll");
        if nop && iopoll {
            return Err(conflict("nop=on asks no device for anything that iopoll could poll for"));
        }
        Ok(Self {
            single_issuer,
            defer_taskrun: single_issuer && ext_arg && sqpoll.is_none() && on("defer-taskrun"),
            coop_taskrun: sqpoll.is_none() && on("coop-taskrun"),
            no_sqarray: on("no-sqarray"),
            fixed_files: on("fixed-files"),
            fixed_buffers: !vectored && on("fixed-buffers"),
            vectored,
            ext_arg,
            registered_ring: on("registered-ring"),
            nop,
            sqpoll,
            iowq_workers: asked.number("iowq-workers"),
            iopoll,
            hybrid_iopoll,
            passthrough,
        })
    }
}

impl Uring {
    /// How many entries a ring has for each request that can be in flight.
    ///
    /// A thread of the kernel says how far it has come only behind a whole batch, whose requests
    /// may be complete by then; so in front of those that it was shown since, another queue of
    /// them may look untaken. And its word is read only when it is shown more, so that a third
    /// queue may wait behind both.
    pub(crate) fn entries_per_request(&self) -> u32 {
        if self.sqpoll.is_some() { 3 } else { 1 }
    }

    /// The receipts of what is off by default, was asked for, and is granted by any ring that
    /// opens.
    pub(crate) fn extras(&self) -> Vec<Receipt> {
        let on = |key, is_on: bool| is_on.then(|| Receipt::granted(key, "on"));
        let number =
            |key, value: Option<u32>| value.map(|value| Receipt::granted(key, &value.to_string()));
        let sqpoll = self.sqpoll.unwrap_or_default();
        let extras = [
            on("nop", self.nop),
            on("sqpoll", self.sqpoll.is_some()),
            number("sqpoll-cpu", sqpoll.cpu),
            number("sqpoll-idle-ms", sqpoll.idle_ms),
            on("iopoll", self.iopoll),
            on("passthrough", self.passthrough),
        ];
        extras.into_iter().flatten().collect()
    }
}

fn conflict(what: &str) -> OptionError {
    OptionError::Conflict(format!("{what}; leave one of them out"))
}

/// The kernel's thread, if it is asked for by its name or by what it is to be like.
fn sqpoll(asked: &Asked) -> Result<Option<Sqpoll>, OptionError> {
    let sqpoll =
        Sqpoll { cpu: asked.number("sqpoll-cpu"), idle_ms: asked.number("sqpoll-idle-ms") };
    let is_described = sqpoll != Sqpoll::default();
    match asked.switch("sqpoll") {
        Some(false) if is_described => {
            return Err(conflict("sqpoll-cpu and sqpoll-idle-ms need sqpoll=on"));
        }
        Some(false) => return Ok(None),
        None if !is_described => return Ok(None),
        _ => {}
    }
    for excluded in ["defer-taskrun", "coop-taskrun"] {
        if asked.switch(excluded) == Some(true) {
            return Err(conflict(&format!("{excluded}=on and sqpoll=on exclude each other")));
        }
    }
    Ok(Some(sqpoll))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &str) -> String {
        match Uring::parse(options) {
            Err(OptionError::Conflict(sentence)) => sentence,
            other => panic!("{options} is no contradiction: {other:?}"),
        }
    }

    #[test]
    fn no_text_means_the_defaults_of_the_listing() {
        assert_eq!(Uring::parse("").unwrap(), Uring::default());
        let of_listing: Vec<_> = OPTIONS
            .iter()
            .filter(|spec| spec.accepts == Accepts::Switch)
            .map(|spec| format!("{}={}", spec.key, spec.default))
            .collect();
        assert_eq!(Uring::parse(&of_listing.join(":")).unwrap(), Uring::default());
    }

    #[test]
    fn each_switch_changes_its_own_field_and_what_needs_it() {
        let on = Uring::default();
        for (options, want) in [
            ("fixed-files=off", Uring { fixed_files: false, ..on.clone() }),
            ("fixed-buffers=off", Uring { fixed_buffers: false, ..on.clone() }),
            ("defer-taskrun=off", Uring { defer_taskrun: false, ..on.clone() }),
            ("coop-taskrun=off", Uring { coop_taskrun: false, ..on.clone() }),
            ("no-sqarray=off", Uring { no_sqarray: false, ..on.clone() }),
            ("registered-ring=off", Uring { registered_ring: false, ..on.clone() }),
            ("vectored", Uring { vectored: true, fixed_buffers: false, ..on.clone() }),
            ("ext-arg=off", Uring { ext_arg: false, defer_taskrun: false, ..on.clone() }),
            (
                "single-issuer=off",
                Uring { single_issuer: false, defer_taskrun: false, ..on.clone() },
            ),
            ("nop", Uring { nop: true, ..on.clone() }),
            ("iopoll", Uring { iopoll: true, ..on.clone() }),
            ("hybrid-iopoll", Uring { iopoll: true, hybrid_iopoll: true, ..on.clone() }),
            ("passthrough", Uring { passthrough: true, ..on.clone() }),
            ("iowq-workers=3", Uring { iowq_workers: Some(3), ..on.clone() }),
        ] {
            assert_eq!(Uring::parse(options).unwrap(), want, "{options}");
        }
    }

    #[test]
    fn a_contradiction_is_refused_in_either_order_and_an_implication_is_not() {
        for options in ["single-issuer=off:defer-taskrun", "defer-taskrun=on:single-issuer=off"] {
            assert!(refusal(options).contains("needs single-issuer=on"));
        }
        let uring = Uring::parse("single-issuer=off:defer-taskrun=off").unwrap();
        assert!(!uring.single_issuer && !uring.defer_taskrun);
        for options in ["sqpoll:defer-taskrun", "coop-taskrun=on:sqpoll-cpu=0"] {
            assert!(refusal(options).ends_with("exclude each other; leave one of them out"));
        }
        assert!(refusal("defer-taskrun:ext-arg=off").contains("needs ext-arg=on"));
        assert!(refusal("fixed-buffers:vectored").contains("exclude each other"));
        assert!(refusal("vectored:nop").contains("no reads"));
        assert!(refusal("passthrough:vectored").contains("no reads"));
        assert!(refusal("sqpoll-cpu=1:sqpoll=off").contains("need sqpoll=on"));
        assert!(refusal("sqpoll=off:sqpoll-idle-ms=1").contains("need sqpoll=on"));
        assert!(refusal("iopoll=off:hybrid-iopoll").contains("needs iopoll=on"));
        assert!(refusal("nop:iopoll").contains("poll for"));
        assert!(refusal("hybrid-iopoll:nop").contains("poll for"));
        assert!(refusal("passthrough:nop").contains("no commands"));
        assert!(refusal("passthrough:hybrid-iopoll").contains("cannot be combined"));
    }

    #[test]
    fn what_is_off_by_default_has_a_receipt_only_when_it_is_asked_for() {
        let extras = |options: &str| Uring::parse(options).unwrap().extras();
        assert_eq!(extras(""), []);
        let on = |option| Receipt::granted(option, "on");
        let want = [
            on("nop"),
            on("sqpoll"),
            Receipt::granted("sqpoll-cpu", "0"),
            Receipt::granted("sqpoll-idle-ms", "5"),
        ];
        assert_eq!(extras("nop:sqpoll-cpu=0:sqpoll-idle-ms=5"), want);
        assert_eq!(extras("iopoll:passthrough"), [on("iopoll"), on("passthrough")]);
    }

    #[test]
    fn the_kernels_thread_comes_with_its_description_and_takes_deferring_with_it() {
        let thread = |cpu, idle_ms| {
            let sqpoll = Some(Sqpoll { cpu, idle_ms });
            Uring { sqpoll, defer_taskrun: false, coop_taskrun: false, ..Uring::default() }
        };
        for (options, want) in [
            ("sqpoll", thread(None, None)),
            ("sqpoll:defer-taskrun=off:coop-taskrun=off", thread(None, None)),
            ("sqpoll-cpu=0", thread(Some(0), None)),
            ("sqpoll=on:sqpoll-idle-ms=20:sqpoll-cpu=1", thread(Some(1), Some(20))),
            ("sqpoll=off", Uring::default()),
        ] {
            assert_eq!(Uring::parse(options).unwrap(), want, "{options}");
        }
    }
}
