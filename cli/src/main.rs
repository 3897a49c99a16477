//! The command line of aio.
fn main() {}
