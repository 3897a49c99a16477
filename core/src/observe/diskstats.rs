//! The kernel's counters of a block device.
//!
//! The format is that of `/sys/dev/block/M:m/stat`, which is a row of `/proc/diskstats` without its
//! name (`Documentation/block/stat.rst`): a file for each device, so that a machine with a thousand
//! of them costs no more than one with one.

/// Bytes of a sector, which these counters are in whatever the device's blocks are.
const SECTOR_BYTES: u64 = 512;

/// A reading of one device's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockStat {
    pub read: Counts,
    pub write: Counts,
    pub discard: Counts,
    /// Time in which anything was in flight.
    pub busy_ms: u64,
    pub flushes: u64,
}

/// What a device did in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub requests: u64,
    pub merges: u64,
    pub bytes: u64,
    /// The sum of the times of its requests.
    pub in_flight_ms: u64,
}

impl BlockStat {
    /// Out of a line of numbers. Kernels before 4.18 have no discards, those before 5.5 no flushes.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        let (read, write) = (Counts::parse(&mut next)?, Counts::parse(&mut next)?);
        let _in_flight_now = next()?;
        let busy_ms = next()?;
        let _all_in_flight_ms = next()?;
        let discard = Counts::parse(&mut next).unwrap_or_default();
        let flushes = next().unwrap_or(0);
        Some(Self { read, write, discard, busy_ms, flushes })
    }

    /// What was counted from `earlier` to this reading.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            read: self.read.since(&earlier.read),
            write: self.write.since(&earlier.write),
            discard: self.discard.since(&earlier.discard),
            busy_ms: ms_since(self.busy_ms, earlier.busy_ms),
            flushes: self.flushes.saturating_sub(earlier.flushes),
        }
    }

    /// Adds what was counted at another time.
    pub(crate) fn add(&mut self, other: &Self) {
        self.read.add(&other.read);
        self.write.add(&other.write);
        self.discard.add(&other.discard);
        self.busy_ms += other.busy_ms;
        self.flushes += other.flushes;
    }
}

impl Counts {
    fn parse(next: &mut impl FnMut() -> Option<u64>) -> Option<Self> {
        let (requests, merges) = (next()?, next()?);
        let bytes = next()?.checked_mul(SECTOR_BYTES)?;
        Some(Self { requests, merges, bytes, in_flight_ms: next()? })
    }

    fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            merges: self.merges.saturating_sub(earlier.merges),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            in_flight_ms: ms_since(self.in_flight_ms, earlier.in_flight_ms),
        }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.merges += other.merges;
        self.bytes += other.bytes;
        self.in_flight_ms += other.in_flight_ms;
    }
}

/// The kernel prints milliseconds with 32 bits, which a deep queue goes through within hours.
fn ms_since(later: u64, earlier: u64) -> u64 {
    let low = |value: u64| u32::try_from(value & u64::from(u32::MAX)).expect("32 bits");
    if later >= earlier { later - earlier } else { low(later).wrapping_sub(low(earlier)).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fuzz_text;

    #[test]
    fn fuzzed_rows_are_read_or_refused_and_their_differences_are_taken() {
        let corpus = [
            "  10  1  80  5  20 2 160 7  3  11  12\n",
            "10 1 80 5 20 2 160 7 3 11 12 4 1 8 9 6 13",
        ];
        let mut earlier = BlockStat::default();
        fuzz_text("rows of counters", &corpus, &[" ", "\t"], |text| {
            let Some(later) = BlockStat::parse(text) else { return "none".into() };
            let earlier = std::mem::replace(&mut earlier, later);
            let moved = later.since(&earlier);
            format!("{} {}", moved.read.bytes == 0, moved.busy_ms == 0)
        });
    }

    #[test]
    fn a_row_of_every_age_is_read() {
        let old = "  10  1  80  5  20 2 160 7  3  11  12\n";
        let stat = BlockStat::parse(old).unwrap();
        assert_eq!(stat.read, Counts { requests: 10, merges: 1, bytes: 40_960, in_flight_ms: 5 });
        assert_eq!(stat.write, Counts { requests: 20, merges: 2, bytes: 81_920, in_flight_ms: 7 });
        assert_eq!((stat.busy_ms, stat.flushes), (11, 0));
        let new = BlockStat::parse("10 1 80 5 20 2 160 7 3 11 12 4 1 8 9 6 13").unwrap();
        let discard = Counts { requests: 4, merges: 1, bytes: 4096, in_flight_ms: 9 };
        assert_eq!((new.discard, new.flushes), (discard, 6));
        assert_eq!(BlockStat::parse("10 1 80 5 20 2 160"), None);
        assert_eq!(BlockStat::parse(""), None);
    }

    #[test]
    fn differences_survive_that_the_milliseconds_wrap() {
        let row = |requests: u64, ms: u64| {
            BlockStat::parse(&format!("{requests} 0 8 {ms} 0 0 0 0 0 {ms} 0")).unwrap()
        };
        let wrapped = row(3, 90).since(&row(1, u64::from(u32::MAX) - 9));
        assert_eq!((wrapped.read.requests, wrapped.read.in_flight_ms), (2, 100));
        assert_eq!(wrapped.busy_ms, 100);
        let mut sum = wrapped;
        sum.add(&row(3, 7));
        assert_eq!((sum.read.requests, sum.busy_ms), (5, 107));
    }
}
