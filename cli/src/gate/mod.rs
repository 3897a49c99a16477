//! `--assert`: what results must be, or the program ends with exit code 3.

mod check;
mod parse;

use aio_core::plan::Direction;
use aio_core::report::Metric;

pub(crate) use check::{check, check_comparison, time};
pub(crate) use parse::assertion;

/// What a result must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assertion {
    /// As it was given, spaces left out.
    text: String,
    /// Of which engines it is said; of all without a name.
    engine: Option<String>,
    /// Of which direction; of all that there are without one.
    direction: Option<Direction>,
    quantity: Quantity,
    relation: Relation,
    /// In the unit of the quantity.
    bound: f64,
}

/// A number of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    /// One that comparisons know too.
    Of(Metric),
    /// The mean latency of requests, in nanoseconds.
    Mean,
    /// The shortest one.
    Min,
    /// The longest one.
    Max,
    /// Percentiles that are no metric of comparisons.
    P90,
    P95,
    P9999,
    P99999,
    /// What went wrong, a failure each.
    Errors,
    /// Reasons not to trust a number.
    Doubts,
}

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Nanoseconds.
    Time,
    /// GiB per second.
    Speed,
    /// Things per second.
    Rate,
    /// A number of calls for each request.
    Ratio,
    /// A number of things.
    Count,
}

impl Quantity {
    /// All of them, in the order in which they are listed.
    const ALL: [Self; 17] = [
        Self::Of(Metric::Iops),
        Self::Of(Metric::Bandwidth),
        Self::Mean,
        Self::Min,
        Self::Max,
        Self::Of(Metric::P50),
        Self::P90,
        Self::P95,
        Self::Of(Metric::P99),
        Self::Of(Metric::P999),
        Self::P9999,
        Self::P99999,
        Self::Of(Metric::ResponseP99),
        Self::Errors,
        Self::Doubts,
        Self::Of(Metric::Cpu),
        Self::Of(Metric::Calls),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Of(metric) => metric.name(),
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P9999 => "p99.99",
            Self::P99999 => "p99.999",
            Self::Errors => "errors",
            Self::Doubts => "doubts",
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Of(Metric::Iops) => Unit::Rate,
            Self::Of(Metric::Bandwidth) => Unit::Speed,
            Self::Of(Metric::Calls) => Unit::Ratio,
            Self::Errors | Self::Doubts => Unit::Count,
            _ => Unit::Time,
        }
    }
}

/// How a number must lie to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Unequal,
}

impl Relation {
    const ALL: [(&'static str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Equal),
        ("!=", Self::Unequal),
        ("<", Self::Less),
        (">", Self::More),
    ];

    /// Whether `number` lies so to `bound`. Numbers that differ by less than a billionth are equal:
    /// a rate is a quotient, and no quotient is met to the last bit.
    fn holds(self, number: f64, bound: f64) -> bool {
        let equal = (number - bound).abs() <= 1e-9 * bound.abs();
        match self {
            Self::Less => number < bound,
            Self::AtMost => number <= bound,
            Self::More => number > bound,
            Self::AtLeast => number >= bound,
            Self::Equal => equal,
            Self::Unequal => !equal,
        }
    }
}
