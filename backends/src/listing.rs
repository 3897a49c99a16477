//! What there is to choose from, held against the kernel that runs.
//!
//! Nothing here knows a backend or an option by name: names come from [`crate::NAMES`], options
//! from the backends' own tables, and what is granted from their probes.

use aio_core::engine::{Accepts, Needs, OptionSpec};
use aio_core::receipt::Receipt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{RunPlan, SpecError, aliases, parse};

/// The values of [`Accepts::Switch`].
const ON: &str = "on";
const OFF: &str = "off";

/// A backend as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// The spec that was asked about: a name, with options where some were given.
    pub engine: String,
    /// Other names that mean the same backend.
    pub aliases: Vec<&'static str>,
    /// Whether its engines move data, or only measure the harness.
    pub moves_data: bool,
    /// Whether it can run here now.
    pub can_run: bool,
    /// Why not, in one sentence without a full stop; absent when it can.
    pub reason: Option<String>,
    /// What would make it run, when something would.
    pub cure: Option<String>,
    /// Its options, in the order of its own table.
    pub options: Vec<ListedOption>,
    /// What was asked of the kernel for the backend as a whole, beside its options.
    pub receipts: Vec<Receipt>,
}

/// An option of a backend, and what became of it here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedOption {
    /// What the backend says of it.
    #[serde(flatten)]
    pub spec: OptionSpec,
    /// What the kernel says; absent when it was not asked.
    pub here: Option<Here>,
}

/// What the kernel made of an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Here {
    /// What was asked.
    pub asked: String,
    /// What is in force then; absent when the backend could not run with it.
    pub granted: Option<String>,
    /// Why the two differ; absent when they do not.
    pub why_not: Option<String>,
}

/// Lists the backend of `spec`, and asks the kernel what it can do of `needs`: once with the
/// options as they are, and once for each switch that is off by default, switched on alone.
///
/// # Errors
/// When the name or an option is unknown.
pub fn list(spec: &str, needs: &Needs) -> Result<Listed, SpecError> {
    let backend = parse(spec)?;
    let mut listed = Listed {
        engine: spec.into(),
        aliases: aliases(backend.name()).collect(),
        moves_data: backend.moves_data(),
        can_run: false,
        reason: None,
        cure: None,
        options: Vec::new(),
        receipts: Vec::new(),
    };
    match backend.probe(needs) {
        Ok(capabilities) => {
            listed.can_run = true;
            listed.receipts = capabilities.receipts;
        }
        Err(unsupported) => {
            listed.reason = Some(unsupported.reason);
            listed.cure = unsupported.cure;
        }
    }
    for option in backend.options() {
        let here = match take(&mut listed.receipts, option.key) {
            Some(here) if here.asked != OFF => Some(here),
            found if listed.can_run => ask(spec, option, needs).or(found),
            found => found,
        };
        listed.options.push(ListedOption { spec: *option, here });
    }
    Ok(listed)
}

/// Takes the receipt of the option `key` out of `receipts`.
fn take(receipts: &mut Vec<Receipt>, key: &str) -> Option<Here> {
    let place = receipts.iter().position(|receipt| receipt.option == key)?;
    let Receipt { asked, granted, why_not, .. } = receipts.remove(place);
    Some(Here { asked, granted: Some(granted), why_not })
}

/// Asks the kernel about a switch that `spec` leaves off: its receipt only says that it is. Which
/// number would be a fair one to ask for is not known here, so an option that takes one is not
/// asked about; nor is a switch that makes no sense beside the others.
fn ask(spec: &str, option: &OptionSpec, needs: &Needs) -> Option<Here> {
    if option.accepts != Accepts::Switch {
        return None;
    }
    let switched = parse(&format!("{spec}:{}={ON}", option.key)).ok()?;
    let asked = ON.to_owned();
    match switched.probe(needs) {
        Ok(capabilities) => take(&mut { capabilities.receipts }, option.key).or(Some(Here {
            granted: Some(asked.clone()),
            asked,
            why_not: None,
        })),
        Err(unsupported) => {
            Some(Here { asked, granted: None, why_not: Some(unsupported.sentence()) })
        }
    }
}

#[cfg(test)]
mod tests {

    use aio_core::engine::{Operation, Operations};

    use super::*;
    use crate::NAMES;

    fn needs(queue_depth: u32) -> Needs {
        let operations = Operations::of(&[Operation::Read, Operation::Write]);
        Needs::new(operations, queue_depth)
    }

    #[test]
    fn every_option_of_every_backend_is_listed_once_and_agrees_with_the_probe() {
        for name in NAMES {
            let listed = list(name, &needs(4)).unwrap();
            let backend = parse(name).unwrap();
            let keys: Vec<_> = listed.options.iter().map(|one| one.spec.key).collect();
            let table: Vec<_> = backend.options().iter().map(|one| one.key).collect();
            assert_eq!(keys, table, "{name}");
            match backend.probe(&needs(4)) {
                Ok(capabilities) => {
                    assert!(listed.can_run && listed.reason.is_none(), "{listed:?}");
                    for receipt in capabilities.receipts {
                        let of_option = |one: &&ListedOption| one.spec.key == receipt.option;
                        let Some(option) = listed.options.iter().find(of_option) else {
                            assert!(listed.receipts.contains(&receipt), "{receipt:?}");
                            continue;
                        };
                        let here = option.here.as_ref().expect("there is a receipt");
                        if receipt.asked == ON {
                            assert_eq!(here.granted.as_ref(), Some(&receipt.granted));
                            assert_eq!(here.why_not, receipt.why_not);
                        }
                    }
                }
                Err(unsupported) => {
                    assert!(!listed.can_run, "{listed:?}");
                    assert_eq!(listed.reason, Some(unsupported.reason));
                }
            }
        }
    }

    #[test]
    fn a_backend_that_cannot_run_says_why_and_asks_no_further() {
        let listed = list("sync", &needs(100_000)).unwrap();
        assert!(!listed.can_run && listed.cure.is_some(), "{listed:?}");
        assert!(listed.reason.is_some_and(|reason| reason.contains("1024")));
        assert!(listed.options.iter().all(|one| one.here.is_none()));
    }

    #[test]
    fn a_switch_that_is_not_on_by_default_is_asked_about_by_itself() {
        let listed = list("sync", &needs(4)).unwrap();
        let inline = &listed.options[0];
        assert_eq!((inline.spec.key, inline.spec.default), ("inline", "on at depth 1"));
        let here = inline.here.as_ref().expect("it was asked about");
        assert_eq!((here.asked.as_str(), &here.granted), ("on", &None), "depth 4 is too much");
        let why_not = here.why_not.as_deref().expect("a reason");
        assert!(why_not.contains("one call at a time"), "{why_not}");
        let depth_1 = list("sync", &needs(1)).unwrap().options.remove(0).here.unwrap();
        assert_eq!((depth_1.granted.as_deref(), depth_1.why_not), (Some("on"), None));
    }

    #[test]
    fn a_switch_that_was_switched_off_by_name_is_left_off() {
        let inline = list("sync:inline=off", &needs(1)).unwrap().options.remove(0);
        let here = inline.here.expect("there is a receipt");
        assert_eq!((here.asked.as_str(), here.granted.as_deref()), ("off", Some("off")));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(matches!(list("urinng", &needs(4)), Err(SpecError::Name { .. })));
        assert!(matches!(list("uring:x", &needs(4)), Err(SpecError::Options { .. })));
    }
}
