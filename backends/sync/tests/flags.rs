//! The flags of the sync engines on real files.

use aio_core::testing::{cold_reads, direct_round_trip, skip};
use aio_sync::SyncIo;

fn sync(options: &str) -> SyncIo {
    SyncIo::parse(options).expect("options that the backend has")
}

#[test]
fn direct_data_makes_the_round_trip_under_each_flag() {
    for flags in ["", "nowait", "hipri", "dsync", "nowait:hipri:dsync"] {
        direct_round_trip(&sync(flags));
        direct_round_trip(&sync([flags, "pool=3"].join(":").trim_start_matches(':')));
    }
}

#[test]
fn what_would_have_waited_is_read_all_the_same_and_counted() {
    // On the lane's own thread, and in a pool.
    for depth in [1, 16] {
        let Some(counters) = cold_reads(&sync("nowait"), depth) else { return };
        if counters.again == 0 {
            skip("nothing has to wait here, not even for a file that is not in the page cache");
        }
        let calls = counters.submitted + counters.again + counters.interrupted;
        assert_eq!(counters.system_calls, calls);
        let counters = cold_reads(&sync(""), depth).expect("it ran with a flag");
        assert_eq!(counters.again, 0, "nobody asked not to wait");
    }
}

#[test]
fn buffered_data_comes_back_past_the_page_cache() {
    assert!(cold_reads(&sync("dontcache:nowait"), 4).is_some());
}
