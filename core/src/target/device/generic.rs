//! The block device behind `/dev/ngXnY`.
//!
//! Both are made by the NVMe driver for one namespace, below one parent: the controller, or the
//! subsystem where several controllers lead to the namespace (`/dev/nvme0n1` over the hidden
//! `nvme0c0n1`, `nvme0c1n1`). Nothing but their names ties them together, so these are asked for in
//! full, and the drive is asked for the number of the namespace on both.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::super::guard::RefusedTarget;
use super::TargetKind;
use super::sysfs::{Node, Number, Sysfs, node_at};

/// What an NVMe namespace is like.
#[derive(Clone, Debug)]
pub(in crate::target) struct Namespace {
    pub(super) block: Node,
    /// Its size in bytes.
    pub(in crate::target) size_bytes: u64,
    /// What offsets and lengths must be a multiple of, in bytes.
    pub(in crate::target) block_bytes: u32,
}

impl Namespace {
    /// Where the node of its block device is.
    pub(in crate::target) fn block_path(&self) -> PathBuf {
        Path::new("/dev").join(&self.block.name)
    }
}

/// The namespace that `file`, opened at `path`, stands for; `None` when it is no NVMe generic
/// device.
///
/// # Errors
/// When the device cannot be resolved with certainty.
pub(in crate::target) fn namespace_of(
    file: &File,
    path: &Path,
) -> Result<Option<Namespace>, RefusedTarget> {
    let metadata = file.metadata().map_err(|error| RefusedTarget::io("look at", path, error))?;
    if TargetKind::of(&metadata) != Some(TargetKind::NvmeGeneric) {
        return Ok(None);
    }
    resolve(&metadata, path).map(Some)
}

/// Opens the block device with the data of the NVMe generic device `file`, opened at `path`, to be
/// read through the page cache; `None` when it is no such device.
///
/// # Errors
/// When it cannot be resolved or opened.
pub(crate) fn open_block_device_of(file: &File, path: &Path) -> io::Result<Option<File>> {
    let Some(namespace) = namespace_of(file, path).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let block = File::open(namespace.block_path())?;
    let metadata = block.metadata()?;
    let is_same = TargetKind::of(&metadata) == Some(TargetKind::Block)
        && Number::of(metadata.rdev()) == namespace.block.number;
    if !is_same {
        return Err(wrong("its block device has just come to mean another"));
    }
    // Commands go past the cache, which may hold what was there before.
    posix_fadvise(&block, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    Ok(Some(block))
}

/// The `major:minor` of the block device with the data of the NVMe generic device at `path`.
pub(in crate::target) fn block_number_of(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(resolve(&metadata, path).ok()?.block.number.to_string())
}

/// The namespace of the NVMe generic device that `metadata` describes.
pub(super) fn resolve(metadata: &Metadata, path: &Path) -> Result<Namespace, RefusedTarget> {
    let sysfs = Sysfs::new(Path::new(super::SYS));
    namespace(sysfs, Number::of(metadata.rdev())).map_err(|error| {
        let what = format!(
            "is an NVMe namespace whose block device cannot be found with certainty ({error}); give \
             the block device"
        );
        RefusedTarget::unfit(path, what)
    })
}

/// The namespace of the generic device `number`.
pub(super) fn namespace(sysfs: Sysfs, number: Number) -> io::Result<Namespace> {
    let folder = sysfs.character(number)?;
    let wanted = block_name(&folder).ok_or_else(|| wrong("its name is not of the form ngXnY"))?;
    let beside = folder.with_file_name(&wanted);
    if !beside.join("dev").exists() {
        return Err(wrong(&format!("there is no {wanted} beside it")));
    }
    let block = node_at(&beside)?;
    // What the folder says of itself must be what the table of block devices says.
    if block.name != wanted || sysfs.block(block.number)? != block || block.disk()?.is_some() {
        return Err(wrong(&format!("{wanted} beside it is not its block device")));
    }
    let (size_bytes, block_bytes) = (block.size_bytes()?, block.logical_block_bytes()?);
    Ok(Namespace { block, size_bytes, block_bytes })
}

/// `nvmeXnY` for a folder `ngXnY`.
fn block_name(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?;
    let (controller, namespace) = name.strip_prefix("ng")?.split_once('n')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let right = is_number(controller) && is_number(namespace);
    right.then(|| format!("nvme{controller}n{namespace}"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
