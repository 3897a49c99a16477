//! Files in `docs/` that are made from the program itself, for tests that hold them against it.

use std::path::Path;
use std::{env, fs};

/// The variable that has the files written anew instead.
const BLESS: &str = "AIO_BLESS";

/// Asserts that the file `path` of the repository is `text`; with `AIO_BLESS=1` makes it so.
pub(crate) fn is(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if env::var_os(BLESS).is_some_and(|value| value == "1") {
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("docs is writable");
        fs::write(&file, text).expect("docs is writable");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let differ = there.lines().zip(text.lines()).position(|(there, made)| there != made);
    let line = differ.unwrap_or_else(|| there.lines().count().min(text.lines().count())) + 1;
    assert!(
        there == text,
        "{path} is not what the program says from line {line} on; {BLESS}=1 cargo test -p aio-cli \
         --bin aio writes it anew"
    );
}
