//! The options behind `sync:`.

use aio_core::engine::{Accepts, Asked, OptionError, OptionSpec};

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

/// The options, as they are listed.
pub(crate) const OPTIONS: [OptionSpec; 1] = [OptionSpec {
    key: "inline",
    accepts: Accepts::Switch,
    default: "on at depth 1",
    help: "make the calls on the lane's own thread, without a pool",
    since: None,
}];

/// Reads the options behind `sync:`; nothing means the defaults.
pub(crate) fn parse(options: &str) -> Result<Inline, OptionError> {
    let asked = Asked::parse(options, &OPTIONS)?;
    Ok(match asked.switch("inline") {
        None => Inline::AtDepthOne,
        Some(true) => Inline::On,
        Some(false) => Inline::Off,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_inline_on_or_off_or_none() {
        assert_eq!(parse(""), Ok(Inline::AtDepthOne));
        assert_eq!(parse("inline"), Ok(Inline::On));
        assert_eq!(parse("inline=on"), Ok(Inline::On));
        assert_eq!(parse("inline=off"), Ok(Inline::Off));
        for wrong in ["pool=4", "inline=", "inline=yes", "Inline=on", " inline=on"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn by_default_only_depth_1_is_inline() {
        assert!(Inline::AtDepthOne.at(1) && !Inline::AtDepthOne.at(2));
        assert!(Inline::On.at(1) && Inline::On.at(2));
        assert!(!Inline::Off.at(1) && !Inline::Off.at(2));
    }
}
