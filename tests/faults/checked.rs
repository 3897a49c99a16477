//! Data that cannot be checked is not called right.

use super::{Target, failed, request};

#[test]
fn what_cannot_be_read_back_is_named_with_file_offset_length_and_errno() {
    let Some(target) = Target::new() else { return };
    let rule = "read:EIO:from=262144:to=266240";
    for (line, path) in [
        ("--write-file w --write-size 1M --validate", "w.0"),
        ("--file f --rw randwrite --size 1M --verify crc32c", "f"),
        ("--file f --rw randwrite --size 1M --verify crc32c --buffered", "f"),
    ] {
        let line = format!("--engine sync --block-size 64k --quiet --format json {line}");
        let words = [path, "cannot read back ", " bytes at offset ", "I/O error (EIO)"];
        let one = failed(target.aio(rule, &line), &words);
        let (_, offset, length, errno) = request(&one);
        // The kernel reads ahead, and may give up before the bad page.
        assert!(offset <= 262_144, "{offset}");
        assert_eq!(offset + length, 1 << 20);
        assert_eq!(errno, "EIO");
        assert_eq!(one["failures"][0]["path"], path);
        assert_eq!(target.folder.names(), [""; 0], "{line}");
    }
}

#[test]
fn padding_that_cannot_be_cut_off_fails_the_run() {
    let Some(target) = Target::new() else { return };
    let line = "--engine sync --write-file w --write-size 1000001 --quiet --format json";
    let words = ["w.0: cannot cut the padding off the file: I/O error (EIO)"];
    let one = failed(target.aio("truncate:EIO", line), &words);
    assert_eq!(request(&one).3, "EIO");
    assert_eq!(target.folder.names(), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read_is_not_judged() {
    let Some(target) = Target::new() else { return };
    let line = "--engine sync --file f --rw randwrite --size 1M --block-size 64k --verify crc32c \
                --keep --quiet";
    target.aio("", line).code(0);
    target.aio("", "verify f").code(0);
    let ended = target.aio("read:EIO:from=262144:to=266240", "verify f --format json").code(1);
    let ended = ended.says(&["cannot read ", " of f: ", "Input/output error"]);
    assert_eq!(ended.stdout, "", "nothing is said of blocks");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_file_that_cannot_be_removed_is_named() {
    let Some(target) = Target::new() else { return };
    let line = "--engine sync --write-file w --write-size 1M --quiet --format json";
    let ended = target.aio("unlink:EIO:file=w.0", line).code(0).says(&["cannot remove w.0: "]);
    assert_eq!(ended.direction()["status"], "complete");
    assert_eq!(target.folder.names(), ["w.0"]);
    // Where nothing at all can be removed, nothing is begun.
    std::fs::remove_file(target.folder.path().join("w.0")).unwrap();
    target.aio("unlink:EIO", line).refused(&["cannot remove ./.aio-", "Input/output error"]);
}
