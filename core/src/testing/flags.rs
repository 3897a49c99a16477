//! Checks for engines with flags on their requests: what the suite of all engines, which is on
//! buffered files in the page cache, does not bring about.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::fixture::{
    BLOCK_BYTES, Exchange, Store, bring_home, lend, part, pattern, reads, request, setup,
};
use super::skip;
use crate::engine::{
    Backend, Completion, EngineCounters, Files, IoEngine, Lane, LaneSetup, Needs, Operation,
    Operations, Request,
};
use crate::memory::Part;
use crate::target::TargetKind;

const BLOCKS: u32 = 16;
const LENGTH: usize = (BLOCKS * BLOCK_BYTES) as usize;

/// Results in the engine's counters as well.
struct Counted(Exchange);

impl Lane for Counted {
    type Output = (Vec<Completion>, EngineCounters);

    fn run<E: IoEngine>(self, engine: &mut E) -> Self::Output {
        let completions = self.0.run(engine);
        (completions, engine.counters())
    }
}

/// Has `requests` done at once; none where the backend cannot run.
fn exchange<B: Backend>(
    backend: &B,
    files: &Files,
    part: &Part,
    buffered: bool,
    requests: Vec<Request>,
) -> Option<(Vec<Completion>, EngineCounters)> {
    let operations = Operations::of(&[requests[0].operation]);
    let depth = u32::try_from(requests.len()).expect("a check makes few requests");
    let setup = LaneSetup { operations, ..setup(depth, Arc::clone(files), part) };
    let target = files.first().cloned();
    let kinds = [TargetKind::File].into();
    let largest_block_bytes = BLOCK_BYTES;
    let needs =
        Needs { target, buffered, kinds, largest_block_bytes, ..Needs::new(operations, depth) };
    if let Err(unsupported) = backend.probe(&needs) {
        skip(&format!("{}: {}", backend.name(), unsupported.sentence()));
        return None;
    }
    let (completions, counters) =
        backend.with_engine(setup, Counted(Exchange(requests))).expect("its probe was fine");
    for completion in &completions {
        assert_eq!(completion.result(), Ok(BLOCK_BYTES), "a transfer was cut short or failed");
    }
    assert_eq!((counters.submitted, counters.reaped), (depth.into(), depth.into()));
    Some((completions, counters))
}

/// Asserts that the completions' blocks hold [`pattern`] `salt`.
fn assert_pattern(completions: &[Completion], salt: usize) {
    let want = pattern(salt, LENGTH);
    for (completion, bytes) in completions.iter().zip(want.chunks(BLOCK_BYTES as usize)) {
        let block = completion.block.as_ref().expect("a read has a block");
        assert!(block.as_slice() == bytes, "block {} holds something else", completion.tag);
    }
}

/// Writes blocks by direct I/O and reads them back. Left out aloud where the folder for temporary
/// files has no direct I/O, or the backend cannot run.
///
/// # Panics
/// When the data is not what was written.
pub fn direct_round_trip<B: Backend>(backend: &B) {
    let store = Store::new(LENGTH);
    let path = format!("/proc/self/fd/{}", store.file.as_raw_fd());
    let direct = File::options().read(true).write(true).custom_flags(libc::O_DIRECT).open(path);
    let Ok(direct) = direct else {
        skip("the folder for temporary files has no direct I/O");
        return;
    };
    let files: Files = Arc::new([Arc::new(direct)]);
    let mut part = part(BLOCKS);
    let writes = pattern(1, LENGTH)
        .chunks(BLOCK_BYTES as usize)
        .zip(0..)
        .map(|(bytes, tag)| {
            let mut block = lend(&mut part);
            block.as_mut_slice().copy_from_slice(bytes);
            request(Operation::Write, tag, block, u64::from(tag * BLOCK_BYTES))
        })
        .collect();
    let Some((written, _counters)) = exchange(backend, &files, &part, false, writes) else {
        return;
    };
    bring_home(&mut part, written);
    assert!(store.bytes(0, LENGTH) == pattern(1, LENGTH), "the file holds something else");
    let mut part = self::part(BLOCKS);
    let requests = reads(&mut part, 0, BLOCKS);
    let Some((read, _counters)) = exchange(backend, &files, &part, false, requests) else { return };
    assert_pattern(&read, 1);
    bring_home(&mut part, read);
}

/// Reads `depth` blocks at once of a file, buffered, that are not in the page cache, as far as that
/// can be brought about, and says what the engine has counted; nothing where the backend cannot
/// run.
///
/// # Panics
/// When the data is not what the file holds.
pub fn cold_reads<B: Backend>(backend: &B, depth: u32) -> Option<EngineCounters> {
    let store = Store::new(LENGTH);
    store.file.sync_all().expect("a temporary file can be flushed");
    posix_fadvise(&store.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
        .expect("advice is never refused for a regular file");
    let mut part = part(depth);
    let requests = reads(&mut part, 0, depth);
    let (read, counters) = exchange(backend, &store.files(), &part, true, requests)?;
    assert_pattern(&read, 0);
    bring_home(&mut part, read);
    Some(counters)
}
