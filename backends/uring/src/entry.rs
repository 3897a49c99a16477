//! What a request looks like to the ring.

use std::os::fd::RawFd;

use aio_core::engine::{Operation, Request};
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{opcode, squeue};

use crate::open::Ring;

/// Turns requests into submission queue entries, the way that the ring's registrations call for.
pub(crate) struct Encoder {
    /// What entries say for each target: its index, or its descriptor.
    target_numbers: Vec<RawFd>,
    /// Says which of the two.
    target_flags: squeue::Flags,
    buffers_are_registered: bool,
}

/// The memory that a request moves, noted before its block went into the table.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    address: usize,
    segment: u16,
}

impl Memory {
    pub(crate) fn of(request: &Request) -> Self {
        let segment = request.block.as_ref().map_or(0, aio_core::memory::Block::segment);
        Self { address: request.address(), segment }
    }
}

impl Encoder {
    pub(crate) fn new(ring: &Ring) -> Self {
        let target_flags = if ring.files_are_registered() {
            squeue::Flags::FIXED_FILE
        } else {
            squeue::Flags::empty()
        };
        Self {
            target_numbers: ring.target_numbers(),
            target_flags,
            buffers_are_registered: ring.buffers_are_registered(),
        }
    }

    /// How many targets there are.
    pub(crate) fn targets(&self) -> usize {
        self.target_numbers.len()
    }

    /// The entry for an accepted `request` that moves `memory`.
    pub(crate) fn encode(&self, request: &Request, memory: Memory) -> squeue::Entry {
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
            (operation, _) => unreachable!("the table does not accept a {operation}"),
        };
        entry.flags(self.target_flags).user_data(u64::from(request.tag))
    }
}
