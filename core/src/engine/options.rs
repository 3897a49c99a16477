//! The options of backends: `name:key=value:key`, one reading of them for all.
//!
//! A backend has a table of [`OptionSpec`]s, which is also what its listing shows; what a user
//! asked for comes as [`Asked`], in which an option that was not named is absent.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

/// One option of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptionSpec {
    /// The word before `=`: `fixed-files`.
    pub key: &'static str,
    /// What may stand behind `=`.
    pub accepts: Accepts,
    /// What is used when the option is not named.
    pub default: &'static str,
    /// What it does, in one line without a full stop.
    pub help: &'static str,
    /// The Linux version that brought it; absent where any will do.
    pub since: Option<&'static str>,
}

/// The values of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Accepts {
    /// `on`, `off`, or nothing, which is on.
    Switch,
    /// A whole number from the first to the last.
    Number {
        /// The least.
        least: u32,
        /// The greatest.
        most: u32,
    },
}

impl Accepts {
    /// Whole numbers in `range`.
    #[must_use]
    pub const fn number(range: RangeInclusive<u32>) -> Self {
        Self::Number { least: *range.start(), most: *range.end() }
    }

    /// The values in words: `on or off`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Switch => "on or off".into(),
            Self::Number { least, most } => format!("a whole number from {least} to {most}"),
        }
    }
}

/// What stands behind a backend's name is not a list of its options.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionError {
    /// No option has this name.
    #[error("there is no option '{key}'; {accepted}")]
    Unknown {
        /// The name that was given.
        key: String,
        /// What there is.
        accepted: String,
    },
    /// The option cannot have this value.
    #[error("{key} cannot be '{value}'; it is {accepted}")]
    Value {
        /// The option.
        key: &'static str,
        /// The value that was given.
        value: String,
        /// What it may be.
        accepted: String,
    },
    /// An option was named more than once.
    #[error("{key} was given twice")]
    Twice {
        /// The option.
        key: &'static str,
    },
    /// Options exclude each other.
    #[error("{0}")]
    Conflict(String),
}

/// The options that were named, with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(Vec<(&'static str, u32)>);

impl Asked {
    /// Reads `text`, options between colons, against the table `specs`. The empty text names none.
    ///
    /// # Errors
    /// The first option that is unknown, has a wrong value or was named before.
    pub fn parse(text: &str, specs: &[OptionSpec]) -> Result<Self, OptionError> {
        let mut asked = Self::default();
        for option in text.split(':').filter(|_| !text.is_empty()) {
            let (key, value) = match option.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (option, None),
            };
            let spec = specs.iter().find(|spec| spec.key == key);
            let spec = spec.ok_or_else(|| unknown(key, specs))?;
            let number = spec.read(value)?;
            if asked.0.iter().any(|(key, _)| *key == spec.key) {
                return Err(OptionError::Twice { key: spec.key });
            }
            asked.0.push((spec.key, number));
        }
        Ok(asked)
    }

    /// The value of the number `key`, if it was named.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u32> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// The value of the switch `key`, if it was named.
    #[must_use]
    pub fn switch(&self, key: &str) -> Option<bool> {
        self.number(key).map(|value| value != 0)
    }
}

impl OptionSpec {
    fn read(&self, value: Option<&str>) -> Result<u32, OptionError> {
        let read = match (self.accepts, value) {
            (Accepts::Switch, None | Some("on")) => Some(1),
            (Accepts::Switch, Some("off")) => Some(0),
            (Accepts::Number { least, most }, Some(value)) => {
                // No sign, no spaces: what a shell would pass on as it stands.
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse().ok().filter(|_| digits);
                number.filter(|number| (least..=most).contains(number))
            }
            _ => None,
        };
        read.ok_or_else(|| OptionError::Value {
            key: self.key,
            value: value.unwrap_or_default().into(),
            accepted: self.accepts.words(),
        })
    }
}

fn unknown(key: &str, specs: &[OptionSpec]) -> OptionError {
    let keys: Vec<_> = specs.iter().map(|spec| spec.key).collect();
    let accepted = if keys.is_empty() {
        "it has none".into()
    } else {
        format!("there are {}", keys.join(", "))
    };
    OptionError::Unknown { key: key.into(), accepted }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [OptionSpec; 2] = [
        OptionSpec {
            key: "user-ring",
            accepts: Accepts::Switch,
            default: "on",
            help: "read completions without a system call",
            since: None,
        },
        OptionSpec {
            key: "cpu",
            accepts: Accepts::number(0..=1023),
            default: "any",
            help: "where to run",
            since: Some("5.1"),
        },
    ];

    fn refusal(text: &str) -> String {
        Asked::parse(text, &SPECS).unwrap_err().to_string()
    }

    #[test]
    fn what_was_not_named_is_absent() {
        let none = Asked::parse("", &SPECS).unwrap();
        assert_eq!((none.switch("user-ring"), none.number("cpu")), (None, None));
        let both = Asked::parse("cpu=7:user-ring=off", &SPECS).unwrap();
        assert_eq!((both.switch("user-ring"), both.number("cpu")), (Some(false), Some(7)));
        assert_eq!(Asked::parse("user-ring", &SPECS).unwrap().switch("user-ring"), Some(true));
    }

    #[test]
    fn what_is_not_accepted_is_named_with_what_is() {
        assert_eq!(refusal("sqpoll"), "there is no option 'sqpoll'; there are user-ring, cpu");
        assert_eq!(refusal("user-ring=yes"), "user-ring cannot be 'yes'; it is on or off");
        assert_eq!(refusal("cpu=1:cpu=2"), "cpu was given twice");
        for value in ["", "-1", "+1", "1024", "4294967296", "0x1", " 1", "1.0"] {
            let text = refusal(&format!("cpu={value}"));
            assert_eq!(
                text,
                format!("cpu cannot be '{value}'; it is a whole number from 0 to 1023")
            );
        }
        assert_eq!(refusal("cpu"), "cpu cannot be ''; it is a whole number from 0 to 1023");
        assert_eq!(refusal(":"), "there is no option ''; there are user-ring, cpu");
        assert_eq!(
            Asked::parse("x", &[]).unwrap_err().to_string(),
            "there is no option 'x'; it has none"
        );
    }
}
