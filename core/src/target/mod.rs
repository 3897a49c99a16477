//! Files and devices: found and checked without changing anything, then made, opened, filled,
//! compared and removed.
//!
//! [`resolve`] holds a plan against the machine and refuses it before anything is created; what it
//! returns is a list of [`Tasklet`]s with their files. Making and filling is the tasklets' work,
//! outside the clock. [`Made`] remembers what was created, so that all of it goes again.

mod alignment;
mod compression;
mod conflicts;
mod describe;
mod device;
mod doubts;
mod drop_cache;
mod extents;
mod file_id;
mod guard;
mod inspect;
mod made;
mod mark;
mod memory;
mod mincore;
mod open;
mod queue;
mod resolve;
mod share;
mod space;
mod storage;
mod survey;
mod tasklet;
mod trim;
mod validate;

pub use alignment::Alignment;
pub use describe::{BLOCK_DEVICE, FileSystem, Mounts, NVME_GENERIC, keeps_in_memory};
pub(crate) use device::open_block_device_of;
pub use device::{HeldDevice, TargetKind, namespace_id};
pub use drop_cache::{DropCache, drop_cache};
pub use extents::{Layout, has_holes};
pub use file_id::FileId;
pub use guard::RefusedTarget;
pub(crate) use inspect::{open_to_inspect, send_to_storage};
pub use made::Made;
pub use mark::{MARK, Owner};
pub(crate) use mark::{layout, note_layout, seal};
pub use memory::available_memory_bytes;
pub(crate) use mincore::cached_pages;
#[cfg(test)]
pub(crate) use mincore::page_bytes;
pub use open::{Given, TargetFailure, open_nameless};
pub(crate) use open::{OpenPolicy, open_and_fill};
pub use queue::request_queue_of;
pub use resolve::{ResolveError, Resolved, resolve};
pub use space::{FreeSpace, Room, usable};
pub use survey::{DirectIo, Place, Survey, survey};
pub use tasklet::{Tasklet, TaskletFile};
pub use trim::{PUNCH_HOLE, Trim, TrimWay, trim_of};
pub(crate) use validate::read_whole;
pub use validate::{Difference, Unreadable, read_back, written_as_told};
