//! When requests were submitted: one stamp per batch, not per request.
#![expect(clippy::inline_always, reason = "per batch, which may be one request")]

use crate::clock::Stamp;

/// Batches that are told apart.
const RING: usize = 1 << 10;

/// The number of the last batch of a turn.
const RING_LAST: u32 = (1 << 10) - 1;

/// The start stamps of the last batches, by number. A request that is begun takes the number of the
/// batch to come. What is still in flight when the ring has made a turn needs its stamp noted
/// elsewhere.
#[derive(Debug)]
pub(super) struct Starts {
    stamps: Box<[Stamp; RING]>,
    next: u32,
}

impl Starts {
    pub(super) fn new() -> Self {
        Self { stamps: Box::new([Stamp::now(); RING]), next: 0 }
    }

    /// The number of the batch that is submitted next.
    #[inline(always)]
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Stamps the next batch. Says whether the turn is over: then the stamps of all requests that
    /// are out must be looked up before another batch is begun.
    #[inline(always)]
    #[must_use]
    pub(super) fn stamp(&mut self, now: Stamp) -> bool {
        self.stamps[self.next as usize % RING] = now;
        self.next = (self.next + 1) & RING_LAST;
        self.next == 0
    }

    /// The stamp of that number.
    #[inline(always)]
    pub(super) fn of(&self, number: u32) -> Stamp {
        self.stamps[number as usize % RING]
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
