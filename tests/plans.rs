//! Plans in files: `aio run` and `--dump-plan`.

use std::fs;

use crate::support::Folder;

fn folder_with(plan: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path().join("p.toml"), plan).expect("there is room");
    folder
}

const TWO: &str = "\
engine = 'sync'
buffered = true
quiet = true
[[job]]
name = 'make'
file = 'f'
size = '1M'
rw = 'write'
keep = true
[[job]]
name = 'look'
file = 'f'
block-size = '4k'
";

#[test]
fn jobs_run_one_after_the_other_and_one_may_use_what_another_leaves() {
    let folder = folder_with(TWO);
    let ended = folder.aio("run p.toml --format json").code(0);
    let json = ended.json();
    assert_eq!((&json["status"], &json["schema_version"]), (&"complete".into(), &1.into()));
    let of = |job: usize, field: &str| {
        json["jobs"][job]["report"]["engines"][0]["directions"][0][field].clone()
    };
    assert_eq!(
        (&json["jobs"][0]["name"], &json["jobs"][1]["name"]),
        (&"make".into(), &"look".into())
    );
    assert_eq!((of(0, "direction"), of(1, "direction")), ("write".into(), "read".into()));
    assert_eq!((of(0, "requests"), of(1, "requests")), (1.into(), 256.into()));
    assert_eq!(folder.names(), ["f", "p.toml"]);
}

#[test]
fn each_form_of_results_has_all_jobs_by_name() {
    let folder = folder_with(&TWO.replace("keep = true", "keep = true\noverwrite = true"));
    let text = folder.aio("run p.toml").code(0).stdout;
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word:?} in\n{text}"));
    assert!(at("\njob make\n") < at("\njob look\n"), "{text}");
    assert_eq!(text.matches(" on Linux ").count(), 1, "the machine is the same: {text}");
    let csv = folder.aio("run p.toml --format csv").code(0).stdout;
    let jobs: Vec<_> = csv.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(jobs, ["job", "make", "look"]);
    let classic = folder.aio("run p.toml --format classic").code(0).stdout;
    assert_eq!(classic.lines().filter(|line| line.starts_with("Job = ")).count(), 2);
    let fio = folder.aio("run p.toml --format fio-json --output r").code(0);
    assert_eq!(fio.stdout, "");
    let fio = fs::read(folder.path().join("r")).expect("it was written");
    let fio: serde_json::Value = serde_json::from_slice(&fio).expect("it is JSON");
    assert_eq!(
        (&fio["jobs"][0]["jobname"], &fio["jobs"][1]["jobname"]),
        (&"make".into(), &"look".into())
    );
    assert_eq!((&fio["jobs"][0]["groupid"], &fio["jobs"][1]["groupid"]), (&0.into(), &1.into()));
    let both =
        folder.aio("run p.toml --format fio-json --engine sync --engine null").code(0).json();
    assert_eq!(both["jobs"][1]["jobname"], "make-null-write");
}

#[test]
fn a_mistake_in_the_last_job_keeps_the_first_from_running() {
    for (last, words) in [
        ("block-sise = 1", vec!["p.toml:14", "block-sise", "did you mean \"block-size\""]),
        ("size = '1M'\nread-file = 'g'", vec!["p.toml:15", "--read-file"]),
        ("batch-submit = 64", vec!["p.toml:10", "\"look\"", "--batch-submit 64"]),
        ("cpus = 60000", vec!["p.toml:10", "--cpus 60000"]),
        ("engine = 'sinc'", vec!["p.toml:10", "sinc"]),
    ] {
        let folder = folder_with(&format!("{TWO}{last}\n"));
        folder.aio("run p.toml").refused(&words);
        assert_eq!(folder.names(), ["p.toml"], "{last}");
    }
    let folder = folder_with(&TWO.replace("keep = true", ""));
    folder.aio("run p.toml").refused(&["p.toml:9", "\"look\"", "f"]);
    assert_eq!(folder.names(), ["p.toml"], "no job leaves the file that the last one needs");
}

#[test]
fn a_job_that_does_not_end_well_is_the_last_and_what_was_found_before_stays() {
    let plan = "\
engine = 'sync'
buffered = true
block-size = '4k'
[[job]]
name = 'good'
file = 'f'
size = '64k'
[[job]]
name = 'bad'
read-file = 'g'
[[job]]
name = 'never'
file = 'f'
size = '64k'
";
    let folder = folder_with(plan);
    folder.file("g", 4 << 10);
    // All jobs have been checked when the first one begins, and it cannot end before somebody reads
    // its results; in between, the second one's file goes.
    let script = "mkfifo o; \"$0\" \"$@\" 2>err & until grep -q 'good (1 of 3)' err || ! kill -0 $!; do sleep 0.01; \
                  done; rm g; cat o; wait $!; code=$?; cat err >&2; exit $code";
    let ended = folder.shell(script, "run p.toml --format csv --output o");
    let ended = ended.code(1).says(&["\"bad\": cannot read g", "1 job was not started: never"]);
    assert_eq!(ended.stdout.lines().count(), 2, "a header and the good job: {}", ended.stdout);
}

#[test]
fn flags_on_the_command_line_win_and_paths_are_those_of_the_command_line() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("sub")).expect("there is room");
    fs::write(folder.path().join("sub/p.toml"), TWO).expect("there is room");
    let line = "run sub/p.toml --block-size 64k --seed 5 --format json";
    let json = folder.aio(line).code(0).json();
    for job in [0, 1] {
        let plan = &json["jobs"][job]["report"]["plan"];
        assert_eq!((&plan["block_size_bytes"], &plan["seed"]), (&65_536.into(), &5.into()));
    }
    assert_eq!(folder.names(), ["f", "sub"]);
}

#[test]
fn a_dry_run_shows_every_job_and_makes_nothing() {
    let folder = folder_with(TWO);
    let text = folder.aio("run p.toml --dry-run").code(0).stdout;
    assert!(text.starts_with("job make\nplan: write, "), "{text}");
    assert!(text.ends_with("\njob look\ncannot be looked at before job make has made its file\n"));
    let json = folder.aio("run p.toml --dry-run --format json").code(0).json();
    assert_eq!(json["jobs"][0]["preview"]["plan"]["block_size_bytes"], 1 << 20);
    assert_eq!(json["jobs"][1]["awaits"], "make");
    assert_eq!(folder.names(), ["p.toml"]);
}

#[test]
fn a_dumped_plan_is_the_same_plan() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let line = "--engine sync --engine null --buffered --file f --rw randread --bs 4k --seed 9 \
                --number-ios 50 --quiet --format json";
    let plan = folder.aio(&format!("{line} --dump-plan")).code(0);
    assert_eq!(plan.stderr, "");
    fs::write(folder.path().join("p.toml"), &plan.stdout).expect("there is room");
    let (typed, read) = (folder.aio(line).code(0).json(), folder.aio("run p.toml").code(0).json());
    assert_eq!(typed["plan"], read["jobs"][0]["report"]["plan"]);
    let print =
        |report: &serde_json::Value| report["engines"][0]["directions"][0]["fingerprint"].clone();
    assert_eq!(print(&typed), print(&read["jobs"][0]["report"]));
    let again = folder.aio("run p.toml --dump-plan").code(0).stdout;
    fs::write(folder.path().join("q.toml"), &again).expect("there is room");
    assert_eq!(folder.aio("run q.toml --dump-plan").code(0).stdout, again);
}

#[test]
fn a_plan_that_no_command_line_could_give_is_not_dumped() {
    let folder = Folder::new();
    folder.aio("--dump-plan --size 1M --read-file f").refused(&["--size needs --file"]);
    folder.aio("--dump-plan --read-file f --batch-submit 64").refused(&["--batch-submit 64"]);
}

#[test]
fn a_plan_may_come_from_stdin_and_one_that_is_no_plan_is_refused() {
    let folder = folder_with(TWO);
    let script = "sed s/1M/2M/ p.toml | \"$0\" \"$@\"";
    let json = folder.shell(script, "run - --format json").code(0).json();
    assert_eq!(json["jobs"][0]["report"]["engines"][0]["directions"][0]["bytes"], 2 << 20);
    folder.aio("run nothing.toml").refused(&["cannot read nothing.toml"]);
    folder.aio("run .").refused(&["cannot read ."]);
    folder.aio("run /dev/zero").refused(&["larger than 1 MiB"]);
    folder.shell("printf '\\377' | \"$0\" \"$@\"", "run -").refused(&["stdin is not UTF-8"]);
    folder.aio("run").refused(&["PLAN.toml"]);
    folder.aio("--quiet run p.toml").refused(&["cannot be used with"]);
}

/// The content of the only block of `docs/plans.md` that is marked as `kind`.
fn documented(kind: &str) -> &'static str {
    let page = include_str!("../docs/plans.md");
    let (_, behind) = page.split_once(&format!("```{kind}\n")).expect("there is one");
    behind.split_once("```").expect("it ends").0
}

#[test]
fn the_examples_of_the_documents_run_as_they_stand() {
    assert_eq!(documented("toml"), include_str!("../docs/example.toml"));
    assert_eq!(documented("ini"), include_str!("../docs/example.fio"));
    for (kind, command, requests) in [("toml", "run", None), ("ini", "fio", Some([64, 8192]))] {
        let folder = folder_with(documented(kind));
        if !folder.can_run("libaio") || !folder.can_run("uring") || !folder.is_direct() {
            return;
        }
        let json = folder.aio(&format!("{command} p.toml --quiet --format json")).code(0).json();
        let jobs = json["jobs"].as_array().expect("jobs");
        let names: Vec<_> = jobs.iter().map(|job| job["name"].as_str().expect("a name")).collect();
        let expected: &[&str] = match kind {
            "toml" => &["fill", "random reads", "one at a time"],
            _ => &["fill", "random reads"],
        };
        assert_eq!(names, expected);
        for (job, requests) in jobs.iter().zip(requests.into_iter().flatten()) {
            assert_eq!(job["report"]["engines"][0]["directions"][0]["requests"], requests);
        }
        assert_eq!(folder.names(), ["bench.dat", "p.toml"]);
    }
}
