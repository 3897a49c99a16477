//! Comparisons and jobs of which a part fails: what was finished before is kept.

use std::fs;

use serde_json::Value;

use super::Target;
use crate::support::Folder;

const WORK: &str = "--file f --rw randread --size 1M --block-size 4k --number-ios 64 \
                    --queue-depth 4 --cool-down 0 --quiet --rounds 10";

/// Four runs of 64 reads a round, the first of practice: 700 reads are two whole rounds and more.
const LATE: &str = "direct-io read:EIO:after=700";

fn rounds(document: &Value) -> Vec<usize> {
    let contestants = document["contestants"].as_array().expect("a list");
    contestants.iter().map(|one| one["rounds"].as_array().expect("a list").len()).collect()
}

#[test]
fn a_comparison_that_fails_keeps_the_rounds_before_and_says_so() {
    let Some(target) = Target::new() else { return };
    let results = Folder::new();
    let saved = results.path().join("saved.json");
    for engine in target.engines() {
        let line = format!(
            "compare --engine {engine},null,{engine} {WORK} --save {} --format json",
            saved.display()
        );
        let ended = target.aio(LATE, &line).code(1);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        let ended = ended.says(&[engine, "read of 4096 bytes at offset ", " of f failed: ", "EIO"]);
        let file = fs::read_to_string(&saved).expect("it was written");
        let file: Value = serde_json::from_str(&file).expect("it is whole");
        for document in [&ended.json(), &file] {
            assert_eq!(document["status"], "failed");
            assert!(document["failure"].as_str().unwrap().contains("of f failed"));
            // 128 of 192 requests of a round are reads of the file.
            assert_eq!(rounds(document), [4, 4, 4], "{engine}");
        }
        assert_eq!(target.folder.names(), [""; 0], "the file it made is gone");
        fs::remove_file(&saved).unwrap();
        let text = target.aio(LATE, &line.replace("--format json", "")).code(1).stdout;
        let verdicts = ["is faster", "is slower", "as fast as"];
        assert!(!verdicts.iter().any(|word| text.contains(word)), "{text}");
        assert!(text.contains("FAILED") || text.contains("failed"), "{text}");
        fs::remove_file(&saved).unwrap();
    }
}

#[test]
fn a_comparison_that_fails_in_practice_replaces_nothing_that_was_saved_before() {
    let Some(target) = Target::new() else { return };
    let results = Folder::new();
    let saved = results.path().join("saved.json");
    fs::write(&saved, "of another day").unwrap();
    let line = format!("compare --engine sync,null {WORK} --save {}", saved.display());
    target.aio("direct-io read:ENODATA:after=20", &line).code(1).says(&["of f failed", "ENODATA"]);
    assert_eq!(fs::read_to_string(&saved).unwrap(), "of another day");
    assert_eq!(target.folder.names(), [""; 0]);
}

#[test]
fn jobs_before_one_that_fails_are_kept_and_those_behind_it_are_not_started() {
    let Some(target) = Target::new() else { return };
    let plans = Folder::new();
    let plan = plans.path().join("p.toml");
    for engine in target.engines() {
        let job = |name: &str| {
            format!("[[job]]\nname = '{name}'\nfile = '{name}'\nsize = '1M'\nrw = 'randwrite'\n")
        };
        let jobs = ["one", "two", "three"].map(job).concat();
        let head = format!("engine = '{engine}'\nformat = 'json'\nnumber-ios = 100\n");
        fs::write(&plan, format!("{head}block-size = '4k'\nqueue-depth = 4\n{jobs}")).unwrap();
        // The file is filled by one write.
        let rule = "direct-io write:ENOSPC:file=two:after=50";
        let ended = target.aio(rule, &format!("run {}", plan.display())).code(1);
        let ended = ended.says(&["of two failed", "ENOSPC", "1 job was not started: three"]);
        let report = ended.json();
        assert_eq!(report["status"], "failed");
        let jobs = report["jobs"].as_array().unwrap();
        assert_eq!(jobs.len(), 2, "{report}");
        let of = |job: usize| &jobs[job]["report"]["engines"][0]["directions"][0];
        assert_eq!((&of(0)["status"], &of(1)["status"]), (&"complete".into(), &"failed".into()));
        assert!(of(0)["requests_per_s"].as_f64().unwrap() > 0.0);
        assert_eq!(of(1)["requests_per_s"], Value::Null);
        assert_eq!(target.folder.names(), [""; 0], "{engine}");
    }
}
