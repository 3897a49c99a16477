//! What a target is, as far as engines care.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::sysfs::{Number, Sysfs};

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// A regular file.
    File,
    /// A block device.
    Block,
    /// A character device that stands for an NVMe namespace, `/dev/ngXnY`. It takes the commands of
    /// the drive, and neither reads nor writes.
    NvmeGeneric,
}

impl TargetKind {
    /// What `metadata` describes; `None` for what is never a target.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Option<Self> {
        let kind = metadata.file_type();
        if kind.is_file() {
            return Some(Self::File);
        }
        if kind.is_block_device() {
            return Some(Self::Block);
        }
        let generic =
            || Sysfs::new(Path::new(super::SYS)).is_nvme_generic(Number::of(metadata.rdev()));
        (kind.is_char_device() && generic()).then_some(Self::NvmeGeneric)
    }
}
