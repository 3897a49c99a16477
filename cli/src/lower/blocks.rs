//! `--file` and the flags that go with it.

use aio_core::plan::{
    Access, Blocks, Direction, Distribution, Flush, Origin, PathTemplate, Pattern, Phase, Plan,
    READ_PERCENT, TensorGroup,
};
use anyhow::{Result, bail};

use crate::args::{self, Args, Mode};

/// What is done when only a file is named; the same as with fio.
const READ: Mode = Mode { direction: Direction::Read, pattern: Pattern::Sequential };

/// The phase that goes through files in blocks.
pub(super) fn phase(args: &Args) -> Result<Phase> {
    let (work, flags) = (&args.workload, &args.blocks);
    if !work.io_size_bytes.is_empty() {
        bail!(
            "--io-size cannot be used with --file, of which --size says how much is used and \
             --io-limit how much is moved"
        );
    }
    if !work.write_size_bytes.is_empty() {
        bail!("--write-size cannot be used with --file, of which --size says how much is used");
    }
    let Mode { direction, pattern } = mode(flags)?;
    let group = |file| TensorGroup {
        path: PathTemplate::new(file),
        tasklets: args.tuning.threads,
        sizes_bytes: flags.size_bytes.into_iter().collect(),
        // Without a size only what is there can be used.
        origin: if flags.size_bytes.is_some() { Origin::Made } else { Origin::Existing },
    };
    let tensors = flags.files.iter().map(group).collect();
    Ok(Phase { direction, tensors, access: Access::Blocks(blocks(flags, direction, pattern)?) })
}

/// What `--rw` and `--trim` say together.
fn mode(flags: &args::Blocks) -> Result<Mode> {
    if !flags.trim {
        return Ok(flags.rw.unwrap_or(READ));
    }
    match flags.rw {
        None => Ok(Mode { direction: Direction::Trim, pattern: Pattern::Sequential }),
        Some(Mode { direction: Direction::Write | Direction::Trim, pattern }) => {
            Ok(Mode { direction: Direction::Trim, pattern })
        }
        Some(_) => bail!("--trim stands for writes; give it with --rw write or randwrite"),
    }
}

fn blocks(flags: &args::Blocks, direction: Direction, pattern: Pattern) -> Result<Blocks> {
    if flags.norandommap && pattern == Pattern::Sequential {
        bail!("--norandommap needs --rw randread, randwrite or randrw");
    }
    let mix = (direction == Direction::Mixed).then_some(READ_PERCENT);
    let fsync = flags.fsync.map(|every| Flush { every, data_only: false });
    let fdatasync = flags.fdatasync.map(|every| Flush { every, data_only: true });
    let distribution = flags.random_distribution.unwrap_or(Distribution::Uniform);
    Ok(Blocks {
        requests: flags.number_ios,
        io_limit_bytes: flags.io_limit_bytes,
        runtime_ns: flags.runtime_ns,
        ramp_ns: flags.ramp_ns,
        offset_bytes: flags.offset_bytes.unwrap_or(0),
        read_percent: flags.rwmixread.or(mix),
        distribution,
        covers: pattern == Pattern::Random
            && !flags.norandommap
            && distribution == Distribution::Uniform,
        sizes: flags.bssplit.clone().map(|sizes| sizes.0).unwrap_or_default(),
        flush: fsync.or(fdatasync),
        end_fsync: flags.end_fsync,
        rate: flags.rate_iops,
        verify: flags.verify,
        compress_percent: flags.compress_percentage.unwrap_or(0),
        ..Blocks::new(pattern)
    })
}

/// What `--bssplit` and `--ramp-time` say about the rest of the plan.
pub(super) fn adjust(plan: &mut Plan, args: &Args) {
    let sizes = args.blocks.bssplit.iter().flat_map(|sizes| &sizes.0);
    if let Some(largest) = sizes.map(|size| u64::from(size.bytes)).max() {
        plan.block_size_bytes = largest;
    }
    if args.blocks.ramp_ns.is_some() {
        plan.warmup_loops = args.tuning.warmup_loops.unwrap_or(1);
    }
}

/// Refuses flags that mean nothing without `--file`.
pub(super) fn refuse_flags_of_blocks(flags: &args::Blocks) -> Result<()> {
    if flags.rw.is_some() {
        bail!("--rw needs --file; tensors are moved by --read-file, --write-file or --folder");
    }
    if flags.size_bytes.is_some() {
        bail!("--size needs --file; the size of tensors is --write-size or --io-size");
    }
    let loops = "tensors are moved as a whole, --loops times";
    let others = [
        ("runtime", flags.runtime_ns.is_some(), loops),
        ("ramp-time", flags.ramp_ns.is_some(), loops),
        ("number-ios", flags.number_ios.is_some(), loops),
        ("io-limit", flags.io_limit_bytes.is_some(), loops),
        ("offset", flags.offset_bytes.is_some(), "tensors begin at the front of their files"),
        ("rwmixread", flags.rwmixread.is_some(), "--concurrent reads and writes tensors"),
        ("trim", flags.trim, "tensors are read or written"),
        ("random-distribution", flags.random_distribution.is_some(), IN_ORDER),
        ("norandommap", flags.norandommap, IN_ORDER),
        ("bssplit", flags.bssplit.is_some(), "the requests of tensors have --block-size"),
        ("rate-iops", flags.rate_iops.is_some(), "tensors are moved as fast as they go"),
        ("fsync", flags.fsync.is_some(), NOT_FLUSHED),
        ("fdatasync", flags.fdatasync.is_some(), NOT_FLUSHED),
        ("end-fsync", flags.end_fsync, NOT_FLUSHED),
        ("verify", flags.verify.is_some(), "--validate checks tensors"),
        ("compress-percentage", flags.compress_percentage.is_some(), "tensors do not compress"),
    ];
    match others.iter().find(|(_, given, _)| *given) {
        Some((flag, _, why)) => bail!("--{flag} needs --file; {why}"),
        None => Ok(()),
    }
}

const IN_ORDER: &str = "tensors are moved from front to end";
const NOT_FLUSHED: &str = "tensors are not flushed";

#[cfg(test)]
mod tests {
    use super::super::tests::{groups, lowered};
    use super::*;

    fn access(line: &str) -> Access {
        lowered(line).expect("the line makes sense").phases[0].access.clone()
    }

    #[test]
    fn a_file_is_read_from_front_to_end_unless_told_otherwise() {
        let blocks = Blocks::new;
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
            requests: Some(9),
            runtime_ns: Some(2_500_000_000),
            ..Blocks::new(Pattern::Sequential)
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
              --io-size cannot be used with --file, of which --size says how much is used and --io-limit how much is moved
            --file f --write-size 1M
              --write-size cannot be used with --file, of which --size says how much is used
            ",
        );
    }
}
