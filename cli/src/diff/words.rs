//! Numbers and verdicts in words.

use aio_core::report::Metric;
use aio_core::stats::compare::{Interval, Paired, Verdict};

use super::difference::{Entry, Outcome};
use crate::gate::time;
use crate::render::{scaled, short};

/// What is said of `entry`, in words that follow its name.
pub(super) fn verdict(entry: &Entry, metric: Metric, max_regress: f64) -> String {
    let found = &entry.verdict;
    match entry.outcome {
        Outcome::Regression if max_regress > 0.0 => {
            let allowed = percent(max_regress);
            format!("{}: a regression of more than {allowed}", change(found, metric))
        }
        Outcome::Regression => format!("{}: a regression", change(found, metric)),
        Outcome::Slower => {
            format!("{}, which --max-regress allows", change(found, metric))
        }
        Outcome::Faster => change(found, metric),
        Outcome::NoDifference => {
            let ends = found.low.iter().chain(&found.high).map(|end| end.abs());
            match ends.reduce(f64::max) {
                Some(most) => format!("no difference larger than {} seen", percent(most)),
                None => "no difference seen".into(),
            }
        }
        Outcome::CannotTell => format!("too much noise to tell{}", seen(found)),
        Outcome::NotEnoughRounds => format!(
            "not enough rounds to tell ({} and {}){}",
            entry.base_rounds,
            entry.new_rounds,
            seen(found)
        ),
        Outcome::NotMeasured => format!("{metric} was not measured above 0 in all rounds"),
    }
}

/// `slower by 7.8 % (6.5–9.1)`.
fn change(verdict: &Verdict, metric: Metric) -> String {
    let change = verdict.change.unwrap_or_default();
    let word = match (metric.is_rate(), change < 0.0) {
        (true, true) => "slower".to_owned(),
        (true, false) => "faster".to_owned(),
        (false, true) => format!("{metric} lower"),
        (false, false) => format!("{metric} higher"),
    };
    let range = match verdict.low.zip(verdict.high) {
        Some((low, high)) if low * high > 0.0 => {
            let (least, most) = (low.abs().min(high.abs()), low.abs().max(high.abs()));
            format!(" ({}–{})", digits(least), digits(most))
        }
        Some((low, high)) => format!(" ({} to {})", signed(low), signed(high)),
        None => String::new(),
    };
    format!("{word} by {}{range}", percent(change.abs()))
}

/// What a change that nothing follows from looks like.
fn seen(verdict: &Verdict) -> String {
    let Some(change) = verdict.change else { return String::new() };
    let range = verdict.low.zip(verdict.high);
    let range = range.map(|(low, high)| format!(" ({} to {})", signed(low), signed(high)));
    format!("; seen: {} %{}", signed(change), range.unwrap_or_default())
}

/// The change that a ratio is: `-7.8 % (-9.1 to -6.5)`.
pub(super) fn ratio(paired: &Paired) -> String {
    let range = paired.low.zip(paired.high);
    let range =
        range.map(|(low, high)| format!(" ({} to {})", signed(low - 1.0), signed(high - 1.0)));
    format!("{} %{}", signed(paired.ratio - 1.0), range.unwrap_or_default())
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", digits(share))
}

fn signed(share: f64) -> String {
    let digits = digits(share.abs());
    let sign = match () {
        () if digits == "0" => "",
        () if share < 0.0 => "-",
        () => "+",
    };
    format!("{sign}{digits}")
}

/// A share in percent with two digits or more, and none that are zeros for nothing.
fn digits(share: f64) -> String {
    let percent = share * 100.0;
    let text = match percent.abs() {
        size if size >= 9.95 => format!("{percent:.0}"),
        size if size >= 0.995 => format!("{percent:.1}"),
        _ => format!("{percent:.2}"),
    };
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.' | '-'));
    let text = if is_zero { "0" } else { text.strip_suffix(".0").unwrap_or(&text) };
    text.to_owned()
}

/// A value of `metric` with its unit.
pub(super) fn value(metric: Metric, value: &Interval) -> String {
    match metric {
        Metric::Iops => format!("{}/s", scaled(value.median)),
        Metric::Bandwidth => format!("{} GiB/s", short(value.median)),
        Metric::Calls => short(value.median),
        _ => time(value.median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_digits_that_matter() {
        let shares = [0.0, 0.0004, 0.01, 0.0123, 0.05, 0.0996, 0.123, 1.5];
        assert_eq!(shares.map(digits).join(" "), "0 0.04 1 1.2 5 10 12 150");
        assert_eq!([-0.12, 0.000_001, -0.000_001].map(signed).join(" "), "-12 0 0");
    }
}
