//! What the kernel tells about devices: what they are, and what they did while the clock ran.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the kernel counted at one device in one direction, in the loops that count
/// (`/proc/diskstats`), whoever asked for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceUse {
    /// Its name below `/dev`.
    pub name: String,
    /// Its `major:minor` number.
    pub device: String,
    /// Requests that completed, after the kernel has split and merged them.
    pub requests: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// `bytes / requests`.
    pub mean_request_bytes: f64,
    /// Requests that were merged into others before they reached the device.
    pub merges: u64,
    /// Mean number of requests in flight: the sum of their times over the time.
    pub mean_in_flight: f64,
    /// Share of the time in which anything was in flight, from 0 to 1, of all directions.
    pub utilisation: f64,
    /// Flushes that completed.
    pub flushes: u64,
    /// Bytes read and written there that no request of this run explains; absent where the page
    /// cache decides what is moved and when.
    pub bytes_by_others: Option<u64>,
    /// The time that all of this was counted over, in seconds.
    pub seconds: f64,
}

impl DeviceUse {
    /// Adds what was counted in another run, at the same device in the same direction.
    pub fn add(&mut self, other: &Self) {
        let seconds = self.seconds + other.seconds;
        let over_both = |mine: f64, others: f64| {
            let sum = mine * self.seconds + others * other.seconds;
            if seconds > 0.0 { sum / seconds } else { 0.0 }
        };
        self.mean_in_flight = over_both(self.mean_in_flight, other.mean_in_flight);
        self.utilisation = over_both(self.utilisation, other.utilisation);
        self.seconds = seconds;
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.mean_request_bytes = mean_bytes(self.bytes, self.requests);
        self.merges += other.merges;
        self.flushes += other.flushes;
        self.bytes_by_others = match (self.bytes_by_others, other.bytes_by_others) {
            (Some(mine), Some(others)) => Some(mine + others),
            _ => None,
        };
    }
}

/// Bytes over requests; 0 of none.
#[expect(clippy::cast_precision_loss, reason = "a mean has no more than 53 significant bits")]
pub(crate) fn mean_bytes(bytes: u64, requests: u64) -> f64 {
    if requests == 0 { 0.0 } else { bytes as f64 / requests as f64 }
}

/// Adds to `sum` what was counted in another run in the same direction, device by device.
pub fn add_devices(sum: &mut Vec<DeviceUse>, others: &[DeviceUse]) {
    for other in others {
        match sum.iter_mut().find(|known| known.device == other.device) {
            Some(known) => known.add(other),
            None => sum.push(other.clone()),
        }
    }
}

/// A block device, as far as sysfs tells. It names no serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Storage {
    /// Its name below `/dev`.
    pub name: String,
    /// The disk that it is a partition of.
    pub partition_of: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// Vendor and model.
    pub model: Option<String>,
    /// The revision of its firmware.
    pub firmware: Option<String>,
    /// How it is attached: `nvme (pcie)`, `sata`, `usb`, `scsi`, `virtio`, `loop`, `device-mapper`.
    pub transport: Option<String>,
    /// The narrowest PCI Express link on the way to it.
    pub link: Option<PcieLink>,
    /// Whether it has to move a head.
    pub is_rotational: Option<bool>,
    /// The kernel's I/O scheduler in front of it.
    pub scheduler: Option<String>,
    /// Requests that its queue in the kernel has room for.
    pub nr_requests: Option<u32>,
    /// `write back`, where written data may be in a cache that power failure empties, or `write
    /// through`.
    pub write_cache: Option<String>,
    /// What it addresses.
    pub logical_block_bytes: Option<u32>,
    /// What it can write without reading first.
    pub physical_block_bytes: Option<u32>,
    /// The file that a loop device shows.
    pub backing_file: Option<String>,
    /// Whether a loop device goes past the page cache to that file.
    pub backing_is_direct: Option<bool>,
    /// What it is built upon, as device mapper and RAID are.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub built_upon: Vec<Storage>,
}

/// A PCI Express link, as it is trained now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PcieLink {
    /// The kernel's word for its speed: `16.0 GT/s PCIe`.
    pub speed: String,
    /// Its lanes.
    pub width: u32,
    /// The most that it can carry in one direction, with line encoding and without the protocol's
    /// headers, in bytes per second.
    pub ceiling_bytes_per_s: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up_and_means_are_weighted_by_their_time() {
        let one = DeviceUse {
            device: "7:0".into(),
            requests: 10,
            bytes: 40_960,
            mean_request_bytes: 4096.0,
            mean_in_flight: 1.0,
            utilisation: 0.25,
            bytes_by_others: Some(1),
            seconds: 1.0,
            ..DeviceUse::default()
        };
        let other = DeviceUse {
            requests: 30,
            bytes: 368_640,
            mean_in_flight: 5.0,
            utilisation: 0.75,
            seconds: 3.0,
            ..one.clone()
        };
        let elsewhere = DeviceUse { device: "7:1".into(), ..one.clone() };
        let mut sum = vec![one];
        add_devices(&mut sum, &[other, elsewhere.clone()]);
        assert_eq!((sum[0].requests, sum[0].bytes), (40, 409_600));
        assert!((sum[0].mean_request_bytes - 10_240.0).abs() < 1e-9);
        assert!((sum[0].mean_in_flight - 4.0).abs() < 1e-9);
        assert!((sum[0].utilisation - 0.625).abs() < 1e-9);
        assert_eq!(sum[0].bytes_by_others, Some(2));
        assert_eq!(sum[1], elsewhere);
    }
}
