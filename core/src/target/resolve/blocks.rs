//! Files that blocks lie in: used as they are where they are there, else made.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ResolveError, Resolver, end_of, refused};
use crate::data::DataStream;
use crate::plan::{
    Access, Blocks, Checksum, Direction, Order, Origin, Pattern, Phase, Plan, SizeShare,
    TensorGroup,
};
use crate::receipt::Receipt;
use crate::target::alignment::Alignment;
use crate::target::device::is_device;
use crate::target::guard::{RefusedTarget, may_write, open_to_write_in_place};
use crate::target::mark::layout;
use crate::target::share::MadeForBlocks;
use crate::target::tasklet::{Source, Tasklet, TaskletFile};

impl Resolver<'_> {
    /// The tasklets of a group that goes through its files in blocks.
    pub(super) fn group_of_blocks(
        &mut self,
        phase: &Phase,
        blocks: &Blocks,
        group: &TensorGroup,
        tasklets: &mut Vec<Tasklet>,
    ) -> Result<(), ResolveError> {
        // A file that tasklets share is opened, or made, once.
        let mut known: HashMap<PathBuf, (Source, u64)> = HashMap::new();
        for _ in 0..group.tasklets {
            let tid = u32::try_from(tasklets.len()).unwrap_or(u32::MAX);
            let asked = group.sizes_bytes.first().copied();
            let path = group.path.expand(tid, 0, asked.unwrap_or(0));
            let (source, size_bytes) = match known.get(&path) {
                Some(shared) => shared.clone(),
                None => self.file_of_blocks(&path, phase.direction, blocks, group, tid)?,
            };
            if phase.direction == Direction::Trim {
                self.can_trim(&path, &source, blocks)?;
            }
            known.insert(path.clone(), (source.clone(), size_bytes));
            let files = vec![TaskletFile { path, source }];
            let (direction, access) = (phase.direction, phase.access.clone());
            tasklets.push(Tasklet { tid, direction, size_bytes, access, files });
        }
        Ok(())
    }

    /// Where the file comes from, and how long the range in it is.
    fn file_of_blocks(
        &mut self,
        path: &Path,
        direction: Direction,
        blocks: &Blocks,
        group: &TensorGroup,
        tid: u32,
    ) -> Result<(Source, u64), ResolveError> {
        let asked = group.sizes_bytes.first().copied();
        let at = blocks.offset_bytes;
        if let Some(given) = self.given {
            self.align(&given.file, path)?;
            let size_bytes = self.range_of(path, &given.file, at, asked)?;
            return Ok((Source::Open(Arc::clone(&given.file)), size_bytes));
        }
        let missing =
            matches!(fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound);
        match (missing, direction.changes_target(), asked.filter(|_| group.origin == Origin::Made))
        {
            (true, _, None) => {
                let what = "does not exist; give --size to have it made";
                Err(RefusedTarget::unfit(path, what).into())
            }
            (true, _, Some(size_bytes)) => {
                self.refuse_among_devices(path)?;
                may_write(path, self.plan.overwrite)?;
                self.try_folder(path)?;
                let fill = match (direction, blocks.pattern) {
                    // What is written from front to end allocates as it goes, as a new file does.
                    (Direction::Write, Pattern::Sequential) => None,
                    _ => Some(
                        DataStream::new(self.plan.seed, tid).compressible(blocks.compress_percent),
                    ),
                };
                let made = Arc::new(MadeForBlocks::new(direction, fill));
                Ok((Source::MakeForBlocks(made), size_bytes))
            }
            (false, false, _) => {
                let file = self.open(path)?;
                refuse_other_checksum(path, &file, blocks.verify)?;
                let size_bytes = self.range_of(path, &file, at, asked)?;
                Ok((Source::Open(file), size_bytes))
            }
            (false, true, _) if is_device(path) => {
                let file = self.device_to_write(path)?;
                let size_bytes = self.range_of(path, &file, at, asked)?;
                Ok((Source::Open(file), size_bytes))
            }
            (false, true, _) => {
                let (direct, overwrite) = (self.direct(), self.plan.overwrite);
                let file = open_to_write_in_place(path, direct, overwrite, None)?;
                self.align(&file, path)?;
                let size_bytes = self.range_of(path, &file, at, asked)?;
                Ok((Source::WriteInPlace(Arc::new(file)), size_bytes))
            }
        }
    }

    /// The bytes of `file` that the range covers: as asked, or all of them.
    fn range_of(
        &self,
        path: &Path,
        file: &fs::File,
        offset_bytes: u64,
        asked: Option<u64>,
    ) -> Result<u64, ResolveError> {
        let end = end_of(file, path)?;
        let Some(there) = end.checked_sub(offset_bytes).filter(|there| *there > 0) else {
            let what = format!("has {end} bytes, and --offset {offset_bytes} leaves nothing of it");
            return Err(RefusedTarget::unfit(path, what).into());
        };
        let asked = asked.unwrap_or(there);
        let block_bytes = self.plan.block_size_bytes;
        let what = if asked > there {
            let from = if offset_bytes > 0 {
                format!(" from --offset on, of {end}")
            } else {
                String::new()
            };
            format!(
                "has {there} bytes{from} and --size asks for {asked}; give a smaller --size, or \
                 another name to have a file made"
            )
        } else if asked < block_bytes {
            format!("has {there} bytes, which is no whole block of {block_bytes} bytes")
        } else {
            return Ok(asked);
        };
        Err(RefusedTarget::unfit(path, what).into())
    }
}

/// Refuses to check blocks by what a mark on the file says that they do not carry.
fn refuse_other_checksum(
    path: &Path,
    file: &fs::File,
    asked: Option<Checksum>,
) -> Result<(), RefusedTarget> {
    match (asked, layout(file).map(|layout| layout.checksum)) {
        (Some(asked), Some(carried)) if asked != carried => {
            let what = format!("was written with {carried}; read it with --verify {carried}");
            Err(RefusedTarget::unfit(path, what))
        }
        _ => Ok(()),
    }
}

/// Rounds the sizes of requests up to what direct I/O needs, and says so; where the range begins is
/// not moved.
///
/// # Errors
/// When the range begins where direct I/O cannot.
pub(super) fn align(
    tasklet: &mut Tasklet,
    alignment: Alignment,
) -> Result<Option<Receipt>, ResolveError> {
    let step = alignment.offset_bytes;
    let Access::Blocks(blocks) = &mut tasklet.access else { return Ok(None) };
    if !blocks.offset_bytes.is_multiple_of(step.into()) {
        let accepted = format!("O_DIRECT needs a multiple of {step} here");
        return Err(refused("offset", &blocks.offset_bytes.to_string(), &accepted));
    }
    let told = |sizes: &[SizeShare]| {
        let one = |share: &SizeShare| format!("{}/{}", share.bytes, share.percent);
        sizes.iter().map(one).collect::<Vec<_>>().join(":")
    };
    let asked = told(&blocks.sizes);
    for share in &mut blocks.sizes {
        let rounded = alignment.round_up(share.bytes.into());
        share.bytes = u32::try_from(rounded).expect("a block is at most 1 GiB");
    }
    let granted = told(&blocks.sizes);
    let why = format!("O_DIRECT moves multiples of {step} bytes here");
    Ok((asked != granted).then(|| Receipt::downgraded("bssplit", &asked, &granted, &why)))
}

/// The receipt for the order of requests that are verified.
pub(super) fn verified_in_rounds(tasklet: &Tasklet, plan: &Plan) -> Option<Receipt> {
    tasklet.access.blocks().filter(|blocks| blocks.verify.is_some())?;
    let why = "with --verify a queue is filled when it has run empty, so that blocks are stamped \
               and checked while no request is in flight; the rate includes the time for that, and \
               latencies do not; --sequential-requests asks for that";
    (plan.order == Order::Overlap)
        .then(|| Receipt::downgraded("order", "overlap", "sequential", why))
}

/// Cuts the range of a tasklet of blocks down to whole ones, and says so when something is left
/// out.
pub(super) fn cut_to_whole_blocks(tasklet: &mut Tasklet, block_bytes: u64) -> Option<Receipt> {
    let left_bytes = match tasklet.access {
        Access::Tensor => 0,
        Access::Blocks(_) => tasklet.size_bytes % block_bytes,
    };
    if left_bytes == 0 {
        return None;
    }
    let asked = tasklet.size_bytes.to_string();
    tasklet.size_bytes -= left_bytes;
    let granted = tasklet.size_bytes.to_string();
    let why = format!("the last {left_bytes} bytes are no whole block of {block_bytes} bytes");
    Some(Receipt::downgraded("size", &asked, &granted, &why))
}

#[cfg(test)]
mod tests;
