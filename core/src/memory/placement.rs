//! Where threads run and where their memory comes from (`--cpus`, `--numa-node`).

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use thiserror::Error;

/// A thread could not be placed.
#[derive(Debug, Error)]
pub enum PlacementError {
    /// The CPU number is larger than the kernel's mask, or the kernel refused it.
    #[error("cannot run on CPU {cpu}")]
    Cpu {
        /// The CPU that was asked for.
        cpu: u32,
        /// What the kernel said.
        #[source]
        source: nix::Error,
    },
}

/// The CPUs that this thread may run on, in ascending order; empty when the kernel does not tell.
#[must_use]
pub fn cpus_allowed() -> Vec<u32> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    let is_in = |cpu: &u32| set.is_set(*cpu as usize).unwrap_or(false);
    (0..u32::try_from(CpuSet::count()).unwrap_or(u32::MAX)).filter(is_in).collect()
}

/// Keeps the calling thread, and the threads that it will start, on `cpu`.
///
/// # Errors
/// [`PlacementError::Cpu`] when the kernel refuses.
pub fn pin_current_thread(cpu: u32) -> Result<(), PlacementError> {
    let mut set = CpuSet::new();
    set.set(cpu as usize)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|source| PlacementError::Cpu { cpu, source })
}

/// Whether the machine has NUMA node `node` with memory, as `/sys` tells.
#[must_use]
pub fn numa_node_exists(node: u32) -> bool {
    fs::exists(format!("/sys/devices/system/node/node{node}")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_be_pinned_to_a_cpu_that_it_may_use_and_to_no_other() {
        let allowed = cpus_allowed();
        let first = *allowed.first().expect("a running thread has a CPU");
        std::thread::spawn(move || {
            pin_current_thread(first).expect("an allowed CPU");
            assert_eq!(cpus_allowed(), [first]);
        })
        .join()
        .expect("the pinned thread");
        assert!(pin_current_thread(1_000_000).is_err());
        assert_eq!(cpus_allowed(), allowed, "this thread was left alone");
    }
}
