//! Completions, held against what is known of their requests.

use super::draw::{Fate, POISON, Sent};
use super::walk::{State, Walk};
use crate::engine::{Completion, Errno, Operation};
use crate::memory::Block;

/// What memory that a read must leave alone holds; as long as the largest block.
static POISONED: [u8; super::round::BLOCK_BYTES_MAX as usize] =
    [POISON; super::round::BLOCK_BYTES_MAX as usize];

impl Walk<'_> {
    /// Takes the completions out of the buffer and holds them against the ledger, the files and the
    /// memory.
    pub(super) fn settle(&mut self) {
        let completions: Vec<_> = self.done.drain().collect();
        for completion in completions {
            self.settle_one(completion);
        }
    }

    fn settle_one(&mut self, completion: Completion) {
        let result = completion.result();
        let Completion { block, tag, .. } = completion;
        let state = self.states.get(tag as usize).copied();
        let (sent, was_taken) = match state {
            Some(State::InFlight(sent)) => (sent, true),
            Some(State::Queued(sent)) if self.cancelled > 0 => (sent, false),
            _ => panic!("a completion has tag {tag}, which is {state:?}"),
        };
        let block_is = block.as_ref().map(|block| (block.address(), block.len()));
        assert_eq!(block_is, sent.block, "tag {tag} came back with other memory: {sent:?}");
        if was_taken {
            let moved_bytes = moved(tag, sent, result);
            self.report.moved_bytes += u64::from(moved_bytes);
            let misaligned = matches!(sent.fate, Fate::MovesOrIsRefused(_));
            if misaligned && sent.operation == Operation::Write && result.is_err() {
                self.refused.push(sent.range);
            }
            if let Some(block) = &block
                && self.moves_data
            {
                self.check_data(sent, moved_bytes, block);
            }
        } else {
            assert_eq!(result, Err(Errno(libc::ECANCELED)), "tag {tag} was only queued: {sent:?}");
            self.cancelled -= 1;
            self.queued.retain(|queued| *queued != tag);
        }
        self.states[tag as usize] = State::Free;
        self.home.extend(block);
        self.report.requests += 1;
    }

    /// Holds the block of a request that moved `moved_bytes` against the model.
    fn check_data(&mut self, sent: Sent, moved_bytes: u32, block: &Block) {
        let start = sent.start_bytes as usize;
        let end = start + moved_bytes as usize;
        let bytes = block.as_slice();
        let (target, offset_bytes) = (sent.range.target, sent.range.offset_bytes);
        if sent.operation == Operation::Write && moved_bytes > 0 {
            self.disk.note(sent.range);
        }
        if moved_bytes > 0 {
            self.disk.assert_holds(target, offset_bytes, &bytes[start..end]);
        }
        if sent.operation == Operation::Read {
            // Direct I/O may use what is left of the range behind the end of the file.
            let behind = (sent.start_bytes + sent.range.length_bytes) as usize;
            let end = if self.disk.direct { behind } else { end };
            let untouched = bytes[..start] == POISONED[..start]
                && bytes[end..] == POISONED[..bytes.len() - end];
            assert!(untouched, "a read of {moved_bytes} bytes wrote beside its range: {sent:?}");
        }
        self.report.checked_bytes += u64::from(moved_bytes);
    }
}

/// How many bytes a request moved that ended with `result`, which is what had to become of it.
fn moved(tag: u32, sent: Sent, result: Result<u32, Errno>) -> u32 {
    let moved = result.unwrap_or(0);
    let fine = match sent.fate {
        Fate::Moves(bytes) => result == Ok(bytes),
        Fate::Fails(errno) => result == Err(Errno(errno)),
        Fate::MovesOrIsRefused(bytes) => result == Ok(bytes) || result == Err(Errno(libc::EINVAL)),
    };
    assert!(fine, "tag {tag} ended with {result:?}, which must not become of {sent:?}");
    moved
}
