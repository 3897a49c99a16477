//! Statistics of a run that are not reports.

pub mod compare;
mod fingerprint;
mod kind;
mod steady;

pub use fingerprint::{Fingerprint, LanePrint, What, combine};
pub use kind::{Kind, PerKind};
pub use steady::{ROUNDS_MAX, Steadiness, WINDOW};
