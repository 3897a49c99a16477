use std::fs;

use super::super::resolve;
use super::*;
use crate::plan::{PathTemplate, Plan};
use crate::target::made::Made;
use crate::target::open::{OpenPolicy, open_and_fill};
use crate::target::resolve::Resolved;
use crate::target::written_as_told;

const BLOCK: u64 = 4096;

fn plan(path: &Path, direction: Direction, pattern: Pattern, size_bytes: Option<u64>) -> Plan {
    let origin = if size_bytes.is_some() { Origin::Made } else { Origin::Existing };
    let group = TensorGroup {
        path: PathTemplate::new(path),
        tasklets: 1,
        sizes_bytes: size_bytes.into_iter().collect(),
        origin,
    };
    let blocks = Blocks::new(pattern);
    let phase = Phase { direction, tensors: vec![group], access: Access::Blocks(blocks) };
    let mut plan = Plan::tensor_swap(vec![phase]);
    plan.buffered = true;
    plan.block_size_bytes = BLOCK;
    plan
}

fn refusal(plan: &Plan) -> String {
    resolve(plan, None, &[]).expect_err("to be refused").to_string()
}

/// Opens the files of all tasklets as a run does.
fn open(resolved: &Resolved, made: &Made) -> Vec<Arc<fs::File>> {
    let policy = OpenPolicy { direct: false, made, filler: None };
    let open = |tasklet: &Tasklet| {
        let data = DataStream::new(9, tasklet.tid);
        open_and_fill(&tasklet.files[0], policy, tasklet.size_bytes, data, &|| false).unwrap()
    };
    resolved.waves[0].iter().map(open).collect()
}

#[test]
fn a_file_that_is_there_is_used_whole_or_from_its_front_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, vec![1; 3 * 4096 + 5]).unwrap();
    for (asked, found, left) in [(None, 3, true), (Some(2 * BLOCK), 2, false)] {
        let plan = plan(&path, Direction::Read, Pattern::Random, asked);
        let resolved = resolve(&plan, None, &[]).unwrap();
        assert_eq!(resolved.waves[0][0].size_bytes, found * BLOCK);
        assert_eq!(resolved.targets[0].size_bytes, found * BLOCK);
        let cut = resolved.receipts.iter().find(|receipt| receipt.option == "size");
        assert_eq!(cut.is_some(), left);
        let why = cut.and_then(|receipt| receipt.why_not.as_deref());
        assert!(why.is_none_or(|why| why == "the last 5 bytes are no whole block of 4096 bytes"));
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_both_sizes_and_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let read = |asked| refusal(&plan(&path, Direction::Read, Pattern::Random, asked));
    assert!(read(None).contains("does not exist; give --size to have it made"));
    fs::write(&path, vec![1; 8191]).unwrap();
    let short = read(Some(8192));
    assert!(short.contains("has 8191 bytes and --size asks for 8192"), "{short}");
    fs::write(&path, vec![1; 4095]).unwrap();
    assert!(read(None).contains("no whole block of 4096 bytes"));
    assert!(read(Some(4095)).contains("no whole block of 4096 bytes"));
}

#[test]
fn a_foreign_file_is_written_with_overwrite_only_and_is_never_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, vec![7; 8192]).unwrap();
    for pattern in [Pattern::Random, Pattern::Sequential] {
        for asked in [None, Some(BLOCK)] {
            let mut plan = plan(&path, Direction::Write, pattern, asked);
            assert!(refusal(&plan).contains("was not made by aio; add --overwrite"));
            plan.overwrite = true;
            let resolved = resolve(&plan, None, &[]).unwrap();
            assert!(!resolved.waves[0][0].files[0].starts_empty());
            let made = Made::new(false);
            drop(open(&resolved, &made));
            drop(made);
            assert_eq!(fs::read(&path).unwrap(), vec![7; 8192]);
        }
    }
}

#[test]
fn a_file_that_became_shorter_since_the_check_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, vec![7; 8192]).unwrap();
    let mut plan = plan(&path, Direction::Write, Pattern::Random, None);
    plan.overwrite = true;
    let resolved = resolve(&plan, None, &[]).unwrap();
    fs::write(&path, vec![7; 4096]).unwrap();
    let made = Made::new(false);
    let policy = OpenPolicy { direct: false, made: &made, filler: None };
    let (tasklet, data) = (&resolved.waves[0][0], DataStream::new(0, 0));
    let file = &tasklet.files[0];
    let refused = open_and_fill(file, policy, tasklet.size_bytes, data, &|| false).unwrap_err();
    assert!(refused.to_string().contains("has 4096 bytes by now"), "{refused}");
}

#[test]
fn a_missing_file_is_made_once_for_all_and_filled_where_blocks_must_be_there() {
    for (direction, pattern, filled) in [
        (Direction::Read, Pattern::Sequential, true),
        (Direction::Read, Pattern::Random, true),
        (Direction::Write, Pattern::Random, true),
        (Direction::Write, Pattern::Sequential, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut plan = plan(&path, direction, pattern, Some(2 * BLOCK));
        plan.phases[0].tensors[0].tasklets = 3;
        let resolved = resolve(&plan, None, &[]).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "resolving makes nothing");
        assert_eq!(resolved.waves[0][0].files[0].starts_empty(), !filled);
        let made = Made::new(false);
        let files = open(&resolved, &made);
        assert!(files.iter().all(|file| Arc::ptr_eq(file, &files[0])));
        assert_eq!(files[0].metadata().unwrap().len(), if filled { 2 * BLOCK } else { 0 });
        if filled {
            let data = DataStream::new(plan.seed, 0);
            assert_eq!(written_as_told(&files[0], 2 * BLOCK, data, 0).unwrap(), None);
        }
        drop(made);
        assert!(!path.exists());
    }
}

#[test]
fn an_engine_after_the_first_finds_blocks_where_they_are_needed_and_none_where_not() {
    use std::os::unix::fs::FileExt;

    for (pattern, kept) in [(Pattern::Random, true), (Pattern::Sequential, false)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let plan = plan(&path, Direction::Write, pattern, Some(BLOCK));
        let resolved = resolve(&plan, None, &[]).unwrap();
        let made = Made::new(false);
        let first = open(&resolved, &made);
        first[0].write_all_at(&[5; 4096], 0).unwrap();
        drop(first);
        let second = open(&resolved, &made);
        let expected = if kept { vec![5; 4096] } else { Vec::new() };
        assert_eq!(fs::read(&path).unwrap(), expected);
        drop(second);
    }
}

#[test]
fn a_file_that_appeared_since_the_check_is_not_touched_even_with_overwrite() {
    for pattern in [Pattern::Random, Pattern::Sequential] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut plan = plan(&path, Direction::Write, pattern, Some(BLOCK));
        plan.overwrite = true;
        let resolved = resolve(&plan, None, &[]).unwrap();
        fs::write(&path, "mine").unwrap();
        let made = Made::new(false);
        let policy = OpenPolicy { direct: false, made: &made, filler: None };
        let file = &resolved.waves[0][0].files[0];
        let data = DataStream::new(0, 0);
        assert!(open_and_fill(file, policy, BLOCK, data, &|| false).is_err());
        drop(made);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}

#[test]
fn blocks_of_one_file_may_be_written_by_several_tasklets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut plan = plan(&path, Direction::Write, Pattern::Random, Some(BLOCK));
    plan.phases[0].tensors[0].tasklets = 2;
    assert!(resolve(&plan, None, &[]).is_ok());
    let again = plan.phases[0].clone();
    plan.phases.push(again);
    assert!(refusal(&plan).contains("written by two tasklets"), "not in two phases");
    plan.phases[1].direction = Direction::Read;
    assert!(refusal(&plan).contains("both written and read"));
}

#[test]
fn a_range_larger_than_memory_is_fine_and_too_many_requests_in_flight_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    // Written from front to end, so that nothing is to be filled first.
    let mut plan = plan(&path, Direction::Write, Pattern::Sequential, Some(1 << 50));
    let refused = resolve(&plan, None, &[]).expect_err("no disk has a pebibyte");
    assert!(matches!(refused, ResolveError::Space { .. }), "memory is enough: {refused}");
    (plan.block_size_bytes, plan.queue_depth) = (1 << 30, 1 << 20);
    let refused = resolve(&plan, None, &[]).expect_err("no machine has a pebibyte");
    assert!(matches!(refused, ResolveError::Memory { asked_bytes, .. } if asked_bytes > 1 << 50));
    assert!(refused.to_string().contains("a smaller --queue-depth"), "{refused}");
}

#[test]
fn a_hole_in_a_file_to_write_makes_the_result_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::File::create(&path).unwrap().set_len(1 << 20).unwrap();
    if crate::target::has_holes(&fs::File::open(&path).unwrap(), 1 << 20) != Some(true) {
        return crate::testing::skip("this file system does not tell holes");
    }
    let mut plan = plan(&path, Direction::Write, Pattern::Random, None);
    plan.overwrite = true;
    let doubts = resolve(&plan, None, &[]).unwrap().doubts;
    assert!(doubts.iter().any(|(_, doubt)| doubt.code == "holes"), "{doubts:?}");
}
