//! `FLAG=VALUE`: flags of a run that some contestants have and others do not.

use aio_core::report::Setting;
use anyhow::{Result, anyhow, bail};

use crate::args::{Args, Catalogue, Given, RefusedFlags, Takes, from_flags, nearest};
use crate::ending::Failure;

/// Flags that say something of the whole command, and so of no single contestant.
const OF_THE_COMMAND: [&str; 10] = [
    "format",
    "output",
    "dry-run",
    "dump-plan",
    "yes",
    "verbose",
    "log-tids",
    "quiet",
    "strict",
    "assert",
];

/// The long name of the flag that `word` means.
pub(super) fn flag(word: &str, catalogue: &Catalogue) -> Result<String> {
    let word = word.trim_start_matches("--");
    let Some(flag) = catalogue.find(word) else {
        let hint = nearest(&word.replace('_', "-"), catalogue.names());
        let hint = hint.map(|name| format!("; did you mean --{name}?")).unwrap_or_default();
        bail!("there is no flag --{word}{hint}");
    };
    if OF_THE_COMMAND.contains(&flag.name.as_str()) {
        bail!("--{} is of the whole command and cannot vary", flag.name);
    }
    Ok(flag.name.clone())
}

/// Reads `engine=uring batch-submit=1 buffered`.
pub(super) fn settings(text: &str, catalogue: &Catalogue) -> Result<Vec<Setting>> {
    let mut settings: Vec<Setting> = Vec::new();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let flag = flag(name, catalogue)?;
        let takes = catalogue.find(&flag).map(|flag| flag.takes);
        match (takes, word.contains('=')) {
            (Some(Takes::Nothing), true) => bail!("--{flag} takes no value"),
            (Some(Takes::One | Takes::Many), false) => bail!("--{flag} needs a value: {flag}=…"),
            _ => {}
        }
        if settings.iter().any(|other| other.flag == flag) {
            bail!("--{flag} is there twice");
        }
        settings.push(Setting { flag, value: value.into() });
    }
    if settings.is_empty() {
        bail!("there is no flag in it");
    }
    Ok(settings)
}

/// What was `given` with `settings` in the place of the same flags, and of those that they cannot
/// be used with.
pub(super) fn varied(
    given: &[Given],
    settings: &[Setting],
    catalogue: &Catalogue,
) -> Result<Args, Failure> {
    let stays = |one: &&Given| {
        !settings
            .iter()
            .any(|over| over.flag == one.flag || catalogue.exclude(&over.flag, &one.flag))
    };
    let of_setting = |setting: &Setting| {
        let is_switch = catalogue.find(&setting.flag).map(|it| it.takes) == Some(Takes::Nothing);
        let values = if is_switch { Vec::new() } else { vec![setting.value.clone().into()] };
        Given { flag: setting.flag.clone(), values }
    };
    let stay: Vec<Given> = given.iter().filter(stays).cloned().collect();
    let flags: Vec<Given> = stay.into_iter().chain(settings.iter().map(of_setting)).collect();
    from_flags(&flags).map_err(|RefusedFlags { sentence, .. }| Failure::refused(anyhow!(sentence)))
}

/// Settings as they were typed.
pub(super) fn text(settings: &[Setting]) -> String {
    let one = |setting: &Setting| match setting.value.as_str() {
        "" => setting.flag.clone(),
        value => format!("{}={value}", setting.flag),
    };
    settings.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        settings(text, &Catalogue::of_run()).expect_err("it is refused").to_string()
    }

    #[test]
    fn settings_are_flags_by_any_name_with_their_values() {
        let catalogue = Catalogue::of_run();
        let settings = settings("engine=uring:sqpoll bs=4k buffered", &catalogue).unwrap();
        assert_eq!(text(&settings), "engine=uring:sqpoll block-size=4k buffered");
        let args = varied(&[], &settings, &catalogue).unwrap();
        assert_eq!((args.engines[0].as_str(), args.tuning.buffered), ("uring:sqpoll", true));
    }

    #[test]
    fn a_setting_takes_the_place_of_what_was_given() {
        let catalogue = Catalogue::of_run();
        let given =
            |flag: &str, value: &str| Given { flag: flag.into(), values: vec![value.into()] };
        let base = [given("queue-depth", "8"), given("batch-submit", "4"), given("seed", "3")];
        let settings = settings("queue-depth=2 single-submit", &catalogue).unwrap();
        let args = varied(&base, &settings, &catalogue).unwrap();
        assert_eq!((args.tuning.queue_depth, args.workload.seed), (2, 3));
        assert!(args.tuning.single_submit && args.tuning.batch_submit.is_none());
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        insta::assert_snapshot!(
            ["", "queue-depth", "buffered=yes", "bs=4k block-size=8k", "quiet", "sped=1"].map(refusal).join("\n"),
            @r"
        there is no flag in it
        --queue-depth needs a value: queue-depth=…
        --buffered takes no value
        --block-size is there twice
        --quiet is of the whole command and cannot vary
        there is no flag --sped; did you mean --seed?
        "
        );
    }
}
