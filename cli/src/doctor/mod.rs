//! `aio doctor`: what about this machine, and about a place on it, bears on a measurement.
//!
//! Facts are read by functions that take the roots of `/proc` and `/sys`; findings are pure
//! functions of facts. A fact that cannot be read makes a finding unknown, never an error. Nothing
//! is changed: no file is opened for writing, and commands are printed, not run.

mod device;
mod drive;
mod engines;
mod finding;
mod kernel;
mod limits;
mod memory;
mod permission;
mod place;
mod processor;
mod queue;
mod roots;
mod shell;
mod words;

use std::path::{Path, PathBuf};

use aio_backends::Listed;
use aio_core::memory::cpus_allowed;
use aio_core::observe::control_group_folders;
use aio_core::report::Machine;
use aio_core::target::{Survey, keeps_in_memory, survey};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{AccessFlags, access, getegid, geteuid, getgroups};
use schemars::JsonSchema;
use serde::Serialize;

use self::device::Device;
use self::kernel::Kernel;
use self::limits::{Limit, Limits};
use self::memory::Memory;
use self::permission::Permission;
use self::processor::Processor;
use self::roots::Roots;
use self::shell::Shell;
use crate::args::Doctor;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::render;

pub(crate) use self::finding::{Finding, Topic, Verdict};

/// The version of the JSON; it grows when a field changes its meaning or goes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Examination {
    /// The version of this format.
    pub(crate) schema_version: u32,
    /// The version of the tool.
    pub(crate) tool_version: String,
    /// The machine that was looked at.
    pub(crate) machine: Machine,
    /// The place that was looked at.
    pub(crate) path: String,
    /// What it is: `a folder`, `a file`, `a block device` or `an NVMe generic device`.
    pub(crate) place: &'static str,
    /// What was found, by topic, and the worst first in each.
    pub(crate) findings: Vec<Finding>,
    /// The engines with their options, as `aio engines` lists them, asked for this place. Options
    /// that only a file or device can answer for were not asked of a folder.
    pub(crate) engines: Vec<Listed>,
}

/// Looks at the machine and the place, and prints what was found.
pub(crate) fn examine(asked: &Doctor) -> Result<Ending, Failure> {
    let path = asked.path.as_deref().unwrap_or(Path::new("."));
    let survey = survey(path).map_err(Failure::refused)?;
    let examination = Examination::of(&survey, &Roots::here());
    Output::Stdout.write(&render::examination(&examination, asked.format())?)?;
    Ok(Ending::Done)
}

impl Examination {
    fn of(survey: &Survey, roots: &Roots) -> Self {
        let shell = Shell { is_root: geteuid().is_root() };
        let machine = Machine::look();
        let cpus = match cpus_allowed().len() {
            0 => machine.cpus,
            number => number,
        };
        let limits = limits(roots, cpus);
        let (second, first) = (control_group_folders("io"), control_group_folders("blkio"));
        let storage = survey.storage.as_ref();
        let devices = storage
            .map(|storage| Device::read_all(roots, storage, &second, &first))
            .unwrap_or_default();
        let asked = engines::ask(survey, &devices, &limits);
        let mut findings = Kernel::read(roots, &machine.kernel).findings(shell);
        findings.extend(engines::findings(&asked));
        findings.extend(Permission::read(roots, groups()).findings(shell));
        findings.extend(limits.findings(shell));
        findings.extend(Memory::read(roots).findings(shell));
        findings.extend(Processor::read(roots, cpus).findings(shell));
        findings.extend(devices.iter().flat_map(|device| device.findings(shell)));
        findings.extend(no_device(survey));
        let may_write = access(&survey.path, AccessFlags::W_OK).is_ok();
        findings.extend(place::findings(survey, may_write, shell));
        // Stable, so that what belongs together stays together.
        findings.sort_by_key(|finding| (finding.topic, finding.verdict));
        Self {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").into(),
            machine,
            path: survey.path.to_string_lossy().into_owned(),
            place: place::words(survey.place),
            findings,
            engines: asked.engines,
        }
    }
}

/// The groups that the kernel asks for when it looks for one.
fn groups() -> Vec<u32> {
    let mut groups = vec![getegid().as_raw()];
    groups.extend(getgroups().unwrap_or_default().iter().map(|group| group.as_raw()));
    groups
}

fn limits(roots: &Roots, cpus: usize) -> Limits {
    let limit = |resource| {
        let (soft, hard) = getrlimit(resource).ok()?;
        Some(Limit { soft, hard })
    };
    let groups = |controller| -> Vec<PathBuf> { control_group_folders(controller) };
    Limits {
        memlock: limit(Resource::RLIMIT_MEMLOCK),
        nofile: limit(Resource::RLIMIT_NOFILE),
        cpus,
        ..Limits::read(roots, &groups("cpu"), &groups("memory"))
    }
}

/// Says that no device is known, where one matters.
fn no_device(survey: &Survey) -> Option<Finding> {
    let kind = survey.file_system.as_ref().map(|there| there.kind.as_str());
    if survey.storage.is_some() || kind.is_some_and(keeps_in_memory) {
        return None;
    }
    let effect =
        "scheduler, caches and limits of the drive bear on results and cannot be looked at";
    let state = "sysfs knows no single block device under this place";
    Some(Finding::new((Topic::Device, "device"), Verdict::Unknown, state, effect))
}
