//! Proof that two engines executed the same requests.
//!
//! Each lane chains a hash over its requests in queue order, resubmitted tails left out, and sums
//! an order-free hash over requests and over completions, which must agree in the end. The hash is
//! a folded 64x64-bit multiplication, as in wyhash: quick, and not meant to withstand an adversary.
//!
//! A run that time ends does not end at the same request with every engine. So a lane keeps up to
//! 256 checkpoints of its chain, doubling their spacing when they are full, and two lanes are
//! compared at those that both have come to.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use crate::engine::Operation;

const ODD: [u64; 3] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3];

/// The most checkpoints of a lane.
const CHECKPOINTS_MAX: usize = 256;
const SPACING_AT_FIRST: u64 = 16;

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are kept, by folding them")]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    folded
}

/// What a request does, but for where: operation, target and length in one word.
///
/// The word is kept as the hash needs it, with its bits flipped by a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct What(u64);

impl What {
    /// `operation` on `length_bytes` bytes of target number `target`.
    #[inline(always)]
    #[must_use]
    pub fn new(operation: Operation, target: u16, length_bytes: u32) -> Self {
        let word = u64::from(length_bytes) | u64::from(target) << 32 | (operation as u64) << 48;
        Self(word ^ ODD[1])
    }

    /// Its length in bytes.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the length")]
    pub fn length_bytes(self) -> u32 {
        (self.0 ^ ODD[1]) as u32
    }

    /// The target's number.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "these 16 bits are the target")]
    pub fn target(self) -> u16 {
        ((self.0 ^ ODD[1]) >> 32) as u16
    }

    /// The operation.
    ///
    /// # Panics
    /// Never: a word is made from an operation.
    #[inline(always)]
    #[must_use]
    pub fn operation(self) -> Operation {
        match (self.0 ^ ODD[1]) >> 48 {
            0 => Operation::Read,
            1 => Operation::Write,
            2 => Operation::Fsync,
            3 => Operation::Fdatasync,
            4 => Operation::Trim,
            other => unreachable!("there is no operation {other}"),
        }
    }

    /// The hash of the request that does it at `offset_bytes`.
    #[inline(always)]
    #[must_use]
    pub fn mix(self, offset_bytes: u64) -> u64 {
        fold(offset_bytes ^ self.0, self.0)
    }
}

/// The hashes over the requests that were queued: one that knows their order, and their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    chain: u64,
    sum: u64,
}

impl Running {
    /// Adds a request, by its [`What::mix`], as it is queued for the first time.
    #[inline(always)]
    pub fn add(&mut self, mix: u64) {
        // One multiplication by an odd number, which loses nothing; `value` mixes the rest.
        self.chain = (self.chain.rotate_left(23) ^ mix).wrapping_mul(ODD[1]);
        self.sum = self.sum.wrapping_add(mix);
    }
}

/// The running fingerprint of one lane.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    running: Running,
    /// What the chain began with.
    first_chain: u64,
    completed_sum: u64,
    /// Requests until the next checkpoint.
    until_checkpoint: u64,
    checkpoints: Checkpoints,
}

impl Fingerprint {
    /// Of no request yet, for lane `lane` of tasklet `tid` under `seed`.
    #[must_use]
    pub fn new(seed: u64, tid: u32, lane: u32) -> Self {
        let place = u64::from(tid) << 32 | u64::from(lane);
        let first_chain = fold(seed ^ ODD[2], place ^ ODD[0]);
        let checkpoints = Checkpoints::new();
        Self {
            running: Running { chain: first_chain, sum: 0 },
            first_chain,
            completed_sum: 0,
            until_checkpoint: checkpoints.spacing,
            checkpoints,
        }
    }

    /// How many requests may be added before [`go_on`](Self::go_on).
    #[inline(always)]
    #[must_use]
    pub fn room(&self) -> usize {
        usize::try_from(self.until_checkpoint).unwrap_or(usize::MAX)
    }

    /// What changes with every request, to be kept in registers.
    #[inline(always)]
    #[must_use]
    pub fn running(&self) -> Running {
        self.running
    }

    /// Goes on from `running`, to which `count` requests were added, no more than there was
    /// [`room`](Self::room) for.
    ///
    /// # Panics
    /// When they were more.
    #[inline(always)]
    pub fn go_on(&mut self, running: Running, count: usize) {
        self.running = running;
        let left = self.until_checkpoint.checked_sub(count as u64);
        self.until_checkpoint = left.expect("no more are added than there is room for");
        if self.until_checkpoint == 0 {
            self.until_checkpoint = self.checkpoints.reach(running.chain);
        }
    }

    /// Adds requests, by the sum of their [`What::mix`], as they are done.
    #[inline(always)]
    pub fn completed(&mut self, mixes: u64) {
        self.completed_sum = self.completed_sum.wrapping_add(mixes);
    }

    /// Whether what was queued is what was completed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.running.sum == self.completed_sum
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.checkpoints.next() - self.until_checkpoint
    }

    /// The hash over all requests so far, in order.
    #[must_use]
    pub fn value(&self) -> u64 {
        fold(self.running.chain ^ self.requests(), ODD[2])
    }

    /// The print of the requests so far, after which it starts over. For a loop that time ends: the
    /// next one begins another stream at the same point for everybody.
    #[must_use]
    pub fn take_print(&mut self) -> LanePrint {
        let (requests, value) = (self.requests(), self.value());
        let Checkpoints { spacing, chains } =
            std::mem::replace(&mut self.checkpoints, Checkpoints::new());
        self.running.chain = fold(self.first_chain, ODD[2]);
        self.until_checkpoint = self.checkpoints.spacing;
        LanePrint { requests, value, spacing, checkpoints: chains }
    }
}

/// The chain as it stood after every so many requests.
#[derive(Clone, Debug)]
struct Checkpoints {
    /// Requests between two of them, which doubles when there is no more room.
    spacing: u64,
    chains: Vec<u64>,
}

impl Checkpoints {
    fn new() -> Self {
        Self { spacing: SPACING_AT_FIRST, chains: Vec::with_capacity(CHECKPOINTS_MAX) }
    }

    /// The request at which the next one is due.
    fn next(&self) -> u64 {
        (self.chains.len() as u64 + 1) * self.spacing
    }

    /// Notes the chain, and says after how many requests to come again.
    #[cold]
    fn reach(&mut self, chain: u64) -> u64 {
        let reached = self.next();
        self.chains.push(chain);
        if self.chains.len() == CHECKPOINTS_MAX {
            let kept = CHECKPOINTS_MAX / 2;
            (0..kept).for_each(|index| self.chains[index] = self.chains[2 * index + 1]);
            self.chains.truncate(kept);
            self.spacing *= 2;
        }
        self.next() - reached
    }
}

/// The requests of one lane in one loop in short: enough to tell how far two lanes were given the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanePrint {
    /// Requests in all.
    pub requests: u64,
    /// The hash over all of them.
    pub value: u64,
    spacing: u64,
    checkpoints: Vec<u64>,
}

impl LanePrint {
    /// How many requests, from the first on, two lanes are known to have in common; `None` when
    /// they were given different ones.
    #[must_use]
    pub fn common_requests(&self, other: &Self) -> Option<u64> {
        if self.requests == other.requests {
            return (self.value == other.value).then_some(self.requests);
        }
        // One spacing is the other's times a power of two, because both began with the same.
        let (coarse, fine) =
            if self.spacing >= other.spacing { (self, other) } else { (other, self) };
        let step = usize::try_from(coarse.spacing / fine.spacing.max(1)).ok()?;
        let mut known = 0;
        for (index, chain) in coarse.checkpoints.iter().enumerate() {
            match fine.checkpoints.get((index + 1) * step - 1) {
                Some(there) if there == chain => known += coarse.spacing,
                Some(_different) => return None,
                None => break,
            }
        }
        Some(known)
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

    fn queue(print: &mut Fingerprint, mix: u64) {
        assert!(print.room() > 0);
        let mut running = print.running();
        running.add(mix);
        print.go_on(running, 1);
    }

    fn of(requests: &[(u16, u64, u32)]) -> u64 {
        let mut print = Fingerprint::new(1, 0, 0);
        for (target, offset, length) in requests {
            queue(&mut print, What::new(Operation::Read, *target, *length).mix(*offset));
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
        let of = |operation| What::new(operation, 0, 512).mix(0);
        assert_ne!(of(Operation::Write), of(Operation::Read));
    }

    #[test]
    fn what_a_request_does_can_be_read_back() {
        for operation in [Operation::Read, Operation::Write, Operation::Trim] {
            let what = What::new(operation, 65_535, u32::MAX);
            let read = (what.operation(), what.target(), what.length_bytes());
            assert_eq!(read, (operation, 65_535, u32::MAX));
        }
    }

    #[test]
    fn it_depends_on_seed_tasklet_and_lane() {
        let value = |seed, tid, lane| Fingerprint::new(seed, tid, lane).value();
        let all = [value(0, 0, 0), value(1, 0, 0), value(0, 1, 0), value(0, 0, 1)];
        assert!(all.iter().enumerate().all(|(i, one)| !all[..i].contains(one)));
        assert_ne!(combine([1, 2]), combine([2, 1]));
    }

    fn lane(requests: u64, change: Option<u64>) -> LanePrint {
        let mut print = Fingerprint::new(7, 0, 0);
        for index in 0..requests {
            let offset = if change == Some(index) { 1 << 40 } else { index * 512 };
            queue(&mut print, What::new(Operation::Read, 0, 512).mix(offset));
        }
        assert_eq!(print.requests(), requests);
        let whole = print.take_print();
        assert_eq!((whole.requests, print.requests()), (requests, 0), "it starts over");
        whole
    }

    #[test]
    fn lanes_that_ended_at_different_requests_are_compared_up_to_the_last_common_checkpoint() {
        let all = [0, 1, 15, 16, 17, 4095, 4096, 4097, 100_000, 1_000_003];
        let prints = all.map(|requests| lane(requests, None));
        assert!(prints.iter().all(|one| one.checkpoints.len() < CHECKPOINTS_MAX));
        for (one, requests) in prints.iter().zip(all) {
            for (other, others) in prints.iter().zip(all) {
                let common = one.common_requests(other).expect("the same stream");
                let fewer = requests.min(others);
                assert!(common <= fewer, "{requests} and {others}: {common}");
                let lost = fewer - common;
                assert!(lost <= 2 * one.spacing.max(other.spacing), "{requests}, {others}: {lost}");
            }
        }
    }

    #[test]
    fn a_request_that_differs_is_seen_from_the_next_common_checkpoint_on() {
        let long = lane(100_000, None);
        assert_eq!(long.common_requests(&lane(90_000, Some(50_000))), None);
        assert_eq!(long.common_requests(&lane(100_000, Some(99_999))), None);
        assert!(long.common_requests(&lane(90_000, Some(89_999))).is_some(), "behind the last one");
    }

    #[test]
    fn a_completion_that_never_came_or_came_twice_leaves_it_unsettled() {
        let mixes = [0, 512].map(|offset| What::new(Operation::Read, 0, 512).mix(offset));
        let mut print = Fingerprint::new(0, 0, 0);
        for mix in mixes {
            queue(&mut print, mix);
        }
        print.completed(mixes[1]);
        assert!(!print.is_settled());
        print.completed(mixes[0]);
        assert!(print.is_settled());
        print.completed(mixes[0]);
        assert!(!print.is_settled());
    }
}
