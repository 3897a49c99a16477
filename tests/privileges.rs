//! Whose rights the program runs with.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use crate::support::{AIO, ENGINES, Ended, Folder, skip};

/// Runs `program` in `folder` as a user without rights; `None`, said aloud, where that cannot be.
fn as_nobody(folder: &Folder, program: &str, line: &str) -> Option<Ended> {
    let mut setpriv = folder.program("setpriv");
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", program];
    let output = setpriv.args(user).args(line.split_whitespace()).output();
    match output {
        Ok(output) if output.status.code() != Some(1) || output.stderr.starts_with(b"aio") => {
            Some(Ended::new(line, &output))
        }
        Ok(output) => {
            skip(&format!("another user: {}", String::from_utf8_lossy(&output.stderr)));
            None
        }
        Err(error) => {
            skip(&format!("another user: setpriv: {error}"));
            None
        }
    }
}

/// A folder that everybody may go to, with a copy of the program in it.
fn open_folder(mode: u32) -> Option<(Folder, String)> {
    let folder = Folder::new_in("/tmp");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
    let copy = folder.path().join("aio");
    fs::copy(AIO, &copy).expect("there is room");
    fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).expect("it is ours");
    let probed = folder.program(&copy).arg("--version").output();
    if !probed.is_ok_and(|output| output.status.success()) {
        skip("a copy of the program: nothing in /tmp may be run");
        return None;
    }
    Some((folder, copy.to_string_lossy().into_owned()))
}

#[test]
fn every_engine_runs_without_any_rights() {
    let Some((folder, program)) = open_folder(0o755) else { return };
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 1M --validate"
        );
        let Some(ended) = as_nobody(&folder, &program, &line) else { return };
        ended.code(0);
        let line = format!(
            "--engine {engine} --buffered --quiet --file b --rw randwrite --size 1M --block-size 4k"
        );
        let Some(ended) = as_nobody(&folder, &program, &line) else { return };
        ended.code(0);
        assert_eq!(folder.names(), ["aio"], "{engine}");
    }
}

#[test]
fn a_program_that_is_set_uid_or_set_gid_refuses_to_run() {
    for mode in [0o4755, 0o2755] {
        let Some((folder, program)) = open_folder(mode) else { return };
        if chown(&program, Some(0), Some(0)).is_err() {
            return skip("a set-uid program: this user cannot make one");
        }
        // Changing its owner takes the bits off.
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        let line = "--engine null --buffered --quiet --write-file w --write-size 1M";
        let Some(ended) = as_nobody(&folder, &program, line) else { return };
        if ended.code == 0 {
            return skip("a set-uid program: the file system is mounted nosuid");
        }
        ended.refused(&["set-uid or set-gid", "chmod ug-s"]);
        assert_eq!(folder.names(), ["aio"]);
    }
}
