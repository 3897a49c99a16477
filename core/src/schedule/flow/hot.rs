//! The two loops that run once per request. Functions of their own, over borrowed parts, so that
//! the compiler knows what cannot overlap and keeps it in registers.

use super::slot::{FREE, Slot};
use super::starts::Starts;
use crate::clock::Stamp;
use crate::engine::{Completion, Completions, IoEngine};
use crate::schedule::source::{Job, Source};
use crate::stats::{Fingerprint, What};

/// Queues a job of `source` at each of `offsets`, with one of `tags` each. They will be submitted
/// with batch number `start`.
#[inline(never)]
pub(super) fn begin_all<E: IoEngine, S: Source>(
    slots: &mut [Slot],
    tags: &[u32],
    offsets: &[u64],
    start: u16,
    print: &mut Fingerprint,
    engine: &mut E,
    source: &mut S,
) {
    let mut running = print.running();
    for (tag, offset_bytes) in tags.iter().zip(offsets) {
        let (tag, offset_bytes) = (*tag, *offset_bytes);
        let slot = &mut slots[tag as usize];
        let job = source.job(offset_bytes, &mut slot.home);
        let Job { what, needed_bytes, .. } = job;
        let mix = what.mix(offset_bytes);
        running.add(mix);
        slot.begin(offset_bytes, what, mix, needed_bytes, start);
        let queued = engine.queue(job.request(offset_bytes, tag));
        assert!(queued.is_ok(), "an engine as deep as the flow has room for every free tag");
    }
    print.go_on(running, tags.len());
}

/// What a batch of completions adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entered {
    /// Bytes of the range, if all requests are of one kind.
    pub moved_bytes: u64,
    /// The sum of the hashes of the requests.
    pub mixes: u64,
}

/// Enters completions that were reaped at `end`, the last one first, up to one that is not simply
/// done, which it returns: puts their tags into `free`, which is as long as `done`, each where it
/// is in there, and has `record` take what each was and its latency in nanoseconds.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "parts of one value, told apart for the compiler")]
pub(super) fn enter_all<S: Source>(
    done: &mut Completions,
    slots: &mut [Slot],
    free: &mut [u32],
    starts: &Starts,
    mut record: impl FnMut(What, u64),
    end: Stamp,
    source: &mut S,
    entered: &mut Entered,
) -> Option<Completion> {
    let Entered { mut moved_bytes, mut mixes } = *entered;
    let mut list = done.take();
    let free = &mut free[..list.len()];
    let each_bytes = source.useful_bytes_each();
    let odd = loop {
        let Some(Completion { block, tag, status }) = list.pop() else { break None };
        let slot = match slots.get_mut(tag as usize) {
            Some(slot) if slot.wanted == status => slot,
            _ => break Some(Completion { block, tag, status }),
        };
        slot.wanted = FREE;
        free[list.len()] = tag;
        mixes = mixes.wrapping_add(slot.mix);
        if each_bytes.is_none() {
            moved_bytes += u64::from(source.useful_bytes(slot.offset_bytes, slot.what));
        }
        record(slot.what, end.ns_after(starts.of(slot.start)));
        source.check(slot.offset_bytes, slot.what, block.as_ref());
        source.take_back(block, &mut slot.home);
    };
    if let Some(each_bytes) = each_bytes {
        let count = free.len() - list.len() - usize::from(odd.is_some());
        moved_bytes += u64::from(each_bytes) * count as u64;
    }
    *done = list;
    *entered = Entered { moved_bytes, mixes };
    odd
}
