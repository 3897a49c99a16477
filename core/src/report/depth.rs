//! How many requests were in flight at a time, against how many were asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The share of the asked depth below which the achieved one is worth a word.
const SHARE_MIN: f64 = 0.75;

/// Requests in flight of each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Depth {
    /// The queue depth that each lane opened.
    pub asked: u32,
    /// The mean over the time of *main*: the sum of the latencies of all requests over the time of
    /// all lanes, which is what the number of requests in flight comes to when it is added up over
    /// time. Absent when nothing was timed.
    pub achieved_mean: Option<f64>,
}

impl Depth {
    /// From the seconds that all requests together were in flight, and those that all lanes
    /// together worked.
    #[must_use]
    pub fn of(asked: u32, in_flight_s: f64, lanes_s: f64) -> Self {
        let is_timed = in_flight_s > 0.0 && lanes_s > 0.0;
        Self { asked, achieved_mean: is_timed.then(|| in_flight_s / lanes_s) }
    }

    /// Whether far fewer requests were in flight than were asked for.
    #[must_use]
    pub fn is_well_below(&self) -> bool {
        self.achieved_mean.is_some_and(|mean| mean < SHARE_MIN * f64::from(self.asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_depth_is_the_time_of_all_requests_over_the_time_of_the_lanes() {
        // 4,000 requests of 1 ms in two lanes of 1 s each: two at a time in each.
        let depth = Depth::of(4, 4.0, 2.0);
        assert!((depth.achieved_mean.unwrap() - 2.0).abs() < 1e-9);
        assert!(depth.is_well_below());
        assert!(!Depth::of(2, 4.0, 2.0).is_well_below());
    }

    #[test]
    fn nothing_timed_has_no_depth_and_is_not_below() {
        for nothing in [Depth::of(4, 0.0, 1.0), Depth::of(4, 1.0, 0.0)] {
            assert_eq!(nothing.achieved_mean, None);
            assert!(!nothing.is_well_below());
        }
    }
}
