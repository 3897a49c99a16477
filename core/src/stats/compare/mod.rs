//! Whether contestants that took turns differ, by how much, and how sure that is.
//!
//! Pure functions of numbers: nothing here knows what was measured.

#[cfg(test)]
mod calibration;
mod interval;
mod order;
mod paired;
mod signs;
mod unpaired;
mod verdict;

pub use interval::{Interval, median};
pub use order::{order, rounds_per_cycle};
pub use paired::{Paired, paired, rounds_to_decide};
pub use unpaired::{rounds_per_side_to_decide, unpaired};
pub use verdict::{DIFFERENCE_MAX, Finding, Verdict, is_decided, verdict};

/// How often one of the verdicts of a family may find a difference where there is none.
pub const LEVEL: f64 = 0.01;
