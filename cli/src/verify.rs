//! `aio verify`: what became of blocks that were written with `--verify`.

use std::collections::BTreeMap;

use aio_core::verify::{FirstBad, Generation, InspectError, Inspected, Kind, Wish, inspect};
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::Verify;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::signals::Signals;
use crate::{render, voice};

/// The version of the JSON; it grows when a field changes its meaning or goes.
pub(crate) const SCHEMA_VERSION: u32 = 1;
/// The most generations of a file that are listed, the newest ones.
const GENERATIONS_MAX: usize = 16;

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Findings {
    /// The version of this format.
    pub(crate) schema_version: u32,
    /// The version of the tool.
    pub(crate) tool_version: String,
    /// The files, in the order of the command line, but for those that could not be judged.
    pub(crate) files: Vec<Found>,
}

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The file.
    pub(crate) path: String,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// Whether every block is what it must be.
    pub(crate) is_right: bool,
    /// How its blocks are checked.
    pub(crate) checksums: Vec<&'static str>,
    /// How long its blocks are.
    pub(crate) block_size_bytes: Vec<u32>,
    /// How many blocks were found to be what.
    pub(crate) blocks: Blocks,
    /// Who wrote the blocks that are right or stale, the newest first; not more than 16 of them.
    pub(crate) generations: Vec<OfGeneration>,
    /// Whether older blocks could be told from lost writes: whether each had to be of a certain
    /// generation at least.
    pub(crate) stale_is_known: bool,
    /// The first block that is damaged.
    pub(crate) first_bad: Option<Bad>,
}

/// How many blocks are what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Blocks {
    /// As they were written.
    pub(crate) right: u64,
    /// Damaged, by kind; each kind is there.
    pub(crate) damaged: BTreeMap<Kind, u64>,
    /// Not written with `--verify`, where that need not be.
    pub(crate) unwritten: u64,
}

/// The blocks of one loop of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OfGeneration {
    /// Which.
    #[serde(flatten)]
    pub(crate) generation: Generation,
    /// How many.
    pub(crate) blocks: u64,
}

/// A damaged block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Bad {
    /// Where it begins.
    pub(crate) offset_bytes: u64,
    /// How long it is.
    pub(crate) length_bytes: u64,
    /// What became of it.
    pub(crate) kind: Kind,
    /// Where the damage begins, if that is known more closely.
    pub(crate) at_bytes: Option<u64>,
    /// What must be there, in words.
    pub(crate) expected: String,
    /// What is there, in words.
    pub(crate) found: String,
    /// All of that in one sentence, without a full stop.
    pub(crate) message: String,
}

/// Judges each file, prints what was found, and says how to end.
pub(crate) fn verify(asked: &Verify, signals: &Signals) -> Result<Ending, Failure> {
    let mut files = Vec::new();
    let mut ending = Ending::Done;
    for path in &asked.files {
        let wish = Wish { path: path.clone(), all_written: asked.all_written };
        match inspect(&wish, &|| signals.stop().is_set()) {
            Ok(inspected) => files.push(Found::of(&wish, &inspected)),
            Err(InspectError::Stopped) => break,
            Err(error) => {
                // Damage weighs more than a file in which there is nothing to judge.
                let failure = match error {
                    InspectError::Refused(_) | InspectError::NoBlocks(_) => Failure::refused(error),
                    _ => Failure::failed(error),
                };
                let told = failure.tell();
                ending = if ending == Ending::Failed { ending } else { told };
            }
        }
    }
    if !files.is_empty() {
        let tool_version = env!("CARGO_PKG_VERSION").into();
        let findings = Findings { schema_version: SCHEMA_VERSION, tool_version, files };
        Output::Stdout.write(&render::findings(&findings, asked.format)?)?;
        for found in &findings.files {
            if let Some(bad) = &found.first_bad {
                voice::complain(&format!("{}: {}", found.path, bad.message));
                ending = Ending::Failed;
            }
        }
    }
    Ok(signals.ending().unwrap_or(ending))
}

impl Found {
    fn of(wish: &Wish, inspected: &Inspected) -> Self {
        let Inspected { size_bytes, counts, generations, .. } = inspected;
        let newest = generations.iter().rev().take(GENERATIONS_MAX);
        let of = |(generation, (blocks, _)): (&Generation, &(u64, u64))| OfGeneration {
            generation: *generation,
            blocks: *blocks,
        };
        let number = |kind| (kind, counts.damaged.get(&kind).copied().unwrap_or(0));
        Self {
            path: wish.path.to_string_lossy().into_owned(),
            size_bytes: *size_bytes,
            is_right: inspected.first_bad.is_none(),
            checksums: inspected.checksums.iter().copied().collect(),
            block_size_bytes: inspected.block_bytes.iter().copied().collect(),
            blocks: Blocks {
                right: counts.right,
                damaged: Kind::ALL.into_iter().map(number).collect(),
                unwritten: counts.unwritten,
            },
            generations: newest.map(of).collect(),
            stale_is_known: wish.all_written
                || inspected.layout.is_some_and(|layout| layout.oldest.is_some()),
            first_bad: inspected.first_bad.as_ref().map(Bad::of),
        }
    }
}

impl Bad {
    fn of(bad: &FirstBad) -> Self {
        let FirstBad { offset_bytes, length_bytes, damage } = bad;
        Self {
            offset_bytes: *offset_bytes,
            length_bytes: *length_bytes,
            kind: damage.kind(),
            at_bytes: damage.at_bytes(),
            expected: damage.expected(),
            found: damage.found(),
            message: bad.to_string(),
        }
    }
}
