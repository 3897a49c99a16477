//! How long until the next request, where they arrive at random.

use super::positive_fraction;

/// The gap after a request of a Poisson process with one every `mean_ns`, from an output of a
/// generator: exponentially distributed, 37 times the mean at most.
pub(in crate::schedule) fn exponential_ns(random: u64, mean_ns: f64) -> u64 {
    (-libm::log(positive_fraction(random)) * mean_ns).round() as u64
}
