//! What was typed, as it was typed.
//!
//! [`parse`] checks each flag by itself and which flags exclude each other; it looks at nothing but
//! its arguments. What the flags mean together is [`crate::lower`]'s to say.

mod argv;
mod blocks;
mod catalogue;
mod command;
mod compare;
mod flags;
mod given;
#[cfg(test)]
mod reference;
mod results;
mod values;

use std::ffi::OsString;

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use crate::ending::Failure;
use flags::Line;

pub(crate) use blocks::Blocks;
pub(crate) use catalogue::{Catalogue, Flag, Takes, nearest};
pub(crate) use command::{
    Command, Completions, Doctor, Document, Engines, Fio, ListFormat, Man, Run, Schema, Shell,
    Verify,
};
pub(crate) use compare::Compare;
pub(crate) use flags::{Args, Format, Listing, Loudness, Workload};
pub(crate) use given::{Given, RefusedFlags, from_flags};
#[cfg(test)]
pub(crate) use results::Files;
pub(crate) use results::{Diff, DiffFormat, Page, PageFormat};
pub(crate) use values::{LogTids, Mode, decimal, size as whole_size};

/// What the command line asks for.
pub(crate) enum Asked {
    /// A text that goes to stdout: help or version.
    Text(String),
    /// A run.
    Run(Box<Args>),
    /// Something else than a run.
    Command(Command),
}

/// The command line as its parser knows it: all flags and commands.
pub(crate) fn definition() -> clap::Command {
    Line::command()
}

/// Reads the command line, the program's name first.
pub(crate) fn parse(command_line: impl IntoIterator<Item = OsString>) -> Result<Asked, Failure> {
    match line(argv::normalised(command_line)) {
        Ok(Line { command: Some(command), .. }) => Ok(Asked::Command(command)),
        Ok(Line { args, .. }) => Ok(Asked::Run(Box::new(args))),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            Ok(Asked::Text(error.to_string()))
        }
        Err(error) => Err(Failure::refused(anyhow!(refusal(&error)))),
    }
}

/// Reads the words of a command line, and notes which flags of a run were given.
fn line(words: Vec<OsString>) -> Result<Line, clap::Error> {
    let matches = Line::command().try_get_matches_from(words)?;
    let mut line = Line::from_arg_matches(&matches)?;
    match (&mut line.command, matches.subcommand()) {
        (Some(Command::Run(run)), Some((_, of_run))) => {
            run.args.given = given::given(of_run);
        }
        (Some(Command::Fio(fio)), Some((_, of_fio))) => {
            fio.args.given = given::given(of_fio);
        }
        (Some(Command::Compare(compare)), Some((_, of_compare))) => {
            compare.args.given = given::given(of_compare);
        }
        _ => line.args.given = given::given(&matches),
    }
    Ok(line)
}

/// What `error` says, in one line. A stray word that is not nearly a command is not called one.
fn refusal(error: &clap::Error) -> String {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
        && Line::command().find_subcommand(word).is_none()
    {
        return format!("unexpected argument '{word}' found");
    }
    one_line(&error.to_string())
}

/// The refusal itself, without the usage and the pointer to help that follow it.
fn one_line(rendered: &str) -> String {
    let refusal = rendered
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty());
    let joined = refusal.collect::<Vec<_>>().join("; ");
    let text = joined.strip_prefix("error: ").unwrap_or(&joined);
    text.replace(":; ", ": ")
}

#[cfg(test)]
mod tests {
    use aio_core::plan::{Direction, Pattern};

    use super::*;

    fn refusal(line: &str) -> String {
        match parse(std::iter::once("aio").chain(line.split(' ')).map(OsString::from)) {
            Ok(_) => panic!("{line} was accepted"),
            Err(failure) => failure.sentence(),
        }
    }

    fn accepted(line: &str) -> Args {
        match parse(std::iter::once("aio").chain(line.split(' ')).map(OsString::from)) {
            Ok(Asked::Run(args)) => *args,
            Ok(Asked::Text(text)) => panic!("{line} printed {text}"),
            Ok(Asked::Command(command)) => panic!("{line} is {command:?}"),
            Err(failure) => panic!("{line} was refused: {}", failure.sentence()),
        }
    }

    #[test]
    fn the_definition_of_the_flags_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn a_refusal_is_one_line_that_names_flag_value_and_what_is_accepted() {
        insta::assert_snapshot!(
            [
                "--block-size 0",
                "--block-size -1",
                "--block-size",
                "--threads 0",
                "--loops 0",
                "--loops -1",
                "--loops 1.5",
                "--queue-depth x",
                "--io-size 1Q",
                "--write-size 9223372036854775808",
                "--format xml",
                "--memory 2m",
                "--cpus 1-",
                "--log-tids x",
                "--folder-to-device-mapping /data",
                "--sequential-requests --overlap-events",
                "--single-submit --batch-submit 2",
                "--folder a --read-file b",
                "--block-sise 1M",
                "stray",
                "--quiet stray",
                "enginse",
                "--quiet engines",
                "engines --quiet",
                "engines --format csv",
            ]
            .map(|line| format!("{line}\n  {}", refusal(line)))
            .join("\n"),
            @r"
            --block-size 0
              invalid value '0' for '--block-size <SIZE>': give at least 1 byte
            --block-size -1
              invalid value '-1' for '--block-size <SIZE>': a size is a number with or without K, M, G or T (powers of 1024), such as 4096, 64KiB or 1.5G
            --block-size
              a value is required for '--block-size <SIZE>' but none was supplied
            --threads 0
              invalid value '0' for '--threads <N>': give a whole number from 1 to 4096
            --loops 0
              invalid value '0' for '--loops <N>': give a whole number from 1 to 1000000
            --loops -1
              invalid value '-1' for '--loops <N>': give a whole number from 1 to 1000000
            --loops 1.5
              invalid value '1.5' for '--loops <N>': give a whole number from 1 to 1000000
            --queue-depth x
              invalid value 'x' for '--queue-depth <N>': give a whole number from 1 to 4294967295
            --io-size 1Q
              invalid value '1Q' for '--io-size <SIZE>': a size is a number with or without K, M, G or T (powers of 1024), such as 4096, 64KiB or 1.5G
            --write-size 9223372036854775808
              invalid value '9223372036854775808' for '--write-size <SIZE>': give less than 2^63 bytes, which is where file offsets end
            --format xml
              invalid value 'xml' for '--format <FORMAT>'; [possible values: text, json, csv, classic, fio-json]
            --memory 2m
              invalid value '2m' for '--memory <KIND>': give one of thp, 4k, hugetlb
            --cpus 1-
              invalid value '1-' for '--cpus <LIST>': give numbers and ranges of CPUs, such as 0,2,4-7
            --log-tids x
              invalid value 'x' for '--log-tids <LIST>': give numbers of tasklets, such as 0,3, or all
            --folder-to-device-mapping /data
              invalid value '/data' for '--folder-to-device-mapping <DIR:ID>...': give a folder and the number of a device, such as /data:0
            --sequential-requests --overlap-events
              the argument '--sequential-requests' cannot be used with '--overlap-events'
            --single-submit --batch-submit 2
              the argument '--single-submit' cannot be used with '--batch-submit <N>'
            --folder a --read-file b
              the argument '--folder <DIR>...' cannot be used with '--read-file <FILE>'
            --block-sise 1M
              unexpected argument '--block-sise' found; tip: a similar argument exists: '--block-size'
            stray
              unexpected argument 'stray' found
            --quiet stray
              unexpected argument 'stray' found
            enginse
              unrecognized subcommand 'enginse'; tip: a similar subcommand exists: 'engines'
            --quiet engines
              the subcommand 'engines' cannot be used with '--quiet'
            engines --quiet
              unexpected argument '--quiet' found; tip: to pass '--quiet' as a value, use '-- --quiet'
            engines --format csv
              invalid value 'csv' for '--format <FORMAT>'; [possible values: text, json]
            ",
        );
    }

    #[test]
    fn a_refusal_of_a_flag_of_blocks_is_such_a_line_too() {
        insta::assert_snapshot!(
            [
                "--file f --rw randomly",
                "--file f --random-distribution zipf",
                "--file f --bssplit 4k/60:64k/50",
                "--file f --rate-iops 0",
                "--file f --fsync 1 --fdatasync 1",
                "--file f --bssplit 4k --bs 8k",
                "--file f --runtime 0",
                "--file f --runtime 5y",
                "--file f --number-ios 0",
                "--file f --size -1",
                "--file f --read-file g",
                "--file f --concurrent",
            ]
            .map(|line| format!("{line}\n  {}", refusal(line)))
            .join("\n"),
            @r"
            --file f --rw randomly
              invalid value 'randomly' for '--rw <MODE>': give read, write, rw, trim, randread, randwrite, randrw or randtrim
            --file f --random-distribution zipf
              invalid value 'zipf' for '--random-distribution <NAME[:X]>': give uniform, zipf:THETA such as zipf:1.1, pareto:H such as pareto:0.2, or normal:SIGMA in percent such as normal:10
            --file f --bssplit 4k/60:64k/50
              invalid value '4k/60:64k/50' for '--bssplit <SIZE/PERCENT:…>': the shares come to 110 %, not to 100
            --file f --rate-iops 0
              invalid value '0' for '--rate-iops <N[,poisson]>': give more than 0 and at most 1e9 requests per second
            --file f --fsync 1 --fdatasync 1
              the argument '--fsync <N>' cannot be used with '--fdatasync <N>'
            --file f --bssplit 4k --bs 8k
              the argument '--bssplit <SIZE/PERCENT:…>' cannot be used with '--block-size <SIZE>'
            --file f --runtime 0
              invalid value '0' for '--runtime <TIME>': give more than 0
            --file f --runtime 5y
              invalid value '5y' for '--runtime <TIME>': a time is a number of seconds, or a number with us, ms, s, m, h or d, such as 10, 500ms or 1.5m
            --file f --number-ios 0
              invalid value '0' for '--number-ios <N>': give a whole number from 1 to 18446744073709551615
            --file f --size -1
              invalid value '-1' for '--size <SIZE>': a size is a number with or without K, M, G or T (powers of 1024), such as 4096, 64KiB or 1.5G
            --file f --read-file g
              the argument '--file <FILE>...' cannot be used with '--read-file <FILE>'
            --file f --concurrent
              the argument '--file <FILE>...' cannot be used with '--concurrent'
            ",
        );
    }

    #[test]
    fn flags_are_known_by_their_other_names_with_either_kind_of_dash() {
        let args = accepted("--folder a --bs 1m --iodepth 4 --numjobs 2 --io_parallel 3");
        let tuning = args.tuning;
        assert_eq!(tuning.block_size_bytes, 1 << 20);
        assert_eq!((tuning.queue_depth, tuning.threads, tuning.io_parallel), (4, 2, 3));
        assert_eq!(accepted("--multi_process=5").tuning.threads, 5);
    }

    #[test]
    fn a_command_has_flags_of_its_own_and_a_value_is_never_taken_for_one() {
        let line = "aio engines --format=json null sync:inline=on".split(' ').map(OsString::from);
        match parse(line) {
            Ok(Asked::Command(Command::Engines(asked))) => {
                assert_eq!(asked.names, ["null", "sync:inline=on"]);
                assert_eq!(asked.format, ListFormat::Json);
            }
            _ => panic!("the command was not understood"),
        }
        let args = accepted("--folder a engines --io-size 1M");
        assert_eq!(args.workload.folder.len(), 2, "a folder may have the name of a command");
    }

    #[test]
    fn the_names_of_fio_stand_for_the_flags_of_blocks() {
        let work = accepted("--filename f --rw randwrite --number_ios 7 --runtime 0.5").blocks;
        assert_eq!(work.files, [std::path::PathBuf::from("f")]);
        let mode = Mode { direction: Direction::Write, pattern: Pattern::Random };
        assert_eq!(work.rw, Some(mode));
        assert_eq!((work.number_ios, work.runtime_ns), (Some(7), Some(500_000_000)));
    }

    #[test]
    fn lists_are_given_by_commas_or_by_repeating() {
        let args = accepted("--engine uring:x=1,sync --engine null --io-size 1M,2M --cpus 0,4-6");
        assert_eq!(args.engines, ["uring:x=1", "sync", "null"]);
        assert_eq!(args.workload.io_size_bytes, [1 << 20, 2 << 20]);
        assert_eq!(args.tuning.cpus.concat(), [0, 4, 5, 6]);
        let args = accepted("--folder a b --folder c --read");
        assert_eq!(args.workload.folder.len(), 3);
    }
}
