//! Lines about how requests came and went: over time, how many at once, and how they were handed
//! over.

use aio_core::report::{DirectionReport, EngineReport, Report, Sample, Series};

use super::notes::each;
use super::numbers::{has_rate, milliseconds, mode, range, scaled, short};

/// The most columns of a sparkline.
const SPARKS_MAX: usize = 48;
/// For an eighth of the greatest rate, and so on.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The engine whose calls do the work themselves, as everybody knows of it.
const BLOCKING_ENGINE: &str = "sync";

/// All of them.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let of = |(engine, one): (&EngineReport, &DirectionReport)| {
        let name = format!("{} {}", engine.engine, mode(one.direction, &one.access));
        let mut lines = Vec::new();
        if report.plan.interval_ns.is_some() {
            lines.extend(over_time(&one.series).map(|text| format!("{name} over time: {text}")));
        }
        if engine.moves_data {
            lines.extend(depth(one).map(|text| format!("{name}: {text}")));
            lines.extend(blocking(engine, one).map(|text| format!("{name}: {text}")));
        }
        lines
    };
    each(report).filter(|(_, one)| has_rate(one)).flat_map(of).collect()
}

/// The rates of the intervals, as a picture and as the least and the greatest.
fn over_time(series: &Series) -> Option<String> {
    let rates: Vec<f64> = series.rates().collect();
    let (least, greatest) = range(rates.iter().copied())?;
    let worst = series.samples.iter().filter_map(|sample| Some((sample.latency?.max_ns, sample)));
    let worst: Option<(u64, &Sample)> = worst.max_by_key(|(max_ns, _)| *max_ns);
    let worst = worst.map_or_else(String::new, |(max_ns, sample)| {
        let (latency, t_s) = (milliseconds(max_ns), short(sample.t_s));
        format!("; the longest latency, {latency} ms, before {t_s} s")
    });
    let cut_off = if series.is_cut_off { "; there was no room for more" } else { "" };
    Some(format!(
        "{} {} to {} requests per second in {} intervals of {} s{worst}{cut_off}",
        sparks(&rates, greatest),
        scaled(least),
        scaled(greatest),
        rates.len(),
        short(series.interval_s),
    ))
}

/// The rates from 0 to the greatest as a line of blocks, several in one where there are many.
fn sparks(rates: &[f64], greatest: f64) -> String {
    let each = rates.len().div_ceil(SPARKS_MAX).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few rates")]
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let height = |share: f64| {
        let reached = (1_u32..).zip(SPARKS).filter(|(more, _)| share >= f64::from(*more) / 8.0);
        reached.last().map_or(SPARKS[0], |(_, spark)| spark)
    };
    rates.chunks(each).map(|rates| height(mean(rates) / greatest.max(f64::MIN_POSITIVE))).collect()
}

/// That far fewer requests were in flight than asked for, where nothing slowed them on purpose.
fn depth(one: &DirectionReport) -> Option<String> {
    let is_paced = one.access.blocks().is_some_and(|blocks| blocks.rate.is_some());
    let mean = one.depth.achieved_mean.filter(|_| one.depth.is_well_below() && !is_paced)?;
    Some(format!(
        "only {} requests were in flight at a time, of {} asked for",
        short(mean),
        one.depth.asked
    ))
}

/// That "asynchronous" submission did not come back before the work was done, or nearly so.
fn blocking(engine: &EngineReport, one: &DirectionReport) -> Option<String> {
    let is_expected = engine.engine.split(':').next() == Some(BLOCKING_ENGINE);
    let share = one.submission.latency_share.filter(|_| one.submission.blocks() && !is_expected)?;
    Some(format!(
        "submission blocks: a call that submits takes {} ms, which is {:.0} % of the mean latency of \
         a request, so that the work is done in the call and not beside it",
        short(one.submission.call_mean_ns? / 1e6),
        share * 100.0
    ))
}

#[cfg(test)]
mod tests {
    use aio_core::report::{Depth, Submission};

    use super::super::sample;
    use super::*;

    #[test]
    fn nothing_is_said_of_a_run_that_went_as_it_should() {
        assert_eq!(lines(&sample::comparison()), [""; 0]);
    }

    #[test]
    fn intervals_that_were_asked_for_are_drawn() {
        let mut report = sample::one_engine();
        report.plan.interval_ns = Some(375_000_000);
        insta::assert_snapshot!(lines(&report).join("\n"), @r"
        uring write over time: ▆▇█▇ 1.867 k to 2.144 k requests per second in 4 intervals of 0.375 s; the longest latency, 25.00 ms, before 1.125 s
        ");
        report.engines[0].directions[0].series.samples.clear();
        assert_eq!(lines(&report), [""; 0], "nothing to draw");
    }

    #[test]
    fn many_intervals_share_a_block_and_the_greatest_is_the_full_one() {
        assert_eq!(sparks(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 8.0), "▁▁▂▃▄▅▆▇█");
        assert_eq!(sparks(&[5.0; 1000], 5.0).chars().count(), 48);
        assert_eq!(sparks(&[0.0; 3], 0.0), "▁▁▁");
    }

    #[test]
    fn a_queue_that_stays_empty_is_told_unless_it_was_to() {
        let mut report = sample::blocks();
        report.engines[1].directions[0].depth = Depth { asked: 32, achieved_mean: Some(3.2) };
        assert_eq!(
            lines(&report),
            ["sync randread: only 3.200 requests were in flight at a time, of 32 asked for"]
        );
        report.engines[1].moves_data = false;
        assert_eq!(lines(&report), [""; 0]);
    }

    #[test]
    fn submission_that_blocks_is_told_in_words_but_not_of_sync() {
        let mut report = sample::blocks();
        for engine in &mut report.engines {
            let one = &mut engine.directions[0];
            one.submission = Submission::of(10, 10 * 90_000, 1000, 1.0, 100_000.0);
        }
        let said = lines(&report);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("uring randread: submission blocks: "), "{said:?}");
        assert!(said[0].contains("0.0900 ms, which is 90 % of the mean latency"), "{said:?}");
    }
}
