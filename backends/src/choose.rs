//! From what was asked to backends that can run here.

use aio_core::engine::{Capabilities, Needs};
use aio_core::receipt::Receipt;
use aio_core::report::Unavailable;
use thiserror::Error;

use crate::{AnyBackend, RunPlan, SpecError, all, parse};

/// A backend that can run here.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The spec that the report names it by.
    pub spec: String,
    /// The backend.
    pub backend: AnyBackend,
    /// What the kernel grants.
    pub capabilities: Capabilities,
}

/// All that was chosen.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// In the order that was asked.
    pub chosen: Vec<Chosen>,
    /// What `auto` and `all` passed over, and why.
    pub unavailable: Vec<Unavailable>,
    /// What `auto` became, and names that stand for others.
    pub receipts: Vec<Receipt>,
}

/// No backend that was asked for can run here.
#[derive(Debug, Error)]
pub enum NoneUsable {
    /// A spec makes no sense.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A backend that was asked for by name cannot run.
    #[error("engine {engine} cannot run here: {reason}")]
    Unsupported {
        /// Its spec.
        engine: String,
        /// Why, with the cure.
        reason: String,
    },
    /// Nor can any of those that `auto` or `all` stand for.
    #[error("no engine can run here: {0}")]
    All(String),
}

/// Chooses backends for `specs`. A backend that was asked for by name is never replaced by another:
/// only `auto` and `all` pass over those that cannot run.
///
/// # Errors
/// When a spec is wrong, or what it asks for cannot run here.
pub fn choose(specs: &[String], needs: &Needs) -> Result<Choice, NoneUsable> {
    let mut choice = Choice::default();
    for spec in specs {
        match spec.as_str() {
            "auto" => choice.add_usable("auto", 1, needs)?,
            "all" => choice.add_usable("all", usize::MAX, needs)?,
            spec => choice.add_named(spec, needs)?,
        }
    }
    Ok(choice)
}

impl Choice {
    fn add_named(&mut self, spec: &str, needs: &Needs) -> Result<(), NoneUsable> {
        let backend = parse(spec)?;
        let capabilities = backend.probe(needs).map_err(|unsupported| NoneUsable::Unsupported {
            engine: spec.into(),
            reason: unsupported.sentence(),
        })?;
        if matches!(spec.split(':').next(), Some("aio_handle" | "aio_basic")) {
            let why = "the handle of the predecessor is Linux AIO";
            self.receipts.push(Receipt::downgraded("engine", spec, "libaio", why));
        }
        self.chosen.push(Chosen { spec: spec.into(), backend, capabilities });
        Ok(())
    }

    /// Adds the first `most` backends that can run.
    fn add_usable(&mut self, asked: &str, most: usize, needs: &Needs) -> Result<(), NoneUsable> {
        let before = self.chosen.len();
        let mut passed_over = Vec::new();
        for backend in all() {
            if self.chosen.len() - before == most {
                break;
            }
            let spec = backend.name().to_owned();
            match backend.probe(needs) {
                Ok(capabilities) => self.chosen.push(Chosen { spec, backend, capabilities }),
                Err(unsupported) => {
                    passed_over.push(Unavailable { engine: spec, reason: unsupported.sentence() });
                }
            }
        }
        let reasons: Vec<_> =
            passed_over.iter().map(|one| format!("{}: {}", one.engine, one.reason)).collect();
        let granted: Vec<_> = self.chosen[before..].iter().map(|one| one.spec.as_str()).collect();
        if granted.is_empty() {
            return Err(NoneUsable::All(reasons.join("; ")));
        }
        let granted = granted.join(",");
        self.receipts.push(if reasons.is_empty() {
            Receipt { option: "engine".into(), asked: asked.into(), granted, why_not: None }
        } else {
            Receipt::downgraded("engine", asked, &granted, &reasons.join("; "))
        });
        self.unavailable.extend(passed_over);
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use aio_core::engine::{Operation, Operations};
    use aio_core::target::TargetKind;
    use aio_core::testing::skip;

    use super::*;

    fn needs(queue_depth: u32) -> Needs {
        let operations = Operations::of(&[Operation::Read, Operation::Write]);
        Needs::new(operations, queue_depth)
    }

    #[test]
    fn auto_takes_one_and_all_takes_every_usable_one_and_both_say_so() {
        let auto = choose(&["auto".into()], &needs(4)).unwrap();
        assert_eq!(auto.chosen.len(), 1);
        assert_eq!(auto.receipts[0].granted, auto.chosen[0].spec);
        let every = choose(&["all".into()], &needs(4)).unwrap();
        assert_eq!(every.chosen.len() + every.unavailable.len(), 3);
        assert_eq!(every.chosen[0].spec, auto.chosen[0].spec);
    }

    #[test]
    fn an_engine_asked_for_by_name_is_never_replaced() {
        let refused = choose(&["sync".into()], &needs(100_000)).unwrap_err();
        assert!(matches!(&refused, NoneUsable::Unsupported { engine, .. } if engine == "sync"));
        assert!(refused.to_string().contains("1,024") || refused.to_string().contains("1024"));
    }

    #[test]
    fn a_name_that_stands_for_another_is_on_the_receipt() {
        match choose(&["aio_handle".into()], &needs(4)) {
            Ok(choice) => assert_eq!(choice.receipts[0].granted, "libaio"),
            Err(refused) => skip(&refused.to_string()),
        }
    }

    #[test]
    fn an_engine_that_cannot_batch_says_so_when_it_is_asked_to() {
        let receipts = |engine: &str, batch_submit| {
            let needs = Needs { batch_submit, ..needs(8) };
            let chosen = choose(&[engine.to_owned()], &needs).expect("sync and null always run");
            chosen.chosen[0].capabilities.receipts.clone()
        };
        let downgrade = |receipts: &[Receipt]| {
            receipts.iter().find(|one| one.option == "batch-submit").map(Receipt::is_downgrade)
        };
        assert_eq!(downgrade(&receipts("sync", Some(4))), Some(true));
        assert_eq!(downgrade(&receipts("sync", Some(1))), None);
        assert_eq!(downgrade(&receipts("sync", None)), None);
        assert_eq!(downgrade(&receipts("null", Some(4))), None);
    }

    #[test]
    fn a_target_that_takes_commands_is_refused_by_engines_that_read_and_write() {
        let kinds = [TargetKind::File, TargetKind::NvmeGeneric].into();
        let needs = Needs { kinds, ..needs(1) };
        for engine in ["uring", "libaio", "sync", "null", "auto"] {
            let refused = choose(&[engine.to_owned()], &needs).unwrap_err().to_string();
            assert!(refused.contains("takes commands") && refused.contains("/dev/nvmeXnY"));
        }
    }
}
