//! What the soak has done and seen.

use std::fmt;

use aio_core::plan::Direction;
use aio_core::report::EngineReport;
use aio_core::testing::anonymous_bytes;

use crate::fault::Fault;

/// By how much memory may be more in the end than after the warm-up. The allocator keeps an arena
/// for each of some threads, each of which keeps what rounds with large buffers have left; anything
/// that leaks with each round would exceed it within minutes.
const GROWTH_BYTES_MAX: u64 = 48 << 20;

/// Numbers of rounds and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) interrupted: u64,
    /// Damage of ours that was found as it should be.
    pub(crate) told: u64,
    faults: [u64; Fault::NAMES.len()],
    written_bytes: u64,
    read_bytes: u64,
    /// The most until the warm-up was over, and now.
    memory_bytes: Option<(u64, u64)>,
}

impl Tally {
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }

    pub(crate) fn moved(&mut self, report: &EngineReport) {
        for one in &report.directions {
            let bytes = one.bytes + one.unfinished_bytes;
            match one.direction {
                Direction::Write => self.written_bytes += bytes,
                _ => self.read_bytes += bytes,
            }
        }
    }

    /// Notes how much memory is in use; the first rounds say how much may be.
    pub(crate) fn look_at_memory(&mut self, warm_up_rounds: u64) {
        let Some(now) = anonymous_bytes() else { return };
        let most = self.memory_bytes.map_or(0, |(most, _)| most);
        let is_warm_up = self.rounds <= warm_up_rounds;
        self.memory_bytes = Some((if is_warm_up { most.max(now) } else { most }, now));
    }

    #[track_caller]
    pub(crate) fn assert_memory_is_flat(&self) {
        if let Some((before, now)) = self.memory_bytes {
            assert!(now <= before + GROWTH_BYTES_MAX, "memory grew from {before} to {now} bytes");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "shown with two digits behind the point")]
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        write!(
            f,
            "{} rounds ({} refused, {} failed, {} interrupted), {:.2} GiB written, {:.2} GiB read",
            self.rounds,
            self.refused,
            self.failed,
            self.interrupted,
            gib(self.written_bytes),
            gib(self.read_bytes)
        )?;
        f.write_str("; faults:")?;
        for (name, count) in Fault::NAMES.iter().zip(self.faults) {
            write!(f, " {name} {count},")?;
        }
        let (warm, now) = self.memory_bytes.unwrap_or_default();
        let mib = |bytes: u64| bytes >> 20;
        let told = self.told;
        write!(
            f,
            " of which {told} were damage and found; 0 corruptions; memory {} MiB after the \
             warm-up, {} MiB at the end",
            mib(warm),
            mib(now)
        )
    }
}
