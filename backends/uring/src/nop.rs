//! Requests that do nothing (`IORING_OP_NOP`): they measure the ring alone.

use std::io;

use aio_core::engine::{Operations, Request, Unsupported};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::dialect::{Answers, Dialect};
use crate::entry::Memory;
use crate::open::{Ring, SetUp};

/// Every request becomes one that does nothing, and completes as if it had done all that it says.
pub(crate) struct Nop {
    answers: Answers,
}

impl Dialect for Nop {
    type Submission = squeue::Entry;
    type Completion = cqueue::Entry;

    fn set_up(set_up: &SetUp<'_>) -> io::Result<IoUring> {
        set_up.build()
    }

    fn new(_: &Ring<Self>, queue_depth: u32, _: Operations) -> Result<Self, Unsupported> {
        Ok(Self { answers: Answers::new(queue_depth) })
    }

    fn encode(&mut self, request: &Request, _: Memory) -> squeue::Entry {
        self.answers.expect_all_of(request);
        opcode::Nop::new().build().user_data(u64::from(request.tag))
    }

    fn status(&self, tag: u32, result: i32) -> i32 {
        if result == 0 { self.answers.of(tag) } else { result }
    }

    /// Entries point to nothing.
    fn let_go(&mut self) {}
}
