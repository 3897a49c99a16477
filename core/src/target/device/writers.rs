//! Programs that have a device open for writing.
//!
//! A virtual machine or a database on a device without a file system often takes no lock on it.
//! Only root sees the files of everybody; what cannot be seen here is no reason to refuse, because
//! a user without that right cannot usually open a device either.

use std::fs;
use std::path::Path;

use super::in_use::Looked;
use super::sysfs::Number;

/// A program that has a block device open for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) device: Number,
    /// Its name and number, as in `qemu (1234)`.
    pub(super) program: String,
}

/// Every program but this one that has a block device open for writing, as far as can be seen.
pub(super) fn writers(proc: &Path, look: &dyn Fn(&Path) -> Option<Looked>) -> Vec<Writer> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir(proc).into_iter().flatten().flatten();
    let others = processes.filter(|entry| {
        let name = entry.file_name();
        let is_number = name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_number && name != own.as_str()
    });
    others.flat_map(|process| of_process(&process.path(), look)).collect()
}

fn of_process(process: &Path, look: &dyn Fn(&Path) -> Option<Looked>) -> Vec<Writer> {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let writer = |entry: fs::DirEntry| {
        let Looked::Block(device) = look(&entry.path())? else { return None };
        let info = process.join("fdinfo").join(entry.file_name());
        is_for_writing(&fs::read_to_string(info).ok()?)?;
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        let number = process.file_name()?.to_string_lossy();
        Some(Writer { device, program: format!("{} ({number})", name.trim_end()) })
    };
    open.filter_map(writer).collect()
}

/// Whether the flags, in octal, say so.
fn is_for_writing(info: &str) -> Option<()> {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
    (flags & libc::O_ACCMODE != libc::O_RDONLY).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fuzz_text;

    #[test]
    fn fuzzed_facts_of_descriptors_are_read_or_left_out() {
        assert_eq!(is_for_writing("pos:\t0\nflags:\t0100002\n"), Some(()));
        assert_eq!(is_for_writing("pos:\t0\nflags:\t0100000\n"), None);
        let corpus = ["pos:\t0\nflags:\t0100002\nmnt_id:\t21\nino:\t2085\n"];
        let words = ["flags:", "\t", "\n", "0100002", "-1", "8"];
        fuzz_text("facts of descriptors", &corpus, &words, |text| {
            format!("{}", is_for_writing(text).is_some())
        });
    }
}
