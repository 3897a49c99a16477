//! The program without arguments.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Folder, skip};

#[test]
fn without_arguments_all_engines_are_compared_and_nothing_is_left() {
    let folder = Folder::new();
    let ended = folder.aio("").code(0);
    assert!(ended.stdout.contains("A temporary file in "), "{}", ended.stdout);
    assert!(ended.stdout.contains("sync"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("one after the other"), "{}", ended.stdout);
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ended.stdout);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        skip("this user may write everywhere");
    } else {
        folder.aio("").refused(&["cannot make a file in", "Permission denied"]);
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}
