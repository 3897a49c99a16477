//! What a request looks like to the ring.

use std::io;
use std::os::fd::RawFd;

use aio_core::engine::{Operation, Operations, Request, Unsupported};
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::dialect::Dialect;
use crate::open::{Ring, SetUp};
use crate::trims::Trims;

/// Turns requests into reads, writes, flushes and trims of files and block devices, the way that
/// the ring's registrations call for.
pub(crate) struct Plain {
    /// What entries say for each target: its index, or its descriptor.
    target_numbers: Vec<RawFd>,
    /// Says which of the two.
    target_flags: squeue::Flags,
    buffers_are_registered: bool,
    trims: Trims,
}

/// The memory that a request moves, noted before its block went into the table.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) address: usize,
    pub(crate) segment: u16,
}

impl Memory {
    pub(crate) fn of(request: &Request) -> Self {
        let segment = request.block.as_ref().map_or(0, aio_core::memory::Block::segment);
        Self { address: request.address(), segment }
    }
}

impl Dialect for Plain {
    type Submission = squeue::Entry;
    type Completion = cqueue::Entry;

    fn set_up(set_up: &SetUp<'_>) -> io::Result<IoUring> {
        set_up.build_plain()
    }

    fn new(ring: &Ring<Self>, _: u32, operations: Operations) -> Result<Self, Unsupported> {
        Ok(Self {
            trims: Trims::of(ring.files(), operations)?,
            target_numbers: ring.target_numbers(),
            target_flags: ring.target_flags(),
            buffers_are_registered: ring.buffers_are_registered(),
        })
    }

    fn encode(&mut self, request: &Request, memory: Memory) -> squeue::Entry {
        // An index and a descriptor go into the same field; the flag tells them apart.
        let fd = Fd(self.target_numbers[usize::from(request.target)]);
        let length = request.length_bytes;
        let offset = request.offset_bytes;
        let Memory { address, segment } = memory;
        let entry = match (request.operation, self.buffers_are_registered) {
            (Operation::Read, true) => {
                opcode::ReadFixed::new(fd, address as *mut u8, length, segment)
                    .offset(offset)
                    .build()
            }
            (Operation::Read, false) => {
                opcode::Read::new(fd, address as *mut u8, length).offset(offset).build()
            }
            (Operation::Write, true) => {
                opcode::WriteFixed::new(fd, address as *const u8, length, segment)
                    .offset(offset)
                    .build()
            }
            (Operation::Write, false) => {
                opcode::Write::new(fd, address as *const u8, length).offset(offset).build()
            }
            (Operation::Fsync, _) => opcode::Fsync::new(fd).build(),
            (Operation::Fdatasync, _) => opcode::Fsync::new(fd).flags(FsyncFlags::DATASYNC).build(),
            (Operation::Trim, _) => self.trims.entry(fd, request),
            (operation, _) => unreachable!("the table does not accept a {operation}"),
        };
        entry.flags(self.target_flags).user_data(u64::from(request.tag))
    }

    fn status(&self, _: u32, result: i32) -> i32 {
        result
    }
}
