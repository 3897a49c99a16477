//! Numbers as people read them. What was not measured is a dash, never a number.

use aio_core::plan::{Access, Blocks, Direction, Pattern};
use aio_core::report::{DirectionReport, EngineReport, Status};

/// What stands where there is no number.
pub(crate) const NONE: &str = "-";

/// Whether the direction has a rate: it did not fail, and loops that count have ended.
pub(crate) fn has_rate(direction: &DirectionReport) -> bool {
    direction.status != Status::Failed
        && direction.task_latency_s > 0.0
        && direction.requests > 0
        && direction.loops.iter().any(|one| one.counts)
}

/// The slowest and the fastest loop that counts, in GiB/s until everybody had finished. The speed
/// of all of them lies between; that of task times need not, as stragglers differ between loops.
pub(crate) fn counting_speeds(direction: &DirectionReport) -> Option<(f64, f64)> {
    let counting = direction.loops.iter().filter(|one| one.counts);
    range(counting.map(|one| one.e2e_speed_gib_per_s))
}

/// The least and the greatest.
pub(super) fn range(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    numbers.fold(None, |range, number| {
        let (least, greatest) = range.unwrap_or((number, number));
        Some((number.min(least), number.max(greatest)))
    })
}

/// A number with about four significant digits, or all of its whole ones.
pub(crate) fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 999.95 => format!("{number:.0}"),
        size if size >= 99.995 => format!("{number:.1}"),
        size if size >= 9.9995 => format!("{number:.2}"),
        size if size >= 0.1 || size <= 0.0 => format!("{number:.3}"),
        size if size >= 0.01 => format!("{number:.4}"),
        size if size >= 0.0001 => format!("{number:.5}"),
        _ => format!("{number:.1e}"),
    }
}

/// Two numbers as a range, or one when they read the same.
pub(super) fn span((least, greatest): (f64, f64)) -> String {
    let (least, greatest) = (short(least), short(greatest));
    if least == greatest { least } else { format!("{least}–{greatest}") }
}

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
pub(super) fn milliseconds(ns: u64) -> String {
    short(ns as f64 / 1e6)
}

/// `part` per `whole`; `None` when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Whether it is the reads or the writes of a mix, whose requests share calls and CPU time.
pub(super) fn is_of_mix(direction: &DirectionReport) -> bool {
    direction.access.blocks().is_some_and(|blocks| blocks.read_percent.is_some())
}

/// System calls per request; those of a mix are of its reads and writes together.
pub(crate) fn calls_per_request(engine: &EngineReport, one: &DirectionReport) -> Option<f64> {
    let requests = if is_of_mix(one) {
        engine.directions.iter().filter(|other| is_of_mix(other)).map(|other| other.requests).sum()
    } else {
        one.requests
    };
    ratio(one.counters.system_calls, requests)
}

/// Requests per second, until everybody had finished.
#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
pub(super) fn requests_per_s(direction: &DirectionReport) -> Option<f64> {
    has_rate(direction).then(|| direction.requests as f64 / direction.e2e_latency_s)
}

/// A rate with `k` or `M` for thousands and millions.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", scaled(rate))
}

/// A number with `k` or `M` for thousands and millions.
pub(crate) fn scaled(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{} M", short(number / 1e6)),
        number if number >= 1e3 => format!("{} k", short(number / 1e3)),
        number => short(number),
    }
}

/// What is done, in the word of `--rw` where it is done in blocks.
pub(crate) fn mode(direction: Direction, access: &Access) -> String {
    let Some(Blocks { pattern, read_percent, .. }) = access.blocks() else {
        return direction.to_string();
    };
    let order = if *pattern == Pattern::Random { "rand" } else { "" };
    match (direction, read_percent) {
        (Direction::Mixed, _) => format!("{order}rw"),
        // A part of a mix.
        (_, Some(_)) => format!("{order}rw {direction}"),
        (_, None) => format!("{order}{direction}"),
    }
}

/// A time in the largest unit of which it is a whole number.
pub(super) fn time(ns: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];
    match units.iter().find(|(_, unit_ns)| ns.is_multiple_of(*unit_ns)) {
        Some((unit, unit_ns)) => format!("{} {unit}", ns / unit_ns),
        None => format!("{ns} ns"),
    }
}

/// A size in the largest unit of which it is a whole number.
pub(crate) fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.iter().find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
    match whole {
        Some((unit, bits)) => format!("{} {unit}", bytes >> bits),
        None => count(bytes, "byte"),
    }
}

/// `1 loop`, `2 loops`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use aio_core::report::gib_per_s;

    use super::super::sample;
    use super::*;

    #[test]
    fn the_speed_lies_in_the_range_of_its_loops_though_task_speed_may_lie_above() {
        // In each of two loops another tasklet straggles: 2 s of 3 s in all for either.
        let mut one = sample::one_engine().engines[0].directions.remove(0);
        assert_eq!(one.direction, Direction::Write);
        one.loops.truncate(3);
        for timed in one.loops.iter_mut().filter(|one| one.counts) {
            (timed.task_latency_s, timed.e2e_latency_s) = (2.0, 2.0);
            timed.task_speed_gib_per_s = gib_per_s(timed.bytes, 2.0);
            timed.e2e_speed_gib_per_s = gib_per_s(timed.bytes, 2.0);
        }
        one.bytes = one.loops[1].bytes + one.loops[2].bytes;
        (one.task_latency_s, one.e2e_latency_s) = (3.0, 4.0);
        one.task_speed_gib_per_s = gib_per_s(one.bytes, 3.0);
        one.e2e_speed_gib_per_s = gib_per_s(one.bytes, 4.0);
        let (least, greatest) = counting_speeds(&one).unwrap();
        assert!(one.task_speed_gib_per_s > greatest);
        assert!((least..=greatest).contains(&one.e2e_speed_gib_per_s));
    }

    #[test]
    fn numbers_have_about_four_digits_and_few_characters() {
        for (number, text) in [
            (0.0, "0.000"),
            (0.001_234, "0.00123"),
            (0.012_34, "0.0123"),
            (1.23456, "1.235"),
            (9.9996, "10.00"),
            (12.345, "12.35"),
            (99.996, "100.0"),
            (999.96, "1000"),
            (123_456.0, "123456"),
        ] {
            assert_eq!(short(number), text);
        }
        assert_eq!(span((1.0, 1.0001)), "1.000");
        assert_eq!(span((1.0, 2.0)), "1.000–2.000");
    }

    #[test]
    fn sizes_are_exact() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1_000_003, "1000003 bytes"),
            (1 << 20, "1 MiB"),
            (3 << 29, "1536 MiB"),
            (100_352, "98 KiB"),
            (u64::MAX, "18446744073709551615 bytes"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn rates_are_scaled() {
        assert_eq!(per_second(12.0), "12.00/s");
        assert_eq!(per_second(14_200_000.0), "14.20 M/s");
        assert_eq!(scaled(412_345.0), "412.3 k");
    }

    #[test]
    fn times_are_exact() {
        for (ns, text) in [
            (10_000_000_000, "10 s"),
            (1_500_000_000, "1500 ms"),
            (7_000, "7 us"),
            (1_000_000_001, "1000000001 ns"),
        ] {
            assert_eq!(time(ns), text);
        }
    }
}
