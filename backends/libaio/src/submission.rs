//! The requests that wait to be submitted, in queue order.
#![expect(unsafe_code, reason = "io_submit wants pointers to requests, kept across calls")]

use std::cell::UnsafeCell;

use libaio_sys::Iocb;

/// One request per tag, and the queue of those that the kernel has not taken yet.
///
/// All of its memory is allocated when it is made. It is not the table of what is in flight: that
/// is core's, and it decides which tags are free.
#[derive(Debug)]
pub(crate) struct Submission {
    /// By tag. Written through shared pointers only, because `pending` points here; a `Vec`, whose
    /// elements stay where they are when it is moved.
    slots: Vec<UnsafeCell<Iocb>>,
    /// Pointers into `slots`, oldest first. Those before `front` have been taken.
    pending: Vec<*mut Iocb>,
    front: usize,
}

impl Submission {
    /// Room for `queue_depth` requests, with tags below that.
    pub(crate) fn new(queue_depth: u32) -> Self {
        let depth = queue_depth as usize;
        Self {
            slots: (0..depth).map(|_| UnsafeCell::default()).collect(),
            // Twice the depth, so that what is still queued is moved to the front after at least
            // `queue_depth` pushes, and a push costs a constant time on average.
            pending: Vec::with_capacity(2 * depth),
            front: 0,
        }
    }

    /// Adds `iocb`, whose data is its tag, at the end of the queue.
    ///
    /// # Panics
    /// When the tag is not below the queue depth, or its request is one too many.
    pub(crate) fn push(&mut self, tag: u32, iocb: Iocb) {
        let depth = self.slots.len();
        if self.pending.len() == 2 * depth {
            self.pending.drain(..self.front);
            self.front = 0;
        }
        assert!(self.len() < depth, "a queue holds no more requests than it is deep");
        let slot = self.slots[tag as usize].get();
        // SAFETY: the slot is this value's own, no reference to a slot is ever made, and the kernel
        // looks at requests during `io_submit` only, which borrows this value.
        unsafe { slot.write(Iocb { data: u64::from(tag), ..iocb }) };
        self.pending.push(slot);
    }

    /// What waits, oldest first, as `io_submit` wants it. The pointers are valid to read and write
    /// while this value is borrowed.
    pub(crate) fn pending(&self) -> &[*mut Iocb] {
        &self.pending[self.front..]
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.pending.len() - self.front
    }

    /// Takes the `count` oldest out.
    ///
    /// # Panics
    /// When fewer wait.
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "no more requests are taken than were queued");
        self.front += count;
        if self.front == self.pending.len() {
            self.pending.clear();
            self.front = 0;
        }
    }

    /// Takes the oldest out and says its tag.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let slot = *self.pending().first()?;
        // SAFETY: pointers in `pending` point into `slots`, which were written by `push`.
        let iocb = unsafe { slot.read() };
        self.advance(1);
        Some(u32::try_from(iocb.data).expect("the data of a request is its tag, a u32"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queue: &mut Submission, tags: impl IntoIterator<Item = u32>) {
        for tag in tags {
            queue.push(tag, Iocb { fd: tag + 10, ..Iocb::default() });
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
    fn a_queue_that_is_never_empty_neither_grows_nor_loses_anything() {
        let mut queue = Submission::new(3);
        let capacity = queue.pending.capacity();
        push(&mut queue, [0, 1]);
        for round in 0..100 {
            push(&mut queue, [(round + 2) % 3]);
            assert_eq!(queue.pop(), Some(round % 3));
            assert_eq!(queue.len(), 2);
        }
        assert_eq!(queue.pending.capacity(), capacity);
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
    #[should_panic(expected = "no more requests than it is deep")]
    fn one_request_too_many_is_a_bug_and_noticed() {
        push(&mut Submission::new(1), [0, 0]);
    }
}
