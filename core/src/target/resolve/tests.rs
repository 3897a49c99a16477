use super::*;
use crate::plan::{PathTemplate, Phase};
use crate::target::has_holes;
use crate::testing::skip;

fn group(path: PathBuf, tasklets: u32, sizes_bytes: &[u64], origin: Origin) -> TensorGroup {
    let path = PathTemplate::new(path);
    TensorGroup { path, tasklets, sizes_bytes: sizes_bytes.to_vec(), origin }
}

fn plan(direction: Direction, group: TensorGroup) -> Plan {
    let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(direction, vec![group])]);
    plan.buffered = true;
    plan
}

fn refusal(plan: &Plan) -> String {
    resolve(plan, None, &[]).expect_err("to be refused").to_string()
}

#[test]
fn sizes_are_given_to_the_tasklets_in_turn_and_each_has_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [4 << 20, 1 << 20];
    let path = folder.path().join("f.{tid}");
    let plan = plan(Direction::Write, group(path, 3, &sizes, Origin::Made));
    let resolved = resolve(&plan, None, &[]).unwrap();
    let found: Vec<_> =
        resolved.waves[0].iter().map(|t| (t.size_bytes, t.files[0].path.clone())).collect();
    let expected = [4 << 20, 1 << 20, 4 << 20];
    for (tid, size) in expected.into_iter().enumerate() {
        assert_eq!(found[tid], (size, folder.path().join(format!("f.{tid}"))));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was created");
}

#[test]
fn files_that_cannot_be_read_are_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("empty"), "").unwrap();
    for (name, word) in [("missing", "cannot read"), ("empty", "is empty"), ("", "is a folder")] {
        let plan = plan(Direction::Read, group(path(name), 1, &[], Origin::Existing));
        let text = refusal(&plan);
        assert!(text.contains(word) && text.contains(name), "{text}");
    }
}

#[test]
fn two_writers_of_one_file_and_a_file_that_is_written_and_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut plan = plan(Direction::Write, group(path.clone(), 2, &[1 << 20], Origin::Made));
    assert!(refusal(&plan).contains("put {tid} into the path"));
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    plan.overwrite = true;
    plan.phases[0].tensors[0].tasklets = 1;
    let read = group(path, 1, &[], Origin::Existing);
    plan.phases.push(Phase::of_tensors(Direction::Read, vec![read]));
    assert!(refusal(&plan).contains("both written and read"));
}

#[test]
fn one_bad_folder_among_good_ones_refuses_the_plan_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let good = group(folder.path().join("f.{tid}"), 1, &[1 << 20], Origin::Made);
    let bad = group(folder.path().join("no/f.{tid}"), 1, &[1 << 20], Origin::Made);
    let mut plan = plan(Direction::Write, good);
    plan.phases[0].tensors.push(bad);
    let text = refusal(&plan);
    assert!(text.contains("/no"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn more_lanes_than_a_read_file_has_blocks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, vec![1; 4096]).unwrap();
    let mut plan = plan(Direction::Read, group(path, 1, &[], Origin::Existing));
    plan.lanes = 2;
    assert!(refusal(&plan).contains("--io-parallel 2"));
}

#[test]
fn tensors_larger_than_memory_are_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let plan = plan(Direction::Write, group(path, 1, &[1 << 50], Origin::Made));
    let error = resolve(&plan, None, &[]).expect_err("no machine has a pebibyte");
    assert!(matches!(error, ResolveError::Memory { asked_bytes, .. } if asked_bytes >= 1 << 50));
}

#[test]
fn cpus_and_nodes_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut plan = plan(Direction::Write, group(path, 1, &[1 << 20], Origin::Made));
    plan.numa_node = Some(900);
    assert!(refusal(&plan).starts_with("--numa-node 900"));
    plan.numa_node = None;
    plan.cpus = vec![4000];
    assert!(refusal(&plan).starts_with("--cpus 4000"));
}

#[test]
fn a_hole_in_a_file_to_read_makes_the_result_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    File::create(&path).unwrap().set_len(1 << 20).unwrap();
    let plan = plan(Direction::Read, group(path.clone(), 1, &[], Origin::Existing));
    let codes = |plan: &Plan| -> Vec<String> {
        let resolved = resolve(plan, None, &[]).unwrap();
        resolved.doubts.into_iter().map(|(_, doubt)| doubt.code).collect()
    };
    if has_holes(&File::open(&path).unwrap(), 1 << 20) != Some(true) {
        skip("this file system does not tell holes");
        return;
    }
    assert!(codes(&plan).contains(&"holes".to_owned()));
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    File::open(&path).unwrap().sync_all().unwrap();
    assert!(!codes(&plan).contains(&"holes".to_owned()));
}

#[test]
fn engines_are_tried_on_a_target_or_else_on_a_nameless_file_beside_it() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    let (made, there) = (folder.path().join("made"), folder.path().join("there"));
    let mut plan = plan(Direction::Write, group(made, 1, &[1 << 20], Origin::Made));
    let sample =
        |plan: &Plan| resolve(plan, None, &[]).unwrap().sample.unwrap().metadata().unwrap();
    let nameless = sample(&plan);
    assert_eq!(nameless.nlink(), 0, "nobody else sees it");
    assert_eq!(nameless.dev(), fs::metadata(folder.path()).unwrap().dev());
    fs::write(&there, vec![1; 1 << 20]).unwrap();
    let read = group(there.clone(), 1, &[], Origin::Existing);
    plan.phases.push(Phase::of_tensors(Direction::Read, vec![read]));
    assert_eq!(sample(&plan).ino(), fs::metadata(&there).unwrap().ino());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was created");
}
