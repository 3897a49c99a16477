//! The flags of the engine on real files.

use aio_core::testing::{cold_reads, direct_round_trip, skip};
use aio_libaio::Libaio;

fn libaio(options: &str) -> Libaio {
    Libaio::parse(options).expect("options that there are")
}

#[test]
fn direct_data_makes_the_round_trip_under_each_flag() {
    for flags in ["nowait", "hipri", "dsync", "nowait:hipri:dsync", "nowait:user-ring=off"] {
        direct_round_trip(&libaio(flags));
    }
}

#[test]
fn what_would_have_waited_is_read_all_the_same_and_counted() {
    for options in ["nowait", "nowait:user-ring=off", "nowait:pgetevents=off"] {
        for depth in [1, 16] {
            let Some(counters) = cold_reads(&libaio(options), depth) else { return };
            if counters.again == 0 {
                skip("nothing has to wait here, not even for a file outside the page cache");
            }
        }
    }
    let counters = cold_reads(&libaio(""), 16).expect("it ran with a flag");
    assert_eq!(counters.again, 0, "nobody asked not to wait");
}
