//! How long the demonstration may take.

use std::time::Duration;

/// The most rounds.
const ROUNDS_MAX: u32 = 3;
/// What all rounds together should take at most.
const ROUNDS_TIME: Duration = Duration::from_secs(15);
/// No round is begun that would probably end after this.
pub(super) const ALL: Duration = Duration::from_secs(20);
/// What filling the file may take.
pub(super) const FILL: Duration = Duration::from_secs(3);

/// How many rounds fit, when writing the file once took `fill`. Reading is taken to be as slow.
pub(super) fn rounds(fill: Duration, engines: usize) -> u32 {
    let passes = u32::try_from(2 * engines).unwrap_or(u32::MAX);
    let round = fill.saturating_mul(passes);
    (1..=ROUNDS_MAX).rev().find(|rounds| round.saturating_mul(*rounds) <= ROUNDS_TIME).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_gets_fewer_rounds_and_always_one() {
        let rounds_of = |ms| rounds(Duration::from_millis(ms), 3);
        assert_eq!([200, 800, 1200, 3000].map(rounds_of), [3, 3, 2, 1]);
        assert_eq!(rounds(Duration::MAX, usize::MAX / 2), 1);
    }
}
