//! What the kernel tells about a run from outside of its hot loop, and what that says about the
//! numbers.
//!
//! A `Watch` reads counters just before a loop's clock starts and just after it has stopped: of
//! the devices that the targets lie on, of the processor's temperature, of control groups. What
//! was counted is in a `Seen`; `devices` and `doubts` turn it into parts of the report, and
//! are functions of numbers alone. No lane comes here while its requests are measured.

mod cgroup;
mod content;
mod diskstats;
mod residency;
mod throttling;
mod verdicts;
mod watch;

pub use cgroup::folders as control_group_folders;
pub(crate) use cgroup::{memory_left_bytes, memory_limit_bytes};
pub(crate) use content::{Content, mark_unread};
pub(crate) use verdicts::{Evidence, Moved, devices, doubts};
pub(crate) use watch::{Seen, Watch};
