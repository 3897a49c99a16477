//! What is to be known of the file or device that is to be measured.

use std::path::{Path, PathBuf};

use aio_core::target::{Layout, Owner, Place, Survey, TargetKind};

use super::super::finding::Topic::Target as TOPIC;
use super::super::finding::{Finding, Verdict, good_or};
use super::super::shell::{Shell, quoted};
use super::super::words::{bytes, decimal};
use super::is_device;

/// Pieces below this cut requests of the default block size.
const PIECE_BYTES: u64 = 1 << 20;
/// Fewer pieces than this are no harm.
const FEW_PIECES: u64 = 16;

/// What is to be said of it, to one who may write it or may not.
pub(super) fn findings(survey: &Survey, may_write: bool, shell: Shell) -> Vec<Finding> {
    let mut findings = access(survey, may_write);
    findings.extend(used(survey));
    findings.extend(owner(survey));
    findings.extend(size(survey));
    findings.extend(layout(survey, shell));
    findings
}

fn access(survey: &Survey, may_write: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(reason) = &survey.unreadable {
        let effect = "it can be neither measured nor looked into by you";
        let about = (TOPIC, "reading");
        findings.push(
            Finding::new(about, Verdict::Warning, format!("refused: {reason}"), effect)
                .remark("run as its owner or as root, or give another"),
        );
    }
    if !may_write {
        let (verdict, effect) = match survey.place {
            Place::Folder => (Verdict::Warning, "no file can be made there to be measured"),
            Place::Target(_) => (Verdict::Note, "it can be read, and a run that writes it fails"),
        };
        let about = (TOPIC, "writing");
        findings.push(
            Finding::new(about, verdict, "not permitted to you", effect)
                .remark("run as its owner or as root, or give another"),
        );
    }
    findings
}

fn used(survey: &Survey) -> Option<Finding> {
    if !is_device(survey) {
        return None;
    }
    let about = (TOPIC, "use by others");
    Some(match &survey.used {
        Some(why) => Finding::new(
            about,
            Verdict::Note,
            why,
            "it can be read; a run that writes it is refused even with --allow-device, and others \
             may read and write beside the run",
        ),
        None => Finding::new(
            about,
            Verdict::Good,
            "nothing is known to use it",
            "a run may write it with --allow-device, which destroys what it holds",
        ),
    })
}

fn owner(survey: &Survey) -> Option<Finding> {
    let state = match survey.owner? {
        Owner::Tool => "aio made it, and nobody has changed it since",
        Owner::ToolThenOthers => "aio made it, and it was changed since",
        Owner::Others => "aio did not make it",
    };
    let effect = "a run that writes it needs --overwrite unless aio made it, and replaces what it \
                  holds";
    Some(Finding::new((TOPIC, "origin"), Verdict::Good, state, effect))
}

fn size(survey: &Survey) -> Option<Finding> {
    let size = survey.size_bytes?;
    let effect = "a run reads no more than this, and a small file may fit caches of the drive";
    let verdict = good_or(Verdict::Warning, size > 0);
    Some(Finding::new((TOPIC, "size"), verdict, bytes(size), effect))
}

fn layout(survey: &Survey, shell: Shell) -> Vec<Finding> {
    if survey.place != Place::Target(TargetKind::File) || survey.file.is_none() {
        return Vec::new();
    }
    let Some(size) = survey.size_bytes.filter(|size| *size > 0) else { return Vec::new() };
    let path = quoted(&survey.path);
    let about = (TOPIC, "extents");
    let Some(Layout { extents, holes, unwritten, compressed }) = survey.layout else {
        let effect = "reads of holes are answered from nothing, which is no speed of a drive";
        return vec![Finding::new(
            about,
            Verdict::Unknown,
            "the file system does not tell",
            effect,
        )];
    };
    let mut findings = Vec::new();
    if holes {
        let effect = "reads of holes touch no storage and look faster than any drive, and first \
                      writes to them have to find room";
        findings.push(
            Finding::new((TOPIC, "holes"), Verdict::Warning, "some of it is not there", effect)
                .cure(format!("cp --sparse=never {path} {}", quoted(&beside(&survey.path))))
                .remark("the copy has no holes and is as long as the file; measure the copy"),
        );
    }
    if unwritten {
        let state = "some of it was kept and never written, or is not written back yet";
        let effect = "reads of what was never written touch no storage and look faster than any \
                      drive";
        findings.push(
            Finding::new((TOPIC, "unwritten"), Verdict::Warning, state, effect)
                .cure(format!("sync {path}"))
                .remark("when it says so again afterwards, that was never written: fill the file"),
        );
    }
    if compressed {
        let effect = "reads of it take less of the drive and more of the processor, and are not \
                      direct";
        findings.push(Finding::new(
            (TOPIC, "compressed"),
            Verdict::Warning,
            "some of it is stored compressed",
            effect,
        ));
    }
    let is_whole = extents < FEW_PIECES || size / extents.max(1) >= PIECE_BYTES;
    let state = match extents {
        0 => "nothing of it is on storage".to_owned(),
        1 => "it lies in one piece".to_owned(),
        number => format!("it lies in {} pieces", decimal(number)),
    };
    let effect = "a request that goes over the end of a piece is cut in two, so that large blocks \
                  get slower the smaller the pieces are";
    let finding = Finding::new(about, good_or(Verdict::Note, is_whole), state, effect);
    findings.push(match defragment(survey) {
        Some(command) if !is_whole => finding.cure(shell.as_root(format!("{command} {path}"))),
        _ => finding,
    });
    findings
}

/// A name for a copy in the same folder.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".whole");
    name.into()
}

fn defragment(survey: &Survey) -> Option<&'static str> {
    match survey.file_system.as_ref()?.kind.as_str() {
        "ext4" => Some("e4defrag"),
        "xfs" => Some("xfs_fsr"),
        "btrfs" => Some("btrfs filesystem defragment"),
        _ => None,
    }
}
