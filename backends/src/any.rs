//! Any of the backends, as one type.

use aio_core::engine::{Backend, Capabilities, LadderStep, Needs, OptionSpec, Unsupported};
use aio_core::report::EngineReport;
use aio_core::session::{Observer, Session};
use aio_core::target::TargetKind;
use enum_dispatch::enum_dispatch;

/// What a front end does with a backend; coarse, because it is dispatched at run time.
#[enum_dispatch]
pub trait RunPlan {
    /// The name that selects it, without options.
    fn name(&self) -> &'static str;

    /// Whether its engines move data, or only measure the harness.
    fn moves_data(&self) -> bool;

    /// Descriptors that each of its engines holds open, beside the targets.
    fn descriptors_per_engine(&self) -> u32;

    /// The options that it has, in the order of its listing.
    fn options(&self) -> &'static [OptionSpec];

    /// Steps from its plainest engine to its most elaborate one; none where there are none.
    fn ladder(&self) -> &'static [LadderStep];

    /// Asks the kernel whether it can do what `needs` says.
    ///
    /// # Errors
    /// Why not, and what would cure it.
    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported>;

    /// Runs the session's plan; `spec` names it in the report, loops count from `first_loop`.
    fn run(
        &self,
        session: &Session,
        spec: &str,
        first_loop: u32,
        observer: &mut dyn Observer,
    ) -> EngineReport;
}

impl<B: Backend> RunPlan for B {
    fn name(&self) -> &'static str {
        Backend::name(self)
    }

    fn moves_data(&self) -> bool {
        Backend::moves_data(self)
    }

    fn descriptors_per_engine(&self) -> u32 {
        Backend::descriptors_per_engine(self)
    }

    fn options(&self) -> &'static [OptionSpec] {
        Backend::options(self)
    }

    fn ladder(&self) -> &'static [LadderStep] {
        Backend::ladder(self)
    }

    fn probe(&self, needs: &Needs) -> Result<Capabilities, Unsupported> {
        // Asked here for all engines, so that none can forget it.
        if let Some(kind) = needs.kinds.iter().find(|kind| !Backend::takes(self, **kind)) {
            return Err(does_not_take(*kind));
        }
        let mut capabilities = Backend::probe(self, needs)?;
        capabilities.receipts.extend(self.batch_receipt(needs.batch_submit));
        Ok(capabilities)
    }

    fn run(
        &self,
        session: &Session,
        spec: &str,
        first_loop: u32,
        observer: &mut dyn Observer,
    ) -> EngineReport {
        session.run(self, spec, first_loop, observer)
    }
}

fn does_not_take(kind: TargetKind) -> Unsupported {
    match kind {
        TargetKind::NvmeGeneric => Unsupported::new(
            "a target is an NVMe generic device, which takes commands instead of reads and writes",
            "give its block device, /dev/nvmeXnY for /dev/ngXnY, or use --engine uring:passthrough",
        ),
        TargetKind::Block => Unsupported::new(
            "a target is a block device, and this engine sends commands to NVMe generic devices",
            "give its generic device, /dev/ngXnY for /dev/nvmeXnY",
        ),
        TargetKind::File => Unsupported::new(
            "a target is a regular file, and this engine sends commands to NVMe generic devices",
            "give one of those, /dev/ngXnY",
        ),
    }
}

/// Every backend that there is.
#[enum_dispatch(RunPlan)]
#[derive(Clone, Debug)]
pub enum AnyBackend {
    /// `io_uring`.
    Uring(aio_uring::Uring),
    /// Linux AIO.
    Libaio(aio_libaio::Libaio),
    /// `pread` and `pwrite`.
    Sync(aio_sync::SyncIo),
    /// Nothing at all.
    Null(aio_null::Null),
}
