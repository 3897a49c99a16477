//! When the CPU set the speed, not the storage.

use super::{Cpu, DirectionReport, Doubt};

/// The share of a core's time above which a thread is as fast as it can be.
const SHARE_MAX: f64 = 0.95;

/// The doubt that a run was bound by the CPU: one of the threads that submit was at work nearly all
/// of the time, or all CPUs that the process may use, `cpus` of them, were. Not to be asked where
/// waiting is polling.
#[must_use]
pub fn cpu_bound(one: &DirectionReport, cpus: usize) -> Option<Doubt> {
    judge(&one.cpu, one.e2e_latency_s, cpus)
}

fn judge(cpu: &Cpu, seconds: f64, cpus: usize) -> Option<Doubt> {
    let busiest = cpu.busiest_thread_share;
    if busiest.is_some_and(|share| share > SHARE_MAX) {
        let reason = "it was CPU-bound, not storage-bound: a thread that submits was at work for \
                      more than 95 % of the time; use more --io-parallel or --threads, or larger \
                      blocks";
        return Some(Doubt::new("cpu-bound", reason));
    }
    #[expect(clippy::cast_precision_loss, reason = "no machine has 2^53 CPUs")]
    let most_s = seconds * cpus as f64;
    let all_s = cpu.user_s + cpu.system_s;
    (most_s > 0.0 && all_s > SHARE_MAX * most_s).then(|| {
        let reason = "it was CPU-bound, not storage-bound: it had all CPUs at work for more than \
                      95 % of the time; use a lower --queue-depth or fewer --threads";
        Doubt::new("cpu-bound", reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two seconds.
    fn judged(busiest_thread_share: Option<f64>, spent_s: f64, cpus: usize) -> Option<Doubt> {
        let (user_s, system_s) = (spent_s / 4.0, spent_s * 3.0 / 4.0);
        judge(&Cpu { user_s, system_s, busiest_thread_share, ..Cpu::default() }, 2.0, cpus)
    }

    #[test]
    fn a_thread_that_never_waits_is_bound_by_the_cpu() {
        let busy = judged(Some(0.96), 1.92, 8).expect("0.96 of a core");
        assert!(busy.code == "cpu-bound" && busy.reason.contains("not storage-bound"), "{busy:?}");
        assert_eq!(judged(Some(0.94), 1.88, 8), None);
        assert_eq!(judged(None, 0.0, 8), None, "nothing is known");
    }

    #[test]
    fn many_threads_that_share_too_few_cpus_are_too() {
        let all = judged(Some(0.06), 3.9, 2).expect("3.9 of 4 s");
        assert!(all.reason.contains("all CPUs"), "{all:?}");
        assert_eq!(judged(Some(0.06), 3.7, 2), None);
        assert_eq!(judged(Some(0.06), 3.9, 4), None);
    }
}
