//! What is wrong with a place is told, and what is right is good.

use std::fs::File;
use std::sync::Arc;

use aio_core::target::{Alignment, DirectIo, FileSystem, FreeSpace, Layout, Owner};

use super::super::finding::{Topic, Verdict, named};
use super::*;

const USER: Shell = Shell { is_root: false };

fn file_system(kind: &str, options: &[&str]) -> FileSystem {
    FileSystem {
        kind: kind.into(),
        device: "8:1".into(),
        options: options.iter().map(|one| (*one).to_owned()).collect(),
        mounted_at: Some("/mnt/my disk".into()),
    }
}

/// A file that is all right.
fn survey() -> Survey {
    Survey {
        path: "f 1".into(),
        place: Place::Target(TargetKind::File),
        file: Some(Arc::new(File::open("/dev/null").unwrap())),
        unreadable: None,
        direct: DirectIo::Taken(Alignment { offset_bytes: 512, told: true }),
        size_bytes: Some(1 << 30),
        file_system: Some(file_system("ext4", &["rw", "relatime"])),
        compresses: Some(false),
        free_space: Some(FreeSpace { free_bytes: 50 << 30, whole_bytes: 100 << 30 }),
        storage: None,
        layout: Some(Layout { extents: 3, ..Layout::default() }),
        owner: Some(Owner::Others),
        used: None,
    }
}

fn one(name: &str, survey: &Survey) -> (Verdict, Option<String>) {
    let findings = findings(survey, true, USER);
    let found = named(&findings, name);
    (found.verdict, found.cure.clone())
}

#[test]
fn a_file_that_is_all_right_is_all_good() {
    let findings = findings(&survey(), true, USER);
    assert!(findings.iter().all(|one| one.verdict == Verdict::Good), "{findings:#?}");
    assert!(findings.iter().all(|one| one.cure.is_none()), "{findings:#?}");
    assert_eq!(named(&findings, "direct I/O").state, "in multiples of 512 bytes");
    assert_eq!(named(&findings, "free space").state, "50 GiB of 100 GiB (50 %)");
}

#[test]
fn file_systems_are_told_apart_by_what_they_do_to_requests() {
    for (kind, verdict) in [
        ("ext4", Verdict::Good),
        ("xfs", Verdict::Good),
        ("tmpfs", Verdict::Warning),
        ("nfs4", Verdict::Note),
        ("fuse.sshfs", Verdict::Note),
        ("fuseblk", Verdict::Note),
        ("overlay", Verdict::Note),
        ("btrfs", Verdict::Note),
    ] {
        let survey = Survey { file_system: Some(file_system(kind, &[])), ..survey() };
        assert_eq!(one("type", &survey).0, verdict, "{kind}");
    }
    assert_eq!(one("type", &Survey { file_system: None, ..survey() }).0, Verdict::Unknown);
}

#[test]
fn options_of_a_mount_are_told_with_the_command_that_mounts_it_otherwise() {
    let remount = |option: &str| Some(format!("sudo mount -o remount,{option} '/mnt/my disk'"));
    for (option, verdict, cure) in [
        ("ro", Verdict::Warning, remount("rw")),
        ("sync", Verdict::Warning, remount("async")),
        ("data=journal", Verdict::Warning, None),
        ("nobarrier", Verdict::Warning, remount("barrier")),
        ("barrier=0", Verdict::Warning, remount("barrier=1")),
        ("discard", Verdict::Note, remount("nodiscard")),
    ] {
        let file_system = Some(file_system("ext4", &["relatime", option]));
        let survey = Survey { file_system, ..survey() };
        assert_eq!(one(&format!("mount option {option}"), &survey), (verdict, cure), "{option}");
        assert_eq!(one("mount options", &survey).0, Verdict::Good);
    }
    let strict = Survey { file_system: Some(file_system("ext4", &["rw"])), ..survey() };
    let found = one("mount option strictatime", &strict);
    assert_eq!(found, (Verdict::Note, remount("relatime")));
    for quiet in ["relatime", "noatime"] {
        let file_system = Some(file_system("ext4", &["rw", quiet]));
        let findings = findings(&Survey { file_system, ..survey() }, true, USER);
        assert!(findings.iter().all(|one| one.name != "mount option strictatime"), "{quiet}");
    }
}

#[test]
fn compression_is_a_warning() {
    let compressing = |kind: &str| Survey {
        file_system: Some(file_system(kind, &["compress=zstd:3"])),
        compresses: Some(true),
        ..survey()
    };
    let cure = "sudo mount -o remount,compress=no '/mnt/my disk'".to_owned();
    assert_eq!(one("compression", &compressing("btrfs")), (Verdict::Warning, Some(cure)));
    assert_eq!(one("compression", &compressing("zfs")), (Verdict::Warning, None));
}

#[test]
fn little_room_is_told() {
    for (free, verdict) in
        [(4, Verdict::Warning), (10, Verdict::Note), (15, Verdict::Good), (0, Verdict::Warning)]
    {
        let free_space = Some(FreeSpace { free_bytes: free << 30, whole_bytes: 100 << 30 });
        assert_eq!(one("free space", &Survey { free_space, ..survey() }).0, verdict, "{free} %");
    }
}

#[test]
fn direct_io_is_told_as_far_as_it_is_known() {
    let of = |direct, place| one("direct I/O", &Survey { direct, place, ..survey() }).0;
    let (file, folder) = (Place::Target(TargetKind::File), Place::Folder);
    assert_eq!(of(DirectIo::Refused, file), Verdict::Warning);
    let assumed = Alignment { offset_bytes: 4096, told: false };
    assert_eq!(of(DirectIo::Taken(assumed), file), Verdict::Note);
    assert_eq!(of(DirectIo::Unknown, folder), Verdict::Unknown);
}

#[test]
fn what_may_not_be_read_or_written_is_told() {
    let unreadable = Survey {
        unreadable: Some("Permission denied (os error 13)".into()),
        file: None,
        size_bytes: None,
        layout: None,
        owner: None,
        direct: DirectIo::Unknown,
        ..survey()
    };
    assert_eq!(one("reading", &unreadable).0, Verdict::Warning);
    let all = findings(&survey(), false, USER);
    assert_eq!(named(&all, "writing").verdict, Verdict::Note);
    let folder = Survey { place: Place::Folder, file: None, ..survey() };
    assert_eq!(named(&findings(&folder, false, USER), "writing").verdict, Verdict::Warning);
    assert!(findings(&folder, true, USER).iter().all(|one| one.name != "writing"));
}

#[test]
fn a_device_that_others_use_is_told_and_is_on_no_file_system() {
    let device = |used: Option<&str>| Survey {
        place: Place::Target(TargetKind::Block),
        used: used.map(String::from),
        layout: None,
        owner: None,
        ..survey()
    };
    assert_eq!(one("use by others", &device(Some("is in use: it is swap space"))).0, Verdict::Note);
    assert_eq!(one("use by others", &device(None)).0, Verdict::Good);
    let findings = findings(&device(None), true, USER);
    assert!(findings.iter().all(|one| one.topic == Topic::Target), "{findings:#?}");
}

#[test]
fn how_a_file_lies_is_told() {
    let lying = |layout: Layout| Survey { layout: Some(layout), ..survey() };
    let of_one = Layout { extents: 1, ..Layout::default() };
    let copied = "cp --sparse=never 'f 1' 'f 1.whole'".to_owned();
    let holes = lying(Layout { holes: true, ..of_one });
    assert_eq!(one("holes", &holes), (Verdict::Warning, Some(copied)));
    let unwritten = lying(Layout { unwritten: true, ..of_one });
    assert_eq!(one("unwritten", &unwritten), (Verdict::Warning, Some("sync 'f 1'".into())));
    assert_eq!(
        one("compressed", &lying(Layout { compressed: true, ..of_one })).0,
        Verdict::Warning
    );
    assert_eq!(one("extents", &lying(Layout { extents: 1000, ..of_one })).0, Verdict::Good);
    let pieces = lying(Layout { extents: 5000, ..of_one });
    let cure = "sudo e4defrag 'f 1'".to_owned();
    assert_eq!(one("extents", &pieces), (Verdict::Note, Some(cure)));
    assert_eq!(one("extents", &Survey { layout: None, ..survey() }).0, Verdict::Unknown);
    assert_eq!(one("size", &Survey { size_bytes: Some(0), ..survey() }).0, Verdict::Warning);
}

#[test]
fn whose_a_file_is_is_told() {
    for owner in [Owner::Tool, Owner::ToolThenOthers, Owner::Others] {
        let survey = Survey { owner: Some(owner), ..survey() };
        assert_eq!(one("origin", &survey).0, Verdict::Good);
    }
}
