//! Random rounds against the null engine: it moves no data, so only requests and memory count.

use aio_core::testing::{StressPlan, stress};
use aio_null::Null;

#[test]
fn random_rounds_keep_the_contract() {
    eprintln!("null: {}", stress(&Null, &StressPlan::from_environment(1)));
}
