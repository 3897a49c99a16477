//! The options of the backend: `libaio:user-ring=off:pgetevents=off`.

use thiserror::Error;

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
}

impl Default for Libaio {
    fn default() -> Self {
        Self { user_ring: true, pgetevents: true }
    }
}

/// An option that the backend does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionError {
    /// The word before `=` is unknown.
    #[error("libaio has no option '{key}'; it has user-ring[=on|off] and pgetevents[=on|off]")]
    UnknownOption {
        /// The word that was given.
        key: String,
    },
    /// The word after `=` is unknown.
    #[error("libaio's option {key} cannot be '{value}'; it is on or off")]
    UnknownValue {
        /// The option.
        key: String,
        /// The word that was given.
        value: String,
    },
}

impl Libaio {
    /// The backend with `options`, as they stand behind `libaio:`, separated by colons. What is not
    /// named has its default, which is on for both; an option without a value means on, and of an
    /// option named twice the last counts.
    ///
    /// # Errors
    /// A sentence that names the first word that is unknown and says what there is.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        let mut parsed = Self::default();
        if options.is_empty() {
            return Ok(parsed);
        }
        for option in options.split(':') {
            let (key, value) = option.split_once('=').unwrap_or((option, "on"));
            let place = match key {
                "user-ring" => &mut parsed.user_ring,
                "pgetevents" => &mut parsed.pgetevents,
                _ => return Err(OptionError::UnknownOption { key: key.into() }),
            };
            *place = match value {
                "on" => true,
                "off" => false,
                _ => {
                    return Err(OptionError::UnknownValue { key: key.into(), value: value.into() });
                }
            };
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_options_are_the_defaults_and_both_are_on() {
        assert_eq!(Libaio::parse("").unwrap(), Libaio::default());
        assert_eq!(Libaio::default(), Libaio { user_ring: true, pgetevents: true });
    }

    #[test]
    fn each_option_is_switched_on_and_off_by_its_own_word() {
        let parsed = |options| {
            let Libaio { user_ring, pgetevents } = Libaio::parse(options).unwrap();
            (user_ring, pgetevents)
        };
        assert_eq!(parsed("user-ring"), (true, true));
        assert_eq!(parsed("user-ring=off"), (false, true));
        assert_eq!(parsed("pgetevents=off"), (true, false));
        assert_eq!(parsed("pgetevents=off:user-ring=off"), (false, false));
        assert_eq!(parsed("user-ring=off:user-ring=on"), (true, true));
    }

    #[test]
    fn an_unknown_word_is_named_together_with_what_there_is() {
        let sentence = |options| Libaio::parse(options).unwrap_err().to_string();
        assert_eq!(
            sentence("user-ring:sqpoll"),
            "libaio has no option 'sqpoll'; it has user-ring[=on|off] and pgetevents[=on|off]"
        );
        assert_eq!(
            sentence("pgetevents=maybe"),
            "libaio's option pgetevents cannot be 'maybe'; it is on or off"
        );
        assert!(sentence("user-ring:").contains("no option ''"));
        assert!(sentence("user-ring=").contains("cannot be ''"));
    }
}
