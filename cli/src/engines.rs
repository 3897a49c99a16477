//! `aio engines`: what there is to choose from, and what of it can run here.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aio_backends::{Listed, NAMES};
use aio_core::engine::{Needs, Operation, Operations};
use aio_core::report::Machine;
use aio_core::target::{TargetKind, open_nameless};
use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::Engines;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::render;

/// The depth that is asked for: that of a run for which none is given.
const QUEUE_DEPTH: u32 = 32;

/// The version of the listing's JSON; it grows when a field changes its meaning or goes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Everything that is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Listing {
    /// The version of this format.
    pub(crate) schema_version: u32,
    /// The version of the tool.
    pub(crate) tool_version: String,
    /// The machine that was asked.
    pub(crate) machine: Machine,
    /// How deep the queues were that were opened to find out.
    pub(crate) queue_depth: u32,
    /// The engines, in the order of the backends' own list or of the command line.
    pub(crate) engines: Vec<Listed>,
}

/// Lists the engines that were named, or all.
pub(crate) fn list(asked: &Engines) -> Result<Ending, Failure> {
    let specs =
        if asked.names.is_empty() { NAMES.map(String::from).into() } else { asked.names.clone() };
    let operations = Operations::of(&[Operation::Read, Operation::Write]);
    let needs = Needs {
        // What needs a target is asked of a file without a name in the current folder.
        target: open_nameless(Path::new("."), true).ok().map(Arc::new),
        kinds: BTreeSet::from([TargetKind::File]),
        ..Needs::new(operations, QUEUE_DEPTH)
    };
    let one = |spec: &String| match spec.as_str() {
        "auto" | "all" => Err(Failure::refused(anyhow!(
            "{spec} stands for several engines; without a name, aio engines lists them all"
        ))),
        spec => aio_backends::list(spec, &needs).map_err(Failure::refused),
    };
    let listing = Listing {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        machine: Machine::look(),
        queue_depth: QUEUE_DEPTH,
        engines: specs.iter().map(one).collect::<Result<_, _>>()?,
    };
    Output::Stdout.write(&render::listing(&listing, asked.format)?)?;
    Ok(Ending::Done)
}
