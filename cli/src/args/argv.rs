//! Flags with `_` between words become flags with `-`, before anything reads them.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The arguments with their flags spelt one way. Values are left alone, and so is all that stands
/// behind a bare `--`.
pub(super) fn normalised(argv: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut only_values = false;
    let spell = |argument: OsString| {
        only_values |= argument == "--";
        if only_values || !argument.as_bytes().starts_with(b"--") {
            return argument;
        }
        let mut bytes = argument.into_vec();
        let name = bytes.iter_mut().take_while(|byte| **byte != b'=');
        name.filter(|byte| **byte == b'_').for_each(|byte| *byte = b'-');
        OsString::from_vec(bytes)
    };
    argv.into_iter().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_in_flags_become_dashes_and_values_keep_theirs() {
        let given = ["aio_x", "--io_size=a_b", "--read_file", "a_b", "-_", "--", "--a_b"];
        let expected = ["aio_x", "--io-size=a_b", "--read-file", "a_b", "-_", "--", "--a_b"];
        assert_eq!(normalised(given.map(OsString::from)), expected.map(OsString::from));
    }
}
