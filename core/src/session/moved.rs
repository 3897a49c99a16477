//! What each tasklet of a wave moved, and on which device.

use super::assemble::{finished, in_loop, moved_bytes};
use crate::observe::Moved;
use crate::plan::Plan;
use crate::schedule::{TaskletResult, WaveOutcome};
use crate::stats::{Kind, PerKind};
use crate::target::{Resolved, Tasklet};

/// Of each tasklet of the wave and each of its directions, in the loops that count. A tasklet with
/// a file for each loop is taken to have all of them on the device of the first.
pub(super) fn moved(plan: &Plan, resolved: &Resolved, outcome: &WaveOutcome) -> Vec<Moved> {
    let counting: Vec<u32> = (0..)
        .zip(finished(&outcome.clocks))
        .map(|(index, _)| index)
        .filter(|index| plan.counts(*index))
        .collect();
    let of_tasklet = |(tasklet, result): &(Tasklet, TaskletResult)| {
        let path = tasklet.files[0].path.to_string_lossy();
        let target = resolved.targets.iter().find(|target| target.path == path);
        let parts = tasklet.direction.parts().iter().map(|direction| {
            let kind = direction.kind().expect("a part of a direction is of one kind");
            let lanes = &result.lanes;
            // Flushes are between writes.
            let own = |requests: PerKind<u64>| match kind {
                Kind::Write => requests[Kind::Flush],
                _ => 0,
            };
            let flushes = |index| in_loop(lanes, index).map(|done| own(done.requests));
            Moved {
                direction: *direction,
                device: target.and_then(|target| target.block_device().cloned()),
                file_system: target.and_then(|target| target.file_system.clone()),
                compresses: target.is_some_and(|target| target.compresses == Some(true)),
                bytes: counting.iter().map(|index| moved_bytes(lanes, kind, *index)).sum(),
                flushes: counting.iter().flat_map(|index| flushes(*index)).sum(),
            }
        });
        parts.collect::<Vec<_>>()
    };
    outcome.tasklets.iter().flat_map(of_tasklet).collect()
}
