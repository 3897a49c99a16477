//! Memory for buffers and queues: refused before anything is made, where there is too little.

use super::alignment::Alignment;
use super::resolve::ResolveError;
use super::tasklet::Tasklet;
use crate::memory::{HUGE_PAGE_BYTES, MemoryKind};
use crate::observe::memory_left_bytes;
use crate::plan::{Access, Plan};
use crate::report::{memory_bytes, memory_pages};

/// The least that a place in the queue of a lane takes beside its buffer: the slot, its completion,
/// and what the engine keeps of the request.
const PLACE_BYTES: u64 = 192;

/// Refuses tensors, buffers and queues that do not fit what the machine or the control group has:
/// else the machine swaps, or the kernel ends this program or another one.
pub(super) fn refuse_too_much_memory(
    plan: &Plan,
    waves: &[Vec<Tasklet>],
    alignment: Alignment,
) -> Result<(), ResolveError> {
    let needs = waves.iter().map(|wave| {
        let each = wave.iter().map(|tasklet| Need::of(tasklet, plan, alignment));
        each.fold(Need::default(), Need::and)
    });
    let most = needs.max_by_key(|need| need.buffer_bytes.saturating_add(need.queue_bytes));
    let most = most.unwrap_or_default();
    let asked_bytes = most.outside_of_pool(plan.memory, pool_bytes());
    let Some((available_bytes, of_group)) = available() else { return Ok(()) };
    if asked_bytes <= available_bytes {
        return Ok(());
    }
    let has_tensors = || waves.iter().flatten().any(|tasklet| tasklet.access == Access::Tensor);
    let cure = match () {
        () if most.queue_bytes > most.buffer_bytes => "a smaller --queue-depth",
        () if has_tensors() => "smaller tensors",
        () => "a smaller --queue-depth or --block-size",
    };
    Err(ResolveError::Memory { cure, asked_bytes, available_bytes, of_group })
}

/// The memory that the machine and the control groups leave this process; `None` where neither
/// tells.
#[must_use]
pub fn available_memory_bytes() -> Option<u64> {
    available().map(|(bytes, _of_group)| bytes)
}

/// What is available, and whether it is a control group that leaves no more.
fn available() -> Option<(u64, bool)> {
    let of_machine = memory_bytes("MemAvailable").map(|bytes| (bytes, false));
    let of_group = memory_left_bytes().map(|bytes| (bytes, true));
    of_machine.into_iter().chain(of_group).min()
}

/// Bytes of huge pages that are reserved and free; neither of the other numbers has them in it.
fn pool_bytes() -> u64 {
    let free = memory_pages("HugePages_Free").unwrap_or(0);
    let promised = memory_pages("HugePages_Rsvd").unwrap_or(0);
    let is_ours = memory_bytes("Hugepagesize") == Some(HUGE_PAGE_BYTES as u64);
    if is_ours { free.saturating_sub(promised).saturating_mul(HUGE_PAGE_BYTES as u64) } else { 0 }
}

/// Memory that is in use together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Need {
    /// Tensors, or a block for each request in flight.
    buffer_bytes: u64,
    /// What the queues themselves take.
    queue_bytes: u64,
    /// The largest buffers that lie in one mapping.
    mapping_bytes_max: u64,
}

impl Need {
    fn of(tasklet: &Tasklet, plan: &Plan, alignment: Alignment) -> Self {
        let in_flight = u64::from(plan.lanes) * u64::from(plan.queue_depth);
        let buffer_bytes = match tasklet.access {
            Access::Tensor => tasklet.padded_bytes(alignment),
            Access::Blocks(_) => in_flight.saturating_mul(plan.block_size_bytes),
        };
        let queue_bytes = in_flight.saturating_mul(PLACE_BYTES);
        Self { buffer_bytes, queue_bytes, mapping_bytes_max: buffer_bytes }
    }

    fn and(self, other: Self) -> Self {
        Self {
            buffer_bytes: self.buffer_bytes.saturating_add(other.buffer_bytes),
            queue_bytes: self.queue_bytes.saturating_add(other.queue_bytes),
            mapping_bytes_max: self.mapping_bytes_max.max(other.mapping_bytes_max),
        }
    }

    /// What ordinary memory must hold, when `pool_bytes` are free in huge pages: a buffer lies in
    /// those as a whole, or not at all.
    fn outside_of_pool(self, kind: MemoryKind, pool_bytes: u64) -> u64 {
        let in_pool = if kind == MemoryKind::Hugetlb && self.mapping_bytes_max <= pool_bytes {
            self.buffer_bytes.min(pool_bytes)
        } else {
            0
        };
        (self.buffer_bytes - in_pool).saturating_add(self.queue_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_huge_pages_are_used_before_other_memory_when_they_are_asked_for() {
        let need = Need { buffer_bytes: 10, queue_bytes: 1, mapping_bytes_max: 5 };
        for (kind, pool, outside) in [
            (MemoryKind::Thp, 100, 11),
            (MemoryKind::Hugetlb, 100, 1),
            (MemoryKind::Hugetlb, 7, 4),
            (MemoryKind::Hugetlb, 4, 11),
        ] {
            assert_eq!(need.outside_of_pool(kind, pool), outside, "{kind:?} {pool}");
        }
    }

    #[test]
    fn needs_add_up() {
        let one = Need { buffer_bytes: u64::MAX, queue_bytes: 1, mapping_bytes_max: 3 };
        let two = one.and(one);
        assert_eq!((two.buffer_bytes, two.queue_bytes, two.mapping_bytes_max), (u64::MAX, 2, 3));
        assert_eq!(two.outside_of_pool(MemoryKind::Thp, 0), u64::MAX);
    }
}
