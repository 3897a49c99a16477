//! What only a device itself can answer.
#![expect(unsafe_code, reason = "the ioctls of block and NVMe devices have no safe binding")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use libc::{Ioctl, c_int, c_ulong};

/// What `_IO` adds to type and number on this architecture.
const NO_DATA: Ioctl = libc::BLKSSZGET & !0xffff;
/// `_IO(0x12, 94)` of `linux/fs.h`.
const BLKROGET: Ioctl = NO_DATA | 0x125e;
/// `_IO('N', 0x40)` of `linux/nvme_ioctl.h`.
const NVME_IOCTL_ID: Ioctl = NO_DATA | 0x4e40;
/// As wide as an address, because a driver may take it for one.
const NO_ARGUMENT: c_ulong = 0;

/// Whether the block device refuses writes.
pub(super) fn is_read_only(device: &File) -> io::Result<bool> {
    Ok(number(device, BLKROGET)? != 0)
}

/// The bytes of a logical block of the block device.
pub(in crate::target) fn logical_block_bytes(device: &File) -> io::Result<u32> {
    let bytes = u32::try_from(number(device, libc::BLKSSZGET)?).unwrap_or(0);
    // Nothing that is moved could be a multiple of anything else.
    if bytes.is_power_of_two() { Ok(bytes) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// The number of an NVMe namespace, of its block device or its generic one.
///
/// # Errors
/// What the device says to a question that it does not know.
pub fn namespace_id(device: &File) -> io::Result<c_int> {
    // SAFETY: the descriptor is open. NVMe reads no argument here; a driver of another device that
    // takes one finds 0, which is no address, and not what was left in a register.
    let answer = unsafe { libc::ioctl(device.as_raw_fd(), NVME_IOCTL_ID, NO_ARGUMENT) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Asks a question whose answer is an `int`.
fn number(device: &File, request: Ioctl) -> io::Result<c_int> {
    let mut answer: c_int = 0;
    // SAFETY: the descriptor is open, and both requests that are passed here write one `int`.
    let status = unsafe { libc::ioctl(device.as_raw_fd(), request, &raw mut answer) };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}
