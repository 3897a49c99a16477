//! `aio doctor`: on every kind of place, on machines that tell little, and without a write.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;

use crate::devices::Loop;
use crate::seccomp::{BOTH, ENOSYS, EPERM, IO_URING, aio_without};
use crate::strace;
use crate::support::{AIO, Ended, Folder, skip};

/// What it finds at `path`, as JSON.
fn doctor(folder: &Folder, path: &str) -> Value {
    let ended = folder.aio(&format!("doctor --json {path}")).code(0);
    assert_eq!(ended.stderr, "");
    ended.json()
}

/// The finding of that name.
#[track_caller]
fn named<'f>(found: &'f Value, name: &str) -> &'f Value {
    let all = found["findings"].as_array().expect("a list");
    let one = all.iter().find(|finding| finding["name"] == name);
    one.unwrap_or_else(|| panic!("there is no {name} in {found:#}"))
}

fn has(found: &Value, name: &str) -> bool {
    found["findings"].as_array().expect("a list").iter().any(|one| one["name"] == name)
}

#[test]
fn the_text_begins_with_a_summary_and_agrees_with_the_json() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let text = folder.aio("doctor f").code(0);
    assert_eq!(text.stderr, "");
    let lines: Vec<_> = text.stdout.lines().collect();
    assert!(lines[0].starts_with("aio ") && lines[0].contains(" on Linux "), "{}", text.stdout);
    assert_eq!(lines[1], "f: a file");
    let summary = lines[2];
    assert!(summary.contains(" warning") && summary.ends_with(" good"), "{summary}");
    let found = doctor(&folder, "f");
    for finding in found["findings"].as_array().unwrap() {
        let head = format!(
            "  {}: {}: ",
            finding["verdict"].as_str().unwrap(),
            finding["name"].as_str().unwrap()
        );
        // The load and what is available change between the two.
        let moves = ["load", "available", "swap", "fs.aio-max-nr", "free space"];
        let moves = moves.iter().any(|name| finding["name"] == *name);
        // A line may be broken anywhere behind its first words.
        assert!(moves || text.stdout.contains(head.trim_end()), "{head}\n{}", text.stdout);
    }
    let is_command = |line: &&&str| line.starts_with("    $ ");
    let fits = |line: &&str| line.chars().count() <= 100;
    assert!(lines.iter().filter(|line| !is_command(line)).all(fits), "{}", text.stdout);
    assert_eq!(folder.names(), ["f"], "looking changes nothing");
}

#[test]
fn every_finding_says_what_it_does_and_every_bad_setting_how_to_change_it() {
    let folder = Folder::new();
    let found = doctor(&folder, ".");
    for finding in found["findings"].as_array().unwrap() {
        for key in ["topic", "name", "verdict", "state", "effect"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
        }
        let ends_well = |key: &str| !finding[key].as_str().is_some_and(|text| text.ends_with('.'));
        assert!(ends_well("effect") && ends_well("remark"), "{finding}");
    }
    assert_eq!(folder.aio("doctor --format json .").code(0).json()["path"], ".");
    folder.aio("doctor --json --format text").refused(&["--json", "--format"]);
}

#[test]
fn without_a_path_it_is_the_current_folder() {
    let folder = Folder::new();
    let found = doctor(&folder, "");
    assert_eq!((&found["path"], &found["place"]), (&".".into(), &"a folder".into()));
    assert_eq!(named(&found, "direct I/O")["verdict"], "unknown");
    assert_eq!(folder.names(), [""; 0], "no file is made to ask");
}

#[test]
fn what_is_not_there_or_no_place_is_refused() {
    let folder = Folder::new();
    folder.aio("doctor missing").refused(&["cannot look at missing", "No such file"]);
    folder.aio("doctor /dev/null").refused(&["/dev/null is neither a folder nor a file"]);
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    folder.aio("doctor fifo").refused(&["fifo is neither a folder nor a file"]);
    folder.file("f", 1);
    folder.aio("doctor f/g").refused(&["cannot look at f/g"]);
}

#[test]
fn a_file_is_told_with_its_extents_and_its_origin() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let found = doctor(&folder, "f");
    assert_eq!(found["place"], "a file");
    assert_eq!(named(&found, "size")["state"], "1 MiB");
    assert_eq!(named(&found, "origin")["state"], "aio did not make it");
    let sparse = fs::File::create(folder.path().join("sparse")).unwrap();
    sparse.set_len(1 << 20).unwrap();
    let found = doctor(&folder, "sparse");
    if named(&found, "extents")["verdict"] == "unknown" {
        return skip("this file system tells nothing of extents");
    }
    let holes = named(&found, "holes");
    assert_eq!(holes["verdict"], "warning");
    let cure = holes["cure"].as_str().expect("there is one");
    assert_eq!(cure, "cp --sparse=never sparse sparse.whole");
    let copied = folder.program("sh").args(["-c", cure]).output().expect("there is a shell");
    assert!(copied.status.success(), "{copied:?}");
    assert!(!has(&doctor(&folder, "sparse.whole"), "holes"), "the cure works");
}

#[test]
fn a_file_that_aio_made_is_known_as_such() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --keep --file f --rw write --size 1M";
    folder.aio(line).code(0);
    let state = named(&doctor(&folder, "f"), "origin")["state"].clone();
    if state == "aio did not make it" {
        return skip("this file system has no extended attributes");
    }
    assert_eq!(state, "aio made it, and nobody has changed it since");
    fs::write(folder.path().join("f"), "mine").unwrap();
    let found = doctor(&folder, "f");
    assert_eq!(named(&found, "origin")["state"], "aio made it, and it was changed since");
}

#[test]
fn a_path_with_anything_in_it_is_shown_and_quoted() {
    let folder = Folder::new();
    let name = "a 'b\u{1b}[31m";
    fs::File::create(folder.path().join(name)).unwrap().set_len(1 << 20).unwrap();
    let ended = folder.aio_words(&["doctor", name]).code(0);
    assert!(ended.stdout.contains("a 'b\\u{1b}[31m: a file\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    let raw = std::ffi::OsStr::from_bytes(b"\xff");
    fs::write(folder.path().join(raw), "x").unwrap();
    let output = folder.program(AIO).arg("doctor").arg(raw).output().unwrap();
    Ended::new("doctor \\xff", &output).code(0);
}

#[test]
fn a_loop_device_is_told_with_its_file_and_with_who_uses_it() {
    let folder = Folder::new();
    let Some(device) = Loop::attach(&folder, &[]) else { return };
    let found = doctor(&folder, device.name());
    assert_eq!(found["place"], "a block device");
    let short = device.name().strip_prefix("/dev/").unwrap();
    let file = named(&found, &format!("file of {short}"));
    assert_eq!(file["verdict"], "warning");
    let cure = file["cure"].as_str().unwrap().to_owned();
    assert_eq!(
        cure.trim_start_matches("sudo "),
        format!("losetup --direct-io=on {}", device.name())
    );
    assert_eq!(named(&found, "use by others")["verdict"], "good");
    assert!(!has(&found, "free space"), "a device is on no file system");
    let cured = folder.program("sh").args(["-c", &cure]).output().expect("there is a shell");
    if cured.status.success() {
        let found = doctor(&folder, device.name());
        assert_eq!(named(&found, &format!("file of {short}"))["verdict"], "good", "it works");
    }
}

#[test]
fn files_in_memory_are_a_warning() {
    if !Path::new("/dev/shm").is_dir() {
        return skip("there is no /dev/shm");
    }
    let folder = Folder::new();
    let found = doctor(&folder, "/dev/shm");
    if named(&found, "type")["state"].as_str().is_some_and(|state| state.contains("tmpfs")) {
        assert_eq!(named(&found, "type")["verdict"], "warning");
    }
}

#[test]
fn little_memory_to_lock_is_told_as_an_ordinary_user_has_it() {
    let folder = Folder::new();
    let script = "ulimit -l 64 && exec \"$0\" \"$@\"";
    let ended = folder.shell(script, "doctor --json").code(0).json();
    let memlock = named(&ended, "memlock");
    let state = memlock["state"].as_str().unwrap();
    assert!(state.starts_with("64 KiB"), "{memlock}");
    let may_lock = state.contains("does not hold for this process");
    assert_eq!(memlock["verdict"], if may_lock { "good" } else { "warning" });
}

#[test]
fn a_filter_and_what_it_forbids_are_told_with_the_reason() {
    let folder = Folder::new();
    for (calls, errno, name) in
        [(IO_URING, ENOSYS, "ENOSYS"), (IO_URING, EPERM, "EPERM"), (BOTH, EPERM, "EPERM")]
    {
        let Some(ended) = aio_without(&folder, calls, errno, "doctor --json") else { return };
        let found = ended.code(0).json();
        assert_eq!(named(&found, "seccomp")["verdict"], "note", "{found:#}");
        let uring = named(&found, "uring");
        assert_eq!(uring["verdict"], "warning");
        assert!(uring["state"].as_str().is_some_and(|state| state.contains(name)), "{uring}");
        assert!(uring["remark"].as_str().is_some_and(|text| text.contains("seccomp")), "{uring}");
        assert_eq!(named(&found, "choice")["verdict"], "warning");
        assert_eq!(named(&found, "sync")["verdict"], "good");
        if calls == BOTH {
            assert_eq!(named(&found, "libaio")["verdict"], "warning");
        }
        assert_eq!(found["engines"][0]["can_run"], false);
    }
    assert_eq!(folder.names(), [""; 0]);
}

/// Runs it in a mount namespace of its own, after `unmount` there.
fn elsewhere(folder: &Folder, unmount: &str) -> Option<Ended> {
    let script = format!("{unmount} && exec \"$0\" doctor --json");
    let output = folder.program("unshare").args(["--mount", "sh", "-c", &script, AIO]).output();
    match output {
        Ok(output) if !output.stdout.is_empty() => Some(Ended::new(unmount, &output)),
        Ok(output) => {
            assert_ne!(output.status.code(), Some(101), "{output:?}");
            skip(&format!("{unmount}: {}", String::from_utf8_lossy(&output.stderr)));
            None
        }
        Err(error) => {
            skip(&format!("unshare: {error}"));
            None
        }
    }
}

#[test]
fn without_proc_or_sys_what_they_tell_is_unknown_and_the_rest_is_found() {
    let folder = Folder::new();
    for (gone, unknown) in [
        ("/proc", ["seccomp", "available", "load"]),
        ("/sys", ["clock source", "governor", "transparent huge pages"]),
    ] {
        let Some(ended) = elsewhere(&folder, &format!("umount -l {gone}")) else { return };
        let found = ended.code(0).json();
        let missing = named(&found, gone);
        assert_eq!(missing["verdict"], "warning");
        let kind = &gone[1..];
        let kind = if kind == "sys" { "sysfs" } else { kind };
        let cure = missing["cure"].as_str().unwrap().trim_start_matches("sudo ");
        assert_eq!(cure, format!("mount -t {kind} {kind} {gone}"));
        for name in unknown {
            assert_eq!(named(&found, name)["verdict"], "unknown", "without {gone}: {name}");
        }
        assert_eq!(named(&found, "sync")["verdict"], "good");
    }
}

/// Calls that open or make files, or change them; a question mark lets strace pass over what an
/// architecture does not have.
const CALLS: &str = "trace=?open,openat,?openat2,?creat,?mkdir,mkdirat,?unlink,unlinkat,?rename,\
                     ?renameat,renameat2,?truncate,ftruncate,fallocate,?chmod,fchmod,fchmodat,\
                     setxattr,fsetxattr,removexattr,fremovexattr,utimensat,fsync,fdatasync,\
                     sync_file_range,syncfs,sync,mount,?mknod,mknodat,?link,linkat,?symlink,\
                     symlinkat,pwrite64,pwritev,?pwritev2";

#[test]
fn nothing_is_opened_for_writing_and_nothing_is_changed() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    let work = Folder::new();
    work.file("f", 1 << 20);
    let device = Loop::attach(&folder, &[]);
    let places = [".", "f"].map(String::from).into_iter();
    for place in places.chain(device.iter().map(|device| device.name().to_owned())) {
        let log = folder.path().join("calls");
        let mut strace = work.program("strace");
        strace.args(["-f", "-qq", "-e", "signal=none", "-e", CALLS, "-o"]).arg(&log);
        let ended = strace.args([AIO, "doctor", "--json", &place]).output().expect("it is there");
        Ended::new(&place, &ended).code(0);
        let calls = fs::read_to_string(&log).expect("strace writes a log");
        let mut opened = 0;
        for call in calls.lines() {
            // A call that another thread's cut in two has its flags in the first part.
            let call = call.replace("<... ", "");
            let name = call.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
            assert!(name.starts_with("open"), "{place}: {call}");
            for flag in ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE", "O_TRUNC", "O_APPEND"] {
                assert!(!call.contains(flag), "{place}: {call}");
            }
            opened += 1;
        }
        assert!(opened > 10, "{place}: strace saw {opened} files opened");
    }
    assert_eq!(work.names(), ["f"]);
}
