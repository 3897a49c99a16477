//! The backend.

use aio_core::engine::{
    Asked, Backend, Capabilities, Lane, LaneSetup, Needs, OpenError, OptionError, OptionSpec,
    Unsupported,
};

use crate::engine::NullEngine;

/// The backend `null`, which has no options and runs everywhere.
///
/// Requests complete when they are submitted, in queue order. Reads and writes complete with their
/// whole length, past the end of the target too; every other operation completes with 0. The
/// engine makes no system call, so that it counts none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Null;

/// The options, as they are listed.
const OPTIONS: [OptionSpec; 0] = [];

impl Null {
    /// The backend with `options`, of which it has none.
    ///
    /// # Errors
    /// When there are any.
    pub fn parse(options: &str) -> Result<Self, OptionError> {
        Asked::parse(options, &OPTIONS).map(|_none| Self)
    }
}

impl Backend for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn moves_data(&self) -> bool {
        false
    }

    fn options(&self) -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn probe(&self, _needs: &Needs) -> Result<Capabilities, Unsupported> {
        Ok(Capabilities::default())
    }

    fn with_engine<L: Lane>(&self, setup: LaneSetup, lane: L) -> Result<L::Output, OpenError> {
        let mut engine = NullEngine::new(setup.queue_depth, setup.files.len(), setup.operations);
        Ok(lane.run(&mut engine))
    }
}
