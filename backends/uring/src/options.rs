//! What can be switched about the engine, and its reading from the command line's words.

use aio_core::engine::{Accepts, Asked, OptionError, OptionSpec};

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
    /// Register the ring's own descriptor (Linux 5.18).
    pub registered_ring: bool,
    /// Ask the kernel for nothing (`IORING_OP_NOP`), to measure the ring alone.
    pub nop: bool,
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
            registered_ring: true,
            nop: false,
        }
    }
}

const fn switch(key: &'static str, help: &'static str, since: &'static str) -> OptionSpec {
    OptionSpec { key, accepts: Accepts::Switch, default: "on", help, since: Some(since) }
}

const fn off_switch(key: &'static str, help: &'static str, since: &'static str) -> OptionSpec {
    OptionSpec { default: "off", ..switch(key, help, since) }
}

/// The options, as they are listed.
pub(crate) const OPTIONS: [OptionSpec; 8] = [
    switch("fixed-files", "register the targets and name them by index", "5.1"),
    switch("fixed-buffers", "register the memory, to pin it once and not per request", "5.1"),
    switch("single-issuer", "promise that one thread submits", "6.0"),
    switch("defer-taskrun", "finish requests only in calls that ask for completions", "6.1"),
    switch("coop-taskrun", "do not interrupt the lane to finish requests", "5.19"),
    switch("no-sqarray", "leave out the ring's array of indices", "6.6"),
    switch("registered-ring", "register the ring's own descriptor", "5.18"),
    off_switch("nop", "ask the kernel for nothing, to measure the ring alone", "5.1"),
];

impl Uring {
    /// Reads the options behind `uring:`, as in `fixed-buffers=off:registered-ring=off`. The empty
    /// text means the defaults, and `single-issuer=off` takes `defer-taskrun` with it.
    ///
    /// # Errors
    /// One sentence that names what is not accepted, and says what is.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        let asked = Asked::parse(options, &OPTIONS)?;
        let on = |key| asked.switch(key).unwrap_or(true);
        let single_issuer = on("single-issuer");
        if !single_issuer && asked.switch("defer-taskrun") == Some(true) {
            return Err(OptionError::Conflict(
                "defer-taskrun=on needs single-issuer=on; leave one of them out".into(),
            ));
        }
        Ok(Self {
            single_issuer,
            defer_taskrun: single_issuer && on("defer-taskrun"),
            coop_taskrun: on("coop-taskrun"),
            no_sqarray: on("no-sqarray"),
            fixed_files: on("fixed-files"),
            fixed_buffers: on("fixed-buffers"),
            registered_ring: on("registered-ring"),
            nop: asked.switch("nop").unwrap_or(false),
        })
    }
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
            (
                "single-issuer=off",
                Uring { single_issuer: false, defer_taskrun: false, ..on.clone() },
            ),
            ("nop", Uring { nop: true, ..on.clone() }),
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
    }
}
