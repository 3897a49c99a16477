//! Each way in which contestants come about.

use aio_core::report::Metric;

use super::*;

#[test]
fn contestants_lead_with_a_sentence_and_a_table_of_verdicts() {
    insta::assert_snapshot!(text(&sample::contest()), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 3 contestants against uring by IOPS, in 10 rounds of changing order, 32 s in all

    Random reads of 4 KiB: sync is slower than uring by 20.0 % (19.4–20.6); libaio: no difference larger
      than 3 % seen

    engine     IOPS  95 % interval  ratio              verdict
    ──────────────────────────────────────────────────────────────────────────────────────
    uring   100.0 k  98.50–101.5 k      1  ██████████  baseline
    libaio  99.00 k  97.52–100.5 k   0.99  █████████▉  no difference larger than 3 % seen
    sync    80.00 k  78.80–81.20 k   0.80  ████████    slower by 20.0 % (19.4–20.6)

    engine  GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req   ratio 95 %
    ────────────────────────────────────────────────────────────────────────────
    uring   0.381   300.0   500.0     900.0       4.000      0.100            -
    libaio  0.377   303.0   505.1     909.1       4.040      0.100  0.973–1.008
    sync    0.305   375.0   625.0      1125       5.000      0.100  0.794–0.806

    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    ratio: the mean ratio of rounds of the same number, which need not be that of medians
    requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0
      % of the slower one's requests)
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn a_sweep_is_grouped_by_point_and_has_a_picture_for_each_engine() {
    insta::assert_snapshot!(text(&sample::sweep()), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 2 contestants against uring at each of 3 points by IOPS, in 10 rounds of changing order,
      32 s in all

    Random reads of 4 KiB, at each of 3 points: sync is slower than uring by 10 % (8–12)

    queue-depth  engine     IOPS  95 % interval  ratio              verdict
    ──────────────────────────────────────────────────────────────────────────────────────
    1            uring   100.0 k  98.50–101.5 k      1  █▊          baseline
                 sync    90.00 k  88.65–91.35 k   0.90  █▋          slower by 10 % (8–12)
    8            uring   282.8 k  278.6–287.1 k      1  █████       baseline
                 sync    254.6 k  250.7–258.4 k   0.90  ████▌       slower by 10 % (8–12)
    32           uring   565.7 k  557.2–574.2 k      1  ██████████  baseline
                 sync    509.1 k  501.5–516.8 k   0.90  █████████   slower by 10 % (8–12)

    queue-depth  engine  GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req   ratio 95 %
    ─────────────────────────────────────────────────────────────────────────────────────────
    1            uring   0.381   300.0   500.0     900.0       4.000      0.100            -
                 sync    0.343   333.3   555.6      1000       4.444      0.100  0.884–0.916
    8            uring   1.078   106.1   176.8     318.2       1.414      0.100            -
                 sync    0.970   117.9   196.4     353.6       1.571      0.100  0.884–0.916
    32           uring   2.155   53.03   88.39     159.1       0.707      0.100            -
                 sync    1.940   58.93   98.21     176.8       0.786      0.100  0.884–0.916

    IOPS of uring read: ▁▄█ 100.0 k to 565.7 k at queue-depth=1,8,32
    IOPS of sync read: ▁▄█ 90.00 k to 509.1 k at queue-depth=1,8,32

    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    ratio: the mean ratio of rounds of the same number, which need not be that of medians
    requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0
      % of the slower one's requests)
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT (that
      of uring queue-depth=1; others differ in queue-depth)
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn a_ladder_holds_each_step_against_the_one_before_and_the_first() {
    insta::assert_snapshot!(text(&ladder()), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 3 steps, each against the one before, by IOPS, in 10 rounds of changing order, 32 s in all

    Random reads of 4 KiB: +batch: no difference larger than 3 % seen; +sqpoll (without defer-taskrun)
      is slower than +batch by 19 % (18–21)
    All steps together: 0.80 times the IOPS of plain (ratio of medians)

    step                  IOPS  ratio  in all              verdict
    ──────────────────────────────────────────────────────────────────────────────────────────
    plain              100.0 k      1    1.00  ██████████  baseline
    +batch             99.00 k   0.99    0.99  █████████▉  no difference larger than 3 % seen
    +sqpoll (without   80.00 k   0.81    0.80  ████████    slower by 19 % (18–21)
    defer-taskrun)

    step            GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req      IOPS 95 %   ratio 95 %
    ───────────────────────────────────────────────────────────────────────────────────────────────────
    plain           0.381   300.0   500.0     900.0       4.000      0.100  98.50–101.5 k            -
    +batch          0.377   303.0   505.1     909.1       4.040      0.100  97.52–100.5 k  0.973–1.008
    +sqpoll         0.305   375.0   625.0      1125       5.000      0.100  78.80–81.20 k  0.794–0.823
    (without
    defer-taskrun)

    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    ratio: to the step above; in all: to plain, of medians
    requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0
      % of the slower one's requests)
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn threads_have_the_rate_of_each_against_the_fewest() {
    insta::assert_snapshot!(text(&scale()), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 3 points against threads=1 by IOPS, in 10 rounds of changing order, 32 s in all

    Random reads of 4 KiB: threads=8 is faster than threads=1 by 183 %; threads=32 is faster than
      threads=1 by 466 %

    threads  engine     IOPS  95 % interval  ratio  per thread              verdict
    ────────────────────────────────────────────────────────────────────────────────────────
    1        uring   100.0 k  98.50–101.5 k      1        1.00  █▊          baseline
    8        uring   282.8 k  278.6–287.1 k   2.83        0.35  █████       faster by 183 %
    32       uring   565.7 k  557.2–574.2 k   5.66        0.18  ██████████  faster by 466 %

    threads  engine  GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req   ratio 95 %
    ─────────────────────────────────────────────────────────────────────────────────────
    1        uring   0.381   300.0   500.0     900.0       4.000      0.100            -
    8        uring   1.078   106.1   176.8     318.2       1.414      0.100  2.828–2.828
    32       uring   2.155   53.03   88.39     159.1       0.707      0.100  5.657–5.657

    IOPS of uring read: ▁▄█ 100.0 k to 565.7 k at threads=1,8,32

    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    per thread: the rate of each thread against that with the fewest
    requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0
      % of the slower one's requests)
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT (that
      of uring threads=1; others differ in threads)
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn another_metric_leads_the_table_and_less_of_it_is_better() {
    let mut comparison = sample::contest();
    comparison.metric = Metric::P99;
    comparison.judge();
    insta::assert_snapshot!(text(&comparison), @r"
    aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
    compared: 3 contestants against uring by p99 latency, in 10 rounds of changing order, 32 s in all

    Random reads of 4 KiB: the p99 latency of sync is higher than that of uring by 25.0 % (24.1–25.9);
      libaio: no difference larger than 3 % seen

    engine  p99 us  95 % interval  ratio              verdict
    ─────────────────────────────────────────────────────────────────────────────────────
    uring    500.0    492.6–507.6      1  ████████    baseline
    libaio   505.1    497.6–512.7   1.01  ████████▏   no difference larger than 3 % seen
    sync     625.0    615.8–634.5   1.25  ██████████  higher by 25.0 % (24.1–25.9)

    engine     IOPS  GiB/s  p50 us  p99.9 us  CPU us/req  calls/req   ratio 95 %
    ─────────────────────────────────────────────────────────────────────────────
    uring   100.0 k  0.381   300.0     900.0       4.000      0.100            -
    libaio  99.00 k  0.377   303.0     909.1       4.040      0.100  0.992–1.028
    sync    80.00 k  0.305   375.0      1125       5.000      0.100  1.241–1.259

    numbers are medians of rounds, intervals hold the true value with 95 % confidence; where nothing
      differs, at most 1 % of comparisons find a difference
    ratio: the mean ratio of rounds of the same number, which need not be that of medians
    p99 latency: less is better, and so are shorter bars
    requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0
      % of the slower one's requests)
    plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
    target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
    ");
}

#[test]
fn intervals_have_a_table_of_their_own_where_there_is_no_room_for_them() {
    insta::assert_snapshot!(middle(&both_directions()), @r"
    Random reads of 4 KiB: sync is slower than uring by 20.0 % (19.4–20.6);
      uring:sqpoll:fixed-buffers=off: no difference larger than 3 % seen
    Random writes of 4 KiB: sync is slower than uring by 20.0 % (19.4–20.6);
      uring:sqpoll:fixed-buffers=off: no difference larger than 3 % seen

    engine                           IOPS  ratio              verdict
    ─────────────────────────────────────────────────────────────────────────────────────────────
    uring              randread   100.0 k      1  ██████████  baseline
    uring:sqpoll:      randread   99.00 k   0.99  █████████▉  no difference larger than 3 % seen
    fixed-buffers=off
    sync               randread   80.00 k   0.80  ████████    slower by 20.0 % (19.4–20.6)
    uring              randwrite  100.0 k      1  ██████████  baseline
    uring:sqpoll:      randwrite  99.00 k   0.99  █████████▉  no difference larger than 3 % seen
    fixed-buffers=off
    sync               randwrite  80.00 k   0.80  ████████    slower by 20.0 % (19.4–20.6)

    engine                                     GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req
    ──────────────────────────────────────────────────────────────────────────────────────────────────
    uring                           randread   0.381   300.0   500.0     900.0       4.000      0.100
    uring:sqpoll:fixed-buffers=off  randread   0.377   303.0   505.1     909.1       4.040      0.100
    sync                            randread   0.305   375.0   625.0      1125       5.000      0.100
    uring                           randwrite  0.381   300.0   12000     900.0       4.000      0.100
    uring:sqpoll:fixed-buffers=off  randwrite  0.377   303.0   12000     909.1       4.040      0.100
    sync                            randwrite  0.305   375.0   12000      1125       5.000      0.100

    engine                                         IOPS 95 %   ratio 95 %
    ──────────────────────────────────────────────────────────────────────
    uring                           randread   98.50–101.5 k            -
    uring:sqpoll:fixed-buffers=off  randread   97.52–100.5 k  0.973–1.008
    sync                            randread   78.80–81.20 k  0.794–0.806
    uring                           randwrite  98.50–101.5 k            -
    uring:sqpoll:fixed-buffers=off  randwrite  97.52–100.5 k  0.973–1.008
    sync                            randwrite  78.80–81.20 k  0.794–0.806
    ");
}

#[test]
fn points_that_say_the_same_say_it_once() {
    let mut comparison = sample::sweep();
    cut(&mut comparison, 2);
    insta::assert_snapshot!(middle(&comparison), @r"
    Random reads of 4 KiB, at each of 3 points: sync: not enough rounds to tell

    queue-depth  engine     IOPS  ratio              verdict
    ───────────────────────────────────────────────────────────────────────────
    1            uring   101.0 k      1  █▊          baseline
                 sync    89.78 k   0.89  █▋          not enough rounds to tell
    8            uring   285.7 k      1  █████       baseline
                 sync    253.9 k   0.89  ████▌       not enough rounds to tell
    32           uring   571.3 k      1  ██████████  baseline
                 sync    507.8 k   0.89  ████████▉   not enough rounds to tell

    queue-depth  engine  GiB/s  p50 us  p99 us  p99.9 us  CPU us/req  calls/req
    ────────────────────────────────────────────────────────────────────────────
    1            uring   0.385   297.1   495.1     891.2       3.961      0.100
                 sync    0.342   334.3   557.1      1003       4.457      0.100
    8            uring   1.088   105.0   175.0     315.1       1.400      0.100
                 sync    0.967   118.2   197.0     354.5       1.576      0.100
    32           uring   2.177   52.51   87.52     157.5       0.700      0.100
                 sync    1.935   59.09   98.49     177.3       0.788      0.100

    IOPS of uring read: ▁▄█ 101.0 k to 571.3 k at queue-depth=1,8,32
    IOPS of sync read: ▁▄█ 89.78 k to 507.8 k at queue-depth=1,8,32
    ");
}
