//! The blocks that an engine holds for the kernel.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::mem;

use super::admission::Terms;
use super::request::{Operations, Rejected, Request, Why};
use crate::memory::Block;

/// The table of requests that an engine has accepted and not yet given back, by tag.
///
/// It owns their memory. When it is dropped with requests still in it, their blocks are leaked, not
/// freed, because the kernel may still write to them: that is the rule of every engine, kept here
/// once.
#[derive(Debug)]
pub struct InFlight {
    slots: Vec<Slot>,
    count: u32,
    terms: Terms,
}

#[derive(Debug)]
enum Slot {
    Free,
    InUse(Option<Block>),
}

impl InFlight {
    /// A table for tags below `queue_depth`, targets below `targets`, and `operations`.
    #[must_use]
    pub fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        let slots = (0..queue_depth).map(|_| Slot::Free).collect();
        Self { slots, count: 0, terms: Terms::new(targets, operations) }
    }

    /// Takes the request's block into the table and leaves the request without it.
    ///
    /// # Errors
    /// Gives the request back when it is malformed or the table is full.
    #[inline(always)]
    pub fn accept(&mut self, mut request: Request) -> Result<Request, Rejected> {
        match self.take(&mut request) {
            Ok(()) => Ok(request),
            Err(why) => Err(Rejected { request, why }),
        }
    }

    #[inline(always)]
    fn take(&mut self, request: &mut Request) -> Result<(), Why> {
        // A full table has no free slot, so one look answers both questions.
        let Some(slot @ Slot::Free) = self.slots.get_mut(request.tag as usize) else {
            return Err(self.why_no_slot());
        };
        self.terms.check(request)?;
        *slot = Slot::InUse(request.block.take());
        self.count += 1;
        Ok(())
    }

    #[cold]
    fn why_no_slot(&self) -> Why {
        if self.count as usize == self.slots.len() { Why::QueueFull } else { Why::BadTag }
    }

    /// Takes the block of the request out and leaves the request in the table: for an engine whose
    /// threads own the memory while they use it. `None` when the table has no block of that tag.
    #[must_use]
    pub fn take_block(&mut self, tag: u32) -> Option<Block> {
        match self.slots.get_mut(tag as usize)? {
            Slot::Free => None,
            Slot::InUse(block) => block.take(),
        }
    }

    /// Takes the request out of the table and gives its block back: to be called once the kernel is
    /// done with it. `None` when no request of that tag is in the table.
    #[inline(always)]
    #[must_use]
    pub fn release(&mut self, tag: u32) -> Option<Option<Block>> {
        let slot = self.slots.get_mut(tag as usize)?;
        let Slot::InUse(block) = mem::replace(slot, Slot::Free) else { return None };
        self.count -= 1;
        Some(block)
    }

    /// Whether a request of that tag is in the table.
    #[must_use]
    pub fn contains(&self, tag: u32) -> bool {
        self.slots.get(tag as usize).is_some_and(|slot| !matches!(slot, Slot::Free))
    }

    /// Requests in the table.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.count > 0 {
            mem::forget(mem::take(&mut self.slots));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::Operation;
    use super::*;
    use crate::memory::{Mapping, MemoryKind, Part};

    fn part() -> Part {
        Part::new(Mapping::reserve(1 << 16, MemoryKind::Small).unwrap().0, 4096, 4)
    }

    fn table() -> InFlight {
        InFlight::new(2, 1, Operations::of(&[Operation::Read, Operation::Fsync]))
    }

    fn read(part: &mut Part, tag: u32) -> Request {
        Request {
            offset_bytes: 0,
            block: part.lend(4096),
            length_bytes: 4096,
            block_start_bytes: 0,
            tag,
            target: 0,
            operation: Operation::Read,
        }
    }

    #[test]
    fn each_malformed_request_comes_back_with_its_reason_and_its_block() {
        let mut part = part();
        let mut table = table();
        let mut refused = |change: fn(&mut Request), want: Why| {
            let mut request = read(&mut part, 0);
            change(&mut request);
            let rejected = table.accept(request).expect_err("malformed");
            assert_eq!(rejected.why, want);
            if let Some(block) = rejected.request.block {
                part.take_back(block).unwrap();
            }
        };
        refused(|r| r.tag = 2, Why::BadTag);
        refused(|r| r.target = 1, Why::BadTarget);
        refused(|r| r.operation = Operation::Write, Why::BadOperation);
        refused(|r| r.operation = Operation::Fsync, Why::BadBlock);
        refused(|r| r.length_bytes = 4097, Why::BadBlock);
        refused(|r| r.block_start_bytes = u32::MAX, Why::BadBlock);
        assert!(part.is_whole());
    }

    #[test]
    fn a_full_table_gives_the_request_back_and_a_tag_is_used_once() {
        let mut part = part();
        let mut table = table();
        let without_block = table.accept(read(&mut part, 0)).unwrap();
        assert!(without_block.block.is_none());
        assert_eq!(table.accept(read(&mut part, 0)).unwrap_err().why, Why::BadTag);
        table.accept(read(&mut part, 1)).unwrap();
        assert_eq!(table.accept(read(&mut part, 0)).unwrap_err().why, Why::QueueFull);
        assert!(table.contains(0) && !table.contains(7));
        assert!(table.release(0).unwrap().is_some());
        assert!(!table.contains(0));
        assert!(table.release(0).is_none(), "a completion seen twice is noticed");
        assert!(table.release(7).is_none(), "so is one of a tag that never was");
        assert!(table.release(1).is_some());
    }

    #[test]
    fn a_block_that_is_taken_out_leaves_its_request_in_the_table() {
        let mut part = part();
        let mut table = table();
        assert!(table.take_block(0).is_none(), "free");
        table.accept(read(&mut part, 0)).unwrap();
        part.take_back(table.take_block(0).unwrap()).unwrap();
        assert!(table.take_block(0).is_none(), "taken already");
        assert_eq!(table.count(), 1);
        assert!(table.release(0).unwrap().is_none());
        assert!(table.take_block(0).is_none(), "free again");
        assert!(table.release(0).is_none());
    }

    #[test]
    fn memory_that_the_kernel_may_still_use_is_leaked_and_never_freed() {
        let mut part = part();
        let mut table = table();
        table.accept(read(&mut part, 0)).unwrap();
        drop(table);
        assert_eq!(part.mapping_owners_elsewhere(), 1, "the block in flight");
        assert!(part.rewind().is_none());
    }
}
