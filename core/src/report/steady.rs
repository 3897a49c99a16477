//! Rounds that were run until their rate was steady.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::Steadiness;

/// What `--steady-state` found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SteadyState {
    /// Requests per second of each round, reads and writes together.
    pub rates_per_s: Vec<f64>,
    /// How many of the last ones count in the results; those before do not.
    pub window_rounds: usize,
    /// How far those lie from each other; absent where there were too few.
    pub steadiness: Option<Steadiness>,
    /// Whether they are steady.
    pub is_reached: bool,
}
