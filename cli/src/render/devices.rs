//! What targets lie on, and what the devices there did.

use aio_core::report::{DeviceUse, Report, Storage, TargetReport};

use super::notes::each;
use super::numbers::{count, short, size};

/// The most devices that are described, and those of each direction whose work is told.
const DEVICES_MAX: usize = 4;

/// A line for each device that targets lie on, and for each file system there.
pub(super) fn of_targets(targets: &[TargetReport]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for target in targets {
        let mounted = target.mount_options.as_ref().zip(target.file_system.as_ref());
        let mounted = mounted.map(|(options, kind)| format!("{kind} is mounted with {options}"));
        let device = target.storage.as_ref().map(|one| format!("device: {}", described(one)));
        let line = match (device, mounted) {
            (Some(device), Some(mounted)) => format!("{device}; {mounted}"),
            (Some(device), None) => device,
            (None, Some(mounted)) => format!("device: not known; {mounted}"),
            (None, None) => continue,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.len() > DEVICES_MAX {
        let more = lines.split_off(DEVICES_MAX).len();
        lines.push(format!("device: and {more} more"));
    }
    lines
}

/// All that sysfs tells of a device, in one sentence.
fn described(one: &Storage) -> String {
    let mut parts = vec![one.name.clone()];
    parts.extend(one.partition_of.as_ref().map(|disk| format!("a partition of {disk}")));
    parts.extend(one.model.clone());
    parts.extend(one.firmware.as_ref().map(|revision| format!("firmware {revision}")));
    parts.extend(one.transport.clone());
    parts.extend(one.link.as_ref().map(|link| {
        let gb_per_s = gb(link.ceiling_bytes_per_s);
        format!("{} x{}, at most {gb_per_s:.2} GB/s", link.speed, link.width)
    }));
    parts.extend(one.size_bytes.map(size));
    parts.extend(one.is_rotational.and_then(|turns| turns.then(|| "rotational".into())));
    parts.extend(blocks(one));
    parts.extend(one.scheduler.as_ref().map(|name| format!("scheduler {name}")));
    parts.extend(
        one.nr_requests.map(|most| format!("a queue of {}", count(most.into(), "request"))),
    );
    parts.extend(one.write_cache.as_ref().map(|mode| format!("cache: {mode}")));
    parts.extend(one.backing_file.as_ref().map(|file| match one.backing_is_direct {
        Some(true) => format!("over {file} with direct I/O"),
        Some(false) => format!("over {file} through the page cache"),
        None => format!("over {file}"),
    }));
    if !one.built_upon.is_empty() {
        let below: Vec<_> = one.built_upon.iter().map(described).collect();
        parts.push(format!("built upon [{}]", below.join("; ")));
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn gb(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

fn blocks(one: &Storage) -> Option<String> {
    match (one.logical_block_bytes, one.physical_block_bytes) {
        (Some(logical), Some(physical)) if logical != physical => {
            Some(format!("blocks of {logical} bytes, physically {physical}"))
        }
        (Some(bytes), _) | (None, Some(bytes)) => Some(format!("blocks of {bytes} bytes")),
        (None, None) => None,
    }
}

/// A line for what each device did in each direction of each engine, up to a few.
pub(super) fn uses(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (engine, one) in each(report) {
        let whose = format!("{} {}", engine.engine, one.direction);
        let shown = one.devices.iter().take(DEVICES_MAX);
        lines.extend(shown.map(|device| format!("{whose}: {}", did(device))));
        let left = one.devices.len().saturating_sub(DEVICES_MAX);
        if left > 0 {
            lines.push(format!("{whose}: and {left} more devices"));
        }
    }
    lines
}

fn did(device: &DeviceUse) -> String {
    let mut parts = vec![
        format!("{} did {}", device.name, count(device.requests, "request")),
        format!("{} KiB each", short(device.mean_request_bytes / 1024.0)),
    ];
    if device.merges > 0 {
        parts.push(format!("{} merged", device.merges));
    }
    parts.push(format!("{} in flight", short(device.mean_in_flight)));
    parts.push(format!("busy for {:.0} % of the time", device.utilisation * 100.0));
    if let Some(bytes) = device.bytes_by_others.filter(|bytes| *bytes > 0) {
        parts.push(format!("{} more by others", size(bytes)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use aio_core::report::PcieLink;

    use super::super::sample;
    use super::*;

    fn drive() -> Storage {
        Storage {
            name: "nvme0n1".into(),
            size_bytes: Some(1 << 40),
            model: Some("A Fast Drive".into()),
            firmware: Some("1B2QEXM7".into()),
            transport: Some("nvme (pcie)".into()),
            link: Some(PcieLink {
                speed: "16.0 GT/s PCIe".into(),
                width: 4,
                ceiling_bytes_per_s: 7_876_923_076,
            }),
            is_rotational: Some(false),
            scheduler: Some("none".into()),
            nr_requests: Some(1023),
            write_cache: Some("write back".into()),
            logical_block_bytes: Some(512),
            physical_block_bytes: Some(4096),
            ..Storage::default()
        }
    }

    #[test]
    fn a_device_is_described_once_with_the_file_system_on_it() {
        let mut targets = vec![sample::one_engine().targets.remove(0); 2];
        assert_eq!(of_targets(&targets), [""; 0]);
        for target in &mut targets {
            target.storage = Some(drive());
            target.mount_options = Some("rw,noatime".into());
        }
        insta::assert_snapshot!(of_targets(&targets).join("\n"), @"device: nvme0n1, A Fast Drive, firmware 1B2QEXM7, nvme (pcie), 16.0 GT/s PCIe x4, at most 7.88 GB/s, 1 TiB, blocks of 512 bytes, physically 4096, scheduler none, a queue of 1023 requests, cache: write back; ext4 is mounted with rw,noatime");
        targets[0].storage = None;
        insta::assert_snapshot!(of_targets(&targets[..1]).join("\n"), @"device: not known; ext4 is mounted with rw,noatime");
    }

    #[test]
    fn what_a_device_is_built_upon_is_told_with_it() {
        let mut target = sample::one_engine().targets.remove(0);
        let below = Storage {
            name: "loop0".into(),
            transport: Some("loop".into()),
            is_rotational: Some(true),
            backing_file: Some("/a/disk".into()),
            backing_is_direct: Some(false),
            ..Storage::default()
        };
        target.storage = Some(Storage {
            name: "dm-0p1".into(),
            partition_of: Some("dm-0".into()),
            logical_block_bytes: Some(4096),
            physical_block_bytes: Some(4096),
            built_upon: vec![below],
            ..Storage::default()
        });
        insta::assert_snapshot!(of_targets(&[target]).join("\n"), @"device: dm-0p1, a partition of dm-0, blocks of 4096 bytes, built upon [loop0, loop, rotational, over /a/disk through the page cache]");
    }

    #[test]
    fn what_devices_did_is_told_for_each_engine_and_direction() {
        let mut report = sample::one_engine();
        assert_eq!(uses(&report), [""; 0]);
        let device = DeviceUse {
            name: "nvme0n1".into(),
            device: "259:0".into(),
            requests: 3072,
            bytes: 3 << 30,
            mean_request_bytes: 1_048_576.0,
            mean_in_flight: 31.5,
            utilisation: 0.97,
            bytes_by_others: Some(0),
            seconds: 1.5,
            ..DeviceUse::default()
        };
        let busy = DeviceUse { merges: 7, bytes_by_others: Some(3 << 20), ..device.clone() };
        report.engines[0].directions[0].devices = vec![device.clone(), busy];
        insta::assert_snapshot!(uses(&report).join("\n"), @r"
        uring write: nvme0n1 did 3072 requests, 1024 KiB each, 31.50 in flight, busy for 97 % of the time
        uring write: nvme0n1 did 3072 requests, 1024 KiB each, 7 merged, 31.50 in flight, busy for 97 % of the time, 3 MiB more by others
        ");
        report.engines[0].directions[0].devices = vec![device; 6];
        let lines = uses(&report);
        assert_eq!((lines.len(), lines[4].as_str()), (5, "uring write: and 2 more devices"));
    }
}
