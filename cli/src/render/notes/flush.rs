//! What it took to make written data durable: part of no other time.

use aio_core::report::{DirectionReport, FlushReport, Report};

use super::{by_engine, each};
use crate::render::numbers::{count, has_rate, milliseconds, short};

/// The flushes between writes, and those after the loops.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let measured = || each(report).filter(|(engine, one)| engine.moves_data && has_rate(one));
    let said = |sentence: fn(&DirectionReport) -> Option<String>| {
        let all = measured()
            .filter_map(|(engine, one)| sentence(one).map(|said| (engine.engine.as_str(), said)));
        by_engine(&all.collect::<Vec<_>>(), report.engines.len())
    };
    let mut lines = said(|one| one.flushes.as_ref().map(between));
    lines.extend(said(after));
    lines
}

/// How many, and how long they took.
fn between(flushes: &FlushReport) -> String {
    let FlushReport { operation, requests, latency, .. } = flushes;
    if *requests == 0 {
        return format!("flushes between writes: 0 {operation}, as there were too few writes");
    }
    let ms = |ns: Option<u64>| {
        ns.map_or_else(|| "unknown".into(), |ns| format!("{} ms", milliseconds(ns)))
    };
    let (p50, p99) = (ms(latency.p50_ns), ms(latency.p99_ns));
    format!("flushes between writes: {requests} {operation}, p50 {p50}, p99 {p99}")
}

/// The time of the flush after each loop that counts.
fn after(one: &DirectionReport) -> Option<String> {
    let ms = short(one.end_flush_s? * 1e3);
    let loops = one.loops.iter().filter(|one| one.counts).count();
    Some(match loops {
        1 => format!("flush after the loop: {ms} ms"),
        _ => format!("flushes after {}: {ms} ms in all", count(loops as u64, "loop")),
    })
}

#[cfg(test)]
mod tests {
    use aio_core::plan::Direction;
    use aio_core::report::LatencyHistogram;

    use super::*;
    use crate::render::sample;

    fn flushes(requests: u64) -> FlushReport {
        let mut histogram = LatencyHistogram::default();
        (0..requests).for_each(|_| histogram.record(1 << 20));
        let latency = histogram.summary();
        FlushReport { operation: "fdatasync".into(), requests, latency, histogram }
    }

    #[test]
    fn flushes_and_the_time_after_a_loop_have_a_line_each() {
        let mut report = sample::blocks();
        assert_eq!(lines(&report), [""; 0]);
        for engine in &mut report.engines {
            let one = &mut engine.directions[0];
            one.direction = Direction::Write;
            one.end_flush_s = Some(0.012_34);
            one.flushes = Some(flushes(200));
        }
        report.engines[1].directions[0].flushes = Some(flushes(0));
        assert_eq!(
            lines(&report),
            [
                "uring: flushes between writes: 200 fdatasync, p50 1.050 ms, p99 1.050 ms",
                "sync: flushes between writes: 0 fdatasync, as there were too few writes",
                "flush after the loop: 12.34 ms",
            ]
        );
        for engine in &mut report.engines {
            let first = engine.directions[0].loops[0];
            engine.directions[0].loops.push(first);
        }
        assert_eq!(lines(&report)[2], "flushes after 2 loops: 12.34 ms in all");
    }
}
