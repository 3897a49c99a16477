//! One job of fio's in aio's flags.
//!
//! What fio takes for granted is said aloud, because aio takes other things for granted: blocks of
//! 4 KiB, a queue of depth 1, calls that read and write by themselves, buffered I/O, one request
//! per submitting call, and files that stay.

mod ends;
mod engine;
mod target;

use std::fmt;

use super::ini::{Section, Setting};
use super::options::Settings;
use super::units::{bytes, bytes_of, is_on, number, one_for_all, value};
use super::{Manner, Remarks};
use crate::ending::Failure;
use crate::jobs::{Draft, Entry, Place};

/// Flags as they come together.
#[derive(Debug, Default)]
struct Flags(Vec<Entry>);

impl Flags {
    fn set(&mut self, flag: &str, value: impl fmt::Display, place: &Place) {
        self.add(flag, vec![format!("{value}")], place);
    }

    fn turn_on(&mut self, flag: &str, place: &Place) {
        self.add(flag, Vec::new(), place);
    }

    fn add(&mut self, flag: &str, values: Vec<String>, place: &Place) {
        self.0.push(Entry { flag: flag.into(), values, is_on: true, place: place.clone() });
    }
}

/// What later parts need to know of the earlier ones.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// What `rw` says.
    mode: &'static str,
    /// Files that the job goes through in turn, each with its share of what the job says.
    files: u64,
    /// Bytes per request; of several sizes the smallest.
    block_bytes: u64,
    /// Whether there are several sizes, so that bytes and not requests tell when a pass is over.
    has_sizes: bool,
    /// Requests in flight, of all files together.
    depth: u64,
}

impl Shape {
    fn writes(&self) -> bool {
        matches!(self.mode, "write" | "randwrite" | "rw" | "randrw")
    }

    fn is_mixed(&self) -> bool {
        matches!(self.mode, "rw" | "randrw")
    }

    /// The part of `all` that is each file's.
    fn share(&self, what: &str, all: u64, place: &Place) -> Result<u64, Failure> {
        if all.is_multiple_of(self.files) {
            return Ok(all / self.files);
        }
        let files = self.files;
        Err(place.refuse(format_args!(
            "fio goes through the {files} files in turn; aio has threads for each of them, and \
             {what}={all} cannot be shared out evenly to them"
        )))
    }
}

/// The job of `section`, which is the first of its file or not.
///
/// # Errors
/// The line of the first option that aio does not have, or not in this way.
pub(super) fn draft(
    section: &Section,
    is_first: bool,
    manner: Manner,
    remarks: &mut Remarks,
) -> Result<Draft, Failure> {
    let mut settings = Settings::of(section, manner, remarks);
    let mut flags = Flags::default();
    waits(is_first, &mut settings)?;
    let mode = mode(&mut settings, &mut flags)?;
    let files = target::files(section, &mut settings, &mut flags)?;
    let mut shape = Shape { mode, files, block_bytes: 0, has_sizes: false, depth: 1 };
    (shape.block_bytes, shape.has_sizes) = block(&mut settings, &mut flags)?;
    shape.depth = engine::engine(shape, &mut settings, &mut flags)?;
    engine::batches(shape, &mut settings, &mut flags)?;
    mix(shape, &mut settings, &mut flags)?;
    order(&mut settings, &mut flags)?;
    target::cache(&mut settings, &mut flags)?;
    ends::ends(shape, &mut settings, &mut flags)?;
    durability(shape, &mut settings, &mut flags)?;
    data(&mut settings, &mut flags)?;
    let name = settings.take(&["name"]).map(value).transpose()?.unwrap_or(&section.name);
    // Neither a description nor the way that fio groups its clones or starts them is about I/O.
    for words in ["description", "group_reporting", "new_group", "thread"] {
        settings.take(&[words]);
    }
    settings.finish()?;
    Ok(Draft { name: name.into(), place: section.place.clone(), entries: flags.0 })
}

/// fio runs jobs at the same time that do not wait for each other; aio never does.
fn waits(is_first: bool, settings: &mut Settings) -> Result<(), Failure> {
    let waits = settings.take(&["stonewall", "wait_for_previous"]).map(is_on).transpose()?;
    if is_first || waits == Some(true) {
        return Ok(());
    }
    let place = settings.place().clone();
    let sentence = "fio runs this job at the same time as the one before, and aio one after the \
                    other; add stonewall to it, or numjobs to one job in place of several";
    settings.ignore(&place, sentence)
}

fn mode(settings: &mut Settings, flags: &mut Flags) -> Result<&'static str, Failure> {
    let Some(setting) = settings.take(&["rw", "readwrite"]) else { return Ok("read") };
    let text = value(setting)?;
    let mode = match text {
        "read" => "read",
        "write" => "write",
        "randread" => "randread",
        "randwrite" => "randwrite",
        "rw" | "readwrite" => "rw",
        "randrw" => "randrw",
        "trim" => "trim",
        "randtrim" => "randtrim",
        _ => {
            let sentence = format_args!(
                "aio has no {}={text}; it has read, write, randread, randwrite, rw, randrw, trim \
                 and randtrim, and nothing behind a colon",
                setting.key
            );
            return Err(setting.place.refuse(sentence));
        }
    };
    flags.set("rw", mode, &setting.place);
    Ok(mode)
}

/// Sets the size of requests, and returns the smallest, and whether there are several.
fn block(settings: &mut Settings, flags: &mut Flags) -> Result<(u64, bool), Failure> {
    let size = settings.take(&["bs", "blocksize"]);
    let size_bytes = size.map(bytes).transpose()?.unwrap_or(4096);
    let Some(split) = settings.take(&["bssplit"]) else {
        flags.set("block-size", size_bytes, size.map_or(settings.place(), |size| &size.place));
        return Ok((size_bytes, false));
    };
    let parts = shares(split)?;
    let text: Vec<_> = parts.iter().map(|(bytes, percent)| format!("{bytes}/{percent}")).collect();
    flags.set("bssplit", text.join(":"), &split.place);
    let smallest = parts.iter().map(|(bytes, _)| *bytes).min().unwrap_or(size_bytes);
    Ok((smallest, parts.len() > 1))
}

/// `4k/60:64k/40`; sizes without a share have equal parts of what is left.
fn shares(setting: &Setting) -> Result<Vec<(u64, u64)>, Failure> {
    let refuse = |sentence: String| setting.place.refuse(sentence);
    let text = one_for_all(setting)?;
    let mut parts = Vec::new();
    for part in text.split(':') {
        let (size, percent) = part.split_once('/').unwrap_or((part, ""));
        let percent = match percent {
            "" => None,
            percent => {
                Some(percent.parse::<u64>().ok().filter(|percent| *percent <= 100).ok_or_else(
                    || refuse(format!("{percent:?} in bssplit is no share in percent")),
                )?)
            }
        };
        parts.push((bytes_of(&setting.place, "bssplit", size)?, percent));
    }
    let said: u64 = parts.iter().filter_map(|(_, percent)| *percent).sum();
    let unsaid = parts.iter().filter(|(_, percent)| percent.is_none()).count() as u64;
    let left = 100_u64.checked_sub(said).filter(|left| match unsaid {
        0 => *left == 0,
        unsaid => left.is_multiple_of(unsaid) && *left > 0,
    });
    let Some(left) = left else {
        return Err(refuse(format!("the shares of bssplit={text} do not come to 100 percent")));
    };
    let each = left.checked_div(unsaid).unwrap_or_default();
    Ok(parts.into_iter().map(|(bytes, percent)| (bytes, percent.unwrap_or(each))).collect())
}

/// The share of reads.
fn mix(shape: Shape, settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    let (read, write) = (settings.take(&["rwmixread"]), settings.take(&["rwmixwrite"]));
    let percent = |setting: &Setting| match number(setting)? {
        percent @ 0..=100 => Ok(percent),
        percent => {
            let sentence = format_args!("{} is at most 100, and not {percent}", setting.key);
            Err(setting.place.refuse(sentence))
        }
    };
    let (reads, place) = match (read, write) {
        (None, None) => return Ok(()),
        (Some(read), None) => (percent(read)?, &read.place),
        (None, Some(write)) => (100 - percent(write)?, &write.place),
        (Some(read), Some(write)) => {
            let (reads, writes) = (percent(read)?, percent(write)?);
            if reads + writes != 100 {
                let sentence =
                    format_args!("rwmixread={reads} and rwmixwrite={writes} do not come to 100");
                return Err(write.place.refuse(sentence));
            }
            (reads, &read.place)
        }
    };
    // It says nothing of a job that only reads or only writes, and global sections say it of all.
    if shape.is_mixed() {
        flags.set("rwmixread", reads, place);
    }
    Ok(())
}

/// Which blocks are chosen.
fn order(settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    if let Some(setting) = settings.take(&["random_distribution"]) {
        let text = one_for_all(setting)?;
        match text.split_once(':').unwrap_or((text, "")) {
            ("random", "") => {}
            (kind @ ("zipf" | "pareto" | "normal"), how) if digits_and_point(how) => {
                flags.set("random-distribution", format!("{kind}:{how}"), &setting.place);
            }
            _ => {
                return Err(setting.place.refuse(format_args!(
                    "aio has no random_distribution={text}; it has random, zipf:θ, pareto:h and \
                     normal:σ with one number"
                )));
            }
        }
    }
    if let Some(setting) = settings.take(&["norandommap"])
        && is_on(setting)?
    {
        flags.turn_on("norandommap", &setting.place);
    }
    let repeat = settings.take(&["randrepeat", "allrandrepeat"]);
    let seed = settings.take(&["randseed"]);
    if let Some(seed) = seed {
        flags.set("seed", number(seed)?, &seed.place);
    } else if let Some(repeat) = repeat
        && !is_on(repeat)?
    {
        let sentence = format!("{}=0: aio's order is that of its seed; give randseed", repeat.key);
        settings.ignore(&repeat.place, &sentence)?;
    }
    Ok(())
}

fn digits_and_point(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// When data is made durable, which is nothing to a job that does not write.
fn durability(shape: Shape, settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    for option in ["fsync", "fdatasync"] {
        if let Some(setting) = settings.take(&[option]) {
            let every = number(setting)?;
            if every > 0 && shape.writes() {
                flags.set(option, every, &setting.place);
            }
        }
    }
    if let Some(setting) = settings.take(&["end_fsync"])
        && is_on(setting)?
        && shape.writes()
    {
        flags.turn_on("end-fsync", &setting.place);
    }
    Ok(())
}

/// What data is made of, and whether it is checked.
fn data(settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    if let Some(setting) = settings.take(&["buffer_compress_percentage"]) {
        let percent = number(setting)?;
        if percent > 0 {
            flags.set("compress-percentage", percent, &setting.place);
        }
    }
    let Some(setting) = settings.take(&["verify"]) else { return Ok(()) };
    let checksum = match value(setting)? {
        "0" => return Ok(()),
        "crc32c" | "crc32c-intel" => "crc32c",
        "pattern" => "pattern",
        other => {
            let sentence = format_args!(
                "aio has no verify={other}; it has crc32c and pattern, and --verify xxh3"
            );
            return Err(setting.place.refuse(sentence));
        }
    };
    flags.set("verify", checksum, &setting.place);
    Ok(())
}
