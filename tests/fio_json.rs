//! The results in fio's JSON, beside what fio itself prints.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Folder, skip};

const BLOCK_BYTES: f64 = 65_536.0;

/// The fields that readers of fio's results rely on, fio-plot's among them.
const RELIED_ON: [&str; 18] = [
    "/read/io_bytes",
    "/read/bw_bytes",
    "/read/bw",
    "/read/iops",
    "/read/iops_stddev",
    "/read/runtime",
    "/read/total_ios",
    "/read/lat_ns/mean",
    "/read/lat_ns/stddev",
    "/read/clat_ns/mean",
    "/read/clat_ns/percentile/99.000000",
    "/write/iops",
    "/trim/iops",
    "/usr_cpu",
    "/sys_cpu",
    "/latency_ns/1000",
    "/latency_us/1000",
    "/latency_ms/>=2000",
];

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn is_about(number: f64, other: f64, share: f64) {
    assert!((number - other).abs() <= share * other.abs(), "{number} is not about {other}");
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

/// What aio prints for a file of 8 MiB that is read in blocks of 64 KiB.
fn of_aio(folder: &Folder) -> Value {
    folder.file("f", 8 << 20);
    let line = "--engine sync --buffered --quiet --read-file f --block-size 64k --queue-depth 4 \
                --loops 3 --format fio-json";
    folder.aio(line).code(0).json()
}

#[test]
fn numbers_agree_with_each_other() {
    let folder = Folder::new();
    let document = of_aio(&folder);
    assert!(document["fio version"].as_str().is_some_and(|version| version.starts_with("aio-")));
    let job = &document["jobs"][0];
    assert_eq!(job["error"], 0);
    let options = &job["job options"];
    for (key, value) in [("rw", "read"), ("bs", "64k"), ("iodepth", "4"), ("numjobs", "1")] {
        assert_eq!(options[key], value, "{key}");
    }
    let read = &job["read"];
    assert_eq!((&read["io_bytes"], &read["total_ios"]), (&(3 << 23).into(), &384.into()));
    let (iops, bytes_per_s) = (number(&read["iops"]), number(&read["bw_bytes"]));
    is_about(bytes_per_s, iops * BLOCK_BYTES, 1e-3);
    is_about(number(&read["bw"]), bytes_per_s / 1024.0, 1e-3);
    // The time is told in whole milliseconds.
    let seconds = number(&read["total_ios"]) / iops;
    assert!((number(&read["runtime"]) / 1e3 - seconds).abs() <= 0.000_501, "{read}");
    let latency = &read["clat_ns"];
    assert_eq!((&latency["N"], &read["lat_ns"]["N"]), (&384.into(), &384.into()));
    let bins = latency["bins"].as_object().expect("bins").values().map(number);
    is_about(bins.sum(), 384.0, 0.0);
    let percentiles: Vec<_> =
        latency["percentile"].as_object().expect("percentiles").values().map(number).collect();
    assert!(percentiles.len() == 17 && percentiles.is_sorted(), "{percentiles:?}");
    let classes = ["latency_ns", "latency_us", "latency_ms"].map(|unit| &job[unit]);
    let shares = classes.iter().flat_map(|class| class.as_object().expect("classes").values());
    is_about(shares.map(number).sum(), 100.0, 1e-9);
    for field in RELIED_ON {
        assert!(job.pointer(field).is_some_and(Value::is_number), "{field}");
    }
}

#[test]
fn fields_are_those_of_fio() {
    let folder = Folder::new();
    let ours = of_aio(&folder);
    let mut fio = folder.program("fio");
    fio.args("--name=f --filename=f --size=8m --bs=64k --rw=read --readonly".split(' '));
    let output = match fio.arg("--output-format=json+").output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => return skip(&format!("fio: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => return skip(&format!("fio cannot be started: {error}")),
    };
    let theirs: Value = serde_json::from_slice(&output.stdout).expect("fio prints JSON");
    let (our_job, their_job) = (&ours["jobs"][0], &theirs["jobs"][0]);
    // fio leaves the global options out when there are none.
    let expected = |key: &String| key == "global options" || theirs.get(key).is_some();
    assert!(keys(&ours).iter().all(expected), "{:?}", keys(&ours));
    assert!(keys(our_job).is_subset(&keys(their_job)), "{:?}", keys(our_job));
    for place in ["/read", "/write", "/trim", "/sync", "/read/slat_ns", "/read/clat_ns"] {
        let both = [our_job, their_job].map(|job| keys(job.pointer(place).expect(place)));
        assert_eq!(both[0], both[1], "{place}");
    }
    for place in ["/read/clat_ns/percentile", "/latency_ns", "/latency_us", "/latency_ms"] {
        let both = [our_job, their_job].map(|job| keys(job.pointer(place).expect(place)));
        assert_eq!(both[0], both[1], "{place}");
    }
    for field in RELIED_ON {
        assert!(their_job.pointer(field).is_some_and(Value::is_number), "fio has no {field}");
    }
}

/// What fio-plot's importer takes from each job, in the words of its `get_json_mapping`, with the
/// direction that it draws in the place of `MODE`.
const READ_BY_FIO_PLOT: [&str; 13] = [
    "/job options/iodepth",
    "/job options/numjobs",
    "/job options/bs",
    "/job options/rw",
    "/MODE/bw",
    "/MODE/iops",
    "/MODE/iops_stddev",
    "/MODE/lat_ns/mean",
    "/MODE/lat_ns/stddev",
    "/latency_ns",
    "/latency_us",
    "/latency_ms",
    "/usr_cpu",
];

#[test]
fn a_mix_is_one_job_with_all_that_fio_plot_reads() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --file f --size 1M --rw randrw --rwmixread 70 \
                --block-size 4k --queue-depth 4 --format fio-json";
    let document = folder.aio(line).code(0).json();
    let jobs = document["jobs"].as_array().expect("jobs");
    // It adds up all jobs of a file, and takes the mean of their latencies.
    assert_eq!((jobs.len(), &jobs[0]["job options"]["rw"]), (1, &"randrw".into()));
    assert!(document["fio version"].is_string() && document["global options"].is_object());
    for mode in ["read", "write"] {
        for place in READ_BY_FIO_PLOT {
            let place = place.replace("MODE", mode);
            assert!(jobs[0].pointer(&place).is_some_and(|value| !value.is_null()), "{place}");
        }
        assert!(number(&jobs[0][mode]["lat_ns"]["mean"]) > 0.0);
    }
    let total = |mode: &str| number(&jobs[0][mode]["total_ios"]);
    is_about(total("read") + total("write"), 256.0, 0.0);
}

#[test]
fn a_dry_run_has_no_results_for_it() {
    let folder = Folder::new();
    let line =
        "--dry-run --format fio-json --engine null --buffered --write-file w --write-size 1M";
    folder.aio(line).refused(&["--dry-run", "fio-json", "text or json"]);
}
