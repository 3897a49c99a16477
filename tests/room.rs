//! Too little room on a file system or in memory is found out before anything is made.

use std::fs;
use std::path::PathBuf;

use crate::filesystems::{SMALL_TMPFS, aio_on, is_refused};
use crate::support::{Folder, skip};

const COMMON: &str = "--engine sync --quiet";

#[test]
fn a_write_that_leaves_less_than_a_twentieth_free_is_refused_and_nothing_is_made() {
    let plan = "printf '[[job]]\nname=\"a\"\nwrite-file=\"a\"\nwrite-size=\"16M\"\nkeep=true\n\
                [[job]]\nname=\"b\"\nwrite-file=\"b\"\nwrite-size=\"16M\"\n' > p.toml";
    let job = "printf '[j]\nfilename=w\nrw=randwrite\nsize=29m\nbs=64k\n' > j.fio";
    let mount = format!("{SMALL_TMPFS} && {plan} && {job}");
    for line in [
        // 28.5 of 30 MiB may be used.
        "--write-file w --write-size 29M",
        "--write-file w --write-size 29M --dry-run",
        "--write-file w --write-size 8M --threads 4",
        "--write-file w --write-size 8M --loops 3 --warmup-loops 1 --different-file-each-iteration",
        "--file w --rw write --size 29M",
        "--file w --rw randwrite --block-size 4k --number-ios 1 --size 29M",
        "--folder . --io-size 15M --threads 2 --read",
        "run ../p.toml",
        "fio ../j.fio",
        "compare --contestant threads=1 --contestant threads=4 --write-file w --write-size 8M",
    ] {
        let (command, rest) = match line.split_once(' ') {
            Some((command @ ("run" | "fio" | "compare"), rest)) => (command, rest),
            _ => ("", line),
        };
        let Some(tried) = aio_on(&mount, &format!("{command} {COMMON} {rest}")) else { return };
        if is_refused(&tried) {
            return;
        }
        assert_eq!(tried.left, "", "{line}");
        let ended = tried.ended.code(1).says(&["No space left on device (ENOSPC)", " are free"]);
        assert_eq!(ended.stderr.lines().count(), 1, "{line}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{line}");
    }
}

#[test]
fn a_write_that_fits_is_not_refused() {
    let kept = format!("\"$0\" {COMMON} --write-file w --write-size 20M --loops 1 --keep");
    let there = format!("{SMALL_TMPFS} && (cd there && {kept} > ../kept)");
    let sparse = format!("{SMALL_TMPFS} && truncate -s 256M there/s");
    for (mount, line) in [
        (SMALL_TMPFS, "--write-file w --write-size 28M --loops 1"),
        // One file, whoever writes to it.
        (SMALL_TMPFS, "--engine null --write-file w --write-size 20M --loops 1"),
        (SMALL_TMPFS, "--file w --rw write --size 20M --threads 3"),
        // What is there is used again.
        (&there, "--write-file w --write-size 20M --loops 1"),
        (&there, "--file w.0 --rw randwrite --block-size 64k"),
        // Only what is written of a hole needs room.
        (&sparse, "--file s --rw write --size 256M --io-limit 8M --overwrite"),
    ] {
        let Some(tried) = aio_on(mount, &format!("{COMMON} {line}")) else { return };
        if is_refused(&tried) {
            return;
        }
        tried.ended.code(0);
    }
}

#[test]
fn without_arguments_a_file_system_without_room_is_refused() {
    let mount = format!("{SMALL_TMPFS} && head -c 30500000 /dev/zero > there/full");
    let Some(tried) = aio_on(&mount, "") else { return };
    assert_eq!(tried.left, "full\n");
    tried.ended.code(1).says(&["cannot fill a temporary file in ", "No space left on device"]);
}

/// A control group of this test's own with a limit of memory, gone with it.
struct Group(PathBuf);

impl Group {
    /// `None`, said aloud, where none can be made.
    fn new(limit_bytes: u64) -> Option<Self> {
        let name = format!("aio-test-room-{}", std::process::id());
        for (root, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let folder = PathBuf::from(root).join(&name);
            if fs::create_dir(&folder).is_err() {
                continue;
            }
            let group = Self(folder);
            if fs::write(group.0.join(limit), limit_bytes.to_string()).is_ok() {
                return Some(group);
            }
        }
        skip("no control group with a limit of memory can be made here");
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _said_by_the_next_test = fs::remove_dir(&self.0);
    }
}

#[test]
fn buffers_that_the_machine_or_the_control_group_has_no_memory_for_are_refused() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let line = "--engine null --buffered --quiet --file f --rw randread --block-size 1G";
    let deep = format!("{line} --queue-depth 100000").replace("--block-size 1G", "--block-size 1M");
    folder.aio(&deep).code(1).says(&["need ", " of memory", "(ENOMEM)"]);
    let queues = "--engine null --buffered --quiet --write-file w --write-size 4k \
                  --queue-depth 4000000000";
    folder.aio(queues).code(1).says(&[" of memory", "use a smaller --queue-depth"]);
    assert_eq!(folder.names(), ["f"]);

    let Some(group) = Group::new(64 << 20) else { return };
    let script = format!("echo $$ > {}/cgroup.procs && exec \"$0\" \"$@\"", group.0.display());
    let common = "--engine sync --buffered --quiet --write-file w";
    let ended = folder.shell(&script, &format!("{common} --write-size 128M")).code(1);
    ended.says(&["need 128 MiB of memory", " in the control group of this process: "]);
    assert_eq!(folder.names(), ["f"]);
    folder.shell(&script, &format!("{common} --write-size 8M")).code(0);
    // Without arguments a smaller file is taken.
    folder.shell(&script, "").code(0);
}
