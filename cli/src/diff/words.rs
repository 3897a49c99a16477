//! Numbers and verdicts in words: those of comparisons, and what follows for a gate.

use aio_core::report::Metric;
use aio_core::stats::compare::{Interval, Paired};

use super::difference::{Entry, Outcome};
use crate::gate::time;
use crate::render::comparison::words::{by, comparative, verdict as of_verdict};
use crate::render::{scaled, short};

/// What no test can tell apart.
pub(super) const TWO_TIMES: &str = "unless the rounds of both took turns, a machine that changed in \
                                    between looks like this too";

/// What is said of `entry`, in words that follow its name.
pub(super) fn verdict(entry: &Entry, metric: Metric, max_regress: f64) -> String {
    let found = &entry.verdict;
    let change = || {
        let change = found.change.unwrap_or_default();
        let of = if metric.is_rate() { String::new() } else { format!("{metric} ") };
        format!("{of}{} by {}", comparative(metric, change), by(change, found.low.zip(found.high)))
    };
    match entry.outcome {
        Outcome::Regression if max_regress > 0.0 => {
            format!("{}: a regression of more than {}", change(), percent(max_regress))
        }
        Outcome::Regression => format!("{}: a regression", change()),
        Outcome::Slower => format!("{}, which --max-regress allows", change()),
        Outcome::Faster => change(),
        Outcome::NoDifference | Outcome::CannotTell => of_verdict(found, metric, true),
        Outcome::NotEnoughRounds => {
            let said = of_verdict(found, metric, false);
            format!("{said} ({} and {})", entry.base_rounds, entry.new_rounds)
        }
        Outcome::NotMeasured => format!("{metric} has no value above 0 in all rounds"),
    }
}

/// The change that a ratio is: `−7.8 % (−9.1 to −6.5)`.
pub(super) fn ratio(paired: &Paired) -> String {
    let changes = [Some(paired.ratio), paired.low, paired.high].map(|ratio| Some(ratio? - 1.0));
    let largest = changes.iter().flatten().map(|change| change.abs()).fold(0.0, f64::max);
    let decimals = match largest {
        size if size >= 0.0995 => 0,
        size if size >= 0.00995 => 1,
        _ => 2,
    };
    let signed = |change: f64| {
        let text = format!("{:.decimals$}", change.abs() * 100.0);
        match change {
            _ if !text.contains(|c: char| matches!(c, '1'..='9')) => "0".into(),
            change if change < 0.0 => format!("−{text}"),
            _ => format!("+{text}"),
        }
    };
    match changes.map(|change| change.map(signed)) {
        [Some(change), Some(low), Some(high)] => format!("{change} % ({low} to {high})"),
        [change, ..] => format!("{} %", change.unwrap_or_default()),
    }
}

/// A share as a percentage, as it was given.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
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
    fn a_change_and_its_interval_have_the_same_digits() {
        let shown = |low: f64, middle: f64, high: f64| {
            let (low, high) = (Some(low), Some(high));
            ratio(&Paired { ratio: middle, low, high, p_value: 1.0, p_value_least: 1.0, rounds: 5 })
        };
        assert_eq!(shown(0.92, 0.95, 0.981), "−5.0 % (−8.0 to −1.9)");
        assert_eq!(shown(1.05, 1.12, 1.2), "+12 % (+5 to +20)");
        assert_eq!(shown(0.999_999, 1.0, 1.000_4), "0 % (0 to +0.04)");
        let alone = Paired {
            ratio: 0.5,
            low: None,
            high: None,
            p_value: 1.0,
            p_value_least: 1.0,
            rounds: 1,
        };
        assert_eq!(ratio(&alone), "−50 %");
    }

    #[test]
    fn an_allowance_reads_as_it_was_given() {
        assert_eq!(
            [0.05, 0.1, 0.025, 1.0, 0.0012].map(percent).join(" "),
            "5 % 10 % 2.5 % 100 % 0.12 %"
        );
    }
}
