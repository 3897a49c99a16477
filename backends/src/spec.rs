//! Engine specs: `name:key=value:key`.

use thiserror::Error;

use crate::AnyBackend;

/// The names of all backends, as messages and the help list them.
pub const NAMES: [&str; 4] = ["uring", "libaio", "sync", "null"];

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
    #[error("--engine {spec}: {reason}")]
    Options {
        /// The whole spec.
        spec: String,
        /// The backend's sentence.
        reason: String,
    },
}

/// Reads one spec. Names of other tools are understood: `io_uring`, `psync`, and `aio_handle` and
/// `aio_basic`, which mean Linux AIO.
///
/// # Errors
/// When the name or an option is unknown.
pub fn parse(spec: &str) -> Result<AnyBackend, SpecError> {
    let (name, options) = spec.split_once(':').unwrap_or((spec, ""));
    let refused = |reason: String| SpecError::Options { spec: spec.into(), reason };
    match name {
        "uring" | "io_uring" => {
            aio_uring::Uring::parse(options).map(Into::into).map_err(|e| refused(e.to_string()))
        }
        "libaio" | "aio_handle" | "aio_basic" => {
            aio_libaio::Libaio::parse(options).map(Into::into).map_err(|e| refused(e.to_string()))
        }
        "sync" | "psync" => {
            aio_sync::SyncIo::parse(options).map(Into::into).map_err(|e| refused(e.to_string()))
        }
        "null" if options.is_empty() => Ok(aio_null::Null.into()),
        "null" => Err(refused("null has no options".into())),
        _ => Err(SpecError::Name { given: name.into() }),
    }
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
    use super::*;
    use crate::RunPlan;

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
        }
    }

    #[test]
    fn an_unknown_name_or_option_is_named_with_what_there_is() {
        let text = parse("urinng").unwrap_err().to_string();
        assert!(text.contains("\"urinng\"") && text.contains("uring, libaio"), "{text}");
        for spec in ["null:x", "uring:x", "libaio:x=1", "sync:x"] {
            let text = parse(spec).unwrap_err().to_string();
            assert!(text.starts_with(&format!("--engine {spec}: ")), "{text}");
        }
    }
}
