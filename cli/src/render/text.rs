//! For people: a table to take in at one look, and lines that say what it means.

use std::io::{self, Write};

use aio_core::report::{Machine, Report, Status};

use super::notes::{receipt_sentence, target_lines, unavailable_sentence};
use super::plan::plan_line;
use super::wrap::wrapped;
use super::{Render, details, notes, table};
use crate::consent;
use crate::dry_run::Preview;
use crate::voice::printable;

/// The table and its notes, with room for what a caller has to say above and below the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    /// Lines above the table.
    pub(crate) above: Vec<String>,
    /// Lines right below the table.
    pub(crate) below: Vec<String>,
}

impl Text {
    /// For a run of all that was asked, one engine after the other.
    pub(super) fn of_run(report: &Report) -> Self {
        Self { above: Vec::new(), below: notes::sequence(report).into_iter().collect() }
    }
}

impl Render for Text {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        paragraph(&[machine_line(&report.tool_version, &report.machine)], out)?;
        self.body(report, out)
    }
}

impl Text {
    /// All but the line about the machine.
    pub(super) fn body(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        paragraph(&self.above, out)?;
        paragraph(&status_lines(report), out)?;
        let table = table::lines(report);
        if !table.is_empty() {
            writeln!(out)?;
        }
        for line in table.into_iter().chain(details::lines(report)) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        paragraph(&self.below, out)?;
        paragraph(&notes::lines(report), out)
    }
}

/// What a run would be.
pub(super) fn write_preview(preview: &Preview, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = vec![plan_line(&preview.plan, &preview.receipts)];
    lines.extend(target_lines(&preview.targets));
    lines.extend(preview.receipts.iter().map(receipt_sentence));
    for engine in &preview.engines {
        lines.push(format!("engine: {}", engine.engine));
        let receipts = engine.receipts.iter();
        lines.extend(receipts.map(|receipt| format!("  {}", receipt_sentence(receipt))));
    }
    lines.extend(preview.unavailable.iter().map(unavailable_sentence));
    if !preview.written.is_empty() {
        let asked = if consent::is_much(&preview.written) { "; --yes is needed" } else { "" };
        lines.push(format!("would write: {}{asked}", consent::amounts(&preview.written)));
    }
    lines.push("dry run: nothing was made, and nothing was moved".into());
    paragraph(&lines, out)
}

pub(super) fn paragraph(lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    for line in lines.iter().flat_map(|line| wrapped(&printable(line))) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

pub(crate) fn machine_line(version: &str, machine: &Machine) -> String {
    let Machine { kernel, architecture, cpu_model, cpus, .. } = machine;
    let model = cpu_model.as_ref().map(|model| format!(" ({model})")).unwrap_or_default();
    let noun = if *cpus == 1 { "CPU" } else { "CPUs" };
    format!("aio {version} on Linux {kernel} {architecture}, {cpus} {noun}{model}")
}

fn status_lines(report: &Report) -> Vec<String> {
    if report.status != Status::Interrupted {
        return Vec::new();
    }
    let directions = report.engines.iter().flat_map(|engine| &engine.directions);
    let unfinished: u64 = directions.map(|one| one.unfinished_bytes).sum();
    let left_out = match unfinished {
        0 => String::new(),
        bytes => format!("; {bytes} bytes of unfinished loops are left out"),
    };
    vec![format!("INTERRUPTED: this result is partial{left_out}")]
}

#[cfg(test)]
mod tests {
    use super::super::wrap::PAGE_COLUMNS;
    use super::super::{rendered, sample};
    use super::*;
    use aio_core::session::Written;

    use crate::dry_run::EnginePreview;

    fn of_run(report: &Report) -> String {
        rendered(&Text::of_run(report), report)
    }

    #[test]
    fn one_engine() {
        insta::assert_snapshot!(of_run(&sample::one_engine()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        engine         GiB/s  task s  e2e s  loops GiB/s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write  1.980   1.500  1.515  1.650–2.475   14.90   20.10      0.977  0.250  ok

        latency ms          mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ─────────────────────────────────────────────────────────────────────────────
        uring       write  15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort         depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write  30.72        16.28       65.10    1.000       1.059     1.059       0      0

        plan: blocks of 1 MiB, depth 32, 1 thread, 3 loops after 1 to warm up, seed 0, O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): uring write 1.059/1.059
        fingerprint: write 0123456789abcdef
        ");
    }

    #[test]
    fn a_comparison_groups_engines_by_direction() {
        insta::assert_snapshot!(of_run(&sample::comparison()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        engine         GiB/s  task s  e2e s  loops GiB/s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write  1.980   1.500  1.515  1.650–2.475   14.90   20.10      0.977  0.250  ok
        sync    write  1.584   1.875  1.894  1.320–1.980   14.90   20.10      0.977  0.250  ok
        uring   read   3.960   0.750  0.758  3.808–4.125   14.90   20.10      0.977  0.250  ok
        sync    read   3.168   0.938  0.947  3.046–3.300   14.90   20.10      0.977  0.250  ok

        latency ms          mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ─────────────────────────────────────────────────────────────────────────────
        uring       write  15.00  14.90  16.00  20.10  22.00       -        -  25.00
        sync        write  15.00  14.90  16.00  20.10  22.00       -        -  25.00
        uring       read   15.00  14.90  16.00  20.10  22.00       -        -  25.00
        sync        read   15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort         depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ────────────────────────────────────────────────────────────────────────────────────────────
        uring   write  30.72        16.28       65.10    1.000       1.059     1.059       0      0
        sync    write  30.72        16.28       65.10    1.000       1.059     1.059       0      0
        uring   read   30.72        16.28       65.10    1.000       1.059     1.059       0      0
        sync    read   30.72        16.28       65.10    1.000       1.059     1.059       0      0

        engines ran one after the other, so a difference may be drift: aio compare has them take turns, and
          tells which differences are real
        plan: blocks of 1 MiB, depth 32, 1 thread, 3 loops after 1 to warm up, seed 0, O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): uring write 1.059/1.059, uring read
          1.059/1.059, sync write 1.059/1.059, sync read 1.059/1.059
        fingerprint: write 0123456789abcdef, the same requests for all engines
        fingerprint: read 0123456789abcdef, the same requests for all engines
        ");
    }

    #[test]
    fn trouble_is_told_and_no_rate_is_made_up() {
        insta::assert_snapshot!(rendered(&Text::default(), &sample::troubled()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        engine         GiB/s  task s  e2e s  loops GiB/s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ─────────────────────────────────────────────────────────────────────────────────────────────
        libaio  write      -       -      -            -       -       -          -      -  FAILED
        sync    read   1.980   1.500  1.515  1.650–2.475   14.90   20.10      0.977  0.250  doubtful

        latency ms         mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ────────────────────────────────────────────────────────────────────────────
        sync        read  15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort        depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ───────────────────────────────────────────────────────────────────────────────────────────
        sync    read  30.72        16.28       65.10    1.000       1.059     1.059       0      2

        Failure in one of 2 Write tasklets
          libaio, tasklet 1: cannot write /data/f.1: No space left on device, at offset 31457280, 1048576
            bytes, ENOSPC
          3 loops were finished before; the JSON results have them
        sync: read is doubtful: buffered I/O measures the page cache
        unavailable: uring cannot run here: no such system call; use Linux 5.1 or later
        granted: block-size 100352 instead of 100000: O_DIRECT moves multiples of 512 bytes here
        granted: engine libaio,sync instead of all
        granted: memory-lock unlocked instead of locked: RLIMIT_MEMLOCK is 8 MiB
        sync: 2 short transfers in read, continued to their end
        sync: read: loops into fresh files, which allocate: 1.980 GiB/s; into allocated ones: 1.650–2.475
          GiB/s
        validated: 3221225472 bytes, equal to a buffered read of the file
        plan: blocks of 100352 bytes, depth 32, 1 thread × 2 lanes, 3 loops after 1 to warm up, seed 0,
          O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): sync read 1.059/1.059
        fingerprint: read 0123456789abcdef
        ");
    }

    #[test]
    fn an_engine_that_moves_no_data_has_no_bytes_per_second() {
        insta::assert_snapshot!(rendered(&Text::default(), &sample::null()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        engine            GiB/s   task s    e2e s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ───────────────────────────────────────────────────────────────────────────────────────────
        null    read  760.4 k/s  0.00400  0.00404   14.90   20.10      0.977  0.250  moves no data

        latency ms         mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ────────────────────────────────────────────────────────────────────────────
        null        read  15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort        depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ───────────────────────────────────────────────────────────────────────────────────────────
        null    read  30.72        16.28       65.10    1.000       1.059     1.059       0      0

        plan: blocks of 1 MiB, depth 32, 1 thread, 3 loops after 1 to warm up, seed 0, O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): null read 1.059/1.059
        fingerprint: read 0123456789abcdef
        ");
    }

    #[test]
    fn blocks_have_requests_per_second_first() {
        insta::assert_snapshot!(of_run(&sample::blocks()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)

        engine               IOPS  GiB/s  task s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ────────────────────────────────────────────────────────────────────────────────────
        uring   randread  262.1 k  1.000   1.000   14.90   20.10     0.0114  0.250  ok
        sync    randread  209.7 k  0.800   1.250   14.90   20.10     0.0114  0.250  ok

        latency ms             mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ────────────────────────────────────────────────────────────────────────────────
        uring       randread  15.00  14.90  16.00  20.10  22.00       -        -  25.00
        sync        randread  15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort            depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ───────────────────────────────────────────────────────────────────────────────────────────────
        uring   randread  30.72        0.191       0.763   0.0117       1.059     1.059       0      0
        sync    randread  30.72        0.191       0.763   0.0117       1.059     1.059       0      0

        engines ran one after the other, so a difference may be drift: aio compare has them take turns, and
          tells which differences are real
        plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): uring read 1.059/1.059, sync read
          1.059/1.059
        fingerprint: read 0123456789abcdef, the same requests for all engines
        ");
    }

    #[test]
    fn a_partial_result_says_so_first() {
        insta::assert_snapshot!(rendered(&Text::default(), &sample::interrupted()), @r"
        aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One)
        INTERRUPTED: this result is partial; 12582912 bytes of unfinished loops are left out

        engine        GiB/s  task s  e2e s  loops GiB/s  p50 ms  p99 ms  calls/req  CPU s  verdict
        ───────────────────────────────────────────────────────────────────────────────────────────
        uring   read  1.980   1.500  1.515  1.650–2.475   14.90   20.10      0.977  0.250  partial

        latency ms         mean    p50    p90    p99  p99.9  p99.99  p99.999    max
        ────────────────────────────────────────────────────────────────────────────
        uring       read  15.00  14.90  16.00  20.10  22.00       -        -  25.00

        effort        depth  user us/req  sys us/req  csw/req  req/submit  req/reap  EAGAIN  short
        ───────────────────────────────────────────────────────────────────────────────────────────
        uring   read  30.72        16.28       65.10    1.000       1.059     1.059       0      0

        plan: blocks of 1 MiB, depth 32, 1 thread, 3 loops after 1 to warm up, seed 0, O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        requests that share a time stamp (submitted/reaped per call): uring read 1.059/1.059
        ");
    }

    #[test]
    fn nothing_is_wider_than_a_page_and_no_control_character_comes_through() {
        let mut report = sample::troubled();
        report.engines[0].engine = "uring:sqpoll:depth=4:a-very-long-option=with-a-value".into();
        report.targets[0].path = format!("/data/\u{1b}[2J\n{}", "long/".repeat(60));
        let text = rendered(&Text::default(), &report);
        for line in text.lines() {
            assert!(line.chars().count() <= PAGE_COLUMNS, "{line}");
        }
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}"), "{text}");
    }

    #[test]
    fn a_preview_lists_all_receipts() {
        let report = sample::troubled();
        let preview = Preview {
            schema_version: 1,
            tool_version: report.tool_version,
            plan: report.plan,
            targets: report.targets,
            receipts: report.receipts,
            engines: report
                .engines
                .into_iter()
                .map(|engine| {
                    let (engine, receipts) = (engine.engine, engine.receipts);
                    EnginePreview { engine, receipts }
                })
                .collect(),
            written: vec![Written {
                device: Some("nvme0n1".into()),
                path: "/data/f.0".into(),
                device_bytes: Some(1 << 40),
                bytes: 800 << 30,
                assumed_bytes: 0,
            }],
            unavailable: report.unavailable,
        };
        let mut out = Vec::new();
        write_preview(&preview, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        plan: blocks of 100352 bytes, depth 32, 1 thread × 2 lanes, 3 loops after 1 to warm up, seed 0,
          O_DIRECT
        target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes
        granted: block-size 100352 instead of 100000: O_DIRECT moves multiples of 512 bytes here
        granted: engine libaio,sync instead of all: uring: no such system call
        engine: libaio
          granted: ring mapped
          granted: memory-lock unlocked instead of locked: RLIMIT_MEMLOCK is 8 MiB
        engine: sync
          granted: memory-lock unlocked instead of locked: RLIMIT_MEMLOCK is 8 MiB
        unavailable: uring cannot run here: no such system call; use Linux 5.1 or later
        would write: 800 GiB to /dev/nvme0n1 (1 TiB); --yes is needed
        dry run: nothing was made, and nothing was moved
        ");
    }
}
