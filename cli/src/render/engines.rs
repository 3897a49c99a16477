//! The listing of engines, for people.

use std::io::{self, Write};

use aio_backends::{Here, Listed, ListedOption};

use super::notes::receipt_sentence;
use super::text::{machine_line, paragraph};
use crate::engines::Listing;

/// Writes the machine, and below it a paragraph per engine.
pub(super) fn write(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    paragraph(&[machine_line(&listing.tool_version, &listing.machine)], out)?;
    for engine in &listing.engines {
        writeln!(out)?;
        paragraph(&engine_lines(engine, listing.queue_depth), out)?;
    }
    Ok(())
}

fn engine_lines(engine: &Listed, queue_depth: u32) -> Vec<String> {
    // A name that was asked for is not told again as the other one.
    let others = engine.aliases.iter().filter(|alias| !engine.engine.starts_with(**alias));
    let others = others.copied().collect::<Vec<_>>().join(", ");
    let also = if others.is_empty() { others } else { format!(" (also {others})") };
    let verdict = match (&engine.reason, &engine.cure) {
        (None, _) => format!("can run here, tried at depth {queue_depth}"),
        (Some(reason), None) => format!("cannot run here: {reason}"),
        (Some(reason), Some(cure)) => format!("cannot run here: {reason}; {cure}"),
    };
    let mut lines = vec![format!("{}{also}: {verdict}", engine.engine)];
    if !engine.moves_data {
        lines.push("  moves no data, and measures aio itself".into());
    }
    if engine.options.is_empty() {
        lines.push("  no options".into());
    }
    for option in &engine.options {
        lines.extend(option_lines(option));
    }
    let receipts = engine.receipts.iter().map(|one| format!("  {}", receipt_sentence(one)));
    lines.extend(receipts);
    lines
}

/// What it does, and below it what it takes and what the kernel makes of it.
fn option_lines(option: &ListedOption) -> Vec<String> {
    let spec = &option.spec;
    let since = spec.since.map(|version| format!("; Linux {version} or later"));
    let mut lines = vec![
        format!("  {}: {}", spec.key, spec.help),
        format!(
            "    {}; default: {}{}",
            spec.accepts.words(),
            spec.default,
            since.unwrap_or_default()
        ),
    ];
    lines.extend(option.here.as_ref().map(|here| format!("    here: {}", here_words(here))));
    lines
}

fn here_words(here: &Here) -> String {
    let Here { asked, granted, why_not } = here;
    let why = why_not.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match granted {
        Some(granted) if granted == asked => format!("{granted} is granted{why}"),
        Some(granted) => format!("{granted} instead of {asked}{why}"),
        None => format!("{asked} is refused{why}"),
    }
}

#[cfg(test)]
mod tests {
    use aio_core::engine::{Accepts, OptionSpec};
    use aio_core::receipt::Receipt;

    use super::super::sample;
    use super::super::wrap::PAGE_COLUMNS;
    use super::*;

    fn option(key: &'static str, since: Option<&'static str>, here: Option<Here>) -> ListedOption {
        let help = "register the memory, to pin it once and not per request";
        let spec = OptionSpec { key, accepts: Accepts::Switch, default: "on", help, since };
        ListedOption { spec, here }
    }

    fn here(granted: Option<&str>, why_not: Option<&str>) -> Here {
        let (granted, why_not) = (granted.map(String::from), why_not.map(String::from));
        Here { asked: "on".into(), granted, why_not }
    }

    fn listing() -> Listing {
        let mut number = option("idle-ms", Some("5.11"), None);
        number.spec.accepts = Accepts::number(1..=60_000);
        number.spec.default = "1000";
        number.spec.help = "how long the kernel's thread goes on looking for requests before it \
                            sleeps and has to be woken up by a call";
        let can_run = Listed {
            engine: "uring".into(),
            aliases: vec!["io_uring"],
            moves_data: true,
            can_run: true,
            reason: None,
            cure: None,
            options: vec![
                option("fixed-buffers", Some("5.1"), Some(here(Some("on"), None))),
                option("coop-taskrun", Some("5.19"), Some(here(Some("off"), Some("EINVAL")))),
                option("polled", None, Some(here(None, Some("not permitted; run as root")))),
                number,
            ],
            receipts: vec![Receipt::granted("pool", "32 threads")],
        };
        let cannot_run = Listed {
            engine: "null".into(),
            aliases: Vec::new(),
            moves_data: false,
            can_run: false,
            reason: Some("no such system call".into()),
            cure: Some("use Linux 5.1 or later".into()),
            options: Vec::new(),
            receipts: Vec::new(),
        };
        Listing {
            schema_version: 1,
            tool_version: "0.1.0".into(),
            machine: sample::one_engine().machine,
            queue_depth: 32,
            engines: vec![can_run, cannot_run],
        }
    }

    fn text(listing: &Listing) -> String {
        let mut out = Vec::new();
        write(listing, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_engine_has_a_headline_and_each_option_what_it_does_takes_and_gets() {
        insta::assert_snapshot!(text(&listing()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        uring (also io_uring): can run here, tried at depth 32
          fixed-buffers: register the memory, to pin it once and not per request
            on or off; default: on; Linux 5.1 or later
            here: on is granted
          coop-taskrun: register the memory, to pin it once and not per request
            on or off; default: on; Linux 5.19 or later
            here: off instead of on: EINVAL
          polled: register the memory, to pin it once and not per request
            on or off; default: on
            here: on is refused: not permitted; run as root
          idle-ms: how long the kernel's thread goes on looking for requests before it sleeps and has to be
            woken up by a call
            a whole number from 1 to 60000; default: 1000; Linux 5.11 or later
          granted: pool 32 threads

        null: cannot run here: no such system call; use Linux 5.1 or later
          moves no data, and measures aio itself
          no options
        ");
    }

    #[test]
    fn nothing_is_wider_than_a_page_and_no_control_character_comes_through() {
        let mut listing = listing();
        listing.engines[1].reason = Some(format!("the kernel said \u{1b}[2J {}", "no ".repeat(99)));
        let text = text(&listing);
        assert!(text.lines().all(|line| line.chars().count() <= PAGE_COLUMNS), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn another_name_that_was_asked_for_is_not_told_again() {
        let mut listing = listing();
        listing.engines[0].engine = "io_uring:polled".into();
        assert!(text(&listing).contains("\nio_uring:polled: can run here"), "{}", text(&listing));
    }
}
