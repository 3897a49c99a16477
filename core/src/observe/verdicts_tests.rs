//! Each verdict, provoked and not.

use super::super::cgroup::IoLimit;
use super::super::diskstats::BlockStat;
use super::super::residency::Residency;
use super::super::throttling::Throttled;
use super::*;

const MIB: u64 = 1 << 20;

/// A device that read and wrote so much within two seconds.
fn seen(read_bytes: u64, write_bytes: u64) -> Seen {
    let counts = |bytes| Counts { requests: bytes >> 12, bytes, merges: 3, in_flight_ms: 8000 };
    let stat = BlockStat {
        read: counts(read_bytes),
        write: counts(write_bytes),
        busy_ms: 1500,
        ..BlockStat::default()
    };
    let device = SeenDevice {
        name: "sda".into(),
        number: "8:0".into(),
        covers: vec!["8:0".into()],
        stat,
        counts: true,
    };
    Seen { devices: vec![device], seconds: 2.0, ..Seen::default() }
}

fn moved(direction: Direction, file_system: &str, bytes: u64) -> Moved {
    let (device, file_system) = (Some("8:0".into()), Some(file_system.into()));
    Moved { direction, device, file_system, compresses: false, bytes, flushes: 0 }
}

fn read(file_system: &str, bytes: u64) -> [Moved; 1] {
    [moved(Direction::Read, file_system, bytes)]
}

fn evidence<'a>(seen: &'a Seen, moved: &'a [Moved]) -> Evidence<'a> {
    let direction = moved[0].direction;
    Evidence { seen, moved, direction, buffered: false, content: Content::default() }
}

fn codes(evidence: Evidence<'_>) -> String {
    let codes: Vec<_> = doubts(evidence).into_iter().map(|doubt| doubt.code).collect();
    codes.join(" ")
}

#[test]
fn a_device_that_moved_what_was_moved_gives_no_doubt_and_its_figures() {
    let (seen, moved) = (seen(64 * MIB, 0), read(BLOCK_DEVICE, 64 * MIB));
    let evidence = evidence(&seen, &moved);
    assert_eq!(codes(evidence), "");
    let all = devices(evidence);
    let [one] = all.as_slice() else { panic!("one device: {all:?}") };
    assert_eq!((one.requests, one.bytes, one.merges), (16_384, 64 * MIB, 3));
    assert!((one.mean_request_bytes - 4096.0).abs() < 1e-9);
    assert!((one.mean_in_flight - 4.0).abs() < 1e-9, "{one:?}");
    assert!((one.utilisation - 0.75).abs() < 1e-9, "{one:?}");
    assert_eq!(one.bytes_by_others, Some(0));
}

#[test]
fn reads_that_the_device_did_not_deliver_came_out_of_memory() {
    let verdict = |delivered: u64| {
        let seen = seen(delivered * MIB, 0);
        codes(evidence(&seen, &read("ext4", 100 * MIB)))
    };
    assert_eq!(verdict(89), "page-cache");
    assert_eq!(verdict(90), "");
    let mut silent = seen(0, 0);
    silent.devices[0].counts = false;
    assert_eq!(codes(evidence(&silent, &read("ext4", 100 * MIB))), "", "it does not count");
    assert!(devices(evidence(&silent, &read("ext4", MIB))).is_empty());
}

#[test]
fn others_are_told_above_one_percent_and_a_journal_is_not_taken_for_them() {
    let verdict = |file_system: &str, read_bytes: u64, write_bytes: u64| {
        let seen = seen(read_bytes, write_bytes);
        codes(evidence(&seen, &read(file_system, 1000 * MIB)))
    };
    assert_eq!(verdict(BLOCK_DEVICE, 1010 * MIB, 0), "");
    assert_eq!(verdict(BLOCK_DEVICE, 1011 * MIB, 0), "others");
    assert_eq!(verdict(BLOCK_DEVICE, 1000 * MIB, 11 * MIB), "others");
    assert_eq!(verdict("ext4", 1000 * MIB, 11 * MIB), "", "1.5 MiB in two seconds are its own");
    assert_eq!(verdict("ext4", 1000 * MIB, 12 * MIB), "others");
    assert_eq!(verdict("f2fs", 1000 * MIB, 500 * MIB), "", "it moves data around by itself");
    assert_eq!(verdict("f2fs", 1500 * MIB, 0), "others");
    let journal = seen(0, 30 * MIB);
    let written = |flushes| [Moved { flushes, ..moved(Direction::Write, "ext4", 10 * MIB) }];
    assert_eq!(codes(evidence(&journal, &written(0))), "others");
    assert_eq!(codes(evidence(&journal, &written(400))), "", "each flush writes the journal");
    let busy = seen(1000 * MIB, 500 * MIB);
    let moved = read("ext4", 1000 * MIB);
    let buffered = Evidence { buffered: true, ..evidence(&busy, &moved) };
    assert_eq!(codes(buffered), "", "it may be its own data, written late");
    assert_eq!(devices(buffered)[0].bytes_by_others, None);
    assert_eq!(devices(evidence(&busy, &moved))[0].bytes_by_others, Some(500 * MIB));
}

#[test]
fn a_direction_that_runs_beside_is_none_of_the_others() {
    let seen = seen(1000 * MIB, 500 * MIB);
    let both = [
        moved(Direction::Read, BLOCK_DEVICE, 1000 * MIB),
        moved(Direction::Write, BLOCK_DEVICE, 500 * MIB),
    ];
    assert_eq!(codes(evidence(&seen, &both)), "");
    let writes = Evidence { direction: Direction::Write, ..evidence(&seen, &both) };
    assert_eq!(devices(writes)[0].bytes, 500 * MIB);
}

#[test]
fn a_partition_is_judged_with_its_disk() {
    let mut seen = seen(100 * MIB, 0);
    let mut disk = seen.devices[0].clone();
    (disk.number, disk.name) = ("8:16".into(), "sdb".into());
    disk.stat.read.bytes += 50 * MIB;
    seen.devices.push(disk);
    let moved = read(BLOCK_DEVICE, 100 * MIB);
    assert_eq!(codes(evidence(&seen, &moved)), "others");
    seen.devices[1].covers = vec!["8:17".into()];
    assert_eq!(codes(evidence(&seen, &moved)), "", "nothing of ours is there");
}

#[test]
fn data_that_was_in_the_page_cache_before_is_told() {
    let verdict = |resident| {
        let residency = Residency { pages: 1000, resident };
        let seen = Seen { residency, ..seen(MIB, 0) };
        let moved = read("ext4", MIB);
        codes(Evidence { buffered: true, ..evidence(&seen, &moved) })
    };
    assert_eq!(verdict(10), "");
    assert_eq!(verdict(11), "cached-before");
}

#[test]
fn zeros_are_told_always_and_constants_where_they_are_compressed() {
    let verdict = |constant, zero, compresses| {
        let seen = seen(MIB, 0);
        let moved = [Moved { compresses, ..moved(Direction::Read, "btrfs", MIB) }];
        let content = Content { pieces: 10, constant, zero };
        codes(Evidence { content, ..evidence(&seen, &moved) })
    };
    assert_eq!(verdict(5, 5, false), "constant-data");
    assert_eq!(verdict(4, 4, true), "");
    assert_eq!(verdict(5, 0, false), "");
    assert_eq!(verdict(5, 0, true), "constant-data");
    assert_eq!(verdict(0, 0, true), "");
}

#[test]
fn what_held_the_machine_back_is_told_and_a_limit_only_in_its_direction() {
    let moved = read("ext4", MIB);
    let verdict = |change: &dyn Fn(&mut Seen)| {
        let mut seen = Seen { throttled: Some(Throttled::default()), ..seen(MIB, 0) };
        change(&mut seen);
        codes(evidence(&seen, &moved))
    };
    assert_eq!(verdict(&|_seen| ()), "");
    let throttled = |thermal, cpu| Some(Throttled { thermal, cpu });
    assert_eq!(verdict(&|seen| seen.throttled = throttled(1, 0)), "throttled-thermal");
    assert_eq!(verdict(&|seen| seen.throttled = throttled(0, 2)), "throttled-cpu");
    assert_eq!(verdict(&|seen| seen.is_hot = true), "hot-device");
    let limit = |number: &str, reads| IoLimit { number: number.into(), reads, writes: !reads };
    assert_eq!(verdict(&|seen| seen.io_limits = vec![limit("8:0", true)]), "throttled-io");
    assert_eq!(verdict(&|seen| seen.io_limits = vec![limit("8:0", false)]), "");
    assert_eq!(verdict(&|seen| seen.io_limits = vec![limit("8:16", true)]), "");
}
