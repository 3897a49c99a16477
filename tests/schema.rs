//! Every document that the program writes as JSON is what `aio schema` says of it.

mod validator;

use std::fs;

use serde_json::{Value, json};

use crate::support::{ENGINES, Ended, Folder, skip};
use validator::errors;

/// The schema of `document`.
fn schema(folder: &Folder, document: &str) -> Value {
    folder.aio(&format!("schema {document}")).code(0).json()
}

#[track_caller]
fn assert_fits(schema: &Value, ended: &Ended) {
    let found = errors(schema, &ended.json());
    assert!(found.is_empty(), "{}\n{}", found.join("\n"), ended.stdout);
}

/// Runs that have little in common.
const RUNS: [&str; 13] = [
    "--write-file w --write-size 1M --validate --threads 2 --io-parallel 2 --block-size 64k",
    "--folder a b --io-size 1M --concurrent --block-size 64k --memory 4k --keep",
    "--file f --rw read --size 1M --block-size 4k --interval 10ms",
    "--file f --rw randread --size 1M --block-size 4k --runtime 30ms --ramp-time 10ms",
    "--file f --rw randrw --rwmixread 70 --size 1M --block-size 4k --fsync 8 --end-fsync",
    "--file f --rw write --size 1M --block-size 4k --fdatasync 1000 --overwrite",
    "--file f --rw randwrite --size 1M --bssplit 4k/50:64k/50 --overwrite --compress-percentage 50",
    "--file f --rw write --size 1M --block-size 4k --verify crc32c --overwrite",
    "--file f --rw randread --size 1M --random-distribution zipf:1.1 --block-size 4k",
    "--file f --rw randread --size 1M --random-distribution normal:10 --block-size 4k",
    "--file f --rw randread --size 1M --block-size 4k --rate-iops 2000,poisson --runtime 50ms",
    "--file f g --rw randread --size 1M --block-size 4k --rate-iops 1000 --number-ios 20",
    "--file f --rw randread --size 1M --block-size 4k --runtime 10ms --steady-state",
];

#[test]
fn results_of_runs_fit_their_schema() {
    let folder = Folder::new();
    for name in ["a", "b"] {
        fs::create_dir(folder.path().join(name)).expect("there is room");
    }
    let schema = schema(&folder, "run");
    let engines = ENGINES.into_iter().filter(|engine| folder.can_run(engine)).chain(["null"]);
    for engine in engines {
        for run in RUNS {
            let line = format!("--engine {engine} --buffered --quiet --format json {run}");
            let ended = folder.aio(&line);
            // What it has moved nowhere is not right when it is looked at.
            let is_looked_at = run.contains("--validate") || run.contains("--verify");
            if engine == "null" && is_looked_at {
                assert_ne!(ended.code, 0, "{line}");
                if ended.code == 1 {
                    assert_fits(&schema, &ended);
                }
            } else {
                assert_fits(&schema, &ended.code(0));
            }
        }
    }
}

#[test]
fn results_of_runs_that_ended_badly_fit_their_schema() {
    let folder = Folder::new();
    let schema = schema(&folder, "run");
    let json = "--buffered --quiet --format json --engine";
    let line = format!("{json} sync --write-file w --write-size 8M");
    let failed = folder.shell("ulimit -f 1024 && exec \"$0\" \"$@\"", &line).code(1);
    assert_eq!(failed.json()["status"], "failed");
    assert!(failed.direction()["task_latency_s"].is_null());
    assert_fits(&schema, &failed);
    // Told to end once it has been seen to write.
    let script = "\"$0\" \"$@\" & it=$!; until [ -s w ]; do sleep 0.01; done; kill $it; wait $it";
    for blocks in ["--runtime 100", "--loops 1000000"] {
        let line = format!("{json} sync --file w --rw write --size 1M --overwrite --yes {blocks}");
        let ended = folder.shell(script, &line).code(143);
        assert_eq!(ended.json()["status"], "interrupted");
        assert_fits(&schema, &ended);
    }
    let doubtful =
        folder.aio(&format!("{json} all --write-file w --write-size 64k --block-size 4k"));
    assert!(!doubtful.json()["engines"][0]["directions"][0]["doubts"][0].is_null());
    assert_fits(&schema, &doubtful.code(0));
}

#[test]
fn results_of_jobs_and_previews_fit_their_schemas() {
    let folder = Folder::new();
    let plan = "engine = 'sync'\nbuffered = true\nquiet = true\n[[job]]\nname = 'make'\nfile = 'f'\n\
                size = '1M'\nrw = 'write'\nkeep = true\n[[job]]\nname = 'look'\nfile = 'f'\n\
                block-size = '4k'\n";
    fs::write(folder.path().join("p.toml"), plan).expect("there is room");
    let of_jobs = schema(&folder, "jobs");
    let previews = folder.aio("run p.toml --format json --dry-run").code(0);
    assert_eq!(previews.json()["jobs"][1]["awaits"], "make");
    assert_fits(&of_jobs, &previews);
    assert_fits(&of_jobs, &folder.aio("run p.toml --format json").code(0));
    let of_preview = schema(&folder, "preview");
    let line = "--dry-run --buffered --format json --engine all --write-file w --write-size 1M";
    assert_fits(&of_preview, &folder.aio(line).code(0));
}

#[test]
fn listings_of_engines_fit_their_schema() {
    let folder = Folder::new();
    let schema = schema(&folder, "engines");
    assert_fits(&schema, &folder.aio("engines --format json").code(0));
    assert_fits(&schema, &folder.aio("engines sync null --format json").code(0));
}

#[test]
fn what_the_doctor_finds_fits_its_schema() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let schema = schema(&folder, "doctor");
    for path in [".", "f", "/dev/shm", "/proc"] {
        if fs::exists(folder.path().join(path)).is_ok_and(|is_there| is_there) {
            assert_fits(&schema, &folder.aio(&format!("doctor --json {path}")).code(0));
        }
    }
}

#[test]
fn findings_in_good_and_in_damaged_files_fit_their_schema() {
    let folder = Folder::new();
    let schema = schema(&folder, "findings");
    let write = "--engine sync --buffered --quiet --file f --rw write --size 64k --block-size 4k \
                 --verify pattern --keep";
    folder.aio(write).code(0);
    assert_fits(&schema, &folder.aio("verify f --format json").code(0));
    let mut bytes = fs::read(folder.path().join("f")).expect("it was written");
    bytes[4096..8192].fill(0);
    fs::write(folder.path().join("f"), bytes).expect("there is room");
    let damaged = folder.aio("verify f --format json").code(1);
    assert!(!damaged.json()["files"][0]["first_bad"].is_null());
    assert_fits(&schema, &damaged);
}

#[test]
fn comparisons_and_differences_fit_their_schemas() {
    let folder = Folder::new();
    let of_comparison = schema(&folder, "comparison");
    let line = "compare --buffered --quiet --cool-down 1ms --block-size 4k --file f --rw randrw \
                --size 256k --keep --format json";
    for contestants in
        ["--engine null,sync --rounds 4", "--engine sync --sweep queue-depth=1,2 --rounds 1"]
    {
        let ended = folder.aio(&format!("{line} --overwrite {contestants}")).code(0);
        assert_fits(&of_comparison, &ended);
        fs::write(folder.path().join("r.json"), &ended.stdout).expect("there is room");
    }
    let of_difference = schema(&folder, "difference");
    let ended = folder.aio("diff r.json r.json --format json").code(0);
    assert_fits(&of_difference, &ended);
}

#[test]
fn the_validator_finds_what_does_not_fit() {
    let folder = Folder::new();
    let schema = schema(&folder, "run");
    let line = "--engine null --buffered --quiet --format json --write-file w --write-size 1M";
    let right = folder.aio(line).code(0).json();
    assert_eq!(errors(&schema, &right), [""; 0]);
    let found = |pointer: &str, wrong: Value| {
        let mut document = right.clone();
        *document.pointer_mut(pointer).expect("it is there") = wrong;
        errors(&schema, &document).join("; ")
    };
    assert!(found("/schema_version", json!("1")).contains("/schema_version: \"1\" is not type"));
    assert!(found("/status", json!("done")).contains("/status"));
    assert!(found("/engines/0/directions/0/requests", Value::Null).contains("/requests"));
    assert!(found("/engines/0/directions/0/requests", json!(-1)).contains("minimum"));
    assert_eq!(found("/engines/0/directions/0/task_latency_s", Value::Null), "");
    assert!(found("/machine", json!({})).contains("there is no kernel"));
    let mut more = right.clone();
    more["engines"][0]["surprise"] = json!(1);
    assert!(errors(&schema, &more).join("; ").contains("surprise is not documented"));
}

/// Checks the documents named behind the schema, and that a wrong one is found.
const BY_OTHERS: &str = "
import json, sys
try:
    import jsonschema
    validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    sys.exit(77)
schema, document = (json.load(open(name)) for name in sys.argv[1:3])
validator.check_schema(schema)
validator(schema).validate(document)
document['status'] = 'done'
sys.exit(0 if list(validator(schema).iter_errors(document)) else 1)
";

#[test]
fn a_validator_of_others_agrees() {
    let folder = Folder::new();
    let json = "--engine null --buffered --quiet --format json --write-file w --write-size 1M";
    folder.aio(&format!("{json} --output document")).code(0);
    let schema = folder.aio("schema").code(0).stdout;
    fs::write(folder.path().join("schema"), schema).expect("there is room");
    let mut python = folder.program("python3");
    match python.args(["-c", BY_OTHERS, "schema", "document"]).output() {
        Ok(output) if output.status.code() == Some(77) => skip("Python has no jsonschema 4"),
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => skip(&format!("python3: {error}")),
    }
}
