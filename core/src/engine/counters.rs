//! What an engine counts as it works.

use std::ops::{AddAssign, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Running totals of one engine; sums over engines and loops in reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineCounters {
    /// System calls made to move data and to wait for the kernel, helper threads included; not those
    /// by which threads of this process wait for each other.
    pub system_calls: u64,
    /// Calls that handed requests to the kernel.
    pub submit_calls: u64,
    /// Calls that collected completions, from shared memory too.
    pub reap_calls: u64,
    /// Requests that the kernel took.
    pub submitted: u64,
    /// Completions that were reaped.
    pub reaped: u64,
    /// Times that the kernel took no or not all requests for now (`EAGAIN`, `EBUSY`), and requests
    /// that were not to wait (`nowait`), would have had to, and were made again.
    pub again: u64,
    /// Times that a signal interrupted a call.
    pub interrupted: u64,
    /// CPU time of the threads that the engine started in the process, in nanoseconds.
    pub helpers_cpu_ns: u64,
}

impl EngineCounters {
    /// Each field of both, put together by `with`.
    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            system_calls: with(self.system_calls, other.system_calls),
            submit_calls: with(self.submit_calls, other.submit_calls),
            reap_calls: with(self.reap_calls, other.reap_calls),
            submitted: with(self.submitted, other.submitted),
            reaped: with(self.reaped, other.reaped),
            again: with(self.again, other.again),
            interrupted: with(self.interrupted, other.interrupted),
            helpers_cpu_ns: with(self.helpers_cpu_ns, other.helpers_cpu_ns),
        }
    }
}

impl AddAssign for EngineCounters {
    fn add_assign(&mut self, other: Self) {
        *self = self.zip(other, |a, b| a + b);
    }
}

impl Sub for EngineCounters {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        self.zip(earlier, |a, b| a - b)
    }
}
