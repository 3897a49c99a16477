//! How targets are gone through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Direction;
use crate::engine::Operation;
use crate::verify::Checksum;

/// How many of a hundred requests of a mix read, unless told otherwise; the same as with fio.
pub const READ_PERCENT: u8 = 50;

/// How the tasklets of a phase go through their targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// A whole tensor, which is in memory, from front to end once per loop.
    #[default]
    Tensor,
    /// Blocks of a range that need not fit the memory, through one buffer per request in flight.
    Blocks(Blocks),
}

impl Access {
    /// Whether time ends a loop, so that two runs of one plan need not make the same number of
    /// requests.
    #[must_use]
    pub fn is_ended_by_time(&self) -> bool {
        self.blocks().is_some_and(|blocks| blocks.runtime_ns.is_some() || blocks.ramp_ns.is_some())
    }

    /// The blocks, if it is blocks.
    #[must_use]
    pub fn blocks(&self) -> Option<&Blocks> {
        match self {
            Self::Tensor => None,
            Self::Blocks(blocks) => Some(blocks),
        }
    }
}

/// What is asked of an engine that moves `direction`, in `blocks` or else in tensors.
pub(crate) fn operations(direction: Direction, blocks: Option<&Blocks>) -> Vec<Operation> {
    let mut all = direction.operations().to_vec();
    let flush = blocks.and_then(|blocks| blocks.flush);
    all.extend(flush.map(Flush::operation).filter(|_| direction.writes_data()));
    all
}

/// Which blocks of its range a tasklet asks for, and how many in each loop.
///
/// The range starts at `offset_bytes` and is as long as the tasklet's size, cut down to whole
/// blocks. Request *i* of a lane depends on seed, tasklet, lane, loop and *i*, never on time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// Their order.
    pub pattern: Pattern,
    /// The requests of one tasklet in one loop; absent for as many as the range has blocks (or
    /// bytes, when they have several sizes), or without end when `runtime_ns` ends it. Flushes are
    /// not counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requests: Option<u64>,
    /// The bytes that the requests of one tasklet move in one loop, the last one rounded up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub io_limit_bytes: Option<u64>,
    /// The time after which a loop starts no more requests, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runtime_ns: Option<u64>,
    /// The same of warm-up loops, which then know no other end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ramp_ns: Option<u64>,
    /// Where in the target the range begins, in bytes.
    #[serde(default)]
    pub offset_bytes: u64,
    /// How many of a hundred requests read, when reads and writes are mixed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub read_percent: Option<u8>,
    /// Which blocks of a random order are asked for more often than others.
    #[serde(default)]
    pub distribution: Distribution,
    /// Whether a random order asks for each block once before it asks for any block again.
    #[serde(default)]
    pub covers: bool,
    /// The sizes of requests, and how many of a hundred have each; empty for one size.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sizes: Vec<SizeShare>,
    /// Flushes between writes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flush: Option<Flush>,
    /// Whether the target is flushed after each loop, on a clock of its own.
    #[serde(default)]
    pub end_fsync: bool,
    /// When requests start, if not as soon as there is room for them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
    /// What written blocks carry to be checked by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verify: Option<Checksum>,
    /// How much of the data a compressor takes away, in percent.
    #[serde(default)]
    pub compress_percent: u8,
}

impl Blocks {
    /// Blocks in the order of `pattern`: each once, of one size, as fast as they go.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            requests: None,
            io_limit_bytes: None,
            runtime_ns: None,
            ramp_ns: None,
            offset_bytes: 0,
            read_percent: None,
            distribution: Distribution::Uniform,
            covers: pattern == Pattern::Random,
            sizes: Vec::new(),
            flush: None,
            end_fsync: false,
            rate: None,
            verify: None,
            compress_percent: 0,
        }
    }

    /// The most requests of a tasklet in one loop, when the range has `range_blocks` blocks of
    /// `block_bytes`; `None` when only time, or a number of bytes of several sizes, ends it.
    #[must_use]
    pub fn requests_max(&self, range_blocks: u64, block_bytes: u32) -> Option<u64> {
        if self.sizes.len() > 1 {
            return self.requests;
        }
        // Where requests are all alike, a number of bytes is a number of requests.
        let by_bytes = self.io_limit_bytes.map(|bytes| bytes.div_ceil(block_bytes.into()));
        let by_number = self.requests.into_iter().chain(by_bytes).min();
        by_number.or(self.runtime_ns.is_none().then_some(range_blocks))
    }

    /// The most bytes that the requests of several sizes of a tasklet move in one loop, when the
    /// range has `range_bytes`: as many unless something else ends it. `None` where time or the
    /// number of requests alone does.
    #[must_use]
    pub fn bytes_max(&self, range_bytes: u64) -> Option<u64> {
        if self.sizes.len() <= 1 {
            return None;
        }
        let ends_otherwise = self.requests.is_some() || self.runtime_ns.is_some();
        self.io_limit_bytes.or((!ends_otherwise).then_some(range_bytes))
    }

    /// Whether each block is asked for once before any is again.
    #[must_use]
    pub fn is_covering(&self) -> bool {
        self.covers && self.distribution == Distribution::Uniform && self.sizes.len() <= 1
    }

    /// The time after which a loop starts no more requests, in nanoseconds.
    #[must_use]
    pub fn runtime_ns_of(&self, is_warm_up: bool) -> Option<u64> {
        self.ramp_ns.filter(|_| is_warm_up).or(self.runtime_ns)
    }
}

/// The order of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// From front to end, and from the front again.
    Sequential,
    /// Each one at random, as the distribution says.
    Random,
}

/// How often blocks of a random order are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Each as often as any other.
    #[default]
    Uniform,
    /// The *n*-th most popular in proportion to 1 / *n*^theta.
    Zipf {
        /// The exponent, above 0.
        theta: f64,
    },
    /// Self-similar: a share of 1 - h of the requests goes to a share h of the blocks.
    Pareto {
        /// That share, between 0 and 1.
        h: f64,
    },
    /// Around the middle of the range.
    Normal {
        /// The standard deviation, in percent of the range.
        sigma_percent: f64,
    },
}

impl Distribution {
    /// Whether its number makes sense.
    ///
    /// # Errors
    /// What numbers do.
    pub fn check(self) -> Result<(), &'static str> {
        match self {
            Self::Zipf { theta } if !(theta > 0.0 && theta <= 100.0) => {
                Err("zipf takes an exponent above 0, up to 100")
            }
            Self::Pareto { h } if !(h > 0.0 && h < 1.0) => {
                Err("pareto takes a number between 0 and 1")
            }
            Self::Normal { sigma_percent: sigma } if !(sigma > 0.0 && sigma <= 100.0) => {
                Err("normal takes a deviation in percent, above 0 and up to 100")
            }
            _ => Ok(()),
        }
    }
}

/// A size that some of the requests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeShare {
    /// The size in bytes.
    pub bytes: u32,
    /// How many of a hundred requests have it.
    pub percent: u32,
}

/// Flushes between writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flush {
    /// The writes of a lane after which it flushes.
    pub every: u64,
    /// Whether metadata that reading the data back does not need is left out.
    pub data_only: bool,
}

impl Flush {
    /// The operation that does it.
    #[must_use]
    pub fn operation(self) -> Operation {
        if self.data_only { Operation::Fdatasync } else { Operation::Fsync }
    }
}

/// Requests that start on a schedule, whatever the storage does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests per second of a tasklet.
    pub per_s: f64,
    /// Whether the gaps between them are exponentially distributed, as those of a Poisson process
    /// are, and not all the same.
    pub poisson: bool,
}
