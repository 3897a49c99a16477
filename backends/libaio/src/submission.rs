//! The requests that wait to be submitted, in queue order.
#![expect(unsafe_code, reason = "io_submit wants pointers to requests, kept across calls")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::cell::UnsafeCell;
use std::ptr;

use aio_core::engine::RwFlags;
use libaio_sys::Iocb;

/// One request per tag, the queue of those that the kernel has not taken yet, and the list of those
/// that it has to be given once more.
///
/// All of its memory is allocated when it is made. It is not the table of what is in flight: that
/// is core's, and it decides which tags are free.
#[derive(Debug)]
pub(crate) struct Submission {
    /// By tag. Written through shared pointers only, because `pending` points here; a `Vec`, whose
    /// elements stay where they are when it is moved.
    slots: Vec<UnsafeCell<Iocb>>,
    /// Pointers into `slots`, oldest first, from `front` to `end`. Twice as long as the queue is
    /// deep, so that what is still queued is moved to the front after at least so many pushes, and a
    /// push costs a constant time on average.
    pending: Box<[*mut Iocb]>,
    front: usize,
    end: usize,
    /// Pointers into `slots`: requests that were taken, would have had to wait, and may now.
    retries: Vec<*mut Iocb>,
}

/// What of an `Iocb` differs from request to request. Everything else stays as it was made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct What {
    pub(crate) opcode: u16,
    pub(crate) rw_flags: i32,
    pub(crate) fd: u32,
    pub(crate) address: u64,
    pub(crate) length: u64,
    pub(crate) offset_bytes: i64,
}

impl What {
    #[inline(always)]
    fn tell(self, iocb: &mut Iocb) {
        let Self { opcode, rw_flags, fd, address, length, offset_bytes } = self;
        iocb.opcode = opcode;
        iocb.rw_flags = rw_flags;
        iocb.fd = fd;
        iocb.address = address;
        iocb.length = length;
        iocb.offset_bytes = offset_bytes;
    }
}

impl Submission {
    /// Room for `queue_depth` requests, with tags below that.
    pub(crate) fn new(queue_depth: u32) -> Self {
        let depth = queue_depth as usize;
        let slot = |tag| UnsafeCell::new(Iocb { data: u64::from(tag), ..Iocb::default() });
        Self {
            slots: (0..queue_depth).map(slot).collect(),
            pending: vec![ptr::null_mut(); 2 * depth].into(),
            front: 0,
            end: 0,
            retries: Vec::with_capacity(depth),
        }
    }

    /// Adds `what`, whose data is its tag, at the end of the queue.
    ///
    /// # Panics
    /// When the tag is not below the queue depth, or there are more requests than that.
    #[inline(always)]
    pub(crate) fn push(&mut self, tag: u32, what: What) {
        if self.end == self.pending.len() {
            self.move_to_front();
        }
        let slot = self.slots[tag as usize].get();
        // SAFETY: the slot is this value's own, no other reference to a slot is ever made, and the
        // kernel looks at requests during `io_submit` only, which borrows this value.
        let iocb = unsafe { &mut *slot };
        what.tell(iocb);
        self.pending[self.end] = slot;
        self.end += 1;
    }

    #[cold]
    fn move_to_front(&mut self) {
        let few = self.len() < self.slots.len();
        assert!(few, "a queue holds no more requests than it is deep");
        self.pending.copy_within(self.front..self.end, 0);
        (self.front, self.end) = (0, self.len());
    }

    /// What waits, oldest first, as `io_submit` wants it. The pointers are valid to read and write
    /// while this value is borrowed.
    pub(crate) fn pending(&self) -> &[*mut Iocb] {
        &self.pending[self.front..self.end]
    }

    /// How many wait.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.end - self.front
    }

    /// Takes the `count` oldest out.
    ///
    /// # Panics
    /// When fewer wait.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "no more requests are taken than were queued");
        self.front += count;
        if self.front == self.end {
            (self.front, self.end) = (0, 0);
        }
    }

    /// Takes the oldest out and says its tag.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let slot = *self.pending().first()?;
        self.advance(1);
        Some(tag_of(slot))
    }

    /// The flags that the request of `tag` last had.
    pub(crate) fn flags(&self, tag: u32) -> RwFlags {
        // SAFETY: as in `tag_of`; slots are initialised when they are made.
        let iocb = unsafe { self.slots[tag as usize].get().read() };
        RwFlags::from_bits(iocb.rw_flags)
    }

    /// Puts the request of `tag`, which is in flight and has come back with `EAGAIN`, on the list of
    /// those to be submitted once more, if it was not to wait; it may wait then. Says whether it is.
    #[cold]
    pub(crate) fn retry(&mut self, tag: u32) -> bool {
        let flags = self.flags(tag);
        if !flags.contains(RwFlags::NOWAIT) {
            return false;
        }
        let slot = self.slots[tag as usize].get();
        // SAFETY: as in `flags`.
        let iocb = unsafe { slot.read() };
        let rw_flags = flags.without(RwFlags::NOWAIT).bits();
        // SAFETY: as in `push`.
        unsafe { slot.write(Iocb { rw_flags, ..iocb }) };
        self.retries.push(slot);
        true
    }

    /// What is to be submitted once more, as `io_submit` wants it, like `pending`.
    pub(crate) fn retries(&self) -> &[*mut Iocb] {
        &self.retries
    }

    /// Takes the first `count` off the list of retries.
    pub(crate) fn retried(&mut self, count: usize) {
        self.retries.drain(..count);
    }

    /// Takes the first off the list of retries and says its tag.
    pub(crate) fn pop_retry(&mut self) -> Option<u32> {
        let slot = *self.retries.first()?;
        self.retried(1);
        Some(tag_of(slot))
    }
}

/// The tag of a request that was pushed.
fn tag_of(slot: *mut Iocb) -> u32 {
    // SAFETY: called with pointers into `slots` of a borrowed submission, which were written by
    // `push`; nobody writes to them meanwhile.
    let iocb = unsafe { slot.read() };
    u32::try_from(iocb.data).expect("the data of a request is its tag, a u32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queue: &mut Submission, tags: impl IntoIterator<Item = u32>) {
        for tag in tags {
            queue.push(tag, What { fd: tag + 10, ..What::default() });
        }
    }

    #[test]
    fn requests_leave_in_the_order_in_which_they_came() {
        let mut queue = Submission::new(3);
        push(&mut queue, [2, 0, 1]);
        assert_eq!(queue.pending().len(), 3);
        // SAFETY: the queue is borrowed, and nothing else looks at it.
        let first = unsafe { queue.pending()[0].read() };
        assert_eq!((first.data, first.fd), (2, 12));
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop(), queue.pop()),
            (Some(2), Some(0), Some(1), None)
        );
    }

    #[test]
    fn a_queue_that_is_never_empty_has_room_and_loses_nothing() {
        let mut queue = Submission::new(3);
        push(&mut queue, [0, 1]);
        for round in 0..100 {
            push(&mut queue, [(round + 2) % 3]);
            assert_eq!(queue.pop(), Some(round % 3));
            assert_eq!(queue.len(), 2);
        }
    }

    #[test]
    fn what_the_kernel_took_leaves_from_the_front() {
        let mut queue = Submission::new(4);
        push(&mut queue, 0..4);
        queue.advance(3);
        assert_eq!(queue.pop(), Some(3));
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn only_what_was_not_to_wait_is_submitted_once_more_and_only_once() {
        let mut queue = Submission::new(3);
        let both = RwFlags::NOWAIT | RwFlags::DSYNC;
        for (tag, flags) in [(0, both), (1, RwFlags::DSYNC), (2, RwFlags::NOWAIT)] {
            queue.push(tag, What { rw_flags: flags.bits(), ..What::default() });
        }
        queue.advance(3);
        assert!(queue.retry(2) && queue.retry(0));
        assert!(!queue.retry(1) && !queue.retry(2));
        assert_eq!((queue.flags(0), queue.flags(2)), (RwFlags::DSYNC, RwFlags::NONE));
        assert_eq!((queue.retries().len(), queue.len()), (2, 0));
        assert_eq!((queue.pop_retry(), queue.pop_retry()), (Some(2), Some(0)));
        assert_eq!(queue.pop_retry(), None);
    }

    #[test]
    #[should_panic(expected = "no more requests than it is deep")]
    fn one_request_too_many_is_a_bug_and_noticed() {
        push(&mut Submission::new(1), [0, 0, 0]);
    }
}
