//! `--dry-run`: what a run would be.

use aio_backends::Choice;
use aio_core::plan::Plan;
use aio_core::receipt::Receipt;
use aio_core::report::{TargetReport, Unavailable};
use aio_core::session::{Session, Written};
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the JSON; it grows when a field changes its meaning or goes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// All that is known before anything moves.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Preview {
    /// The version of this format.
    pub(crate) schema_version: u32,
    /// The version of the tool.
    pub(crate) tool_version: String,
    /// What was asked.
    pub(crate) plan: Plan,
    /// Each file that would be read or written.
    pub(crate) targets: Vec<TargetReport>,
    /// What would become of options that hold for all engines.
    pub(crate) receipts: Vec<Receipt>,
    /// The engines that would run, in order.
    pub(crate) engines: Vec<EnginePreview>,
    /// What would be written to each device that wears.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) written: Vec<Written>,
    /// Engines that were asked for in general (`all`, `auto`) and cannot run here.
    pub(crate) unavailable: Vec<Unavailable>,
}

/// An engine that would run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct EnginePreview {
    /// The spec that selects it.
    pub(crate) engine: String,
    /// What would be asked of the kernel and what it would grant.
    pub(crate) receipts: Vec<Receipt>,
}

impl Preview {
    /// What `session` would be with the engines of `choice`, and what it would write.
    pub(crate) fn of(session: &Session, choice: &Choice, written: Vec<Written>) -> Self {
        let resolved = session.resolved();
        let engines = choice.chosen.iter().map(|chosen| EnginePreview {
            engine: chosen.spec.clone(),
            receipts: chosen.capabilities.receipts.clone(),
        });
        Self {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").into(),
            plan: session.plan().clone(),
            targets: resolved.targets.clone(),
            receipts: resolved.receipts.iter().chain(&choice.receipts).cloned().collect(),
            engines: engines.collect(),
            written,
            unavailable: choice.unavailable.clone(),
        }
    }
}
