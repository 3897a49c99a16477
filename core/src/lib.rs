//! The core of `aio`: the engine contract, plan, schedule, tasklets, buffers, targets, statistics
//! and report data.
//!
//! It knows no backend by name, parses no command line and prints nothing. `ARCHITECTURE.md` in the
//! repository follows one request from the command line to the report.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("aio counts bytes of memory and files in 64 bits, and runs on 64-bit machines only");

pub mod clock;
pub mod data;
pub mod engine;
pub mod memory;
mod observe;
pub mod plan;
pub mod receipt;
pub mod report;
mod schedule;
pub mod session;
pub mod stats;
pub mod streams;
pub mod target;
pub mod testing;
pub mod verify;
