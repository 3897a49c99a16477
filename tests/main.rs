//! Whole-program tests: the binary as a user runs it. One module per purpose.
//!
//! None but those of devices needs root, and none a network or a certain speed. What the machine
//! cannot do is skipped aloud.

mod blocks;
mod data;
mod demonstration;
mod devices;
mod ending;
mod engines;
mod filesystems;
mod fio_json;
mod help;
mod limits;
mod moved;
mod numbers;
mod readme;
mod refusals;
mod results;
mod seccomp;
mod signals;
mod sizes;
mod support;
