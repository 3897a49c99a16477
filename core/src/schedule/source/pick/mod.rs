//! Which block is next, how long it is and when it starts: pure functions of an index or of a
//! generator's outputs. Nothing here knows of requests, files or clocks.
//!
//! Logarithms and powers are [`libm`]'s and not the machine's, whose last bits differ from one C
//! library to the next: the same plan has to give the same requests everywhere.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "blocks are at most 2^52, random numbers of 53 bits are wanted, and a cast saturates"
)]

mod gap;
mod normal;
mod pareto;
mod permutation;
mod sizes;
mod zipf;

pub(in crate::schedule) use gap::exponential_ns;
pub(in crate::schedule) use normal::Normal;
pub(in crate::schedule) use pareto::Pareto;
pub(in crate::schedule) use permutation::Permutation;
pub(in crate::schedule) use sizes::SizeSplit;
pub(in crate::schedule) use zipf::Zipf;

/// How often a draw that was rejected is repeated. What is rejected most, a normal distribution as
/// wide as the range, comes to this once in 10^13 requests.
const DRAWS_MAX: u32 = 64;

/// A number in [0, 1), from the upper bits of a generator's output.
fn fraction(random: u64) -> f64 {
    (random >> 11) as f64 * STEP
}

/// The same in (0, 1], for what has a logarithm.
fn positive_fraction(random: u64) -> f64 {
    ((random >> 11) + 1) as f64 * STEP
}

/// 2^-53: a significand of 53 bits is divided by all there are.
const STEP: f64 = f64::EPSILON / 2.0;

/// The block that a place in a range of `blocks` falls into; the last one for what lies behind, the
/// first for what is not a number.
fn block_at(place: f64, blocks: u64) -> u64 {
    (place as u64).min(blocks - 1)
}

#[cfg(test)]
mod tests;
