//! Whole-program tests: the binary as a user runs it. One module per purpose.
//!
//! None but those of devices, control groups and what others count of both needs root, and none a
//! network or a certain speed. What the machine cannot do is skipped aloud.

mod bad_input;
mod blocks;
mod compare;
mod data;
mod demonstration;
mod devices;
mod diff;
mod docs;
mod ending;
mod engines;
mod filesystems;
mod fio_jobs;
mod fio_json;
mod help;
mod limits;
mod moved;
mod numbers;
mod oracles;
mod outside;
mod paced;
mod page;
mod plans;
mod refusals;
mod results;
mod same_requests;
mod schema;
mod seccomp;
mod shell;
mod signals;
mod sizes;
mod strace;
mod support;
mod surroundings;
mod verbosity;
mod verdicts;
mod verify;
mod workloads;
