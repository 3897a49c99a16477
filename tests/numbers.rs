//! The numbers of a report against each other, and against what was asked.

use serde_json::Value;

use crate::support::{ENGINES, Folder};

const COMMON: &str = "--buffered --quiet --format json --block-size 4k --file f --size 1M";

/// The engines that can run here, that which moves no data too.
fn engines(folder: &Folder) -> impl Iterator<Item = &'static str> {
    ENGINES.into_iter().filter(|engine| folder.can_run(engine)).chain(["null"])
}

fn number(one: &Value) -> f64 {
    one.as_f64().unwrap_or_else(|| panic!("{one} is no number"))
}

fn sum(parts: &Value, field: &str) -> u64 {
    let number = |part: &Value| part[field].as_u64().expect("a count is a whole number");
    parts.as_array().expect("parts are a list").iter().map(number).sum()
}

#[test]
fn tasklets_intervals_and_the_whole_add_up_for_every_engine() {
    let folder = Folder::new();
    for engine in engines(&folder) {
        let line = format!(
            "{COMMON} --engine {engine} --rw randread --runtime 300ms --warmup-loops 1 --loops 2 \
             --threads 2 --io-parallel 2 --queue-depth 4 --interval 50ms"
        );
        let one = folder.aio(&line).code(0).direction();
        for parts in [&one["tasklets"], &one["series"]["samples"]] {
            for field in ["requests", "bytes"] {
                assert_eq!(sum(parts, field), one[field].as_u64().unwrap(), "{engine} {field}");
            }
        }
        let samples = one["series"]["samples"].as_array().unwrap();
        assert!(samples.len() >= 12, "600 ms of 50 ms each: {samples:?}");
        let timed = samples.iter().filter(|sample| sample["latency"].is_object()).count();
        assert!(timed > 0, "{engine}: {samples:?}");
        let longest = samples.iter().filter_map(|sample| sample["latency"]["max_ns"].as_u64());
        assert_eq!(longest.max(), one["request_latency"]["max_ns"].as_u64(), "{engine}");
        let depth = number(&one["depth"]["achieved_mean"]);
        assert!(depth > 0.0 && depth <= 4.0, "{engine}: {depth} of 4 in flight");
    }
}

#[test]
fn both_parts_of_a_mix_have_series_of_their_own() {
    let folder = Folder::new();
    let line = format!("{COMMON} --engine null --rw randrw --number-ios 5000 --interval 10ms");
    let ended = folder.aio(&line).code(0);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let directions = report["engines"][0]["directions"].as_array().unwrap();
    assert_eq!(directions.len(), 2);
    for one in directions {
        let samples = &one["series"]["samples"];
        assert_eq!(sum(samples, "requests"), one["requests"].as_u64().unwrap());
    }
    let per_request = &directions[0]["ratios"]["cpu_user_ns_per_request"];
    assert_eq!(per_request, &directions[1]["ratios"]["cpu_user_ns_per_request"], "shared");
}

#[test]
fn percentiles_beyond_the_requests_are_null_in_json_and_empty_in_csv() {
    let folder = Folder::new();
    let line = format!("{COMMON} --engine null --rw randread --number-ios 999");
    let latency = folder.aio(&line).code(0).direction()["request_latency"].clone();
    assert!(latency["p99_ns"].is_u64() && latency["p99_9_ns"].is_null(), "{latency}");
    let csv = folder.aio(&line.replace("json", "csv")).code(0).stdout;
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (names, cells) = (rows.next().unwrap(), rows.next().unwrap());
    let cell = |name| cells[names.iter().position(|one| *one == name).unwrap()];
    assert_ne!(cell("request_latency_ns_p99"), "");
    assert_eq!(cell("request_latency_ns_p99_9"), "");
}

#[test]
fn one_batch_in_64_is_submitted_apart_and_nothing_else_changes() {
    let folder = Folder::new();
    let mut prints = Vec::new();
    for (batch, ios) in [(16, 20_480), (4, 20_480)] {
        let line = format!(
            "{COMMON} --engine null --rw randread --number-ios {ios} --queue-depth 32 \
             --batch-submit {batch} --batch-complete {batch}"
        );
        let one = folder.aio(&line).code(0).direction();
        assert_eq!(one["requests"], ios);
        assert_eq!(one["counters"]["reaped"], ios);
        let sampled = one["submission"]["sampled_calls"].as_u64().unwrap();
        assert!(sampled >= ios / batch / 64 / 2, "{sampled} of {} batches", ios / batch);
        prints.push(one["fingerprint"].clone());
    }
    assert_eq!(prints[0], prints[1]);
    let line = format!("{COMMON} --engine null --rw randread --number-ios 20480 --queue-depth 1");
    let one = folder.aio(&line).code(0).direction();
    assert_eq!(one["requests"], 20_480);
    assert!(one["submission"]["sampled_calls"].as_u64().unwrap() >= 8, "{}", one["submission"]);
}

#[test]
fn folders_have_rows_of_their_own() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("a")).unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let line = "--engine sync --buffered --quiet --folder a b --io-size 256k --block-size 64k";
    let one = folder.aio(&format!("{line} --format json")).code(0).direction();
    let groups = one["groups"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|one| (&one["by"], &one["name"])).collect();
    assert_eq!(names, [(&"folder".into(), &"a".into()), (&"folder".into(), &"b".into())]);
    assert_eq!(sum(&one["groups"], "bytes"), one["bytes"].as_u64().unwrap());
    let text = folder.aio(line).code(0).stdout;
    assert!(text.contains("folder a") && text.contains("folder b"), "{text}");
}

#[test]
fn an_interval_that_is_too_short_is_refused() {
    let folder = Folder::new();
    let line = format!("{COMMON} --engine null --rw randread --interval 9ms");
    let ended = folder.aio(&line).code(2);
    assert!(ended.stderr.contains("--interval 9 ms is out of range"), "{}", ended.stderr);
    assert_eq!(folder.names(), [""; 0]);
}
