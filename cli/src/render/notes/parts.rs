//! The lines below the table, by what they are about.

use aio_core::report::Report;

use super::{
    allocating, batches, doubts, downgrades, fingerprints, flush, loops_of_blocks, mix,
    short_transfers, steady, target_lines, together, unavailable_sentence, validated,
};
use crate::render::{course, devices, failures, pace, plan};

/// All that qualifies the numbers of a report, in the order of its weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// What went wrong.
    pub(crate) failures: Vec<String>,
    /// What the numbers of several directions have in common.
    pub(crate) together: Vec<String>,
    /// Why numbers are doubtful.
    pub(crate) doubts: Vec<String>,
    /// How requests came and went.
    pub(crate) course: Vec<String>,
    /// Engines that have no numbers.
    pub(crate) missing: Vec<String>,
    /// What was granted instead of what was asked.
    pub(crate) receipts: Vec<String>,
    /// What loops, flushes and schedules came to.
    pub(crate) loops: Vec<String>,
    /// What was done.
    pub(crate) plan: String,
    /// What it was done to.
    pub(crate) targets: Vec<String>,
    /// What the devices did.
    pub(crate) devices: Vec<String>,
    /// How many requests share a time stamp.
    pub(crate) batches: Option<String>,
    /// Whether engines were given the same requests.
    pub(crate) prints: Vec<String>,
}

impl Parts {
    /// Those of `report`.
    pub(crate) fn of(report: &Report) -> Self {
        let mut together = together(report);
        together.extend(mix::lines(report));
        let mut loops = short_transfers(report);
        loops.extend(allocating(report));
        loops.extend(loops_of_blocks(report));
        loops.extend(steady::lines(report));
        loops.extend(flush::lines(report));
        loops.extend(pace::lines(report));
        loops.extend(validated(report));
        Self {
            failures: failures::lines(report),
            together,
            doubts: doubts(report),
            course: course::lines(report),
            missing: report.unavailable.iter().map(unavailable_sentence).collect(),
            receipts: downgrades(report),
            loops,
            plan: plan::plan_line(&report.plan, &report.receipts),
            targets: target_lines(&report.targets),
            devices: devices::uses(report),
            batches: batches(report),
            prints: fingerprints(report),
        }
    }

    /// All of them, in their order.
    pub(super) fn into_lines(self) -> Vec<String> {
        let qualify = [self.failures, self.together, self.doubts, self.course, self.missing];
        let mut lines = qualify.concat();
        lines.extend(self.receipts);
        lines.extend(self.loops);
        lines.push(self.plan);
        lines.extend(self.targets);
        lines.extend(self.devices);
        lines.extend(self.batches);
        lines.extend(self.prints);
        lines
    }
}
