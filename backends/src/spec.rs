//! Engine specs: `name:key=value:key`.

use aio_core::engine::OptionError;
use thiserror::Error;

use crate::AnyBackend;

/// The names of all backends, as messages and the help list them.
pub const NAMES: [&str; 4] = ["uring", "libaio", "sync", "null"];

/// Other names that are understood, each with the name that it stands for: those of other tools,
/// and those of the predecessor's handles.
const ALIASES: [(&str, &str); 4] =
    [("io_uring", "uring"), ("aio_handle", "libaio"), ("aio_basic", "libaio"), ("psync", "sync")];

/// The other names of the backend `name`.
pub fn aliases(name: &str) -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(move |(_, stands_for)| *stands_for == name).map(|(alias, _)| *alias)
}

/// A spec that names no backend, or an option that the backend does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// No backend has this name.
    #[error("there is no engine {given:?}; the engines are {}, or auto or all", NAMES.join(", "))]
    Name {
        /// What was given instead.
        given: String,
    },
    /// The backend refuses its options.
    #[error("--engine {spec}")]
    Options {
        /// The whole spec.
        spec: String,
        /// What is wrong with them.
        source: OptionError,
    },
}

/// Reads one spec. Names of other tools are understood: `io_uring`, `psync`, and `aio_handle` and
/// `aio_basic`, which mean Linux AIO.
///
/// # Errors
/// When the name or an option is unknown.
pub fn parse(spec: &str) -> Result<AnyBackend, SpecError> {
    let (given, options) = spec.split_once(':').unwrap_or((spec, ""));
    let alias = ALIASES.iter().find(|(alias, _)| *alias == given);
    let parsed = match alias.map_or(given, |(_, stands_for)| stands_for) {
        "uring" => aio_uring::Uring::parse(options).map(AnyBackend::from),
        "libaio" => aio_libaio::Libaio::parse(options).map(AnyBackend::from),
        "sync" => aio_sync::SyncIo::parse(options).map(AnyBackend::from),
        "null" => aio_null::Null::parse(options).map(AnyBackend::from),
        _ => return Err(SpecError::Name { given: given.into() }),
    };
    parsed.map_err(|source| SpecError::Options { spec: spec.into(), source })
}

/// The backends that move data, best first, with their default options.
#[must_use]
pub fn all() -> Vec<AnyBackend> {
    vec![
        aio_uring::Uring::default().into(),
        aio_libaio::Libaio::default().into(),
        aio_sync::SyncIo::default().into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use aio_core::testing::{fuzz_text, one_sentence};

    use super::*;
    use crate::RunPlan;

    #[test]
    fn fuzzed_specs_are_engines_or_refused_in_a_sentence() {
        let corpus = [
            "uring:sqpoll=on:sqpoll-idle=10:fixed-files",
            "libaio:user-ring=off:nowait",
            "sync:threads=4",
            "psync",
            "aio_handle:dsync",
        ];
        let backends = all();
        let keys = backends.iter().flat_map(RunPlan::options).map(|option| option.key);
        let mut words: Vec<&str> = keys.collect();
        words.extend(NAMES);
        words.extend([":", "=", "=on", "=off", "=0", "=4294967295"]);
        fuzz_text("specs of engines", &corpus, &words, |spec| match parse(spec) {
            Ok(backend) => {
                let (given, _) = spec.split_once(':').unwrap_or((spec, ""));
                let name = backend.name();
                assert!(given == name || aliases(name).any(|alias| alias == given), "{spec}");
                format!("{backend:?}")
            }
            Err(refused) => {
                let why = refused.source().map(ToString::to_string).unwrap_or_default();
                one_sentence(&format!("{refused}: {why}").escape_default().to_string());
                format!("{why} {}", matches!(refused, SpecError::Name { .. }))
            }
        });
    }

    #[test]
    fn names_of_other_tools_select_the_same_interface() {
        for (spec, name) in [
            ("uring", "uring"),
            ("io_uring", "uring"),
            ("libaio", "libaio"),
            ("aio_handle", "libaio"),
            ("aio_basic", "libaio"),
            ("sync", "sync"),
            ("psync", "sync"),
            ("null", "null"),
        ] {
            assert_eq!(parse(spec).unwrap().name(), name);
        }
    }

    #[test]
    fn every_name_that_is_listed_is_understood() {
        for name in NAMES {
            assert_eq!(parse(name).unwrap().name(), name);
            for alias in aliases(name) {
                assert_eq!(parse(alias).unwrap().name(), name);
            }
        }
        let listed: usize = NAMES.map(|name| aliases(name).count()).iter().sum();
        assert_eq!(listed, ALIASES.len(), "each alias stands for a backend that there is");
    }

    #[test]
    fn an_unknown_name_or_option_is_named_with_what_there_is() {
        let text = parse("urinng").unwrap_err().to_string();
        assert!(text.contains("\"urinng\"") && text.contains("uring, libaio"), "{text}");
        for spec in ["null:x", "uring:x", "libaio:x=1", "sync:x"] {
            let refused = parse(spec).unwrap_err();
            assert_eq!(refused.to_string(), format!("--engine {spec}"));
            let reason = refused.source().expect("the backend says why").to_string();
            assert!(reason.starts_with("there is no option 'x'; "), "{reason}");
        }
    }
}
