//! Quantities as a page writes them: with their unit, and with about four digits.

use aio_core::report::{Measures, Metric};

use crate::render::{scaled, short};

/// A time in the unit that suits it.
pub(super) fn time(ns: f64) -> String {
    let (number, unit) = in_unit(ns);
    format!("{} {unit}", short(number))
}

fn in_unit(ns: f64) -> (f64, &'static str) {
    match ns.abs() {
        size if size >= 999_950_000.0 => (ns / 1e9, "s"),
        size if size >= 999_950.0 => (ns / 1e6, "ms"),
        size if size >= 999.95 => (ns / 1e3, "µs"),
        _ => (ns, "ns"),
    }
}

/// A time on an axis, where it is a round number.
pub(super) fn round_time(ns: f64) -> String {
    let (number, unit) = in_unit(ns);
    if number > 0.0 { format!("{} {unit}", trimmed(number)) } else { "0".into() }
}

/// A number on an axis, where it is round, with `k` or `M` for thousands and millions.
pub(super) fn round_number(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{} M", trimmed(number / 1e6)),
        number if number >= 1e4 => format!("{} k", trimmed(number / 1e3)),
        number => trimmed(number),
    }
}

/// Without zeros at the end.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a column of `metric` is headed by.
pub(super) fn heading(metric: Metric) -> &'static str {
    match metric {
        Metric::Iops => "IOPS",
        Metric::Bandwidth => "GiB/s",
        Metric::P50 => "p50",
        Metric::P99 => "p99",
        Metric::P999 => "p99.9",
        Metric::ResponseP99 => "response p99",
        Metric::Cpu => "CPU/request",
        Metric::Calls => "calls/request",
    }
}

/// What an axis of `metric` is headed by.
pub(super) fn axis(metric: Metric) -> &'static str {
    match metric {
        Metric::Iops => "requests per second",
        Metric::Bandwidth => "GiB per second",
        Metric::P50 => "median latency of a request",
        Metric::P99 => "p99 latency of a request",
        Metric::P999 => "p99.9 latency of a request",
        Metric::ResponseP99 => "p99 of the time since a request was due",
        Metric::Cpu => "CPU time per request",
        Metric::Calls => "system calls per request",
    }
}

/// A value of `metric`.
pub(super) fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Iops => scaled(value),
        Metric::Bandwidth | Metric::Calls => short(value),
        _ => time(value),
    }
}

/// Two values of `metric`, with their unit once where it is the same.
pub(super) fn span(metric: Metric, low: f64, high: f64) -> String {
    let (low, high) = (value(metric, low), value(metric, high));
    if low == high {
        return low;
    }
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}–{high}"),
        (None, None) => format!("{low}–{high}"),
        _ => format!("{low} – {high}"),
    }
}

/// A value of `metric` in a sentence, with its unit.
pub(super) fn in_words(metric: Metric, number: f64) -> String {
    let number = value(metric, number);
    match metric {
        Metric::Iops => format!("{number} requests per second"),
        Metric::Bandwidth => format!("{number} GiB/s"),
        Metric::Cpu => format!("{number} of CPU time per request"),
        Metric::Calls => format!("{number} system calls per request"),
        Metric::ResponseP99 => format!("a p99 of {number} since requests were due"),
        _ => format!("a {metric} of {number}"),
    }
}

/// A value of `metric` on an axis.
pub(super) fn tick(metric: Metric, number: f64) -> String {
    match metric {
        Metric::Iops | Metric::Bandwidth | Metric::Calls => round_number(number),
        _ => round_time(number),
    }
}

/// The rate that tells most of rounds like `measures`: that of requests, or of bytes where blocks
/// are large.
pub(super) fn rate_of(metric: Metric, measures: Option<&Measures>, is_tensor: bool) -> Metric {
    if metric.is_rate() {
        return metric;
    }
    let moves_data = measures.is_some_and(|one| one.e2e_speed_gib_per_s.is_some());
    if is_tensor && moves_data { Metric::Bandwidth } else { Metric::Iops }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_suits_them() {
        for (ns, text, round) in [
            (0.0, "0.000 ns", "0"),
            (999.0, "999.0 ns", "999 ns"),
            (999.96, "1.000 µs", "1 µs"),
            (80_000.0, "80.00 µs", "80 µs"),
            (20_100_000.0, "20.10 ms", "20.1 ms"),
            (2e9, "2.000 s", "2 s"),
        ] {
            assert_eq!((time(ns).as_str(), round_time(ns).as_str()), (text, round));
        }
    }

    #[test]
    fn two_values_have_their_unit_once_where_it_is_the_same() {
        for (metric, low, high, text) in [
            (Metric::P99, 295_600.0, 304_600.0, "295.6–304.6 µs"),
            (Metric::P99, 995_000.0, 1_004_000.0, "995.0 µs – 1.004 ms"),
            (Metric::Iops, 98_500.0, 101_500.0, "98.50–101.5 k"),
            (Metric::Calls, 0.1, 0.2, "0.100–0.200"),
            (Metric::Calls, 0.1, 0.1, "0.100"),
        ] {
            assert_eq!(span(metric, low, high), text);
        }
    }

    #[test]
    fn round_numbers_have_no_zeros_at_the_end() {
        for (number, text) in
            [(0.0, "0"), (0.6, "0.6"), (5_000.0, "5000"), (50_000.0, "50 k"), (2.5e6, "2.5 M")]
        {
            assert_eq!(round_number(number), text);
        }
    }

    #[test]
    fn a_rate_is_of_bytes_only_where_bytes_are_what_counts() {
        let moved = aio_core::report::Measures {
            direction: aio_core::plan::Direction::Read,
            requests_per_s: Some(1.0),
            e2e_speed_gib_per_s: Some(1.0),
            p50_ns: None,
            p99_ns: None,
            p99_9_ns: None,
            response_p99_ns: None,
            cpu_ns_per_request: None,
            system_calls_per_request: None,
        };
        assert_eq!(rate_of(Metric::P99, Some(&moved), true), Metric::Bandwidth);
        assert_eq!(rate_of(Metric::P99, Some(&moved), false), Metric::Iops);
        assert_eq!(rate_of(Metric::Bandwidth, None, false), Metric::Bandwidth);
        let none = Measures { e2e_speed_gib_per_s: None, ..moved };
        assert_eq!(rate_of(Metric::P99, Some(&none), true), Metric::Iops);
    }
}
