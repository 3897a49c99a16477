//! What a comparison found, in words that fit any form: no layout, no markup.

use std::time::Duration;

use aio_core::plan::{Access, Blocks, Direction, Pattern, Plan};
use aio_core::report::{
    Comparison, Contestant, DirectionResult, Metric, RequestsCheck, Setting, Versus,
};
use aio_core::stats::compare::{Finding, Verdict, rounds_to_decide};

use crate::render::numbers::{count, scaled, short, size};

/// What is said where there are fewer rounds than any verdict takes.
pub(crate) const TOO_FEW_ROUNDS: &str = "not enough rounds to tell";
/// The most decimals of a percentage.
const DECIMALS_MAX: usize = 2;

/// `verdict` in words, of `metric`. Whether there were rounds enough for one is not in it:
/// `has_rounds` tells.
pub(crate) fn verdict(verdict: &Verdict, metric: Metric, has_rounds: bool) -> String {
    let ends = verdict.low.zip(verdict.high);
    match (verdict.finding, verdict.change, ends) {
        (Finding::Better | Finding::Worse, Some(change), _) => {
            format!("{} by {}", comparative(metric, change), by(change, ends))
        }
        (Finding::NoDifference, _, _) => match verdict.largest_change() {
            Some(share) if share > 0.0 => {
                // It is rounded already, but for the last bits.
                let percent = (share * 1000.0).round() / 10.0;
                format!("no difference larger than {percent} % seen")
            }
            _ => "no difference seen".into(),
        },
        (_, Some(_), Some(ends)) if has_rounds => {
            // An interval on one side of no change is a hint, but at 95 % and not at the level.
            let is_hint = (ends.0 > 0.0) == (ends.1 > 0.0);
            let so_far = if is_hint { "not sure yet" } else { "too noisy to tell" };
            format!("{so_far} ({} %)", signed_span(ends))
        }
        _ => TOO_FEW_ROUNDS.into(),
    }
}

/// How `contestant` compares with its baseline in one direction; `None` for a baseline.
pub(crate) fn of_result(
    comparison: &Comparison,
    contestant: &Contestant,
    result: &DirectionResult,
) -> Option<String> {
    let versus = result.versus.as_ref()?;
    if versus.ratio(comparison.metric).is_none() && !contestant.rounds.is_empty() {
        return Some(format!("{} was not measured in every round", metric(comparison.metric)));
    }
    let has_rounds = has_rounds(comparison, contestant, versus);
    Some(verdict(&versus.verdict, comparison.metric, has_rounds))
}

/// Whether a verdict on `contestant` could have been any other than that there are too few rounds.
pub(crate) fn has_rounds(
    comparison: &Comparison,
    contestant: &Contestant,
    versus: &Versus,
) -> bool {
    let needed = rounds_to_decide(comparison.family_of(contestant), comparison.level);
    versus.ratio(comparison.metric).is_some_and(|ratio| ratio.rounds >= needed)
}

/// What a value that changed like this is: `faster` and `slower` are rates.
pub(crate) fn comparative(metric: Metric, change: f64) -> &'static str {
    match (metric.is_rate(), change > 0.0) {
        (true, true) => "faster",
        (true, false) => "slower",
        (false, true) => "higher",
        (false, false) => "lower",
    }
}

/// A change without its sign: `12 % (9–15)`.
pub(crate) fn by(change: f64, ends: Option<(f64, f64)>) -> String {
    let sign = if change < 0.0 { -1.0 } else { 1.0 };
    let percent = |share: f64| sign * share * 100.0;
    let Some((low, high)) = ends else {
        let decimals = usize::from(change.abs() < 0.01);
        return format!("{:.decimals$} %", percent(change));
    };
    let (one, other) = (percent(low), percent(high));
    let (least, most) = (one.min(other), one.max(other));
    let decimals = decimals(percent(change), least, most);
    let [change, least, most] =
        [percent(change), least, most].map(|percent| format!("{percent:.decimals$}"));
    if least == most { format!("{change} %") } else { format!("{change} % ({least}–{most})") }
}

/// As many as the width of an interval makes sense of, and as its end next to 0 takes; but no more
/// than three digits of a change.
fn decimals(change: f64, least: f64, most: f64) -> usize {
    let worth = match change.abs() {
        size if size >= 99.5 => 0,
        size if size >= 9.95 => 1,
        _ => DECIMALS_MAX,
    };
    let enough = |decimals: &usize| {
        let step = 0.1_f64.powi(i32::try_from(*decimals).unwrap_or(0));
        most - least >= 2.0 * step && least.abs().min(most.abs()) >= step / 2.0
    };
    (0..worth).find(enough).unwrap_or(worth)
}

/// `−14 to +22`, in percent.
fn signed_span((low, high): (f64, f64)) -> String {
    let decimals = usize::from(low.abs().max(high.abs()) < 0.1);
    let signed = |share: f64| {
        let text = format!("{:.decimals$}", share.abs() * 100.0);
        let is_zero = !text.contains(|c: char| matches!(c, '1'..='9'));
        match share {
            _ if is_zero => text,
            share if share < 0.0 => format!("−{text}"),
            _ => format!("+{text}"),
        }
    };
    format!("{} to {}", signed(low), signed(high))
}

/// The name of a contestant among those of its point: without the settings of the point.
pub(crate) fn short_name(contestant: &Contestant) -> String {
    let mut name = contestant.name.clone();
    for setting in &contestant.point {
        name = name.replace(&format!(" {}", words_of(setting)), "");
    }
    name
}

/// The point of a sweep: `block-size=4k, queue-depth=8`.
pub(crate) fn point(settings: &[Setting]) -> String {
    settings.iter().map(words_of).collect::<Vec<_>>().join(", ")
}

fn words_of(setting: &Setting) -> String {
    match setting.value.as_str() {
        "" => setting.flag.clone(),
        value => format!("{}={value}", setting.flag),
    }
}

/// What `direction` of `plan` is: `random reads of 4 KiB`. What is different at each point of a
/// sweep, among `point`, is not said.
pub(crate) fn workload(plan: &Plan, direction: Direction, point: &[Setting]) -> String {
    let is_swept = |flag: &str| point.iter().any(|setting| setting.flag == flag);
    let of_block = if is_swept("block-size") {
        String::new()
    } else {
        format!(" of {}", size(plan.block_size_bytes))
    };
    let mut accesses = plan.phases.iter().map(|phase| &phase.access);
    let Some(blocks) = accesses.find_map(Access::blocks) else {
        let noun = noun(direction);
        return format!("{noun} of tensors{}", of_block.replacen(" of", " in blocks of", 1));
    };
    let sizes = if blocks.sizes.is_empty() { of_block } else { " of several sizes".into() };
    let order = if blocks.pattern == Pattern::Random { "random" } else { "sequential" };
    format!("{order} {}{}{sizes}", noun(direction), of_mix(blocks, direction))
}

fn of_mix(blocks: &Blocks, direction: Direction) -> &'static str {
    let is_part = blocks.read_percent.is_some() && direction != Direction::Mixed;
    if is_part { " of a mix," } else { "" }
}

fn noun(direction: Direction) -> &'static str {
    match direction {
        Direction::Read => "reads",
        Direction::Write => "writes",
        Direction::Mixed => "reads and writes",
        Direction::Trim => "trims",
    }
}

/// A share as a percentage, without zeros at its end.
pub(crate) fn short_percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `text` with a capital in front.
pub(crate) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// What `metric` is called in a sentence.
pub(crate) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Iops => "IOPS",
        Metric::Bandwidth => "bandwidth",
        Metric::P50 => "median latency",
        Metric::P99 => "p99 latency",
        Metric::P999 => "p99.9 latency",
        Metric::ResponseP99 => "p99 response time",
        Metric::Cpu => "CPU time per request",
        Metric::Calls => "system calls per request",
    }
}

/// A value of `metric` with its unit: `101.2 k IOPS`.
pub(crate) fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Iops => format!("{} IOPS", scaled(value)),
        Metric::Bandwidth => format!("{} GiB/s", short(value)),
        Metric::Calls => format!("{} calls per request", short(value)),
        Metric::Cpu => format!("{} us of CPU per request", short(value / 1e3)),
        _ if value >= 1e6 => format!("{} {} ms", metric.name(), short(value / 1e6)),
        _ => format!("{} {} us", metric.name(), short(value / 1e3)),
    }
}

/// Requests per second: `101.2 k IOPS`.
pub(crate) fn rate(requests_per_s: f64) -> String {
    value(Metric::Iops, requests_per_s)
}

/// A time in two units at most: `9.5 s`, `40 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn time(seconds: f64) -> String {
    if seconds < 9.95 && seconds.fract() > 0.0 {
        return format!("{seconds:.1} s");
    }
    match Duration::from_secs_f64(seconds.round()).as_secs() {
        whole @ 0..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A ratio to three digits.
pub(crate) fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 99.95 => format!("{ratio:.0}"),
        ratio if ratio >= 9.995 => format!("{ratio:.1}"),
        ratio if ratio >= 0.0995 => format!("{ratio:.2}"),
        ratio => short(ratio),
    }
}

/// How far contestants were given the same requests.
pub(crate) fn requests(check: &RequestsCheck) -> String {
    if check.mismatch.is_some() {
        return "contestants were NOT given the same requests".into();
    }
    let runs = count(check.runs_compared, "run");
    let far = if check.common_requests < check.fewest_requests {
        #[expect(clippy::cast_precision_loss, reason = "a share needs few digits")]
        let percent = 100.0 * check.common_requests as f64 / check.fewest_requests as f64;
        format!(
            ", up to the last checkpoint in common ({percent:.1} % of the slower one's requests)"
        )
    } else {
        String::new()
    };
    if check.other_requests.is_empty() {
        return format!("the same for all contestants, {runs} compared{far}");
    }
    let others = check.other_requests.join(", ");
    format!(
        "the same in all runs of the same plan, {runs} compared{far}; not those of {others}, whose \
         plan asks for other ones than its baseline's"
    )
}

/// Where contestants stand so far: `sync 0.79 of uring, libaio 0.99 of uring`; empty before there
/// is a ratio.
pub(crate) fn standing(comparison: &Comparison) -> String {
    let of = |contestant: &Contestant| {
        let of_direction = |result: &DirectionResult| {
            let versus = result.versus.as_ref()?;
            let so_far = ratio(versus.ratio(comparison.metric)?.ratio);
            let direction = match contestant.results.len() {
                1 => String::new(),
                _ => format!(" {}", result.direction),
            };
            Some(format!("{}{direction} {so_far} of {}", contestant.name, versus.baseline))
        };
        contestant.results.iter().filter_map(of_direction).collect::<Vec<_>>()
    };
    let standings: Vec<_> = comparison.contestants.iter().flat_map(of).collect();
    if standings.is_empty() { String::new() } else { format!("so far {}", standings.join(", ")) }
}

#[cfg(test)]
mod tests;
