//! What programs read.

use aio_core::report::{Doubt, EngineReport};

use super::*;
use crate::render::comparison;

#[test]
fn csv_has_a_row_for_each_contestant_and_direction_below_names_that_stay() {
    let mut comparison = both_directions();
    let total = comparison.contestants[2].total.as_mut().unwrap();
    let doubts = [Doubt::new("buffered", "x"), Doubt::new("drift", "y")];
    total.directions[0].doubts = doubts.into();
    let csv = rendered(&comparison, Format::Csv);
    let mut lines = csv.lines();
    insta::assert_snapshot!(lines.next().unwrap(), @"contestant,engine,point,changes,direction,rounds,baseline,iops,iops_low,iops_high,iops_ratio,e2e_speed_gib_per_s,e2e_speed_gib_per_s_low,e2e_speed_gib_per_s_high,e2e_speed_gib_per_s_ratio,request_latency_ns_p50,request_latency_ns_p50_low,request_latency_ns_p50_high,request_latency_ns_p50_ratio,request_latency_ns_p99,request_latency_ns_p99_low,request_latency_ns_p99_high,request_latency_ns_p99_ratio,request_latency_ns_p99_9,request_latency_ns_p99_9_low,request_latency_ns_p99_9_high,request_latency_ns_p99_9_ratio,response_latency_ns_p99,response_latency_ns_p99_low,response_latency_ns_p99_high,response_latency_ns_p99_ratio,cpu_ns_per_request,cpu_ns_per_request_low,cpu_ns_per_request_high,cpu_ns_per_request_ratio,system_calls_per_request,system_calls_per_request_low,system_calls_per_request_high,system_calls_per_request_ratio,metric,ratio,ratio_low,ratio_high,p_value,finding,change,verdict,doubts");
    insta::assert_snapshot!(lines.last().unwrap(), @"sync,sync,,,write,10,uring,80000,78800,81200,0.7999999999999997,0.3048,0.300228,0.309372,0.8,375000,369458.12807881774,380710.65989847714,1.2500000000000004,12000000,12000000,12000000,1,1125000,1108374.3842364533,1142131.9796954314,1.2499999999999993,,,,,5000,4926.108374384236,5076.1421319796955,1.2500000000000004,0.1,0.1,0.1,1,iops,0.7999999999999997,0.794136131087658,0.8059071674820389,0.001953125,worse,-0.2000000000000003,slower by 20.0 % (19.4–20.6),");
    assert_eq!(csv.lines().count(), 1 + 3 * 2);
    let cells = |line: &str| line.split(',').count();
    assert!(csv.lines().all(|line| cells(line) == cells(csv.lines().next().unwrap())));
    let of_doubts = csv.lines().nth(5).unwrap();
    assert!(of_doubts.starts_with("sync") && of_doubts.ends_with(",buffered;drift"), "{of_doubts}");
}

#[test]
fn csv_has_the_point_and_its_settings() {
    let csv = rendered(&sample::sweep(), Format::Csv);
    let second = csv.lines().nth(2).unwrap();
    let begin = "sync queue-depth=1,sync,queue-depth=1,,read,10,uring queue-depth=1,90000,";
    assert!(second.starts_with(begin), "{second}");
}

#[test]
fn json_is_the_comparison_with_null_for_what_was_not_measured() {
    let mut comparison = sample::contest();
    // Numbers of rounds have too many digits to come back to the last bit.
    cut(&mut comparison, 0);
    let text = rendered(&comparison, Format::Json);
    let read: Comparison = serde_json::from_str(&text).unwrap();
    assert_eq!(rendered(&read, Format::Json), text);
    let total = comparison.contestants[1].total.take().unwrap();
    comparison.contestants[1].total = Some(EngineReport { moves_data: false, ..total });
    let text = rendered(&comparison, Format::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let speed = |index: usize| {
        value["contestants"][index]["total"]["directions"][0]["e2e_speed_gib_per_s"].clone()
    };
    assert!(speed(0).is_number() && speed(1).is_null());
}

#[test]
fn forms_of_single_runs_are_refused() {
    for format in [Format::Classic, Format::FioJson] {
        let failure = crate::render::comparison(&sample::contest(), format).unwrap_err();
        assert!(failure.sentence().contains("text, json or csv"), "{}", failure.sentence());
    }
}

#[test]
fn plain_ascii_is_enough_for_pictures() {
    let mut out = Vec::new();
    comparison::write(&sample::sweep(), Format::Text, Ink::Ascii, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("##########") && text.contains("uring read: _-#"), "{text}");
    assert!(!text.contains('█'), "{text}");
}
