//! Devices as targets, and the guard in front of writing to them.
//!
//! A wrong write to a device destroys what somebody keeps there, so nothing is guessed: a device is
//! written only when it was named by `--allow-device`, was opened exclusively, and nothing on the
//! machine uses it, its partitions, what lies over it or what it lies on. What cannot be found out
//! counts as used. A device is never truncated, marked or removed.

#[cfg(test)]
mod fake;
mod generic;
mod hold;
mod in_use;
mod ioctl;
mod kind;
mod sysfs;
mod tables;
#[cfg(test)]
mod tests;
mod writers;

pub(crate) use generic::open_block_device_of;
pub(super) use generic::{block_number_of, namespace_of};
pub use hold::HeldDevice;
pub(super) use hold::{Devices, NO_PAGE_CACHE, is_device, who_uses};
pub(super) use ioctl::logical_block_bytes;
pub use ioctl::namespace_id;
pub use kind::TargetKind;

/// Where the kernel shows its devices.
pub(super) const SYS: &str = "/sys";
/// Where it shows mounts and swap.
const PROC: &str = "/proc";
