//! The suite that every engine passes, for each way in which this one can work.

use aio_core::testing::conformance;
use aio_libaio::Libaio;

#[test]
fn with_its_defaults() {
    conformance(&Libaio::default());
}

#[test]
fn without_the_ring() {
    conformance(&Libaio::parse("user-ring=off").expect("an option that there is"));
}

#[test]
fn without_pgetevents() {
    conformance(&Libaio::parse("pgetevents=off").expect("an option that there is"));
}

#[test]
fn without_both() {
    let options = "user-ring=off:pgetevents=off";
    conformance(&Libaio::parse(options).expect("options that there are"));
}

#[test]
fn not_waiting() {
    conformance(&Libaio::parse("nowait").expect("an option that there is"));
}

#[test]
fn not_waiting_without_the_ring() {
    conformance(&Libaio::parse("nowait:user-ring=off").expect("options that there are"));
}

#[test]
fn with_durable_writes() {
    conformance(&Libaio::parse("dsync").expect("an option that there is"));
}
