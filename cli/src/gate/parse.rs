//! Reads what is typed behind `--assert`.

use aio_core::plan::Direction;

use super::{Assertion, Quantity, Relation, Unit};

/// What an assertion looks like, for refusals.
const LOOKS: &str = "an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, \
                     and a value, such as 'p99<200us' or 'uring.read.iops>=100k'";

/// `[ENGINE.][DIRECTION.]METRIC OP VALUE`.
///
/// # Errors
/// What is accepted instead, in a sentence.
pub(crate) fn assertion(text: &str) -> Result<Assertion, String> {
    let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!');
    // The last one: the options of an engine have = in them too.
    let end = text.rfind(is_sign).ok_or(LOOKS)? + 1;
    let begin = text[..end].trim_end_matches(is_sign).len();
    let (subject, sign, value) = (text[..begin].trim(), &text[begin..end], text[end..].trim());
    let relation = Relation::ALL.into_iter().find(|(name, _)| *name == sign);
    let (_, relation) = relation.ok_or(LOOKS)?;
    let (quantity, rest) = quantity(subject).ok_or_else(|| {
        let names = Quantity::ALL.map(Quantity::name).join(", ");
        format!("{subject:?} ends in no metric; give one of {names}")
    })?;
    let (direction, engine) = direction(rest);
    if engine.is_some_and(|engine| engine.trim().is_empty()) {
        return Err(LOOKS.into());
    }
    Ok(Assertion {
        text: format!("{subject}{sign}{value}"),
        engine: engine.map(String::from),
        direction,
        quantity,
        relation,
        bound: bound(quantity, value)?,
    })
}

/// The metric at the end of `subject`, and what stands before the dot in front of it. Names have
/// dots in them, so that the longest one counts.
fn quantity(subject: &str) -> Option<(Quantity, Option<&str>)> {
    let of = |quantity: Quantity| {
        let rest = subject.strip_suffix(quantity.name())?;
        let rest = if rest.is_empty() { None } else { Some(rest.strip_suffix('.')?) };
        Some((quantity, rest))
    };
    Quantity::ALL.into_iter().filter_map(of).max_by_key(|(quantity, _)| quantity.name().len())
}

/// The direction at the end of `rest`, and the engine before it.
fn direction(rest: Option<&str>) -> (Option<Direction>, Option<&str>) {
    let Some(rest) = rest else { return (None, None) };
    let (engine, last) = match rest.rsplit_once('.') {
        Some((engine, last)) => (Some(engine), last),
        None => (None, rest),
    };
    let directions = [Direction::Read, Direction::Write, Direction::Trim];
    match directions.into_iter().find(|direction| direction.name() == last) {
        Some(direction) => (Some(direction), engine),
        None => (None, Some(rest)),
    }
}

fn bound(quantity: Quantity, value: &str) -> Result<f64, String> {
    let (number, unit) = value.split_at(value.find(char::is_alphabetic).unwrap_or(value.len()));
    let (number, unit) = (number.trim_end(), unit.to_ascii_lowercase());
    let name = quantity.name();
    let (factor, looks) = match quantity.unit() {
        Unit::Time if unit.is_empty() => {
            return Err(format!(
                "{name} is a time, and {value:?} has no unit: give 200us or 1.5ms"
            ));
        }
        Unit::Time => (time(&unit), "a time with ns, us, ms or s, such as 200us or 1.5ms"),
        Unit::Speed => (speed(&unit), "GiB per second, or a size per second such as 500M or 1.5G"),
        Unit::Rate => (thousands(&unit), "a number, with k or M for thousands or millions: 100k"),
        Unit::Ratio => (unit.is_empty().then_some(1.0), "a number, such as 0.1"),
        Unit::Count => (unit.is_empty().then_some(1.0), "a whole number, such as 0"),
    };
    let parsed = crate::args::decimal(number).zip(factor).map(|(number, factor)| number * factor);
    let whole = |bound: &f64| quantity.unit() != Unit::Count || bound.fract() <= 0.0;
    parsed.filter(whole).ok_or_else(|| format!("{name} takes {looks}, and not {value:?}"))
}

fn time(unit: &str) -> Option<f64> {
    let units = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    units.into_iter().find(|(name, _)| *name == unit).map(|(_, ns)| ns)
}

/// In GiB. Sizes are powers of 1024, as everywhere.
fn speed(unit: &str) -> Option<f64> {
    let size = unit.strip_suffix("/s").unwrap_or(unit);
    let size = size.strip_suffix("ib").or_else(|| size.strip_suffix('b')).unwrap_or(size);
    let units = [("", 0), ("k", 20), ("m", 10), ("g", 0)];
    let shift = units.into_iter().find(|(name, _)| *name == size).map(|(_, shift)| shift);
    match size {
        "t" => Some(1024.0),
        // One byte is no plain number of GiB.
        "" if !unit.is_empty() => None,
        _ => shift.map(|shift| 1.0 / f64::from(1 << shift)),
    }
}

fn thousands(unit: &str) -> Option<f64> {
    let units = [("", 1.0), ("k", 1e3), ("m", 1e6)];
    units.into_iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor)
}

#[cfg(test)]
mod tests {
    use aio_core::testing::{fuzz_text, one_sentence};

    use super::*;
    use crate::voice::printable;

    #[test]
    fn fuzzed_assertions_are_read_back_as_they_are_shown_or_refused() {
        let corpus =
            ["p99<200us", "uring:sqpoll=on.read.iops>=100k", "bandwidth>512MiB/s", "errors == 0"];
        let words = ["p99.9", "read.", "write.", "iops", "<=", "!=", "GiB/s", "µs", "response-p99"];
        fuzz_text("assertions", &corpus, &words, |text| match assertion(text) {
            Err(refusal) => {
                one_sentence(&printable(&refusal));
                refusal
            }
            Ok(one) => {
                assert!(one.bound.is_finite() && one.bound >= 0.0, "{one:?}");
                let again = assertion(&one.text).unwrap();
                assert_eq!(format!("{again:?}"), format!("{one:?}"));
                format!("{:?} {:?}", one.quantity, one.relation)
            }
        });
    }

    #[test]
    fn an_engine_a_direction_and_a_metric_are_told_apart() {
        let parts = |text: &str| {
            let one = assertion(text).unwrap();
            (one.engine, one.direction, one.quantity.name(), one.relation, one.bound)
        };
        let engine = |name: &str| Some(name.to_owned());
        let read = Some(Direction::Read);
        assert_eq!(parts("p99<200us"), (None, None, "p99", Relation::Less, 200e3));
        assert_eq!(parts(" p99.9 <= 1.5 ms "), (None, None, "p99.9", Relation::AtMost, 1.5e6));
        assert_eq!(parts("read.p99.99>1s"), (None, read, "p99.99", Relation::More, 1e9));
        assert_eq!(
            parts("uring:sqpoll=on.read.iops>=100k"),
            (engine("uring:sqpoll=on"), read, "iops", Relation::AtLeast, 1e5)
        );
        assert_eq!(
            parts("sync.response-p99==5us"),
            (engine("sync"), None, "response-p99", Relation::Equal, 5e3)
        );
        assert_eq!(parts("errors != 3"), (None, None, "errors", Relation::Unequal, 3.0));
    }

    #[test]
    fn values_are_in_the_unit_of_the_metric() {
        let bound = |text: &str| assertion(text).unwrap().bound;
        for (text, expected) in [
            ("iops>100", 100.0),
            ("iops>1.5M", 1.5e6),
            ("iops>2K", 2000.0),
            ("bandwidth>2", 2.0),
            ("bandwidth>1.5G", 1.5),
            ("bandwidth>512MiB/s", 0.5),
            ("bandwidth>1tb", 1024.0),
            ("bandwidth>1048576k", 1.0),
            ("cpu<900ns", 900.0),
            ("max<2µs", 2000.0),
            ("calls<0.1", 0.1),
            ("doubts==0", 0.0),
        ] {
            assert!((bound(text) - expected).abs() < 1e-9, "{text}: {}", bound(text));
        }
    }

    #[test]
    fn each_metric_is_known_by_its_name_alone_and_behind_an_engine() {
        for quantity in Quantity::ALL {
            let value = if quantity.unit() == Unit::Time { "1us" } else { "1" };
            for engine in ["", "sync.", "sync.write."] {
                let one = assertion(&format!("{engine}{}<{value}", quantity.name())).unwrap();
                assert_eq!(one.quantity, quantity);
                assert_eq!(one.engine.is_some(), !engine.is_empty());
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_is() {
        let texts = [
            "",
            "p99",
            "p99=200us",
            "p98<1ms",
            "<1",
            "p99<200",
            "p99<",
            "p99<-1us",
            "p99<1m",
            "iops>1G",
            "bandwidth>1b",
            "errors==0.5",
            "errors<1k",
            "calls<x",
            ".read.p99<1us",
            "readp99<1us",
            "p99<>1us",
            "iops>1e3",
        ];
        let refusals = texts.map(|text| format!("{text}\n  {}", assertion(text).unwrap_err()));
        insta::assert_snapshot!(refusals.join("\n"), @r#"

          an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as 'p99<200us' or 'uring.read.iops>=100k'
        p99
          an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as 'p99<200us' or 'uring.read.iops>=100k'
        p99=200us
          an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as 'p99<200us' or 'uring.read.iops>=100k'
        p98<1ms
          "p98" ends in no metric; give one of iops, bandwidth, mean, min, max, p50, p90, p95, p99, p99.9, p99.99, p99.999, response-p99, errors, doubts, cpu, calls
        <1
          "" ends in no metric; give one of iops, bandwidth, mean, min, max, p50, p90, p95, p99, p99.9, p99.99, p99.999, response-p99, errors, doubts, cpu, calls
        p99<200
          p99 is a time, and "200" has no unit: give 200us or 1.5ms
        p99<
          p99 is a time, and "" has no unit: give 200us or 1.5ms
        p99<-1us
          p99 takes a time with ns, us, ms or s, such as 200us or 1.5ms, and not "-1us"
        p99<1m
          p99 takes a time with ns, us, ms or s, such as 200us or 1.5ms, and not "1m"
        iops>1G
          iops takes a number, with k or M for thousands or millions: 100k, and not "1G"
        bandwidth>1b
          bandwidth takes GiB per second, or a size per second such as 500M or 1.5G, and not "1b"
        errors==0.5
          errors takes a whole number, such as 0, and not "0.5"
        errors<1k
          errors takes a whole number, such as 0, and not "1k"
        calls<x
          calls takes a number, such as 0.1, and not "x"
        .read.p99<1us
          an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as 'p99<200us' or 'uring.read.iops>=100k'
        readp99<1us
          "readp99" ends in no metric; give one of iops, bandwidth, mean, min, max, p50, p90, p95, p99, p99.9, p99.99, p99.999, response-p99, errors, doubts, cpu, calls
        p99<>1us
          an assertion is [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as 'p99<200us' or 'uring.read.iops>=100k'
        iops>1e3
          iops takes a number, with k or M for thousands or millions: 100k, and not "1e3"
        "#);
    }
}
