//! The commands beside a run: what `aio NAME` understands. Each has its flags in a struct of its
//! own, and the module of the same name in the crate does it.

use clap::{Subcommand, ValueEnum};

/// What can be asked for instead of a run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the engines with their options, and whether they can run here
    #[command(long_about = ENGINES_LONG)]
    Engines(Engines),
}

const ENGINES_LONG: &str = "Lists the engines with their options: values, default, what each does, \
the Linux version that brought it, and what this machine's kernel grants of it now. To find out, a \
queue of each engine is opened for a moment; nothing is read or written.";

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
