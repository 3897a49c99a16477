//! How much a process may have: of locked memory, descriptors, requests of Linux AIO, and what
//! control groups leave it.

use std::path::{Path, PathBuf};

use super::finding::Topic::Limits as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::kernel::may;
use super::roots::{Roots, number, text};
use super::shell::{Shell, quoted};
use super::words::{bytes, decimal};

/// What stands for no limit.
pub(crate) const UNLIMITED: u64 = u64::MAX;

/// `CAP_IPC_LOCK`, for which the limit on locked memory does not hold.
const IPC_LOCK: u32 = 14;

/// What all requests of a run of default depth and block need to be locked.
const DEFAULT_MEMORY_BYTES: u64 = 32 << 20;
/// Enough for the tensors of most runs.
const MUCH_MEMORY_BYTES: u64 = 1 << 30;
/// Descriptors that a run of many threads and files needs.
const DESCRIPTORS: u64 = 1024;
/// Requests that a run of a few lanes of the default depth needs.
const FEW_REQUESTS: u64 = 256;
/// Requests that a run of many lanes or great depth needs.
const MANY_REQUESTS: u64 = 8192;

/// What a process may have, and what it could raise that to by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) soft: u64,
    pub(crate) hard: u64,
}

/// A limit of a control group, with the file that sets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupLimit<T> {
    pub(crate) value: T,
    pub(crate) file: PathBuf,
}

/// What is known of all that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// In bytes.
    pub(crate) memlock: Option<Limit>,
    pub(crate) nofile: Option<Limit>,
    /// Whether the limit on locked memory holds for this process.
    pub(crate) may_lock: Option<bool>,
    /// `fs.aio-nr` and `fs.aio-max-nr`.
    pub(crate) aio: Option<(u64, u64)>,
    /// How many processors' time the control group leaves, and out of how many.
    pub(crate) processors: Option<GroupLimit<f64>>,
    pub(crate) cpus: usize,
    /// Bytes of memory that the control group leaves.
    pub(crate) memory: Option<GroupLimit<u64>>,
}

impl Limits {
    /// Reads what the trees and the folders of our control groups tell. Limits of the process come
    /// from a call.
    pub(crate) fn read(roots: &Roots, cpu_groups: &[PathBuf], memory_groups: &[PathBuf]) -> Self {
        let status = roots.in_proc("self/status").unwrap_or_default();
        let aio = |name: &str| number(&roots.proc.join("sys/fs").join(name));
        let processors = cpu_groups.iter().filter_map(|folder| processors_of(folder));
        let memory = memory_groups.iter().filter_map(|folder| memory_of(folder));
        Self {
            may_lock: may(&status, IPC_LOCK),
            aio: aio("aio-nr").zip(aio("aio-max-nr")),
            processors: processors.min_by(|one, other| one.value.total_cmp(&other.value)),
            memory: memory.min_by_key(|limit| limit.value),
            ..Self::default()
        }
    }

    /// Why the buffers of a default run cannot be registered; `None` when they can be, or that is
    /// not known.
    pub(crate) fn too_little_to_register(&self) -> Option<String> {
        let limit = self.memlock?;
        let is_too_little = limit.soft < DEFAULT_MEMORY_BYTES && self.may_lock != Some(true);
        is_too_little.then(|| {
            format!(
                "the limit on locked memory is {}, and a run of the default depth and block size \
                 registers {}",
                bytes(limit.soft),
                bytes(DEFAULT_MEMORY_BYTES)
            )
        })
    }

    /// What that means.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![self.memlock(shell), self.nofile(shell), self.aio(shell)];
        findings.extend(self.processors(shell));
        findings.extend(self.memory(shell));
        findings
    }

    fn memlock(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "memlock");
        let effect = "memory beyond it is neither pinned nor registered with io_uring, so that the \
                      kernel pins it anew for each request, and kernels before 5.12 charge rings \
                      to it too";
        let Some(limit) = self.memlock else {
            return Finding::new(about, Verdict::Unknown, "the kernel does not tell", effect);
        };
        let state = limit.words(bytes);
        if self.may_lock == Some(true) {
            let state = format!("{state}; it does not hold for this process, which may lock all");
            return Finding::new(about, Verdict::Good, state, effect);
        }
        let verdict = match limit.soft {
            MUCH_MEMORY_BYTES.. => Verdict::Good,
            // The default of most systems is 8 MiB.
            0x80_0000.. => Verdict::Note,
            _ => Verdict::Warning,
        };
        let finding = Finding::new(about, verdict, state, effect);
        if verdict == Verdict::Good {
            return finding;
        }
        let default = bytes(DEFAULT_MEMORY_BYTES);
        let finding = finding.remark(format!(
            "one thread with the default depth and block size registers {default}; the limit is \
             that of this shell and of what it starts"
        ));
        match limit.hard {
            UNLIMITED => finding.cure("ulimit -l unlimited"),
            hard if hard > limit.soft && hard >= DEFAULT_MEMORY_BYTES => {
                finding.cure(format!("ulimit -l {}", hard / 1024))
            }
            _ => finding.cure(shell.as_root("prlimit --pid $$ --memlock=unlimited:unlimited")),
        }
    }

    fn nofile(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "nofile");
        let effect = "a run needs a few descriptors for each thread, lane and file, and is refused \
                      without them";
        let Some(limit) = self.nofile else {
            return Finding::new(about, Verdict::Unknown, "the kernel does not tell", effect);
        };
        let is_enough = limit.soft >= DESCRIPTORS;
        let verdict =
            good_or(if limit.soft < 64 { Verdict::Warning } else { Verdict::Note }, is_enough);
        let finding = Finding::new(about, verdict, limit.words(decimal), effect);
        match limit.hard {
            _ if is_enough => finding,
            DESCRIPTORS.. => finding.cure(format!("ulimit -n {DESCRIPTORS}")),
            _ => finding.cure(shell.as_root(format!("prlimit --pid $$ --nofile={DESCRIPTORS}"))),
        }
    }

    fn aio(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "fs.aio-max-nr");
        let effect = "all programs of the machine share these requests of Linux AIO, and libaio is \
                      refused where depth times lanes is more than what is left";
        let Some((used, most)) = self.aio else {
            let state = "/proc/sys/fs does not tell, or the kernel has no Linux AIO";
            return Finding::new(about, Verdict::Unknown, state, effect);
        };
        let left = most.saturating_sub(used);
        let verdict = match left {
            MANY_REQUESTS.. => Verdict::Good,
            _ if left >= FEW_REQUESTS => Verdict::Note,
            _ => Verdict::Warning,
        };
        let state = format!("{}, of which fs.aio-nr {} are in use", decimal(most), decimal(used));
        let finding = Finding::new(about, verdict, state, effect);
        if verdict == Verdict::Good {
            return finding;
        }
        let enough = used.saturating_add(1 << 20);
        finding.cure(shell.as_root(format!("sysctl -w fs.aio-max-nr={enough}")))
    }

    fn processors(&self, shell: Shell) -> Option<Finding> {
        let GroupLimit { value, file } = self.processors.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 processors")]
        let binds = *value < self.cpus as f64;
        let state = format!("time of {value:.2} processors, by {}", file.display());
        let finding = Finding::new(
            (TOPIC, "processor time"),
            good_or(Verdict::Warning, !binds),
            state,
            "when the control group has used up its time, all threads stand still until the next \
             period, mostly of 100 ms, which shows as latency",
        );
        let no_limit = if file.ends_with("cpu.max") { "max" } else { "-1" };
        Some(if binds { with_group_cure(finding, shell, no_limit, file) } else { finding })
    }

    fn memory(&self, shell: Shell) -> Option<Finding> {
        let GroupLimit { value, file } = self.memory.as_ref()?;
        let state = format!("{}, by {}", bytes(*value), file.display());
        let finding = Finding::new(
            (TOPIC, "memory of the control group"),
            Verdict::Note,
            state,
            "tensors and buffers that do not fit are refused, and the page cache has no more room \
             either, so that buffered results depend on it",
        );
        let no_limit = if file.ends_with("memory.max") { "max" } else { "-1" };
        Some(with_group_cure(finding, shell, no_limit, file))
    }
}

impl Limit {
    fn words(self, unit: impl Fn(u64) -> String) -> String {
        let word = |value| if value == UNLIMITED { "unlimited".to_owned() } else { unit(value) };
        if self.soft == self.hard {
            word(self.soft)
        } else {
            format!("{}, and up to {} on request", word(self.soft), word(self.hard))
        }
    }
}

fn with_group_cure(finding: Finding, shell: Shell, no_limit: &str, file: &Path) -> Finding {
    finding
        .cure(shell.write(no_limit, &quoted(file)))
        .remark("a container's runtime or a service manager may have set it, and may set it again")
}

/// `cpu.max` of version 2, and the two files of version 1.
fn processors_of(folder: &Path) -> Option<GroupLimit<f64>> {
    let file = folder.join("cpu.max");
    if let Some(line) = text(&file) {
        let (quota, period) = line.split_once(' ')?;
        return ratio(quota, period).map(|value| GroupLimit { value, file });
    }
    let file = folder.join("cpu.cfs_quota_us");
    let (quota, period) = (text(&file)?, text(&folder.join("cpu.cfs_period_us"))?);
    ratio(&quota, &period).map(|value| GroupLimit { value, file })
}

/// `None` without a limit: of `max`, and of -1.
fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// Of both versions; a number near 2^63 is no limit.
fn memory_of(folder: &Path) -> Option<GroupLimit<u64>> {
    let mut files =
        ["memory.max", "memory.limit_in_bytes"].map(|name| folder.join(name)).into_iter();
    files.find_map(|file| {
        let value = number(&file).filter(|bytes| *bytes < 1 << 62)?;
        Some(GroupLimit { value, file })
    })
}

#[cfg(test)]
mod tests;
