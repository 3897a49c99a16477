//! What went wrong, and what qualifies the numbers.

use aio_core::receipt::Receipt;
use aio_core::report::{Doubt, Status, Unavailable};

use super::*;

#[test]
fn an_interrupted_comparison_says_how_many_rounds_count() {
    let mut comparison = sample::contest();
    comparison.status = Status::Interrupted;
    cut(&mut comparison, 7);
    insta::assert_snapshot!(middle(&comparison), @r"
    INTERRUPTED: 7 of 10 rounds were finished by all contestants, and count

    Random reads of 4 KiB: libaio, sync: not enough rounds to tell

    engine     IOPS  95 % interval  ratio              verdict
    ─────────────────────────────────────────────────────────────────────────────
    uring   100.0 k  98.00–102.0 k      1  ██████████  baseline
    libaio  99.00 k  97.02–100.5 k   0.99  █████████▉  not enough rounds to tell
    sync    80.00 k  78.80–81.60 k   0.80  ████████    not enough rounds to tell

    engine  GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req   ratio 95 %
    ────────────────────────────────────────────────────────────────────────────
    uring   0.381   300.0   500.0     900.0       4.000      0.100            -
    libaio  0.377   303.0   505.1     909.1       4.040      0.100  0.966–1.010
    sync    0.305   375.0   625.0      1125       5.000      0.100  0.788–0.811
    ");
    cut(&mut comparison, 0);
    comparison.requests.runs_compared = 0;
    insta::assert_snapshot!(text(&comparison), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 3 contestants against uring by IOPS, in 0 rounds of changing order, 32 s in all

    INTERRUPTED: no contestant finished any of 10 rounds

    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn a_failure_comes_first_and_different_requests_are_told_once() {
    let mut comparison = sample::contest();
    cut(&mut comparison, 3);
    comparison.status = Status::Failed;
    let why = "uring and sync were not given the same read requests";
    comparison.failure = Some(why.into());
    comparison.requests.mismatch = Some(why.into());
    let text = text(&comparison);
    assert_eq!(text.matches(why).count(), 1, "{text}");
    assert!(!text.contains("requests: the same"), "{text}");
    insta::assert_snapshot!(text.split("\n\n").nth(1).unwrap(), @r"
    FAILED: uring and sync were not given the same read requests
    3 of 10 rounds were finished by all contestants, and count
    ");
}

#[test]
fn doubts_downgrades_and_what_cannot_run_stand_below_the_tables() {
    let mut comparison = sample::contest();
    let lock = Receipt::downgraded("memory-lock", "locked", "unlocked", "RLIMIT_MEMLOCK is 8 MiB");
    for one in &mut comparison.contestants {
        let total = one.total.as_mut().unwrap();
        let doubt = Doubt::new("buffered", "buffered I/O measures the page cache");
        total.directions[0].doubts = vec![doubt];
        total.receipts = vec![lock.clone()];
    }
    let sync = comparison.contestants[2].total.as_mut().unwrap();
    sync.directions[0].short_transfers = 2;
    sync.receipts.clear();
    let reason = "no such system call; use Linux 5.1 or later".into();
    comparison.unavailable = vec![Unavailable { engine: "libaio".into(), reason }];
    comparison.requests.common_requests = comparison.requests.fewest_requests;
    let text = text(&comparison);
    insta::assert_snapshot!(text.rsplit("\n\n").next().unwrap(), @r"
    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    ratio: the mean ratio of rounds of the same number, which need not be that of medians
    read is doubtful: buffered I/O measures the page cache
    uring, libaio: granted: memory-lock unlocked instead of locked: RLIMIT_MEMLOCK is 8 MiB
    sync: 2 short transfers in read, continued to their end
    unavailable: libaio cannot run here: no such system call; use Linux 5.1 or later
    requests: the same for all contestants, 29 runs compared
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn what_qualifies_a_large_sweep_is_cut_off_aloud() {
    let mut comparison = sample::contest();
    let doubt = |index| Doubt::new("one", format!("reason {index}"));
    let total = comparison.contestants[0].total.as_mut().unwrap();
    total.directions[0].doubts = (0..40).map(doubt).collect();
    let text = text(&comparison);
    assert_eq!(text.matches("is doubtful").count(), 16);
    assert!(text.contains("24 more lines like these"), "{text}");
}

#[test]
fn an_engine_that_moves_no_data_has_no_bytes_per_second() {
    let mut comparison = sample::contest();
    for round in comparison.contestants.iter_mut().flat_map(|one| &mut one.rounds) {
        round.measures[0].e2e_speed_gib_per_s = None;
    }
    comparison.judge();
    assert!(!text(&comparison).contains("GiB/s"));
}

#[test]
fn a_name_cannot_move_the_cursor() {
    let mut comparison = sample::contest();
    comparison.contestants[1].name = "a\u{1b}[2Jb".into();
    comparison.judge();
    assert!(!text(&comparison).contains('\u{1b}'));
}
