//! Random requests, each with what must become of it.

use super::disk::{READ_ONLY, Written, same_file};
use super::walk::Walk;
use crate::engine::{Operation, Operations, Request};
use crate::memory::Block;

/// What blocks are filled with before a read.
pub(super) const POISON: u8 = 0xD7;
/// Bytes in the longest misaligned transfer.
const MISALIGNED_BYTES_MAX: u32 = 8192;
/// How often to look for a range that no other request uses.
const TRIES: u32 = 8;

/// What requests do, and so what engines are opened for.
pub(super) fn operations() -> Operations {
    use Operation::{Fdatasync, Fsync, Read, Write};
    Operations::of(&[Read, Write, Fsync, Fdatasync])
}

/// A request that was accepted, as the ledger knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) operation: Operation,
    /// What a write writes; for other operations, what range of which target it is about.
    pub(super) range: Written,
    /// Where in its block it starts.
    pub(super) start_bytes: u32,
    /// Address and length of its block.
    pub(super) block: Option<(usize, u32)>,
    pub(super) fate: Fate,
}

/// What must become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It moves so many bytes.
    Moves(u32),
    /// It fails with this errno.
    Fails(i32),
    /// It moves so many bytes where the file system allows it, or fails with `EINVAL`.
    MovesOrIsRefused(u32),
}

/// What is asked for, before it has memory and a tag.
#[derive(Clone, Copy, Debug)]
struct Ask {
    operation: Operation,
    target: u16,
    offset_bytes: u64,
    length_bytes: u32,
    start_bytes: u32,
    fate: Fate,
}

impl Walk<'_> {
    /// A random request for `tag`; nothing when there is no range for it.
    pub(super) fn draw(&mut self, tag: u32) -> Option<(Request, Sent)> {
        let mut ask = match self.dice.below(64) {
            0 => return Some(self.flush(tag)),
            1 => self.ask_past_the_end(),
            2 => self.ask_what_is_forbidden()?,
            3 | 4 => self.ask_what_is_misaligned()?,
            5..8 => self.ask_across_the_end()?,
            _ => self.ask_a_transfer()?,
        };
        if !self.moves_data {
            ask.fate = Fate::Moves(ask.length_bytes);
        }
        Some(self.with_memory(tag, ask))
    }

    fn flush(&mut self, tag: u32) -> (Request, Sent) {
        let operation = self.dice.pick(&[Operation::Fsync, Operation::Fdatasync]);
        let target = self.any_target();
        let request = Request {
            offset_bytes: 0,
            block: None,
            length_bytes: 0,
            block_start_bytes: 0,
            tag,
            target,
            operation,
        };
        let range = Written { target, offset_bytes: 0, length_bytes: 0, version: 0 };
        (request, Sent { operation, range, start_bytes: 0, block: None, fate: Fate::Moves(0) })
    }

    fn any_target(&mut self) -> u16 {
        let count = u32::try_from(self.disk.files().len()).expect("a few targets");
        u16::try_from(self.dice.below(count)).expect("a few targets")
    }

    fn file_to_write(&mut self) -> u16 {
        u16::try_from(self.dice.below(READ_ONLY.into())).expect("a few targets")
    }

    /// A length that the target's alignment and the block allow: all of the block, short, or any.
    fn any_length(&mut self) -> u32 {
        let unit = self.disk.alignment_bytes;
        let units = self.shape.largest_bytes / unit;
        match self.dice.below(4) {
            0 => units * unit,
            1 | 2 => self.dice.size(units.min(4096_u32.div_ceil(unit))) * unit,
            _ => (1 + self.dice.below(units)) * unit,
        }
    }

    /// A place in the block for `length_bytes`.
    fn any_start(&mut self, length_bytes: u32) -> u32 {
        let unit = self.disk.alignment_bytes;
        let room = (self.shape.largest_bytes - length_bytes) / unit;
        if self.dice.one_in(2) { 0 } else { self.dice.below(room + 1) * unit }
    }

    /// A place in the target for `length_bytes`, all before its end: now and then its first or its
    /// last.
    fn any_offset(&mut self, target: u16, length_bytes: u32) -> u64 {
        let unit = u64::from(self.disk.alignment_bytes);
        let room = self.disk.length_bytes(target) - u64::from(length_bytes);
        let places = room / unit + 1;
        let place = match self.dice.below(16) {
            0 => self.dice.below_u64(places.min(4)),
            1 => places - 1,
            _ => self.dice.below_u64(places),
        };
        place * unit
    }

    /// A read or write of what no request in flight changes or uses.
    fn ask_a_transfer(&mut self) -> Option<Ask> {
        let operation = self.dice.pick(&[Operation::Read, Operation::Write]);
        for _try in 0..TRIES {
            let length_bytes = self.any_length();
            let target =
                if operation == Operation::Read { self.any_target() } else { self.file_to_write() };
            let ask = Ask {
                operation,
                target,
                offset_bytes: self.any_offset(target, length_bytes),
                length_bytes,
                start_bytes: self.any_start(length_bytes),
                fate: Fate::Moves(length_bytes),
            };
            if !self.is_busy(ask) {
                return Some(ask);
            }
        }
        None
    }

    /// A read that starts before the end of a file and would go on behind it.
    fn ask_across_the_end(&mut self) -> Option<Ask> {
        let unit = u64::from(self.disk.alignment_bytes);
        let length_bytes = self.any_length();
        let target = self.any_target();
        let end = self.disk.length_bytes(target);
        let back = 1 + self.dice.below_u64(length_bytes.into());
        let offset_bytes = (end - back.min(end)) / unit * unit;
        let left = u32::try_from(end - offset_bytes).unwrap_or(u32::MAX);
        let ask = Ask {
            operation: Operation::Read,
            target,
            offset_bytes,
            length_bytes,
            start_bytes: self.any_start(length_bytes),
            fate: Fate::Moves(left.min(length_bytes)),
        };
        (!self.is_busy(ask)).then_some(ask)
    }

    /// A read behind the end of a file, which moves nothing.
    fn ask_past_the_end(&mut self) -> Ask {
        let unit = u64::from(self.disk.alignment_bytes);
        let length_bytes = self.any_length();
        let target = self.any_target();
        let end = self.disk.length_bytes(target).next_multiple_of(unit);
        Ask {
            operation: Operation::Read,
            target,
            offset_bytes: end + self.dice.below_u64(100) * unit,
            length_bytes,
            start_bytes: self.any_start(length_bytes),
            fate: Fate::Moves(0),
        }
    }

    /// A write to what is open for reading only.
    fn ask_what_is_forbidden(&mut self) -> Option<Ask> {
        let ask = self.ask_a_transfer()?;
        let offset_bytes = self.any_offset(READ_ONLY, ask.length_bytes);
        let fate = Fate::Fails(libc::EBADF);
        Some(Ask { operation: Operation::Write, target: READ_ONLY, offset_bytes, fate, ..ask })
    }

    /// A transfer of which something is not as direct I/O wants it.
    fn ask_what_is_misaligned(&mut self) -> Option<Ask> {
        let mut ask = self.ask_a_transfer()?;
        if !self.disk.direct || self.disk.alignment_bytes < 2 {
            return Some(ask);
        }
        // Their ranges are not used again in this round when they are refused.
        ask.length_bytes = ask.length_bytes.min(MISALIGNED_BYTES_MAX);
        let by = 1 + self.dice.below(ask.length_bytes.min(self.disk.alignment_bytes) - 1);
        match self.dice.below(3) {
            0 => ask.offset_bytes += u64::from(by),
            1 => ask.start_bytes += by,
            _ => {}
        }
        // So that the range stays in the file and in the block, whatever was moved.
        ask.length_bytes -= by;
        ask.fate = Fate::MovesOrIsRefused(ask.length_bytes);
        Some(ask)
    }

    /// Whether a request that the engine may have writes what `ask` uses, or the other way round, or
    /// nobody knows what is there.
    fn is_busy(&self, ask: Ask) -> bool {
        let writes = ask.operation == Operation::Write;
        let (start, end) = (ask.offset_bytes, ask.offset_bytes + u64::from(ask.length_bytes));
        let overlaps = |range: &Written| {
            same_file(range.target, ask.target)
                && range.offset_bytes < end
                && start < range.offset_bytes + u64::from(range.length_bytes)
        };
        let conflicts = |sent: &Sent| {
            sent.operation.moves_data()
                && (writes || sent.operation == Operation::Write)
                && overlaps(&sent.range)
        };
        self.sent().any(conflicts) || self.refused.iter().any(overlaps)
    }

    fn with_memory(&mut self, tag: u32, ask: Ask) -> (Request, Sent) {
        let Ask { operation, target, offset_bytes, length_bytes, start_bytes, fate } = ask;
        let mut block = self.any_block();
        let version = self.disk.next_version();
        let range = Written { target, offset_bytes, length_bytes, version };
        if operation == Operation::Write {
            let bytes = &mut block.as_mut_slice()[start_bytes as usize..][..length_bytes as usize];
            self.disk.fill(range, bytes);
        } else {
            block.as_mut_slice().fill(POISON);
        }
        let block_is = Some((block.address(), block.len()));
        let request = Request {
            offset_bytes,
            block: Some(block),
            length_bytes,
            block_start_bytes: start_bytes,
            tag,
            target,
            operation,
        };
        (request, Sent { operation, range, start_bytes, block: block_is, fate })
    }

    /// One of the blocks that are home.
    pub(super) fn any_block(&mut self) -> Block {
        let count = u32::try_from(self.home.len()).expect("as many blocks as tags");
        let index = self.dice.below(count);
        self.home.swap_remove(index as usize)
    }
}
