//! The lines that scripts of the predecessor look for, and nothing else. GB means 2^30 bytes there.

use std::io::{self, Write};

use aio_core::plan::Direction;
use aio_core::report::{DirectionReport, Report};

use super::Render;
use super::numbers::{NONE, has_rate};

/// Four lines per direction; with several engines, a line that names the engine before them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classic;

impl Render for Classic {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for engine in &report.engines {
            if report.engines.len() > 1 {
                writeln!(out, "Engine = {}", crate::voice::printable(&engine.engine))?;
            }
            for one in &engine.directions {
                direction(one, engine.moves_data, out)?;
            }
        }
        Ok(())
    }
}

/// The lines of several jobs, below a line with the name of each.
pub(super) fn write_jobs(jobs: &[(&str, &Report)], out: &mut dyn Write) -> io::Result<()> {
    for (name, report) in jobs {
        writeln!(out, "Job = {}", crate::voice::printable(name))?;
        Classic.render(report, out)?;
    }
    Ok(())
}

fn direction(one: &DirectionReport, moves_data: bool, out: &mut dyn Write) -> io::Result<()> {
    let name = match one.direction {
        Direction::Read => "Read",
        Direction::Write => "Write",
        Direction::Trim => "Trim",
        Direction::Mixed => unreachable!("a report tells reads and writes apart"),
    };
    for (clock, seconds, gib_per_s) in [
        ("Task", one.task_latency_s, one.task_speed_gib_per_s),
        ("E2E", one.e2e_latency_s, one.e2e_speed_gib_per_s),
    ] {
        let latency = number(seconds, has_rate(one));
        let speed = number(gib_per_s, has_rate(one) && moves_data);
        writeln!(out, "{clock} {name} Latency = {latency} sec")?;
        writeln!(out, "{clock} {name} Speed = {speed} GB/sec")?;
    }
    Ok(())
}

fn number(number: f64, known: bool) -> String {
    if known { format!("{number:.6}") } else { NONE.into() }
}

#[cfg(test)]
mod tests {
    use super::super::{rendered, sample};
    use super::*;

    #[test]
    fn one_engine_has_its_four_lines_per_direction() {
        insta::assert_snapshot!(rendered(&Classic, &sample::one_engine()), @r"
        Task Write Latency = 1.500000 sec
        Task Write Speed = 2.000000 GB/sec
        E2E Write Latency = 1.515000 sec
        E2E Write Speed = 1.980198 GB/sec
        ");
    }

    #[test]
    fn several_engines_are_named_and_what_failed_has_no_number() {
        insta::assert_snapshot!(rendered(&Classic, &sample::troubled()), @r"
        Engine = libaio
        Task Write Latency = - sec
        Task Write Speed = - GB/sec
        E2E Write Latency = - sec
        E2E Write Speed = - GB/sec
        Engine = sync
        Task Read Latency = 1.500000 sec
        Task Read Speed = 2.000000 GB/sec
        E2E Read Latency = 1.515000 sec
        E2E Read Speed = 1.980198 GB/sec
        ");
    }
}
