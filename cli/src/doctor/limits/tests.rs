//! Bad limits are told with what would change them, and good ones are good.

use super::super::finding::named;
use super::super::roots::fake;
use super::*;

const USER: Shell = Shell { is_root: false };

fn finding(limits: &Limits, name: &str) -> Finding {
    named(&limits.findings(USER), name).clone()
}

fn of_memlock(soft: u64, hard: u64, may_lock: bool) -> (Verdict, Option<String>) {
    let memlock = Some(Limit { soft, hard });
    let limits = Limits { memlock, may_lock: Some(may_lock), ..Limits::default() };
    let found = finding(&limits, "memlock");
    (found.verdict, found.cure)
}

#[test]
fn little_locked_memory_is_told_with_the_command_that_this_shell_can_run() {
    let cure = |text: &str| Some(text.to_owned());
    let (kib_64, mib_8) = (64 << 10, 8 << 20);
    let raised_by_root = "sudo prlimit --pid $$ --memlock=unlimited:unlimited";
    for (soft, hard, expected) in [
        (kib_64, kib_64, (Verdict::Warning, cure(raised_by_root))),
        (kib_64, UNLIMITED, (Verdict::Warning, cure("ulimit -l unlimited"))),
        (mib_8, mib_8, (Verdict::Note, cure(raised_by_root))),
        (mib_8, 4 << 30, (Verdict::Note, cure("ulimit -l 4194304"))),
        (4 << 30, 4 << 30, (Verdict::Good, None)),
        (UNLIMITED, UNLIMITED, (Verdict::Good, None)),
    ] {
        assert_eq!(of_memlock(soft, hard, false), expected, "{soft} {hard}");
        assert_eq!(of_memlock(soft, hard, true), (Verdict::Good, None), "who may lock all");
    }
    assert_eq!(finding(&Limits::default(), "memlock").verdict, Verdict::Unknown);
}

#[test]
fn few_descriptors_are_told() {
    for (soft, hard, verdict, cure) in [
        (16, 4096, Verdict::Warning, Some("ulimit -n 1024")),
        (256, 256, Verdict::Note, Some("sudo prlimit --pid $$ --nofile=1024")),
        (1024, 1 << 20, Verdict::Good, None),
    ] {
        let nofile = Some(Limit { soft, hard });
        let found = finding(&Limits { nofile, ..Limits::default() }, "nofile");
        assert_eq!((found.verdict, found.cure.as_deref()), (verdict, cure), "{soft} {hard}");
    }
    assert_eq!(finding(&Limits::default(), "nofile").verdict, Verdict::Unknown);
}

#[test]
fn what_is_left_of_the_requests_of_linux_aio_decides() {
    for (used, most, verdict, cure) in [
        (0, 65_536, Verdict::Good, None),
        (65_500, 65_536, Verdict::Warning, Some("sudo sysctl -w fs.aio-max-nr=1114076")),
        (0, 100, Verdict::Warning, Some("sudo sysctl -w fs.aio-max-nr=1048576")),
        (60_000, 65_536, Verdict::Note, Some("sudo sysctl -w fs.aio-max-nr=1108576")),
    ] {
        let limits = Limits { aio: Some((used, most)), ..Limits::default() };
        let found = finding(&limits, "fs.aio-max-nr");
        assert_eq!((found.verdict, found.cure.as_deref()), (verdict, cure), "{used} {most}");
    }
    assert_eq!(finding(&Limits::default(), "fs.aio-max-nr").verdict, Verdict::Unknown);
}

#[test]
fn limits_are_read_from_the_trees_and_from_both_versions_of_control_groups() {
    let (folder, roots) = fake(&[
        ("proc/self/status", "CapEff:\t0000000000004000"),
        ("proc/sys/fs/aio-nr", "7"),
        ("proc/sys/fs/aio-max-nr", "9"),
        ("second/cpu.max", "150000 100000"),
        ("second/memory.max", "max"),
        ("above/cpu.max", "max 100000"),
        ("first/cpu.cfs_quota_us", "-1"),
        ("first/cpu.cfs_period_us", "100000"),
        ("first/memory.limit_in_bytes", "1048576"),
        ("none/memory.limit_in_bytes", "9223372036854771712"),
    ]);
    let groups = ["second", "above", "first", "none"].map(|name| folder.path().join(name));
    let read = Limits { cpus: 2, ..Limits::read(&roots, &groups, &groups) };
    assert_eq!((read.may_lock, read.aio), (Some(true), Some((7, 9))));
    let (cpu, memory) = (groups[0].join("cpu.max"), groups[2].join("memory.limit_in_bytes"));
    assert_eq!(read.processors, Some(GroupLimit { value: 1.5, file: cpu.clone() }));
    assert_eq!(read.memory, Some(GroupLimit { value: 1 << 20, file: memory.clone() }));
    let found = finding(&read, "processor time");
    assert_eq!(found.verdict, Verdict::Warning);
    assert_eq!(found.cure.unwrap(), format!("echo max | sudo tee {}", cpu.display()));
    let found = finding(&read, "memory of the control group");
    assert_eq!(found.verdict, Verdict::Note);
    assert_eq!(found.cure.unwrap(), format!("echo -1 | sudo tee {}", memory.display()));
    let enough = finding(&Limits { cpus: 1, ..read }, "processor time");
    assert_eq!((enough.verdict, enough.cure), (Verdict::Good, None));
    let none = Limits::read(&roots, &groups[1..2], &groups[3..]);
    assert_eq!((none.processors, none.memory), (None, None));
}
