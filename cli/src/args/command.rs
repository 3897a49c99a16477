//! The commands beside a run: what `aio NAME` understands. Each has its flags in a struct of its
//! own, and the module of the same name in the crate does it.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::compare::Compare;
use super::flags::Args;
use super::results::{Diff, Page};

/// What can be asked for instead of a run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the engines with their options, and whether they can run here
    #[command(long_about = ENGINES_LONG)]
    Engines(Engines),

    /// Say what about this machine and a place on it bears on a measurement; changes nothing
    #[command(long_about = DOCTOR_LONG)]
    Doctor(Doctor),

    /// Check the blocks of files that were written with --verify, from the files alone
    #[command(long_about = VERIFY_LONG)]
    Verify(Verify),

    /// Run the jobs of a plan file, one after the other
    #[command(long_about = RUN_LONG)]
    Run(Run),

    /// Run the jobs of an fio job file, one after the other
    #[command(long_about = FIO_LONG)]
    Fio(Fio),

    /// Compare engines, or anything else that a flag changes, in rounds that take turns
    #[command(long_about = COMPARE_LONG)]
    Compare(Compare),

    /// Compare results of two times: is the new one slower?
    #[command(long_about = DIFF_LONG)]
    Diff(Diff),

    /// Make a page with plots, or Markdown, of results
    #[command(long_about = REPORT_LONG)]
    Report(Page),

    /// Print completions for a shell: bash, zsh or fish
    #[command(long_about = COMPLETIONS_LONG)]
    Completions(Completions),

    /// Print the manual page of aio, or of one of its commands
    #[command(long_about = MAN_LONG)]
    Man(Man),

    /// Print the JSON Schema of a document that aio writes
    #[command(long_about = SCHEMA_LONG)]
    Schema(Schema),
}

const COMPARE_LONG: &str = "Runs the same plan with each engine, in interleaved rounds in which \
each has each place equally often, and says which one is faster, by how much, and whether that is \
more than chance. All engines must have been given the same requests, or the comparison fails. What \
runs is said with the same flags as without the command.";

const DIFF_LONG: &str = "Compares results that were saved before, a base and a new one: of aio \
compare --save, which holds rounds, or of runs with --format json, which are one round each. Results \
that were asked for something else (another workload, block size, depth, number of threads or \
engine) are refused; another machine, kernel, device, file system or version of aio is told and \
compared, since that is often what one wants to know. Exit code: 0 there is no regression, 3 there \
is one, 2 the results cannot be compared.";

const REPORT_LONG: &str = "Makes one page of results that were saved before: a sentence that says \
what they mean, tables with verdicts, and plots. The page needs no network and no script.";

const COMPLETIONS_LONG: &str = "Prints a script that lets a shell complete the flags and commands \
of aio. For bash: aio completions bash > ~/.local/share/bash-completion/completions/aio";

const MAN_LONG: &str = "Prints a manual page as roff: without a name that of aio itself, with the \
name of a command that command's. To read one: aio man run | man -l -";

const SCHEMA_LONG: &str = "Prints the JSON Schema (draft 2020-12) of a document that aio writes with \
--format json. What was not measured is null, where the schema allows it. A later version may add \
fields, so readers should ignore those that they do not know; schema_version grows when a field \
changes its meaning or goes. docs/schema has the same schemas as files.";

/// `aio completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

/// The shells that there are completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// `aio man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The command whose page is wanted; aio itself without one
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

/// `aio schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// The document
    #[arg(value_name = "DOCUMENT", value_enum, default_value_t = Document::Run)]
    pub(crate) document: Document,
}

/// The documents that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// Results of a run
    Run,
    /// Results of aio run and aio fio
    Jobs,
    /// What --dry-run prints of a run
    Preview,
    /// What aio engines prints
    Engines,
    /// What aio doctor prints
    Doctor,
    /// What aio verify prints
    Findings,
    /// Results of aio compare
    Comparison,
    /// Results of aio diff
    Difference,
}

const RUN_LONG: &str = "Runs the jobs of a plan file, one after the other. The file is TOML; its \
keys are the long names of the flags below, and a flag that is given here wins over the key in every \
job. All jobs are checked before the first one runs. --dump-plan prints such a file for any command \
line; docs/plans.md says the rest.";

const FIO_LONG: &str = "Runs the jobs of an fio job file, one after the other, as far as aio has \
what they ask for. An option that it does not have is refused with its line; --lenient goes on \
without it and says so. A flag that is given here wins over the file in every job. All jobs are \
checked before the first one runs; docs/plans.md lists the options and what differs from fio.";

/// `aio run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The plan file; - is stdin
    #[arg(value_name = "PLAN.toml")]
    pub(crate) plan: PathBuf,

    #[command(flatten)]
    pub(crate) args: Box<Args>,
}

/// `aio fio`.
#[derive(Debug, clap::Args)]
pub(crate) struct Fio {
    /// The job file; - is stdin
    #[arg(value_name = "JOB.fio")]
    pub(crate) job_file: PathBuf,

    /// Leave out what aio does not have, and list it on stderr
    #[arg(long)]
    pub(crate) lenient: bool,

    #[command(flatten)]
    pub(crate) args: Box<Args>,
}

const ENGINES_LONG: &str = "Lists the engines with their options: values, default, what each does, \
the Linux version that brought it, and what this machine's kernel grants of it now. To find out, a \
queue of each engine is opened for a moment; nothing is read or written.";

const DOCTOR_LONG: &str = "Looks at the kernel, the engines with their options, limits, memory, \
processors, and at a place with its device and file system. Says of each thing what it is, what that \
does to a measurement, and the command that would change it. Runs none of these commands, changes \
nothing and opens nothing for writing. What cannot be read is unknown. Exit code: 0 whatever was \
found, 2 the place is not there.";

/// `aio doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// The file, folder or device that is to be measured [default: the current folder]
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,

    /// Form of the findings: text, or json for programs
    #[arg(long, value_enum, default_value_t = ListFormat::Text, hide_possible_values = true)]
    format: ListFormat,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Doctor {
    /// The form that was asked for.
    pub(crate) fn format(&self) -> ListFormat {
        if self.json { ListFormat::Json } else { self.format }
    }
}

const VERIFY_LONG: &str = "Checks the blocks of files and devices that were written with --file \
and --verify, from what is in them alone, and tells apart what is torn, stale, misplaced, zeroed, \
corrupt or missing. The first bad block is named with what was expected and what was found. Blocks \
that a run did not come to, because it was cut short, may count as damaged. Only reads. Exit code: 0 all is right, 1 something is damaged or cannot be read, 2 there is no such \
block.";

/// `aio verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The files and block devices
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The last loop of the last run wrote every block: one of an older loop or run is stale. What a
    /// file says of that by itself is known without this flag; a device says nothing
    #[arg(long)]
    pub(crate) all_written: bool,

    /// Form of the results: text, or json for programs
    #[arg(long, value_enum, default_value_t = ListFormat::Text, hide_possible_values = true)]
    pub(crate) format: ListFormat,
}

/// `aio engines`.
#[derive(Debug, clap::Args)]
pub(crate) struct Engines {
    /// Only these engines; options behind a name are asked for too: uring:fixed-files=off
    #[arg(value_name = "NAME[:KEY[=VALUE]]")]
    pub(crate) names: Vec<String>,

    /// Form of the listing: text, or json for programs
    #[arg(long, value_enum, default_value_t = ListFormat::Text, hide_possible_values = true)]
    pub(crate) format: ListFormat,
}

/// The forms that listings come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Text,
    Json,
}
