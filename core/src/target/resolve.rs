//! Holds a plan against the files that are there. Changes nothing.

mod blocks;
mod trims;

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::alignment::Alignment;
use super::conflicts::{refuse_among_devices, refuse_missing_with_a_hint, refuse_shared_writes};
use super::describe::{Mounts, folder_of};
use super::device::{Devices, HeldDevice, TargetKind, is_device, namespace_of};
use super::doubts::{describe, doubts};
use super::file_id::FileId;
use super::guard::{RefusedTarget, may_write, open_existing};
use super::memory::refuse_too_much_memory;
use super::open::{Given, try_folder_of};
use super::space::Room;
use super::tasklet::{Source, Tasklet, TaskletFile};
use crate::engine::Errno;
use crate::memory::numa_node_exists;
use crate::plan::{
    Access, Direction, Origin, Phase, Plan, PlanError, TensorGroup, lanes_have_blocks,
};
use crate::receipt::{Receipt, merge};
use crate::report::{Doubt, TargetReport};

/// A plan that cannot be run on this machine, found out before anything was created.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The plan contradicts itself or what the files are.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A target is refused.
    #[error(transparent)]
    Target(#[from] RefusedTarget),
    /// The buffers are larger than the memory.
    #[error(
        "the buffers and queues need {} of memory and {} are available{}: {}; use {cure} or fewer \
         --threads",
        amount(*asked_bytes),
        amount(*available_bytes),
        if *of_group { " in the control group of this process" } else { "" },
        Errno(libc::ENOMEM)
    )]
    Memory {
        /// What makes the buffers smaller.
        cure: &'static str,
        /// Bytes of all buffers and queues that are in use together.
        asked_bytes: u64,
        /// What `/proc/meminfo` calls available, or the control group leaves.
        available_bytes: u64,
        /// Whether it is the control group that leaves no more.
        of_group: bool,
    },
    /// What would be written is larger than the room for it.
    #[error(
        "what would be written in {} needs {} more and {} are free, of which a twentieth is kept \
         back: {}; use a smaller size, or another place",
        at.display(),
        amount(*asked_bytes),
        amount(*free_bytes),
        Errno(libc::ENOSPC)
    )]
    Space {
        /// One of the files, or its folder where it is missing.
        at: PathBuf,
        /// Bytes that all files on its file system need.
        asked_bytes: u64,
        /// Bytes that are free there.
        free_bytes: u64,
    },
}

/// In whole units that lose nothing that matters.
fn amount(bytes: u64) -> String {
    match bytes {
        ..0x100_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// A plan together with what it means on this machine.
#[derive(Debug)]
pub struct Resolved {
    /// Groups of tasklets that run together, one after the other.
    pub waves: Vec<Vec<Tasklet>>,
    /// Bytes per request, rounded up for direct I/O.
    pub block_bytes: u32,
    /// What lengths and offsets are multiples of.
    pub alignment: Alignment,
    /// What became of the plan's options.
    pub receipts: Vec<Receipt>,
    /// The targets, for the report.
    pub targets: Vec<TargetReport>,
    /// Why numbers of a direction will be doubtful.
    pub doubts: Vec<(Direction, Doubt)>,
    /// The room that it takes on file systems.
    pub room: Room,
    /// Devices that are written, held for as long as this lives.
    pub held: Vec<Arc<HeldDevice>>,
    /// An open file for engines to be tried on: a target; else a file without a name in the folder
    /// of one, which is on the same device.
    pub sample: Option<Arc<File>>,
}

impl Resolved {
    /// What the targets are, each kind once.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<TargetKind> {
        let files = self.waves.iter().flatten().flat_map(|tasklet| &tasklet.files);
        files.filter_map(TaskletFile::kind).collect()
    }
}

/// Holds `plan` against the machine. With `given`, every tasklet uses that file. Devices that are
/// `held` already may be written through what holds them.
///
/// # Errors
/// Why the plan cannot be run here; nothing was created or changed.
pub fn resolve(
    plan: &Plan,
    given: Option<&Given>,
    held: &[Arc<HeldDevice>],
) -> Result<Resolved, ResolveError> {
    crate::plan::check(plan)?;
    if let Some(node) = plan.numa_node.filter(|node| !numa_node_exists(*node)) {
        return Err(refused("numa-node", &node.to_string(), "the machine has no such node"));
    }
    let allowed = crate::memory::cpus_allowed();
    if let Some(cpu) = plan.cpus.iter().find(|cpu| !allowed.contains(cpu)) {
        let accepted = format!("this process may run on CPUs {allowed:?}");
        return Err(refused("cpus", &cpu.to_string(), &accepted));
    }
    let mut resolver = Resolver {
        plan,
        given,
        alignment: Alignment::NONE,
        folders: HashMap::new(),
        mounts: Mounts::read(),
        devices: Devices::new(&plan.allow_devices, held)?,
        nameless: None,
    };
    let mut phases = Vec::new();
    for phase in &plan.phases {
        let mut tasklets = Vec::new();
        for group in &phase.tensors {
            resolver.group(phase, group, &mut tasklets)?;
        }
        phases.push(tasklets);
    }
    if given.is_none() {
        refuse_shared_writes(&phases)?;
    }
    resolver.finish(phases)
}

fn refused(option: &'static str, value: &str, accepted: &str) -> ResolveError {
    let (value, accepted) = (value.to_owned(), accepted.to_owned());
    PlanError::OutOfRange { option, value, accepted }.into()
}

struct Resolver<'a> {
    plan: &'a Plan,
    given: Option<&'a Given>,
    alignment: Alignment,
    /// Folders that were tried already.
    folders: HashMap<PathBuf, Alignment>,
    mounts: Mounts,
    devices: Devices,
    /// The first file without a name.
    nameless: Option<Arc<File>>,
}

impl Resolver<'_> {
    fn group(
        &mut self,
        phase: &Phase,
        group: &TensorGroup,
        tasklets: &mut Vec<Tasklet>,
    ) -> Result<(), ResolveError> {
        if let Access::Blocks(blocks) = &phase.access {
            return self.group_of_blocks(phase, blocks, group, tasklets);
        }
        let (direction, access) = (phase.direction, phase.access.clone());
        let loops =
            if self.plan.different_file_each_iteration { self.plan.loops_in_all() } else { 1 };
        if u16::try_from(loops).is_err() {
            let accepted = "with a file for each loop there may be 65535 loops";
            return Err(refused("loops", &loops.to_string(), accepted));
        }
        // A file that all tasklets share is opened once.
        let mut opened: HashMap<PathBuf, Arc<File>> = HashMap::new();
        for index in 0..group.tasklets {
            let tid = u32::try_from(tasklets.len()).unwrap_or(u32::MAX);
            let given_size = group.sizes_bytes.get(index as usize % group.sizes_bytes.len().max(1));
            let mut size = given_size.copied();
            let mut files = Vec::new();
            for loop_index in 0..loops {
                let path = group.path.expand(tid, loop_index, size.unwrap_or(0));
                let source = match (self.given, group.origin, direction) {
                    (Some(given), ..) => {
                        self.align(&given.file, &path)?;
                        Source::Open(Arc::clone(&given.file))
                    }
                    (_, Origin::Existing, _) => Source::Open(self.existing(&path, &mut opened)?),
                    (_, Origin::Made, Direction::Read) => {
                        self.source_to_read(&path, size.unwrap_or(0))?
                    }
                    (_, Origin::Made, _) => self.source_to_write(&path)?,
                };
                if let (Source::Open(file), Direction::Read, None) =
                    (&source, direction, self.given)
                {
                    size = Some(self.readable_size(&path, file, size)?);
                }
                files.push(TaskletFile { path, source });
            }
            let size_bytes = size.expect("a size is given or was read off the file");
            let access = access.clone();
            tasklets.push(Tasklet { tid, direction, size_bytes, access, files });
        }
        Ok(())
    }

    fn direct(&self) -> bool {
        !self.plan.buffered
    }

    /// What direct I/O on `file`, which stands for `path`, must be a multiple of.
    fn alignment_of(&self, file: &File, path: &Path) -> Result<Alignment, RefusedTarget> {
        if let Some(namespace) = namespace_of(file, path)? {
            return Ok(Alignment { offset_bytes: namespace.block_bytes, told: true });
        }
        if !self.direct() {
            return Ok(Alignment::NONE);
        }
        Alignment::of(file).map_err(|_refused| RefusedTarget::NoDirectIo { path: path.into() })
    }

    fn align(&mut self, file: &File, path: &Path) -> Result<(), RefusedTarget> {
        self.alignment = self.alignment.and(self.alignment_of(file, path)?);
        Ok(())
    }

    fn open(&mut self, path: &Path) -> Result<Arc<File>, RefusedTarget> {
        let file = open_existing(path, self.direct())?;
        self.align(&file, path)?;
        Ok(Arc::new(file))
    }

    fn existing(
        &mut self,
        path: &Path,
        opened: &mut HashMap<PathBuf, Arc<File>>,
    ) -> Result<Arc<File>, ResolveError> {
        if let Some(file) = opened.get(path) {
            return Ok(Arc::clone(file));
        }
        refuse_missing_with_a_hint(path)?;
        let file = self.open(path)?;
        opened.insert(path.into(), Arc::clone(&file));
        Ok(file)
    }

    /// The bytes to read of a file that is there: as asked, or all of it.
    fn readable_size(
        &self,
        path: &Path,
        file: &File,
        asked: Option<u64>,
    ) -> Result<u64, ResolveError> {
        let there = end_of(file, path)?;
        if there == 0 {
            return Err(RefusedTarget::unfit(path, "is empty; there is nothing to read").into());
        }
        match asked {
            Some(asked) if asked > there => {
                let what = format!("has {there} bytes and {asked} are to be read");
                Err(RefusedTarget::unfit(path, what).into())
            }
            Some(asked) => Ok(asked),
            None => {
                lanes_have_blocks(self.plan, &Access::Tensor, there)?;
                Ok(there)
            }
        }
    }

    fn source_to_write(&mut self, path: &Path) -> Result<Source, ResolveError> {
        if is_device(path) {
            return Ok(Source::Open(self.device_to_write(path)?));
        }
        self.refuse_among_devices(path)?;
        let seen = self.may_write(path)?;
        self.try_folder(path)?;
        Ok(Source::MakeToWrite(seen))
    }

    /// The file that may be overwritten at `path`, if `--overwrite` says so of the one there.
    fn may_write(&self, path: &Path) -> Result<Option<FileId>, RefusedTarget> {
        let seen = may_write(path, self.plan.overwrite)?;
        Ok(seen.filter(|_| self.plan.overwrite))
    }

    fn refuse_among_devices(&self, path: &Path) -> Result<(), RefusedTarget> {
        if self.mounts.file_system_of(path).is_some_and(|there| there.kind == "devtmpfs") {
            return Err(refuse_among_devices(path));
        }
        Ok(())
    }

    /// A device is opened and held; it is never made, emptied, marked or removed.
    fn device_to_write(&mut self, path: &Path) -> Result<Arc<File>, RefusedTarget> {
        let held = self.devices.open_to_write(path, self.direct())?;
        if self.direct() {
            self.alignment = self.alignment.and(held.alignment());
        }
        Ok(Arc::clone(held.file()))
    }

    /// A file to read that is long enough is used as it is; else it is made, where that is allowed.
    fn source_to_read(&mut self, path: &Path, size_bytes: u64) -> Result<Source, ResolveError> {
        if fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() >= size_bytes) {
            return Ok(Source::Open(self.open(path)?));
        }
        let seen = self.may_write(path)?;
        self.try_folder(path)?;
        Ok(Source::MakeToRead(seen))
    }

    fn try_folder(&mut self, path: &Path) -> Result<(), ResolveError> {
        let folder = folder_of(path).to_owned();
        if let Some(alignment) = self.folders.get(&folder) {
            self.alignment = self.alignment.and(*alignment);
            return Ok(());
        }
        let nameless = try_folder_of(path, self.direct()).map_err(|refused| match refused {
            // What the user named is the file, not the folder.
            RefusedTarget::NoDirectIo { .. } => RefusedTarget::NoDirectIo { path: path.into() },
            other => other,
        })?;
        let alignment = self.alignment_of(&nameless, path)?;
        self.alignment = self.alignment.and(alignment);
        self.nameless.get_or_insert_with(|| Arc::new(nameless));
        self.folders.insert(folder, alignment);
        Ok(())
    }

    fn finish(self, mut phases: Vec<Vec<Tasklet>>) -> Result<Resolved, ResolveError> {
        let plan = self.plan;
        let rounded = self.alignment.round_up(plan.block_size_bytes);
        let block_bytes = u32::try_from(rounded).expect("a block is at most 1 GiB");
        let rounded_plan = Plan { block_size_bytes: rounded, ..plan.clone() };
        let mut receipts = vec![block_receipt(plan, rounded, self.alignment)];
        for tasklet in phases.iter_mut().flatten() {
            lanes_have_blocks(&rounded_plan, &tasklet.access, tasklet.size_bytes)?;
            merge(&mut receipts, blocks::align(tasklet, self.alignment)?);
            merge(&mut receipts, blocks::cut_to_whole_blocks(tasklet, rounded));
            merge(&mut receipts, blocks::verified_in_rounds(tasklet, plan));
            self.fits_devices(tasklet)?;
        }
        let waves = if plan.concurrent { vec![phases.concat()] } else { phases };
        refuse_too_much_memory(&rounded_plan, &waves, self.alignment)?;
        let tasklets = waves.iter().flatten();
        let room = Room::of(&rounded_plan, tasklets, &self.mounts);
        // What was given is there already, and goes on with the room that it has.
        let room = if self.given.is_some() { Room::default() } else { room };
        room.check()?;
        let targets = describe(&waves, self.alignment, &self.mounts);
        let doubts = doubts(plan, &waves, &targets);
        let (alignment, held) = (self.alignment, self.devices.into_held());
        let files = waves.iter().flatten().flat_map(|tasklet| &tasklet.files);
        let sample = files.into_iter().find_map(TaskletFile::already_open).cloned();
        let sample = sample.or(self.nameless);
        Ok(Resolved {
            waves,
            block_bytes,
            alignment,
            receipts,
            targets,
            doubts,
            room,
            held,
            sample,
        })
    }

    fn fits_devices(&self, tasklet: &Tasklet) -> Result<(), RefusedTarget> {
        // Blocks are whole ones within the size, so nothing is rounded up.
        let alignment = match tasklet.access {
            Access::Tensor => self.alignment,
            Access::Blocks(_) => Alignment::NONE,
        };
        let held = tasklet.files.iter().filter_map(|file| self.devices.held(&file.path));
        held.filter(|_| tasklet.direction.changes_target())
            .try_for_each(|device| device.has_room(tasklet.end_bytes(), alignment))
    }
}

fn block_receipt(plan: &Plan, rounded: u64, alignment: Alignment) -> Receipt {
    let asked = plan.block_size_bytes.to_string();
    if rounded == plan.block_size_bytes {
        return Receipt::granted("block-size", &asked);
    }
    let step = alignment.offset_bytes;
    let why = if alignment.told {
        format!("O_DIRECT moves multiples of {step} bytes here")
    } else {
        format!("the kernel does not tell what O_DIRECT needs here, {step} bytes are assumed")
    };
    Receipt::downgraded("block-size", &asked, &rounded.to_string(), &why)
}

/// The bytes of a file or block device, which has no size in its metadata, but an end.
pub(super) fn end_of(mut file: &File, path: &Path) -> Result<u64, RefusedTarget> {
    if let Some(namespace) = namespace_of(file, path)? {
        return Ok(namespace.size_bytes);
    }
    file.seek(SeekFrom::End(0))
        .map_err(|source| RefusedTarget::io("find the size of", path, source))
}

#[cfg(test)]
mod tests;
