//! How many requests Linux AIO allows on this machine: `fs.aio-nr` and `fs.aio-max-nr`.

use std::fs;

/// The two numbers that the kernel keeps for all processes together, in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `fs.aio-nr`: what open contexts were made for.
    pub(crate) in_use: u64,
    /// `fs.aio-max-nr`: the most that `fs.aio-nr` may become.
    pub(crate) max: u64,
}

impl Limits {
    /// What the kernel says now; nothing where it does not tell.
    pub(crate) fn read() -> Option<Self> {
        let number = |path| fs::read_to_string(path).ok()?.trim().parse().ok();
        Some(Self {
            in_use: number("/proc/sys/fs/aio-nr")?,
            max: number("/proc/sys/fs/aio-max-nr")?,
        })
    }

    /// Whether `engines` engines of `queue_depth` still fit.
    pub(crate) fn allow(self, queue_depth: u32, engines: u32) -> bool {
        self.in_use.saturating_add(requests(queue_depth, engines)) <= self.max
    }

    /// The `fs.aio-max-nr` that is enough for `engines` engines of `queue_depth`: what is in use
    /// and what they need. When the kernel refused them although they would fit, which kernels
    /// before 4.13 do because they count otherwise, what they need on top of what is allowed now.
    pub(crate) fn enough(self, queue_depth: u32, engines: u32) -> u64 {
        let base = if self.allow(queue_depth, engines) { self.max } else { self.in_use };
        base.saturating_add(requests(queue_depth, engines))
    }
}

/// Requests that `engines` engines of `queue_depth` are made for. Cannot overflow.
pub(crate) fn requests(queue_depth: u32, engines: u32) -> u64 {
    u64::from(queue_depth) * u64::from(engines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_exactly_is_allowed_and_one_more_is_not() {
        let limits = Limits { in_use: 36, max: 100 };
        assert!(limits.allow(32, 2));
        assert!(!limits.allow(65, 1));
        assert_eq!(limits.enough(65, 1), 101);
        assert!(Limits { max: 101, ..limits }.allow(65, 1), "enough is enough");
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let limits = Limits { in_use: u64::MAX - 1, max: u64::MAX };
        assert!(limits.allow(u32::MAX, u32::MAX), "saturated, so not refused by arithmetic");
        assert_eq!(limits.enough(u32::MAX, u32::MAX), u64::MAX);
        assert_eq!(requests(u32::MAX, u32::MAX), 18_446_744_065_119_617_025);
    }

    #[test]
    fn a_refusal_against_the_arithmetic_is_cured_by_more_than_there_is() {
        let limits = Limits { in_use: 0, max: 100 };
        assert_eq!(limits.enough(100, 1), 200);
    }

    #[test]
    fn the_kernel_s_own_numbers_can_be_read_where_it_has_them() {
        match Limits::read() {
            Some(limits) => assert!(limits.max > 0),
            None => aio_core::testing::skip("the kernel has no fs.aio-max-nr"),
        }
    }
}
