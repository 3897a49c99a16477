//! Reports with fixed numbers, as fio would print them.

use std::time::Duration;

use aio_core::plan::{Access, Pattern};
use aio_core::report::LatencyHistogram;

use super::super::{rendered, sample};
use super::*;

/// `report` with latencies of 1 to 3,072 µs in its directions, rendered at a fixed time.
fn document(mut report: Report) -> Value {
    for one in report.engines.iter_mut().flat_map(|engine| &mut engine.directions) {
        (1..=one.requests).for_each(|us| one.histogram.record(us * 1_000));
        one.request_latency = one.histogram.summary();
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_259_531_006);
    serde_json::from_str(&rendered(&FioJson { now }, &report)).expect("it is JSON")
}

fn float_of(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_document_has_its_job_and_directions_without_numbers_are_equal() {
    let mut document = document(sample::one_engine());
    let job = document["jobs"][0].as_object_mut().unwrap();
    let mut removed = |key| job.shift_remove(key).unwrap();
    let (read, trim) = (removed("read"), removed("trim"));
    assert_eq!((&read["total_ios"], &read["clat_ns"]["N"]), (&json!(0), &json!(0)));
    assert_eq!(read, trim, "nothing was measured of either");
    assert_ne!(removed("write"), trim);
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "fio version": "aio-0.1.0",
      "timestamp": 1795259531,
      "timestamp_ms": 1795259531006,
      "time": "Sat Nov 21 11:12:11 2026",
      "global options": {
        "direct": "1",
        "group_reporting": "1"
      },
      "jobs": [
        {
          "jobname": "uring-write",
          "groupid": 0,
          "error": 0,
          "eta": 0,
          "elapsed": 3,
          "job options": {
            "name": "uring-write",
            "ioengine": "uring",
            "rw": "write",
            "bs": "1m",
            "iodepth": "32",
            "numjobs": "1",
            "loops": "3"
          },
          "sync": {
            "total_ios": 0,
            "lat_ns": {
              "min": 0,
              "max": 0,
              "mean": 0.0,
              "stddev": 0.0,
              "N": 0
            }
          },
          "job_runtime": 1515,
          "usr_cpu": 3.3003300330033,
          "sys_cpu": 13.2013201320132,
          "latency_ns": {
            "2": 0.0,
            "4": 0.0,
            "10": 0.0,
            "20": 0.0,
            "50": 0.0,
            "100": 0.0,
            "250": 0.0,
            "500": 0.0,
            "750": 0.0,
            "1000": 0.0
          },
          "latency_us": {
            "2": 0.032552083333333336,
            "4": 0.06510416666666667,
            "10": 0.1953125,
            "20": 0.3255208333333333,
            "50": 1.0091145833333333,
            "100": 1.6276041666666667,
            "250": 4.8828125,
            "500": 8.138020833333334,
            "750": 8.138020833333334,
            "1000": 8.138020833333334
          },
          "latency_ms": {
            "2": 32.552083333333336,
            "4": 34.895833333333336,
            "10": 0.0,
            "20": 0.0,
            "50": 0.0,
            "100": 0.0,
            "250": 0.0,
            "500": 0.0,
            "750": 0.0,
            "1000": 0.0,
            "2000": 0.0,
            ">=2000": 0.0
          }
        }
      ]
    }
    "#);
}

#[test]
fn a_direction_has_its_rates_and_latencies() {
    let mut write = document(sample::one_engine())["jobs"][0]["write"].take();
    let bins = write["clat_ns"].as_object_mut().unwrap().shift_remove("bins").unwrap();
    let counts = bins.as_object().unwrap().values().map(|count| count.as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 3072);
    insta::assert_snapshot!(serde_json::to_string_pretty(&write).unwrap(), @r#"
    {
      "io_bytes": 3221225472,
      "io_kbytes": 3145728,
      "bw_bytes": 2126221434,
      "bw": 2076388,
      "iops": 2027.7227722772275,
      "runtime": 1515,
      "total_ios": 3072,
      "short_ios": 0,
      "drop_ios": 0,
      "slat_ns": {
        "min": 0,
        "max": 0,
        "mean": 0.0,
        "stddev": 0.0,
        "N": 0
      },
      "clat_ns": {
        "min": 1000,
        "max": 3074047,
        "mean": 1536506.091796875,
        "stddev": 886811.9526748093,
        "N": 3072,
        "percentile": {
          "1.000000": 31007,
          "5.000000": 154111,
          "10.000000": 308223,
          "20.000000": 615423,
          "30.000000": 922111,
          "40.000000": 1229823,
          "50.000000": 1537023,
          "60.000000": 1844223,
          "70.000000": 2152447,
          "80.000000": 2459647,
          "90.000000": 2766847,
          "95.000000": 2920447,
          "99.000000": 3043327,
          "99.500000": 3057663,
          "99.900000": 3069951,
          "99.950000": 3071999,
          "99.990000": 3074047
        }
      },
      "lat_ns": {
        "min": 1000,
        "max": 3074047,
        "mean": 1536506.091796875,
        "stddev": 886811.9526748093,
        "N": 3072
      },
      "bw_min": 1730323,
      "bw_max": 2595485,
      "bw_agg": 100.0,
      "bw_mean": 2134065.566556656,
      "bw_dev": 435455.18112202757,
      "bw_samples": 3,
      "iops_min": 1690,
      "iops_max": 2535,
      "iops_mean": 2084.048404840484,
      "iops_stddev": 425.24920031448005,
      "iops_samples": 3
    }
    "#);
}

#[test]
fn each_engine_and_direction_is_a_job_and_those_of_one_time_are_a_group() {
    let of = |document: &Value, key: &str| -> Vec<Value> {
        document["jobs"].as_array().unwrap().iter().map(|job| job[key].clone()).collect()
    };
    let mut report = sample::comparison();
    let apart = document(report.clone());
    let names = ["uring-write", "uring-read", "sync-write", "sync-read"];
    assert_eq!(of(&apart, "jobname"), names);
    assert_eq!(of(&apart, "groupid"), [0, 1, 2, 3]);
    report.plan.concurrent = true;
    assert_eq!(of(&document(report), "groupid"), [0, 0, 1, 1]);
    let read = &apart["jobs"][1];
    assert_eq!(
        (&read["read"]["total_ios"], &read["write"]["total_ios"]),
        (&json!(3072), &json!(0))
    );
}

#[test]
fn what_failed_has_its_errno_and_no_number() {
    let mut report = sample::troubled();
    let failed = &document(report.clone())["jobs"][0];
    assert_eq!(failed["error"], 28, "ENOSPC");
    assert_eq!(failed["job options"]["bs"], "98k", "as it was granted");
    assert_eq!(failed["job options"]["io_parallel"], "2");
    assert_eq!(failed["write"], failed["trim"], "nothing but zeros");
    let done = &document(report.clone())["jobs"][1];
    assert_eq!((&done["error"], &done["read"]["short_ios"]), (&json!(0), &json!(2)));
    report.engines[0].directions[0].failures[0].errno = None;
    assert_eq!(document(report)["jobs"][0]["error"], FAILED);
}

#[test]
fn what_was_cut_short_counts_the_requests_of_whole_loops_and_says_so() {
    let mut report = sample::interrupted();
    report.engines[0].directions[0].requests += 12;
    report.plan.loops = 2;
    report.plan.include_warmup_time = true;
    let job = &document(report)["jobs"][0];
    assert_eq!(job["error"], INTERRUPTED);
    assert_eq!(job["job options"]["loops"], "3", "as was asked");
    assert_eq!(job["read"]["total_ios"], 3072);
    assert_eq!(job["read"]["clat_ns"]["N"], 3084);
}

#[test]
fn an_engine_that_moves_no_data_has_requests_and_no_bytes() {
    let read = &document(sample::null())["jobs"][0]["read"];
    for key in ["io_bytes", "bw_bytes", "bw", "bw_max"] {
        assert_eq!(read[key], 0, "{key}");
    }
    assert!(float_of(&read["iops"]) > 700_000.0 && float_of(&read["iops_min"]) > 500_000.0);
}

#[test]
fn a_random_workload_has_fios_words() {
    let mut report = sample::one_engine();
    report.plan.phases[0].access = Access::Blocks(aio_core::plan::Blocks {
        runtime_ns: Some(30_000_000_000),
        ..aio_core::plan::Blocks::new(Pattern::Random)
    });
    let options = |report: &Report| document(report.clone())["jobs"][0]["job options"].clone();
    assert_eq!(
        (options(&report)["rw"].as_str(), options(&report)["runtime"].as_str()),
        (Some("randwrite"), Some("30"))
    );
    assert_eq!(options::duration(Duration::from_millis(1_500)), "1500ms");
    assert_eq!(options(&sample::one_engine())["rw"], "write");
}

#[test]
fn reads_and_writes_of_a_mix_are_one_job_as_in_fio() {
    let mut report = sample::comparison();
    report.engines.truncate(1);
    report.plan.phases.truncate(1);
    report.plan.phases[0].direction = Direction::Mixed;
    report.plan.phases[0].access = Access::Blocks(aio_core::plan::Blocks {
        read_percent: Some(70),
        ..aio_core::plan::Blocks::new(Pattern::Random)
    });
    report.engines[0].directions[0].flushes =
        Some(aio_core::report::FlushReport { requests: 9, ..sample_flushes() });
    let document = document(report);
    let jobs = document["jobs"].as_array().unwrap();
    assert_eq!((jobs.len(), &jobs[0]["jobname"]), (1, &json!("uring-rw")));
    let job = &jobs[0];
    assert_eq!(
        (&job["read"]["total_ios"], &job["write"]["total_ios"]),
        (&json!(3072), &json!(3072))
    );
    assert_eq!((&job["trim"]["total_ios"], &job["sync"]["total_ios"]), (&json!(0), &json!(9)));
    let options = &job["job options"];
    assert_eq!((&options["rw"], &options["rwmixread"]), (&json!("randrw"), &json!("70")));
    let classes = ["latency_ns", "latency_us", "latency_ms"].map(|unit| &job[unit]);
    let shares = classes.iter().flat_map(|class| class.as_object().unwrap().values());
    assert!((shares.map(float_of).sum::<f64>() - 100.0).abs() < 1e-9, "of both together");
}

fn sample_flushes() -> aio_core::report::FlushReport {
    let histogram = LatencyHistogram::default();
    let latency = histogram.summary();
    aio_core::report::FlushReport { operation: "fsync".into(), requests: 0, latency, histogram }
}

#[test]
fn what_was_asked_of_blocks_is_said_in_fios_words() {
    use aio_core::plan::{Blocks, Distribution, Flush, Rate, SizeShare};
    let mut report = sample::one_engine();
    report.plan.phases[0].access = Access::Blocks(Blocks {
        requests: Some(8),
        io_limit_bytes: Some(3 << 20),
        ramp_ns: Some(1_500_000_000),
        offset_bytes: 4096,
        distribution: Distribution::Zipf { theta: 1.2 },
        covers: false,
        sizes: vec![
            SizeShare { bytes: 4096, percent: 60 },
            SizeShare { bytes: 65536, percent: 40 },
        ],
        flush: Some(Flush { every: 8, data_only: true }),
        end_fsync: true,
        rate: Some(Rate { per_s: 100.0, poisson: true }),
        verify: Some(aio_core::plan::Checksum::Crc32c),
        compress_percent: 50,
        ..Blocks::new(Pattern::Random)
    });
    let document = document(report);
    let options = &document["jobs"][0]["job options"];
    for (key, value) in [
        ("rw", "randwrite"),
        ("number_ios", "8"),
        ("io_size", "3m"),
        ("ramp_time", "1500ms"),
        ("offset", "4k"),
        ("random_distribution", "zipf:1.2"),
        ("norandommap", "1"),
        ("bssplit", "4k/60:64k/40"),
        ("fdatasync", "8"),
        ("end_fsync", "1"),
        ("rate_iops", "100"),
        ("rate_process", "poisson"),
        ("verify", "crc32c"),
        ("buffer_compress_percentage", "50"),
    ] {
        assert_eq!(options[key], value, "{key}");
    }
}

#[test]
fn classes_of_latencies_add_up_and_each_latency_is_in_its_own() {
    let mut histogram = LatencyHistogram::default();
    let ns = [1, 3, 999, 1_000, 1_999, 2_100, 800_000, 1_001_000, 1_500_000_000, 5_000_000_000];
    for ns in ns {
        histogram.record(ns);
    }
    let classes = latency::classes(&histogram);
    let share = |unit: usize, end: &str| float_of(&classes[unit].1[end]);
    for (unit, end, percent) in [
        (0, "2", 10.0),
        (0, "4", 10.0),
        (0, "1000", 10.0),
        (1, "2", 20.0),
        (1, "4", 10.0),
        (1, "1000", 10.0),
        (2, "2", 10.0),
        (2, "2000", 10.0),
        (2, ">=2000", 10.0),
    ] {
        assert!((share(unit, end) - percent).abs() < 1e-9, "{unit} {end}: {classes:?}");
    }
    let all: f64 = classes.iter().flat_map(|(_, map)| map.values()).map(float_of).sum();
    assert!((all - 100.0).abs() < 1e-9, "{all}");
}

#[test]
fn every_error_number_is_found_by_its_name() {
    assert_eq!(
        (errno_of("EPERM"), errno_of("ENOSPC"), errno_of("EHWPOISON")),
        (Some(1), Some(28), Some(133))
    );
    assert_eq!(errno_of("ENOTHING"), None);
}
