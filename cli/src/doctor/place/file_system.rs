//! What a file system does to a measurement.

use std::path::Path;

use aio_core::target::{DirectIo, FreeSpace, Place, Survey, keeps_in_memory};

use super::super::finding::Topic::FileSystem as TOPIC;
use super::super::finding::{Finding, Verdict, good_or};
use super::super::shell::{Shell, quoted};
use super::super::words::bytes;

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

/// What is to be said of the one that the place is on.
pub(super) fn findings(survey: &Survey, shell: Shell) -> Vec<Finding> {
    let mut findings = vec![kind(survey)];
    findings.extend(options(survey, shell));
    findings.extend(compression(survey, shell));
    findings.extend(survey.free_space.map(free_space));
    findings.extend(direct(survey));
    findings
}

fn is_in_memory(survey: &Survey) -> bool {
    survey.file_system.as_ref().is_some_and(|there| keeps_in_memory(&there.kind))
}

fn kind(survey: &Survey) -> Finding {
    let about = (TOPIC, "type");
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
    let has = |option: &str| there.options.iter().any(|one| one == option);
    // Of the three ways to note times of reading, this is the one that the table does not name.
    let is_strict = !there.options.is_empty() && !has("relatime") && !has("noatime");
    let is_on = |option: &str| has(option) || (option == "strictatime" && is_strict);
    let mut findings = Vec::new();
    for known in KNOWN.iter().filter(|known| is_on(known.option)) {
        let about = (TOPIC, format!("mount option {}", known.option));
        let finding = Finding::new(about, known.verdict, "is set", known.effect);
        findings.push(match (known.instead, &there.mounted_at) {
            (Some(instead), Some(point)) => finding.cure(remount(shell, instead, point)),
            _ => finding.remark("this is settled when it is mounted, or in the file system itself"),
        });
    }
    let about = (TOPIC, "mount options");
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
        (TOPIC, "compression"),
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

fn free_space(told: FreeSpace) -> Finding {
    let FreeSpace { free_bytes, whole_bytes } = told;
    let percent = u128::from(free_bytes) * 100 / u128::from(whole_bytes.max(1));
    let verdict = match percent {
        0..5 => Verdict::Warning,
        5..15 => Verdict::Note,
        _ => Verdict::Good,
    };
    let state = format!("{} of {} ({percent} %)", bytes(free_bytes), bytes(whole_bytes));
    let effect = "files that do not fit are refused, a file system that is nearly full lays out \
                  new ones in pieces, and a drive that is nearly full writes slower";
    let finding = Finding::new((TOPIC, "free space"), verdict, state, effect);
    if verdict == Verdict::Good { finding } else { finding.remark("remove what is not needed") }
}

fn direct(survey: &Survey) -> Option<Finding> {
    let about = (TOPIC, "direct I/O");
    let effect =
        "offsets, lengths and --block-size are multiples of this, or are rounded up to one";
    match survey.direct {
        DirectIo::Taken(alignment) => {
            let step = alignment.offset_bytes;
            let state = if alignment.told {
                format!("in multiples of {step} bytes")
            } else {
                format!("the kernel does not tell its alignment; {step} bytes are assumed")
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
