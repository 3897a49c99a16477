//! The reader of completion rings on memory that holds anything, with a wall behind its last byte.
#![expect(unsafe_code, reason = "the ring is memory with a guard page behind it")]

use std::mem::size_of;
use std::ptr::{self, NonNull};

use aio_core::testing::{fuzz, one_sentence};
use libaio_sys::{
    IoEvent, NoRing, RING_HEADER_BYTES, RING_INCOMPAT_FEATURES, RING_MAGIC, Ring, RingHeader,
};

const PAGE: usize = 4096;
/// The most memory of a ring here.
const ROOM: usize = 2 * PAGE;
/// Words of the header, by their index.
const WORDS: u8 = 8;

/// Two pages that can be used, between two that cannot: whatever is read before or behind the ring
/// ends the test.
struct Walled(NonNull<u8>);

impl Walled {
    fn new() -> Self {
        let (none, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, where the kernel likes.
        let start = unsafe { libc::mmap(ptr::null_mut(), 2 * PAGE + ROOM, none, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        let start = NonNull::new(start.cast::<u8>()).expect("not the first page");
        // SAFETY: inside the mapping.
        let inside = unsafe { start.add(PAGE) };
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: two pages of this mapping, which nobody uses yet.
        let status = unsafe { libc::mprotect(inside.as_ptr().cast(), ROOM, protection) };
        assert_eq!(status, 0);
        Self(inside)
    }

    /// The last `length_bytes`, so that the wall stands right behind them.
    fn last(&self, length_bytes: usize) -> NonNull<u8> {
        assert!(length_bytes <= ROOM);
        // SAFETY: inside what can be used, or one past it.
        unsafe { self.0.add(ROOM - length_bytes) }
    }

    /// All of it, while no ring exists.
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: mapped, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr(), ROOM) }
    }
}

impl Drop for Walled {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made starts a page before.
        let start = unsafe { self.0.sub(PAGE) };
        // SAFETY: nobody has an address in it any more.
        let status = unsafe { libc::munmap(start.as_ptr().cast(), 2 * PAGE + ROOM) };
        assert_eq!(status, 0);
    }
}

/// Bytes that say what is done, until there are none.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number, most often one that matters to a ring of `nr` events.
    fn number(&mut self, nr: u32) -> Option<u32> {
        Some(match self.byte()? {
            0 => 0,
            1 => nr,
            2 => nr.wrapping_sub(1),
            3 => nr.wrapping_add(1),
            4 => u32::MAX,
            5 => 1 << 31,
            6 => RING_MAGIC,
            7 => RING_HEADER_BYTES,
            8 => u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]),
            other => u32::from(other).checked_rem(nr).unwrap_or_default(),
        })
    }
}

/// Stores `value` in a word of the header, as another thread might.
fn store(header: &RingHeader, word: u8, value: u32) {
    let words = [
        &header.id,
        &header.nr,
        &header.head,
        &header.tail,
        &header.magic,
        &header.compat_features,
        &header.incompat_features,
        &header.header_length_bytes,
    ];
    words[usize::from(word)].store(value, std::sync::atomic::Ordering::Relaxed);
}

/// Makes a ring as the script says, mostly a right one but for a few words, and goes on reading
/// from it while the script changes words. Says what came of it.
fn play(walled: &mut Walled, input: &[u8]) -> Option<String> {
    let mut script = Script(input);
    let events = usize::from(script.byte()?);
    let slack = usize::from(script.byte()? % 40);
    // Whatever was there; its data says which event it is.
    let length_bytes = (size_of::<RingHeader>() + events * size_of::<IoEvent>() + slack).min(ROOM);
    let length_bytes = length_bytes.saturating_sub(usize::from(script.byte()? % 72));
    walled.bytes().fill(script.byte()?);
    let start = walled.last(length_bytes);
    let is_readable =
        length_bytes >= size_of::<RingHeader>() && start.cast::<IoEvent>().is_aligned();
    let nr = u32::try_from(events).expect("a byte");
    if !is_readable {
        // SAFETY: mapped memory of that length, which nobody else touches.
        let refused = unsafe { Ring::from_raw(start, length_bytes) }.expect_err("no header fits");
        return Some(refused.to_string());
    }
    // SAFETY: there is room for a header, at an address that is aligned for it, of atomics.
    let header = unsafe { start.cast::<RingHeader>().as_ref() };
    let right = [0, nr, 0, 0, RING_MAGIC, 1, RING_INCOMPAT_FEATURES, RING_HEADER_BYTES];
    (0..WORDS).zip(right).for_each(|(word, value)| store(header, word, value));
    for _ in 0..script.byte()? % 4 {
        store(header, script.byte()? % WORDS, script.number(nr)?);
    }
    // SAFETY: mapped memory of that length; only atomic words of its header change while the
    // reader lives, and a tail that moves shows events that were written before.
    let mut ring = match unsafe { Ring::from_raw(start, length_bytes) } {
        Ok(ring) => ring,
        Err(refused) => {
            if let NoRing::Broken(broken) = &refused {
                assert!(broken.head >= broken.nr || broken.tail >= broken.nr, "{broken:?}");
            }
            return Some(refused.to_string());
        }
    };
    let room = (length_bytes - size_of::<RingHeader>()) / size_of::<IoEvent>();
    assert!(ring.nr() as usize <= room, "{} events in memory for {room}", ring.nr());
    let mut way = String::from("a ring");
    while let (Some(word), Some(value)) = (script.byte(), script.number(ring.nr())) {
        store(header, word % WORDS, value);
        let max = script.byte().map_or(usize::MAX, usize::from);
        let mut seen = 0_usize;
        match ring
            .visit(max, |event| seen += usize::from(std::hint::black_box(event.data) < u64::MAX))
        {
            Ok(count) => {
                assert!(seen <= count && count <= max && count < ring.nr() as usize, "{count}");
                way += if count == 0 { " nothing" } else { " some" };
            }
            Err(broken) => {
                one_sentence(&broken.to_string());
                assert!(broken.head >= broken.nr || broken.tail >= broken.nr, "{broken:?}");
                assert_eq!(seen, 0, "nothing is passed on from a broken ring");
                way += " broken";
            }
        }
        way.truncate(120);
    }
    Some(way)
}

#[test]
fn fuzzed_rings_are_read_inside_their_memory_or_refused() {
    let mut walled = Walled::new();
    let corpus: [&[u8]; 5] = [
        // Four events: three come, one is read, then the rest, round the end, and a wrong tail.
        &[4, 0, 0, 7, 0, 3, 12, 1, 0, 0, 9, 2, 11, 1, 3, 4, 255],
        // Memory that is too short by a byte, and by a header.
        &[4, 0, 1, 7, 0],
        &[0, 0, 33, 7, 0],
        // A wrong magic number, and more events than there is memory for.
        &[8, 0, 0, 0, 1, 4, 4],
        &[8, 0, 0, 0, 1, 1, 3, 3, 1, 9],
    ];
    fuzz("completion rings", &corpus, &[], |input| {
        let way = play(&mut walled, input).unwrap_or_else(|| "too short a script".into());
        one_sentence(&way);
        way
    });
}
