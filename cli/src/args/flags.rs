//! The flags, in groups as the help shows them.

use std::path::PathBuf;

use aio_core::memory::MemoryKind;
use clap::builder::styling::Styles;
use clap::{ArgAction, Parser, ValueEnum};

use super::blocks::Blocks;
use super::command::Command;
use super::given::Given;
use super::values::{
    FolderOfDevice, LogTids, cpus, folder_of_device, log_tids, memory, size, time_ns, whole,
};
use crate::gate::{Assertion, assertion};

const ABOUT: &str = "Measures how fast io_uring, Linux AIO and pread/pwrite move the same data.

Without arguments, writes and reads a temporary file in the current folder with every engine that
this kernel allows, and compares them.";

const EXAMPLES: &str = "\
Sizes take K, M, G and T (powers of 1024) in any case, and fractions: 1M, 64KiB, 1.5G.
Times are seconds, or take us, ms, s, m, h and d: 10, 500ms, 1.5m.
Flags may be written with - or _ between words.

Examples:
  Write a 64 MiB tensor with every engine, and check it afterwards:
    aio --engine all --write-file tensor --write-size 64M --validate
  Read one tensor of 32 MiB in each of two threads, two lanes each:
    aio --folder . --io-size 32M --read --threads 2 --io-parallel 2
  Write and read tensors of two sizes at the same time, for programs to read:
    aio --folder . --io-size 16M,32M --threads 2 --concurrent --format json
  Read random blocks of 4 KiB of a file of 64 MiB for 2 seconds, 32 at a time:
    aio --file bench --rw randread --block-size 4k --size 64M --runtime 2s";

/// The whole command line: a run, or a command.
#[derive(Debug, Parser)]
#[command(
    name = "aio",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    styles = Styles::plain(),
    max_term_width = 100,
    args_override_self = false,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) args: Args,
}

/// The flags of a run, which commands that run something take too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    // The list of engines is the backends' own, so that a new one needs no change here.
    #[arg(help = format!("Engine with its options, several by commas: {}; auto takes the first that \
        can run, all takes all of them but null", aio_backends::NAMES.join(", ")))]
    #[arg(
        long = "engine",
        alias = "ioengine",
        value_name = "NAME[:KEY[=VALUE]]",
        value_delimiter = ','
    )]
    #[arg(default_value = "auto", help_heading = "Engine")]
    pub(crate) engines: Vec<String>,

    #[command(flatten)]
    pub(crate) workload: Workload,
    #[command(flatten)]
    pub(crate) blocks: Blocks,
    #[command(flatten)]
    pub(crate) tuning: Tuning,
    #[command(flatten)]
    pub(crate) safety: Safety,
    #[command(flatten)]
    pub(crate) listing: Listing,
    #[command(flatten)]
    pub(crate) loudness: Loudness,
    #[command(flatten)]
    pub(crate) later: Later,

    /// Those of all these flags that were given, with what was typed behind them.
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
}

/// What is moved.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is moved")]
pub(crate) struct Workload {
    /// Read this file, which must be there; all threads share it, or have one each when {tid} is in
    /// its name
    #[arg(long, value_name = "FILE")]
    pub(crate) read_file: Option<PathBuf>,

    /// Write FILE.0, FILE.1, …, one per thread; or the device FILE itself, with --allow-device
    #[arg(long, value_name = "FILE")]
    pub(crate) write_file: Option<PathBuf>,

    /// Size of each tensor of --write-file, or a list of them, given to the threads in turn
    #[arg(long = "write-size", value_name = "SIZE", value_delimiter = ',', value_parser = size)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) write_size_bytes: Vec<u64>,

    /// Write (or read) one file per thread in each of these folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    #[arg(conflicts_with_all = ["read_file", "write_file"])]
    pub(crate) folder: Vec<PathBuf>,

    /// The same with one thread per pair of a folder and the number of a device
    #[arg(long, value_name = "DIR:ID", num_args = 1.., value_parser = folder_of_device)]
    #[arg(conflicts_with_all = ["folder", "read_file", "write_file"])]
    pub(crate) folder_to_device_mapping: Vec<FolderOfDevice>,

    /// Size of each tensor in --folder, or a list of them; with --read-file, how much to read
    #[arg(long = "io-size", value_name = "SIZE", value_delimiter = ',', value_parser = size)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) io_size_bytes: Vec<u64>,

    /// Read in the folders instead of writing; files that are missing are made and filled
    #[arg(long)]
    pub(crate) read: bool,

    /// Write and read at the same time
    #[arg(long, conflicts_with = "read")]
    pub(crate) concurrent: bool,

    /// A fresh file for each loop, so that each write allocates
    #[arg(long)]
    pub(crate) different_file_each_iteration: bool,

    /// What the data is made of, and which blocks are chosen
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=u64::MAX))]
    #[arg(allow_hyphen_values = true)]
    pub(crate) seed: u64,
}

/// How it is moved.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How it is moved")]
#[expect(clippy::struct_excessive_bools, reason = "these are flags, each by itself")]
pub(crate) struct Tuning {
    /// Bytes per request
    #[arg(long = "block-size", visible_alias = "bs", value_name = "SIZE", default_value = "1M")]
    #[arg(value_parser = size, allow_hyphen_values = true)]
    pub(crate) block_size_bytes: u64,

    /// Requests in flight per lane
    #[arg(long, visible_alias = "iodepth", value_name = "N", default_value_t = 32)]
    #[arg(value_parser = whole(1..=u32::MAX), allow_hyphen_values = true)]
    pub(crate) queue_depth: u32,

    /// Tensors that are moved at the same time, each by a thread of its own
    #[arg(long, visible_aliases = ["multi-process", "numjobs"], value_name = "N")]
    #[arg(default_value_t = 1, value_parser = whole(1..=4096_u32), allow_hyphen_values = true)]
    pub(crate) threads: u32,

    /// Lanes per thread: parts of its tensor that move side by side, each with an engine of its own
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = whole(1..=1024_u32), allow_hyphen_values = true)]
    pub(crate) io_parallel: u32,

    /// Loops that are timed [default: 3, with --file 1]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = whole(1..=1_000_000_u32), allow_hyphen_values = true)]
    pub(crate) loops: Option<u32>,

    /// Loops before those [default: 1, with --file 0]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = whole(0..=1_000_000_u32), allow_hyphen_values = true)]
    pub(crate) warmup_loops: Option<u32>,

    /// Repeat all of this in rounds until the rate of the last five is steady (they lie within 20 %
    /// of their mean and change by at most 10 % of it), at most 25 times; only those five count
    #[arg(long)]
    pub(crate) steady_state: bool,

    /// Count the warm-up loops too
    #[arg(long)]
    pub(crate) include_warmup_time: bool,

    /// Refill the queue as requests complete (the default)
    #[arg(long, conflicts_with = "sequential_requests")]
    pub(crate) overlap_events: bool,

    /// Submit a full queue, wait for all of it, and only then submit the next
    #[arg(long)]
    pub(crate) sequential_requests: bool,

    /// One system call per request; the same as --batch-submit 1
    #[arg(long, conflicts_with = "batch_submit")]
    pub(crate) single_submit: bool,

    /// The most requests per submitting call [default: as many as are free]
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX), allow_hyphen_values = true)]
    pub(crate) batch_submit: Option<u32>,

    /// Completions waited for per reaping call
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = whole(1..=u32::MAX), allow_hyphen_values = true)]
    pub(crate) batch_complete: u32,

    /// Go through the page cache; the result is doubtful
    #[arg(long)]
    pub(crate) buffered: bool,

    /// Have the page cache forget the files before each loop, with --buffered
    #[arg(long)]
    pub(crate) drop_cache: bool,

    /// Pages of the buffers: thp, 4k or hugetlb
    #[arg(long, value_name = "KIND", default_value = "thp", value_parser = memory)]
    pub(crate) memory: MemoryKind,

    /// CPUs that lanes are pinned to, in turn: 0,2,4-7
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = cpus)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) cpus: Vec<Vec<u32>>,

    /// NUMA node that the buffers come from
    #[arg(long, value_name = "N", value_parser = whole(0..=1023_u32), allow_hyphen_values = true)]
    pub(crate) numa_node: Option<u32>,
}

/// What is checked and what may be changed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checks and files")]
#[expect(clippy::struct_excessive_bools, reason = "these are flags, each by itself")]
pub(crate) struct Safety {
    /// Check the data, outside the clock
    #[arg(long)]
    pub(crate) validate: bool,

    /// Make an error of whatever was not granted as asked, and of a doubtful result
    #[arg(long)]
    pub(crate) strict: bool,

    // Brackets are links in a comment of documentation.
    #[arg(help = "End with exit code 3 unless the results are so: \
        [ENGINE.][read.|write.|trim.]METRIC, one of < <= > >= == !=, and a value, such as \
        'p99<200us', 'iops>=100k' (k and M are powers of 1000) or 'errors==0'; given once for each. \
        Metrics: iops, bandwidth, mean, min, max, p50, p90, p95, p99, p99.9, p99.99, p99.999, \
        response-p99, errors, doubts, cpu, calls")]
    #[arg(long = "assert", value_name = "EXPR", value_parser = assertion)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) asserts: Vec<Assertion>,

    /// Leave the files that the run made
    #[arg(long)]
    pub(crate) keep: bool,

    /// Overwrite files that aio did not make
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Write to this device, spelled as in --write-file, and destroy what it holds; refused while
    /// anything uses it, and given once per device
    #[arg(long = "allow-device", value_name = "DEVICE")]
    pub(crate) allow_devices: Vec<PathBuf>,

    /// Answer yes when it is asked whether so much is to be written: more than 100 GiB, or a tenth of
    /// a device
    #[arg(long)]
    pub(crate) yes: bool,

    /// Check everything, show what would be done, and move nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print what is asked for as a file for aio run, and do nothing else
    #[arg(long)]
    pub(crate) dump_plan: bool,
}

/// Where results go.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct Listing {
    /// Form of the results: text (a table), json (everything), csv (a row per engine and direction),
    /// classic (the lines that scripts of the predecessor look for) or fio-json (for programs that
    /// read fio's JSON)
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true)]
    pub(crate) format: Format,

    /// Report requests, bytes and latencies of each interval of this length too, 10ms or longer
    #[arg(long = "interval", value_name = "TIME", value_parser = time_ns)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) interval_ns: Option<u64>,

    /// Write the results to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What is said on stderr.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Messages (on stderr)")]
pub(crate) struct Loudness {
    /// Show what tasklet 0 says; twice (-vv): also its requests, at most 1,000 per lane and loop,
    /// listed once its loops are over
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Show what these tasklets say: 0,3 or all
    #[arg(long, value_name = "LIST", value_parser = log_tids, allow_hyphen_values = true)]
    pub(crate) log_tids: Option<LogTids>,

    /// No progress bar and no notes
    #[arg(long, conflicts_with_all = ["verbose", "log_tids"])]
    pub(crate) quiet: bool,
}

/// Flags of the predecessor that mean something which does not exist yet.
#[derive(Debug, clap::Args)]
pub(crate) struct Later {
    #[arg(long, hide = true)]
    pub(crate) gpu: bool,
    #[arg(long, hide = true)]
    pub(crate) use_gds: bool,
}

/// The forms that results come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Csv,
    Classic,
    FioJson,
}
