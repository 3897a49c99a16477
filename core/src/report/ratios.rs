//! What a request cost, from what all of them cost together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DirectionReport;

/// Costs per request, and requests per call; absent where there is nothing to divide by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ratios {
    /// Nanoseconds of CPU time in user mode, of the whole process.
    pub cpu_user_ns_per_request: Option<f64>,
    /// Nanoseconds of CPU time in the kernel, helper threads of the kernel included where it
    /// charges them.
    pub cpu_system_ns_per_request: Option<f64>,
    /// Context switches of all threads, of their own will or not.
    pub context_switches_per_request: Option<f64>,
    /// System calls to move data and to wait.
    pub system_calls_per_request: Option<f64>,
    /// Requests that a call which submitted handed to the kernel.
    pub requests_per_submit_call: Option<f64>,
    /// Completions that a call which reaped returned.
    pub requests_per_reap_call: Option<f64>,
}

/// Requests that shared an effort, where directions that ran at the same time cannot be told apart.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    /// Those that the process's CPU time and context switches were spent on.
    pub cpu: u64,
    /// Those that the engines' calls were made for.
    pub calls: u64,
}

impl Ratios {
    /// The costs of `one`, which it shared with other requests.
    #[must_use]
    pub fn of(one: &DirectionReport, shared_by: Sharing) -> Self {
        let counters = one.counters;
        let switches = one.cpu.voluntary_switches + one.cpu.involuntary_switches;
        Self {
            cpu_user_ns_per_request: per(one.cpu.user_s * 1e9, shared_by.cpu),
            cpu_system_ns_per_request: per(one.cpu.system_s * 1e9, shared_by.cpu),
            context_switches_per_request: per(number(switches), shared_by.cpu),
            system_calls_per_request: per(number(counters.system_calls), shared_by.calls),
            requests_per_submit_call: per(number(counters.submitted), counters.submit_calls),
            requests_per_reap_call: per(number(counters.reaped), counters.reap_calls),
        }
    }
}

fn per(all: f64, parts: u64) -> Option<f64> {
    (parts > 0).then(|| all / number(parts))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio has no more than 53 significant bits")]
fn number(count: u64) -> f64 {
    count as f64
}
