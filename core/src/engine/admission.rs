//! Which requests an engine may accept, whatever it does with their memory.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use super::request::{Operation, Operations, Request, Why};
use crate::memory::Block;

/// What an engine was opened for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    targets: u32,
    operations: Operations,
    /// The target and the operation, which moves data, that were found right the last time: most
    /// requests are alike. At first a target that none has.
    last_target: u32,
    last_operation: Operation,
}

impl Terms {
    pub(super) fn new(targets: usize, operations: Operations) -> Self {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        Self { targets, operations, last_target: u32::MAX, last_operation: Operation::Read }
    }

    /// Whether the request is one that the engine was opened for, with a block that holds it.
    #[inline(always)]
    pub(super) fn check(&mut self, request: &Request) -> Result<(), Why> {
        let (target, operation) = (u32::from(request.target), request.operation);
        let end = u64::from(request.block_start_bytes) + u64::from(request.length_bytes);
        match &request.block {
            Some(block) if target == self.last_target && operation == self.last_operation => {
                if end <= u64::from(block.len()) { Ok(()) } else { Err(Why::BadBlock) }
            }
            // By value, so that a request need not be in memory to be looked at.
            block => self.look(target, operation, end, block.as_ref().map(Block::len)),
        }
    }

    #[cold]
    fn look(
        &mut self,
        target: u32,
        operation: Operation,
        end: u64,
        block_bytes: Option<u32>,
    ) -> Result<(), Why> {
        if target >= self.targets {
            return Err(Why::BadTarget);
        }
        if !self.operations.contains(operation) {
            return Err(Why::BadOperation);
        }
        match (block_bytes, operation.moves_data()) {
            (Some(block_bytes), true) if end <= u64::from(block_bytes) => {
                (self.last_target, self.last_operation) = (target, operation);
                Ok(())
            }
            (None, false) => Ok(()),
            _ => Err(Why::BadBlock),
        }
    }
}

/// The tags that are in use, for an engine whose requests carry their memory with them.
#[derive(Debug)]
pub struct Admission {
    in_use: Box<[bool]>,
    count: u32,
    terms: Terms,
}

impl Admission {
    /// For tags below `queue_depth`, targets below `targets`, and `operations`.
    #[must_use]
    pub fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        let in_use = vec![false; queue_depth as usize].into();
        Self { in_use, count: 0, terms: Terms::new(targets, operations) }
    }

    /// Takes the request's tag into use.
    ///
    /// # Errors
    /// Why the request must be given back: it is malformed, or the queue is full.
    #[inline(always)]
    pub fn admit(&mut self, request: &Request) -> Result<(), Why> {
        // With a full queue no tag is free, so one look answers both questions.
        let Some(in_use @ false) = self.in_use.get_mut(request.tag as usize) else {
            return Err(self.why_no_tag());
        };
        self.terms.check(request)?;
        *in_use = true;
        self.count += 1;
        Ok(())
    }

    #[cold]
    fn why_no_tag(&self) -> Why {
        if self.count as usize == self.in_use.len() { Why::QueueFull } else { Why::BadTag }
    }

    /// Lets the tag be used again. Says whether it was in use.
    #[inline(always)]
    pub fn dismiss(&mut self, tag: u32) -> bool {
        let Some(in_use @ true) = self.in_use.get_mut(tag as usize) else { return false };
        *in_use = false;
        self.count -= 1;
        true
    }

    /// Lets all tags be used again.
    #[inline(always)]
    pub fn dismiss_all(&mut self) {
        self.in_use.fill(false);
        self.count = 0;
    }

    /// Tags in use.
    #[must_use]
    #[inline(always)]
    pub fn count(&self) -> u32 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fsync(tag: u32) -> Request {
        Request {
            offset_bytes: 0,
            block: None,
            length_bytes: 0,
            block_start_bytes: 0,
            tag,
            target: 0,
            operation: Operation::Fsync,
        }
    }

    #[test]
    fn a_tag_is_used_once_at_a_time_and_none_is_used_that_never_was() {
        let mut admission = Admission::new(2, 1, Operations::of(&[Operation::Fsync]));
        assert_eq!(admission.admit(&fsync(0)), Ok(()));
        assert_eq!(admission.admit(&fsync(0)), Err(Why::BadTag));
        assert_eq!(admission.admit(&fsync(2)), Err(Why::BadTag));
        assert_eq!(admission.admit(&fsync(1)), Ok(()));
        assert_eq!(admission.admit(&fsync(0)), Err(Why::QueueFull));
        assert!(admission.dismiss(0) && !admission.dismiss(0) && !admission.dismiss(7));
        assert_eq!(admission.count(), 1);
    }

    #[test]
    fn what_was_right_the_last_time_does_not_hide_what_is_wrong_now() {
        let mut admission = Admission::new(9, 1, Operations::of(&[Operation::Fsync]));
        assert_eq!(admission.admit(&fsync(0)), Ok(()));
        assert_eq!(admission.admit(&Request { target: 1, ..fsync(1) }), Err(Why::BadTarget));
        let trim = Request { operation: Operation::Trim, ..fsync(1) };
        assert_eq!(admission.admit(&trim), Err(Why::BadOperation));
        assert_eq!(admission.admit(&fsync(1)), Ok(()));
        assert_eq!(admission.count(), 2);
    }
}
