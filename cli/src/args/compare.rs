//! The flags of `aio compare`.

use std::path::PathBuf;
use std::thread::available_parallelism;

use aio_core::report::Metric;

use super::flags::Args;
use super::values::{percent, time_ns, time_or_zero_ns, whole};

/// As many threads as there are CPUs for them.
const EACH_CPU: &str = "cpus";

/// A number of threads, or [`EACH_CPU`].
fn threads(text: &str) -> Result<u32, String> {
    if text == EACH_CPU {
        let cpus = available_parallelism().map_or(1, usize::from);
        return Ok(u32::try_from(cpus).unwrap_or(u32::MAX));
    }
    whole(1..=4096_u32)(text)
}

/// A percentage that intervals can come below.
fn resolution(text: &str) -> Result<f64, String> {
    let percent = percent(text)?;
    if percent > 0.0 { Ok(percent) } else { Err("give a percentage above 0, such as 2%".into()) }
}

/// `aio compare`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct Compare {
    /// Rounds, in each of which every contestant runs once; rounded up so that each is in each
    /// place equally often [default: 10, or more where fewer cannot tell]
    #[arg(long, value_name = "N", value_parser = whole(1..=100_000_u32), allow_hyphen_values = true)]
    pub(crate) rounds: Option<u32>,

    /// Rounds before those, which do not count
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = whole(0..=1000_u32), allow_hyphen_values = true)]
    pub(crate) practice_rounds: u32,

    /// Rest between two runs
    #[arg(long = "cool-down", value_name = "TIME", default_value = "100ms")]
    #[arg(value_parser = time_or_zero_ns)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) cool_down_ns: u64,

    /// What the verdict rests on: iops, bandwidth, p50, p99, p99.9, response-p99, cpu or calls
    #[arg(long, value_name = "NAME", default_value = "iops", value_parser = str::parse::<Metric>)]
    pub(crate) metric: Metric,

    /// The contestant that the others are compared with [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,

    /// Add rounds until every ratio is known to within --resolution, or --time-budget is over
    #[arg(long)]
    pub(crate) until_decided: bool,

    /// How closely --until-decided is to know each ratio
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = resolution)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) resolution: f64,

    /// No round is begun that would probably end after this [default: none, with --until-decided
    /// 10m]
    #[arg(long = "time-budget", value_name = "TIME", value_parser = time_ns)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) time_budget_ns: Option<u64>,

    /// A contestant by the flags in which it differs from the others, such as "engine=uring
    /// batch-submit=1"; given once for each, instead of several engines
    #[arg(long = "contestant", value_name = "FLAG=VALUE…")]
    pub(crate) contestants: Vec<String>,

    /// Compare at each value of this flag: block-size=4k,64k,1M or, doubling, queue-depth=1..128;
    /// several of these cross
    #[arg(long = "sweep", value_name = "FLAG=VALUES")]
    pub(crate) sweeps: Vec<String>,

    /// Add one option of this engine at a time, and show what each gave
    #[arg(long, value_name = "ENGINE", conflicts_with_all = ["contestants", "sweeps"])]
    pub(crate) ladder: Option<String>,

    /// Compare with 1, 2, 4 … N threads [default of N: the CPUs that may be used]
    #[arg(long, value_name = "N", num_args = 0..=1)]
    #[arg(default_missing_value = EACH_CPU, value_parser = threads)]
    #[arg(conflicts_with_all = ["ladder", "sweeps"])]
    pub(crate) scale: Option<u32>,

    /// Write all results to this file as JSON after each round, for aio report and aio diff
    #[arg(long, value_name = "FILE.json")]
    pub(crate) save: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) args: Box<Args>,
}
