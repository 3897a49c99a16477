//! Random rounds against the engine, with each set of options that takes another way through it.

use aio_core::testing::{StressPlan, stress};
use aio_uring::Uring;

const VARIANTS: [&str; 12] = [
    "",
    "fixed-files=off:fixed-buffers=off:single-issuer=off:coop-taskrun=off:no-sqarray=off:\
     registered-ring=off",
    "fixed-buffers=off",
    "fixed-files=off",
    "defer-taskrun=off",
    "defer-taskrun=off:coop-taskrun=off:fixed-buffers=off",
    "sqpoll",
    "sqpoll:sqpoll-idle-ms=1:fixed-buffers=off:registered-ring=off",
    "vectored",
    "ext-arg=off",
    "vectored:ext-arg=off:fixed-files=off:single-issuer=off:coop-taskrun=off:no-sqarray=off:\
     registered-ring=off",
    "sqpoll:vectored:ext-arg=off",
];

/// One test, because the suite counts what the process holds.
#[test]
fn random_rounds_keep_the_contract_and_the_data() {
    let plan = StressPlan::from_environment(8);
    for options in VARIANTS {
        let backend = Uring::parse(options).expect("the options are well-formed");
        eprintln!("uring:{options}: {}", stress(&backend, &plan));
    }
}
