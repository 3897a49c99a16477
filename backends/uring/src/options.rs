//! What can be switched about the engine, and its reading from the command line's words.

use thiserror::Error;

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
        }
    }
}

/// The text behind `uring:` is not a list of options.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// No option has this name.
    #[error("uring has no option '{key}'; accepted are {}", accepted_keys())]
    UnknownKey {
        /// The name that was given.
        key: String,
    },
    /// An option is neither on nor off.
    #[error("'{value}' is no value of uring's option '{key}'; accepted are on and off")]
    UnknownValue {
        /// The option.
        key: String,
        /// The value that was given.
        value: String,
    },
    /// `defer-taskrun` was asked for and what it needs was refused.
    #[error("uring cannot have defer-taskrun=on with single-issuer=off, which it needs on")]
    DeferWithoutSingleIssuer,
}

type Switch = fn(&mut Uring) -> &mut bool;

const DEFER_TASKRUN: &str = "defer-taskrun";

const SWITCHES: [(&str, Switch); 7] = [
    ("fixed-files", |uring| &mut uring.fixed_files),
    ("fixed-buffers", |uring| &mut uring.fixed_buffers),
    ("single-issuer", |uring| &mut uring.single_issuer),
    (DEFER_TASKRUN, |uring| &mut uring.defer_taskrun),
    ("coop-taskrun", |uring| &mut uring.coop_taskrun),
    ("no-sqarray", |uring| &mut uring.no_sqarray),
    ("registered-ring", |uring| &mut uring.registered_ring),
];

fn accepted_keys() -> String {
    SWITCHES.map(|(key, _)| key).join(", ")
}

impl Uring {
    /// Reads the options behind `uring:`, as in `fixed-buffers=off:registered-ring=off`. Each is a
    /// name, alone for on or with `=on` or `=off`; of an option given twice the last counts. The
    /// empty text means the defaults, and `single-issuer=off` takes `defer-taskrun` with it.
    ///
    /// # Errors
    /// One sentence that names what is not accepted, and says what is.
    pub fn parse(options: &str) -> Result<Self, OptionsError> {
        let mut uring = Self::default();
        let mut defer_was_asked = false;
        for option in options.split(':').filter(|_| !options.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, "on"));
            let unknown = || OptionsError::UnknownKey { key: key.into() };
            let (_, switch) = SWITCHES.iter().find(|(name, _)| *name == key).ok_or_else(unknown)?;
            let on = match value {
                "on" => true,
                "off" => false,
                _ => {
                    return Err(OptionsError::UnknownValue {
                        key: key.into(),
                        value: value.into(),
                    });
                }
            };
            *switch(&mut uring) = on;
            if key == DEFER_TASKRUN {
                defer_was_asked = on;
            }
        }
        if !uring.single_issuer && defer_was_asked {
            return Err(OptionsError::DeferWithoutSingleIssuer);
        }
        uring.defer_taskrun &= uring.single_issuer;
        Ok(uring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_means_everything_on() {
        let uring = Uring::parse("").unwrap();
        assert_eq!(uring, Uring::default());
        let mut uring = uring;
        assert!(SWITCHES.iter().all(|(_, switch)| *switch(&mut uring)));
    }

    #[test]
    fn each_option_can_be_switched_off_and_on_by_itself() {
        for (key, switch) in SWITCHES {
            let mut off = Uring::parse(&format!("{key}=off")).unwrap();
            assert!(!*switch(&mut off), "{key}");
            let others = SWITCHES.iter().filter(|(other, _)| *other != key);
            let also_off = others.filter(|(_, other)| !*other(&mut off)).map(|(other, _)| *other);
            let want: &[&str] = if key == "single-issuer" { &[DEFER_TASKRUN] } else { &[] };
            assert_eq!(also_off.collect::<Vec<_>>(), want, "{key}");
            for on in [key.to_owned(), format!("{key}=on"), format!("{key}=off:{key}")] {
                assert_eq!(Uring::parse(&on), Ok(Uring::default()), "{on}");
            }
        }
    }

    #[test]
    fn several_options_are_separated_by_colons() {
        let uring = Uring::parse("fixed-files=off:no-sqarray=on:fixed-buffers=off").unwrap();
        assert_eq!(uring, Uring { fixed_files: false, fixed_buffers: false, ..Uring::default() });
    }

    #[test]
    fn what_is_unknown_is_named_beside_what_is_known() {
        let sentence = |options| Uring::parse(options).unwrap_err().to_string();
        assert_eq!(
            sentence("fixed-file"),
            "uring has no option 'fixed-file'; accepted are fixed-files, fixed-buffers, \
             single-issuer, defer-taskrun, coop-taskrun, no-sqarray, registered-ring"
        );
        assert_eq!(
            sentence("fixed-files=yes"),
            "'yes' is no value of uring's option 'fixed-files'; accepted are on and off"
        );
        assert!(sentence("fixed-files:").starts_with("uring has no option ''"));
        assert!(sentence("=on").starts_with("uring has no option ''"));
    }

    #[test]
    fn a_contradiction_is_refused_in_either_order_and_an_implication_is_not() {
        for options in ["single-issuer=off:defer-taskrun", "defer-taskrun=on:single-issuer=off"] {
            assert_eq!(Uring::parse(options), Err(OptionsError::DeferWithoutSingleIssuer));
        }
        let uring = Uring::parse("single-issuer=off:defer-taskrun=off").unwrap();
        assert!(!uring.single_issuer && !uring.defer_taskrun);
    }
}
