//! A check of trims of a block device: of a loop device, whose discards punch holes into the file
//! that it shows, or of the disk that `AIO_TEST_NVME` names, whose contents may be destroyed.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::fixture::{BLOCK_BYTES, Exchange, bare_request, part, pattern, setup};
use super::skip;
use crate::engine::{Backend, Errno, Files, LaneSetup, Needs, Operation, Operations, Request};
use crate::target::{TargetKind, TrimWay, trim_of};

const BLOCKS: u32 = 16;
const LENGTH: usize = (BLOCKS * BLOCK_BYTES) as usize;

/// Tells temporary files apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A disk to try on.
struct Disk {
    device: PathBuf,
    /// Of a loop device: the temporary file that it shows. Both go when this is dropped.
    shown: Option<PathBuf>,
}

impl Disk {
    /// The disk that is named, or a loop device that holds [`pattern`] 0; `None`, said aloud, where
    /// that cannot be had.
    fn get() -> Option<Self> {
        if let Some(named) = env::var_os("AIO_TEST_NVME") {
            return Some(Self { device: named.into(), shown: None });
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let shown = env::temp_dir().join(format!("aio-discards-{}-{number}", process::id()));
        fs::write(&shown, pattern(0, LENGTH)).expect("a temporary file can be made");
        let attached = Command::new("losetup").args(["--find", "--show"]).arg(&shown).output();
        match attached {
            Ok(output) if output.status.success() => {
                let device = String::from_utf8_lossy(&output.stdout).trim_end().into();
                Some(Self { device, shown: Some(shown) })
            }
            _ => {
                let _best_effort = fs::remove_file(&shown);
                skip("no loop device can be attached, to discard blocks of");
                None
            }
        }
    }

    /// The device, opened for direct I/O.
    fn open(&self) -> Arc<File> {
        let mut options = File::options();
        options.read(true).write(true).custom_flags(libc::O_DIRECT);
        Arc::new(options.open(&self.device).expect("a disk to try on can be opened"))
    }

    /// Fills the first of it with [`pattern`] 0.
    fn fill(&self) {
        let device = File::options().write(true).open(&self.device).expect("it can be written");
        device.write_all_at(&pattern(0, LENGTH), 0).expect("it is longer than that");
        device.sync_all().expect("it can be flushed");
    }

    /// The first of it: of the file behind a loop device, else through the page cache, which a
    /// discard empties.
    fn bytes(&self) -> Vec<u8> {
        let file = File::open(self.shown.as_ref().unwrap_or(&self.device)).expect("it is there");
        let mut bytes = vec![0; LENGTH];
        file.read_exact_at(&mut bytes, 0).expect("it is as long as it was");
        bytes
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(shown) = &self.shown {
            let _best_effort = Command::new("losetup").arg("-d").arg(&self.device).status();
            let _best_effort = fs::remove_file(shown);
        }
    }
}

/// Discards blocks of a disk and looks at what it holds then. Left out aloud where there is no disk
/// to try on, or the backend's probe refuses it.
///
/// # Panics
/// When other bytes are gone than were to go.
pub fn discards<B: Backend>(backend: &B) {
    let Some(disk) = Disk::get() else { return };
    disk.fill();
    let device = disk.open();
    let unit = match trim_of(&device) {
        Ok(trim) => {
            assert_eq!(trim.way, TrimWay::Discard);
            trim.alignment.offset_bytes
        }
        Err(refused) => return skip(&refused.sentence()),
    };
    let operations = Operations::of(&[Operation::Trim]);
    let depth = 2;
    let needs = Needs {
        target: Some(Arc::clone(&device)),
        kinds: [TargetKind::Block].into(),
        ..Needs::new(operations, depth)
    };
    if let Err(unsupported) = backend.probe(&needs) {
        skip(&format!("{}: {}", backend.name(), unsupported.sentence()));
        return;
    }
    let length_bytes = BLOCK_BYTES.max(unit);
    let trim = |tag, offset_bytes, length_bytes| Request {
        offset_bytes,
        length_bytes,
        ..bare_request(Operation::Trim, tag)
    };
    // The second is of no whole sectors, which no device discards.
    let requests = vec![trim(0, length_bytes.into(), length_bytes), trim(1, 1, 511)];
    let part = part(1);
    let files: Files = [Arc::clone(&device)].into();
    let setup = LaneSetup { operations, ..setup(depth, files, &part) };
    let done = backend.with_engine(setup, Exchange(requests)).expect("its probe was fine");
    assert_eq!(done[0].result(), Ok(0), "a discard does not complete with 0");
    assert_eq!(done[1].result(), Err(Errno(libc::EINVAL)), "a discard of half a sector");
    let mut want = pattern(0, LENGTH);
    let start = length_bytes as usize;
    let mut bytes = disk.bytes();
    // What a disk says of blocks that it has forgotten is its own affair; a hole is zeros.
    want[start..2 * start].fill(0);
    if disk.shown.is_none() {
        bytes[start..2 * start].fill(0);
    }
    assert!(bytes == want, "a discard took other bytes than it was told to");
}
