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

#[test]
fn a_pool_with_fewer_threads_than_requests_keeps_the_contract() {
    conformance(&sync("pool=2"));
}

#[test]
fn a_pool_with_more_threads_than_requests_keeps_the_contract() {
    conformance(&sync("pool=64"));
}

#[test]
fn not_waiting_keeps_the_contract() {
    conformance(&sync("nowait"));
}

#[test]
fn durable_writes_keep_the_contract() {
    conformance(&sync("dsync"));
}

#[test]
fn dropping_pages_keeps_the_contract() {
    conformance(&sync("dontcache"));
}

#[test]
fn all_that_goes_together_keeps_the_contract() {
    conformance(&sync("nowait:dsync:dontcache:pool=3"));
}
