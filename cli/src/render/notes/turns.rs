//! What is said of engines that took turns, and of those that did not.

use aio_core::report::{EngineReport, Report};

use super::{doubts, downgrades, short_transfers, validated};
use crate::render::numbers::has_rate;

/// What qualifies the numbers of contestants that took turns.
pub(in crate::render) fn qualifying(report: &Report) -> Vec<String> {
    [doubts(report), downgrades(report), short_transfers(report), validated(report)].concat()
}

/// What engines that ran one after the other leave open. `None` for fewer than two with numbers.
pub(crate) fn sequence(report: &Report) -> Option<String> {
    let has_numbers = |engine: &&EngineReport| engine.directions.iter().any(has_rate);
    (report.engines.iter().filter(has_numbers).count() > 1).then(|| {
        "engines ran one after the other, so a difference may be drift: aio compare has them take \
         turns, and tells which differences are real"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn several_engines_in_a_row_may_differ_by_drift() {
        assert_eq!(sequence(&sample::one_engine()), None);
        assert_eq!(sequence(&sample::troubled()), None, "one has no numbers");
        let said = sequence(&sample::comparison()).unwrap();
        assert!(said.contains("aio compare"), "{said}");
    }
}
