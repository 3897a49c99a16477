//! One place in the queue of a lane, and the request in it.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use super::starts::Starts;
use crate::clock::Stamp;
use crate::engine::{Completion, Errno, Operation, Request};
use crate::memory::Block;
use crate::schedule::failure::{BadRequest, BadResult};
use crate::stats::What;
use crate::target::Alignment;

/// How often a request may come back short without getting on.
const STALLS_MAX: u8 = 8;
/// What a slot without a request wants: a status that is neither bytes nor an errno.
pub(super) const FREE: i32 = i32::MIN;
/// What an odd request wants, so that its completion is looked into: one that came back short, or
/// one that outlived its start stamp.
pub(super) const ODD: i32 = i32::MIN + 1;

/// A request between being queued for the first time and being done.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) offset_bytes: u64,
    pub(super) what: What,
    pub(super) mix: u64,
    /// The memory of this place in the queue, for sources that keep it there.
    pub(super) home: Option<Block>,
    /// The status of a completion that needs no second look, which is the bytes without which the
    /// request is not done; or [`FREE`], or [`ODD`].
    pub(super) wanted: i32,
    /// The number of its start stamp.
    pub(super) start: u16,
    /// Set for odd requests only.
    pub(super) odd: Odd,
}

/// What more there is to know about an odd request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odd {
    pub(super) start: Stamp,
    /// What was missing at first, and what has come.
    pub(super) needed_bytes: u32,
    moved_bytes: u32,
    /// How often it came back without getting on.
    stalls: u8,
    /// Whether this is the tail of a short transfer, whose start stamp stays.
    pub(super) resumed: bool,
}

/// How a completion that was looked into leaves its request.
pub(super) enum After {
    Done,
    GoesOn,
    Bad(BadResult),
}

impl Slot {
    /// A place without a request.
    pub(super) fn free() -> Self {
        let start = Stamp::NEVER;
        Self {
            offset_bytes: 0,
            what: What::new(Operation::Read, 0, 0),
            mix: 0,
            home: None,
            wanted: FREE,
            start: 0,
            odd: Odd { start, needed_bytes: 0, moved_bytes: 0, stalls: 0, resumed: false },
        }
    }

    /// Notes a request, submitted with batch number `start`.
    #[inline(always)]
    pub(super) fn begin(
        &mut self,
        offset_bytes: u64,
        what: What,
        mix: u64,
        needed_bytes: u32,
        start: u16,
    ) {
        self.offset_bytes = offset_bytes;
        self.what = what;
        self.mix = mix;
        // A block has at most 1 GiB.
        self.wanted = needed_bytes.cast_signed();
        self.start = start;
    }

    /// Notes for a request that is not odd yet what is to be known of an odd one.
    pub(super) fn make_odd(&mut self, starts: &Starts) {
        if self.wanted != ODD {
            self.odd = Odd {
                start: starts.of(self.start),
                needed_bytes: self.wanted.cast_unsigned(),
                moved_bytes: 0,
                stalls: 0,
                resumed: false,
            };
            self.wanted = ODD;
        }
    }

    /// What a completion with `result` means for the odd request.
    pub(super) fn after(&mut self, result: Result<u32, Errno>, alignment: Alignment) -> After {
        let Odd { needed_bytes, moved_bytes, .. } = self.odd;
        match result {
            Err(errno) => After::Bad(BadResult::Errno(errno)),
            Ok(moved) if moved > self.what.length_bytes() - moved_bytes => {
                After::Bad(BadResult::TooMuch(moved))
            }
            Ok(moved) if moved_bytes.saturating_add(moved) >= needed_bytes => After::Done,
            Ok(0) => After::Bad(BadResult::NothingMoved),
            Ok(moved) if self.odd.may_continue(moved, alignment) => After::GoesOn,
            Ok(_) => After::Bad(BadResult::NoProgress),
        }
    }

    /// The request for what a short transfer has left.
    pub(super) fn tail(&self, completion: Completion) -> Request {
        let moved_bytes = self.odd.moved_bytes;
        Request {
            offset_bytes: self.offset_bytes + u64::from(moved_bytes),
            block: completion.block,
            length_bytes: self.what.length_bytes() - moved_bytes,
            block_start_bytes: moved_bytes,
            tag: completion.tag,
            target: self.what.target(),
            operation: self.what.operation(),
        }
    }

    pub(super) fn bad_request(&self, what: BadResult) -> BadRequest {
        let moved_bytes = self.odd.moved_bytes;
        BadRequest {
            operation: self.what.operation(),
            target: self.what.target(),
            offset_bytes: self.offset_bytes + u64::from(moved_bytes),
            length_bytes: self.what.length_bytes() - moved_bytes,
            what,
        }
    }
}

impl Odd {
    /// Notes a short transfer and says whether to ask for the rest. Direct I/O can go on only at a
    /// multiple of its alignment, so some bytes may be moved twice.
    fn may_continue(&mut self, moved_bytes: u32, alignment: Alignment) -> bool {
        let step = alignment.offset_bytes;
        let resume_at = (self.moved_bytes + moved_bytes) / step * step;
        self.stalls = if resume_at > self.moved_bytes { 0 } else { self.stalls + 1 };
        self.moved_bytes = resume_at;
        self.resumed = true;
        self.stalls < STALLS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_was_asked_for_is_a_failure_and_the_padding_of_a_tail_is_not() {
        let mut slot = Slot::free();
        slot.begin(0, What::new(Operation::Read, 0, 4096), 0, 100, 0);
        slot.make_odd(&Starts::new());
        let alignment = Alignment::NONE;
        assert!(matches!(slot.after(Ok(4096), alignment), After::Done));
        let too_much = slot.after(Ok(4097), alignment);
        assert!(matches!(too_much, After::Bad(BadResult::TooMuch(4097))));
        assert!(matches!(slot.after(Ok(60), alignment), After::GoesOn));
        assert!(matches!(slot.after(Ok(4036), alignment), After::Done));
        let too_much = slot.after(Ok(4037), alignment);
        assert!(matches!(too_much, After::Bad(BadResult::TooMuch(4037))));
    }
}
