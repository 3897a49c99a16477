//! A run from its checked plan to its report: the one thing that a front end needs.
//!
//! A [`Session`] is a plan that was held against the machine; it runs once per engine, and removes
//! what was created when it ends. It prints nothing: an [`Observer`] is told what happens.

mod assemble;
mod descriptors;
mod moved;
mod observer;
mod stop;
mod writes;

pub use descriptors::TooFewDescriptors;
pub use observer::{Event, Observer, Silent};
pub use stop::Stop;
pub use writes::{ASSUMED_BYTES_PER_S, Runs, Written, add_written};

use std::sync::Arc;

use crate::engine::{Backend, Needs};
use crate::plan::Plan;
use crate::report::{EngineReport, Machine, Report, SCHEMA_VERSION, Status, Unavailable};
use crate::schedule;
use crate::target::{Given, Made, ResolveError, Resolved, resolve};

/// A plan that can run here.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    resolved: Resolved,
    made: Arc<Made>,
    /// Whether what was made goes with this session: a session beside another leaves it.
    removes: bool,
    stop: Stop,
}

impl Session {
    /// Holds `plan` against the machine; nothing is created yet. With `given`, all tasklets use
    /// that file instead of the plan's paths. `stop` ends the session early, from any thread.
    ///
    /// # Errors
    /// Why the plan cannot run here.
    pub fn open(plan: Plan, given: Option<&Given>, stop: Stop) -> Result<Self, ResolveError> {
        let raised = descriptors::raise_for(&plan);
        let mut resolved = resolve(&plan, given, &[])?;
        resolved.receipts.extend(raised);
        let made = Arc::new(Made::new(plan.keep));
        Ok(Self { plan, resolved, made, removes: true, stop })
    }

    /// Holds another plan against the machine, for rounds that take turns with this one's: on files
    /// that either made, which go with this session, and on the devices that this one holds.
    ///
    /// # Errors
    /// Why the plan cannot run here.
    pub fn beside(&self, plan: Plan) -> Result<Self, ResolveError> {
        // What holds a device was opened past the page cache, or was not.
        let is_alike = plan.buffered == self.plan.buffered;
        let held: &[_] = if is_alike { &self.resolved.held } else { &[] };
        let raised = descriptors::raise_for(&plan);
        let mut resolved = resolve(&plan, None, held)?;
        resolved.receipts.extend(raised);
        let made = Arc::clone(&self.made);
        Ok(Self { plan, resolved, made, removes: false, stop: self.stop.clone() })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the plan means on this machine.
    #[must_use]
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// The list of files that the session creates, for whoever has to end the process at once.
    #[must_use]
    pub fn made(&self) -> Arc<Made> {
        Arc::clone(&self.made)
    }

    /// What a backend must be able to do for this plan.
    #[must_use]
    pub fn needs(&self) -> Needs {
        Needs {
            operations: self.plan.operations(),
            queue_depth: self.plan.queue_depth,
            batch_submit: self.plan.batch.submit,
            engines: self.plan.engines_at_once(),
            target: self.resolved.sample.clone(),
            buffered: self.plan.buffered,
            kinds: self.resolved.kinds(),
            largest_block_bytes: self.resolved.block_bytes,
        }
    }

    /// Runs the whole plan on `backend`, named `spec` in the report. Failures are in the report.
    /// Loops are numbered from `first_loop`, so that data of a later round differs from an earlier
    /// one's.
    pub fn run<B: Backend>(
        &self,
        backend: &B,
        spec: &str,
        first_loop: u32,
        observer: &mut dyn Observer,
    ) -> EngineReport {
        let mut report = EngineReport {
            engine: spec.into(),
            moves_data: backend.moves_data(),
            waits_by_polling: backend.waits_by_polling(),
            receipts: backend.batch_receipt(self.plan.batch.submit).into_iter().collect(),
            steady_state: None,
            directions: Vec::new(),
        };
        for tasklets in &self.resolved.waves {
            let wave = schedule::Wave {
                plan: &self.plan,
                resolved: &self.resolved,
                tasklets,
                made: &self.made,
                stop: &self.stop,
                first_loop,
                engine: spec,
            };
            let outcome = wave.run(backend, observer);
            assemble::add(&mut report, &self.plan, &self.resolved, &outcome);
            if report.directions.iter().any(|direction| direction.status != Status::Complete) {
                break;
            }
        }
        report
    }

    /// A report of this session so far, with `engines` in it.
    #[must_use]
    pub fn report(&self, engines: Vec<EngineReport>, unavailable: Vec<Unavailable>) -> Report {
        let worst = |status: Status| {
            engines
                .iter()
                .flat_map(|one| &one.directions)
                .any(|direction| direction.status == status)
        };
        let status = match () {
            () if worst(Status::Failed) => Status::Failed,
            () if worst(Status::Interrupted) || self.stop.is_set() => Status::Interrupted,
            () => Status::Complete,
        };
        Report {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").into(),
            machine: Machine::look(),
            plan: self.plan.clone(),
            targets: self.resolved.targets.clone(),
            receipts: self.resolved.receipts.clone(),
            engines,
            unavailable,
            status,
        }
    }

    /// Removes what the session created, unless it is to be kept, and returns a sentence for each
    /// file that could not be removed.
    #[must_use]
    pub fn finish(self) -> Vec<String> {
        // A tasklet that was given up may still hold the list, so it is not left to its drop.
        let failed = self.made.remove().into_iter();
        failed.map(|(path, error)| format!("cannot remove {}: {error}", path.display())).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.removes {
            let _best_effort = self.made.remove();
        }
    }
}
