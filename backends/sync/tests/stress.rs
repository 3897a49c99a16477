//! Random rounds against the inline engine and the pool.

use aio_core::testing::{StressPlan, stress};
use aio_sync::SyncIo;

const VARIANTS: [&str; 2] = ["inline=on", "inline=off"];

/// One test, because the suite counts what the process holds.
#[test]
fn random_rounds_keep_the_contract_and_the_data() {
    let plan = StressPlan::from_environment(2);
    for options in VARIANTS {
        let backend = SyncIo::parse(options).expect("options that there are");
        eprintln!("sync:{options}: {}", stress(&backend, &plan));
    }
}
