//! What happens between two runs, so that none pays for the one before it.

use std::collections::BTreeSet;
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

use aio_core::session::{Session, Stop};

/// How often a rest looks at whether it is to end.
const STEP: Duration = Duration::from_millis(50);

/// Has what `session` wrote stored, and waits for `cool_down`.
pub(super) fn rest(session: &Session, cool_down: Duration, stop: &Stop) {
    settle(session);
    let begin = Instant::now();
    while let Some(left) = cool_down.checked_sub(begin.elapsed()) {
        if left.is_zero() || stop.is_set() {
            break;
        }
        sleep(left.min(STEP));
    }
}

/// Dirty pages and the device's cache would else be written out in the next contestant's time.
fn settle(session: &Session) {
    let tasklets = session.resolved().waves.iter().flatten();
    let written = tasklets.filter(|tasklet| tasklet.direction.changes_target());
    let paths: BTreeSet<_> =
        written.flat_map(|tasklet| &tasklet.files).map(|file| &file.path).collect();
    for path in paths {
        // A file that is gone, or a device that takes no flush, has nothing to settle.
        let _as_far_as_it_goes = File::open(path).and_then(|file| file.sync_all());
    }
}
