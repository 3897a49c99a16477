//! Devices that a run may write, held so that nobody else takes them meanwhile.
//!
//! Each is opened first, without writing; then that descriptor is what is checked, and the same
//! descriptor is what is written. The exclusive open is the kernel's own lock: as long as it lasts
//! nobody can mount the device or its partitions, swap to them or build upon them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::alignment::Alignment;
use super::super::guard::{RefusedTarget, settle_flags};
use super::generic::{self, Namespace};
use super::in_use::{Machine, look};
use super::sysfs::Number;
use super::{TargetKind, ioctl};

/// A device that may be written, for as long as this lives.
#[derive(Debug)]
pub struct HeldDevice {
    path: PathBuf,
    /// What is written.
    file: Arc<File>,
    /// What keeps others away: the same, or the block device of an NVMe namespace.
    claim: Arc<File>,
    size_bytes: u64,
    block_bytes: u32,
}

impl HeldDevice {
    /// The descriptor to write to; it reads as well.
    #[must_use]
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// The descriptor whose exclusive open keeps others away.
    #[must_use]
    pub fn claim(&self) -> &Arc<File> {
        &self.claim
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What transfers that go past the page cache must be a multiple of.
    pub(in crate::target) fn alignment(&self) -> Alignment {
        Alignment { offset_bytes: self.block_bytes, told: true }
    }

    /// Refuses a write of the first `size_bytes` that would change anything else, once lengths are
    /// rounded up for `alignment`: a file is cut afterwards, a device cannot be.
    pub(in crate::target) fn has_room(
        &self,
        size_bytes: u64,
        alignment: Alignment,
    ) -> Result<(), RefusedTarget> {
        let there = self.size_bytes;
        let what = if size_bytes > there {
            format!("has {there} bytes and {size_bytes} are to be written; write less")
        } else if alignment.round_up(size_bytes) != size_bytes {
            let step = alignment.offset_bytes;
            format!(
                "is a device, which is written in multiples of {step} bytes, and {size_bytes} is \
                 none; give another size"
            )
        } else {
            return Ok(());
        };
        Err(RefusedTarget::unfit(&self.path, what))
    }
}

/// The devices that may be written, and those that are held.
#[derive(Debug, Default)]
pub(in crate::target) struct Devices {
    allowed: Vec<PathBuf>,
    held: Vec<Arc<HeldDevice>>,
}

/// Whether `path` leads to a device that could be a target.
pub(in crate::target) fn is_device(path: &Path) -> bool {
    let kind = fs::metadata(path).ok().and_then(|there| TargetKind::of(&there));
    matches!(kind, Some(TargetKind::Block | TargetKind::NvmeGeneric))
}

impl Devices {
    /// Devices of these paths may be written; those of `held` are held already.
    ///
    /// # Errors
    /// When one of them is no device: then something else was meant.
    pub(in crate::target) fn new(
        allowed: &[PathBuf],
        held: &[Arc<HeldDevice>],
    ) -> Result<Self, RefusedTarget> {
        for path in allowed {
            device_at(path)?;
        }
        let is_allowed =
            |one: &&Arc<HeldDevice>| allowed.iter().any(|path| same_text(path, &one.path));
        let held = held.iter().filter(is_allowed).cloned().collect();
        Ok(Self { allowed: allowed.to_vec(), held })
    }

    /// Opens the device at `path` for writing, if that was allowed and nothing uses it; once, how
    /// often this is asked. The descriptor goes past the page cache if `direct`.
    ///
    /// # Errors
    /// Why it must not be written. Nothing was.
    pub(in crate::target) fn open_to_write(
        &mut self,
        path: &Path,
        direct: bool,
    ) -> Result<Arc<HeldDevice>, RefusedTarget> {
        if let Some(held) = self.held(path) {
            return Ok(Arc::clone(held));
        }
        let held = Arc::new(may_write(path, &self.allowed, direct)?);
        self.held.push(Arc::clone(&held));
        Ok(held)
    }

    /// The device that is held for `path`.
    pub(in crate::target) fn held(&self, path: &Path) -> Option<&Arc<HeldDevice>> {
        self.held.iter().find(|held| same_text(&held.path, path))
    }

    /// All that are held, to be kept for as long as the run lasts.
    pub(in crate::target) fn into_held(self) -> Vec<Arc<HeldDevice>> {
        self.held
    }
}

/// Opens the device at `path` for writing and holds it, when it is among `allowed` and nothing uses
/// it.
fn may_write(path: &Path, allowed: &[PathBuf], direct: bool) -> Result<HeldDevice, RefusedTarget> {
    let (kind, number) = device_at(path)?;
    let named = allowed.iter().find(|allowed| same_text(allowed, path));
    let Some(named) = named else { return Err(not_allowed(path, number, allowed)) };
    let held = match kind {
        TargetKind::NvmeGeneric => hold_namespace(path, direct)?,
        _ => hold_block_device(path, number, direct)?,
    };
    let metadata =
        held.file.metadata().map_err(|error| RefusedTarget::io("look at", path, error))?;
    let is_same = TargetKind::of(&metadata) == Some(kind) && Number::of(metadata.rdev()) == number;
    if !is_same || device_at(named)? != (kind, number) {
        return Err(RefusedTarget::unfit(path, "has just come to mean another device; try again"));
    }
    Ok(held)
}

fn hold_block_device(
    path: &Path,
    number: Number,
    direct: bool,
) -> Result<HeldDevice, RefusedTarget> {
    let direct_flag = if direct { libc::O_DIRECT } else { 0 };
    let flags = libc::O_EXCL | direct_flag;
    let file = open(OpenOptions::new().read(true).write(true), flags, path)
        .map_err(|error| refused_open(path, path, number, error))?;
    refuse_used(path, &file)?;
    let size_bytes = size_of(&file).map_err(|e| RefusedTarget::io("find the size of", path, e))?;
    let block_bytes = ioctl::logical_block_bytes(&file)
        .map_err(|error| RefusedTarget::io("find the block size of", path, error))?;
    let file = Arc::new(file);
    Ok(HeldDevice { path: path.into(), claim: Arc::clone(&file), file, size_bytes, block_bytes })
}

/// A character device cannot be opened exclusively, so that its block device is.
fn hold_namespace(path: &Path, direct: bool) -> Result<HeldDevice, RefusedTarget> {
    if !direct {
        return Err(RefusedTarget::unfit(path, NO_PAGE_CACHE));
    }
    let looked = fs::metadata(path).map_err(|error| RefusedTarget::io("look at", path, error))?;
    let found = generic::resolve(&looked, path)?;
    let block = found.block_path();
    let claim = open(OpenOptions::new().read(true), libc::O_EXCL, &block)
        .map_err(|error| refused_open(path, &block, found.block.number, error))?;
    let file = open(OpenOptions::new().read(true).write(true), 0, path)
        .map_err(|error| RefusedTarget::io("open", path, error))?;
    refuse_other_namespace(path, &file, &claim, &found)?;
    refuse_used(path, &claim)?;
    let Namespace { size_bytes, block_bytes, .. } = found;
    let (file, claim) = (Arc::new(file), Arc::new(claim));
    Ok(HeldDevice { path: path.into(), file, claim, size_bytes, block_bytes })
}

/// Why buffered I/O on an NVMe generic device is refused.
pub(in crate::target) const NO_PAGE_CACHE: &str =
    "is an NVMe generic device, which has no page cache; leave --buffered out";

/// Holds what was opened against what was found, and both against each other.
fn refuse_other_namespace(
    path: &Path,
    file: &File,
    claim: &File,
    found: &Namespace,
) -> Result<(), RefusedTarget> {
    let look_at = |error| RefusedTarget::io("look at", path, error);
    let claimed = claim.metadata().map_err(look_at)?;
    let again = generic::resolve(&file.metadata().map_err(look_at)?, path)?;
    let ids = (ioctl::namespace_id(file), ioctl::namespace_id(claim));
    let same = TargetKind::of(&claimed) == Some(TargetKind::Block)
        && Number::of(claimed.rdev()) == found.block.number
        && again.block == found.block
        && matches!(ids, (Ok(one), Ok(other)) if one == other);
    if same {
        return Ok(());
    }
    let what = format!(
        "does not stand for the same namespace as {} for certain; give the block device",
        found.block_path().display()
    );
    Err(RefusedTarget::unfit(path, what))
}

/// How often, and after how long, a program that has the device open is looked for again: some do
/// only for a moment, such as `losetup` in search of a free one.
const LOOKS_AGAIN: u32 = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Opens without waiting for anything, and without the mark of that on what is opened.
fn open(options: &mut OpenOptions, flags: i32, path: &Path) -> io::Result<File> {
    let always = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = options.custom_flags(always | flags).open(path)?;
    settle_flags(&file)?;
    Ok(file)
}

/// Says in words what the target at `path` is used for, if that can be found, when its block device
/// at `block` cannot be opened.
fn refused_open(path: &Path, block: &Path, number: Number, error: io::Error) -> RefusedTarget {
    if let Err(refused) = refuse_used_number(path, number) {
        return refused;
    }
    if error.raw_os_error() != Some(libc::EBUSY) {
        return RefusedTarget::io("open", block, error);
    }
    let what = "is in use: something holds it exclusively, perhaps a file system of another \
                container; end that, or give another device";
    RefusedTarget::unfit(path, what)
}

/// Refuses the opened block device when anything uses it or it cannot be written.
fn refuse_used(path: &Path, block: &File) -> Result<(), RefusedTarget> {
    let look_at = |error| RefusedTarget::io("look at", path, error);
    let metadata = block.metadata().map_err(look_at)?;
    if TargetKind::of(&metadata) != Some(TargetKind::Block) {
        return Err(RefusedTarget::unfit(path, "is no block device any more; try again"));
    }
    refuse_used_number(path, Number::of(metadata.rdev()))?;
    if ioctl::is_read_only(block).map_err(look_at)? {
        let what = "is a read-only device; make it writable with blockdev --setrw, or give another";
        return Err(RefusedTarget::unfit(path, what));
    }
    Ok(())
}

fn refuse_used_number(path: &Path, number: Number) -> Result<(), RefusedTarget> {
    let find =
        || Machine::read(Path::new(super::SYS), Path::new(super::PROC), &look)?.user_of(number);
    let mut found = find();
    for _ in 0..LOOKS_AGAIN {
        if !matches!(&found, Ok(Some(used)) if used.may_be_short()) {
            break;
        }
        thread::sleep(LOOK_AGAIN);
        found = find();
    }
    let what = match found {
        Ok(None) => return Ok(()),
        Ok(Some(used)) => used.to_string(),
        Err(unsure) => {
            format!("may be in use, because {}; give another device", unsure.what)
        }
    };
    Err(RefusedTarget::unfit(path, what))
}

/// Why the device at `path` must not be written even if that was allowed, with what to do; `None`
/// when nothing uses it, or it is no device. Opens nothing.
pub(in crate::target) fn who_uses(path: &Path) -> Option<String> {
    let (kind, number) = device_at(path).ok()?;
    let number = match kind {
        TargetKind::NvmeGeneric => {
            let metadata = fs::metadata(path).ok()?;
            match generic::resolve(&metadata, path) {
                Ok(namespace) => namespace.block.number,
                Err(unsure) => return Some(words_of(unsure)),
            }
        }
        _ => number,
    };
    refuse_used_number(path, number).err().map(words_of)
}

/// A refusal without the path that it begins with.
fn words_of(refused: RefusedTarget) -> String {
    match refused {
        RefusedTarget::Unfit { what, .. } => what,
        other => other.to_string(),
    }
}

fn not_allowed(path: &Path, number: Number, allowed: &[PathBuf]) -> RefusedTarget {
    let same = allowed.iter().find(|one| device_at(one).is_ok_and(|(_, there)| there == number));
    let shown = path.display();
    let what = match same {
        Some(other) => format!(
            "is the device that --allow-device calls {}; give the same path in both places",
            other.display()
        ),
        None => format!(
            "is a device, and writing to it destroys what it holds; add --allow-device {shown} if \
             that is meant, or give a file"
        ),
    };
    RefusedTarget::unfit(path, what)
}

/// The kind and number of the device that `path` leads to.
fn device_at(path: &Path) -> Result<(TargetKind, Number), RefusedTarget> {
    let there = fs::metadata(path).map_err(|error| RefusedTarget::io("find", path, error))?;
    if let Some(kind @ (TargetKind::Block | TargetKind::NvmeGeneric)) = TargetKind::of(&there) {
        return Ok((kind, Number::of(there.rdev())));
    }
    let what = "is not a block device or an NVMe generic device; leave --allow-device out";
    Err(RefusedTarget::unfit(path, what))
}

/// Whether two paths are spelled alike; `Path` takes more for equal than that.
fn same_text(one: &Path, other: &Path) -> bool {
    one.as_os_str() == other.as_os_str()
}

fn size_of(mut file: &File) -> io::Result<u64> {
    io::Seek::seek(&mut file, io::SeekFrom::End(0))
}
