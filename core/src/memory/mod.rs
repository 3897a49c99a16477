//! Pinned host memory that requests move data to and from.
//!
//! A [`Mapping`] is one anonymous `mmap`; a [`Block`] is an exclusive, move-only piece of a mapping
//! that keeps the mapping alive; a [`Part`] lends out the blocks of a lane's slice of a tensor and
//! takes them back. Safe code can neither alias nor free memory that the kernel may still write to.

mod block;
mod mapping;
mod part;
mod placement;
mod region;

pub use block::{Block, Place, Segment};
pub use mapping::{HUGE_PAGE_BYTES, Mapping, MemoryKind, PAGE_BYTES};
pub use part::Part;
pub use placement::{PlacementError, cpus_allowed, numa_node_exists, pin_current_thread};
pub use region::Region;
