//! Files that somebody has prepared, checksums included.

use std::fmt::Write as _;
use std::io::Write as _;

use super::*;
use crate::testing::{fuzz, one_sentence};
use crate::verify::sector::{Stamp, number_64};
use crate::verify::{Checksum, Writer};

const BLOCK: usize = 1024;

/// Three blocks and a layout, both of a loop of a run.
fn content(loop_number: u32, checksum: Checksum, layout: &str) -> Vec<u8> {
    let header = Header {
        length_bytes: u32::try_from(BLOCK).unwrap(),
        generation: Generation { run: 77, loop_number },
        tid: 0,
        lane: 0,
        whole_range: true,
        range_start_bytes: 0,
        range_bytes: 3 * BLOCK as u64,
        seed: 0,
    };
    let writer = Writer::new(header, checksum, 0);
    let mut bytes = vec![3; 3 * BLOCK];
    for (number, block) in (0..).zip(bytes.chunks_mut(BLOCK)) {
        writer.stamp(number * BLOCK as u64, writer.sequence(number), block);
    }
    [layout.as_bytes(), b"\n", &bytes].concat()
}

/// Gives each sector the sum that it must have, where its stamp tells which one.
fn mend(bytes: &mut [u8]) {
    for sector in bytes.chunks_exact_mut(SECTOR_BYTES) {
        let Some(stamp) = Stamp::parse(sector) else { continue };
        let sum = stamp.checksum.over(stamp.index, sector);
        sector[..8].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(number_64(sector, 0), sum);
    }
}

fn inspect_both(bytes: &[u8], layout: Option<Layout>) -> String {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let path = Path::new("f");
    let size_bytes = bytes.len() as u64;
    let source = Source { file: &file, path, size_bytes, stopped: &|| false };
    let mut way = String::new();
    for all_written in [false, true] {
        match judge_all(&source, layout, all_written) {
            Err(error) => {
                one_sentence(&error.to_string());
                way += &error.to_string();
            }
            Ok(found) => {
                let bad = found.first_bad.map(|bad| bad.to_string()).unwrap_or_default();
                assert_eq!(found.counts.damaged_in_all() > 0, !bad.is_empty());
                write!(way, "{bad} {:?}", found.counts.damaged.keys()).unwrap();
            }
        }
    }
    way
}

#[test]
fn fuzzed_files_are_judged_whatever_they_and_their_layout_say() {
    let layout = "verify 1 xxh3 1024 0 3072 whole 77 1";
    let corpus = [
        content(1, Checksum::Xxh3, layout),
        content(2, Checksum::Crc32c, "verify 1 crc32c 1024 0 3072 part"),
        content(3, Checksum::Pattern, ""),
        [content(1, Checksum::Xxh3, ""), content(9, Checksum::Crc32c, "")[1..].to_vec()].concat(),
    ];
    let corpus: Vec<&[u8]> = corpus.iter().map(Vec::as_slice).collect();
    let words = ["verify 1 xxh3", "part", "whole", "\n", "\u{1}\0\0\0\0\0\0\0", "aioblk\0\u{1}"];
    fuzz("files of blocks", &corpus, &words, |input| {
        let split = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let layout = std::str::from_utf8(&input[..split]).ok().and_then(Layout::of_text);
        let mut bytes = input.get(split + 1..).unwrap_or_default().to_vec();
        let as_it_is = inspect_both(&bytes, layout);
        mend(&mut bytes);
        format!("{as_it_is}; {}", inspect_both(&bytes, layout))
    });
}

#[test]
fn a_range_that_reaches_the_end_of_all_numbers_is_no_overflow() {
    for start_bytes in [u64::MAX, u64::MAX - 511, 1 << 63] {
        let layout = Layout {
            checksum: Checksum::Xxh3,
            block_bytes: 1024,
            start_bytes: start_bytes / 512 * 512,
            range_bytes: u64::MAX,
            oldest: Some(Generation::default()),
        };
        inspect_both(&content(1, Checksum::Xxh3, "")[1..], Some(layout));
    }
    let mut bytes = content(1, Checksum::Xxh3, "")[1..].to_vec();
    for sector in bytes.chunks_exact_mut(BLOCK) {
        // The start and the length of the range, in the header behind the stamp.
        sector[72..88].fill(0xff);
    }
    mend(&mut bytes);
    inspect_both(&bytes, None);
}
