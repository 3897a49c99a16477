//! Which bytes of a file are on storage: holes and unwritten extents are not, and reads answer them
//! from nothing.
#![expect(unsafe_code, reason = "FIEMAP has no safe binding")]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

use libc::Ioctl;
use nix::unistd::{Whence, lseek};

/// `_IOWR('f', 11, struct fiemap)` of `linux/fs.h`, which comes to the same number on every
/// architecture: where the directions have other bits, these two together have the same.
const FS_IOC_FIEMAP: Ioctl = 0xc020_660b_u32 as Ioctl;

/// Writes back what is in the page cache first: without it, buffered data looks unwritten.
const FLAG_SYNC: u32 = 1;
/// There is no extent behind it.
const LAST: u32 = 0x1;
/// What is there cannot be read past the file system: it is compressed, say.
const ENCODED: u32 = 0x8;
/// It is encrypted, which sets [`ENCODED`] as well.
const ENCRYPTED: u32 = 0x80;
/// Storage is kept for it, and nothing is on that.
const UNWRITTEN: u32 = 0x800;

/// Bytes of `struct fiemap` before its extents.
const HEAD_BYTES: usize = 32;
/// Extents that are asked for at once.
const AT_ONCE: usize = AT_ONCE_U32 as usize;
const AT_ONCE_U32: u32 = 256;
/// The most that are looked at: a file in more pieces takes too long.
const EXTENTS_MAX: usize = 1 << 20;

/// `struct fiemap_extent` of `linux/fiemap.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Extent {
    logical_bytes: u64,
    physical_bytes: u64,
    length_bytes: u64,
    reserved: [u64; 2],
    flags: u32,
    reserved_too: [u32; 3],
}

/// `struct fiemap` with room for some extents.
#[repr(C)]
struct Fiemap {
    start_bytes: u64,
    length_bytes: u64,
    flags: u32,
    mapped: u32,
    room: u32,
    reserved: u32,
    extents: [Extent; AT_ONCE],
}

const _: () = assert!(size_of::<Extent>() == 56);
const _: () = assert!(size_of::<Fiemap>() == HEAD_BYTES + 56 * AT_ONCE);

/// What is known of a range of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extents {
    /// Some of it is a hole.
    pub(super) holes: bool,
    /// Some of it was kept for data that was never written.
    pub(super) unwritten: bool,
    /// Some of it is stored compressed.
    pub(super) compressed: bool,
}

/// Whether any of the first `size_bytes` of `file` is a hole or an unwritten extent, which a read
/// answers from nothing. `None` where the file system does not tell.
#[must_use]
pub fn has_holes(file: &File, size_bytes: u64) -> Option<bool> {
    extents(file, 0..size_bytes).map(|found| found.holes || found.unwritten)
}

/// How a file lies on storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The pieces that it is in; adjoining ones of another kind count as well.
    pub extents: u64,
    /// Some of it is a hole, which a read answers from nothing.
    pub holes: bool,
    /// Some of it was kept for data that was never written, or has not been written back yet.
    pub unwritten: bool,
    /// Some of it is stored compressed.
    pub compressed: bool,
}

/// How `file` of `size_bytes` lies on storage at this moment; `None` where the file system does not
/// tell, or there are too many pieces. Nothing is written back for it, so that what is only in the
/// page cache looks unwritten.
pub(super) fn layout(file: &File, size_bytes: u64) -> Option<Layout> {
    let (Extents { holes, unwritten, compressed }, extents) =
        walked(file, 0..size_bytes, 0).ok().flatten()?;
    Some(Layout { extents, holes, unwritten, compressed })
}

/// What this range of `file` lies in; `None` where the file system does not tell.
pub(super) fn extents(file: &File, range: Range<u64>) -> Option<Extents> {
    mapped(file, range.clone()).ok().flatten().or_else(|| sought(file, range))
}

/// As FIEMAP tells, written back first; `None` when there are too many extents.
fn mapped(file: &File, range: Range<u64>) -> io::Result<Option<Extents>> {
    Ok(walked(file, range, FLAG_SYNC)?.map(|(found, _)| found))
}

/// As FIEMAP tells with `flags`, and in how many extents; `None` when there are too many.
fn walked(file: &File, range: Range<u64>, flags: u32) -> io::Result<Option<(Extents, u64)>> {
    let mut map = Box::new(Fiemap {
        start_bytes: 0,
        length_bytes: 0,
        flags,
        mapped: 0,
        room: AT_ONCE_U32,
        reserved: 0,
        extents: [Extent::default(); AT_ONCE],
    });
    let mut found = Extents::default();
    let mut count = 0;
    let mut at = range.start;
    for _ in 0..EXTENTS_MAX / AT_ONCE {
        (map.start_bytes, map.length_bytes) = (at, range.end - at);
        fiemap(file, &mut map)?;
        let extents = &map.extents[..(map.mapped as usize).min(AT_ONCE)];
        let (end, is_last) = found.add(extents, at);
        count += extents.len() as u64;
        at = end;
        if at >= range.end {
            return Ok(Some((found, count)));
        }
        if extents.is_empty() || is_last {
            found.holes = true;
            return Ok(Some((found, count)));
        }
        // The file is in step with its storage by now.
        map.flags = 0;
    }
    Ok(None)
}

impl Extents {
    /// Adds what `extents` say, of which the first should begin at `from`. Returns where the last
    /// one ends, and whether it is the file's last.
    fn add(&mut self, extents: &[Extent], from: u64) -> (u64, bool) {
        let mut end = from;
        for one in extents {
            self.holes |= one.logical_bytes > end;
            self.unwritten |= one.flags & UNWRITTEN != 0;
            self.compressed |= one.flags & (ENCODED | ENCRYPTED) == ENCODED;
            end = end.max(one.logical_bytes.saturating_add(one.length_bytes));
        }
        (end, extents.last().is_some_and(|one| one.flags & LAST != 0))
    }
}

fn fiemap(file: &File, map: &mut Fiemap) -> io::Result<()> {
    map.room = AT_ONCE_U32;
    let map: *mut Fiemap = map;
    // SAFETY: the descriptor is open, and the kernel writes no more extents than `room` says, for
    // all of which there is memory behind the head.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_FIEMAP, map) };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// As `SEEK_HOLE` tells, to which data that was never written is a hole as well, or is not.
fn sought(file: &File, range: Range<u64>) -> Option<Extents> {
    let start = i64::try_from(range.start).ok()?;
    let first_hole = lseek(file, start, Whence::SeekHole).ok()?;
    let holes = u64::try_from(first_hole).ok()? < range.end;
    Some(Extents { holes, ..Extents::default() })
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    use nix::fcntl::{FallocateFlags, fallocate};

    use super::*;
    use crate::testing::skip;

    #[test]
    fn written_data_is_there_also_before_it_is_synced_and_a_hole_is_not() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 16]).unwrap();
        assert_ne!(has_holes(&file, 1 << 16), Some(true));
        assert_ne!(has_holes(&file, 1), Some(true));
        file.set_len(1 << 20).unwrap();
        assert_ne!(has_holes(&file, 1 << 20), Some(false));
        assert_ne!(has_holes(&file, 1 << 16), Some(true), "the hole is behind that");
        file.write_all_at(b"x", (1 << 20) - 1).unwrap();
        assert_ne!(has_holes(&file, 1 << 20), Some(false), "the hole is in the middle");
    }

    #[test]
    fn what_was_kept_and_never_written_is_told_apart_from_a_hole() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, 1 << 20) {
            return skip(&format!("no fallocate here: {error}"));
        }
        let found = match mapped(&file, 0..1 << 20) {
            Ok(found) => found.unwrap(),
            Err(error) => return skip(&format!("no FIEMAP here: {error}")),
        };
        assert_eq!(found, Extents { unwritten: true, ..Extents::default() });
        assert_eq!(has_holes(&file, 1 << 20), Some(true));
        file.write_all_at(&vec![7; 1 << 20], 0).unwrap();
        assert_eq!(has_holes(&file, 1 << 20), Some(false));
    }

    #[test]
    fn a_file_of_more_extents_than_are_asked_for_at_once_is_read_to_its_end() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        // Every second block is written and the others only kept, so that none adjoin.
        let pieces = AT_ONCE as u64 + 44;
        let all = pieces << 13;
        if fallocate(&file, FallocateFlags::empty(), 0, all.cast_signed()).is_err() {
            return skip("no fallocate here");
        }
        (0..pieces).for_each(|piece| file.write_all_at(&[7; 4096], piece << 13).unwrap());
        let Ok(found) = mapped(&file, 0..all) else { return skip("no FIEMAP here") };
        assert_eq!(found, Some(Extents { unwritten: true, ..Extents::default() }));
        file.set_len(all + (1 << 20)).unwrap();
        let longer = mapped(&file, 0..all + (1 << 20)).unwrap().unwrap();
        let told = layout(&file, all + (1 << 20)).unwrap();
        assert!(told.holes && told.unwritten && told.extents >= 2 * pieces, "{told:?}");
        assert!(longer.holes, "behind all of its extents");
        let block = |number: u64| number << 12..(number + 1) << 12;
        let told = |number| mapped(&file, block(number)).unwrap().unwrap();
        assert_eq!(told(0), Extents::default());
        assert_eq!(told(1), Extents { unwritten: true, ..Extents::default() });
        assert_eq!(told(2 * pieces - 2), Extents::default(), "only what is asked about counts");
    }

    #[test]
    fn where_nothing_is_told_nothing_is_known() {
        let device = OpenOptions::new().read(true).open("/dev/null").unwrap();
        assert!(mapped(&device, 0..1 << 20).is_err());
        assert_ne!(has_holes(&device, 1 << 20), Some(false));
    }

    #[test]
    fn extents_are_added_up_over_gaps_and_flags() {
        let extent = |logical_bytes, length_bytes, flags| Extent {
            logical_bytes,
            length_bytes,
            flags,
            ..Extent::default()
        };
        let added = |extents: &[Extent], from| {
            let mut found = Extents::default();
            let (end, is_last) = found.add(extents, from);
            (found.holes, found.unwritten, found.compressed, end, is_last)
        };
        let two = [extent(0, 8, 0), extent(8, 8, LAST)];
        assert_eq!(added(&two, 0), (false, false, false, 16, true));
        assert_eq!(added(&two[1..], 0), (true, false, false, 16, true));
        assert_eq!(added(&two[1..], 8), (false, false, false, 16, true));
        assert_eq!(added(&[extent(0, 8, UNWRITTEN)], 0), (false, true, false, 8, false));
        assert_eq!(added(&[extent(0, 8, ENCODED)], 0), (false, false, true, 8, false));
        assert_eq!(added(&[extent(0, 8, ENCODED | ENCRYPTED)], 0), (false, false, false, 8, false));
        assert_eq!(added(&[], 4), (false, false, false, 4, false));
    }
}
