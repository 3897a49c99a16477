//! The order in which contestants take turns.

/// Which contestant has which place in round `round`: over [`rounds_per_cycle`] rounds, each is in
/// each place equally often, and follows each other one equally often where that can be had.
#[must_use]
pub fn order(contestants: usize, round: u32) -> Vec<usize> {
    (0..contestants).map(|place| (place + round as usize) % contestants).collect()
}

/// The rounds after which each contestant was in each place equally often.
#[must_use]
pub fn rounds_per_cycle(contestants: usize) -> u32 {
    u32::try_from(contestants.max(1)).unwrap_or(u32::MAX)
}
