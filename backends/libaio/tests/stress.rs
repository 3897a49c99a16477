//! Random rounds against the engine, for each way in which it can work.

use aio_core::testing::{StressPlan, stress};
use aio_libaio::Libaio;

const VARIANTS: [&str; 5] =
    ["", "user-ring=off", "user-ring=off:pgetevents=off", "nowait", "nowait:user-ring=off"];

/// One test, because the suite counts what the process holds.
#[test]
fn random_rounds_keep_the_contract_and_the_data() {
    let plan = StressPlan::from_environment(5);
    for options in VARIANTS {
        let backend = Libaio::parse(options).expect("options that there are");
        eprintln!("libaio:{options}: {}", stress(&backend, &plan));
    }
}
