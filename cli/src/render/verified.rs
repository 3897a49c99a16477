//! What became of blocks that were written with `--verify`, for people.

use std::io::{self, Write};

use super::numbers::{count, size};
use super::text::paragraph;
use crate::verify::{Findings, Found};

/// Writes a paragraph per file.
pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    findings.files.iter().try_for_each(|found| paragraph(&lines(found), out))
}

fn lines(found: &Found) -> Vec<String> {
    let blocks = &found.blocks;
    let damaged: u64 = blocks.damaged.values().sum();
    let all = blocks.right + damaged;
    let lengths: Vec<String> =
        found.block_size_bytes.iter().map(|bytes| size((*bytes).into())).collect();
    let of_what = match (lengths.as_slice(), found.checksums.as_slice()) {
        ([], _) | (_, []) => String::new(),
        (lengths, checksums) => {
            format!(" of {} ({})", lengths.join(" and "), checksums.join(" and "))
        }
    };
    let verdict = match (&found.first_bad, found.stale_is_known) {
        (None, true) => format!("{}{of_what}, all right", count(all, "block")),
        (None, false) => format!(
            "{}{of_what}, all right, but a lost write would not be seen: which loop wrote a block \
             last is not known here",
            count(all, "block")
        ),
        (Some(_), _) => {
            let kinds = blocks.damaged.iter().filter(|(_, number)| **number > 0);
            let kinds: Vec<_> =
                kinds.map(|(kind, number)| format!("{number} {}", kind.name())).collect();
            let noun = count(all, "block");
            format!("{damaged} of {noun}{of_what} damaged: {}", kinds.join(", "))
        }
    };
    let mut lines = vec![format!("{}: {verdict}", found.path)];
    if blocks.unwritten > 0 {
        let unwritten = count(blocks.unwritten, "block");
        lines.push(format!("  {unwritten} not judged, because never written with --verify"));
    }
    lines.extend(found.first_bad.as_ref().map(|bad| format!("  first: {}", bad.message)));
    lines
}

#[cfg(test)]
mod tests {
    use aio_core::verify::Kind;

    use super::*;
    use crate::verify::{Bad, Blocks};

    fn found() -> Found {
        Found {
            path: "f".into(),
            size_bytes: 1 << 20,
            is_right: true,
            checksums: vec!["crc32c"],
            block_size_bytes: vec![4096],
            blocks: Blocks {
                right: 256,
                damaged: Kind::ALL.into_iter().map(|kind| (kind, 0)).collect(),
                unwritten: 0,
            },
            generations: Vec::new(),
            stale_is_known: true,
            first_bad: None,
        }
    }

    fn text(found: Found) -> String {
        let findings =
            Findings { schema_version: 1, tool_version: "0.1.0".into(), files: vec![found] };
        let mut out = Vec::new();
        write(&findings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_file_has_a_line_and_one_more_for_its_first_bad_block() {
        insta::assert_snapshot!(text(found()), @"f: 256 blocks of 4 KiB (crc32c), all right");
        insta::assert_snapshot!(text(Found { stale_is_known: false, ..found() }), @r"
        f: 256 blocks of 4 KiB (crc32c), all right, but a lost write would not be seen: which loop wrote a
          block last is not known here
        ");
        let mut bad = found();
        bad.blocks.right = 250;
        bad.blocks.unwritten = 7;
        bad.blocks.damaged.extend([(Kind::Torn, 2), (Kind::Zeroed, 4)]);
        bad.first_bad = Some(Bad {
            offset_bytes: 8192,
            length_bytes: 4096,
            kind: Kind::Zeroed,
            at_bytes: Some(8704),
            expected: "a block".into(),
            found: "512 bytes of zeros from offset 8704 on".into(),
            message:
                "the block of 4096 bytes at offset 8192 is zeroed: expected a block, found 512 \
                      bytes of zeros from offset 8704 on"
                    .into(),
        });
        insta::assert_snapshot!(text(bad), @r"
        f: 6 of 256 blocks of 4 KiB (crc32c) damaged: 2 torn, 4 zeroed
          7 blocks not judged, because never written with --verify
          first: the block of 4096 bytes at offset 8192 is zeroed: expected a block, found 512 bytes of
            zeros from offset 8704 on
        ");
    }
}
