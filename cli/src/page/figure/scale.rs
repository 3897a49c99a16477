//! Where values lie on an axis, and which of them are named there.

use super::real;

/// About how many ticks an axis has.
const TICKS: f64 = 5.0;
/// From this many decades on, a logarithmic axis names powers of ten only.
const DECADES_MANY: i32 = 4;

/// A value that is named.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Tick {
    /// Where, on the way of the axis.
    pub(in crate::page) at: f64,
    /// Its name, with the unit where it needs one.
    pub(in crate::page) label: String,
}

/// Where values lie on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Scale {
    way: Way,
    least: f64,
    greatest: f64,
    /// In the order of their weight: where there is no room for all, later ones give way.
    ticks: Vec<Tick>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Linear,
    Logarithmic,
}

impl Scale {
    /// From 0 to `greatest` or a little more, with round numbers as ticks.
    pub(in crate::page) fn from_zero(greatest: f64, label: impl Fn(f64) -> String) -> Self {
        let greatest = if greatest > 0.0 { greatest } else { 1.0 };
        let step = round_step(greatest / TICKS);
        let steps = (greatest / step - 1e-9).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut index = 0.0;
        while index <= steps {
            ticks.push(Tick { at: index * step, label: label(index * step) });
            index += 1.0;
        }
        Self { way: Way::Linear, least: 0.0, greatest: steps * step, ticks }
    }

    /// From one to the other, with these ticks.
    pub(in crate::page) fn between(least: f64, greatest: f64, ticks: Vec<Tick>) -> Self {
        let greatest = if greatest > least { greatest } else { least + 1.0 };
        Self { way: Way::Linear, least, greatest, ticks }
    }

    /// Equal ratios are equally long; from a round number below `least` to one above `greatest`.
    pub(in crate::page) fn logarithmic(
        least: f64,
        greatest: f64,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let greatest = greatest.max(f64::MIN_POSITIVE * 1e9);
        let least = least.clamp(f64::MIN_POSITIVE * 1e9, greatest);
        let (below, above) = (round_below(least), round_above(greatest));
        let above = if above > below { above } else { below * 10.0 };
        let many = (above / below).log10() >= f64::from(DECADES_MANY);
        let factors: &[f64] = if many { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let mut ticks = Vec::new();
        // Powers of ten first: they stay where there is no room for all.
        for factor in factors {
            let mut power = decade(below);
            while power <= above * 1.000_001 {
                let at = power * factor;
                if at >= below * 0.999_999 && at <= above * 1.000_001 {
                    ticks.push(Tick { at, label: label(at) });
                }
                power *= 10.0;
            }
        }
        Self { way: Way::Logarithmic, least: below, greatest: above, ticks }
    }

    /// For `values` by rising value, each of which is a tick. Where each is about twice the one before or more, equal
    /// ratios are equally long.
    pub(in crate::page) fn of_values(values: &[(f64, String)]) -> Self {
        let ticks: Vec<_> =
            values.iter().map(|(at, label)| Tick { at: *at, label: label.clone() }).collect();
        let (first, last) = match (values.first(), values.last()) {
            (Some(first), Some(last)) => (first.0, last.0),
            _ => (0.0, 1.0),
        };
        let grows = values.windows(2).all(|pair| pair[0].0 > 0.0 && pair[1].0 >= pair[0].0 * 1.9);
        if values.len() > 1 && grows {
            // A little room at both ends, so that no mark lies on an edge.
            let room = (last / first).powf(0.05);
            let (least, greatest) = (first / room, last * room);
            return Self { way: Way::Logarithmic, least, greatest, ticks };
        }
        let room = if last > first { (last - first) * 0.05 } else { 1.0 };
        Self { way: Way::Linear, least: first - room, greatest: last + room, ticks }
    }

    /// For the numbers from 1 to `count`.
    pub(in crate::page) fn counted(count: usize) -> Self {
        let step = round_step(real(count) / 10.0).max(1.0);
        let mut ticks = vec![Tick { at: 1.0, label: "1".into() }];
        let mut at = if step > 1.0 { step } else { 2.0 };
        while at <= real(count) {
            ticks.push(Tick { at, label: format!("{at:.0}") });
            at += step;
        }
        Self { way: Way::Linear, least: 0.5, greatest: real(count) + 0.5, ticks }
    }

    /// Where `value` lies, from 0 to 1; values beyond the ends lie on them.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = match self.way {
            Way::Linear => (value - self.least) / (self.greatest - self.least),
            Way::Logarithmic => {
                (value / self.least).max(f64::MIN_POSITIVE).ln() / (self.greatest / self.least).ln()
            }
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The values that are named, those first that matter most.
    pub(super) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }
}

/// The power of ten that is not above `value`.
fn decade(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    // A logarithm may be rounded past the value that it is of.
    if power > value {
        power / 10.0
    } else if power * 10.0 <= value {
        power * 10.0
    } else {
        power
    }
}

/// 1, 2 or 5 times a power of ten that is not above `value`.
fn round_below(value: f64) -> f64 {
    let power = decade(value);
    [5.0, 2.0].iter().map(|factor| power * factor).find(|round| *round <= value).unwrap_or(power)
}

/// 1, 2 or 5 times a power of ten that is not below `value`.
fn round_above(value: f64) -> f64 {
    let power = decade(value);
    let rounds = [1.0, 2.0, 5.0].map(|factor| power * factor);
    rounds.into_iter().find(|round| *round >= value).unwrap_or(power * 10.0)
}

/// A round step of about this length.
fn round_step(about: f64) -> f64 {
    let power = decade(about.max(f64::MIN_POSITIVE * 1e9));
    let share = about / power;
    let factors = [1.0, 2.0, 5.0];
    let near = factors.into_iter().find(|factor| share <= factor * 1.45);
    near.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(scale: &Scale) -> Vec<String> {
        scale.ticks().iter().map(|tick| tick.label.clone()).collect()
    }

    fn plain(value: f64) -> String {
        format!("{value}")
    }

    #[test]
    fn an_axis_from_zero_ends_at_a_round_number_that_is_not_below_the_greatest_value() {
        for (greatest, ticks) in [
            (1.0, vec!["0", "0.2", "0.4", "0.6000000000000001", "0.8", "1"]),
            (97.0, vec!["0", "20", "40", "60", "80", "100"]),
            (101.0, vec!["0", "20", "40", "60", "80", "100", "120"]),
            (262_144.0, vec!["0", "50000", "100000", "150000", "200000", "250000", "300000"]),
        ] {
            let scale = Scale::from_zero(greatest, plain);
            assert_eq!(named(&scale), ticks);
            assert!(scale.place(greatest) <= 1.0 && scale.place(greatest) > 0.8);
            assert!(scale.place(0.0).abs() < 1e-12);
        }
    }

    #[test]
    fn values_that_are_no_numbers_or_lie_beyond_the_ends_lie_on_the_axis() {
        for scale in [Scale::from_zero(0.0, plain), Scale::logarithmic(0.0, 0.0, plain)] {
            for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
                assert!((0.0..=1.0).contains(&scale.place(value)), "{value}");
            }
            assert!(scale.ticks().len() < 20);
        }
    }

    #[test]
    fn a_logarithmic_axis_makes_equal_ratios_equally_long() {
        let scale = Scale::logarithmic(120.0, 9_000.0, plain);
        assert_eq!(named(&scale), ["100", "1000", "10000", "200", "2000", "500", "5000"]);
        let far = |one, two| scale.place(two) - scale.place(one);
        assert!((far(200.0, 400.0) - far(2000.0, 4000.0)).abs() < 1e-9);
        assert_eq!(named(&Scale::logarithmic(1.0, 1_000_000.0, plain)).len(), 7, "powers only");
    }

    #[test]
    fn round_numbers_enclose_what_they_round() {
        for value in [0.001, 0.03, 1.0, 7.0, 10.0, 49.9, 50.0, 1e6, 123_456_789.0] {
            assert!(round_below(value) <= value && value <= round_above(value), "{value}");
            assert!(round_above(value) / round_below(value) < 2.6, "{value}");
        }
    }

    #[test]
    fn values_that_double_are_equally_far_apart_and_others_are_where_they_are() {
        let with_names = |values: &[f64]| -> Vec<(f64, String)> {
            values.iter().map(|value| (*value, plain(*value))).collect()
        };
        let doubling = Scale::of_values(&with_names(&[1.0, 2.0, 4.0, 8.0]));
        let step = doubling.place(2.0) - doubling.place(1.0);
        assert!((doubling.place(8.0) - doubling.place(4.0) - step).abs() < 1e-9);
        let linear = Scale::of_values(&with_names(&[1.0, 2.0, 3.0]));
        assert!((linear.place(2.0) - 0.5).abs() < 1e-9);
        let one = Scale::of_values(&with_names(&[5.0]));
        assert!((one.place(5.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn counted_things_begin_with_one_and_many_are_named_in_steps() {
        assert_eq!(named(&Scale::counted(4)), ["1", "2", "3", "4"]);
        assert_eq!(
            named(&Scale::counted(45)),
            ["1", "5", "10", "15", "20", "25", "30", "35", "40", "45"]
        );
        assert_eq!(named(&Scale::counted(1)), ["1"]);
    }
}
