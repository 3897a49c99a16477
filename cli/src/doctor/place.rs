//! The place itself: its file system, and the file or device that it is.

mod file_system;
mod target;

use aio_core::target::{Place, Survey, TargetKind};

use super::finding::Finding;
use super::shell::Shell;

/// What is found about a place. `may_write`: whether the reader may.
pub(crate) fn findings(survey: &Survey, may_write: bool, shell: Shell) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_device(survey) {
        findings.extend(file_system::findings(survey, shell));
    }
    findings.extend(target::findings(survey, may_write, shell));
    findings
}

/// Whether the place is a device and not on a file system.
fn is_device(survey: &Survey) -> bool {
    matches!(survey.place, Place::Target(TargetKind::Block | TargetKind::NvmeGeneric))
}

/// The place in words: `a file`.
pub(crate) fn words(place: Place) -> &'static str {
    match place {
        Place::Folder => "a folder",
        Place::Target(TargetKind::File) => "a file",
        Place::Target(TargetKind::Block) => "a block device",
        Place::Target(TargetKind::NvmeGeneric) => "an NVMe generic device",
    }
}

#[cfg(test)]
mod tests;
