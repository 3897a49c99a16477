//! From what was typed to a plan. Pure: nothing is looked at.

mod blocks;

use std::path::{Path, PathBuf};

use aio_core::plan::{Batch, Direction, Order, Origin, PathTemplate, Phase, Plan, TensorGroup};
use anyhow::{Result, bail};

use crate::args::{Args, Format, Workload};

/// The plan that the arguments describe.
///
/// # Errors
/// A sentence about flags that make no sense together. What a plan alone shows to be wrong is left
/// to the core.
pub(crate) fn lower(args: &Args) -> Result<Plan> {
    refuse_what_does_not_exist(args)?;
    let tuning = &args.tuning;
    let mut plan = Plan::tensor_swap(phases(args)?);
    plan.engines.clone_from(&args.engines);
    plan.concurrent = args.workload.concurrent;
    plan.block_size_bytes = tuning.block_size_bytes;
    plan.queue_depth = tuning.queue_depth;
    plan.lanes = tuning.io_parallel;
    // A tensor swap is repeated and warmed up; a loop over a file is as long as is asked.
    let (loops, warmup_loops) = if args.blocks.files.is_empty() { (3, 1) } else { (1, 0) };
    plan.loops = tuning.loops.unwrap_or(loops);
    plan.warmup_loops = tuning.warmup_loops.unwrap_or(warmup_loops);
    plan.steady_state = tuning.steady_state;
    plan.include_warmup_time = tuning.include_warmup_time;
    plan.different_file_each_iteration = args.workload.different_file_each_iteration;
    plan.batch = Batch {
        submit: if tuning.single_submit { Some(1) } else { tuning.batch_submit },
        complete: tuning.batch_complete,
    };
    plan.order = if tuning.sequential_requests { Order::Sequential } else { Order::Overlap };
    plan.seed = args.workload.seed;
    plan.validate = args.safety.validate;
    plan.buffered = tuning.buffered;
    plan.drop_cache = tuning.drop_cache;
    plan.keep = args.safety.keep;
    plan.overwrite = args.safety.overwrite;
    plan.allow_devices.clone_from(&args.safety.allow_devices);
    plan.memory = tuning.memory;
    plan.cpus = tuning.cpus.concat();
    plan.numa_node = tuning.numa_node;
    plan.interval_ns = args.listing.interval_ns;
    blocks::adjust(&mut plan, args);
    Ok(plan)
}

fn refuse_what_does_not_exist(args: &Args) -> Result<()> {
    if args.later.gpu || args.later.use_gds {
        let flag = if args.later.gpu { "--gpu" } else { "--use-gds" };
        bail!("{flag} cannot be used: GPU tensors are not supported yet");
    }
    if args.safety.dry_run && !matches!(args.listing.format, Format::Text | Format::Json) {
        bail!("--dry-run has no result for --format csv, classic or fio-json; give text or json");
    }
    Ok(())
}

fn phases(args: &Args) -> Result<Vec<Phase>> {
    let work = &args.workload;
    if !args.blocks.files.is_empty() {
        return Ok(vec![blocks::phase(args)?]);
    }
    blocks::refuse_flags_of_blocks(&args.blocks)?;
    let per_folder = !work.folder.is_empty() || !work.folder_to_device_mapping.is_empty();
    if work.read && !per_folder {
        bail!("--read needs --folder; with --read-file, leave it out");
    }
    if !work.write_size_bytes.is_empty() && work.write_file.is_none() {
        bail!("--write-size needs --write-file; the size of tensors in --folder is --io-size");
    }
    if !work.io_size_bytes.is_empty() && !per_folder && work.read_file.is_none() {
        bail!("--io-size needs --folder, which says where the tensors are");
    }
    let allowed = &args.safety.allow_devices;
    if per_folder { folder_phases(args) } else { file_phases(work, args.tuning.threads, allowed) }
}

/// `--write-file` and `--read-file`, in that order.
fn file_phases(work: &Workload, threads: u32, allowed: &[PathBuf]) -> Result<Vec<Phase>> {
    let mut phases = Vec::new();
    if let Some(path) = &work.write_file {
        if work.write_size_bytes.is_empty() {
            bail!("--write-file needs --write-size, the size of each tensor");
        }
        let mut template = PathTemplate::new(path);
        // A device is what it is called; nothing can lie beside it.
        let is_device = allowed.iter().any(|one| one.as_os_str() == path.as_os_str());
        if !template.has("tid") && !is_device {
            template = template.with_suffix(".{tid}");
        }
        if !is_device && work.different_file_each_iteration && !template.has("loop") {
            template = template.with_suffix("_{loop}");
        }
        let group = TensorGroup {
            path: template,
            tasklets: threads,
            sizes_bytes: work.write_size_bytes.clone(),
            origin: Origin::Made,
        };
        phases.push(Phase::of_tensors(Direction::Write, vec![group]));
    }
    if let Some(path) = &work.read_file {
        let group = TensorGroup {
            path: PathTemplate::new(path),
            tasklets: threads,
            sizes_bytes: work.io_size_bytes.clone(),
            origin: Origin::Existing,
        };
        phases.push(Phase::of_tensors(Direction::Read, vec![group]));
    }
    if phases.is_empty() {
        bail!(
            "there is nothing to move: give --write-file, --read-file, --folder or --file; without \
             any flag all engines are compared on a temporary file"
        );
    }
    Ok(phases)
}

/// `--folder` and `--folder-to-device-mapping`.
fn folder_phases(args: &Args) -> Result<Vec<Phase>> {
    let work = &args.workload;
    let pairs = &work.folder_to_device_mapping;
    if !pairs.is_empty() && args.tuning.threads > 1 {
        bail!(
            "--threads {} cannot be used with --folder-to-device-mapping, where each pair is a \
               thread",
            args.tuning.threads
        );
    }
    let mut devices: Vec<_> = pairs.iter().map(|pair| pair.device).collect();
    devices.sort_unstable();
    let next = devices.iter().skip(1);
    if let Some((twice, _)) = devices.iter().zip(next).find(|(one, next)| one == next) {
        bail!("--folder-to-device-mapping names device {twice} twice");
    }
    if work.io_size_bytes.is_empty() {
        bail!("--folder needs --io-size, the size of each tensor");
    }
    let folders: Vec<&Path> = if pairs.is_empty() {
        work.folder.iter().map(AsRef::as_ref).collect()
    } else {
        pairs.iter().map(|pair| pair.folder.as_ref()).collect()
    };
    let directions: &[Direction] = match (work.concurrent, work.read) {
        (true, _) => &[Direction::Write, Direction::Read],
        (false, true) => &[Direction::Read],
        (false, false) => &[Direction::Write],
    };
    directions.iter().map(|direction| folder_phase(*direction, &folders, args)).collect()
}

fn folder_phase(direction: Direction, folders: &[&Path], args: &Args) -> Result<Phase> {
    let work = &args.workload;
    let threads = args.tuning.threads as usize;
    let sizes = &work.io_size_bytes;
    if sizes.len() > folders.len() * threads {
        bail!(
            "--io-size lists {} sizes, more than there are tensors ({})",
            sizes.len(),
            folders.len() * threads
        );
    }
    let behind = if work.different_file_each_iteration { "{loop}" } else { "0" };
    let name = format!("_aio_{direction}_{{bytes}}.pt.{{tid}}_{behind}");
    let group = |(index, folder): (usize, &&Path)| TensorGroup {
        path: PathTemplate::new(folder.join(&name)),
        tasklets: args.tuning.threads,
        sizes_bytes: sizes_of_group(sizes, index * threads, threads),
        origin: Origin::Made,
    };
    Ok(Phase::of_tensors(direction, folders.iter().enumerate().map(group).collect()))
}

/// The part of a list of sizes that `threads` tasklets from number `first` on take in turn.
fn sizes_of_group(sizes: &[u64], first: usize, threads: usize) -> Vec<u64> {
    match sizes {
        [_] => sizes.to_vec(),
        _ => (first..first + threads).map(|tid| sizes[tid % sizes.len()]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::args::{Asked, parse};

    pub(super) fn lowered(line: &str) -> Result<Plan, String> {
        let words = std::iter::once("aio").chain(line.split(' ')).map(OsString::from);
        match parse(words) {
            Ok(Asked::Run(args)) => lower(&args).map_err(|error| error.to_string()),
            Ok(Asked::Text(_)) => panic!("{line} prints a text"),
            Ok(Asked::Command(_)) => panic!("{line} is a command"),
            Err(failure) => panic!("{line} is refused: {}", failure.sentence()),
        }
    }

    /// Each group as one line: direction, origin, path, tasklets, sizes.
    pub(super) fn groups(line: &str) -> Vec<String> {
        let plan = lowered(line).expect("the line makes sense");
        let of_phase = |phase: &Phase| {
            let direction = phase.direction;
            let one_line = |group: &TensorGroup| {
                let TensorGroup { path, tasklets, sizes_bytes, origin } = group;
                format!("{direction} {origin:?} {path} x{tasklets} {sizes_bytes:?}")
            };
            phase.tensors.iter().map(one_line).collect::<Vec<_>>()
        };
        plan.phases.iter().flat_map(of_phase).collect()
    }

    #[test]
    fn the_defaults_are_those_of_a_tensor_swap() {
        let plan = lowered("--read-file f").unwrap();
        assert_eq!(plan, Plan::tensor_swap(plan.phases.clone()));
    }

    #[test]
    fn files_are_written_first_then_read() {
        assert_eq!(
            groups("--read-file r --write-file w --write-size 1K,2K --threads 2 --io-size 512"),
            ["write Made w.{tid} x2 [1024, 2048]", "read Existing r x2 [512]"]
        );
        assert_eq!(
            groups("--write-file w --write-size 1K --different-file-each-iteration"),
            ["write Made w.{tid}_{loop} x1 [1024]"]
        );
        assert_eq!(
            groups("--write-file w{loop}-{tid} --write-size 1 --different-file-each-iteration"),
            ["write Made w{loop}-{tid} x1 [1]"]
        );
    }

    #[test]
    fn an_allowed_device_is_written_by_its_own_name_and_no_other() {
        let line = "--write-file /dev/a --write-size 1K --allow-device";
        assert_eq!(groups(&format!("{line} /dev/a")), ["write Made /dev/a x1 [1024]"]);
        for other in ["/dev/b", "/dev//a", "/dev/a/"] {
            assert_eq!(groups(&format!("{line} {other}")), ["write Made /dev/a.{tid} x1 [1024]"]);
        }
        let plan = lowered(&format!("{line} /dev/a --allow-device /dev/b")).unwrap();
        assert_eq!(plan.allow_devices, ["/dev/a", "/dev/b"].map(PathBuf::from));
    }

    #[test]
    fn folders_have_a_file_per_thread_in_the_direction_that_is_asked() {
        assert_eq!(
            groups("--folder a b --io-size 1K --threads 2"),
            [
                "write Made a/_aio_write_{bytes}.pt.{tid}_0 x2 [1024]",
                "write Made b/_aio_write_{bytes}.pt.{tid}_0 x2 [1024]"
            ]
        );
        assert_eq!(
            groups("--folder a --io-size 1K --read --different-file-each-iteration"),
            ["read Made a/_aio_read_{bytes}.pt.{tid}_{loop} x1 [1024]"]
        );
        assert_eq!(
            groups("--folder a --io-size 1K --concurrent"),
            [
                "write Made a/_aio_write_{bytes}.pt.{tid}_0 x1 [1024]",
                "read Made a/_aio_read_{bytes}.pt.{tid}_0 x1 [1024]"
            ]
        );
    }

    #[test]
    fn a_list_of_sizes_runs_on_over_folders() {
        assert_eq!(
            groups("--folder-to-device-mapping a:0 b:1 --io-size 1K,2K"),
            [
                "write Made a/_aio_write_{bytes}.pt.{tid}_0 x1 [1024]",
                "write Made b/_aio_write_{bytes}.pt.{tid}_0 x1 [2048]"
            ]
        );
        assert_eq!(sizes_of_group(&[1, 2, 3], 2, 2), [3, 1]);
    }

    #[test]
    fn the_order_and_size_of_batches_are_taken_over() {
        let plan = lowered("--read-file f --single-submit --sequential-requests").unwrap();
        assert_eq!((plan.batch.submit, plan.order), (Some(1), Order::Sequential));
        let plan = lowered("--read-file f --batch-submit 4 --batch-complete 2").unwrap();
        assert_eq!(plan.batch, Batch { submit: Some(4), complete: 2 });
    }

    #[test]
    fn flags_that_need_another_say_which() {
        insta::assert_snapshot!(
            [
                "--engine uring",
                "--io-size 1M",
                "--read",
                "--write-size 1M",
                "--write-file w",
                "--folder d",
                "--folder d --io-size 1M,2M",
                "--folder-to-device-mapping d:0 --io-size 1M --threads 2",
                "--folder-to-device-mapping d:0 e:0 --io-size 1M",
                "--gpu --read-file f",
                "--use_gds --read-file f",
                "--read-file f --dry-run --format csv",
                "--read-file f --dry-run --format fio-json",
            ]
            .map(|line| format!("{line}\n  {}", lowered(line).expect_err(line)))
            .join("\n"),
            @r"
            --engine uring
              there is nothing to move: give --write-file, --read-file, --folder or --file; without any flag all engines are compared on a temporary file
            --io-size 1M
              --io-size needs --folder, which says where the tensors are
            --read
              --read needs --folder; with --read-file, leave it out
            --write-size 1M
              --write-size needs --write-file; the size of tensors in --folder is --io-size
            --write-file w
              --write-file needs --write-size, the size of each tensor
            --folder d
              --folder needs --io-size, the size of each tensor
            --folder d --io-size 1M,2M
              --io-size lists 2 sizes, more than there are tensors (1)
            --folder-to-device-mapping d:0 --io-size 1M --threads 2
              --threads 2 cannot be used with --folder-to-device-mapping, where each pair is a thread
            --folder-to-device-mapping d:0 e:0 --io-size 1M
              --folder-to-device-mapping names device 0 twice
            --gpu --read-file f
              --gpu cannot be used: GPU tensors are not supported yet
            --use_gds --read-file f
              --use-gds cannot be used: GPU tensors are not supported yet
            --read-file f --dry-run --format csv
              --dry-run has no result for --format csv, classic or fio-json; give text or json
            --read-file f --dry-run --format fio-json
              --dry-run has no result for --format csv, classic or fio-json; give text or json
            ",
        );
    }
}
