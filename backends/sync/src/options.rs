//! The options behind `sync:`.

use thiserror::Error;

/// Whether requests run on the lane's own thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Inline {
    /// At depth 1 only.
    #[default]
    AtDepthOne,
    /// Always, so that depth 1 is the only one.
    On,
    /// Never: a pool of one thread at depth 1.
    Off,
}

impl Inline {
    /// Whether an engine of `queue_depth` runs inline, as far as it can be opened.
    pub(crate) fn at(self, queue_depth: u32) -> bool {
        match self {
            Self::AtDepthOne => queue_depth == 1,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// The options are not ones of the sync engine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// No such option, or no such value of it.
    #[error("the sync engine has no option \"{option}\"; it has inline=on and inline=off")]
    Unknown {
        /// What was given.
        option: String,
    },
    /// An option was given more than once.
    #[error("the option {key} of the sync engine was given twice")]
    Twice {
        /// The option.
        key: &'static str,
    },
}

/// Parses `key=value` pairs with colons between them; nothing means the defaults.
pub(crate) fn parse(options: &str) -> Result<Inline, OptionsError> {
    let mut inline = None;
    for option in options.split(':').filter(|option| !option.is_empty()) {
        let value = match option {
            "inline=on" => Inline::On,
            "inline=off" => Inline::Off,
            _ => return Err(OptionsError::Unknown { option: option.into() }),
        };
        if inline.replace(value).is_some() {
            return Err(OptionsError::Twice { key: "inline" });
        }
    }
    Ok(inline.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_inline_on_or_off_or_none() {
        assert_eq!(parse(""), Ok(Inline::AtDepthOne));
        assert_eq!(parse("inline=on"), Ok(Inline::On));
        assert_eq!(parse("inline=off"), Ok(Inline::Off));
    }

    #[test]
    fn what_is_not_an_option_is_named_with_what_is() {
        for wrong in ["pool=4", "inline", "inline=", "inline=yes", "Inline=on", " inline=on"] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error, OptionsError::Unknown { option: wrong.into() });
        }
        assert_eq!(
            parse("inline=on:pool=4").unwrap_err().to_string(),
            "the sync engine has no option \"pool=4\"; it has inline=on and inline=off"
        );
        let twice = parse("inline=on:inline=off").unwrap_err();
        assert_eq!(twice.to_string(), "the option inline of the sync engine was given twice");
    }

    #[test]
    fn by_default_only_depth_1_is_inline() {
        assert!(Inline::AtDepthOne.at(1) && !Inline::AtDepthOne.at(2));
        assert!(Inline::On.at(1) && Inline::On.at(2));
        assert!(!Inline::Off.at(1) && !Inline::Off.at(2));
    }
}
