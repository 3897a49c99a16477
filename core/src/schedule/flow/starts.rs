//! When requests were submitted: one stamp per batch, not per request.
#![expect(clippy::inline_always, reason = "per batch, which may be one request")]

use crate::clock::Stamp;

/// Batches that are told apart: as many as there are numbers, so that each number has a place.
const RING: usize = 1 << u16::BITS;

/// The start stamps of the last batches, by number. A request that is begun takes the number of the
/// batch to come. What is still in flight when the ring has made a turn needs its stamp noted
/// elsewhere.
#[derive(Debug)]
pub(super) struct Starts {
    stamps: Box<[Stamp; RING]>,
    next: u16,
}

impl Starts {
    pub(super) fn new() -> Self {
        let stamps = vec![Stamp::now(); RING].into_boxed_slice().try_into();
        Self { stamps: stamps.expect("as long as was just said"), next: 0 }
    }

    /// The number of the batch that is submitted next.
    #[inline(always)]
    pub(super) fn next(&self) -> u16 {
        self.next
    }

    /// Stamps the next batch. Says whether the turn is over: then the stamps of all requests that
    /// are out must be looked up before another batch is begun.
    #[inline(always)]
    #[must_use]
    pub(super) fn stamp(&mut self, now: Stamp) -> bool {
        self.stamps[usize::from(self.next)] = now;
        self.next = self.next.wrapping_add(1);
        self.next == 0
    }

    /// The stamp of that number.
    #[inline(always)]
    pub(super) fn of(&self, number: u16) -> Stamp {
        self.stamps[usize::from(number)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_there_until_the_turn_is_over() {
        let mut starts = Starts::new();
        let first = Stamp::now();
        let number = starts.next();
        assert!(!starts.stamp(first));
        for _batch in 2..RING {
            assert!(!starts.stamp(Stamp::now()));
        }
        assert_eq!(starts.of(number), first);
        assert!(starts.stamp(Stamp::now()), "this was the last one of the turn");
        assert_eq!((starts.of(number), starts.next()), (first, number));
    }
}
