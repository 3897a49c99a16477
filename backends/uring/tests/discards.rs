//! Trims of a block device.

use aio_core::testing::discards;
use aio_uring::Uring;

#[test]
fn discards_take_what_they_are_told_to_and_nothing_else() {
    for options in ["", "fixed-files=off", "sqpoll"] {
        discards(&Uring::parse(options).expect("options that the backend has"));
    }
}
