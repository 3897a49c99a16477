//! Machines that are hostile: streams that are closed, file systems that are not there, limits,
//! signals, calls that fail for now. Nothing is lost, hidden or left behind.
//!
//! What a handler of signals is needed for, which does not survive the start of another program, is
//! in `backends/tests`: `interrupts`, `panics`, `soak`.

mod injected;
mod memory;
mod mounts;
mod stages;
mod stops;
mod streams;
