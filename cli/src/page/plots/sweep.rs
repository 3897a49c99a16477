//! Rate and latency against what was swept.

use aio_core::plan::{Access, Direction};
use aio_core::report::{Comparison, Contestant, Layout, Metric, Setting};

use super::LINES_MAX;
use crate::page::figure::{Axis, Body, Figure, Kind, Line, LinePanel, Panel, Point, Scale};
use crate::page::{quantity, versus};
use crate::render::comparison::{directions, words};

pub(super) fn figure(comparison: &Comparison) -> Option<Figure> {
    if !matches!(comparison.layout, Layout::Sweep | Layout::Scale) {
        return None;
    }
    let axis = Swept::of(comparison)?;
    let mut panels = Vec::new();
    for direction in directions(comparison) {
        for rest in axis.rests(comparison) {
            let title = [versus::title(comparison, direction), settings(&rest)];
            let title: Vec<_> = title.into_iter().filter(|part| !part.is_empty()).collect();
            let mut title = title.join(", ");
            for metric in [rate(comparison), Metric::P99] {
                if let Some(body) = body(comparison, direction, &axis, &rest, metric) {
                    panels.push(Panel { title: std::mem::take(&mut title), body });
                }
            }
        }
    }
    let flag = &axis.flag;
    let values: Vec<&str> = axis.values.iter().map(|(_, name)| name.as_str()).collect();
    (!panels.is_empty()).then(|| Figure {
        kind: Kind::Sweep,
        title: format!("Rate and latency against {flag}"),
        description: format!(
            "Lines of the rate, and of the p99 latency below it, over {flag}: {}. The medians are in \
             the table.",
            values.join(", ")
        ),
        caption: format!(
            "Points are medians of rounds, with their 95 % intervals. Where a line of the rate \
             stops rising while that of latency goes on to, more of {flag} only makes requests wait."
        ),
        panels,
    })
}

fn rate(comparison: &Comparison) -> Metric {
    let measures = comparison.contestants.iter().flat_map(|one| &one.rounds);
    let first = measures.flat_map(|round| &round.measures).next();
    let mut phases = comparison.contestants.iter().flat_map(|one| &one.plan.phases);
    let is_tensor = phases.next().is_some_and(|phase| phase.access == Access::Tensor);
    // Blocks of several sizes are compared by what they move.
    let sizes = comparison.contestants.iter().map(|one| one.plan.block_size_bytes);
    let is_sized = sizes.clone().min() != sizes.max();
    quantity::rate_of(comparison.metric, first, is_tensor || is_sized)
}

fn settings(settings: &[&Setting]) -> String {
    let one = |setting: &&Setting| format!("{}={}", setting.flag, setting.value);
    settings.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The flag that goes to the right, and its values.
struct Swept {
    flag: String,
    values: Vec<(f64, String)>,
}

impl Swept {
    /// The flag with the most values.
    fn of(comparison: &Comparison) -> Option<Self> {
        let mut flags: Vec<(&str, Vec<&str>)> = Vec::new();
        for setting in comparison.contestants.iter().flat_map(|one| &one.point) {
            let (flag, value) = (setting.flag.as_str(), setting.value.as_str());
            match flags.iter_mut().find(|(known, _)| *known == flag) {
                Some((_, values)) if values.contains(&value) => {}
                Some((_, values)) => values.push(value),
                None => flags.push((flag, vec![value])),
            }
        }
        // The first one of those that have as many.
        let (flag, values) = flags.into_iter().rev().max_by_key(|(_, values)| values.len())?;
        let numbers: Option<Vec<f64>> = values.iter().map(|value| number(value)).collect();
        // Words are as far apart as they stand in the list.
        let numbers =
            numbers.unwrap_or_else(|| (0_u32..).take(values.len()).map(f64::from).collect());
        let mut values: Vec<_> =
            numbers.into_iter().zip(values.into_iter().map(String::from)).collect();
        values.sort_by(|one, other| one.0.total_cmp(&other.0));
        Some(Self { flag: flag.into(), values })
    }

    fn at(&self, one: &Contestant) -> Option<f64> {
        let value = &one.point.iter().find(|setting| setting.flag == self.flag)?.value;
        self.values.iter().find(|(_, name)| name == value).map(|(at, _)| *at)
    }

    fn rest<'a>(&self, one: &'a Contestant) -> Vec<&'a Setting> {
        one.point.iter().filter(|setting| setting.flag != self.flag).collect()
    }

    /// What the other flags of the sweep were, each combination once.
    fn rests<'a>(&self, comparison: &'a Comparison) -> Vec<Vec<&'a Setting>> {
        let mut all: Vec<Vec<&Setting>> = Vec::new();
        for one in &comparison.contestants {
            let rest = self.rest(one);
            if !all.contains(&rest) {
                all.push(rest);
            }
        }
        all
    }
}

/// A number, or a size with K, M, G or T.
fn number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        "g" => 1024.0 * 1024.0 * 1024.0,
        "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let number: f64 = number.trim_end_matches('%').parse().ok()?;
    number.is_finite().then_some(number * factor)
}

fn body(
    comparison: &Comparison,
    direction: Direction,
    swept: &Swept,
    rest: &[&Setting],
    metric: Metric,
) -> Option<Body> {
    let mut lines: Vec<Line> = Vec::new();
    for one in comparison.contestants.iter().filter(|one| swept.rest(one) == rest) {
        let Some(point) = point(one, direction, swept, metric) else { continue };
        let name = words::short_name(one);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
    for line in &mut lines {
        line.points.sort_by(|one, other| one.x.total_cmp(&other.x));
    }
    let all = || lines.iter().flat_map(|line| &line.points);
    let highest = |point: &Point| point.range.map_or(point.y, |(_, high)| high.max(point.y));
    let lowest = |point: &Point| point.range.map_or(point.y, |(low, _)| low.min(point.y));
    let greatest = all().map(highest).fold(0.0, f64::max);
    let least = all().map(lowest).fold(f64::INFINITY, f64::min);
    let tick = |at| quantity::tick(metric, at);
    let (scale, how) = if metric.is_rate() {
        (Scale::from_zero(greatest, tick), "")
    } else {
        (Scale::logarithmic(least, greatest, tick), " (logarithmic)")
    };
    (!lines.is_empty() && lines.len() <= LINES_MAX).then(|| {
        Body::Lines(LinePanel {
            x: Axis { title: swept.flag.clone(), scale: Scale::of_values(&swept.values) },
            y: Axis { title: format!("{}{how}", quantity::axis(metric)), scale },
            lines,
        })
    })
}

fn point(one: &Contestant, direction: Direction, swept: &Swept, metric: Metric) -> Option<Point> {
    let result = one.results.iter().find(|result| result.direction == direction)?;
    let median = result.median(metric)?;
    let y = median.median;
    Some(Point { x: swept.at(one)?, y, range: median.low.zip(median.high) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn values_are_numbers_where_all_of_them_can_be() {
        for (text, value) in [
            ("8", Some(8.0)),
            ("4k", Some(4096.0)),
            ("1MiB", Some(1_048_576.0)),
            ("1.5G", Some(1_610_612_736.0)),
            ("50%", Some(50.0)),
            ("zipf", None),
            ("", None),
            ("10ms", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }

    #[test]
    fn the_flag_with_most_values_goes_to_the_right_and_others_have_panels() {
        let mut comparison = sample::sweep();
        let one = figure(&comparison).unwrap();
        assert_eq!(one.title, "Rate and latency against queue-depth");
        assert_eq!(one.panels.len(), 2, "rate and latency");
        for (index, one) in comparison.contestants.iter_mut().enumerate() {
            let value = if index % 2 == 0 { "4k" } else { "64k" };
            one.point.push(Setting { flag: "block-size".into(), value: value.into() });
        }
        let two = figure(&comparison).unwrap();
        assert_eq!(two.title, one.title);
        let titles: Vec<_> = two.panels.iter().map(|panel| panel.title.as_str()).collect();
        assert_eq!(titles, ["block-size=4k", "", "block-size=64k", ""]);
    }

    #[test]
    fn what_was_not_swept_has_no_such_figure() {
        assert!(figure(&sample::contest()).is_none());
    }
}
