//! What each tasklet of a wave moved, and on which device.

use super::assemble::{finished, moved_bytes};
use crate::observe::Moved;
use crate::plan::Plan;
use crate::schedule::WaveOutcome;
use crate::target::Resolved;

/// Of each tasklet of the wave, in the loops that count. A tasklet with a file for each loop is
/// taken to have all of them on the device of the first.
pub(super) fn moved(plan: &Plan, resolved: &Resolved, outcome: &WaveOutcome) -> Vec<Moved> {
    let of_tasklet =
        |(tasklet, result): &(crate::target::Tasklet, crate::schedule::TaskletResult)| {
            let path = tasklet.files[0].path.to_string_lossy();
            let target = resolved.targets.iter().find(|target| target.path == path);
            let counting =
                (0..).zip(finished(&outcome.clocks)).filter(|(index, _)| plan.counts(*index));
            Moved {
                direction: tasklet.direction,
                device: target.and_then(|target| target.block_device().cloned()),
                file_system: target.and_then(|target| target.file_system.clone()),
                compresses: target.is_some_and(|target| target.compresses == Some(true)),
                bytes: counting.map(|(index, _)| moved_bytes(&result.lanes, index)).sum(),
            }
        };
    outcome.tasklets.iter().map(of_tasklet).collect()
}
