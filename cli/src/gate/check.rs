//! Holds results against assertions.

use aio_core::plan::Direction;
use aio_core::report::{
    Comparison, Contestant, DirectionReport, EngineReport, Measures, Metric, Report,
};

use super::{Assertion, Quantity, Unit};
use crate::render::{has_rate, scaled, short};
use crate::voice::printable;

/// What `report` fails of `asserts`: a sentence each.
pub(crate) fn check(asserts: &[Assertion], report: &Report) -> Vec<String> {
    let subjects: Vec<_> = report.engines.iter().flat_map(of_engine).collect();
    asserts.iter().flat_map(|one| one.failures(&subjects)).collect()
}

/// The same for the medians of rounds of each contestant; numbers that have none are those of all
/// rounds together.
pub(crate) fn check_comparison(asserts: &[Assertion], comparison: &Comparison) -> Vec<String> {
    let subjects: Vec<_> = comparison.contestants.iter().flat_map(of_contestant).collect();
    asserts.iter().flat_map(|one| one.failures(&subjects)).collect()
}

/// A direction of an engine, and where its numbers are.
struct Subject<'a> {
    /// What sentences call the engine.
    name: &'a str,
    /// The spec of the engine.
    spec: &'a str,
    direction: Direction,
    value: Box<dyn Fn(Quantity) -> Option<f64> + 'a>,
}

fn of_engine(engine: &EngineReport) -> impl Iterator<Item = Subject<'_>> {
    engine.directions.iter().map(move |one| Subject {
        name: &engine.engine,
        spec: &engine.engine,
        direction: one.direction,
        value: Box::new(move |quantity| of_direction(engine, one, quantity)),
    })
}

fn of_contestant(contestant: &Contestant) -> impl Iterator<Item = Subject<'_>> {
    contestant.results.iter().map(move |result| {
        let value = move |quantity| {
            if let Quantity::Of(metric) = quantity {
                return result.median(metric).map(|median| median.median);
            }
            let total = contestant.total.as_ref()?;
            let one = total.directions.iter().find(|one| one.direction == result.direction)?;
            of_direction(total, one, quantity)
        };
        Subject {
            name: &contestant.name,
            spec: &contestant.engine,
            direction: result.direction,
            value: Box::new(value),
        }
    })
}

/// The number of a direction, where it was measured.
fn of_direction(engine: &EngineReport, one: &DirectionReport, quantity: Quantity) -> Option<f64> {
    let latency = &one.request_latency;
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let number = |whole: u64| whole as f64;
    match quantity {
        Quantity::Errors => return Some(number(one.failures.len() as u64)),
        Quantity::Doubts => return Some(number(one.doubts.len() as u64)),
        _ if !has_rate(one) => return None,
        Quantity::Of(metric) => return Measures::of(engine, one).get(metric),
        Quantity::Mean => return Some(latency.mean_ns),
        Quantity::Min => Some(latency.min_ns),
        Quantity::Max => Some(latency.max_ns),
        Quantity::P90 => latency.p90_ns,
        Quantity::P95 => latency.p95_ns,
        Quantity::P9999 => latency.p99_99_ns,
        Quantity::P99999 => latency.p99_999_ns,
    }
    .map(number)
}

impl Assertion {
    fn failures(&self, subjects: &[Subject]) -> Vec<String> {
        let text = printable(&self.text);
        let mut selected = subjects.iter().filter(|subject| self.selects(subject)).peekable();
        if selected.peek().is_none() {
            return vec![format!("--assert {text}: there is no such result{}", instead(subjects))];
        }
        let failure = |subject: &Subject| {
            let said = match (subject.value)(self.quantity) {
                Some(number) if self.relation.holds(number, self.bound) => return None,
                Some(number) => format!("has {}", self.quantity.shown(number)),
                None => self.quantity.why_absent().to_owned(),
            };
            let (name, direction) = (printable(subject.name), subject.direction);
            Some(format!("--assert {text}: {name} {direction} {said}"))
        };
        selected.filter_map(failure).collect()
    }

    /// Whether it is said of `subject`: an engine is meant by its spec, with or without options.
    fn selects(&self, subject: &Subject) -> bool {
        let plain = subject.spec.split(':').next().unwrap_or_default();
        let is_meant = |name: &String| [subject.name, subject.spec, plain].contains(&name.as_str());
        self.engine.as_ref().is_none_or(is_meant)
            && self.direction.is_none_or(|direction| direction == subject.direction)
    }
}

/// Which results there are.
fn instead(subjects: &[Subject]) -> String {
    let names: Vec<_> = subjects
        .iter()
        .map(|subject| format!("{} {}", printable(subject.name), subject.direction))
        .collect();
    if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) }
}

impl Quantity {
    fn shown(self, number: f64) -> String {
        match self.unit() {
            Unit::Time => time(number),
            Unit::Speed => format!("{} GiB/s", short(number)),
            Unit::Rate => format!("{}/s", scaled(number)),
            Unit::Ratio => short(number),
            Unit::Count => format!("{number:.0}"),
        }
    }

    /// Why there may be no number, in words that follow the name of an engine.
    fn why_absent(self) -> &'static str {
        match self {
            Self::Of(Metric::Bandwidth) => "has no bandwidth: it moved no data",
            Self::Of(Metric::ResponseP99) => {
                "has no response time, which takes --rate-iops and 100 requests or more"
            }
            _ if self.name().starts_with('p') => {
                "has no such percentile: it made too few requests, or none that count"
            }
            _ => "did not measure it",
        }
    }
}

/// Nanoseconds in the unit that people would use.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns >= 1e9 => format!("{} s", short(ns / 1e9)),
        ns if ns >= 1e6 => format!("{} ms", short(ns / 1e6)),
        ns if ns >= 1e3 => format!("{} us", short(ns / 1e3)),
        ns => format!("{} ns", short(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::assertion;
    use super::*;
    use crate::render::sample;

    fn failures(report: &Report, asserts: &[&str]) -> String {
        let asserts: Vec<_> = asserts.iter().map(|text| assertion(text).unwrap()).collect();
        check(&asserts, report).join("\n")
    }

    #[test]
    fn what_holds_says_nothing() {
        let holds = [
            "iops>1k",
            "write.p99<=20.1ms",
            "sync.read.bandwidth>1G",
            "errors==0",
            "doubts<1",
            "max!=1ms",
            "mean<1s",
            "min>1us",
            "p90<17ms",
            "cpu<1ms",
            "calls<1",
            "p99.9==22ms",
        ];
        assert_eq!(failures(&sample::comparison(), &holds), "");
    }

    #[test]
    fn each_engine_and_direction_that_fails_is_told_with_its_number() {
        insta::assert_snapshot!(failures(&sample::comparison(), &[
            "iops>=1M", "uring.p99 < 200us", "write.bandwidth>2G", "sync.read.calls==0",
            "doubts>0",
        ]), @r"
        --assert iops>=1M: uring write has 2.048 k/s
        --assert iops>=1M: uring read has 4.096 k/s
        --assert iops>=1M: sync write has 1.638 k/s
        --assert iops>=1M: sync read has 3.277 k/s
        --assert uring.p99<200us: uring write has 20.10 ms
        --assert uring.p99<200us: uring read has 20.10 ms
        --assert write.bandwidth>2G: uring write has 1.980 GiB/s
        --assert write.bandwidth>2G: sync write has 1.584 GiB/s
        --assert sync.read.calls==0: sync read has 0.977
        --assert doubts>0: uring write has 0
        --assert doubts>0: uring read has 0
        --assert doubts>0: sync write has 0
        --assert doubts>0: sync read has 0
        ");
    }

    #[test]
    fn what_selects_nothing_or_was_not_measured_fails() {
        insta::assert_snapshot!(failures(&sample::comparison(), &[
            "libaio.iops>0", "trim.errors==0", "uring.read.p99.999<1s", "sync.write.response-p99<1s",
        ]), @r"
        --assert libaio.iops>0: there is no such result; there is uring write, uring read, sync write, sync read
        --assert trim.errors==0: there is no such result; there is uring write, uring read, sync write, sync read
        --assert uring.read.p99.999<1s: uring read has no such percentile: it made too few requests, or none that count
        --assert sync.write.response-p99<1s: sync write has no response time, which takes --rate-iops and 100 requests or more
        ");
        assert_eq!(
            failures(&sample::null(), &["bandwidth>0"]),
            "--assert bandwidth>0: null read has no bandwidth: it moved no data"
        );
        let mut empty = sample::null();
        empty.engines.clear();
        assert_eq!(failures(&empty, &["errors==0"]), "--assert errors==0: there is no such result");
    }

    #[test]
    fn a_failed_direction_has_errors_and_no_rate() {
        insta::assert_snapshot!(
            failures(&sample::troubled(), &["errors==0", "iops>0", "sync.doubts==0"]), @r"
            --assert errors==0: libaio write has 1
            --assert iops>0: libaio write did not measure it
            --assert sync.doubts==0: sync read has 1
            ");
    }

    #[test]
    fn a_comparison_is_held_by_its_medians_and_by_all_rounds_together() {
        let asserts = ["sync.iops>90k", "uring.max<1ms", "libaio.p99<1ms", "p99.9<1ms"];
        let asserts = asserts.map(|text| assertion(text).unwrap());
        insta::assert_snapshot!(check_comparison(&asserts, &sample::contest()).join("\n"), @r"
        --assert sync.iops>90k: sync read has 80.00 k/s
        --assert uring.max<1ms: uring read has 25.00 ms
        --assert p99.9<1ms: sync read has 1.125 ms
        ");
        let sweep = sample::sweep();
        let one = [assertion("sync queue-depth=8.iops>1M").unwrap()];
        let failed = check_comparison(&one, &sweep);
        assert!(failed[0].contains("sync queue-depth=8 read has"), "{failed:?}");
        assert_eq!(failed.len(), 1);
        let all = [assertion("sync.iops>9M").unwrap()];
        assert_eq!(check_comparison(&all, &sweep).len(), 3, "the engine at each point");
    }
}
