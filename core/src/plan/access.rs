//! How targets are gone through.

use serde::{Deserialize, Serialize};

/// How the tasklets of a phase go through their targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        matches!(self, Self::Blocks(Blocks { runtime_ns: Some(_), .. }))
    }
}

/// Which blocks of its range a tasklet asks for, and how many in each loop.
///
/// The range starts at the target's first byte and is as long as the tasklet's size, cut down to
/// whole blocks. Request *i* of a lane depends on seed, tasklet, lane, loop and *i*, never on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// Their order.
    pub pattern: Pattern,
    /// The requests of one tasklet in one loop; absent for as many as the range has blocks, or
    /// without end when `runtime_ns` ends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requests: Option<u64>,
    /// The time after which a loop starts no more requests, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runtime_ns: Option<u64>,
}

impl Blocks {
    /// The most requests of a tasklet in one loop, when the range has `range_blocks` blocks;
    /// `None` when only time ends it.
    #[must_use]
    pub fn requests_max(&self, range_blocks: u64) -> Option<u64> {
        match (self.requests, self.runtime_ns) {
            (None, Some(_)) => None,
            (requests, _) => Some(requests.unwrap_or(range_blocks)),
        }
    }
}

/// The order of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// From front to end, and from the front again.
    Sequential,
    /// Each one uniformly at random, independent of those before.
    Random,
}
