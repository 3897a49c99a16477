//! One round: an engine, a random walk, and what must be true when both are gone.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

use super::StressReport;
use super::disk::Disk;
use super::draw;
use super::walk::{OWN_PANIC, State, Walk};
use crate::engine::{Backend, LaneSetup, OpenError};
use crate::memory::{Block, Mapping, MemoryKind, Part};
use crate::testing::dice::Dice;

/// Bytes in the largest block.
pub(super) const BLOCK_BYTES_MAX: u32 = 1 << 20;
/// What block sizes are a multiple of, where direct I/O does not ask for more.
const SECTOR_BYTES: u32 = 512;
/// Bytes of memory of the largest round.
const MEMORY_BYTES_MAX: u32 = 32 << 20;
/// How often to try to open an engine whose probe was fine: the kernel frees what the last round
/// held a little later.
const OPENINGS_MAX: u32 = 100;

/// What a round is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) depth: u32,
    pub(super) largest_bytes: u32,
    pub(super) steps: u32,
    /// Bytes after which the round goes to its end.
    pub(super) budget_bytes: u64,
    pub(super) ending: Ending,
}

/// How a lane ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It drains the engine.
    Drains,
    /// It reaps until nothing is in flight.
    Finishes,
    /// It returns with requests queued and in flight.
    Returns,
    /// It panics with requests queued and in flight.
    Panics,
}

impl Shape {
    fn new(dice: &mut Dice, depth_max: u32, alignment_bytes: u32) -> Self {
        let unit = alignment_bytes.max(SECTOR_BYTES);
        let depth = dice.size(depth_max);
        let most = BLOCK_BYTES_MAX.min(MEMORY_BYTES_MAX / (depth + 1));
        Self {
            depth,
            largest_bytes: dice.size(most / unit) * unit,
            steps: 10 + dice.below(150),
            budget_bytes: 32 << 20,
            ending: dice.pick(&[
                Ending::Drains,
                Ending::Finishes,
                Ending::Finishes,
                Ending::Returns,
                Ending::Panics,
            ]),
        }
    }
}

/// Runs one round. Returns whether the kernel kept memory of it.
pub(super) fn round<B: Backend>(
    backend: &B,
    mut dice: Dice,
    depth_max: u32,
    disk: &mut Disk,
    report: &mut StressReport,
) -> bool {
    let shape = Shape::new(&mut dice, depth_max, disk.alignment_bytes);
    disk.begin_round();
    let kind = dice.pick(&[MemoryKind::Small, MemoryKind::Thp]);
    // One block more than tags, for requests that are given back.
    let blocks = shape.depth + 1;
    let (region, _receipts) = Mapping::reserve((blocks * shape.largest_bytes) as usize, kind)
        .expect("a test asks for little memory");
    let mut part = Part::new(region, shape.largest_bytes, blocks as usize);
    let setup = LaneSetup {
        queue_depth: shape.depth,
        largest_block_bytes: shape.largest_bytes,
        operations: draw::operations(),
        files: disk.files().clone(),
        segments: part.segments(),
    };
    let lend = |_| part.lend(shape.largest_bytes).expect("the part was made for as many blocks");
    let home: Vec<Block> = (0..blocks).map(lend).collect();
    let mut walk = Walk::new(dice, shape, disk, report, backend.moves_data(), home);
    run(backend, &setup, &mut walk);
    drop(setup);

    // What was reaped before the lane left is as good as if it had stayed.
    walk.settle();
    for block in walk.home.drain(..) {
        part.take_back(block).expect("a completion brings back the block that went in");
    }
    let still_out = walk.sent().filter(|sent| sent.block.is_some()).count();
    let leaves = matches!(shape.ending, Ending::Returns | Ending::Panics);
    assert!(leaves || walk.sent().count() == 0, "requests were lost: {:?}", walk.states);
    let submitted = |state: &&State| matches!(state, State::InFlight(_));
    let in_flight = walk.states.iter().filter(submitted).count();
    // Also true of the blocks that were leaked: nobody else can have freed their memory.
    assert_eq!(part.is_whole(), still_out == 0, "blocks came back that nobody reaped");
    let leaked = part.mapping_owners_elsewhere();
    if leaked > 0 {
        assert!(leaves && in_flight > 0, "{leaked} owners of memory are left of {shape:?}");
        eprintln!(
            "stress: the kernel kept memory of {in_flight} requests: {leaked} owners are left"
        );
        report.leaked += 1;
        return true;
    }
    if backend.moves_data() {
        let uncertain = walk.settle_what_was_left();
        report.files_bytes += disk.check(&uncertain);
    }
    if still_out == 0 {
        let bytes = part.rewind().map(|bytes| bytes.len());
        assert!(bytes.is_some(), "a whole part does not rewind");
        assert!(part.into_region().is_ok(), "a whole part does not become its region");
    }
    false
}

/// Lends the walk an engine, and swallows the panic that it makes on purpose.
fn run<B: Backend>(backend: &B, setup: &LaneSetup, walk: &mut Walk<'_>) {
    let panics = walk.shape.ending == Ending::Panics;
    for _opening in 0..OPENINGS_MAX {
        let lent = || backend.with_engine(setup.clone(), &mut *walk);
        match catch_unwind(AssertUnwindSafe(lent)) {
            Ok(Ok(())) => {
                assert!(!panics, "a lane's panic does not reach the caller");
                return;
            }
            Ok(Err(error)) => opening_failed(&error),
            Err(panic) => {
                if panic.downcast_ref::<&str>() == Some(&OWN_PANIC) {
                    return;
                }
                resume_unwind(panic);
            }
        }
    }
    panic!("no engine of {:?} opens", walk.shape);
}

fn opening_failed(error: &OpenError) {
    eprintln!("stress: an engine did not open: {error:?}");
    thread::sleep(Duration::from_millis(100));
}
