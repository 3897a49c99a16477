//! What the doctor found, for people: first how much of what, then topic by topic.

use std::io::{self, Write};

use aio_backends::{Listed, ListedOption};

use super::numbers::count;
use super::text::{machine_line, paragraph};
use crate::doctor::{Examination, Finding, Topic, Verdict};
use crate::voice::printable;

/// Writes a summary, and a paragraph per topic.
pub(super) fn write(found: &Examination, out: &mut dyn Write) -> io::Result<()> {
    let machine = machine_line(&found.tool_version, &found.machine);
    let place = format!("{}: {}", found.path, found.place);
    paragraph(&[machine, place], out)?;
    paragraph(&summary(&found.findings), out)?;
    for topic in found.findings.chunk_by(|one, next| one.topic == next.topic) {
        writeln!(out, "\n{}", topic[0].topic.name())?;
        topic.iter().try_for_each(|finding| write_finding(finding, out))?;
        if topic[0].topic == Topic::Engines {
            let lines: Vec<_> = found.engines.iter().flat_map(option_lines).collect();
            paragraph(&lines, out)?;
        }
    }
    Ok(())
}

/// How many findings there are of each verdict, and which the warnings are.
fn summary(findings: &[Finding]) -> Vec<String> {
    let of = |verdict| findings.iter().filter(move |one| one.verdict == verdict);
    let words = |verdict: &Verdict| {
        let number = of(*verdict).count() as u64;
        match verdict {
            Verdict::Warning | Verdict::Note => count(number, verdict.name()),
            _ => format!("{number} {}", verdict.name()),
        }
    };
    let mut lines = vec![Verdict::ALL.iter().map(words).collect::<Vec<_>>().join(", ")];
    let warnings: Vec<_> = of(Verdict::Warning).map(|one| one.name.as_str()).collect();
    if !warnings.is_empty() {
        lines.push(format!("look first at: {}", warnings.join(", ")));
    }
    lines
}

/// What is good needs one line; the rest says what it does, and what to do.
fn write_finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let Finding { name, verdict, state, effect, cure, remark, .. } = finding;
    let head = format!("  {}: {name}: {state}", verdict.name());
    if *verdict == Verdict::Good {
        return paragraph(&[head], out);
    }
    paragraph(&[head, format!("    {effect}")], out)?;
    if let Some(cure) = cure {
        // Not broken, however long it is, so that it can be pasted.
        writeln!(out, "    $ {}", printable(cure))?;
    }
    match remark {
        Some(remark) => paragraph(&[format!("    {remark}")], out),
        None => Ok(()),
    }
}

/// What of the options of an engine can be had.
fn option_lines(engine: &Listed) -> Vec<String> {
    let name = &engine.engine;
    if engine.options.is_empty() {
        return Vec::new();
    }
    if !engine.can_run {
        return vec![format!("  no option of {name} can be had, since it cannot run")];
    }
    let key = |option: &ListedOption| option.spec.key;
    let (mut had, mut unasked, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for option in &engine.options {
        match &option.here {
            None => unasked.push(key(option)),
            Some(here) if here.granted.as_deref().is_some_and(|granted| granted != "off") => {
                had.push(key(option));
            }
            Some(here) => {
                let why = here.why_not.as_deref().unwrap_or("it is off");
                refused.push(format!("    not {}: {why}", key(option)));
            }
        }
    }
    let mut lines = Vec::new();
    if !had.is_empty() {
        lines.push(format!("  options of {name} that can be had: {}", had.join(", ")));
    }
    if !unasked.is_empty() {
        let unasked = unasked.join(", ");
        lines.push(format!("  not asked, since it takes a value or a file to ask: {unasked}"));
    }
    if !refused.is_empty() {
        lines.push(format!("  options of {name} that cannot be had:"));
        lines.extend(refused);
    }
    lines
}

#[cfg(test)]
mod tests {
    use aio_backends::Here;
    use aio_core::engine::{Accepts, OptionSpec};

    use super::super::sample;
    use super::super::wrap::PAGE_COLUMNS;
    use super::*;

    fn option(key: &'static str, granted: Option<&str>, why_not: Option<&str>) -> ListedOption {
        let accepts = Accepts::Switch;
        let spec = OptionSpec { key, accepts, default: "on", help: "help", since: None };
        let (granted, why_not) = (granted.map(String::from), why_not.map(String::from));
        let is_asked = granted.is_some() || why_not.is_some();
        let here = is_asked.then(|| Here { asked: "on".into(), granted, why_not });
        ListedOption { spec, here }
    }

    fn examination() -> Examination {
        let long = "words ".repeat(30);
        let finding = |topic, name: &str, verdict, state: &str| {
            Finding::new((topic, name), verdict, state, long.trim())
        };
        let path = "/sys/".to_owned() + &"x".repeat(120);
        let uring = Listed {
            engine: "uring".into(),
            aliases: Vec::new(),
            moves_data: true,
            can_run: true,
            reason: None,
            cure: None,
            options: vec![
                option("fixed-files", Some("on"), None),
                option("coop-taskrun", Some("off"), Some("EINVAL")),
                option("iopoll", None, Some("no queues")),
                option("sqpoll-cpu", None, None),
            ],
            receipts: Vec::new(),
        };
        Examination {
            schema_version: 1,
            tool_version: "0.1.0".into(),
            machine: sample::one_engine().machine,
            path: "a\u{1b}b".into(),
            place: "a folder",
            findings: vec![
                finding(Topic::Engines, "uring", Verdict::Good, "can run"),
                finding(Topic::Device, "scheduler", Verdict::Warning, "bfq")
                    .cure(format!("echo none | tee {path}"))
                    .remark("take care"),
                finding(Topic::Device, "link", Verdict::Unknown, "who knows"),
            ],
            engines: vec![uring],
        }
    }

    fn text() -> String {
        let mut out = Vec::new();
        write(&examination(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_newcomer_sees_first_how_much_is_wrong_and_what() {
        let text = text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "a\\u{1b}b: a folder");
        assert_eq!(lines[2], "1 warning, 0 notes, 1 unknown, 1 good");
        assert_eq!(lines[3], "look first at: scheduler");
    }

    #[test]
    fn lines_fit_the_page_but_for_commands_which_stay_whole() {
        let text = text();
        let fits = |line: &&str| line.chars().count() <= PAGE_COLUMNS;
        let (commands, rest): (Vec<_>, Vec<_>) =
            text.lines().partition(|line| line.starts_with("    $ "));
        assert!(rest.iter().all(fits), "{text}");
        assert!(commands.len() == 1 && commands[0].ends_with("xxx"), "{text}");
    }

    #[test]
    fn options_are_sorted_by_what_became_of_them() {
        let text = text();
        for line in [
            "  options of uring that can be had: fixed-files",
            "  not asked, since it takes a value or a file to ask: sqpoll-cpu",
            "  options of uring that cannot be had:",
            "    not coop-taskrun: EINVAL",
            "    not iopoll: no queues",
            "    take care",
            "  unknown: link: who knows",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}
