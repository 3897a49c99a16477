//! The ways in which requests are put to a ring, and what its answers mean in each.

use std::io;

use aio_core::engine::{Operations, Request, Unsupported};
use io_uring::{IoUring, cqueue, squeue};

use crate::entry::Memory;
use crate::open::{Ring, SetUp};

/// One way to put requests to a ring. The engine is made for each, so that none of them costs the
/// others anything.
pub(crate) trait Dialect: Sized {
    /// What goes into the queue of submissions.
    type Submission: squeue::EntryMarker;
    /// What comes out of the queue of completions.
    type Completion: cqueue::EntryMarker;

    /// Calls `io_uring_setup` once.
    fn set_up(set_up: &SetUp<'_>) -> io::Result<IoUring<Self::Submission, Self::Completion>>;

    /// For the targets of `ring` and at most `queue_depth` requests of `operations`.
    ///
    /// # Errors
    /// Why the targets cannot be used in this way.
    fn new(
        ring: &Ring<Self>,
        queue_depth: u32,
        operations: Operations,
    ) -> Result<Self, Unsupported>;

    /// The entry for an accepted `request` that moves `memory`.
    fn encode(&mut self, request: &Request, memory: Memory) -> Self::Submission;

    /// The status of the request `tag` whose entry was completed with `result`.
    fn status(&self, tag: u32, result: i32) -> i32;

    /// Lets go of what entries pointed to, because nothing is in flight any more and nothing will
    /// be. Without that it stays for as long as the process lives.
    fn let_go(&mut self);
}

/// What requests of each tag are to complete with, for a way in which the kernel says only that
/// all is well.
pub(crate) struct Answers(Vec<i32>);

impl Answers {
    /// For tags below `queue_depth`.
    pub(crate) fn new(queue_depth: u32) -> Self {
        Self(vec![0; queue_depth as usize])
    }

    /// Notes that `request` is to complete as a whole transfer.
    pub(crate) fn expect_all_of(&mut self, request: &Request) {
        let whole = if request.operation.moves_data() { request.length_bytes } else { 0 };
        self.expect(request.tag, i32::try_from(whole).expect("a block has at most 1 GiB"));
    }

    /// Notes that the request `tag` is to complete with `status`.
    pub(crate) fn expect(&mut self, tag: u32, status: i32) {
        self.0[tag as usize] = status;
    }

    /// What was noted for the request `tag`.
    pub(crate) fn of(&self, tag: u32) -> i32 {
        self.0[tag as usize]
    }
}
