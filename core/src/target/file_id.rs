//! Which file it is, whatever its name.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

/// The numbers of a file's device and inode, and when it was made.
///
/// The number of an inode is used again as soon as its file is gone, often for the very next file
/// in the folder; the time, which most file systems tell, says that it is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
    made: Option<SystemTime>,
}

impl FileId {
    /// Of the file that `metadata` is of.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), made: metadata.created().ok() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_itself_under_another_name_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        fs::write(&one, "1").unwrap();
        fs::hard_link(&one, &other).unwrap();
        let of = |path| FileId::of(&fs::metadata(path).unwrap());
        assert_eq!(of(&one), of(&other));
        let gone = of(&one);
        fs::remove_file(&other).unwrap();
        fs::write(&other, "2").unwrap();
        assert_ne!(of(&one), of(&other));
        let reused = FileId { made: Some(SystemTime::UNIX_EPOCH), ..gone };
        assert_ne!(reused, FileId { made: None, ..gone }, "the number alone does not tell");
    }
}
