//! What a request looks like to the ring.

use std::io;
use std::os::fd::RawFd;

use aio_core::engine::{Operation, Operations, Request, Unsupported};
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::abilities::Transfer;
use crate::dialect::Dialect;
use crate::open::{Ring, SetUp};
use crate::trims::Trims;
use crate::vectors::Vectors;

/// Turns requests into reads, writes, flushes and trims of files and block devices, the way that
/// the ring's abilities and registrations call for.
pub(crate) struct Plain {
    /// What entries say for each target: its index, or its descriptor.
    target_numbers: Vec<RawFd>,
    /// Says which of the two.
    target_flags: squeue::Flags,
    reads: Transfer,
    writes: Transfer,
    /// For the requests that are vectored; empty when none are.
    vectors: Vectors,
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

    fn new(
        ring: &Ring<Self>,
        queue_depth: u32,
        operations: Operations,
    ) -> Result<Self, Unsupported> {
        let way = ring.way();
        let is_vectored = [way.reads, way.writes].contains(&Transfer::Vectored);
        Ok(Self {
            trims: Trims::of(ring.files(), operations)?,
            target_numbers: ring.target_numbers(),
            target_flags: ring.target_flags(),
            reads: way.reads,
            writes: way.writes,
            vectors: Vectors::new(if is_vectored { queue_depth } else { 0 }),
        })
    }

    fn encode(&mut self, request: &Request, memory: Memory) -> squeue::Entry {
        // An index and a descriptor go into the same field; the flag tells them apart.
        let fd = Fd(self.target_numbers[usize::from(request.target)]);
        let length = request.length_bytes;
        let offset = request.offset_bytes;
        let Memory { address, segment } = memory;
        let entry = match request.operation {
            Operation::Read => match self.reads {
                Transfer::Fixed => opcode::ReadFixed::new(fd, address as *mut u8, length, segment)
                    .offset(offset)
                    .build(),
                Transfer::Plain => {
                    opcode::Read::new(fd, address as *mut u8, length).offset(offset).build()
                }
                Transfer::Vectored => {
                    let vector = self.vectors.point(request.tag, address, length);
                    opcode::Readv::new(fd, vector, 1).offset(offset).build()
                }
            },
            Operation::Write => match self.writes {
                Transfer::Fixed => {
                    opcode::WriteFixed::new(fd, address as *const u8, length, segment)
                        .offset(offset)
                        .build()
                }
                Transfer::Plain => {
                    opcode::Write::new(fd, address as *const u8, length).offset(offset).build()
                }
                Transfer::Vectored => {
                    let vector = self.vectors.point(request.tag, address, length);
                    opcode::Writev::new(fd, vector, 1).offset(offset).build()
                }
            },
            Operation::Fsync => opcode::Fsync::new(fd).build(),
            Operation::Fdatasync => opcode::Fsync::new(fd).flags(FsyncFlags::DATASYNC).build(),
            Operation::Trim => self.trims.entry(fd, request),
            operation => unreachable!("the table does not accept a {operation}"),
        };
        entry.flags(self.target_flags).user_data(u64::from(request.tag))
    }

    fn status(&self, _: u32, result: i32) -> i32 {
        result
    }

    fn let_go(&mut self) {
        self.vectors.let_go();
    }
}
