//! Each setting of a device that bears on a measurement is told; the usual ones are good.

use std::fs;
use std::os::unix::fs::symlink;

use aio_core::report::Storage;

use super::super::device::{IoLimit, Link};
use super::super::finding::named;
use super::super::roots::fake;
use super::*;

const USER: Shell = Shell { is_root: false };

fn storage() -> Storage {
    Storage {
        name: "nvme0n1".into(),
        model: Some("A Drive".into()),
        transport: Some("nvme (pcie)".into()),
        size_bytes: Some(1 << 40),
        is_rotational: Some(false),
        scheduler: Some("none".into()),
        nr_requests: Some(1023),
        write_cache: Some("write through".into()),
        logical_block_bytes: Some(4096),
        physical_block_bytes: Some(4096),
        ..Storage::default()
    }
}

fn device() -> Device {
    Device {
        storage: storage(),
        disk: "nvme0n1".into(),
        number: Some("259:0".into()),
        schedulers: ["none", "mq-deadline"].map(String::from).into(),
        has_poll_queues: Some(true),
        nomerges: Some(0),
        wbt_us: Some(0),
        read_ahead_kib: Some(128),
        max_kib: Some(1280),
        max_hw_kib: Some(2048),
        zoned: Some("none".into()),
        start_bytes: Some(1 << 20),
        link: Some((link(4), link(4))),
        ..Device::default()
    }
}

fn link(width: u32) -> Link {
    Link { speed: "16.0 GT/s PCIe".into(), width }
}

/// What is said of `name` once `change` was made to a device that is all good.
fn changed(name: &str, change: impl FnOnce(&mut Device)) -> (Verdict, Option<String>) {
    let mut device = device();
    change(&mut device);
    let findings = device.findings(USER);
    let found = named(&findings, name);
    (found.verdict, found.cure.clone())
}

fn write(text: &str, file: &str) -> String {
    format!("echo {text} | sudo tee /sys/block/nvme0n1/queue/{file}")
}

#[test]
fn a_device_that_is_all_right_is_all_good() {
    let findings = device().findings(USER);
    assert!(findings.iter().all(|one| one.verdict == Verdict::Good), "{findings:#?}");
    assert!(findings.iter().all(|one| one.cure.is_none()), "{findings:#?}");
    assert_eq!(named(&findings, "nvme0n1").state, "A Drive, nvme (pcie), 1 TiB");
}

#[test]
fn settings_of_the_queue_are_told_with_the_command_that_sets_them() {
    use Verdict::{Note, Warning};
    type Change = fn(&mut Device);
    let of = |name: &str| format!("{name} of nvme0n1");
    let cases: [(&str, Verdict, &str, Change); 9] = [
        ("scheduler", Note, "none", |one| one.storage.scheduler = Some("mq-deadline".into())),
        ("scheduler", Warning, "none", |one| one.storage.scheduler = Some("bfq".into())),
        ("nr_requests", Warning, "128", |one| one.storage.nr_requests = Some(4)),
        ("max_sectors_kb", Note, "1024", |one| one.max_kib = Some(128)),
        ("nomerges", Note, "0", |one| one.nomerges = Some(1)),
        ("nomerges", Note, "0", |one| one.nomerges = Some(2)),
        ("wbt_lat_usec", Note, "0", |one| one.wbt_us = Some(2000)),
        ("read_ahead_kb", Note, "128", |one| one.read_ahead_kib = Some(0)),
        ("max_sectors_kb", Note, "256", |one| {
            (one.max_kib, one.max_hw_kib) = (Some(128), Some(256));
        }),
    ];
    for (name, verdict, text, change) in cases {
        assert_eq!(changed(&of(name), change), (verdict, Some(write(text, name))), "{name}");
    }
    let at_its_best = changed(&of("max_sectors_kb"), |one| {
        (one.max_kib, one.max_hw_kib) = (Some(128), Some(128));
    });
    assert_eq!(at_its_best, (Note, None), "the hardware takes no more");
    let only_one = changed(&of("scheduler"), |one| {
        one.storage.scheduler = Some("mq-deadline".into());
        one.schedulers = vec!["mq-deadline".into()];
    });
    assert_eq!(only_one, (Note, None), "there is no other");
}

#[test]
fn what_a_drive_is_like_is_told() {
    use Verdict::{Note, Warning};
    let of = |name: &str| format!("{name} of nvme0n1");
    let cache = changed(&of("write cache"), |one| {
        one.storage.write_cache = Some("write back".into());
    });
    assert_eq!(cache, (Note, None));
    let heads = changed(&of("heads"), |one| one.storage.is_rotational = Some(true));
    assert_eq!(heads, (Note, None));
    let zones = changed(&of("zones"), |one| one.zoned = Some("host-managed".into()));
    assert_eq!(zones, (Warning, None));
    let narrow = changed(&of("link"), |one| one.link = Some((link(2), link(4))));
    assert_eq!(narrow, (Warning, None));
    let blocks = changed(&of("blocks"), |one| one.storage.logical_block_bytes = Some(512));
    assert_eq!(blocks, (Note, None));
    let begin = changed("begin of nvme0n1", |one| one.start_bytes = Some(63 * 512));
    assert_eq!(begin, (Warning, None));
    let read_only = changed("writing to nvme0n1", |one| one.is_read_only = true);
    assert_eq!(read_only, (Note, Some("sudo blockdev --setrw /dev/nvme0n1".into())));
}

#[test]
fn queues_to_poll_are_asked_for_in_the_words_of_the_driver() {
    let name = "poll queues of nvme0n1";
    let (verdict, cure) = changed(name, |one| one.has_poll_queues = Some(false));
    assert_eq!(verdict, Verdict::Note);
    assert_eq!(cure.unwrap(), "sudo modprobe -r nvme && sudo modprobe nvme poll_queues=2");
    let mut device = Device { has_poll_queues: Some(false), ..device() };
    let findings = device.findings(USER);
    let remark = named(&findings, name).remark.clone().unwrap();
    assert!(remark.contains("nvme.poll_queues=2 on the kernel's command line"), "{remark}");
    device.storage.transport = Some("virtio".into());
    let findings = device.findings(USER);
    let found = named(&findings, name);
    assert!(found.cure.is_none(), "{found:?}");
    assert!(found.remark.as_ref().is_some_and(|one| one.contains("virtio_blk.poll_queues=2")));
    device.storage.transport = Some("sata".into());
    assert_eq!(named(&device.findings(USER), name).remark, None);
}

#[test]
fn layers_are_told_and_have_no_queue_of_their_own() {
    let mapped = |is_encrypted| Device {
        storage: Storage { name: "dm-0".into(), built_upon: vec![storage()], ..storage() },
        disk: "dm-0".into(),
        is_encrypted,
        ..device()
    };
    let findings = mapped(false).findings(USER);
    assert_eq!(named(&findings, "layers of dm-0").state, "built upon nvme0n1");
    assert!(findings.iter().all(|one| one.name != "scheduler of dm-0"), "{findings:#?}");
    let findings = mapped(true).findings(USER);
    assert_eq!(named(&findings, "encryption of dm-0").verdict, Verdict::Note);
}

#[test]
fn a_loop_device_through_the_page_cache_is_a_warning() {
    let over_file = |is_direct| {
        changed("file of nvme0n1", |one| {
            one.storage.backing_file = Some("/image".into());
            one.storage.backing_is_direct = Some(is_direct);
        })
    };
    let cure = "sudo losetup --direct-io=on /dev/nvme0n1".to_owned();
    assert_eq!(over_file(false), (Verdict::Warning, Some(cure)));
    assert_eq!(over_file(true), (Verdict::Good, None));
}

#[test]
fn an_array_that_rebuilds_or_lacks_members_is_a_warning() {
    let (verdict, cure) = changed("array of nvme0n1", |one| one.rebuilds = Some("resync".into()));
    assert_eq!(verdict, Verdict::Warning);
    assert_eq!(cure.unwrap(), "echo idle | sudo tee /sys/block/nvme0n1/md/sync_action");
    let (verdict, _) = changed("members of nvme0n1", |one| one.missing_members = 1);
    assert_eq!(verdict, Verdict::Warning);
}

#[test]
fn limits_of_control_groups_are_warnings_with_the_line_that_lifts_them() {
    let limit = |name: &str, line: &str| {
        let limit = IoLimit { line: line.into(), file: format!("/g/{name}").into() };
        changed(&format!("{name} of nvme0n1"), |one| one.limits = vec![limit])
    };
    let (verdict, cure) = limit("io.max", "rbps=1048576 wbps=max riops=max wiops=max");
    assert_eq!(verdict, Verdict::Warning);
    let none = "echo '259:0 rbps=max wbps=max riops=max wiops=max' | sudo tee /g/io.max";
    assert_eq!(cure.unwrap(), none);
    let (verdict, cure) = limit("blkio.throttle.read_bps_device", "1048576");
    assert_eq!(verdict, Verdict::Warning);
    let none = "echo '259:0 0' | sudo tee /g/blkio.throttle.read_bps_device";
    assert_eq!(cure.unwrap(), none);
}

#[test]
fn a_device_is_read_from_sysfs_with_its_link_and_its_limits() {
    let (folder, roots) = fake(&[
        ("sys/devices/pci/drive/current_link_speed", "8.0 GT/s PCIe"),
        ("sys/devices/pci/drive/current_link_width", "4"),
        ("sys/devices/pci/drive/max_link_speed", "16.0 GT/s PCIe"),
        ("sys/devices/pci/drive/max_link_width", "4"),
        ("sys/class/block/sda/dev", "8:0"),
        ("sys/class/block/sda/queue/scheduler", "none [bfq]"),
        ("sys/class/block/sda/queue/io_poll", "0"),
        ("sys/class/block/sda/queue/nomerges", "2"),
        ("sys/class/block/sda/queue/wbt_lat_usec", "75000"),
        ("sys/class/block/sda/queue/read_ahead_kb", "4"),
        ("sys/class/block/sda/queue/max_sectors_kb", "1280"),
        ("sys/class/block/sda/queue/max_hw_sectors_kb", "4096"),
        ("sys/class/block/sda/queue/zoned", "host-aware"),
        ("sys/class/block/sda1/start", "63"),
        ("sys/class/block/sda1/ro", "1"),
        ("second/io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=1"),
        ("above/io.max", "8:0 rbps=max wbps=max riops=max wiops=max"),
        ("first/blkio.throttle.read_iops_device", "8:0 500"),
        ("first/blkio.throttle.write_iops_device", "8:0 0"),
    ]);
    let drive = roots.sys.join("devices/pci/drive");
    symlink(drive, roots.sys.join("class/block/sda/device")).unwrap();
    let storage = Storage {
        name: "sda1".into(),
        partition_of: Some("sda".into()),
        built_upon: vec![Storage { name: "gone".into(), ..Storage::default() }],
        ..Storage::default()
    };
    let at = |name: &str| folder.path().join(name);
    let groups = ([at("second"), at("above")], [at("first")]);
    let all = Device::read_all(&roots, &storage, &groups.0, &groups.1);
    let [device, gone] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((device.disk.as_str(), device.number.as_deref()), ("sda", Some("8:0")));
    assert_eq!(device.schedulers, ["none", "bfq"]);
    assert_eq!((device.has_poll_queues, device.nomerges), (Some(false), Some(2)));
    assert_eq!((device.wbt_us, device.read_ahead_kib), (Some(75_000), Some(4)));
    assert_eq!((device.max_kib, device.max_hw_kib), (Some(1280), Some(4096)));
    assert_eq!(device.zoned.as_deref(), Some("host-aware"));
    assert_eq!((device.start_bytes, device.is_read_only), (Some(63 * 512), true));
    let (now, best) = device.link.as_ref().expect("there is a link");
    assert_eq!((now.transfers(), best.transfers()), (Some(32.0), Some(64.0)));
    let limits = [
        IoLimit { line: "rbps=1 wbps=max riops=max wiops=max".into(), file: at("second/io.max") },
        IoLimit { line: "500".into(), file: at("first/blkio.throttle.read_iops_device") },
    ];
    assert_eq!(device.limits, limits);
    assert!(gone.findings(USER).iter().all(|one| one.verdict == Verdict::Good), "{gone:?}");
    fs::remove_dir_all(&roots.sys).unwrap();
    let bare = Device::read_all(&roots, &storage, &[], &[]);
    assert!(bare[0].limits.is_empty() && bare[0].link.is_none());
}
