//! The section of a comparison.

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Contestant, DirectionResult, Layout, Metric, Status};
use aio_core::stats::compare::{Finding, Interval};

use super::grouped::grouped;
use super::model::{Alarm, AlarmKind, Cell, Column, Fact, Section, Table, Tone, alarms, fact};
use super::run::{listed, machine, name, together};
use super::{plots, quantity, versus};
use crate::render::comparison::{self, words};
use crate::render::{self, NONE, count, short};

/// What `comparison` says.
pub(super) fn section(comparison: &Comparison) -> Section {
    Section {
        name: String::new(),
        heading: heading(comparison),
        summary: summary(comparison),
        alarms: alarms_of(comparison),
        tables: comparison::directions(comparison)
            .into_iter()
            .map(|direction| table(comparison, direction))
            .collect(),
        figures: plots::of_comparison(comparison),
        facts: facts(comparison),
    }
}

fn labels(comparison: &Comparison) -> Vec<String> {
    let mut labels = Vec::new();
    for one in &comparison.contestants {
        let label = words::short_name(one);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn heading(comparison: &Comparison) -> String {
    let first = comparison.contestants.first();
    let workload = |direction| Some(words::workload(&first?.plan, direction, &first?.point));
    let what: Vec<_> =
        comparison::directions(comparison).into_iter().filter_map(workload).collect();
    let what = if what.is_empty() { "a comparison".into() } else { together(&what) };
    let labels = labels(comparison);
    let who = match comparison.layout {
        Layout::Contestants => listed(&labels),
        Layout::Ladder => format!("{} on top of each other", count(labels.len() as u64, "step")),
        Layout::Sweep => format!("{} over {}", listed(&labels), listed(&flags(comparison))),
        Layout::Scale => format!("{} over the number of threads", listed(&labels)),
    };
    words::capital(&format!("{what}: {who}"))
}

/// The flags of the points, in their order.
fn flags(comparison: &Comparison) -> Vec<String> {
    let mut flags = Vec::new();
    for setting in comparison.contestants.iter().flat_map(|one| &one.point) {
        if !flags.contains(&setting.flag) {
            flags.push(setting.flag.clone());
        }
    }
    flags
}

fn summary(comparison: &Comparison) -> Vec<String> {
    let directions = comparison::directions(comparison);
    let said: Vec<String> = match comparison.layout {
        Layout::Sweep | Layout::Scale => {
            directions.into_iter().flat_map(|direction| swept(comparison, direction)).collect()
        }
        Layout::Contestants | Layout::Ladder => {
            let found = comparison::sentences(comparison).into_iter().map(|one| one + ".");
            let base =
                directions.into_iter().filter_map(|direction| baseline(comparison, direction));
            found.chain(base).collect()
        }
    };
    if said.is_empty() {
        return vec!["No round was finished, so there is nothing to compare.".into()];
    }
    said
}

fn result(one: &Contestant, direction: Direction) -> Option<&DirectionResult> {
    one.results.iter().find(|result| result.direction == direction)
}

fn median(one: &Contestant, direction: Direction, metric: Metric) -> Option<f64> {
    Some(result(one, direction)?.median(metric)?.median)
}

/// What the baseline came to, for the ratios to mean something.
fn baseline(comparison: &Comparison, direction: Direction) -> Option<String> {
    let metric = comparison.metric;
    let base = comparison.contestants.iter().find(|one| one.baseline.is_none())?;
    let value = quantity::in_words(metric, median(base, direction, metric)?);
    let rounds = count(base.rounds.len() as u64, "round");
    let of = versus::title(comparison, direction);
    let of = if of.is_empty() { of } else { format!(" in {of}") };
    let is_compared = comparison.contestants.len() > 1;
    let role = match comparison.layout {
        Layout::Ladder => ", the first step,",
        _ if is_compared => ", the baseline,",
        _ => "",
    };
    Some(format!("{}{role} came to {value}{of} (the median of {rounds}).", base.name))
}

/// Where each one is best, and how often it differs from its baseline.
fn swept(comparison: &Comparison, direction: Direction) -> Vec<String> {
    let metric = comparison.metric;
    let sentence = |label: String| {
        let of = || comparison.contestants.iter().filter(|one| words::short_name(one) == label);
        let sign = if metric.is_rate() { 1.0 } else { -1.0 };
        let valued = of().filter_map(|one| Some((one, median(one, direction, metric)?)));
        let (best, value) =
            valued.max_by(|one, other| (sign * one.1).total_cmp(&(sign * other.1)))?;
        let at: Vec<_> =
            best.point.iter().map(|one| format!("{}={}", one.flag, one.value)).collect();
        let (at, value) = (at.join(" "), quantity::in_words(metric, value));
        let found = |finding| {
            let findings = of().filter_map(|one| result(one, direction)?.versus.as_ref());
            findings.filter(|versus| versus.verdict.finding == finding).count()
        };
        let verdicts = [
            (Finding::Better, "better than"),
            (Finding::Worse, "worse than"),
            (Finding::NoDifference, "no different from"),
            (Finding::CannotTell, "not told apart from"),
        ];
        let verdicts = verdicts.map(|(finding, words)| (found(finding), words));
        let verdicts: Vec<_> = verdicts
            .iter()
            .filter(|(points, _)| *points > 0)
            .map(|(points, words)| format!("{words} it at {}", count(*points as u64, "point")))
            .collect();
        let base = of().find_map(|one| Some((one, comparison.contestants.get(one.baseline?)?)));
        let verdicts = match base {
            Some((one, base)) => {
                format!("; against {}, {}", versus::baseline(one, base), verdicts.join(", "))
            }
            None => String::new(),
        };
        let of = versus::title(comparison, direction);
        let of = if of.is_empty() { of } else { format!(", {of}") };
        Some(format!("{label}{of}: best at {at} with {value}{verdicts}."))
    };
    labels(comparison).into_iter().filter_map(sentence).collect()
}

fn alarms_of(comparison: &Comparison) -> Vec<Alarm> {
    let mut all = Vec::new();
    let failures = comparison.failure.iter().chain(&comparison.requests.mismatch);
    all.extend(alarms(AlarmKind::Failed, failures.cloned()));
    if comparison.status == Status::Failed && all.is_empty() {
        all.extend(alarms(AlarmKind::Failed, ["the comparison failed".into()]));
    }
    all.dedup();
    if comparison.status == Status::Interrupted {
        let done = comparison.contestants.iter().map(|one| one.rounds.len()).min().unwrap_or(0);
        let planned = comparison.rounds_planned;
        let text = format!("{done} of {planned} rounds were finished, and those are shown");
        all.extend(alarms(AlarmKind::Interrupted, [text]));
    }
    let engines =
        || comparison.contestants.iter().filter_map(|one| Some((one, one.total.as_ref()?)));
    let doubts = engines().flat_map(|(contestant, engine)| {
        engine.directions.iter().flat_map(move |one| {
            one.doubts.iter().map(move |doubt| {
                let sentence = format!("{}: {}", one.direction, doubt.reason);
                (contestant.name.clone(), sentence)
            })
        })
    });
    let all_of_them = engines().count();
    all.extend(alarms(AlarmKind::Doubtful, grouped(doubts, all_of_them)));
    let missing = comparison.unavailable.iter().map(render::unavailable_sentence);
    let missing = missing.map(|line| line.replacen("unavailable: ", "", 1));
    all.extend(alarms(AlarmKind::Different, missing));
    let downgrades = engines().flat_map(|(contestant, engine)| {
        let downgrades = engine.receipts.iter().filter(|receipt| receipt.is_downgrade());
        downgrades.map(|receipt| {
            let why = receipt.why_not.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let aio_core::receipt::Receipt { option, asked, granted, .. } = receipt;
            (contestant.name.clone(), format!("{option} {granted} instead of {asked}{why}"))
        })
    });
    all.extend(alarms(AlarmKind::Different, grouped(downgrades, all_of_them)));
    all
}

fn table(comparison: &Comparison, direction: Direction) -> Table {
    let flags = flags(comparison);
    let results = || {
        let all = comparison.contestants.iter();
        all.filter_map(move |one| Some((one, result(one, direction)?)))
    };
    let measured = |metric: &Metric| results().any(|(_, one)| one.median(*metric).is_some());
    let metrics: Vec<_> = Metric::ALL.into_iter().filter(measured).collect();
    let mut columns: Vec<_> = flags.iter().map(Column::numbers).collect();
    columns.extend([Column::words("contestant"), Column::words("verdict")]);
    columns.push(Column::numbers("ratio"));
    columns.extend(metrics.iter().map(|metric| Column {
        is_brief: *metric != comparison.metric,
        ..Column::numbers(quantity::heading(*metric))
    }));
    let row = |(one, result): (&Contestant, &DirectionResult)| {
        let value = |flag: &String| one.point.iter().find(|setting| setting.flag == *flag);
        let value = |flag| value(flag).map_or(NONE, |setting| setting.value.as_str());
        let mut row: Vec<_> = flags.iter().map(|flag| Cell::new(value(flag))).collect();
        row.push(name(&words::short_name(one)));
        row.extend(judged(comparison, one, result));
        row.extend(metrics.iter().map(|metric| number(*metric, result.median(*metric))));
        row
    };
    let rows = results().map(row).collect();
    let caption = match versus::title(comparison, direction) {
        title if title.is_empty() => "Medians of rounds, with 95 % intervals".into(),
        title => format!("{}: medians of rounds, with 95 % intervals", words::capital(&title)),
    };
    Table { caption, columns, rows }
}

/// The verdict, and the ratio that it rests on.
fn judged(comparison: &Comparison, one: &Contestant, result: &DirectionResult) -> [Cell; 2] {
    let Some(versus) = &result.versus else {
        return [Cell::new("baseline"), Cell::new(NONE)];
    };
    let tone = match versus.verdict.finding {
        Finding::Better => Tone::Good,
        Finding::Worse => Tone::Bad,
        Finding::NoDifference => Tone::Plain,
        Finding::CannotTell => Tone::Doubtful,
    };
    let base = one.baseline.and_then(|index| comparison.contestants.get(index));
    let aside = base.map(|base| format!("against {}", versus::baseline(one, base)));
    let text = words::of_result(comparison, one, result).unwrap_or_else(|| NONE.into());
    let verdict = Cell { text, aside, tone };
    let ratio = versus.ratio(comparison.metric).map(|one| Cell {
        text: short(one.ratio),
        aside: one.low.zip(one.high).map(|(low, high)| format!("{}–{}", short(low), short(high))),
        tone: Tone::Plain,
    });
    [verdict, ratio.unwrap_or_else(|| Cell::new(NONE))]
}

fn number(metric: Metric, median: Option<Interval>) -> Cell {
    let Some(Interval { median, low, high }) = median else { return Cell::new(NONE) };
    let aside = low.zip(high).map(|(low, high)| quantity::span(metric, low, high));
    let text = quantity::value(metric, median);
    let aside = aside.filter(|aside| *aside != text);
    Cell { text, aside, tone: Tone::Plain }
}

fn facts(comparison: &Comparison) -> Vec<Fact> {
    let bare = |line: &String| {
        let line = line.strip_prefix("target: ").unwrap_or(line);
        line.strip_prefix("device: ").unwrap_or(line).to_owned()
    };
    let targets = render::target_lines(&comparison.targets).iter().map(bare).collect();
    let first = comparison.contestants.first();
    let plan = first.map(|one| render::plan_line(&one.plan, &[]).replacen("plan: ", "", 1));
    let mut plan: Vec<_> = plan.into_iter().collect();
    if comparison.contestants.len() > 1 && comparison.layout != Layout::Contestants {
        plan.push("This is the plan of the first; the others differ as the table says.".into());
    }
    let changes: Vec<_> = comparison.contestants.iter().filter_map(changes).collect();
    plan.extend(changes);
    [
        fact("Machine", machine(&comparison.tool_version, &comparison.machine)),
        fact("Target", targets),
        fact("Plan", plan),
        fact("Rounds", vec![rounds(comparison)]),
        fact("Verdicts", vec![verdicts(comparison)]),
        fact("Requests", vec![words::requests(&comparison.requests)]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a contestant does otherwise than the command line said.
fn changes(one: &Contestant) -> Option<String> {
    let change = |setting: &aio_core::report::Setting| match setting.value.as_str() {
        "" => format!("--{}", setting.flag),
        value => format!("--{} {value}", setting.flag),
    };
    let changes: Vec<_> = one.changes.iter().map(change).collect();
    (!changes.is_empty()).then(|| format!("{}: {}", one.name, changes.join(" ")))
}

fn rounds(comparison: &Comparison) -> String {
    let finished = comparison.contestants.iter().map(|one| one.rounds.len()).max().unwrap_or(0);
    format!(
        "{}, in each of which every contestant ran once, in changing order; {} s in all",
        count(finished as u64, "round"),
        short(comparison.elapsed_s)
    )
}

fn verdicts(comparison: &Comparison) -> String {
    let percent = words::short_percent(comparison.level);
    format!(
        "they rest on the {} of each round; a difference that is none is found in at most {percent} % \
         of comparisons; intervals, and those in brackets, hold the true value with 95 % confidence",
        words::metric(comparison.metric)
    )
}
