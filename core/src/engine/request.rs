//! Requests going in, completions coming back.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::fmt;

use crate::memory::Block;
use crate::stats::Kind;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Operation {
    /// Storage to memory.
    Read,
    /// Memory to storage.
    Write,
    /// Make data and metadata durable. Has no block.
    Fsync,
    /// Make data durable. Has no block.
    Fdatasync,
    /// Tell the storage that a range is no longer needed: of a file, by a hole, which reads as zeros
    /// and leaves the file as long as it is; of a device, by a discard. Has a length and no block.
    Trim,
}

impl Operation {
    /// All operations, each at the place of its number.
    pub(super) const ALL: [Self; Self::COUNT] =
        [Self::Read, Self::Write, Self::Fsync, Self::Fdatasync, Self::Trim];
    /// How many there are.
    pub(super) const COUNT: usize = 5;

    /// Whether the operation moves memory and so needs a block.
    #[must_use]
    #[inline(always)]
    pub fn moves_data(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }

    /// The kind that it is counted as.
    #[must_use]
    #[inline(always)]
    pub fn kind(self) -> Kind {
        match self {
            Self::Read => Kind::Read,
            Self::Write => Kind::Write,
            Self::Fsync | Self::Fdatasync => Kind::Flush,
            Self::Trim => Kind::Trim,
        }
    }

    /// The operation's name in messages and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Fsync => "fsync",
            Self::Fdatasync => "fdatasync",
            Self::Trim => "trim",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations(u8);

impl Operations {
    /// The set of `operations`.
    #[must_use]
    pub fn of(operations: &[Operation]) -> Self {
        Self(operations.iter().fold(0, |set, operation| set | 1 << (*operation as u8)))
    }

    /// Whether `operation` is in the set.
    #[must_use]
    #[inline(always)]
    pub fn contains(self, operation: Operation) -> bool {
        self.0 & 1 << (operation as u8) != 0
    }
}

/// One operation on its way to the kernel, with the memory that it moves.
#[derive(Debug)]
pub struct Request {
    /// Where in the target, in bytes.
    pub offset_bytes: u64,
    /// The memory; present exactly when the operation moves data.
    pub block: Option<Block>,
    /// Bytes to move (read, write) or to cover (trim: at least one); a flush ignores it.
    pub length_bytes: u32,
    /// Where in the block to start: 0, or behind what a short transfer has moved already.
    pub block_start_bytes: u32,
    /// The lane's name for the request: below the queue depth, and of no other request in flight.
    pub tag: u32,
    /// Index into [`LaneSetup::files`](super::LaneSetup::files).
    pub target: u16,
    /// What to do.
    pub operation: Operation,
}

impl Request {
    /// The memory address that the kernel is told; 0 for an operation without a block.
    #[must_use]
    #[inline(always)]
    pub fn address(&self) -> usize {
        self.block.as_ref().map_or(0, |block| block.address() + self.block_start_bytes as usize)
    }
}

/// The same operation coming back.
#[derive(Debug)]
pub struct Completion {
    /// The memory that went in.
    pub block: Option<Block>,
    /// The request's name.
    pub tag: u32,
    /// Bytes moved, which is 0 for all of an operation that moves none; or the negated errno, as the
    /// kernel gives it.
    pub status: i32,
}

impl Completion {
    /// Bytes moved. Fewer than asked is a short transfer, for the lane to continue.
    ///
    /// # Errors
    /// The errno of the operation.
    #[inline(always)]
    pub fn result(&self) -> Result<u32, Errno> {
        u32::try_from(self.status).map_err(|_negative| Errno(self.status.wrapping_neg()))
    }
}

/// An error number of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// The symbolic name: `EIO`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:?}", nix::errno::Errno::from_raw(self.0))
    }

    /// What the kernel means by it: `Input/output error`.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        nix::errno::Errno::from_raw(self.0).desc()
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.meaning(), self.name())
    }
}

/// A request that the engine did not take, given back whole.
#[derive(Debug)]
pub struct Rejected {
    /// The request, unchanged.
    pub request: Request,
    /// Why.
    pub why: Why,
}

/// Why an engine did not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// As many requests as the queue is deep are queued or in flight.
    QueueFull,
    /// The tag is not below the queue depth, or is in use.
    BadTag,
    /// There is no such target.
    BadTarget,
    /// The range is not inside the block, or there is a block where there must be none, or none
    /// where there must be one; or a trim covers nothing.
    BadBlock,
    /// The engine was not opened for this operation.
    BadOperation,
}

/// Completions of one reaping call, in a buffer whose capacity never grows.
#[derive(Debug)]
pub struct Completions {
    list: Vec<Completion>,
}

impl Completions {
    /// Room for `capacity` completions.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { list: Vec::with_capacity(capacity) }
    }

    /// How many more it can take.
    #[must_use]
    #[inline(always)]
    pub fn spare(&self) -> usize {
        self.list.capacity() - self.list.len()
    }

    /// Adds one.
    ///
    /// # Panics
    /// When there is no spare capacity: an engine must look first.
    #[inline(always)]
    pub fn push(&mut self, completion: Completion) {
        // The capacity of the list itself, so that it is not compared twice.
        let has_room = self.list.len() < self.list.capacity();
        assert!(has_room, "an engine reaps no more than there is room for");
        self.list.push(completion);
    }

    /// Moves the first `count` to the end of `other`.
    ///
    /// # Panics
    /// When there are not so many, or `other` has no room for them.
    #[inline(always)]
    pub fn move_to(&mut self, count: usize, other: &mut Self) {
        let has_room = count <= other.spare();
        assert!(has_room, "an engine reaps no more than there is room for");
        let all = count == self.list.len() && other.list.is_empty();
        if all && self.list.capacity() == other.list.capacity() {
            std::mem::swap(&mut self.list, &mut other.list);
        } else {
            other.list.extend(self.list.drain(..count));
        }
    }

    /// Those that are held, first added first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Completion> {
        self.list.iter_mut()
    }

    /// How many are held.
    #[must_use]
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes the one out that was reaped last.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Completion> {
        self.list.pop()
    }

    /// Takes all of them, and leaves a list without room: to be put back when it is empty, as one
    /// whose length the compiler can keep in a register.
    #[inline(always)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self { list: std::mem::take(&mut self.list) }
    }

    /// Takes them out, first reaped first.
    #[inline(always)]
    pub fn drain(&mut self) -> impl Iterator<Item = Completion> + '_ {
        self.list.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_bytes_or_an_errno() {
        let done = |status| Completion { block: None, tag: 0, status }.result();
        assert_eq!(done(4096), Ok(4096));
        assert_eq!(done(-28), Err(Errno(28)));
        assert_eq!(Errno(28).to_string(), "No space left on device (ENOSPC)");
        assert_eq!(done(i32::MIN), Err(Errno(i32::MIN)));
    }

    #[test]
    fn a_set_has_what_was_put_in() {
        let set = Operations::of(&[Operation::Read, Operation::Fsync]);
        assert!(set.contains(Operation::Read) && set.contains(Operation::Fsync));
        assert!(!set.contains(Operation::Write) && !set.contains(Operation::Trim));
    }
}
