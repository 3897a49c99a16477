//! The engine contract: what every interface to the kernel's I/O must do, and nothing of how.
//!
//! A [`Backend`] is a selectable interface, a value that carries its options. It opens engines: one
//! [`IoEngine`] per lane, owned by the lane's thread, lent to a [`Lane`]. Requests move in with
//! their memory and come back as completions with the same memory. Batching, time stamps and the
//! choice of requests are the lane's, the same for all engines.

mod admission;
mod contract;
mod counters;
mod deadline;
mod in_flight;
mod ladder;
mod options;
mod request;
mod rw_flags;
mod rw_probe;
mod setup;

pub use admission::{Admission, Terms};
pub use contract::{Backend, IoEngine, LEFTOVER_PATIENCE, Lane, Progress};
pub use counters::EngineCounters;
pub use deadline::Deadline;
pub use in_flight::InFlight;
pub use ladder::LadderStep;
pub use options::{Accepts, Asked, OptionError, OptionSpec};
pub use request::{Completion, Completions, Errno, Operation, Operations, Rejected, Request, Why};
pub use rw_flags::{GrantedFlags, RwFlags, flags_refused};
pub use setup::{
    Capabilities, EngineError, Files, LaneSetup, Needs, OpenError, StillInFlight, Unsupported,
};
