//! The writes of a loop once more, without doing them.

use crate::engine::Operation;
use crate::plan::Plan;
use crate::schedule::source::{Share, Source, StreamName, VariedStream};

/// Offsets that are asked for at a time.
const AT_A_TIME: usize = 64;

/// Calls `enter` with the number, offset and length of each of the first `writes` writes that a
/// lane makes in the loop that `name` says.
pub(in crate::schedule) fn each_write(
    share: &Share,
    plan: &Plan,
    name: StreamName,
    writes: u64,
    mut enter: impl FnMut(u64, u64, u32),
) {
    let mut stream = VariedStream::new(&share.in_loop(name.loop_index, plan), name, 0, 0);
    let mut offsets = [0; AT_A_TIME];
    let mut number = 0;
    while number < writes {
        let count = stream.choose(&mut offsets);
        if count == 0 {
            return;
        }
        for offset_bytes in &offsets[..count] {
            let job = stream.job(*offset_bytes, &mut None);
            if job.operation == Operation::Write && number < writes {
                enter(number, *offset_bytes, job.length_bytes);
                number += 1;
            }
        }
    }
}
