//! How long the next request is, where there are several lengths.

/// fio's `bssplit`: each length has its percentage of the requests, not of the bytes.
#[derive(Clone, Debug)]
pub(in crate::schedule) struct SizeSplit {
    /// Up to which number, of 32 bits, a length is chosen; the last is for all the rest.
    limits: Vec<(u32, u32)>,
}

impl SizeSplit {
    /// Of `shares`, pairs of bytes and percent.
    ///
    /// # Panics
    ///
    /// When the percentages do not come to 100.
    pub(in crate::schedule) fn new(shares: &[(u32, u32)]) -> Self {
        let mut sum_percent = 0_u64;
        let mut limits = Vec::with_capacity(shares.len());
        for (bytes, percent) in shares.iter().filter(|(_, percent)| *percent > 0) {
            sum_percent += u64::from(*percent);
            // The limit belongs to its length, so that the last can be written in 32 bits.
            let limit = (sum_percent << 32) / 100 - 1;
            limits.push((u32::try_from(limit).unwrap_or(u32::MAX), *bytes));
        }
        assert!(sum_percent == 100, "the shares of the sizes come to {sum_percent} %, not 100 %");
        Self { limits }
    }

    /// The length for an output of a generator.
    pub(in crate::schedule) fn pick(&self, random: u64) -> u32 {
        let number = (random >> 32) as u32;
        let mut chosen_bytes = 0;
        for (limit, bytes) in &self.limits {
            chosen_bytes = *bytes;
            if number <= *limit {
                break;
            }
        }
        chosen_bytes
    }
}
