//! Which requests an engine may accept, whatever it does with their memory.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use super::request::{Operation, Operations, Request, Why};

/// What an engine was opened for.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    targets: u32,
    operations: Operations,
    /// For each operation, how many targets there are for requests of it that have a block: none
    /// unless it moves data.
    with_block: [u32; Operation::COUNT],
    /// The same for requests that have none.
    without_block: [u32; Operation::COUNT],
}

impl Terms {
    /// For targets below `targets`, and `operations`.
    #[must_use]
    pub fn new(targets: usize, operations: Operations) -> Self {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        let mut terms = Self {
            targets,
            operations,
            with_block: [0; Operation::COUNT],
            without_block: [0; Operation::COUNT],
        };
        for operation in Operation::ALL.into_iter().filter(|one| operations.contains(*one)) {
            let places = if operation.moves_data() {
                &mut terms.with_block
            } else {
                &mut terms.without_block
            };
            places[operation as usize] = targets;
        }
        terms
    }

    /// Whether the request is one that the engine was opened for, with a block that holds it if it
    /// moves data, and with a range if it is a trim.
    ///
    /// # Errors
    /// Why it must be given back.
    #[inline(always)]
    pub fn check(&self, request: &Request) -> Result<(), Why> {
        let (target, operation) = (request.target, request.operation);
        let end = u64::from(request.block_start_bytes) + u64::from(request.length_bytes);
        let fits = match &request.block {
            Some(block) => {
                u32::from(target) < self.with_block[operation as usize]
                    && end <= u64::from(block.len())
            }
            None => {
                u32::from(target) < self.without_block[operation as usize]
                    && (operation != Operation::Trim || request.length_bytes > 0)
            }
        };
        // By value, so that a request need not be in memory to be looked at.
        if fits { Ok(()) } else { Err(self.why_not(target, operation)) }
    }

    #[cold]
    fn why_not(&self, target: u16, operation: Operation) -> Why {
        if u32::from(target) >= self.targets {
            Why::BadTarget
        } else if self.operations.contains(operation) {
            Why::BadBlock
        } else {
            Why::BadOperation
        }
    }
}

/// The tags that are in use, for an engine whose requests carry their memory with them.
#[derive(Debug)]
pub struct Admission {
    in_use: Box<[bool]>,
    terms: Terms,
}

impl Admission {
    /// For tags below `queue_depth`, targets below `targets`, and `operations`.
    #[must_use]
    pub fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        let in_use = vec![false; queue_depth as usize].into();
        Self { in_use, terms: Terms::new(targets, operations) }
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
        Ok(())
    }

    #[cold]
    fn why_no_tag(&self) -> Why {
        if self.count() as usize == self.in_use.len() { Why::QueueFull } else { Why::BadTag }
    }

    /// Lets the tag be used again. Says whether it was in use.
    #[inline(always)]
    pub fn dismiss(&mut self, tag: u32) -> bool {
        let Some(in_use @ true) = self.in_use.get_mut(tag as usize) else { return false };
        *in_use = false;
        true
    }

    /// Lets all tags be used again.
    #[inline(always)]
    pub fn dismiss_all(&mut self) {
        self.in_use.fill(false);
    }

    /// Tags in use, counted one by one: for the end, and for what is refused.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.in_use.iter().map(|in_use| u32::from(*in_use)).sum()
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
    fn a_trim_has_a_range_and_no_block() {
        let mut admission = Admission::new(2, 1, Operations::of(&[Operation::Trim]));
        let trim = |length_bytes| Request { operation: Operation::Trim, length_bytes, ..fsync(0) };
        assert_eq!(admission.admit(&trim(0)), Err(Why::BadBlock));
        assert_eq!(admission.admit(&trim(1)), Ok(()));
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
