//! The options of the backend: `libaio:user-ring=off:nowait`.

use aio_core::engine::{Accepts, Asked, OptionError, OptionSpec, RwFlags};

/// Linux AIO as a selectable backend, with its options.
///
/// Each option asks for something that the kernel may not have; then the receipts of probe and
/// engine say what is used instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libaio {
    /// `user-ring`: read completions from the memory that the kernel shares.
    pub(crate) user_ring: bool,
    /// `pgetevents`: wait with `io_pgetevents`, not with `io_getevents`.
    pub(crate) pgetevents: bool,
    /// `nowait`, `hipri`, `dsync`: flags of each read and write.
    pub(crate) flags: RwFlags,
}

impl Default for Libaio {
    fn default() -> Self {
        Self { user_ring: true, pgetevents: true, flags: RwFlags::NONE }
    }
}

const fn switch(key: &'static str, help: &'static str, since: Option<&'static str>) -> OptionSpec {
    OptionSpec { key, accepts: Accepts::Switch, default: "on", help, since }
}

/// The options, as they are listed.
pub(crate) const OPTIONS: [OptionSpec; 5] = [
    switch("user-ring", "read completions from the memory that the kernel shares", None),
    switch("pgetevents", "wait with io_pgetevents, not with io_getevents", Some("4.18")),
    RwFlags::NOWAIT.spec(),
    RwFlags::HIPRI.spec(),
    RwFlags::DSYNC.spec(),
];

impl Libaio {
    /// The backend with `options`, as they stand behind `libaio:`, separated by colons. What is not
    /// named has its default, which is on for `user-ring` and `pgetevents` and off for the others; an
    /// option without a value means on.
    ///
    /// # Errors
    /// A sentence that names the first word that is unknown and says what there is.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        let asked = Asked::parse(options, &OPTIONS)?;
        let on = |key| asked.switch(key).unwrap_or(true);
        let flags = RwFlags::asked(&asked);
        Ok(Self { user_ring: on("user-ring"), pgetevents: on("pgetevents"), flags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_by_default_is_on_unless_switched_off_by_name() {
        let parsed = |options| {
            let Libaio { user_ring, pgetevents, .. } = Libaio::parse(options).unwrap();
            (user_ring, pgetevents)
        };
        assert_eq!(parsed(""), (true, true));
        assert_eq!(Libaio::parse("").unwrap(), Libaio::default());
        assert_eq!(parsed("user-ring"), (true, true));
        assert_eq!(parsed("user-ring=off"), (false, true));
        assert_eq!(parsed("pgetevents=off"), (true, false));
        assert_eq!(parsed("pgetevents=off:user-ring=off"), (false, false));
        assert!(Libaio::parse("sqpoll").is_err());
    }

    #[test]
    fn flags_are_off_unless_they_are_named() {
        let flags = |options| Libaio::parse(options).unwrap().flags;
        assert!(flags("user-ring=off").is_empty() && flags("dsync=off").is_empty());
        assert_eq!(flags("nowait:hipri"), RwFlags::NOWAIT | RwFlags::HIPRI);
        assert_eq!(flags("dsync"), RwFlags::DSYNC);
        assert!(Libaio::parse("dontcache").is_err());
    }
}
