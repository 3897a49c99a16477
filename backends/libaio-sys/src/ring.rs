//! The completion ring: completions read from the memory that the kernel shares.
#![expect(unsafe_code, reason = "reads memory that the kernel writes")]

use std::io;
use std::mem::{align_of, size_of};
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use thiserror::Error;

use crate::abi::{IoEvent, RING_HEADER_BYTES, RING_INCOMPAT_FEATURES, RING_MAGIC, RingHeader};

/// Memory that cannot be read as a completion ring.
#[derive(Debug, Error)]
pub enum NoRing {
    /// The kernel does not confirm that memory is mapped where the ring should be.
    #[error("cannot tell that memory is mapped for the completion ring")]
    NotMapped(#[source] io::Error),
    /// The address is not a multiple of eight.
    #[error("the completion ring is not aligned")]
    Misaligned,
    /// The memory ends before the ring does.
    #[error("the completion ring of {nr} events does not fit its memory of {length_bytes} bytes")]
    TooShort {
        /// Events that the header speaks of; 0 when not even the header fits.
        nr: u32,
        /// Bytes that there are.
        length_bytes: usize,
    },
    /// The kernel, or whatever stands in for it, has another kind of ring, or none.
    #[error("the magic number of the completion ring is unknown ({found:#010x})")]
    Magic {
        /// What was found instead of [`RING_MAGIC`].
        found: u32,
    },
    /// The ring has features that this reader does not know.
    #[error("the completion ring has unknown features ({found:#x})")]
    Features {
        /// What was found instead of [`RING_INCOMPAT_FEATURES`].
        found: u32,
    },
    /// The events start somewhere else.
    #[error("the header of the completion ring is {found_bytes} bytes long")]
    HeaderLength {
        /// What was found instead of [`RING_HEADER_BYTES`].
        found_bytes: u32,
    },
    /// The ring has fewer events than requests that may be in flight, or more than any kernel
    /// makes.
    #[error("a completion ring of {nr} events is not one for queue depth {queue_depth}")]
    Size {
        /// Events that the header speaks of.
        nr: u32,
        /// Requests that the context was made for.
        queue_depth: u32,
    },
    /// The positions make no sense.
    #[error(transparent)]
    Broken(#[from] BrokenRing),
}

/// The ring's positions are outside it: something has written to memory that only the kernel and
/// this reader should write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the completion ring is damaged: head {head} and tail {tail} of {nr} events")]
pub struct BrokenRing {
    /// The next event to read.
    pub head: u32,
    /// The next event to write.
    pub tail: u32,
    /// Events in the ring.
    pub nr: u32,
}

/// Reads the completions of one context from shared memory, without a system call.
///
/// It trusts nothing that can change: the number of events is read once and checked against the
/// memory's length, and every position is checked before it is used.
#[derive(Debug)]
pub struct Ring {
    header: NonNull<RingHeader>,
    events: NonNull<IoEvent>,
    nr: u32,
}

impl Ring {
    /// A reader of the ring that starts at `start`, in memory of `length_bytes` bytes.
    ///
    /// # Safety
    /// The `length_bytes` bytes at `start` must be initialised and valid to read and write for as
    /// long as the reader lives. During that time nobody else may write to them, except by atomic
    /// writes to the header's words and, ordered before the release of a new tail, to events that
    /// are not between head and tail; and nobody else may reap at the same time.
    ///
    /// # Errors
    /// When this is not a ring that can be read.
    pub unsafe fn from_raw(start: NonNull<u8>, length_bytes: usize) -> Result<Self, NoRing> {
        if !start.cast::<IoEvent>().is_aligned() {
            return Err(NoRing::Misaligned);
        }
        let Some(event_bytes) = length_bytes.checked_sub(size_of::<RingHeader>()) else {
            return Err(NoRing::TooShort { nr: 0, length_bytes });
        };
        let header = start.cast::<RingHeader>();
        // SAFETY: aligned for an event, thus for a header, which fits, as just checked; the caller
        // vouches for the memory.
        let seen = unsafe { header.as_ref() };
        let nr = recognise(seen)?;
        if nr as usize > event_bytes / size_of::<IoEvent>() {
            return Err(NoRing::TooShort { nr, length_bytes });
        }
        // SAFETY: the header fits the memory, so its end is inside or one past it.
        let events = unsafe { header.add(1) }.cast::<IoEvent>();
        let ring = Self { header, events, nr };
        ring.positions(Ordering::Relaxed)?;
        Ok(ring)
    }

    /// Events that the ring has room for.
    #[must_use]
    pub fn nr(&self) -> u32 {
        self.nr
    }

    #[inline]
    fn header(&self) -> &RingHeader {
        // SAFETY: `from_raw` checked that the header fits, and its caller keeps it mapped.
        unsafe { self.header.as_ref() }
    }

    /// Head and tail, both below `nr`.
    #[inline]
    fn positions(&self, tail_order: Ordering) -> Result<(u32, u32), BrokenRing> {
        // Only this reader, or the kernel in a call of the same thread, moves the head.
        let head = self.header().head.load(Ordering::Relaxed);
        let tail = self.header().tail.load(tail_order);
        let nr = self.nr;
        if head < nr && tail < nr { Ok((head, tail)) } else { Err(BrokenRing { head, tail, nr }) }
    }

    /// Passes completions to `each` where the kernel has put them, oldest first, as many as are
    /// there and `max` at most. Returns how many. One that was passed is not passed again, also
    /// when `each` panics.
    ///
    /// # Errors
    /// When the ring is broken; nothing is passed then, and whether anything was lost is not known.
    #[inline]
    pub fn visit(
        &mut self,
        max: usize,
        mut each: impl FnMut(&IoEvent),
    ) -> Result<usize, BrokenRing> {
        // Acquire, because the kernel writes an event before it moves the tail beyond it.
        let (head, tail) = self.positions(Ordering::Acquire)?;
        let there = if tail >= head { tail - head } else { self.nr - head + tail };
        let count = there.min(u32::try_from(max).unwrap_or(u32::MAX));
        if count == 0 {
            return Ok(0);
        }
        let mut position = Position { header: self.header(), nr: self.nr, next: head };
        let up_to_end = count.min(self.nr - head);
        for (start, length) in [(head, up_to_end), (0, count - up_to_end)] {
            // SAFETY: the range is below `nr`, and `from_raw` checked that `nr` events fit.
            let first = unsafe { self.events.add(start as usize) };
            let part = NonNull::slice_from_raw_parts(first, length as usize);
            // SAFETY: between head and tail, where nobody writes before the head has moved, which
            // is after this loop; aligned and initialised, as the caller of `from_raw` vouched.
            for event in unsafe { part.as_ref() } {
                position.next += 1;
                each(event);
            }
        }
        Ok(count as usize)
    }
}

/// How far events were passed on; tells the kernel when it is dropped, by a panic too.
struct Position<'a> {
    header: &'a RingHeader,
    nr: u32,
    /// Counted on beyond the end of the ring.
    next: u32,
}

impl Drop for Position<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release, because the kernel may overwrite what is behind the head once it sees it.
        let next = if self.next >= self.nr { self.next - self.nr } else { self.next };
        self.header.head.store(next, Ordering::Release);
    }
}

/// The number of events of a ring whose header this reader knows.
fn recognise(header: &RingHeader) -> Result<u32, NoRing> {
    let found = header.magic.load(Ordering::Relaxed);
    if found != RING_MAGIC {
        return Err(NoRing::Magic { found });
    }
    let found = header.incompat_features.load(Ordering::Relaxed);
    if found != RING_INCOMPAT_FEATURES {
        return Err(NoRing::Features { found });
    }
    let found_bytes = header.header_length_bytes.load(Ordering::Relaxed);
    if found_bytes != RING_HEADER_BYTES {
        return Err(NoRing::HeaderLength { found_bytes });
    }
    Ok(header.nr.load(Ordering::Relaxed))
}

const _: () = assert!(align_of::<RingHeader>() <= align_of::<IoEvent>());

#[cfg(test)]
mod tests {
    use super::*;

    const NR: u32 = 4;
    /// Words of the header, by their index.
    const NR_WORD: usize = 1;
    const HEAD: usize = 2;
    const TAIL: usize = 3;
    const MAGIC: usize = 4;
    const FEATURES: usize = 6;
    const LENGTH: usize = 7;

    /// A ring in ordinary memory, written through the pointer that the reader has too.
    struct Fake {
        memory: NonNull<u8>,
        words: usize,
    }

    impl Fake {
        fn new() -> Self {
            let words = (RING_HEADER_BYTES + NR * 32) as usize / 8;
            let list: Box<[u64]> = vec![0; words].into();
            let memory = NonNull::from(Box::leak(list)).cast::<u8>();
            let fake = Self { memory, words };
            fake.set(NR_WORD, NR);
            fake.set(MAGIC, RING_MAGIC);
            fake.set(LENGTH, RING_HEADER_BYTES);
            for index in 0..NR {
                fake.set(8 + 8 * index as usize, index + 100);
            }
            fake
        }

        fn set(&self, word: usize, value: u32) {
            assert!(word < self.words * 2);
            // SAFETY: inside the memory, as asserted.
            let place = unsafe { self.memory.cast::<u32>().add(word) };
            // SAFETY: aligned, owned by this fake, and nobody holds a reference.
            unsafe { place.write(value) };
        }

        fn get(&self, word: usize) -> u32 {
            assert!(word < self.words * 2);
            // SAFETY: inside the memory, as asserted.
            let place = unsafe { self.memory.cast::<u32>().add(word) };
            // SAFETY: aligned and initialised.
            unsafe { place.read() }
        }

        fn open(&self) -> Result<Ring, NoRing> {
            // SAFETY: the memory lives as long as the fake, and nobody else touches it.
            unsafe { Ring::from_raw(self.memory, self.words * 8) }
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let list = std::ptr::slice_from_raw_parts_mut(self.memory.cast().as_ptr(), self.words);
            // SAFETY: made by `Box::leak` of as many words in `new`, and dropped once.
            drop(unsafe { Box::<[u64]>::from_raw(list) });
        }
    }

    /// The data of at most `max` events.
    fn visit(ring: &mut Ring, max: usize) -> Result<Vec<u64>, BrokenRing> {
        let mut list = Vec::new();
        let count = ring.visit(max, |event| list.push(event.data & 0xffff_ffff))?;
        assert_eq!(count, list.len());
        Ok(list)
    }

    #[test]
    fn an_empty_ring_gives_nothing_and_a_filled_one_what_is_in_it() {
        let fake = Fake::new();
        let mut ring = fake.open().unwrap();
        assert_eq!(visit(&mut ring, 8).unwrap(), []);
        fake.set(TAIL, 3);
        assert_eq!(visit(&mut ring, 8).unwrap(), [100, 101, 102]);
        assert_eq!(fake.get(HEAD), 3);
        assert_eq!(visit(&mut ring, 8).unwrap(), []);
    }

    #[test]
    fn a_wrapped_ring_is_read_in_order_and_no_further_than_there_is_room() {
        let fake = Fake::new();
        let mut ring = fake.open().unwrap();
        fake.set(HEAD, 3);
        fake.set(TAIL, 2);
        assert_eq!(visit(&mut ring, 2).unwrap(), [103, 100]);
        assert_eq!(fake.get(HEAD), 1);
        assert_eq!(visit(&mut ring, 2).unwrap(), [101]);
        assert_eq!(fake.get(HEAD), 2);
        fake.set(HEAD, 3);
        fake.set(TAIL, 0);
        assert_eq!(visit(&mut ring, 2).unwrap(), [103]);
        assert_eq!(fake.get(HEAD), 0, "the head wraps too");
        assert_eq!(visit(&mut ring, 0).unwrap(), []);
    }

    #[test]
    fn an_event_over_which_its_reader_panics_is_not_passed_again() {
        let fake = Fake::new();
        let mut ring = fake.open().unwrap();
        fake.set(TAIL, 3);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // Without the message of a panic, which would look like a failure.
            ring.visit(3, |_event| std::panic::resume_unwind(Box::new("a bug")))
        }));
        assert!(panicked.is_err());
        assert_eq!(visit(&mut ring, 3).unwrap(), [101, 102]);
    }

    #[test]
    fn positions_outside_the_ring_are_an_error_before_anything_is_read() {
        for (head, tail) in [(0, NR), (NR, 0), (u32::MAX, 0), (0, u32::MAX), (NR, NR)] {
            let fake = Fake::new();
            let mut ring = fake.open().unwrap();
            fake.set(HEAD, head);
            fake.set(TAIL, tail);
            assert_eq!(visit(&mut ring, 2), Err(BrokenRing { head, tail, nr: NR }));
            assert_eq!(fake.get(HEAD), head, "the head is left alone");
            assert!(matches!(fake.open(), Err(NoRing::Broken(_))));
        }
    }

    #[test]
    fn a_number_of_events_that_changes_later_is_not_looked_at() {
        let fake = Fake::new();
        let mut ring = fake.open().unwrap();
        fake.set(NR_WORD, u32::MAX);
        fake.set(TAIL, NR);
        assert!(visit(&mut ring, 8).is_err());
        assert_eq!(ring.nr(), NR);
    }

    #[test]
    fn a_header_of_another_kind_is_refused() {
        let refused = |word, value| {
            let fake = Fake::new();
            fake.set(word, value);
            fake.open().expect_err("not a ring").to_string()
        };
        assert!(refused(MAGIC, 0).contains("magic number"));
        assert!(refused(FEATURES, 1).contains("features"));
        assert!(refused(LENGTH, 64).contains("64 bytes"));
        assert!(refused(NR_WORD, NR + 1).contains("does not fit"));
        assert!(refused(NR_WORD, u32::MAX).contains("does not fit"));
        assert!(refused(NR_WORD, 0).contains("damaged"), "no position is inside an empty ring");
    }

    #[test]
    fn memory_that_is_too_short_or_not_aligned_is_refused() {
        let fake = Fake::new();
        for length_bytes in [0, 8, 31] {
            // SAFETY: shorter than the memory that there is.
            let ring = unsafe { Ring::from_raw(fake.memory, length_bytes) };
            assert!(matches!(ring, Err(NoRing::TooShort { nr: 0, .. })));
        }
        // SAFETY: shorter than the memory that there is.
        let ring = unsafe { Ring::from_raw(fake.memory, fake.words * 8 - 1) };
        assert!(matches!(ring, Err(NoRing::TooShort { nr: NR, .. })));
        // SAFETY: inside the memory.
        let odd = unsafe { fake.memory.add(4) };
        // SAFETY: shorter than what is left of the memory.
        let ring = unsafe { Ring::from_raw(odd, 64) };
        assert!(matches!(ring, Err(NoRing::Misaligned)));
    }
}
