//! Requests that start on a schedule, whatever the storage does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Doubt, Latency, LatencyHistogram};

/// How requests fared against their schedule, in the loops that count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaceReport {
    /// Requests per second that were asked of all tasklets together; of reads and writes together
    /// where they are mixed.
    pub rate_asked_per_s: f64,
    /// Whether they were to arrive at random.
    pub rate_is_poisson: bool,
    /// From when a request was meant to start to after the call that returned it: what somebody
    /// waits who does not wait for the answer before to ask. `request_latency` is the part of it
    /// from before the call that took the request.
    pub response_latency: Latency,
    /// All of those, to merge with others; not part of the document.
    #[serde(skip)]
    pub response_histogram: LatencyHistogram,
    /// Requests that were due while the queue was full, or a flush waited to be alone, and so
    /// started late.
    pub waited_for_place: u64,
    /// Requests that started more than a millisecond late although there had been a place in the
    /// queue: the thread that starts them was kept from it, by a call that blocked or for want of
    /// a CPU. Those that came due meanwhile are counted here too.
    pub started_late: u64,
    /// Requests that were due and had not started when the time was over. They are in no latency.
    pub never_started: u64,
}

/// The least share of the rate that was asked for it to count as kept.
const SHARE_MIN: f64 = 0.99;
/// How many standard deviations of the number of random arrivals are chance.
const DEVIATIONS: f64 = 3.0;

/// The doubt that `requests` requests in `seconds` are fewer than the rate that was asked.
#[must_use]
pub fn rate_missed(pace: &PaceReport, requests: u64, seconds: f64) -> Option<Doubt> {
    #[expect(clippy::cast_precision_loss, reason = "a rate has no more than 53 significant bits")]
    let count = requests as f64;
    let asked = pace.rate_asked_per_s;
    let expected = (asked * seconds).max(1.0);
    let chance = if pace.rate_is_poisson { DEVIATIONS / expected.sqrt() } else { 0.0 };
    let rate = if seconds > 0.0 { count / seconds } else { 0.0 };
    if rate >= asked * (SHARE_MIN - chance) {
        return None;
    }
    let PaceReport { waited_for_place, started_late, .. } = pace;
    let why = if started_late > waited_for_place {
        format!(
            "{started_late} started late although the queue had room, because a call blocked or \
             there was no CPU"
        )
    } else if *waited_for_place > 0 {
        format!("{waited_for_place} waited for a place in the queue; a deeper one may keep up")
    } else {
        "the last ones took long against the length of the run".into()
    };
    let reason = format!("{rate:.0} of {asked:.0} requests per second were made: {why}");
    Some(Doubt::new("rate-missed", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate_is_poisson: bool, waited_for_place: u64, started_late: u64) -> PaceReport {
        PaceReport {
            rate_asked_per_s: 1000.0,
            rate_is_poisson,
            response_latency: Latency::default(),
            response_histogram: LatencyHistogram::default(),
            waited_for_place,
            started_late,
            never_started: 0,
        }
    }

    #[test]
    fn a_rate_is_kept_to_a_hundredth_or_doubtful_with_its_reason() {
        assert_eq!(rate_missed(&pace(false, 5, 5), 9910, 10.0), None);
        let missed = |waited, late| rate_missed(&pace(false, waited, late), 9890, 10.0).unwrap();
        assert_eq!(missed(1, 0).code, "rate-missed");
        assert!(
            missed(7, 3).reason.contains("989 of 1000 requests per second were made: 7 waited")
        );
        assert!(missed(3, 7).reason.contains("7 started late"));
        assert!(missed(0, 0).reason.contains("the last ones"));
    }

    #[test]
    fn random_arrivals_may_be_fewer_by_chance() {
        assert_eq!(rate_missed(&pace(true, 0, 0), 970, 1.0), None);
        assert!(rate_missed(&pace(false, 0, 0), 970, 1.0).is_some());
        assert!(rate_missed(&pace(true, 0, 0), 850, 1.0).is_some());
        assert!(rate_missed(&pace(true, 9, 0), 0, 1.0).is_some());
    }
}
