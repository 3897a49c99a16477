//! From what was counted to the report: what each device did, and why a number is doubtful.
//!
//! Reasons have no figures in them, so that engines and rounds of one run give one reason; the
//! figures are in the report's devices.

use super::content::Content;
use super::diskstats::Counts;
use super::watch::{Seen, SeenDevice};
use crate::plan::Direction;
use crate::report::{DeviceUse, Doubt, mean_bytes};
use crate::target::BLOCK_DEVICE;

/// The share of the bytes that were read which a device must have delivered, in percent.
const FROM_DEVICE_MIN_PERCENT: u64 = 90;
/// The largest share of a device's bytes that others may move, in percent.
const BY_OTHERS_MAX_PERCENT: u64 = 1;
/// The largest share of a file that may be in the page cache before it is read, in percent.
const RESIDENT_MAX_PERCENT: u64 = 1;
/// What a file system may move by itself, for its journal and to find files: at once, ...
const OWN_BYTES: u64 = 1 << 20;
/// ... in each second, ...
const OWN_BYTES_PER_S: u64 = 256 << 10;
/// ... and with each flush.
const OWN_BYTES_PER_FLUSH: u64 = 64 << 10;

/// What a tasklet moved in one direction in the loops that count.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub direction: Direction,
    /// The `major:minor` of what its target lies on; `None` where that is not known.
    pub device: Option<String>,
    /// The file system's type, or [`BLOCK_DEVICE`].
    pub file_system: Option<String>,
    /// Whether the file system compresses.
    pub compresses: bool,
    pub bytes: u64,
    /// Flushes between its writes, each of which makes a file system write its journal.
    pub flushes: u64,
}

/// All that a direction is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub seen: &'a Seen,
    /// Of all tasklets of the wave, because directions that run together share their devices.
    pub moved: &'a [Moved],
    pub direction: Direction,
    pub buffered: bool,
    /// What was read.
    pub content: Content,
}

/// What each device did in `direction` that a target of that direction lies on.
pub(crate) fn devices(evidence: Evidence<'_>) -> Vec<DeviceUse> {
    let Evidence { seen, moved, direction, buffered, .. } = evidence;
    let is_used = |device: &&SeenDevice| {
        on(device, moved).any(|one| one.direction == direction) && device.counts
    };
    seen.devices
        .iter()
        .filter(is_used)
        .map(|device| {
            let counts = counts(device, direction);
            DeviceUse {
                name: device.name.clone(),
                device: device.number.clone(),
                requests: counts.requests,
                bytes: counts.bytes,
                mean_request_bytes: mean_bytes(counts.bytes, counts.requests),
                merges: counts.merges,
                mean_in_flight: share_of(counts.in_flight_ms, seen.seconds),
                // Counted in ticks of the kernel's clock, which may end after ours.
                utilisation: share_of(device.stat.busy_ms, seen.seconds).min(1.0),
                flushes: device.stat.flushes,
                bytes_by_others: (!buffered).then(|| {
                    let (read, written) = by_others(device, moved);
                    read + written
                }),
                seconds: seen.seconds,
            }
        })
        .collect()
}

/// Milliseconds as a multiple of seconds.
#[expect(clippy::cast_precision_loss, reason = "a share has no more than 53 significant bits")]
fn share_of(ms: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { ms as f64 / 1000.0 / seconds } else { 0.0 }
}

/// What `device` did in a direction that is reported, of which none is mixed.
fn counts(device: &SeenDevice, direction: Direction) -> &Counts {
    match direction {
        Direction::Read => &device.stat.read,
        Direction::Write | Direction::Mixed => &device.stat.write,
        Direction::Trim => &device.stat.discard,
    }
}

/// What was moved through `device`.
fn on<'a>(device: &SeenDevice, moved: &'a [Moved]) -> impl Iterator<Item = &'a Moved> {
    let covers = device.covers.clone();
    moved.iter().filter(move |one| one.device.as_ref().is_some_and(|at| covers.contains(at)))
}

fn ours(device: &SeenDevice, moved: &[Moved], direction: Direction) -> u64 {
    on(device, moved).filter(|one| one.direction == direction).map(|one| one.bytes).sum()
}

/// Bytes that were read and written at `device` and that are not ours.
fn by_others(device: &SeenDevice, moved: &[Moved]) -> (u64, u64) {
    let left =
        |direction| counts(device, direction).bytes.saturating_sub(ours(device, moved, direction));
    (left(Direction::Read), left(Direction::Write))
}

/// Why the numbers of a direction are doubtful, from what the kernel told.
pub(crate) fn doubts(evidence: Evidence<'_>) -> Vec<Doubt> {
    let Evidence { seen, moved, direction, .. } = evidence;
    let mut doubts = Vec::new();
    let devices = || seen.devices.iter().filter(|one| one.counts);
    if direction == Direction::Read {
        doubts.extend(devices().find_map(|one| page_cache(one, moved)));
        doubts.extend(cached_before(evidence));
        doubts.extend(constant_data(evidence));
    }
    if !evidence.buffered {
        doubts.extend(devices().find_map(|one| others(one, moved, seen.seconds)));
    }
    doubts.extend(throttled(seen, direction));
    doubts
}

fn page_cache(device: &SeenDevice, moved: &[Moved]) -> Option<Doubt> {
    let (read, delivered) = (ours(device, moved, Direction::Read), device.stat.read.bytes);
    let enough = u128::from(read) * u128::from(FROM_DEVICE_MIN_PERCENT) / 100;
    (u128::from(delivered) < enough).then(|| {
        let name = &device.name;
        let reason = format!(
            "{name} delivered less than {FROM_DEVICE_MIN_PERCENT} % of the bytes that were read; \
             the others came out of memory, as from the page cache or from holes"
        );
        Doubt::new("page-cache", reason)
    })
}

fn cached_before(evidence: Evidence<'_>) -> Option<Doubt> {
    let residency = evidence.seen.residency;
    let is_cached = residency.resident * 100 > residency.pages * RESIDENT_MAX_PERCENT;
    is_cached.then(|| {
        let reason = format!(
            "more than {RESIDENT_MAX_PERCENT} % of the data was in the page cache before the \
             first loop that counts"
        );
        Doubt::new("cached-before", reason)
    })
}

fn constant_data(evidence: Evidence<'_>) -> Option<Doubt> {
    let Content { pieces, constant, zero } = evidence.content;
    let most = |some: u64| some > 0 && 2 * some >= pieces;
    let compresses = || {
        let of_direction = evidence.moved.iter().filter(|one| one.direction == evidence.direction);
        of_direction.into_iter().any(|one| one.compresses)
    };
    let reason = if most(zero) {
        "most of what was read is zeros, which devices and file systems need not store"
    } else if most(constant) && compresses() {
        "most of what was read is one value over and over, and its file system compresses"
    } else {
        return None;
    };
    Some(Doubt::new("constant-data", reason))
}

fn others(device: &SeenDevice, moved: &[Moved], seconds: f64) -> Option<Doubt> {
    // Nothing of ours, and so nothing that they could disturb.
    let first = on(device, moved).next()?;
    let (mut read, mut written) = by_others(device, moved);
    let is_in_files = |one: &Moved| one.file_system.as_deref() != Some(BLOCK_DEVICE);
    let mut what = "";
    if is_in_files(first) {
        if on(device, moved).any(writes_more_than_it_is_told) {
            written = 0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds of a run, rounded up"
        )]
        let seconds = seconds.ceil() as u64;
        let flushes: u64 = on(device, moved).map(|one| one.flushes).sum();
        let flushes = flushes.max(device.stat.flushes);
        let own = OWN_BYTES + OWN_BYTES_PER_S * seconds + OWN_BYTES_PER_FLUSH * flushes;
        read = read.saturating_sub(own);
        written = written.saturating_sub(own);
        what = ", or the file system for itself";
    }
    let all = device.stat.read.bytes + device.stat.write.bytes;
    let is_much = u128::from(read + written) * 100 > u128::from(all * BY_OTHERS_MAX_PERCENT);
    is_much.then(|| {
        let name = &device.name;
        let reason = format!(
            "more than {BY_OTHERS_MAX_PERCENT} % of the bytes of {name} were moved by \
             others{what}"
        );
        Doubt::new("others", reason)
    })
}

/// Whether a file system moves data once more than it is asked to, so that what it writes says
/// nothing about others.
fn writes_more_than_it_is_told(moved: &Moved) -> bool {
    let kind = moved.file_system.as_deref().unwrap_or("");
    matches!(kind, "f2fs" | "nilfs2" | "bcachefs" | "btrfs" | "zfs" | "ubifs" | "jffs2")
}

fn throttled(seen: &Seen, direction: Direction) -> Vec<Doubt> {
    let throttled = seen.throttled.unwrap_or_default();
    let limits = seen.io_limits.iter().any(|limit| {
        let is_ours = |device: &SeenDevice| device.number == limit.number;
        let is_set = match direction {
            Direction::Read => limit.reads,
            Direction::Write | Direction::Mixed | Direction::Trim => limit.writes,
        };
        is_set && seen.devices.iter().any(is_ours)
    });
    let all = [
        (throttled.thermal > 0, "throttled-thermal", "a processor slowed down because of its heat"),
        (seen.is_hot, "hot-device", "a device reports that it is too hot, and may be slower"),
        (
            throttled.cpu > 0,
            "throttled-cpu",
            "its control group used up its share of processor time and was held back",
        ),
        (limits, "throttled-io", "its control group sets a limit to the device's speed"),
    ];
    let hold = all.into_iter().filter(|(holds, ..)| *holds);
    hold.map(|(_, code, reason)| Doubt::new(code, reason)).collect()
}

#[cfg(test)]
#[path = "verdicts_tests.rs"]
mod tests;
