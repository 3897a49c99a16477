//! The conformance suite that every engine passes, for the tests of backends.
//!
//! It holds what the [engine contract](crate::engine) promises, as checks that run against any
//! [`Backend`](crate::engine::Backend) on small buffered files in the directory for temporary
//! files. It measures nothing, and it knows no backend by name.

mod conformance;
mod exactly_once;
mod fixture;
mod leaving;
mod opening;
mod queueing;
mod transfers;

pub use conformance::conformance;
