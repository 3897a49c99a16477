//! `--file` and the flags that go with it.

use std::path::Path;

use aio_core::plan::{
    Access, Blocks, Direction, Origin, PathTemplate, Pattern, Phase, TensorGroup,
};
use anyhow::{Result, bail};

use crate::args::{Mode, Workload};

/// What is done when only a file is named; the same as with fio.
const READ: Mode = Mode { direction: Direction::Read, pattern: Pattern::Sequential };

/// The phase that goes through `file` in blocks.
pub(super) fn phase(file: &Path, work: &Workload, threads: u32) -> Result<Phase> {
    if !work.io_size_bytes.is_empty() {
        bail!("--io-size cannot be used with --file, of which --size says how much is used");
    }
    if !work.write_size_bytes.is_empty() {
        bail!("--write-size cannot be used with --file, of which --size says how much is used");
    }
    let Mode { direction, pattern } = work.rw.unwrap_or(READ);
    let group = TensorGroup {
        path: PathTemplate::new(file),
        tasklets: threads,
        sizes_bytes: work.size_bytes.into_iter().collect(),
        // Without a size only what is there can be used.
        origin: if work.size_bytes.is_some() { Origin::Made } else { Origin::Existing },
    };
    let blocks = Blocks { pattern, requests: work.number_ios, runtime_ns: work.runtime_ns };
    Ok(Phase { direction, tensors: vec![group], access: Access::Blocks(blocks) })
}

/// Refuses flags that mean nothing without `--file`.
pub(super) fn refuse_flags_of_blocks(work: &Workload) -> Result<()> {
    if work.rw.is_some() {
        bail!("--rw needs --file; tensors are moved by --read-file, --write-file or --folder");
    }
    if work.size_bytes.is_some() {
        bail!("--size needs --file; the size of tensors is --write-size or --io-size");
    }
    if work.runtime_ns.is_some() {
        bail!("--runtime needs --file; tensors are moved as a whole, --loops times");
    }
    if work.number_ios.is_some() {
        bail!("--number-ios needs --file; tensors are moved as a whole, --loops times");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{groups, lowered};
    use super::*;

    fn access(line: &str) -> Access {
        lowered(line).expect("the line makes sense").phases[0].access
    }

    #[test]
    fn a_file_is_read_from_front_to_end_unless_told_otherwise() {
        let blocks = |pattern| Blocks { pattern, requests: None, runtime_ns: None };
        assert_eq!(groups("--file f"), ["read Existing f x1 []"]);
        assert_eq!(access("--file f"), Access::Blocks(blocks(Pattern::Sequential)));
        assert_eq!(
            groups("--file f.{tid} --rw randwrite --size 1K --threads 2"),
            ["write Made f.{tid} x2 [1024]"]
        );
        assert_eq!(access("--file f --rw randread"), Access::Blocks(blocks(Pattern::Random)));
    }

    #[test]
    fn time_and_number_of_requests_end_a_loop() {
        let both = Blocks {
            pattern: Pattern::Sequential,
            requests: Some(9),
            runtime_ns: Some(2_500_000_000),
        };
        assert_eq!(access("--file f --number_ios 9 --runtime 2.5"), Access::Blocks(both));
    }

    #[test]
    fn a_loop_over_a_file_is_neither_repeated_nor_warmed_up_unless_asked() {
        let loops = |line: &str| {
            let plan = lowered(line).expect("the line makes sense");
            (plan.loops, plan.warmup_loops)
        };
        assert_eq!(loops("--file f"), (1, 0));
        assert_eq!(loops("--file f --loops 3 --warmup-loops 1"), (3, 1));
        assert_eq!(loops("--read-file f"), (3, 1));
    }

    #[test]
    fn flags_that_need_a_file_and_flags_that_do_not_go_with_one_say_so() {
        insta::assert_snapshot!(
            [
                "--rw read",
                "--read-file f --size 1M",
                "--read-file f --runtime 1",
                "--write-file f --write-size 1M --number-ios 1",
                "--file f --io-size 1M",
                "--file f --write-size 1M",
            ]
            .map(|line| format!("{line}\n  {}", lowered(line).expect_err(line)))
            .join("\n"),
            @r"
            --rw read
              --rw needs --file; tensors are moved by --read-file, --write-file or --folder
            --read-file f --size 1M
              --size needs --file; the size of tensors is --write-size or --io-size
            --read-file f --runtime 1
              --runtime needs --file; tensors are moved as a whole, --loops times
            --write-file f --write-size 1M --number-ios 1
              --number-ios needs --file; tensors are moved as a whole, --loops times
            --file f --io-size 1M
              --io-size cannot be used with --file, of which --size says how much is used
            --file f --write-size 1M
              --write-size cannot be used with --file, of which --size says how much is used
            ",
        );
    }
}
