//! The flags of `--file`: blocks of files and devices, in fio's words.

use std::path::PathBuf;

use aio_core::plan::{Checksum, Distribution, Rate, SizeShare};

use super::values::{
    Mode, bssplit, checksum, distribution, mode, offset, rate, size, time_ns, whole,
};

/// Which blocks are read, written or trimmed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Blocks of a file or device")]
pub(crate) struct Blocks {
    /// Read or write blocks of these files, each with threads of its own; a missing one is made when
    /// --size is given. All threads of a file share it, or have one each when {tid} is in its name
    #[arg(long = "file", visible_alias = "filename", value_name = "FILE", num_args = 1..)]
    #[arg(conflicts_with_all = ["read_file", "write_file", "folder", "folder_to_device_mapping"])]
    #[arg(conflicts_with_all = ["read", "concurrent", "different_file_each_iteration"])]
    pub(crate) files: Vec<PathBuf>,

    /// What is done to --file: read, write or rw (both) from front to end, or randread, randwrite or
    /// randrw, or trim and randtrim. A file that is made is filled first, but for write, which
    /// allocates as it goes [default: read]
    #[arg(long, visible_alias = "readwrite", value_name = "MODE", value_parser = mode)]
    pub(crate) rw: Option<Mode>,

    /// How many of a hundred requests read, with --rw rw or randrw [default: 50]
    #[arg(long, value_name = "PERCENT", value_parser = whole(0..=100_u8))]
    #[arg(allow_hyphen_values = true)]
    pub(crate) rwmixread: Option<u8>,

    /// Tell the storage to forget blocks instead of writing them, in the order of --rw write or
    /// randwrite: discards on a device, holes in a file
    #[arg(long)]
    pub(crate) trim: bool,

    /// How much of --file is used by each thread [default: all of it]
    #[arg(long = "size", value_name = "SIZE", value_parser = size, allow_hyphen_values = true)]
    pub(crate) size_bytes: Option<u64>,

    /// Where in --file that begins [default: at its front]
    #[arg(long = "offset", value_name = "SIZE", value_parser = offset, allow_hyphen_values = true)]
    pub(crate) offset_bytes: Option<u64>,

    /// How long a loop over --file takes; with --number-ios or --io-limit, what comes first ends it
    #[arg(long = "runtime", value_name = "TIME", value_parser = time_ns)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) runtime_ns: Option<u64>,

    /// Run for this long before the first loop that counts: a warm-up loop that only time ends
    #[arg(long = "ramp-time", value_name = "TIME", value_parser = time_ns)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) ramp_ns: Option<u64>,

    /// Requests of each thread in a loop over --file [default: as many as there are blocks, or as
    /// --runtime leaves time for]
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX), allow_hyphen_values = true)]
    pub(crate) number_ios: Option<u64>,

    /// Bytes that each thread moves in a loop over --file, more or less than --size
    #[arg(long = "io-limit", value_name = "SIZE", value_parser = size)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) io_limit_bytes: Option<u64>,

    /// How often random blocks are asked for: uniform; zipf:THETA or pareto:H for a few much more
    /// often than others; or normal:SIGMA, around the middle, in percent [default: uniform]
    #[arg(long, value_name = "NAME[:X]", value_parser = distribution)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) random_distribution: Option<Distribution>,

    /// Choose each random block by itself; without this, and uniform, every block is asked for once
    /// before any is again
    #[arg(long)]
    pub(crate) norandommap: bool,

    /// Sizes of requests and how many of a hundred have each, instead of --block-size:
    /// 4k/60:64k/40
    #[arg(long, value_name = "SIZE/PERCENT:…", value_parser = bssplit)]
    #[arg(conflicts_with = "block_size_bytes", allow_hyphen_values = true)]
    pub(crate) bssplit: Option<BlockSizes>,

    /// Start so many requests per second and thread, however long each takes, evenly or with the
    /// gaps of chance: 5000 or 5000,poisson
    #[arg(long, value_name = "N[,poisson]", value_parser = rate, allow_hyphen_values = true)]
    pub(crate) rate_iops: Option<Rate>,

    /// Flush what was written, data and metadata, after every N writes of a lane
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX), allow_hyphen_values = true)]
    #[arg(conflicts_with = "fdatasync")]
    pub(crate) fsync: Option<u64>,

    /// The same of data only
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX), allow_hyphen_values = true)]
    pub(crate) fdatasync: Option<u64>,

    /// Flush after each loop, on a clock of its own
    #[arg(long)]
    pub(crate) end_fsync: bool,

    /// Have written blocks carry what tells whether they are right, and check it: crc32c, xxh3 or
    /// pattern
    #[arg(long, value_name = "KIND", value_parser = checksum)]
    pub(crate) verify: Option<Checksum>,

    /// How much of the data that is written a compressor can take away [default: 0]
    #[arg(long, visible_alias = "buffer-compress-percentage", value_name = "PERCENT")]
    #[arg(value_parser = whole(0..=100_u8), allow_hyphen_values = true)]
    pub(crate) compress_percentage: Option<u8>,
}

/// What `--bssplit` lists. A type of its own, so that clap takes it for one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockSizes(pub(crate) Vec<SizeShare>);
