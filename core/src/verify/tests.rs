//! Blocks damaged in every way, and told apart.

use proptest::prelude::*;

use super::header;
use super::sector::{STAMP_BYTES, Sector};
use super::*;

const ALL: [Checksum; 3] = [Checksum::Crc32c, Checksum::Xxh3, Checksum::Pattern];
const BLOCK: usize = 4096;
const START: u64 = 1 << 20;
const RANGE: u64 = 1 << 24;

fn header(run: u64, loop_number: u32, length: usize) -> Header {
    Header {
        length_bytes: u32::try_from(length).unwrap(),
        generation: Generation { run, loop_number },
        tid: 0,
        lane: 0,
        whole_range: true,
        range_start_bytes: START,
        range_bytes: RANGE,
        seed: 5,
    }
}

fn writer(checksum: Checksum, run: u64, loop_number: u32) -> Writer {
    Writer::new(header(run, loop_number, BLOCK), checksum, 0)
}

/// The bytes of block `number` as the write `sequence` of the loop left them.
fn block(writer: &Writer, number: u64, sequence: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).cycle().take(BLOCK).collect();
    writer.stamp(at(number), writer.sequence(sequence), &mut bytes);
    bytes
}

fn at(number: u64) -> u64 {
    START + number * BLOCK as u64
}

fn judged(bytes: &[u8], number: u64) -> Result<Judged, Damage> {
    judge(bytes, at(number), at(number), Freshness::Any)
}

#[test]
fn what_was_written_is_right_and_says_who_wrote_it() {
    for checksum in ALL {
        let writer = writer(checksum, 9, 3);
        let judged = judged(&block(&writer, 7, 11), 7).unwrap();
        assert_eq!(judged.header, Some(header(9, 3, BLOCK)));
        let stamp = judged.stamp;
        assert_eq!((stamp.write_number(), stamp.loop_number()), (11, 3));
        assert_eq!((stamp.offset_bytes, stamp.writer), (at(7), writer.name()));
        assert_eq!((stamp.checksum, stamp.index), (checksum, 0));
    }
}

#[test]
fn each_flipped_byte_is_corrupt_and_in_a_pattern_it_is_named() {
    for checksum in ALL {
        let right = block(&writer(checksum, 1, 0), 3, 2);
        for place in 0..BLOCK {
            let mut bytes = right.clone();
            bytes[place] ^= 0x10;
            let damage = judged(&bytes, 3).unwrap_err();
            assert_eq!(damage.kind(), Kind::Corrupt, "{checksum} {place}: {damage:?}");
            let in_sector = place % SECTOR_BYTES;
            let in_header = place < SECTOR_BYTES && (STAMP_BYTES..header::END).contains(&in_sector);
            let told = match checksum {
                Checksum::Pattern => in_sector >= 8 && !in_header,
                _ => (8..STAMP_BYTES).contains(&in_sector),
            };
            let wanted = if told {
                let at_bytes = at(3) + place as u64;
                Damage::WrongByte { at_bytes, expected: right[place], found: bytes[place] }
            } else {
                let at_bytes = at(3) + (place - in_sector) as u64;
                Damage::WrongSector { at_bytes }
            };
            assert_eq!(damage, wanted, "{checksum} {place}");
        }
    }
}

#[test]
fn a_block_of_two_writes_is_torn_wherever_it_was_cut() {
    for checksum in ALL {
        let one = writer(checksum, 1, 0);
        let older = block(&one, 3, 2);
        for newer in [
            block(&one, 3, 4),
            block(&writer(checksum, 1, 1), 3, 2),
            // The same write of the same loop, but in another run.
            block(&writer(checksum, 2, 0), 3, 2),
        ] {
            for cut in (SECTOR_BYTES..BLOCK).step_by(SECTOR_BYTES) {
                let bytes = [&newer[..cut], &older[cut..]].concat();
                match judged(&bytes, 3).unwrap_err() {
                    Damage::Torn { at_bytes, .. } => assert_eq!(at_bytes, at(3) + cut as u64),
                    other => panic!("{checksum}, cut at {cut}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_block_of_another_offset_is_misplaced_also_when_only_a_part_is() {
    for checksum in ALL {
        let writer = writer(checksum, 1, 0);
        let (own, other) = (block(&writer, 3, 2), block(&writer, 8, 2));
        for cut in (0..BLOCK).step_by(SECTOR_BYTES) {
            let bytes = [&own[..cut], &other[cut..]].concat();
            let wanted =
                Damage::Misplaced { at_bytes: at(3) + cut as u64, belongs_at_bytes: at(8) };
            assert_eq!(judged(&bytes, 3), Err(wanted), "{checksum}, from {cut} on");
        }
    }
}

#[test]
fn zeros_are_told_from_garbage_and_counted() {
    for checksum in ALL {
        let right = block(&writer(checksum, 1, 0), 3, 2);
        for start in (0..BLOCK).step_by(SECTOR_BYTES) {
            for end in (start + SECTOR_BYTES..=BLOCK).step_by(SECTOR_BYTES) {
                let mut bytes = right.clone();
                bytes[start..end].fill(0);
                let wanted = Damage::Zeroed {
                    at_bytes: at(3) + start as u64,
                    zero_bytes: (end - start) as u64,
                };
                assert_eq!(judged(&bytes, 3), Err(wanted));
            }
        }
        assert_eq!(judged(&[0xFF; BLOCK], 3), Err(Damage::Unknown));
    }
}

#[test]
fn an_old_block_is_stale_where_a_newer_one_must_be() {
    for checksum in ALL {
        let writer = writer(checksum, 7, 2);
        let bytes = block(&writer, 3, 5);
        let judged = |freshness| judge(&bytes, at(3), at(3), freshness).map_err(|bad| bad.kind());
        let since = |run, loop_number| Freshness::Since(Generation { run, loop_number });
        for fresh in [since(7, 2), since(7, 1), since(6, 9), Freshness::Any] {
            assert!(judged(fresh).is_ok(), "{fresh:?}");
        }
        for stale in [since(7, 3), since(8, 0)] {
            assert_eq!(judged(stale), Err(Kind::Stale), "{stale:?}");
        }
        let exactly = |name, earliest, last| Freshness::Exactly {
            writer: name,
            earliest: writer.sequence(earliest),
            last: writer.sequence(last),
        };
        assert!(judged(exactly(writer.name(), 5, 5)).is_ok());
        assert!(judged(exactly(writer.name(), 3, 6)).is_ok());
        for (name, earliest, last) in
            [(writer.name(), 6, 9), (writer.name(), 1, 4), (!writer.name(), 5, 5)]
        {
            assert_eq!(judged(exactly(name, earliest, last)), Err(Kind::Stale));
        }
    }
}

#[test]
fn the_end_of_a_block_is_judged_without_its_front() {
    for checksum in ALL {
        let bytes = block(&writer(checksum, 1, 0), 3, 2);
        for skip in (0..BLOCK).step_by(SECTOR_BYTES) {
            let end = &bytes[skip..];
            let judged = judge(end, at(3) + skip as u64, at(3), Freshness::Any).unwrap();
            assert_eq!(judged.header.is_some(), skip == 0);
        }
    }
}

#[test]
fn the_share_of_a_pattern_that_is_constant_is_the_one_that_was_asked() {
    for percent in [0_u8, 30, 50, 90] {
        let writer = Writer::new(header(1, 0, BLOCK), Checksum::Pattern, percent);
        let bytes = block(&writer, 0, 0);
        assert!(judged(&bytes, 0).is_ok());
        let is_constant = |byte: &&u8| **byte == crate::data::COMPRESSIBLE;
        let constant: usize = bytes.iter().filter(is_constant).map(|_| 1).sum();
        let share = u32::try_from(constant * 1000 / BLOCK).unwrap();
        assert!(share.abs_diff(u32::from(percent) * 10) <= 20, "{share} of 1000, not {percent} %");
        let (first, second) = (block(&writer, 1, 0), block(&writer, 0, 1));
        assert!(bytes != first && bytes != second, "another offset, another write");
    }
}

#[test]
fn blocks_are_found_on_a_grid_and_where_their_headers_are() {
    let small = writer(Checksum::Xxh3, 2, 0);
    let large = Writer::new(header(1, 0, 4 * BLOCK), Checksum::Crc32c, 0);
    let mut bytes = vec![1; 16 * BLOCK];
    large.stamp(START, large.sequence(0), &mut bytes);
    // A newer block in the middle of the second one, garbage in front of the fourth.
    bytes[6 * BLOCK..7 * BLOCK].copy_from_slice(&block(&small, 6, 0));
    bytes[12 * BLOCK..][..700].fill(0xEE);
    let grid = Grid { origin_bytes: START, block_bytes: 4 * BLOCK as u64 };
    let pieces: Vec<_> = Walk::new(&bytes, START, grid)
        .map(|piece| {
            let Piece { bytes, offset_bytes, block_offset_bytes, .. } = piece;
            let kind = judge(bytes, offset_bytes, block_offset_bytes, Freshness::Any);
            let kind = kind.map_err(|damage| damage.kind()).err();
            ((offset_bytes - START) / BLOCK as u64, bytes.len() / BLOCK, kind)
        })
        .collect();
    let wanted = [
        (0, 4, None),
        (4, 2, None),
        (6, 1, None),
        (7, 1, None),
        (8, 4, None),
        (12, 4, Some(Kind::Corrupt)),
    ];
    assert_eq!(pieces, wanted);
}

#[test]
fn a_part_of_a_block_that_is_read_is_judged_by_what_its_sectors_say() {
    for checksum in ALL {
        let bytes = block(&writer(checksum, 1, 0), 3, 2);
        let grid = Grid { origin_bytes: START, block_bytes: 1024 };
        for skip in (0..BLOCK).step_by(1024) {
            let judged = |bytes: &[u8]| -> Result<Vec<Judged>, Damage> {
                let piece = |piece: Piece| {
                    let Piece { bytes, offset_bytes, block_offset_bytes, .. } = piece;
                    judge(bytes, offset_bytes, block_offset_bytes, Freshness::Any)
                };
                Walk::new(bytes, at(3) + skip as u64, grid).map(piece).collect()
            };
            let part = &bytes[skip..skip + 1024];
            assert_eq!(judged(part).map(|all| all.len()), Ok(1), "{checksum} from {skip} on");
            let mut bad = part.to_vec();
            bad[8] ^= 1;
            let at_bytes = at(3) + skip as u64 + 8;
            let wrong = Damage::WrongByte { at_bytes, expected: part[8], found: bad[8] };
            assert_eq!(judged(&bad), Err(wrong), "{checksum} from {skip} on");
        }
    }
}

proptest! {
    #[test]
    fn no_damage_passes_for_a_right_block(
        checksum in 0_usize..3,
        place in 0..BLOCK,
        junk in proptest::collection::vec(any::<u8>(), 1..1024),
    ) {
        let right = block(&writer(ALL[checksum], 1, 0), 3, 2);
        let mut bytes = right.clone();
        let end = BLOCK.min(place + junk.len());
        bytes[place..end].copy_from_slice(&junk[..end - place]);
        prop_assert_eq!(judged(&bytes, 3).is_ok(), bytes == right);
    }

    #[test]
    fn a_mix_of_sectors_is_right_only_if_all_are_of_the_write(
        checksum in 0_usize..3,
        picks in proptest::collection::vec(0_usize..4, BLOCK / SECTOR_BYTES),
    ) {
        let one = writer(ALL[checksum], 1, 0);
        let other = writer(ALL[checksum], 2, 0);
        let kinds = [block(&one, 3, 2), block(&other, 3, 2), block(&one, 4, 2), vec![0; BLOCK]];
        let sectors = picks.iter().enumerate();
        let bytes: Vec<u8> = sectors
            .flat_map(|(n, pick)| kinds[*pick][n * SECTOR_BYTES..][..SECTOR_BYTES].to_vec())
            .collect();
        // The first sector that does not belong to the write of the first right one decides.
        let own = picks.iter().copied().find(|pick| *pick < 2);
        let odd = picks.iter().copied().find(|pick| Some(*pick) != own);
        let wanted = odd.map(|pick| [Kind::Torn, Kind::Torn, Kind::Misplaced, Kind::Zeroed][pick]);
        prop_assert_eq!(judged(&bytes, 3).err().map(|damage| damage.kind()), wanted);
    }

    #[test]
    fn random_sectors_are_neither_sound_nor_make_anything_panic(
        bytes in proptest::collection::vec(any::<u8>(), SECTOR_BYTES),
        offset in 0_u64..1 << 40,
    ) {
        prop_assert!(!matches!(Sector::of(&bytes), Sector::Sound(_)));
        let grid = Grid { origin_bytes: START, block_bytes: 4096 };
        let offset_bytes = offset * SECTOR_BYTES as u64;
        for piece in Walk::new(&bytes, offset_bytes, grid) {
            let Piece { bytes, offset_bytes, block_offset_bytes, .. } = piece;
            let judged = judge(bytes, offset_bytes, block_offset_bytes, Freshness::Any);
            prop_assert_eq!(judged, Err(Damage::Unknown));
        }
    }
}
