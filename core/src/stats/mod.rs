//! Statistics of a run that are not reports.

mod fingerprint;
pub mod steady;

pub use fingerprint::{Fingerprint, LanePrint, What, combine};
