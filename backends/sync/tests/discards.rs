//! Trims of a block device.

use aio_core::testing::discards;
use aio_sync::SyncIo;

#[test]
fn discards_take_what_they_are_told_to_and_nothing_else() {
    discards(&SyncIo::default());
}
