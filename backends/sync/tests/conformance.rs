//! The engine contract, checked on the sync engines.

use aio_core::testing::conformance;
use aio_sync::SyncIo;

fn sync(options: &str) -> SyncIo {
    SyncIo::parse(options).expect("options that the backend has")
}

#[test]
fn the_default_keeps_the_contract() {
    conformance(&sync(""));
}

#[test]
fn the_inline_engine_keeps_the_contract() {
    conformance(&sync("inline=on"));
}

#[test]
fn the_pool_keeps_the_contract_at_depth_1_too() {
    conformance(&sync("inline=off"));
}
