//! Proof that two engines executed the same requests.
//!
//! Each lane chains a hash over its requests in queue order, resubmitted tails left out, and sums
//! an order-free hash over requests and over completions, which must agree in the end. The hash is
//! a folded 64x64-bit multiplication, as in wyhash: quick, and not meant to withstand an adversary.

use crate::engine::Operation;

const ODD: [u64; 3] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3];

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are kept, by folding them")]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    folded
}

/// The hash of one request.
#[inline]
#[must_use]
pub fn mix(operation: Operation, target: u16, offset_bytes: u64, length_bytes: u32) -> u64 {
    let rest = u64::from(length_bytes) | u64::from(target) << 32 | (operation as u64) << 48;
    fold(offset_bytes ^ ODD[0], rest ^ ODD[1])
}

/// The running fingerprint of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    chain: u64,
    requests: u64,
    queued_sum: u64,
    completed_sum: u64,
}

impl Fingerprint {
    /// Of no request yet, for lane `lane` of tasklet `tid` under `seed`.
    #[must_use]
    pub fn new(seed: u64, tid: u32, lane: u32) -> Self {
        let place = u64::from(tid) << 32 | u64::from(lane);
        Self {
            chain: fold(seed ^ ODD[2], place ^ ODD[0]),
            requests: 0,
            queued_sum: 0,
            completed_sum: 0,
        }
    }

    /// Adds a request, by its [`mix`], as it is queued for the first time.
    #[inline]
    pub fn queued(&mut self, mix: u64) {
        self.chain = fold(self.chain ^ mix, ODD[1]);
        self.queued_sum = self.queued_sum.wrapping_add(mix);
        self.requests += 1;
    }

    /// Adds a request, by its [`mix`], as it is done.
    #[inline]
    pub fn completed(&mut self, mix: u64) {
        self.completed_sum = self.completed_sum.wrapping_add(mix);
    }

    /// Whether what was queued is what was completed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.queued_sum == self.completed_sum
    }

    /// The hash over all requests so far, in order.
    #[must_use]
    pub fn value(&self) -> u64 {
        fold(self.chain ^ self.requests, ODD[2])
    }
}

/// One fingerprint from those of all lanes, in order.
#[must_use]
pub fn combine(lanes: impl IntoIterator<Item = u64>) -> u64 {
    lanes.into_iter().fold(0, |chain, lane| fold(chain ^ lane ^ ODD[0], ODD[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(requests: &[(u16, u64, u32)]) -> u64 {
        let mut print = Fingerprint::new(1, 0, 0);
        for (target, offset, length) in requests {
            print.queued(mix(Operation::Read, *target, *offset, *length));
        }
        print.value()
    }

    #[test]
    fn it_depends_on_every_part_of_a_request_and_on_the_order() {
        let one = of(&[(0, 0, 512), (0, 512, 512)]);
        assert_eq!(one, of(&[(0, 0, 512), (0, 512, 512)]));
        assert_ne!(one, of(&[(0, 512, 512), (0, 0, 512)]));
        assert_ne!(one, of(&[(0, 0, 512), (0, 512, 1024)]));
        assert_ne!(one, of(&[(0, 0, 512), (1, 512, 512)]));
        assert_ne!(one, of(&[(0, 0, 512)]));
        let write = mix(Operation::Write, 0, 0, 512);
        assert_ne!(write, mix(Operation::Read, 0, 0, 512));
    }

    #[test]
    fn it_depends_on_seed_tasklet_and_lane() {
        let value = |seed, tid, lane| Fingerprint::new(seed, tid, lane).value();
        let all = [value(0, 0, 0), value(1, 0, 0), value(0, 1, 0), value(0, 0, 1)];
        assert!(all.iter().enumerate().all(|(i, one)| !all[..i].contains(one)));
        assert_ne!(combine([1, 2]), combine([2, 1]));
    }

    #[test]
    fn a_completion_that_never_came_or_came_twice_leaves_it_unsettled() {
        let mixes = [mix(Operation::Read, 0, 0, 512), mix(Operation::Read, 0, 512, 512)];
        let mut print = Fingerprint::new(0, 0, 0);
        for mix in mixes {
            print.queued(mix);
        }
        print.completed(mixes[1]);
        assert!(!print.is_settled());
        print.completed(mixes[0]);
        assert!(print.is_settled());
        print.completed(mixes[0]);
        assert!(!print.is_settled());
    }
}
