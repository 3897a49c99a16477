//! The place itself: its file system, and the file or device that it is.

use std::path::Path;

use aio_core::target::{DirectIo, Layout, Owner, Place, Room, Survey, TargetKind, keeps_in_memory};

use super::finding::Topic::{FileSystem as ON, Target as TARGET};
use super::finding::{Finding, Verdict, good_or};
use super::shell::{Shell, quoted};
use super::words::{bytes, decimal};

/// Pieces below this cut requests of the default block size.
const PIECE_BYTES: u64 = 1 << 20;
/// Fewer pieces than this are no harm.
const FEW_PIECES: u64 = 16;

/// File systems whose files are kept by another machine, or by the host of a virtual one.
const OF_SERVERS: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "9p",
    "virtiofs",
    "lustre",
    "glusterfs",
    "afs",
    "gpfs",
    "beegfs",
    "orangefs",
];
/// File systems that write what is overwritten to a new place.
const COPYING: [&str; 4] = ["btrfs", "zfs", "bcachefs", "f2fs"];

/// What is found about a place. `may_write`: whether the reader may.
pub(crate) fn findings(survey: &Survey, may_write: bool, shell: Shell) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_device(survey) {
        findings.push(kind(survey));
        findings.extend(options(survey, shell));
        findings.extend(compression(survey, shell));
        findings.extend(survey.room.map(room));
        findings.extend(direct(survey));
    }
    findings.extend(access(survey, may_write));
    findings.extend(used(survey));
    findings.extend(owner(survey));
    findings.extend(size(survey));
    findings.extend(layout(survey, shell));
    findings
}

/// Whether the place is a device and not on a file system.
pub(crate) fn is_device(survey: &Survey) -> bool {
    matches!(survey.place, Place::Target(TargetKind::Block | TargetKind::NvmeGeneric))
}

fn is_in_memory(survey: &Survey) -> bool {
    survey.file_system.as_ref().is_some_and(|there| keeps_in_memory(&there.kind))
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

fn kind(survey: &Survey) -> Finding {
    let about = (ON, "type");
    let Some(there) = &survey.file_system else {
        let effect = "some file systems answer from memory or over a network, which is then \
                      measured";
        return Finding::new(about, Verdict::Unknown, "/proc does not tell", effect);
    };
    let name = there.kind.as_str();
    let (verdict, effect) = if keeps_in_memory(name) {
        (Verdict::Warning, "its files are in memory, so that no storage is measured")
    } else if OF_SERVERS.contains(&name) {
        (
            Verdict::Note,
            "requests go to a server or to the host, whose network and memory are measured too",
        )
    } else if name.starts_with("fuse") {
        (Verdict::Note, "each request goes through a program, whose speed is measured too")
    } else if name == "overlay" {
        (
            Verdict::Note,
            "a file of a lower layer is copied whole before it is first written, and its drive is not known here",
        )
    } else if COPYING.contains(&name) {
        (
            Verdict::Note,
            "what is overwritten goes to a new place each time, so that writes cost more than on the device and files come to be in pieces",
        )
    } else {
        (Verdict::Good, "its own work is part of what is measured; a block device has none")
    };
    let state = match &there.mounted_at {
        Some(point) => format!("{name}, mounted on {}", point.display()),
        None => name.to_owned(),
    };
    let finding = Finding::new(about, verdict, state, effect);
    match verdict {
        Verdict::Warning => finding.remark("give a folder on a drive"),
        _ => finding,
    }
}

/// An option of a mount that bears on measurements.
struct Known {
    /// As the table of mounts has it.
    option: &'static str,
    verdict: Verdict,
    effect: &'static str,
    /// The option that a remount takes instead.
    instead: Option<&'static str>,
}

const KNOWN: [Known; 7] = [
    Known {
        option: "ro",
        verdict: Verdict::Warning,
        effect: "it can be read only, and a run that writes there is refused",
        instead: Some("rw"),
    },
    Known {
        option: "sync",
        verdict: Verdict::Warning,
        effect: "each write is made durable before it ends, as if it was followed by a flush",
        instead: Some("async"),
    },
    Known {
        option: "data=journal",
        verdict: Verdict::Warning,
        effect: "data is written twice, and direct I/O is buffered or refused",
        instead: None,
    },
    Known {
        option: "nobarrier",
        verdict: Verdict::Warning,
        effect: "flushes do not reach the drive, so that --fsync costs next to nothing and means \
                 nothing",
        instead: Some("barrier"),
    },
    Known {
        option: "barrier=0",
        verdict: Verdict::Warning,
        effect: "flushes do not reach the drive, so that --fsync costs next to nothing and means \
                 nothing",
        instead: Some("barrier=1"),
    },
    Known {
        option: "discard",
        verdict: Verdict::Note,
        effect: "the removal of a file sends trims to the drive, which may slow down what is \
                 measured next",
        instead: Some("nodiscard"),
    },
    Known {
        option: "strictatime",
        verdict: Verdict::Note,
        effect: "each read notes its time in the file, which makes writes; aio asks that it is not \
                 noted where it may, for files of one's own",
        instead: Some("relatime"),
    },
];

fn options(survey: &Survey, shell: Shell) -> Vec<Finding> {
    let Some(there) = &survey.file_system else { return Vec::new() };
    let is_on = |option: &str| there.options.iter().any(|one| one == option);
    let mut findings = Vec::new();
    for known in KNOWN.iter().filter(|known| is_on(known.option)) {
        let about = (ON, format!("mount option {}", known.option));
        let finding = Finding::new(about, known.verdict, "is set", known.effect);
        findings.push(match (known.instead, &there.mounted_at) {
            (Some(instead), Some(point)) => finding.cure(remount(shell, instead, point)),
            _ => finding.remark("this is settled when it is mounted, or in the file system itself"),
        });
    }
    // A mount has one of these, and only strictatime goes without a word.
    let about = (ON, "mount options");
    let effect = "they say how the file system works, and results hold for them";
    findings.push(Finding::new(about, Verdict::Good, there.options.join(","), effect));
    findings
}

fn remount(shell: Shell, option: &str, point: &Path) -> String {
    shell.as_root(format!("mount -o remount,{option} {}", quoted(point)))
}

fn compression(survey: &Survey, shell: Shell) -> Option<Finding> {
    let is_on = survey.compresses?;
    let finding = Finding::new(
        (ON, "compression"),
        good_or(Verdict::Warning, !is_on),
        if is_on { "on" } else { "off" },
        "data that is compressed costs processor time and takes less of the drive, and direct I/O \
         of it goes through the page cache, so that the device is not what is measured",
    );
    if !is_on {
        return Some(finding);
    }
    let there = survey.file_system.as_ref()?;
    Some(match &there.mounted_at {
        Some(point) if there.kind == "btrfs" => finding.cure(remount(shell, "compress=no", point)),
        _ => finding.remark("choose a file system, or a folder of this one, without it"),
    })
}

fn room(room: Room) -> Finding {
    let Room { free_bytes, whole_bytes } = room;
    let percent = u128::from(free_bytes) * 100 / u128::from(whole_bytes.max(1));
    let verdict = match percent {
        ..5 => Verdict::Warning,
        ..15 => Verdict::Note,
        _ => Verdict::Good,
    };
    let state = format!("{} of {} ({percent} %)", bytes(free_bytes), bytes(whole_bytes));
    let effect = "files that do not fit are refused, a file system that is nearly full lays out \
                  new ones in pieces, and a drive that is nearly full writes slower";
    let finding = Finding::new((ON, "free space"), verdict, state, effect);
    if verdict == Verdict::Good { finding } else { finding.remark("remove what is not needed") }
}

fn direct(survey: &Survey) -> Option<Finding> {
    let about = (ON, "direct I/O");
    let effect =
        "offsets, lengths and --block-size are multiples of this, or are rounded up to one";
    match survey.direct {
        DirectIo::Taken(alignment) => {
            let step = alignment.offset_bytes;
            let state = match alignment.told {
                true => format!("in multiples of {step} bytes"),
                false => {
                    format!("the kernel does not tell its alignment; {step} bytes are assumed")
                }
            };
            Some(Finding::new(about, good_or(Verdict::Note, alignment.told), state, effect))
        }
        DirectIo::Refused => {
            let effect = "--buffered is needed, and what it measures is in part the page cache";
            Some(
                Finding::new(about, Verdict::Warning, "refused", effect)
                    .remark("choose another file system"),
            )
        }
        DirectIo::Unknown if survey.place == Place::Folder && !is_in_memory(survey) => {
            let state = "that is known of a file, not of a folder, and none was made to ask";
            Some(
                Finding::new(about, Verdict::Unknown, state, effect)
                    .remark("give a file of this folder"),
            )
        }
        // What cannot be opened has a finding of its own.
        DirectIo::Unknown => None,
    }
}

fn access(survey: &Survey, may_write: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(reason) = &survey.unreadable {
        let effect = "it can be neither measured nor looked into by you";
        let about = (TARGET, "reading");
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
        let about = (TARGET, "writing");
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
    let about = (TARGET, "use by others");
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
    Some(Finding::new((TARGET, "origin"), Verdict::Good, state, effect))
}

fn size(survey: &Survey) -> Option<Finding> {
    let size = survey.size_bytes?;
    let effect = "a run reads no more than this, and a small file may fit caches of the drive";
    let verdict = good_or(Verdict::Warning, size > 0);
    Some(Finding::new((TARGET, "size"), verdict, bytes(size), effect))
}

fn layout(survey: &Survey, shell: Shell) -> Vec<Finding> {
    if survey.place != Place::Target(TargetKind::File) || survey.file.is_none() {
        return Vec::new();
    }
    let Some(size) = survey.size_bytes.filter(|size| *size > 0) else { return Vec::new() };
    let path = quoted(&survey.path);
    let about = (TARGET, "extents");
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
            Finding::new((TARGET, "holes"), Verdict::Warning, "some of it is not there", effect)
                .cure(format!("cp --sparse=never {path} {}", quoted(&beside(&survey.path))))
                .remark("the copy has no holes and is as long as the file; measure the copy"),
        );
    }
    if unwritten {
        let state = "some of it was kept and never written, or is not written back yet";
        let effect = "reads of what was never written touch no storage and look faster than any \
                      drive";
        findings.push(
            Finding::new((TARGET, "unwritten"), Verdict::Warning, state, effect)
                .cure(format!("sync {path}"))
                .remark("when it says so again afterwards, that was never written: fill the file"),
        );
    }
    if compressed {
        let effect = "reads of it take less of the drive and more of the processor, and are not \
                      direct";
        findings.push(Finding::new(
            (TARGET, "compressed"),
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
fn beside(path: &Path) -> std::path::PathBuf {
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

#[cfg(test)]
mod tests;
