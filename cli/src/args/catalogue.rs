//! The flags of a run as data, for files whose keys are their names.

use clap::{ArgAction, Args as _};

use super::flags::Args;

/// How alike a word must be to what is suggested in its place; the parser of flags has the same.
const ALIKE: f64 = 0.7;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: it is there or not.
    Nothing,
    /// Nothing, but it may be there several times.
    Times,
    /// One value.
    One,
    /// Any number of values.
    Many,
}

/// One flag.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    /// The long name, without dashes in front.
    pub(crate) name: String,
    /// What it takes.
    pub(crate) takes: Takes,
    /// What it is when it is not given, where that is one value.
    pub(crate) default: Option<String>,
    /// All names that it goes by.
    names: Vec<String>,
    /// The long names of the flags that it cannot be used with.
    excludes: Vec<String>,
}

/// All flags of a run.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue(Vec<Flag>);

impl Catalogue {
    /// Those that the parser knows, but for help and version.
    pub(crate) fn of_run() -> Self {
        let mut command = Args::augment_args(clap::Command::new("aio"));
        command.build();
        let flag = |arg: &clap::Arg| {
            let name = arg.get_long()?.to_owned();
            let takes = match arg.get_action() {
                ArgAction::SetTrue => Takes::Nothing,
                ArgAction::Count => Takes::Times,
                ArgAction::Set => Takes::One,
                ArgAction::Append => Takes::Many,
                _ => return None,
            };
            let mut names = vec![name.clone()];
            names.extend(arg.get_all_aliases().into_iter().flatten().map(String::from));
            let others = command.get_arg_conflicts_with(arg);
            let excludes = others.iter().filter_map(|other| other.get_long().map(String::from));
            let excludes = excludes.filter(|other| *other != name).collect();
            let default = match arg.get_default_values() {
                [one] if matches!(takes, Takes::One | Takes::Many) => {
                    one.to_str().map(String::from)
                }
                _ => None,
            };
            Some(Flag { name, takes, default, names, excludes })
        };
        Self(command.get_arguments().filter_map(flag).collect())
    }

    /// All of them, in the order of the help.
    pub(crate) fn flags(&self) -> &[Flag] {
        &self.0
    }

    /// The flag that goes by `name`, written with `-` or `_`.
    pub(crate) fn find(&self, name: &str) -> Option<&Flag> {
        let name = name.replace('_', "-");
        self.0.iter().find(|flag| flag.names.contains(&name))
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|flag| flag.names.iter().map(String::as_str))
    }

    /// Whether two flags, by their long names, cannot be used together.
    pub(crate) fn exclude(&self, one: &str, other: &str) -> bool {
        let says = |one: &str, other: &str| {
            self.0.iter().any(|flag| flag.name == one && flag.excludes.iter().any(|it| it == other))
        };
        says(one, other) || says(other, one)
    }
}

/// The one of `names` that `word` was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro(word, name), name))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_by_all_names_and_know_what_they_take() {
        let catalogue = Catalogue::of_run();
        let of = |name: &str| {
            catalogue
                .find(name)
                .map(|flag| (flag.name.as_str(), flag.takes, flag.default.as_deref()))
        };
        assert_eq!(of("bs"), Some(("block-size", Takes::One, Some("1M"))));
        assert_eq!(of("block_size"), of("bs"));
        assert_eq!(of("engine"), Some(("engine", Takes::Many, Some("auto"))));
        assert_eq!(of("verbose"), Some(("verbose", Takes::Times, None)));
        assert_eq!(of("buffered"), Some(("buffered", Takes::Nothing, None)));
        assert_eq!((of("help"), of("version"), of("plan"), of("")), (None, None, None, None));
    }

    #[test]
    fn flags_exclude_each_other_whichever_of_them_says_so() {
        let catalogue = Catalogue::of_run();
        assert!(catalogue.exclude("overlap-events", "sequential-requests"));
        assert!(catalogue.exclude("sequential-requests", "overlap-events"));
        assert!(!catalogue.exclude("seed", "seed") && !catalogue.exclude("seed", "loops"));
    }

    #[test]
    fn what_is_nearly_a_name_is_known_and_what_is_not_is_not() {
        let near = |word| nearest(word, ["block-size", "seed", "runtime"].into_iter());
        assert_eq!(near("block-sise"), Some("block-size"));
        assert_eq!(near("runtim"), Some("runtime"));
        assert_eq!((near("xyz"), near("")), (None, None));
    }
}
