//! Requests as NVMe commands (`IORING_OP_URING_CMD`), past file systems and the block layer.

use std::io;
use std::os::fd::RawFd;

use aio_core::engine::{Operations, Request, Unsupported};
use io_uring::types::Fd;
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::dialect::{Answers, Dialect};
use crate::entry::Memory;
use crate::nvme::{Namespace, URING_CMD_IO};
use crate::open::{Ring, SetUp};

/// Turns requests into commands to NVMe generic devices.
pub(crate) struct Passthrough {
    target_numbers: Vec<RawFd>,
    target_flags: squeue::Flags,
    buffers_are_registered: bool,
    namespaces: Vec<Namespace>,
    /// A command is done as a whole or fails.
    answers: Answers,
}

impl Dialect for Passthrough {
    type Submission = squeue::Entry128;
    type Completion = cqueue::Entry32;

    fn set_up(set_up: &SetUp<'_>) -> io::Result<IoUring<Self::Submission, Self::Completion>> {
        set_up.build()
    }

    fn new(ring: &Ring<Self>, queue_depth: u32, _: Operations) -> Result<Self, Unsupported> {
        let namespaces: Result<Vec<_>, _> =
            ring.files().iter().map(|file| Namespace::of(file)).collect();
        let namespaces = namespaces?;
        for namespace in &namespaces {
            namespace.check(ring.largest_block_bytes())?;
        }
        Ok(Self {
            target_numbers: ring.target_numbers(),
            target_flags: ring.target_flags(),
            buffers_are_registered: ring.buffers_are_registered(),
            namespaces,
            answers: Answers::new(queue_depth),
        })
    }

    fn encode(&mut self, request: &Request, memory: Memory) -> squeue::Entry128 {
        let target = usize::from(request.target);
        let user_data = u64::from(request.tag);
        let Some(command) = self.namespaces[target].command(request, memory.address) else {
            // As the block layer answers direct I/O. Nothing is sent to the device, which would
            // read or write other bytes than were asked for.
            self.answers.expect(request.tag, -libc::EINVAL);
            return opcode::Nop::new().build().user_data(user_data).into();
        };
        self.answers.expect_all_of(request);
        let is_registered = self.buffers_are_registered && request.operation.moves_data();
        opcode::UringCmd80::new(Fd(self.target_numbers[target]), URING_CMD_IO)
            .cmd(command.0)
            .buf_index(is_registered.then_some(memory.segment))
            .build()
            .flags(self.target_flags)
            .user_data(user_data)
    }

    fn status(&self, tag: u32, result: i32) -> i32 {
        match result {
            0 => self.answers.of(tag),
            // A status of NVMe, for which there is no error number.
            1.. => -libc::EIO,
            errno => errno,
        }
    }

    /// Commands are in the entries, and point only to blocks.
    fn let_go(&mut self) {}
}
