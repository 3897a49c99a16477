//! A context and its owner.
#![expect(unsafe_code, reason = "owns a kernel object and the memory that it shares")]

use std::io;
use std::mem::size_of;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::abi::{ContextId, IoEvent, Iocb, RingHeader};
use crate::calls;
use crate::ring::{BrokenRing, NoRing, Ring};

/// No kernel makes a longer ring: `ioctx_alloc` in `fs/aio.c` allows events of 256 MiB together,
/// then adds two and fills up the last page.
const RING_NR_MAX: u32 = (256 << 20) / 32 + (64 << 10);

/// Pages are never smaller, so one `mincore` byte for each of these is always enough.
const PAGE_BYTES_MIN: usize = 4096;

/// One Linux AIO context, with at most one reader of its completion ring.
///
/// Dropping it calls `io_destroy`, which *waits without a limit* until the kernel is done with
/// everything in flight. An owner that must not wait forgets the context instead
/// ([`mem::forget`](std::mem::forget)); the kernel then ends it with the process.
#[derive(Debug)]
pub struct Context {
    id: ContextId,
    queue_depth: u32,
    /// Reads the context's own mapping, and so never leaves the context.
    ring: Option<Ring>,
}

impl Context {
    /// Makes a context for `queue_depth` requests in flight, without a reader of its ring.
    ///
    /// # Errors
    /// Those of [`io_setup`](calls::io_setup).
    pub fn new(queue_depth: u32) -> io::Result<Self> {
        Ok(Self { id: calls::io_setup(queue_depth)?, queue_depth, ring: None })
    }

    /// The kernel's name for the context.
    #[must_use]
    pub fn id(&self) -> ContextId {
        self.id
    }

    /// Whether completions can be taken from the ring.
    #[must_use]
    pub fn has_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// Starts reading the ring that the kernel mapped at the context's address.
    ///
    /// The kernel does not say how long the mapping is. What it wrote as the number of events,
    /// before the address was known to anybody, is believed after three checks: there is room for
    /// every request, there are no more than a kernel can make, and memory is mapped to the end.
    ///
    /// # Errors
    /// When there is no ring there, or none of a kind that is known.
    pub fn open_ring(&mut self) -> Result<(), NoRing> {
        // A long is as wide as an address on Linux; no address is what a failure to fit means.
        let address = usize::try_from(self.id).unwrap_or_default();
        let Some(start) = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(address)) else {
            return Err(NoRing::NotMapped(io::ErrorKind::NotFound.into()));
        };
        if !start.cast::<IoEvent>().is_aligned() {
            return Err(NoRing::Misaligned);
        }
        check_mapped(start, size_of::<RingHeader>()).map_err(NoRing::NotMapped)?;
        // SAFETY: aligned and mapped, as just checked, at the address that the kernel gave for it.
        let header = unsafe { start.cast::<RingHeader>().as_ref() };
        let nr = header.nr.load(Ordering::Relaxed);
        let queue_depth = self.queue_depth;
        // Without the magic number, `nr` may be anything; `from_raw` then says so better.
        let length_bytes = if header.magic.load(Ordering::Relaxed) == crate::RING_MAGIC {
            if nr <= queue_depth || nr > RING_NR_MAX {
                return Err(NoRing::Size { nr, queue_depth });
            }
            size_of::<RingHeader>() + nr as usize * size_of::<IoEvent>()
        } else {
            size_of::<RingHeader>()
        };
        check_mapped(start, length_bytes).map_err(NoRing::NotMapped)?;
        // SAFETY: the range is mapped, and stays so until `io_destroy`, which this context calls
        // when it drops, the reader with it. Only the kernel writes to it, in the order that the
        // reader relies on, and `&mut self` makes this context the only reaper.
        self.ring = Some(unsafe { Ring::from_raw(start, length_bytes) }?);
        Ok(())
    }

    /// Stops reading the ring.
    pub fn close_ring(&mut self) {
        self.ring = None;
    }

    /// Passes completions from the ring to `each`, without a system call, as many as are there and
    /// `max` at most; none without a ring. Returns how many.
    ///
    /// # Errors
    /// When the ring is broken. It is closed then, and the calls still work.
    #[inline]
    pub fn visit_ring(
        &mut self,
        max: usize,
        each: impl FnMut(&IoEvent),
    ) -> Result<usize, BrokenRing> {
        let Some(ring) = &mut self.ring else { return Ok(0) };
        let visited = ring.visit(max, each);
        if visited.is_err() {
            self.ring = None;
        }
        visited
    }

    /// [`io_submit`](calls::io_submit) on this context.
    ///
    /// # Safety
    /// As for [`io_submit`](calls::io_submit).
    ///
    /// # Errors
    /// As for [`io_submit`](calls::io_submit).
    pub unsafe fn submit(&mut self, iocbs: &[*mut Iocb]) -> io::Result<usize> {
        // SAFETY: the caller's promise is the same.
        unsafe { calls::io_submit(self.id, iocbs) }
    }

    /// [`io_getevents`](calls::io_getevents) on this context, for at most `timeout`. A `min` beyond
    /// `events` means all of them.
    ///
    /// # Errors
    /// As for [`io_getevents`](calls::io_getevents).
    pub fn get_events(
        &mut self,
        min: usize,
        events: &mut [IoEvent],
        timeout: Duration,
    ) -> io::Result<usize> {
        let min = min.min(events.len());
        // SAFETY: `&mut self` keeps the ring's only reader out for as long as the call lasts.
        unsafe { calls::io_getevents(self.id, min, events, Some(timeout.into())) }
    }

    /// [`io_pgetevents`](calls::io_pgetevents) on this context, for at most `timeout`. A `min`
    /// beyond `events` means all of them.
    ///
    /// # Errors
    /// As for [`io_pgetevents`](calls::io_pgetevents).
    pub fn pget_events(
        &mut self,
        min: usize,
        events: &mut [IoEvent],
        timeout: Duration,
    ) -> io::Result<usize> {
        let min = min.min(events.len());
        // SAFETY: `&mut self` keeps the ring's only reader out for as long as the call lasts.
        unsafe { calls::io_pgetevents(self.id, min, events, Some(timeout.into())) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.ring = None;
        // SAFETY: the only reader of the ring is gone.
        let ended = unsafe { calls::io_destroy(self.id) };
        debug_assert!(ended.is_ok(), "io_destroy of a context that this value owns succeeds");
    }
}

/// Asks the kernel whether every page from `start` on, which begins a page, is mapped.
fn check_mapped(start: NonNull<u8>, length_bytes: usize) -> io::Result<()> {
    let mut residency = vec![0_u8; length_bytes.div_ceil(PAGE_BYTES_MIN)];
    let place = residency.as_mut_ptr();
    // SAFETY: mincore does not touch the range; it writes one byte per page of it, and there are
    // as many bytes as there would be of the smallest pages.
    let status = unsafe { libc::mincore(start.as_ptr().cast(), length_bytes, place) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::abi::IOCB_CMD_PREAD;

    /// Says what is left out, past the test harness, which keeps what print macros say to itself.
    fn skip(reason: &str) {
        let _nobody_listens = writeln!(io::stderr(), "skipped: {reason}");
    }

    /// A context of its own, or the reason why there is none here.
    fn context(queue_depth: u32) -> Option<Context> {
        Context::new(queue_depth).inspect_err(|error| skip(&format!("io_setup: {error}"))).ok()
    }

    #[test]
    fn the_ring_of_a_real_context_is_recognised_and_empty() {
        let Some(mut context) = context(32) else { return };
        let mut events = [IoEvent::default(); 4];
        let none = |_event: &IoEvent| panic!("there is no event");
        assert_eq!(context.visit_ring(4, none), Ok(0), "no ring is an empty one");
        if let Err(why) = context.open_ring() {
            skip(&why.to_string());
            return;
        }
        assert!(context.has_ring());
        assert_eq!(context.visit_ring(4, none), Ok(0));
        assert_eq!(context.get_events(0, &mut events, Duration::ZERO).unwrap(), 0);
        context.close_ring();
        assert!(!context.has_ring());
    }

    #[test]
    fn a_read_comes_back_through_the_ring_and_through_the_call() {
        let Some(mut context) = context(2) else { return };
        if let Err(why) = context.open_ring() {
            skip(&why.to_string());
            return;
        }
        let file = File::open("/dev/zero").unwrap();
        let mut buffer = [1_u8; 16];
        let mut iocb = Iocb {
            data: 7,
            opcode: IOCB_CMD_PREAD,
            fd: file.as_raw_fd().cast_unsigned(),
            address: buffer.as_mut_ptr().expose_provenance() as u64,
            length: 16,
            ..Iocb::default()
        };
        let mut events = [IoEvent::default(); 2];
        for by_call in [true, false] {
            // SAFETY: the request and its buffer live beyond the wait below.
            assert_eq!(unsafe { context.submit(&[&raw mut iocb]) }.unwrap(), 1);
            let patience = Duration::from_secs(10);
            if by_call {
                assert_eq!(context.get_events(1, &mut events, patience).unwrap(), 1);
            } else {
                // Reading /dev/zero is done when `io_submit` returns.
                assert_eq!(context.visit_ring(2, |event| events[0] = *event), Ok(1));
            }
            assert_eq!((events[0].data, events[0].result), (7, 16));
        }
        assert_eq!(buffer, [0; 16]);
        assert_eq!(context.visit_ring(2, |_event| panic!("there is no event")), Ok(0));
    }

    #[test]
    fn memory_that_is_not_mapped_is_noticed_before_it_is_read() {
        let nowhere = NonNull::new(ptr::without_provenance_mut::<u8>(PAGE_BYTES_MIN)).unwrap();
        assert!(check_mapped(nowhere, 32).is_err());
    }
}
