//! Statistics of a run that are not reports.

mod fingerprint;

pub use fingerprint::{Fingerprint, LanePrint, What, combine};
