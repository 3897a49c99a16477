//! The kernel's tables of mounts and of swap.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::sysfs::Number;

/// One line of the table of mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The device under it; a made-up number on file systems that span several.
    pub(super) device: Number,
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The devices by name, where it says so: the first one on btrfs, all of them on bcachefs.
    pub(super) sources: Vec<PathBuf>,
}

/// All mounts that this process can see, bind mounts included.
pub(super) fn mounts(proc: &Path) -> io::Result<Vec<Mount>> {
    let table = fs::read(proc.join("self/mountinfo"))?;
    // A line that cannot be read may be the one that matters.
    lines(&table).map(|line| mount(line).ok_or_else(|| io::ErrorKind::InvalidData.into())).collect()
}

fn mount(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let device = Number::parse(std::str::from_utf8(fields.get(2)?).ok()?)?;
    let point = unescaped(fields.get(4)?);
    // Between lie optional fields, as many as there are; behind, the type and the source.
    let dash = fields.iter().skip(6).position(|field| *field == b"-")? + 6;
    let source = fields.get(dash + 2)?;
    let sources = if source.starts_with(b"/") {
        source.split(|byte| *byte == b':').map(unescaped).collect()
    } else {
        Vec::new()
    };
    Some(Mount { device, point, sources })
}

/// The paths of all devices and files that are swapped to.
pub(super) fn swaps(proc: &Path) -> io::Result<Vec<PathBuf>> {
    let table = match fs::read(proc.join("swaps")) {
        Ok(table) => table,
        // A kernel that cannot swap has no such table.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(swapped_to(&table).collect())
}

/// The first field of each line behind the heading.
fn swapped_to(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    let first_fields = lines(table).skip(1).filter_map(|line| {
        line.split(u8::is_ascii_whitespace).next().filter(|field| !field.is_empty())
    });
    first_fields.map(unescaped)
}

fn lines(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    table.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The kernel writes white space and backslashes as three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut path = Vec::new();
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let octal = |digits: &[u8]| {
            digits.iter().try_fold(0_u8, |value, digit| {
                let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
                value.checked_mul(8)?.checked_add(digit)
            })
        };
        if let (b'\\', Some(byte)) = (first, behind.get(..3).and_then(octal)) {
            path.push(byte);
            rest = &behind[3..];
        } else {
            path.push(*first);
            rest = behind;
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fuzz;

    #[test]
    fn fuzzed_tables_of_mounts_and_swap_are_read_or_refused() {
        let corpus: [&[u8]; 3] = [
            br"36 35 98:0 /sub /mnt/a\040b rw master:1 shared:2 - btrfs /dev/sd\134x rw",
            b"21 1 0:21 / /proc rw - proc proc rw\n22 1 0:22 / /m rw - bcachefs /dev/a:/dev/b rw\n",
            b"Filename\t\tType\tSize\n/dev/sda2  partition\t1\t0\t-2\n/s\\040f\tfile\t1\n",
        ];
        let words =
            [" - ", "/dev/sda", "\\040", "\\777", "\\", "8:1", ":", "\n", "\t", " shared:1"];
        fuzz("tables of mounts and swap", &corpus, &words, |table| {
            let mounts: Vec<_> = lines(table).filter_map(mount).collect();
            for one in &mounts {
                assert_eq!(Number::parse(&one.device.to_string()), Some(one.device));
            }
            let sources = mounts.iter().map(|mount| mount.sources.len()).max();
            format!("{} {sources:?} {}", mounts.len().min(3), swapped_to(table).count().min(3))
                .replace(|c: char| c.is_ascii_digit(), "i")
        });
    }

    #[test]
    fn a_mount_is_read_with_its_escapes_and_optional_fields() {
        let line = br"36 35 98:0 /sub /mnt/a\040b rw master:1 shared:2 - btrfs /dev/sd\134x rw";
        let expected = Mount {
            device: Number { major: 98, minor: 0 },
            point: "/mnt/a b".into(),
            sources: vec![r"/dev/sd\x".into()],
        };
        assert_eq!(mount(line), Some(expected));
        let none = mount(b"21 1 0:21 / /proc rw - proc proc rw").unwrap();
        assert_eq!(none.sources, Vec::<PathBuf>::new());
        let many = mount(b"21 1 0:21 / /m rw - bcachefs /dev/a:/dev/b rw").unwrap();
        assert_eq!(many.sources, ["/dev/a", "/dev/b"].map(PathBuf::from));
        assert_eq!(mount(b"36 35 98:0 / /mnt rw"), None, "no source");
        assert_eq!(mount(b"36 35 x / /mnt rw - ext4 /dev/a rw"), None, "no number");
    }

    #[test]
    fn a_mount_table_with_a_line_that_makes_no_sense_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(mounts(folder.path()).is_err(), "no table");
        fs::create_dir(folder.path().join("self")).unwrap();
        fs::write(folder.path().join("self/mountinfo"), "nonsense\n").unwrap();
        assert!(mounts(folder.path()).is_err());
    }

    #[test]
    fn swaps_are_read_without_their_heading() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(swaps(folder.path()).unwrap(), Vec::<PathBuf>::new());
        let table = "Filename\t\tType\tSize\n/dev/sda2  partition\t1\t0\t-2\n/s\\040f\tfile\t1\n";
        fs::write(folder.path().join("swaps"), table).unwrap();
        assert_eq!(swaps(folder.path()).unwrap(), ["/dev/sda2", "/s f"].map(PathBuf::from));
    }
}
