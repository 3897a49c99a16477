//! The block device under a target, as sysfs describes it.
//!
//! Everything is optional: what a kernel or a driver does not tell is left out. Serial numbers are
//! never read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::report::{PcieLink, Storage};

/// How many devices may be built upon each other before this stops to follow them.
const DEPTH_MAX: u32 = 5;
/// Bytes of the units that sysfs counts sizes in.
const SECTOR_BYTES: u64 = 512;

/// Describes the block device `number`, a `major:minor`; `None` where sysfs knows none.
pub(super) fn storage(number: &str) -> Option<Storage> {
    storage_in(Path::new(super::device::SYS), number)
}

fn storage_in(sys: &Path, number: &str) -> Option<Storage> {
    described(&sys.join("dev/block").join(number), DEPTH_MAX)
}

fn described(link: &Path, depth: u32) -> Option<Storage> {
    let folder = fs::canonicalize(link).ok()?;
    let is_partition = folder.join("partition").exists();
    // A partition has neither a queue nor a drive of its own.
    let disk = if is_partition { folder.parent()?.to_owned() } else { folder.clone() };
    let queue = disk.join("queue");
    let dio = number(&disk.join("loop/dio"));
    Some(Storage {
        name: name(&folder),
        partition_of: is_partition.then(|| name(&disk)),
        size_bytes: number(&folder.join("size")).map(|sectors| sectors * SECTOR_BYTES),
        model: model(&disk.join("device")),
        firmware: ["device/firmware_rev", "device/rev"]
            .iter()
            .find_map(|one| text(&disk.join(one))),
        transport: transport(&disk),
        link: narrowest_link(&disk),
        is_rotational: number(&queue.join("rotational")).map(|answer| answer != 0),
        scheduler: text(&queue.join("scheduler")).map(|all| chosen(&all)),
        nr_requests: short_number(&queue.join("nr_requests")),
        write_cache: text(&queue.join("write_cache")),
        logical_block_bytes: short_number(&queue.join("logical_block_size")),
        physical_block_bytes: short_number(&queue.join("physical_block_size")),
        backing_file: text(&disk.join("loop/backing_file")),
        backing_is_direct: dio.map(|answer| answer != 0),
        built_upon: built_upon(&disk, depth),
    })
}

fn built_upon(disk: &Path, depth: u32) -> Vec<Storage> {
    let Ok(entries) = fs::read_dir(disk.join("slaves")) else { return Vec::new() };
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let slaves = entries.filter_map(|entry| described(&entry.ok()?.path(), depth));
    let mut slaves: Vec<_> = slaves.collect();
    slaves.sort_by(|one, other| one.name.cmp(&other.name));
    slaves
}

/// The kernel writes `!` where the name in `/dev` has a slash.
fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().replace('!', "/")
}

/// What a file says in one line, unless that is nothing.
fn text(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let words: Vec<_> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

fn short_number(path: &Path) -> Option<u32> {
    text(path)?.parse().ok()
}

fn model(device: &Path) -> Option<String> {
    let model = text(&device.join("model"));
    // PCI and virtio have a number there, which is no name.
    let vendor = text(&device.join("vendor")).filter(|vendor| !vendor.starts_with("0x"));
    match (vendor, model) {
        // What SCSI calls every drive that is not its own.
        (Some(vendor), Some(model)) if vendor != "ATA" => Some(format!("{vendor} {model}")),
        (_, model) => model,
    }
}

/// The scheduler between brackets; the only one where there are none.
fn chosen(all: &str) -> String {
    let between = all.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    between.map_or(all, |(chosen, _)| chosen).to_owned()
}

fn transport(disk: &Path) -> Option<String> {
    if disk.join("dm").is_dir() {
        return Some("device-mapper".into());
    }
    if let Some(level) = text(&disk.join("md/level")) {
        return Some(format!("md {level}"));
    }
    if let Some(of_nvme) = text(&disk.join("device/transport")) {
        return Some(format!("nvme ({of_nvme})"));
    }
    // USB and SATA drives are SCSI drives to the kernel.
    let way = disk.to_string_lossy();
    for (part, transport) in [("/usb", "usb"), ("/ata", "sata")] {
        if way.contains(part) {
            return Some(transport.into());
        }
    }
    if let Ok(subsystem) = fs::canonicalize(disk.join("device/subsystem")) {
        return Some(name(&subsystem).replace("nvme-subsystem", "nvme"));
    }
    // Made by a driver, which it is named after: loop0, zram0.
    let name = name(disk);
    let driver = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (way.contains("/virtual/block/") && !driver.is_empty()).then(|| driver.to_owned())
}

/// The narrowest of the PCI Express links between the drive and the processor.
fn narrowest_link(disk: &Path) -> Option<PcieLink> {
    // A namespace with several paths lies below none of them, but its drive is linked.
    let drive = fs::canonicalize(disk.join("device")).unwrap_or_else(|_| disk.to_owned());
    let ways: [PathBuf; 2] = [disk.to_owned(), drive];
    let links = ways.iter().flat_map(|way| way.ancestors()).filter_map(link_at);
    links.min_by_key(|link| link.ceiling_bytes_per_s)
}

fn link_at(folder: &Path) -> Option<PcieLink> {
    let speed = text(&folder.join("current_link_speed"))?;
    let width = short_number(&folder.join("current_link_width"))?;
    let ceiling_bytes_per_s = ceiling_bytes_per_s(&speed, width)?;
    Some(PcieLink { speed, width, ceiling_bytes_per_s })
}

/// What a link carries after its line encoding: 8 of 10 bits up to 5 GT/s, 128 of 130 up to 32, 242
/// of 256 bytes of a flit above (PCI Express Base Specification 6.0, chapter 4).
fn ceiling_bytes_per_s(speed: &str, width: u32) -> Option<u64> {
    let transfers: f64 = speed.split_once(" GT/s")?.0.parse().ok()?;
    let share = match transfers {
        ..=5.0 => 8.0 / 10.0,
        ..=32.0 => 128.0 / 130.0,
        _ => 242.0 / 256.0,
    };
    // A link that is down has a width of 0 or 255.
    if transfers <= 0.0 || !(1..=32).contains(&width) {
        return None;
    }
    let bytes_per_s = transfers * 1e9 * share / 8.0 * f64::from(width);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and no link is faster than 2^64 bytes per second"
    )]
    Some(bytes_per_s as u64)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A `/sys` with the files that are named in pairs of path and content.
    fn sys(files: &[(&str, &str)], links: &[(&str, &str)]) -> tempfile::TempDir {
        let sys = tempfile::tempdir().unwrap();
        let make_folder_of = |path: &Path| fs::create_dir_all(path.parent().unwrap()).unwrap();
        for (path, content) in files {
            let path = sys.path().join(path);
            make_folder_of(&path);
            fs::write(path, format!("{content}\n")).unwrap();
        }
        for (path, to) in links {
            let path = sys.path().join(path);
            make_folder_of(&path);
            fs::create_dir_all(sys.path().join(to)).unwrap();
            symlink(sys.path().join(to), path).unwrap();
        }
        sys
    }

    #[test]
    fn an_nvme_partition_has_the_drive_and_the_link_of_its_disk() {
        let root = "devices/pci0/0000:00:01.0";
        let drive = "devices/pci0/0000:00:01.0/0000:01:00.0";
        let disk = format!("{drive}/nvme/nvme0/nvme0n1");
        let at = |path: &str| format!("{disk}/{path}");
        let files = [
            (format!("{root}/current_link_speed"), "8.0 GT/s PCIe"),
            (format!("{root}/current_link_width"), "4"),
            (format!("{drive}/current_link_speed"), "16.0 GT/s PCIe"),
            (format!("{drive}/current_link_width"), "4"),
            (format!("{drive}/nvme/nvme0/model"), "A Fast Drive       "),
            (format!("{drive}/nvme/nvme0/serial"), "SECRET"),
            (format!("{drive}/nvme/nvme0/firmware_rev"), "1B2QEXM7"),
            (format!("{drive}/nvme/nvme0/transport"), "pcie"),
            (at("size"), "2048"),
            (at("queue/rotational"), "0"),
            (at("queue/scheduler"), "[none] mq-deadline kyber"),
            (at("queue/nr_requests"), "1023"),
            (at("queue/write_cache"), "write back"),
            (at("queue/logical_block_size"), "512"),
            (at("queue/physical_block_size"), "4096"),
            (at("nvme0n1p1/partition"), "1"),
            (at("nvme0n1p1/size"), "1024"),
        ];
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let partition = at("nvme0n1p1");
        let (controller, device) = (format!("{drive}/nvme/nvme0"), at("device"));
        let links = [("dev/block/259:1", partition.as_str()), (&device, &controller)];
        let sys = sys(&files, &links);
        let found = storage_in(sys.path(), "259:1").unwrap();
        let expected = Storage {
            name: "nvme0n1p1".into(),
            partition_of: Some("nvme0n1".into()),
            size_bytes: Some(1024 * 512),
            model: Some("A Fast Drive".into()),
            firmware: Some("1B2QEXM7".into()),
            transport: Some("nvme (pcie)".into()),
            link: Some(PcieLink {
                speed: "8.0 GT/s PCIe".into(),
                width: 4,
                ceiling_bytes_per_s: 3_938_461_538,
            }),
            is_rotational: Some(false),
            scheduler: Some("none".into()),
            nr_requests: Some(1023),
            write_cache: Some("write back".into()),
            logical_block_bytes: Some(512),
            physical_block_bytes: Some(4096),
            ..Storage::default()
        };
        assert_eq!(found, expected);
        assert!(!format!("{found:?}").contains("SECRET"));
    }

    #[test]
    fn a_loop_device_names_its_file_and_a_mapped_one_what_it_is_built_upon() {
        let (loops, mapped) = ("devices/virtual/block/loop0", "devices/virtual/block/dm-0");
        let backing = format!("{loops}/loop/backing_file");
        let dio = format!("{loops}/loop/dio");
        let uuid = format!("{mapped}/dm/name");
        let files = [(backing.as_str(), "/a/disk"), (dio.as_str(), "1"), (uuid.as_str(), "vg-lv")];
        let slave = format!("{mapped}/slaves/loop0");
        let sys = sys(&files, &[("dev/block/253:0", mapped), (&slave, loops)]);
        let found = storage_in(sys.path(), "253:0").unwrap();
        assert_eq!(found.transport.as_deref(), Some("device-mapper"));
        let [below] = found.built_upon.as_slice() else { panic!("{found:?}") };
        assert_eq!(below.backing_file.as_deref(), Some("/a/disk"));
        assert_eq!(
            (below.backing_is_direct, below.transport.as_deref()),
            (Some(true), Some("loop"))
        );
        assert_eq!(storage_in(sys.path(), "0:43"), None);
    }

    #[test]
    fn a_link_carries_what_its_encoding_leaves() {
        assert_eq!(ceiling_bytes_per_s("2.5 GT/s PCIe", 1), Some(250_000_000));
        assert_eq!(ceiling_bytes_per_s("5.0 GT/s PCIe", 4), Some(2_000_000_000));
        assert_eq!(ceiling_bytes_per_s("16.0 GT/s PCIe", 4), Some(7_876_923_076));
        assert_eq!(ceiling_bytes_per_s("64.0 GT/s PCIe", 1), Some(7_562_500_000));
        assert_eq!(ceiling_bytes_per_s("Unknown", 4), None);
        assert_eq!(ceiling_bytes_per_s("16.0 GT/s PCIe", 0), None);
    }

    #[test]
    fn drives_of_other_kinds_are_told_apart() {
        let transport_at = |folder: &str, device: &str| {
            let link = format!("{folder}/device/subsystem");
            let sys = sys(&[], &[("dev/block/8:0", folder), (&link, device)]);
            storage_in(sys.path(), "8:0").unwrap().transport
        };
        let scsi = "bus/scsi";
        assert_eq!(transport_at("devices/pci0/ata1/host0/block/sda", scsi).unwrap(), "sata");
        assert_eq!(transport_at("devices/pci0/usb1/1-1/host0/block/sda", scsi).unwrap(), "usb");
        assert_eq!(transport_at("devices/pci0/host0/block/sda", scsi).unwrap(), "scsi");
        assert_eq!(transport_at("devices/virtio1/block/vda", "bus/virtio").unwrap(), "virtio");
    }

    #[test]
    fn the_vendor_is_part_of_the_model_where_it_is_a_name() {
        let model_of = |vendor: &str| {
            let sys = sys(&[("d/vendor", vendor), ("d/model", "X 5")], &[]);
            model(&sys.path().join("d")).unwrap()
        };
        assert_eq!(model_of("SEAGATE"), "SEAGATE X 5");
        assert_eq!(model_of("ATA"), "X 5");
        assert_eq!(model_of("0x1af4"), "X 5");
    }
}
