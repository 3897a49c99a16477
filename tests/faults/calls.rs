//! System calls that move data and fail by themselves, as `strace` plays them: what only means "not
//! now" is done again and counted, everything else ends the run.

use std::fs;

use super::failed;
use crate::strace;
use crate::support::{AIO, Ended, Folder};

const WORK: &str = "--queue-depth 4 --buffered --write-file w --write-size 1M --block-size 64k \
                    --loops 2 --validate --quiet --format json";

/// Runs the program while calls fail as `fault` says, such as `read:error=EIO`; says how many did.
fn aio_while(folder: &Folder, engine: &str, fault: &str) -> (Ended, usize) {
    let (calls, how) = fault.split_once(':').expect("calls, and what becomes of them");
    let line = format!("--engine {engine} {WORK}");
    let mut strace = folder.program("strace");
    strace.args(["-f", "-qq", "-o", "strace.log", "-e"]).arg(format!("trace={calls}"));
    strace.arg("-e").arg(format!("inject={calls}:{how}")).arg(AIO).args(line.split_whitespace());
    let ended = Ended::new(&line, &strace.output().expect("strace can be started"));
    let log = folder.path().join("strace.log");
    let injected = fs::read_to_string(&log).expect("strace has written it");
    fs::remove_file(log).expect("it is ours");
    (ended, injected.matches("(INJECTED)").count())
}

#[test]
fn calls_that_the_kernel_has_no_room_for_or_interrupts_are_made_again_and_counted() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    fs::remove_file(folder.path().join("probe.strace")).unwrap();
    for (engine, fault, counter) in [
        ("libaio", "io_submit:error=EAGAIN:when=2+2", "again"),
        ("libaio", "io_submit:error=EINTR:when=3+3", "interrupted"),
        ("uring", "io_uring_enter:error=EAGAIN:when=3+3", "again"),
        ("uring", "io_uring_enter:error=EBUSY:when=3+3", "again"),
        ("uring", "io_uring_enter:error=EINTR:when=3+3", "interrupted"),
        ("sync", "pwrite64:error=EINTR:when=3+3", "interrupted"),
    ] {
        if !folder.can_run(engine) {
            continue;
        }
        let (ended, injected) = aio_while(&folder, engine, fault);
        let direction = ended.code(0).direction();
        assert!(injected > 0, "{fault}");
        assert_eq!(direction["validated_bytes"], 1 << 20, "{fault}");
        assert_eq!(direction["requests"], 32, "{fault}");
        assert!(direction["counters"][counter].as_u64() > Some(0), "{fault}: {direction}");
        assert_eq!(folder.names(), [""; 0], "{fault}");
    }
}

#[test]
fn a_call_that_fails_for_good_ends_the_run() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    fs::remove_file(folder.path().join("probe.strace")).unwrap();
    for (engine, fault, words) in [
        ("libaio", "io_submit:error=EINVAL:when=4", ["of w.0 failed: ", "(EINVAL)"]),
        ("uring", "io_uring_enter:error=ENOMEM:when=5", ["w.0: io_uring_enter ", "(ENOMEM)"]),
        ("sync", "pwrite64:error=EDQUOT:when=5", ["of w.0 failed: ", "(EDQUOT)"]),
    ] {
        if !folder.can_run(engine) {
            continue;
        }
        let (ended, injected) = aio_while(&folder, engine, fault);
        assert!(injected > 0, "{fault}");
        let one = failed(ended, &words);
        assert!(words[1].contains(one["failures"][0]["errno"].as_str().unwrap()), "{one}");
        assert_eq!(folder.names(), [""; 0], "{fault}");
    }
}
