//! Which pages of a file the page cache holds, by `mincore`.
#![expect(unsafe_code, reason = "mmap and mincore have no safe binding that fits")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use nix::unistd::{SysconfVar, sysconf};

/// A part of a file in our address space, of which nothing is ever read.
struct Window {
    start: NonNull<c_void>,
    length: usize,
}

impl Window {
    fn open(file: &File, offset_bytes: u64, length: usize) -> io::Result<Self> {
        let offset = i64::try_from(offset_bytes).map_err(io::Error::other)?;
        let (protection, flags) = (libc::PROT_NONE, libc::MAP_SHARED);
        let at = std::ptr::null_mut();
        // SAFETY: the kernel chooses an address where nothing is, and nothing can be accessed
        // through the mapping.
        let start = unsafe { libc::mmap(at, length, protection, flags, file.as_raw_fd(), offset) };
        match NonNull::new(start) {
            Some(start) if start.as_ptr() != libc::MAP_FAILED => Ok(Self { start, length }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn resident(&self) -> io::Result<Vec<u8>> {
        let page_bytes = usize::try_from(page_bytes()).map_err(io::Error::other)?;
        let mut pages = vec![0_u8; self.length.div_ceil(page_bytes)];
        let (start, into) = (self.start.as_ptr(), pages.as_mut_ptr());
        // SAFETY: the range is mapped for as long as `self` lives, and the vector has a byte for
        // each of its pages.
        let status = unsafe { libc::mincore(start, self.length, into) };
        if status == 0 { Ok(pages) } else { Err(io::Error::last_os_error()) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `open` made, and nobody has an address in it.
        let _as_mapped = unsafe { libc::munmap(self.start.as_ptr(), self.length) };
    }
}

/// How many pages a piece of `file` has, and how many of them the page cache holds; `mincore` tells
/// that truly to who owns the file or may write it, and to others that it holds all. The piece
/// begins at a page.
///
/// # Errors
/// When it cannot be mapped, or the kernel does not tell.
pub(crate) fn cached_pages(
    file: &File,
    offset_bytes: u64,
    length_bytes: u64,
) -> io::Result<(u64, u64)> {
    let length = usize::try_from(length_bytes).map_err(io::Error::other)?;
    let pages = Window::open(file, offset_bytes, length)?.resident()?;
    let resident = pages.iter().filter(|page| **page & 1 == 1).count();
    Ok((pages.len() as u64, resident as u64))
}

/// Bytes of a page of memory.
pub(crate) fn page_bytes() -> u64 {
    let asked = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    asked.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096)
}
