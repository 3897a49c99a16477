//! How much of a file is in the page cache.
//!
//! `mincore` says so to who owns a file or may write to it; to others it says that all of it is
//! there, so they are told nothing.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use nix::unistd::{AccessFlags, Uid, access};

use crate::target::cached_pages;

/// Bytes of a piece of a file that is looked at.
const PIECE_BYTES: u64 = 1 << 20;
/// The most pieces of a file, so that a large one is sampled and takes no longer than a small one.
const PIECES_MAX: u64 = 256;

/// Pages that were looked at, and those of them that were in the page cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Residency {
    pub pages: u64,
    pub resident: u64,
}

/// What is resident of the range of each file, as far as we may ask.
pub(super) fn resident(files: &[(Arc<File>, Range<u64>)]) -> Residency {
    let mut all = Residency::default();
    // Pages larger than a piece, as those of hugetlbfs, cannot be unmapped by pieces.
    let has_small_pages =
        |file: &File| file.metadata().is_ok_and(|there| there.blksize() <= PIECE_BYTES);
    let asked = files.iter().filter(|(file, _)| tells_the_truth(file) && has_small_pages(file));
    for (file, range) in asked {
        // What is mapped begins at a page.
        let start = range.start / PIECE_BYTES * PIECE_BYTES;
        for offset_bytes in pieces(range.end - start).map(|offset_bytes| start + offset_bytes) {
            let length = PIECE_BYTES.min(range.end - offset_bytes);
            // What cannot be mapped, or was cut off meanwhile, tells nothing.
            let Ok((pages, resident)) = cached_pages(file, offset_bytes, length) else { break };
            all.pages += pages;
            all.resident += resident;
        }
    }
    all
}

/// Where the pieces of a file begin: all of them, or some that are spread evenly.
fn pieces(size_bytes: u64) -> impl Iterator<Item = u64> {
    let all = size_bytes.div_ceil(PIECE_BYTES);
    let some = all.min(PIECES_MAX);
    (0..some).map(move |index| index * all / some * PIECE_BYTES)
}

/// Whether the kernel answers us truly (`can_do_mincore` in `mm/mincore.c`).
fn tells_the_truth(file: &File) -> bool {
    let me = Uid::effective();
    let owns = || file.metadata().is_ok_and(|there| there.uid() == me.as_raw());
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    me.is_root() || owns() || access(path.as_str(), AccessFlags::W_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

    use super::*;
    use crate::target::page_bytes;
    use crate::testing::skip;

    #[test]
    fn a_file_that_was_just_written_is_resident_and_one_that_was_dropped_is_not() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 3 << 20]).unwrap();
        let files = [(Arc::new(file), 0..3 << 20)];
        let before = resident(&files);
        let pages = (3 << 20) / page_bytes();
        assert_eq!(before, Residency { pages, resident: pages });
        files[0].0.sync_all().unwrap();
        posix_fadvise(&*files[0].0, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
        let after = resident(&files);
        if after == before {
            return skip("this file system keeps its files in memory");
        }
        assert!(after.resident < pages / 10, "{after:?}");
    }

    #[test]
    fn a_large_file_is_sampled_from_front_to_end() {
        assert_eq!(pieces(0).count(), 0);
        assert_eq!(pieces(1).collect::<Vec<_>>(), [0]);
        assert_eq!(pieces((2 << 20) + 1).collect::<Vec<_>>(), [0, 1 << 20, 2 << 20]);
        let large: Vec<_> = pieces(1 << 40).collect();
        assert_eq!(large.len(), 256);
        assert_eq!((large[1], *large.last().unwrap()), (4 << 30, 255 << 32));
    }

    #[test]
    fn what_cannot_be_mapped_tells_nothing() {
        let folder = Arc::new(File::open("/").unwrap());
        assert_eq!(resident(&[(folder, 0..1 << 20)]), Residency::default());
    }
}
