//! Flags as they were given, and lists of flags that come from elsewhere than the command line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args as _};

use super::catalogue::{Catalogue, Takes};
use super::flags::Args;

/// A flag that was given, by its long name, and the values behind it; a switch has none. One that
/// is given several times without values has that number for its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The long name, without dashes in front.
    pub(crate) flag: String,
    /// Each value by itself.
    pub(crate) values: Vec<OsString>,
}

impl Given {
    /// The words that give this flag. A value is never taken for a flag.
    fn words(&self, catalogue: &Catalogue) -> Vec<OsString> {
        let name = format!("--{}", self.flag);
        if catalogue.find(&self.flag).is_some_and(|flag| flag.takes == Takes::Times) {
            let times = self.values.first().and_then(|value| value.to_str()?.parse().ok());
            return vec![name.into(); times.unwrap_or(1)];
        }
        if self.values.is_empty() {
            return vec![name.into()];
        }
        let word = |value: &OsString| {
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            word
        };
        self.values.iter().map(word).collect()
    }
}

/// The flags of a run that are in `matches`, in the order of their definition.
pub(super) fn given(matches: &ArgMatches) -> Vec<Given> {
    let of_arg = |arg: &clap::Arg| {
        let id = arg.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            return None;
        }
        let values = match arg.get_action() {
            ArgAction::SetTrue => Vec::new(),
            ArgAction::Count => match matches.get_count(id) {
                1 => Vec::new(),
                times => vec![times.to_string().into()],
            },
            _ => matches.get_raw(id).into_iter().flatten().map(Into::into).collect(),
        };
        Some(Given { flag: arg.get_long()?.into(), values })
    };
    let flags = Args::augment_args(clap::Command::new("aio"));
    flags.get_arguments().filter_map(of_arg).collect()
}

/// Why a list of flags was refused, and which of them are meant.
#[derive(Debug)]
pub(crate) struct RefusedFlags {
    /// The long names of the flags whose fault it is.
    pub(crate) flags: Vec<String>,
    /// The reason, in a sentence.
    pub(crate) sentence: String,
}

/// Reads `flags` as if they had been typed.
pub(crate) fn from_flags(flags: &[Given]) -> Result<Args, RefusedFlags> {
    let name = std::iter::once("aio".into());
    let catalogue = Catalogue::of_run();
    let words = name.chain(flags.iter().flat_map(|flag| flag.words(&catalogue))).collect();
    super::line(words)
        .map(|line| line.args)
        .map_err(|error| RefusedFlags { flags: flags_of(&error), sentence: super::refusal(&error) })
}

/// The long names of the flags that `error` is about: `--size <SIZE>` is `size`.
fn flags_of(error: &clap::Error) -> Vec<String> {
    let kinds = [ContextKind::InvalidArg, ContextKind::PriorArg];
    let shown = kinds.iter().filter_map(|kind| match error.get(*kind)? {
        ContextValue::String(shown) => Some(std::slice::from_ref(shown)),
        ContextValue::Strings(shown) => Some(shown.as_slice()),
        _ => None,
    });
    let name = |shown: &String| {
        let name = shown.strip_prefix("--")?.split([' ', '=', '[']).next()?;
        Some(name.to_owned())
    };
    shown.flatten().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_by(line: &str) -> Vec<Given> {
        let words = std::iter::once("aio").chain(line.split(' ')).map(OsString::from);
        super::super::line(words.collect()).expect("it is a command line").args.given
    }

    #[test]
    fn what_was_given_is_known_by_long_names_with_each_value_apart() {
        let given = given_by("--bs 4k --engine uring,sync --engine null --buffered -v");
        let shown = given.iter().map(|one| format!("{} {:?}", one.flag, one.values));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "engine [\"uring\", \"sync\", \"null\"]",
                "block-size [\"4k\"]",
                "buffered []",
                "verbose []"
            ]
        );
        assert_eq!(given_by("--loops=3").len(), 1, "defaults were not given");
    }

    #[test]
    fn what_was_given_reads_back_to_the_same() {
        for line in [
            "--folder a b --io-size 1M,2M --cpus 0,4-6",
            "--read-file -x --seed 7",
            "--read-file f -v",
            "--read-file f -v --verbose",
        ] {
            let given = given_by(&line.replace(" -x", "=-x"));
            assert_eq!(from_flags(&given).expect("it was accepted once").given, given);
        }
    }

    #[test]
    fn a_refusal_names_the_flag() {
        let flag =
            |flag: &str, value: &str| Given { flag: flag.into(), values: vec![value.into()] };
        let refused = from_flags(&[flag("folder", "engines"), flag("block-size", "0")]);
        let refused = refused.unwrap_err();
        assert_eq!(refused.flags, ["block-size"]);
        assert!(refused.sentence.contains("give at least 1 byte"), "{}", refused.sentence);
    }
}
