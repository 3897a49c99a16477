//! fio's job files: what `aio fio` makes of them, beside what fio itself does.

use std::fs;

use serde_json::Value;

use crate::support::{Folder, skip};

fn folder_with(job: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path().join("j.fio"), job).expect("there is room");
    folder
}

/// Name, requests and bytes of reads and of writes, of each job of a document in fio's form.
fn counts(document: &Value) -> Vec<(String, [u64; 4])> {
    let number = |job: &Value, place: &str| {
        job.pointer(place).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {place}"))
    };
    let of = |job: &Value| {
        let places = ["/read/total_ios", "/read/io_bytes", "/write/total_ios", "/write/io_bytes"];
        let name = job["jobname"].as_str().expect("a name").to_owned();
        (name, places.map(|place| number(job, place)))
    };
    document["jobs"].as_array().expect("jobs").iter().map(of).collect()
}

/// Runs `job` by aio and by fio, each in an empty folder, and compares what they counted.
#[track_caller]
fn counts_are_fios(job: &str) {
    let (ours, theirs) = (folder_with(job), folder_with(job));
    let output = match theirs.program("fio").args(["j.fio", "--output-format=json"]).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => return skip(&format!("fio: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => return skip(&format!("fio cannot be started: {error}")),
    };
    let fio: Value = serde_json::from_slice(&output.stdout).expect("fio prints JSON");
    let aio = ours.aio("fio j.fio --quiet --format fio-json").code(0).json();
    assert_eq!(counts(&aio), counts(&fio), "{job}");
    assert_eq!(ours.names(), theirs.names(), "the same files stay: {job}");
}

#[test]
fn requests_and_bytes_and_files_are_those_of_fio() {
    for lines in [
        "size=1m",
        "size=1m\nrw=write\nbs=64k",
        "size=1m\nrw=randread\nioengine=libaio\niodepth=8",
        "size=1MiB\nbs=1KiB\nrw=read",
        "size=1m\nnumber_ios=100\nrw=randread",
        "size=1m\nnumber_ios=100000",
        "size=1m\nloops=3",
        "filename=f\nsize=1m\nnumjobs=2\ngroup_reporting",
        "size=1m\nnumjobs=2\ngroup_reporting\nbs=16k\nrw=write\nunlink=1",
        "bs=8k\nsize=100k",
    ] {
        counts_are_fios(&format!("[j]\n{lines}\n"));
    }
}

#[test]
fn several_jobs_share_a_file_and_wait_for_each_other() {
    counts_are_fios(
        "[global]\nfilename=f\nsize=2m\n[fill]\nrw=write\nbs=128k\n[look]\nstonewall\nbs=4k\n\
         rw=randread\n",
    );
}

#[test]
fn what_aio_does_not_have_is_refused_with_its_line_or_left_out_aloud() {
    let job = "[global]\nsize=64k\nexitall\n[a]\n[b]\nthinktime=3\n";
    let folder = folder_with(job);
    folder.aio("fio j.fio").refused(&["j.fio:3:", "\"exitall\"", "--lenient"]);
    assert_eq!(folder.names(), ["j.fio"]);
    let ended = folder.aio("fio j.fio --lenient --quiet --format csv").code(0);
    let said: Vec<_> = ended.stderr.lines().map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(said, [Some("j.fio:3"), Some("j.fio:5"), Some("j.fio:6")], "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 3);
}

#[test]
fn files_that_are_included_are_found_beside_the_job_file() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("sub")).expect("there is room");
    fs::write(folder.path().join("sub/more"), "size=64k\nbs=1q\n").expect("there is room");
    fs::write(folder.path().join("sub/j.fio"), "[j]\ninclude more\n").expect("there is room");
    folder.aio("fio sub/j.fio").refused(&["sub/more:2: bs is a whole number"]);
}

#[test]
fn the_command_line_wins_over_the_file() {
    let folder = folder_with("[j]\nioengine=mmap_of_nobody\nsize=64k\n");
    folder.aio("fio j.fio --engine sync").refused(&["j.fio:2", "mmap_of_nobody"]);
    let folder = folder_with("[j]\nsize=64k\niodepth=4\n");
    let line = "fio j.fio --engine sync --block-size 8k --format json --quiet";
    let plan = folder.aio(line).code(0).json()["jobs"][0]["report"]["plan"].take();
    assert_eq!((&plan["queue_depth"], &plan["block_size_bytes"]), (&4.into(), &8192.into()));
}

#[test]
fn a_job_file_can_be_had_as_a_plan() {
    let folder = folder_with("[global]\nsize=64k\n[a]\nrw=write\n[b c]\nstonewall\n");
    let plan = folder.aio("fio j.fio --dump-plan").code(0).stdout;
    fs::write(folder.path().join("p.toml"), &plan).expect("there is room");
    assert_eq!(folder.aio("run p.toml --dump-plan").code(0).stdout, plan);
    let csv = folder.aio("run p.toml --format csv").code(0).stdout;
    let jobs: Vec<_> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(jobs, ["a", "b c"]);
}
