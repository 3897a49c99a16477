//! Files made, damaged by hand, and judged.

use std::fs;

use super::*;
use crate::verify::{Checksum, Writer};

const BLOCK: usize = 4096;
const BLOCKS: usize = 64;

fn header(loop_number: u32, whole_range: bool) -> Header {
    Header {
        length_bytes: u32::try_from(BLOCK).unwrap(),
        generation: Generation { run: 77, loop_number },
        tid: 0,
        lane: 0,
        whole_range,
        range_start_bytes: 0,
        range_bytes: (BLOCK * BLOCKS) as u64,
        seed: 0,
    }
}

fn content(loop_number: u32, whole_range: bool, checksum: Checksum) -> Vec<u8> {
    let writer = Writer::new(header(loop_number, whole_range), checksum, 0);
    let mut bytes = vec![3; BLOCK * BLOCKS];
    for (number, block) in (0..).zip(bytes.chunks_mut(BLOCK)) {
        writer.stamp(number * BLOCK as u64, writer.sequence(number), block);
    }
    bytes
}

fn inspected(bytes: &[u8], all_written: bool) -> Result<Inspected, InspectError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, bytes).unwrap();
    inspect(&Wish { path, all_written }, &|| false)
}

fn number_of(found: &Inspected, kind: Kind) -> u64 {
    found.counts.damaged.get(&kind).copied().unwrap_or(0)
}

#[test]
fn each_kind_of_damage_is_found_counted_and_named() {
    for checksum in [Checksum::Crc32c, Checksum::Xxh3, Checksum::Pattern] {
        let right = content(1, true, checksum);
        let found = inspected(&right, true).unwrap();
        assert_eq!((found.counts.right, found.counts.damaged_in_all()), (64, 0));
        assert_eq!(found.checksums.iter().copied().collect::<Vec<_>>(), [checksum.name()]);
        let old = content(0, true, checksum);
        let mut bytes = right.clone();
        let of = |number: usize| number * BLOCK..(number + 1) * BLOCK;
        bytes[of(0)].fill(0);
        bytes[of(3)].copy_from_slice(&old[of(3)]);
        bytes[7 * BLOCK + 512..8 * BLOCK].copy_from_slice(&old[7 * BLOCK + 512..8 * BLOCK]);
        bytes[of(9)].copy_from_slice(&right[of(8)]);
        bytes[20 * BLOCK + 1000] ^= 1;
        bytes[of(21)].fill(0x77);
        bytes.truncate(62 * BLOCK + 600);
        let found = inspected(&bytes, true).unwrap();
        let numbers = Kind::ALL.map(|kind| number_of(&found, kind));
        assert_eq!(numbers, [1, 1, 1, 1, 2, 2], "{:?}", found.counts);
        assert_eq!(found.counts.right, 64 - 8);
        let first = found.first_bad.unwrap();
        assert_eq!((first.offset_bytes, first.length_bytes), (0, BLOCK as u64));
        assert_eq!(first.damage, Damage::Zeroed { at_bytes: 0, zero_bytes: BLOCK as u64 });
        // Where nothing says that all was written, an older block may be as it should.
        let found = inspected(&bytes, false).unwrap();
        assert_eq!((number_of(&found, Kind::Stale), found.counts.right), (0, 64 - 7));
    }
}

#[test]
fn what_need_not_have_been_written_is_not_judged() {
    let mut bytes = content(1, false, Checksum::Crc32c);
    bytes[5 * BLOCK..6 * BLOCK].fill(0);
    bytes[6 * BLOCK..7 * BLOCK].fill(0xEE);
    let found = inspected(&bytes, false).unwrap();
    assert_eq!((found.counts.right, found.counts.unwritten), (62, 2));
    assert!(found.first_bad.is_none());
    bytes[6 * BLOCK..6 * BLOCK + 512].fill(0);
    let kind = |bytes: &[u8]| inspected(bytes, false).unwrap().first_bad.map(|b| b.damage.kind());
    assert_eq!(kind(&bytes), Some(Kind::Zeroed), "no block that nobody has written looks so");
}

#[test]
fn a_file_without_blocks_is_told_apart_from_a_damaged_one() {
    for bytes in [vec![], vec![0; 5000], vec![9; 100_000]] {
        assert!(matches!(inspected(&bytes, false), Err(InspectError::NoBlocks(_))));
    }
    let missing = Wish { path: "no/such/file".into(), all_written: false };
    assert!(matches!(inspect(&missing, &|| false), Err(InspectError::Refused(_))));
    let mut stopped = content(0, true, Checksum::Xxh3);
    stopped.truncate(BLOCK);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, &stopped).unwrap();
    let stopped = inspect(&Wish { path, all_written: false }, &|| true);
    assert!(matches!(stopped, Err(InspectError::Stopped)));
}

#[test]
fn blocks_that_are_longer_than_what_is_read_at_a_time_are_judged_whole() {
    let length_bytes = u32::try_from(CHUNK_BYTES + 3 * BLOCK).unwrap();
    let range_bytes = u64::from(length_bytes) * 3;
    let wide = Header { length_bytes, range_bytes, ..header(0, true) };
    let writer = Writer::new(wide, Checksum::Crc32c, 0);
    let mut bytes = vec![1; usize::try_from(range_bytes).unwrap()];
    for (number, block) in (0..).zip(bytes.chunks_mut(length_bytes as usize)) {
        writer.stamp(number * u64::from(length_bytes), writer.sequence(number), block);
    }
    let found = inspected(&bytes, false).unwrap();
    assert_eq!((found.counts.right, found.counts.damaged_in_all()), (3, 0));
    let at = 2 * length_bytes as usize - 512;
    bytes[at..at + 512].fill(0);
    let found = inspected(&bytes, false).unwrap();
    assert_eq!((found.counts.right, number_of(&found, Kind::Zeroed)), (2, 1));
    let first = found.first_bad.unwrap();
    assert_eq!(first.offset_bytes, u64::from(length_bytes));
    assert_eq!(first.damage, Damage::Zeroed { at_bytes: at as u64, zero_bytes: 512 });
}
