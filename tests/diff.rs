//! Gates: `aio diff` and `--assert`.

use std::fs;

use serde_json::Value;

use crate::support::Folder;

const RUN: &str = "--engine sync --buffered --file f --size 1M --rw randread --bs 4k --quiet";

/// A folder with results of a run.
fn folder_with_run() -> (Folder, Value) {
    let folder = Folder::new();
    folder.aio(&format!("{RUN} --format json --output run.json")).code(0);
    let text = fs::read_to_string(folder.path().join("run.json")).expect("it was saved");
    (folder, serde_json::from_str(&text).expect("it is JSON"))
}

/// Saves `report` as rounds whose rates are so many times what it says, and their names by commas.
fn rounds(folder: &Folder, name: &str, report: &Value, factors: &[f64]) -> String {
    let save = |(index, factor): (usize, &f64)| {
        let mut report = report.clone();
        let one = &mut report["engines"][0]["directions"][0];
        for field in ["requests_per_s", "e2e_speed_gib_per_s"] {
            one[field] = (one[field].as_f64().expect("a rate") * factor).into();
        }
        for field in ["p50_ns", "p99_ns"] {
            let ns = one["request_latency"][field].as_u64().expect("enough requests");
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a latency stays one"
            )]
            let scaled = (ns as f64 / factor) as u64;
            one["request_latency"][field] = scaled.into();
        }
        let name = format!("{name}-{index}.json");
        fs::write(folder.path().join(&name), report.to_string()).expect("there is room");
        name
    };
    factors.iter().enumerate().map(save).collect::<Vec<_>>().join(",")
}

/// Some percent of noise, and the same in another order.
const BASE: [f64; 8] = [1.0, 1.01, 0.99, 1.005, 0.995, 1.02, 0.98, 1.002];
const SAME: [f64; 8] = [0.997, 1.015, 0.985, 1.003, 1.0, 0.99, 1.012, 1.001];

#[test]
fn the_same_speed_is_no_regression_and_a_lower_one_is() {
    let (folder, report) = folder_with_run();
    let base = rounds(&folder, "base", &report, &BASE);
    let same = rounds(&folder, "same", &report, &SAME);
    let slow = rounds(&folder, "slow", &report, &SAME.map(|factor| factor * 0.8));
    let ended = folder.aio(&format!("diff {base} {same}")).code(0);
    assert!(ended.stdout.contains("no difference larger than"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    let ended = folder.aio(&format!("diff {base} {slow} --max-regress 5%")).code(3);
    let ended = ended.says(&["aio: sync read: slower by ", "a regression of more than 5 %"]);
    assert!(ended.stdout.ends_with("\na regression (by iops)\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let allowed = folder.aio(&format!("diff {base} {slow} --max-regress 30%")).code(0);
    assert!(allowed.stdout.contains("which --max-regress allows"), "{}", allowed.stdout);
    let latency = folder.aio(&format!("diff {base} {slow} --metric p99")).code(3);
    latency.says(&["sync read: p99 higher by "]);
    let faster = folder.aio(&format!("diff {slow} {base} --strict")).code(0);
    assert!(faster.stdout.contains("sync read: faster by "), "{}", faster.stdout);
}

#[test]
fn one_round_on_each_side_tells_nothing_and_strict_minds() {
    let (folder, report) = folder_with_run();
    let slow = rounds(&folder, "slow", &report, &[0.1]);
    let ended = folder.aio(&format!("diff run.json {slow}")).code(0);
    assert!(ended.stdout.contains("not enough rounds to tell (1 and 1)"), "{}", ended.stdout);
    let ended = ended.says(&["5 rounds or more on each side", "aio compare --rounds 10 --save"]);
    assert!(ended.stdout.ends_with("\ncannot tell (by iops)\n"), "{}", ended.stdout);
    folder
        .aio(&format!("diff run.json {slow} --strict"))
        .code(3)
        .says(&["aio: sync read: not enough rounds"]);
    assert!(!ended.stdout.contains("what else differs"), "{}", ended.stdout);
}

#[test]
fn another_machine_is_told_and_compared() {
    let (folder, mut report) = folder_with_run();
    report["machine"]["kernel"] = "9.9.9\u{1b}".into();
    report["machine"]["cpu_model"] = Value::Null;
    report["tool_version"] = "0.0.1".into();
    report["targets"][0]["file_system"] = "zfs".into();
    let new = rounds(&folder, "new", &report, &[1.0]);
    let ended = folder.aio(&format!("diff run.json {new}")).code(0);
    for line in [" -> 9.9.9\\u{1b}\n", "  aio: ", " -> 0.0.1\n", "  file system: ", " -> zfs\n"] {
        assert!(ended.stdout.contains(line), "{line:?} in\n{}", ended.stdout);
    }
    assert!(
        ended.stdout.contains("both: sync read is doubtful: ") || ended.stdout.contains("new: ")
    );
}

#[test]
fn what_measured_something_else_is_refused_unless_it_is_forced() {
    let (folder, report) = folder_with_run();
    let other = RUN.replace("4k", "8k");
    folder.aio(&format!("{other} --format json --output other.json")).code(0);
    folder.aio("diff run.json other.json").refused(&[
        "sync read is not the same in both: plan.block_size_bytes is 4096 in run.json and 8192 in \
         other.json",
        "--force",
    ]);
    folder.aio("diff run.json,other.json run.json").refused(&["block_size_bytes"]);
    let forced = folder.aio("diff run.json other.json --force").code(0);
    assert!(forced.stdout.contains("  plan.block_size_bytes: 4096 -> 8192\n"), "{}", forced.stdout);
    let mut renamed = report.clone();
    renamed["engines"][0]["engine"] = "x\u{1b}y".into();
    let renamed = rounds(&folder, "renamed", &renamed, &[1.0]);
    folder.aio(&format!("diff run.json {renamed}")).refused(&[
        "run.json has sync read",
        "has x\\u{1b}y read",
        "--force",
    ]);
    let forced = folder.aio(&format!("diff run.json {renamed} --force")).code(0);
    assert!(forced.stdout.contains("  engine: sync -> x\\u{1b}y\n"), "{}", forced.stdout);
    let mut failed = report;
    failed["status"] = "failed".into();
    let failed = rounds(&folder, "failed", &failed, &[1.0]);
    folder.aio(&format!("diff run.json {failed}")).refused(&["failed-0.json: the run failed"]);
}

#[test]
fn what_holds_no_results_is_refused() {
    let (folder, _report) = folder_with_run();
    folder.aio("--dry-run --file f --size 1M --format json --output dry.json --buffered").code(0);
    folder.aio(&format!("{RUN} --format fio-json --output fio.json")).code(0);
    fs::write(folder.path().join("bad.json"), "{").expect("there is room");
    for (file, why) in [
        ("missing.json", "cannot read missing.json: No such file"),
        ("bad.json", "bad.json cannot be used as results: it is not JSON"),
        ("dry.json", "it is what --dry-run would do"),
        ("fio.json", "in the form of fio's JSON"),
        (".", "Is a directory"),
        ("/dev/zero", "larger than 64 MiB"),
    ] {
        folder.aio(&format!("diff run.json {file}")).refused(&[why]);
    }
    folder.aio("diff run.json,run.json run.json").refused(&["run.json is given twice"]);
    folder.aio("diff run.json").refused(&["were not provided: <NEW.json[,…]>"]);
    folder.aio("diff run.json run.json run.json").refused(&["unexpected argument 'run.json'"]);
    folder.aio("diff run.json, run.json").refused(&["with one comma between"]);
    folder.aio("diff run.json run.json --output run.json").refused(&["--output run.json"]);
    folder.aio("diff - -").refused(&["stdin is given twice"]);
    let ended = folder.shell("exec \"$0\" \"$@\" <run.json", "diff - run.json").code(0);
    assert!(ended.stdout.starts_with("base: stdin\nnew:  run.json\n"), "{}", ended.stdout);
}

#[test]
fn markdown_and_json_go_where_they_are_asked_to() {
    let (folder, report) = folder_with_run();
    let base = rounds(&folder, "base", &report, &BASE);
    let slow = rounds(&folder, "slow", &report, &SAME.map(|factor| factor * 0.8));
    let line = format!("diff {base} {slow} --format");
    let ended = folder.aio(&format!("{line} md --output d.md")).code(3);
    assert_eq!(ended.stdout, "");
    let text = fs::read_to_string(folder.path().join("d.md")).expect("it was written");
    assert!(text.starts_with("### aio: a regression\n\n| result | base iops |"), "{text}");
    assert!(text.contains("| **slower by "), "{text}");
    let json = folder.aio(&format!("{line} json")).code(3).json();
    assert_eq!(json["schema_version"], 1);
    let entry = &json["entries"][0];
    assert_eq!((&entry["outcome"], &entry["contestant"]), (&"regression".into(), &"sync".into()));
    assert_eq!((&entry["base_rounds"], &entry["new_rounds"]), (&8.into(), &8.into()));
    assert_eq!(json["failures"].as_array().map(Vec::len), Some(1), "{json}");
    folder.aio("diff run.json d.md").refused(&["not JSON"]);
}

#[test]
fn comparisons_and_jobs_are_matched_by_name() {
    let folder = Folder::new();
    let compare = "compare --engine sync,null --buffered --file f --size 1M --bs 4k --quiet \
                   --rounds 2 --practice-rounds 0 --cool-down 0 --save";
    for file in ["a.json", "b.json"] {
        folder.aio(&format!("{compare} {file}")).code(0);
    }
    let json = folder.aio("diff a.json b.json --format json").code(0).json();
    let names: Vec<_> = (0..2).map(|entry| json["entries"][entry]["contestant"].clone()).collect();
    assert_eq!(names, ["sync", "null"]);
    assert_eq!(json["entries"][0]["base_rounds"], json["entries"][0]["new_rounds"]);
    let plan = "engine = 'sync'\nbuffered = true\nfile = 'f'\nsize = '1M'\n[[job]]\nname = 'one'\n\
                rw = 'randread'\n[[job]]\nname = 'two'\nblock-size = '4k'\n";
    fs::write(folder.path().join("p.toml"), plan).expect("there is room");
    folder.aio("run p.toml --quiet --format json --output jobs.json").code(0);
    let ended = folder.aio("diff jobs.json jobs.json").code(0);
    for name in ["job one sync read: ", "job two sync read: "] {
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
    }
    folder.aio("diff a.json jobs.json").refused(&["a.json has sync read", "job one sync read"]);
}

#[test]
fn assertions_hold_or_end_with_3_after_the_results() {
    let folder = Folder::new();
    let holds = folder.aio(&format!("{RUN} --assert errors==0 --assert sync.read.iops>0")).code(0);
    assert_eq!(holds.stderr, "");
    let fails =
        folder.aio(&format!("{RUN} --assert p99<1ns --assert iops>0 --assert uring.max>0s"));
    let fails = fails.code(3).says(&[
        "aio: --assert p99<1ns: sync read has ",
        "aio: --assert uring.max>0s: there is no such result; there is sync read\n",
    ]);
    assert_eq!(fails.stderr.lines().count(), 2, "{}", fails.stderr);
    assert!(fails.stdout.contains("randread"), "results are printed first: {}", fails.stdout);
    for (text, why) in [("p99<200", "has no unit"), ("p98<1ms", "ends in no metric")] {
        folder.aio(&format!("{RUN} --assert {text}")).refused(&["--assert", why]);
    }
    let missing = "--engine sync --buffered --quiet --read-file missing --assert errors==0";
    folder.aio(missing).refused(&["missing"]);
}

#[test]
fn assertions_about_contestants_name_them() {
    let folder = Folder::new();
    let compare = "compare --engine sync,null --buffered --file f --size 1M --bs 4k --quiet \
                   --rounds 2 --practice-rounds 0 --cool-down 0 --assert sync.iops>0 --assert";
    folder.aio(&format!("{compare} errors==0")).code(0);
    let ended = folder.aio(&format!("{compare} bandwidth>0")).code(3);
    ended.says(&["aio: --assert bandwidth>0: null read has no bandwidth: it moved no data\n"]);
}

#[test]
fn assertions_of_plans_and_of_fios_jobs_name_the_job() {
    let folder = Folder::new();
    let plan = "engine = 'sync'\nbuffered = true\nquiet = true\nfile = 'f'\nsize = '1M'\n\
                assert = ['errors==0']\n[[job]]\nname = 'good'\n[[job]]\nname = 'bad'\n\
                assert = ['p50<1ns', 'iops>0']\n[[job]]\nname = 'last'\n";
    fs::write(folder.path().join("p.toml"), plan).expect("there is room");
    let ended = folder.aio("run p.toml").code(3);
    assert!(ended.stderr.starts_with("aio: job bad: --assert p50<1ns: sync read has "));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("job last"), "the next job runs: {}", ended.stdout);
    let dumped = folder.aio("run p.toml --dump-plan").code(0).stdout;
    assert!(dumped.contains("\nassert = [\"p50<1ns\", \"iops>0\"]\n"), "{dumped}");
    let wrong = plan.replace("p50<1ns", "p50<1");
    fs::write(folder.path().join("p.toml"), wrong).expect("there is room");
    folder.aio("run p.toml").refused(&["p.toml:11: ", "has no unit"]);
    let job = "[j]\nioengine=psync\nfilename=f\nsize=1m\nrw=randread\nunlink=1\n";
    fs::write(folder.path().join("j.fio"), job).expect("there is room");
    folder.aio("fio j.fio --quiet --assert iops>0").code(0);
    folder.aio("fio j.fio --quiet --assert read.calls==0").code(3).says(&["job j: --assert"]);
}

const GUIDE: &str = include_str!("../docs/ci.md");

/// The parts of the guide that are marked as `language`.
fn marked(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    GUIDE.split(begin.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Runs a part of a script as the workflow would, in `folder`.
fn script(folder: &Folder, text: &str) -> crate::support::Ended {
    let script = format!("set -e\naio() {{ \"$0\" \"$@\"; }}\n{text}");
    folder.shell(&script, "")
}

#[test]
fn the_commands_of_the_guide_run_in_one_folder() {
    let folder = Folder::new();
    let blocks = marked("sh");
    assert!(blocks.len() >= 3);
    for block in blocks {
        let ended = script(&folder, block);
        if ended.code == 2 && ended.stderr.contains("refuses O_DIRECT") {
            crate::support::skip(&ended.stderr);
            return;
        }
        ended.code(0);
    }
}

/// The scripts of a workflow, each with the name of its step.
fn steps(workflow: &str) -> Vec<(String, String)> {
    let mut steps = Vec::new();
    let mut name = String::new();
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(text) = line.trim_start().strip_prefix("- name: ") {
            name = text.into();
        }
        if line.trim_start() != "run: |" {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let mut script = String::new();
        let is_inside = |line: &&str| line.len() - line.trim_start().len() > indent;
        while let Some(line) = lines.next_if(is_inside) {
            script += line;
            script.push('\n');
        }
        steps.push((name.clone(), script));
    }
    steps
}

#[test]
fn the_scripts_of_the_workflows_measure_and_compare() {
    let workflows = marked("yaml");
    assert_eq!(workflows.len(), 2);
    for workflow in workflows {
        let folder = Folder::new();
        let steps = steps(workflow);
        let workload = workflow.lines().find_map(|line| line.trim().strip_prefix("WORKLOAD: "));
        let workload = workload.expect("the workload is in one place");
        let dry = folder.aio(&format!("{workload} --dry-run"));
        if dry.code != 0 {
            crate::support::skip(&dry.stderr);
        }
        // The same on a smaller file, without a device in it: this is about the scripts.
        let small = "--engine sync --buffered --file bench --size 1M --rw randread --bs 4k";
        let setting = format!(
            "WORKLOAD=\"{small}\" GITHUB_STEP_SUMMARY=summary.md\n\
             for side in base head; do mkdir -p $side/target/release; \
             ln -sf \"$0\" $side/target/release/aio; done\n"
        );
        let mut ran = Vec::new();
        for (name, text) in &steps {
            match name.as_str() {
                "Build" => assert!(text.contains("cargo build --release --locked -p aio-cli")),
                "Keep as base" => {}
                "Compare" => {
                    // What another run has saved.
                    let saved = "if [ -e new.json ]; then cp new.json base.json; fi\n";
                    let ended = script(&folder, &format!("{setting}{saved}{text}"));
                    // So short rounds may well differ.
                    assert!([0, 3].contains(&ended.code), "{}", ended.stderr);
                    let summary = fs::read_to_string(folder.path().join("summary.md"));
                    let summary = summary.expect("there is a summary");
                    assert!(summary.starts_with("### aio: "), "{summary}");
                    ran.push("Compare");
                }
                _ => {
                    script(&folder, &format!("{setting}{text}")).code(0);
                    ran.push("Measure");
                }
            }
        }
        assert_eq!(ran, ["Measure", "Compare"]);
    }
}
