//! The files of a stress test, and the model of what they hold.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::data::DataStream;
use crate::engine::Files;
use crate::memory::{Mapping, MemoryKind, Region};
use crate::target::Alignment;

/// Bytes in each file. The last one ends inside a page, and inside a sector.
const LENGTHS_BYTES: [usize; 3] = [8 << 20, 8 << 20, (1 << 20) + 12_345];
/// The target that is the first file once more, opened to read.
pub(super) const READ_ONLY: u16 = 3;
/// Bytes of a file that are read at a time to be compared.
const STEP_BYTES: usize = 1 << 20;

/// A few open files without a name, and what each byte of them must be.
#[derive(Debug)]
pub(super) struct Disk {
    seed: u64,
    /// Of the latest write. Each has a content of its own.
    version: u32,
    pub(super) direct: bool,
    /// Of offsets, lengths and addresses.
    pub(super) alignment_bytes: u32,
    targets: Files,
    /// By file.
    models: Vec<Vec<u8>>,
    /// Writes of this round, whatever became of them, in the order of their versions; to explain
    /// bytes that should not be there.
    history: Vec<Written>,
    /// Where files are read to, aligned for direct I/O.
    scratch: Region,
}

/// A range of a file that a write was to fill, whether it has or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) target: u16,
    pub(super) offset_bytes: u64,
    pub(super) length_bytes: u32,
    pub(super) version: u32,
}

impl Disk {
    /// New files in the folder for temporary files; `None` when that refuses direct I/O.
    pub(super) fn make(direct: bool, seed: u64) -> Option<Self> {
        let scratch = Mapping::reserve(STEP_BYTES, MemoryKind::Small);
        let scratch = scratch.expect("a test asks for little memory").0;
        let mut disk = Self {
            seed,
            version: 0,
            direct,
            alignment_bytes: 1,
            targets: Arc::new([]),
            models: Vec::new(),
            history: Vec::new(),
            scratch,
        };
        let mut targets = Vec::new();
        let mut read_only = None;
        for (target, length) in (0..).zip(LENGTHS_BYTES) {
            let mut model = vec![0; length];
            content(seed, target, 0, 0, &mut model);
            let (file, to_read) = open_new(&model, direct)?;
            if direct {
                let alignment = Alignment::of(&file).ok()?.offset_bytes;
                disk.alignment_bytes = disk.alignment_bytes.max(alignment);
            }
            disk.models.push(model);
            targets.push(file);
            read_only.get_or_insert(to_read);
        }
        targets.extend(read_only);
        disk.targets = targets.into_iter().map(Arc::new).collect();
        Some(disk)
    }

    /// The targets: each file, and then the first one again, opened to read.
    pub(super) fn files(&self) -> &Files {
        &self.targets
    }

    /// Bytes in the file of `target`.
    pub(super) fn length_bytes(&self, target: u16) -> u64 {
        self.models[file_of(target)].len() as u64
    }

    /// The number of the next write.
    pub(super) fn next_version(&mut self) -> u32 {
        self.version += 1;
        self.version
    }

    /// Forgets the writes of the last round.
    pub(super) fn begin_round(&mut self) {
        self.history.clear();
    }

    /// Puts what `written` is to write into `bytes`.
    pub(super) fn fill(&mut self, written: Written, bytes: &mut [u8]) {
        self.history.push(written);
        let Written { target, offset_bytes, version, .. } = written;
        content(self.seed, target, version, offset_bytes, bytes);
    }

    /// Asserts that `found` is what the file must hold from `offset_bytes` on.
    pub(super) fn assert_holds(&self, target: u16, offset_bytes: u64, found: &[u8]) {
        let start = index(offset_bytes);
        let expected = &self.models[file_of(target)][start..start + found.len()];
        if found == expected {
            return;
        }
        let differ = |(a, b): (&u8, &u8)| a != b;
        let differences = || found.iter().zip(expected);
        let first = differences().position(differ).expect("they differ");
        let last = differences().rposition(differ).expect("they differ");
        panic!(
            "target {target} holds other bytes than it must from {} to {}, out of {} compared at \
             {offset_bytes}, direct I/O {}; the writes of the round to the first of them:{}",
            offset_bytes + first as u64,
            offset_bytes + last as u64,
            found.len(),
            self.direct,
            self.explain(target, offset_bytes + first as u64, &found[first..])
        );
    }

    /// The writes of this round to the byte at `offset_bytes`, with which of them `found` is of.
    fn explain(&self, target: u16, offset_bytes: u64, found: &[u8]) -> String {
        let covers = |written: &&Written| {
            let end = written.offset_bytes + u64::from(written.length_bytes);
            same_file(written.target, target) && (written.offset_bytes..end).contains(&offset_bytes)
        };
        let describe = |written: &Written| {
            let mut bytes = [0; 8];
            content(self.seed, written.target, written.version, offset_bytes, &mut bytes);
            let count = found.len().min(bytes.len());
            let is = if found[..count] == bytes[..count] { "is found" } else { "is not found" };
            format!("\n{written:?} {is}")
        };
        self.history.iter().filter(covers).map(describe).collect()
    }

    /// Takes note that `written` was written.
    pub(super) fn note(&mut self, written: Written) {
        let Written { target, offset_bytes, length_bytes, version } = written;
        let start = index(offset_bytes);
        let place = &mut self.models[file_of(target)][start..start + length_bytes as usize];
        content(self.seed, target, version, offset_bytes, place);
    }

    /// Compares all files with the model. Each byte that one of `uncertain` was to write must be
    /// what it was before or what was to be written, and is from then on what it is. Returns how
    /// many bytes were compared.
    pub(super) fn check(&mut self, uncertain: &[Written]) -> u64 {
        let mut checked = 0;
        for (target, _length) in (0_u16..).zip(LENGTHS_BYTES) {
            let file = usize::from(target);
            let mut at = 0;
            while at < self.models[file].len() {
                let bytes = self.scratch.as_mut_slice();
                let read = self.targets[file].read_at(bytes, at as u64);
                let read = read.expect("a file of the test can be read");
                let model = &mut self.models[file][at..];
                assert!(read == model.len().min(STEP_BYTES), "a file has changed its length");
                let model = &mut model[..read];
                if bytes[..read] != *model {
                    for written in uncertain.iter().filter(|written| written.target == target) {
                        settle(self.seed, *written, at, &bytes[..read], model);
                    }
                    self.assert_holds(target, at as u64, &self.scratch.as_slice()[..read]);
                }
                at += read;
                checked += read as u64;
            }
        }
        checked
    }
}

/// Which file `target` is.
fn file_of(target: u16) -> usize {
    if target == READ_ONLY { 0 } else { target.into() }
}

/// Whether two targets are the same file.
pub(super) fn same_file(one: u16, other: u16) -> bool {
    file_of(one) == file_of(other)
}

fn index(offset_bytes: u64) -> usize {
    usize::try_from(offset_bytes).expect("a small file")
}

/// The content that write number `version` gives to the range of the file at `offset_bytes`.
fn content(seed: u64, target: u16, version: u32, offset_bytes: u64, bytes: &mut [u8]) {
    // Versions get streams of their own, because the loops of a stream differ in few bytes.
    let seed = seed.wrapping_add(u64::from(target) << 48);
    DataStream::new(seed, version).fill(offset_bytes, version, bytes);
}

/// Takes what is in the file over into the model, where it is what `written` was to write.
fn settle(seed: u64, written: Written, at: usize, found: &[u8], model: &mut [u8]) {
    let mut whole = vec![0; written.length_bytes as usize];
    content(seed, written.target, written.version, written.offset_bytes, &mut whole);
    let start = index(written.offset_bytes);
    for place in start.max(at)..(start + whole.len()).min(at + found.len()) {
        if found[place - at] == whole[place - start] {
            model[place - at] = found[place - at];
        }
    }
}

/// A file of `bytes` without a name, to read and write, and again to read only.
fn open_new(bytes: &[u8], direct: bool) -> Option<(File, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("aio-stress-{}-{number}", process::id()));
    let plain = File::options().write(true).create_new(true).open(&path);
    let plain = plain.expect("a temporary file can be made");
    let flags = if direct { libc::O_DIRECT } else { 0 };
    let open = |write| File::options().read(true).write(write).custom_flags(flags).open(&path);
    let both = open(true).and_then(|file| Ok((file, open(false)?)));
    fs::remove_file(&path).expect("a file that was just made can be removed");
    plain.write_all_at(bytes, 0).expect("the temporary file has room");
    plain.sync_all().expect("the temporary file can be made durable");
    if direct { both.ok() } else { Some(both.expect("a new file can be opened again")) }
}
