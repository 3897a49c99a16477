//! What had been done at the end of each of many intervals of equal length.

/// How many ends have room in a track that is coarsened: from half as many on, once it was full.
const ROOM: usize = 256;

/// Running totals at the ends of intervals, from the first on. All memory is reserved when it is
/// made.
#[derive(Clone, Debug)]
pub(crate) struct Track<T> {
    interval_ns: u64,
    ends: Vec<T>,
    room: usize,
    /// Whether intervals are made twice as long when there is no room for more.
    coarsens: bool,
}

impl<T: Copy> Track<T> {
    /// Intervals that are `interval_ns` long at first, and become longer, so that there are always
    /// a hundred or two of them once that many have passed.
    pub(crate) fn coarsening(interval_ns: u64) -> Self {
        Self { interval_ns, ends: Vec::with_capacity(ROOM), room: ROOM, coarsens: true }
    }

    /// The first `room` intervals of this length.
    pub(crate) fn first(room: usize, interval_ns: u64) -> Self {
        Self { interval_ns, ends: Vec::with_capacity(room), room, coarsens: false }
    }

    /// The length of an interval, in nanoseconds.
    pub(crate) fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// How much time there is room for; `None` when any.
    pub(crate) fn room_ns(&self) -> Option<u64> {
        (!self.coarsens).then(|| self.interval_ns.saturating_mul(self.room as u64))
    }

    /// The totals at the ends that were passed.
    pub(crate) fn ends(&self) -> &[T] {
        &self.ends
    }

    /// Whether there is no room for another end.
    fn is_full(&self) -> bool {
        self.ends.len() >= self.room
    }

    /// When the interval that runs will end, in nanoseconds from the beginning of the first; `None`
    /// when there is no room for it.
    pub(crate) fn next_end_ns(&self) -> Option<u64> {
        (!self.is_full()).then(|| self.interval_ns.saturating_mul(self.ends.len() as u64 + 1))
    }

    /// Notes that all ends up to `now_ns` were passed with `totals`.
    pub(crate) fn pass(&mut self, now_ns: u64, totals: T) {
        while self.next_end_ns().is_some_and(|end_ns| end_ns <= now_ns) {
            self.ends.push(totals);
            if self.is_full() && self.coarsens {
                self.coarsen();
            }
        }
    }

    /// Makes one interval of every two.
    fn coarsen(&mut self) {
        for index in 0..self.ends.len() / 2 {
            self.ends[index] = self.ends[2 * index + 1];
        }
        self.ends.truncate(self.ends.len() / 2);
        self.interval_ns = self.interval_ns.saturating_mul(2);
    }

    /// The totals when interval number `index`, counted from 0, of `interval_ns` ended, which is a
    /// multiple of this track's; `None` when that end was not passed.
    pub(crate) fn at_end_of(&self, index: usize, interval_ns: u64) -> Option<T> {
        let ends_each = usize::try_from(interval_ns / self.interval_ns).ok()?;
        let end = (index + 1).checked_mul(ends_each)?;
        self.ends.get(end.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_were_passed_together_have_the_same_totals() {
        let mut track = Track::<u64>::first(4, 10);
        assert_eq!(track.next_end_ns(), Some(10));
        track.pass(9, 1);
        assert_eq!(track.ends(), [0_u64; 0]);
        track.pass(10, 2);
        track.pass(35, 3);
        assert_eq!((track.ends(), track.next_end_ns()), (&[2, 3, 3][..], Some(40)));
        track.pass(1000, 4);
        assert_eq!((track.ends(), track.next_end_ns()), (&[2, 3, 3, 4][..], None));
    }

    #[test]
    fn a_track_that_is_full_goes_on_in_intervals_twice_as_long() {
        let mut track = Track::coarsening(10);
        for passed in 1..=3000 {
            track.pass(10 * passed, passed);
        }
        assert_eq!(track.interval_ns(), 160);
        assert_eq!(track.ends().len(), 3000 / 16);
        assert!(track.ends().iter().zip(1..).all(|(total, index)| *total == 16 * index));
        let kept = track.ends.capacity();
        assert_eq!(kept, ROOM, "nothing was reserved on the way");
    }

    #[test]
    fn a_stall_of_any_length_is_passed() {
        let mut track = Track::coarsening(10);
        track.pass(u64::MAX / 4, 7);
        assert!(track.ends().len() < ROOM && track.ends().iter().all(|total| *total == 7));
        let one = track.next_end_ns().unwrap();
        assert!(one > u64::MAX / 4);
    }

    #[test]
    fn tracks_of_different_intervals_are_read_at_the_ends_that_both_have() {
        let mut track = Track::first(8, 10);
        (1..=8).for_each(|passed| track.pass(10 * passed, passed));
        assert_eq!(track.at_end_of(0, 40), Some(4));
        assert_eq!(track.at_end_of(1, 40), Some(8));
        assert_eq!(track.at_end_of(2, 40), None);
        assert_eq!(track.at_end_of(2, 10), Some(3));
    }
}
