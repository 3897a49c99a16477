//! The guard over machines that are planted, one use each.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::fake::Fake;
use super::{Devices, is_device, namespace_of};
use crate::target::guard::open_existing;
use crate::testing::skip;

/// A machine with the disk sda (8:0) and its partitions sda1 (8:1) and sda2 (8:2), and the free
/// disk sdb (8:16).
fn machine() -> Fake {
    let mut fake = Fake::new();
    let sda = fake.disk("sda", "8:0");
    fake.partition(&sda, "sda1", "8:1");
    fake.partition(&sda, "sda2", "8:2");
    fake.disk("sdb", "8:16");
    // A file system that has no device, and one on a device that nobody writes.
    fake.mount("0:21", "/proc", "proc");
    fake.mount("254:0", "/", "/dev/root");
    fake
}

/// Asserts that each device is used as the text says; an empty text is no use at all.
#[track_caller]
fn assert_verdicts(fake: &Fake, expected: &[(&str, &str)]) {
    for (number, text) in expected {
        let verdict = fake.verdict(number);
        if text.is_empty() {
            assert_eq!(verdict, "free", "{number}");
        } else {
            assert!(verdict.contains(text), "{number}: {verdict}");
        }
    }
}

#[test]
fn devices_that_nothing_uses_are_free() {
    assert_verdicts(&machine(), &[("8:0", ""), ("8:1", ""), ("8:2", ""), ("8:16", "")]);
}

#[test]
fn a_mounted_partition_uses_itself_and_its_disk_but_not_its_sibling() {
    let mut fake = machine();
    fake.mount("8:1", "/home", "/dev/sda1");
    let whole = "is in use: its partition sda1 is mounted on /home; unmount it, or give another \
                 device";
    assert_eq!(fake.verdict("8:0"), whole);
    assert_verdicts(&fake, &[("8:1", "it is mounted on /home"), ("8:2", ""), ("8:16", "")]);
}

#[test]
fn a_mounted_disk_uses_its_partitions() {
    let mut fake = machine();
    fake.mount("8:0", "/data", "/dev/sda");
    let disk = "sda, of which it is a part, is mounted on /data";
    assert_verdicts(&fake, &[("8:0", "it is mounted on /data"), ("8:1", disk), ("8:2", disk)]);
}

#[test]
fn a_bind_mount_is_seen_by_its_number_whatever_it_is_called() {
    let mut fake = machine();
    fake.mount("8:2", "/srv/with\\040space", "/dev/disk/by-label/x");
    let whole = "sda2 is mounted on /srv/with space";
    assert_verdicts(&fake, &[("8:0", whole), ("8:1", "")]);
}

#[test]
fn a_file_system_with_a_made_up_number_is_seen_by_its_source() {
    let mut fake = machine();
    fake.mount("0:44", "/pool", "/dev/sdb");
    fake.mount("0:45", "/chest", "/dev/sdx:/dev/sda2");
    let verdicts = [("8:16", "mounted on /pool"), ("8:0", "mounted on /chest"), ("8:1", "")];
    assert_verdicts(&fake, &verdicts);
}

#[test]
fn a_swap_partition_is_seen_with_its_node_and_without() {
    let mut fake = machine();
    fake.swap("/dev/sda2");
    let verdicts = [("8:0", "its partition sda2 is swap space"), ("8:2", "swapoff"), ("8:1", "")];
    assert_verdicts(&fake, &verdicts);
    fake.forget("/dev/sda2");
    assert_verdicts(&fake, &verdicts);
}

#[test]
fn a_swap_file_uses_the_device_of_its_file_system() {
    let mut fake = machine();
    fake.swap("/hidden/swapfile");
    fake.file("/hidden/swapfile", "8:1", 12);
    let whole = "its partition sda1 holds the swap file /hidden/swapfile";
    assert_verdicts(&fake, &[("8:0", whole), ("8:1", "it holds the swap"), ("8:2", "")]);
}

#[test]
fn what_is_built_upon_a_partition_uses_it_and_its_disk() {
    let mut fake = machine();
    let dm = fake.disk("dm-0", "253:0");
    std::fs::create_dir(dm.join("dm")).unwrap();
    std::fs::write(dm.join("dm/name"), "vg-root\n").unwrap();
    Fake::build_upon(&dm, &fake.sys().join("block/sda/sda1"));
    fake.mount("253:0", "/var", "/dev/mapper/vg-root");
    let part = "its partition sda1 belongs to dm-0 (vg-root), which is mounted on /var";
    let verdicts = [("8:0", part), ("8:1", "it belongs to dm-0"), ("8:2", ""), ("8:16", "")];
    assert_verdicts(&fake, &verdicts);
}

#[test]
fn an_unused_volume_may_be_written_whatever_else_lies_on_its_disk() {
    let mut fake = machine();
    let (one, other) = (fake.disk("dm-0", "253:0"), fake.disk("dm-1", "253:1"));
    let sdb = fake.sys().join("devices/virtual/block/sdb");
    Fake::build_upon(&one, &sdb);
    Fake::build_upon(&other, &sdb);
    fake.mount("253:1", "/var", "/dev/dm-1");
    let held = "it belongs to dm-0";
    assert_verdicts(&fake, &[("253:0", ""), ("253:1", "mounted on /var"), ("8:16", held)]);
    // That cannot be, and if it is, the volume is not what it seems.
    fake.mount("8:16", "/odd", "/dev/sdb");
    assert_verdicts(&fake, &[("253:0", "sdb, which dm-0 is built upon, is mounted on /odd")]);
}

#[test]
fn members_of_an_array_belong_to_it_also_through_layers() {
    let mut fake = machine();
    let (md, dm) = (fake.disk("md0", "9:0"), fake.disk("dm-0", "253:0"));
    let md_part = fake.partition(&md, "md0p1", "259:0");
    Fake::build_upon(&md, &fake.sys().join("devices/virtual/block/sda/sda2"));
    Fake::build_upon(&md, &fake.sys().join("devices/virtual/block/sdb"));
    Fake::build_upon(&dm, &md_part);
    fake.swap("/dev/dm-0");
    let member = "it belongs to md0, which belongs to dm-0, which is swap space";
    let above = "its partition md0p1 belongs to dm-0, which is swap space";
    assert_verdicts(&fake, &[("8:16", member), ("8:2", member), ("8:1", ""), ("9:0", above)]);
}

#[test]
fn a_disk_that_is_held_as_a_whole_uses_its_partitions() {
    let mut fake = machine();
    let multipath = fake.disk("dm-0", "253:0");
    Fake::build_upon(&multipath, &fake.sys().join("devices/virtual/block/sda"));
    let part = "sda, of which it is a part, belongs to dm-0";
    assert_verdicts(&fake, &[("8:0", "it belongs to dm-0"), ("8:1", part)]);
}

#[test]
fn what_a_loop_device_shows_is_used_by_it() {
    let mut fake = machine();
    fake.disk("loop0", "7:0");
    fake.disk("loop1", "7:1");
    fake.attach("loop0", "/dev/sda1");
    let part = "its partition sda1 is what loop0 shows; detach that with losetup -d /dev/loop0";
    let verdicts = [("8:0", part), ("8:1", "it is what loop0 shows"), ("8:2", ""), ("7:1", "")];
    assert_verdicts(&fake, &verdicts);
    // The other way round, the loop device alone may be written as long as what it shows is free.
    assert_verdicts(&fake, &[("7:0", "")]);
    fake.mount("8:1", "/mnt", "/dev/sda1");
    assert_verdicts(&fake, &[("7:0", "/dev/sda1, which loop0 shows, is mounted on /mnt")]);
}

#[test]
fn a_loop_device_over_a_disk_minds_the_disks_partitions() {
    let mut fake = machine();
    fake.disk("loop0", "7:0");
    fake.attach("loop0", "/dev/sda");
    fake.swap("/dev/sda2");
    let part = "sda2, a part of /dev/sda, which loop0 shows, is swap space";
    assert_verdicts(&fake, &[("7:0", part), ("8:1", "sda, of which it is a part, is what loop0")]);
}

#[test]
fn a_file_behind_two_loop_devices_or_behind_swap_is_used() {
    let mut fake = machine();
    for (name, number) in [("loop0", "7:0"), ("loop1", "7:1"), ("loop2", "7:2")] {
        fake.disk(name, number);
        fake.attach(name, &format!("/images/{name}"));
    }
    for (name, inode) in [("loop0", 5), ("loop1", 5), ("loop2", 6)] {
        fake.file(&format!("/images/{name}"), "254:0", inode);
    }
    let verdicts = [("7:0", "is what loop1 shows"), ("7:1", "is what loop0 shows"), ("7:2", "")];
    assert_verdicts(&fake, &verdicts);
    fake.swap("/images/loop2");
    assert_verdicts(&fake, &[("7:2", "/images/loop2, which loop2 shows, is swap space")]);
}

#[test]
fn a_loop_device_over_something_that_cannot_be_found_is_not_written() {
    let mut fake = machine();
    fake.disk("loop0", "7:0");
    fake.attach("loop0", "/images/gone (deleted)");
    assert_verdicts(&fake, &[("7:0", "unsure: /images/gone (deleted)"), ("8:0", "")]);
    fake.disk("loop1", "7:1");
    fake.attach("loop1", "/dev/gone");
    assert_verdicts(&fake, &[("8:0", "unsure: /dev/gone"), ("8:16", "unsure: /dev/gone")]);
}

#[test]
fn a_device_that_a_program_has_open_for_writing_is_used_by_it() {
    let mut fake = machine();
    fake.open(77, "8:1", "0100000");
    fake.open(std::process::id(), "8:1", "0100002");
    assert_verdicts(&fake, &[("8:0", ""), ("8:1", "")]);
    fake.open(78, "8:1", "02140002");
    let part = "its partition sda1 is open for writing by qemu (78); end that program";
    assert_verdicts(&fake, &[("8:0", part), ("8:1", "it is open for writing by"), ("8:2", "")]);
    fake.open(79, "8:16", "01");
    assert_verdicts(&fake, &[("8:16", "it is open for writing by qemu (79)")]);
}

#[test]
fn a_partition_that_overlaps_another_is_used_with_it() {
    let mut fake = machine();
    fake.mount("8:1", "/mnt", "/dev/sda1");
    let part = fake.sys().join("devices/virtual/block/sda/sda2");
    assert_verdicts(&fake, &[("8:2", "")]);
    std::fs::write(part.join("start"), "4095\n").unwrap();
    let overlaps = "sda1, which overlaps it, is mounted on /mnt";
    assert_verdicts(&fake, &[("8:2", overlaps)]);
    // The head of an extended partition holds the table of those within.
    std::fs::write(part.join("start"), "900000\n").unwrap();
    assert_verdicts(&fake, &[("8:2", "")]);
    std::fs::write(part.join("size"), "2\n").unwrap();
    assert_verdicts(&fake, &[("8:2", overlaps)]);
}

#[test]
fn another_way_to_the_same_drive_is_used_with_it() {
    let mut fake = machine();
    for (name, file) in [("sda", "device/wwid"), ("sdb", "device/wwid")] {
        let path = fake.sys().join("block").join(name).join(file);
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(path, "naa.5000\n").unwrap();
    }
    assert_verdicts(&fake, &[("8:16", ""), ("8:0", "")]);
    fake.mount("8:1", "/mnt", "/dev/sda1");
    let twin = "sda1, which leads to the same drive as sdb, is mounted on /mnt";
    assert_verdicts(&fake, &[("8:16", twin), ("8:2", "")]);
    std::fs::write(fake.sys().join("block/sda/device/wwid"), "naa.5001\n").unwrap();
    assert_verdicts(&fake, &[("8:16", "")]);
}

#[test]
fn what_cannot_be_read_is_no_permission() {
    let mut fake = machine();
    assert_verdicts(&fake, &[("8:99", "unsure: device 8:99")]);
    std::fs::remove_dir(fake.sys().join("devices/virtual/block/sdb/holders")).unwrap();
    assert_verdicts(&fake, &[("8:16", "unsure: what is built upon sdb")]);
    fake.mount("nonsense", "/x", "y");
    assert_verdicts(&fake, &[("8:0", "unsure: the table of mounts")]);
}

#[test]
fn a_name_with_a_slash_is_shown_as_in_dev() {
    let mut fake = machine();
    let disk = fake.disk("cciss!c0d0", "104:0");
    fake.partition(&disk, "cciss!c0d0p1", "104:1");
    fake.swap("/dev/cciss/c0d0p1");
    fake.forget("/dev/cciss/c0d0p1");
    assert_verdicts(&fake, &[("104:0", "its partition cciss/c0d0p1 is swap space")]);
}

#[test]
fn a_namespace_of_one_controller_has_its_block_device_beside_it() {
    let mut fake = machine();
    let controller = "pci0000:00/nvme/nvme1";
    let disk = fake.disk_below(controller, "nvme1n2", "259:3");
    fake.partition(&disk, "nvme1n2p1", "259:4");
    fake.generic_below(controller, "ng1n2", "241:0");
    assert_eq!(fake.namespace("241:0"), Ok(("nvme1n2".into(), 1 << 20, 4096)));
    fake.mount("259:4", "/mnt", "/dev/nvme1n2p1");
    assert_verdicts(&fake, &[("259:3", "its partition nvme1n2p1 is mounted on /mnt")]);
}

#[test]
fn a_namespace_of_several_controllers_is_the_head_and_not_a_path() {
    let mut fake = machine();
    let subsystem = "virtual/nvme-subsystem/nvme-subsys0";
    fake.disk_below(subsystem, "nvme0n1", "259:0");
    fake.generic_below(subsystem, "ng0n1", "241:0");
    // The paths are hidden: they have no number.
    for path in ["nvme0/nvme0c0n1", "nvme1/nvme0c1n1"] {
        std::fs::create_dir_all(fake.sys().join("devices/pci0000:00/nvme").join(path)).unwrap();
    }
    assert_eq!(fake.namespace("241:0"), Ok(("nvme0n1".into(), 1 << 20, 4096)));
}

#[test]
fn a_namespace_whose_block_device_is_not_certain_is_refused() {
    let mut fake = machine();
    fake.generic_below("pci0000:00/nvme/nvme0", "ng0n1", "241:0");
    // One of the same name elsewhere may be another drive's.
    fake.disk_below("virtual/nvme-subsystem/nvme-subsys0", "nvme0n1", "259:0");
    let refused = fake.namespace("241:0").unwrap_err();
    assert_eq!(refused, "there is no nvme0n1 beside it");
    fake.generic_below("pci0000:00/nvme/nvme5", "ng5c1n1", "241:1");
    assert!(fake.namespace("241:1").unwrap_err().contains("not of the form"));
    fake.generic_below("pci0000:00/nvme/nvme6", "ng6n1", "241:2");
    let beside = fake.sys().join("devices/pci0000:00/nvme/nvme6/nvme6n1");
    std::fs::create_dir(&beside).unwrap();
    assert!(fake.namespace("241:2").unwrap_err().contains("there is no nvme6n1"), "hidden");
    std::fs::write(beside.join("dev"), "259:0\n").unwrap();
    assert!(fake.namespace("241:2").unwrap_err().contains("not its block device"), "another's");
    assert!(fake.namespace("241:9").is_err(), "no such device");
}

/// Opens what is there, and writes nothing.
#[test]
fn a_real_namespace_is_read_by_its_size_and_held_by_its_block_device() {
    let named = |path: &PathBuf| path.as_os_str().as_encoded_bytes().starts_with(b"/dev/ng");
    let nodes = fs::read_dir("/dev").unwrap().map(|entry| entry.unwrap().path());
    let usable = |path: &PathBuf| named(path) && is_device(path) && File::open(path).is_ok();
    let Some(generic) = nodes.into_iter().find(usable) else {
        return skip("there is no /dev/ngXnY that may be opened");
    };
    let block = PathBuf::from(generic.to_str().unwrap().replace("/ng", "/nvme"));
    let (generic, block) = (generic.as_path(), block.as_path());
    let file = open_existing(generic, true).unwrap();
    let namespace = namespace_of(&file, generic).unwrap().expect("it is one");
    assert_eq!(namespace.block_path(), block);
    assert!(namespace_of(&File::open(block).unwrap(), block).unwrap().is_none());
    assert!(open_existing(generic, false).is_err(), "it has no page cache");
    let mut devices = Devices::new(&[generic.into()], &[]).unwrap();
    let held = match devices.open_to_write(generic, true) {
        Ok(held) => held,
        Err(refused) => {
            assert!(refused.to_string().contains(" in use"), "{refused}");
            return skip(&refused.to_string());
        }
    };
    assert_eq!(held.size_bytes(), namespace.size_bytes);
    assert_eq!(held.alignment().offset_bytes, namespace.block_bytes);
    let exclusively =
        || OpenOptions::new().read(true).custom_flags(libc::O_EXCL).open(block).map(|_| ());
    assert_eq!(exclusively().unwrap_err().raw_os_error(), Some(libc::EBUSY));
    let again = Devices::new(&[generic.into()], &[]).unwrap().open_to_write(generic, true);
    assert!(again.unwrap_err().to_string().contains("in use"), "it is held already");
    drop((held, devices));
    assert!(exclusively().is_ok());
}
