//! Little memory that may be locked, and little memory.

use crate::limits::{CAP_IPC_LOCK, has_capability};
use crate::support::{ENGINES, Ended, Folder, skip};
use crate::verdicts::in_group;

const MIB: u64 = 1 << 20;

/// Runs the program where 64 KiB may be locked. Root gives up the capability with which that limit
/// means nothing; `None`, said aloud, where it cannot.
fn with_little_to_lock(folder: &Folder, line: &str) -> Option<Ended> {
    let drops = "setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock";
    let drops = if has_capability(CAP_IPC_LOCK) { drops } else { "" };
    if !drops.is_empty() {
        let tried = folder.program("sh").args(["-c", &format!("{drops} true")]).output();
        let tried = tried.expect("there is a shell");
        if !tried.status.success() {
            let why = String::from_utf8_lossy(&tried.stderr);
            skip(&format!("memory that may not be locked: {why}"));
            return None;
        }
    }
    Some(folder.shell(&format!("ulimit -l 64 && exec {drops} \"$0\" \"$@\""), line))
}

#[test]
fn memory_that_may_not_be_registered_is_on_the_receipts_with_the_cause() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --validate --write-file w --write-size 8M \
             --io-parallel 2 --format json"
        );
        let Some(ended) = with_little_to_lock(&folder, &line) else { return };
        let ended = ended.code(0);
        assert_eq!(ended.direction()["status"], "complete", "{engine}");
        assert_eq!(ended.direction()["validated_bytes"], 8 * MIB, "{engine}");
        let mut options = vec![("memory-lock", "ulimit -l")];
        if engine == "uring" {
            options.push(("fixed-buffers", "RLIMIT_MEMLOCK is 65536 bytes"));
        }
        for (option, cause) in options {
            let receipts = ended.receipts(option);
            assert!(!receipts.is_empty(), "{engine}: {option}");
            for receipt in receipts {
                assert_eq!(
                    (&receipt["asked"], &receipt["granted"]),
                    (&"on".into(), &"off".into()),
                    "{receipt}"
                );
                let why = receipt["why_not"].as_str().unwrap_or_default();
                assert!(why.contains(cause), "{engine}: {receipt}");
            }
        }
        let strict = line.replace("--format json", "--strict");
        let Some(ended) = with_little_to_lock(&folder, &strict) else { return };
        ended.code(3).says(&["--strict: memory-lock was asked as on and granted as off"]);
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}

/// Limits the memory of `$group` to 64 MiB, in both versions of control groups.
const LIMIT: &str = "case $version in
    1) echo 64M >$group/memory.limit_in_bytes;;
    2) echo 64M >$group/memory.max; echo 0 >$group/memory.swap.max;; esac";

#[test]
fn a_run_that_fits_into_a_small_control_group_is_complete() {
    let folder = Folder::new();
    let direct = if folder.is_direct() { &["", "--buffered"][..] } else { &["--buffered"] };
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for way in direct {
            // More through the page cache than there is memory, and a fourth of it pinned.
            let line = format!(
                "--engine {engine} {way} --quiet --folder . --io-size 16M --validate --loops 8 \
                 --different-file-each-iteration --format json"
            );
            let Some(ended) = in_group(&folder, "memory", LIMIT, &line) else { return };
            let direction = ended.code(0).direction();
            assert_eq!(direction["status"], "complete", "{engine} {way}");
            assert_eq!(folder.names(), [""; 0], "{engine} {way}");
        }
    }
}
