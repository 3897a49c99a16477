//! `--dry-run`: what a run would be.

use aio_backends::Choice;
use aio_core::plan::Plan;
use aio_core::receipt::Receipt;
use aio_core::report::{TargetReport, Unavailable};
use aio_core::session::Session;
use serde::Serialize;

/// All that is known before anything moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Preview {
    pub(crate) plan: Plan,
    pub(crate) targets: Vec<TargetReport>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) engines: Vec<EnginePreview>,
    pub(crate) unavailable: Vec<Unavailable>,
}

/// An engine that would run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EnginePreview {
    pub(crate) engine: String,
    pub(crate) receipts: Vec<Receipt>,
}

impl Preview {
    /// What `session` would be with the engines of `choice`.
    pub(crate) fn of(session: &Session, choice: &Choice) -> Self {
        let resolved = session.resolved();
        let engines = choice.chosen.iter().map(|chosen| EnginePreview {
            engine: chosen.spec.clone(),
            receipts: chosen.capabilities.receipts.clone(),
        });
        Self {
            plan: session.plan().clone(),
            targets: resolved.targets.clone(),
            receipts: resolved.receipts.iter().chain(&choice.receipts).cloned().collect(),
            engines: engines.collect(),
            unavailable: choice.unavailable.clone(),
        }
    }
}
