//! Whether a file system compresses what is written to a target.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::alignment::is_compressed;
use super::describe::{BLOCK_DEVICE, FileSystem, NVME_GENERIC, folder_of};

/// As the mount options and the attribute of the file, or else of the folder that it is going to
/// be in, tell; `None` where they tell nothing.
pub(super) fn compresses(path: &Path, there: &FileSystem) -> Option<bool> {
    if matches!(there.kind.as_str(), BLOCK_DEVICE | NVME_GENERIC) {
        return None;
    }
    // Only to be asked about: nothing is done to what is opened this way.
    let open = |one: &Path| OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(one);
    let looked = open(path).or_else(|_missing| open(folder_of(path))).ok();
    let attribute = looked.and_then(|file| is_compressed(&file));
    by_options(&there.kind, &there.options, attribute)
}

fn by_options(kind: &str, options: &[String], attribute: Option<bool>) -> Option<bool> {
    let value = |name: &str| {
        let mut of_name = options.iter().rev().filter_map(|one| match one.split_once('=') {
            Some((option, value)) => (option == name).then_some(value),
            None => (one == name).then_some(""),
        });
        of_name.next()
    };
    let is_on = |name: &str| value(name).is_some_and(|value| !matches!(value, "no" | "none"));
    match kind {
        "btrfs" => Some(is_on("compress") || is_on("compress-force") || attribute == Some(true)),
        "bcachefs" => Some(is_on("compression") || is_on("background_compression")),
        // What the algorithm would be is always among the options.
        "f2fs" => Some(is_on("compress_extension") || attribute == Some(true)),
        "ubifs" => Some(value("compr") != Some("none")),
        // Unless it was told otherwise, which is in no option.
        "zfs" | "jffs2" => Some(true),
        "ext2" | "ext3" | "ext4" | "xfs" | "tmpfs" | "ramfs" | "vfat" | "exfat" => Some(false),
        _ => attribute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_tell_what_is_compressed_and_an_attribute_where_there_is_none() {
        let told = |kind: &str, options: &str, attribute| {
            let options: Vec<_> = options.split(',').map(str::to_owned).collect();
            by_options(kind, &options, attribute)
        };
        for (kind, options, attribute, expected) in [
            ("btrfs", "rw,compress=zstd:3,ssd", None, Some(true)),
            ("btrfs", "rw,compress-force=lzo", None, Some(true)),
            ("btrfs", "rw,compress", None, Some(true)),
            ("btrfs", "rw,compress=no", None, Some(false)),
            ("btrfs", "rw,ssd", Some(false), Some(false)),
            ("btrfs", "rw,ssd", Some(true), Some(true)),
            ("f2fs", "rw,compress_algorithm=lz4", Some(false), Some(false)),
            ("f2fs", "rw,compress_algorithm=lz4,compress_extension=*", None, Some(true)),
            ("bcachefs", "rw,compression=lz4", None, Some(true)),
            ("bcachefs", "rw,compression=none", None, Some(false)),
            ("ubifs", "rw", None, Some(true)),
            ("ubifs", "rw,compr=none", None, Some(false)),
            ("zfs", "rw,xattr", None, Some(true)),
            ("ext4", "rw,discard", Some(true), Some(false)),
            ("ntfs3", "rw", Some(true), Some(true)),
            ("fuse.sshfs", "rw", None, None),
        ] {
            assert_eq!(told(kind, options, attribute), expected, "{kind} {options}");
        }
    }

    #[test]
    fn the_file_or_its_folder_is_asked() {
        let ext4 = |kind: &str| FileSystem {
            kind: kind.into(),
            device: "8:1".into(),
            options: vec!["rw".into()],
            mounted_at: None,
        };
        assert_eq!(compresses(Path::new("/no-such-file"), &ext4("ext4")), Some(false));
        assert_eq!(compresses(Path::new("/no-such-file"), &ext4("btrfs")), Some(false));
    }
}
