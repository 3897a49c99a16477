//! The engine contract, checked on the null engine.

use aio_core::testing::conformance;
use aio_null::Null;

#[test]
fn the_null_engine_keeps_the_contract() {
    conformance(&Null);
}
