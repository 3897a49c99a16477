//! Memory: how much there is, in what pages, and whether it is short.

use super::finding::Topic::Memory as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::roots::{Roots, chosen, field};
use super::shell::Shell;
use super::words::{bytes, decimal};

const TRANSPARENT: &str = "kernel/mm/transparent_hugepage/enabled";

/// Less than this of the memory is short.
const SHORT_BYTES: u64 = 1 << 30;
/// More than this in swap is more than what nobody has looked at for long.
const SWAPPED_BYTES: u64 = 256 << 20;

/// What is known of it; in bytes where it is not told otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) whole: Option<u64>,
    pub(crate) available: Option<u64>,
    pub(crate) swap: Option<u64>,
    pub(crate) swap_free: Option<u64>,
    /// Huge pages that were set aside, those of them that are free, and the bytes of one.
    pub(crate) huge: Option<(u64, u64, u64)>,
    /// The mode of transparent huge pages.
    pub(crate) transparent: Option<String>,
    pub(crate) has_sys: bool,
}

impl Memory {
    /// Reads all of it.
    pub(crate) fn read(roots: &Roots) -> Self {
        let table = roots.in_proc("meminfo").unwrap_or_default();
        let kib = |name: &str| {
            let number: u64 = field(&table, name)?.strip_suffix("kB")?.trim().parse().ok()?;
            Some(number * 1024)
        };
        let pages = |name: &str| field(&table, name)?.parse::<u64>().ok();
        let huge =
            || Some((pages("HugePages_Total")?, pages("HugePages_Free")?, kib("Hugepagesize")?));
        Self {
            whole: kib("MemTotal"),
            available: kib("MemAvailable"),
            swap: kib("SwapTotal"),
            swap_free: kib("SwapFree"),
            huge: huge(),
            transparent: roots.in_sys(TRANSPARENT).and_then(|all| chosen(&all).map(Into::into)),
            has_sys: roots.has_sys(),
        }
    }

    /// What that means.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![self.available(), self.transparent(shell)];
        findings.extend(self.huge(shell));
        findings.extend(self.swapped(shell));
        findings
    }

    fn available(&self) -> Finding {
        let about = (TOPIC, "available");
        let effect = "tensors and buffers must fit into it, and a run that needs more is refused";
        let (Some(whole), Some(available)) = (self.whole, self.available) else {
            return Finding::new(about, Verdict::Unknown, "/proc/meminfo does not tell", effect);
        };
        let is_enough = available >= SHORT_BYTES.min(whole / 2);
        let state = format!("{} of {}", bytes(available), bytes(whole));
        let finding = Finding::new(about, good_or(Verdict::Warning, is_enough), state, effect);
        if is_enough { finding } else { finding.cure("ps -eo rss,pid,comm --sort=-rss | head") }
    }

    fn transparent(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "transparent huge pages");
        let effect = "buffers in pages of 2 MiB let a large request go to the device whole; in \
                      pages of 4 KiB it is cut into several, which cost sequential reads up to \
                      half of their speed where that was tried";
        let Some(mode) = &self.transparent else {
            let state = if self.has_sys { "the kernel has none" } else { "/sys does not tell" };
            return Finding::new(about, Verdict::Unknown, state, effect);
        };
        let is_good = mode != "never";
        let finding = Finding::new(about, good_or(Verdict::Warning, is_good), mode, effect);
        let cure = || shell.write("madvise", &format!("/sys/{TRANSPARENT}"));
        if is_good { finding } else { finding.cure(cure()) }
    }

    fn huge(&self, shell: Shell) -> Option<Finding> {
        let (whole, free, each) = self.huge?;
        let state = match whole {
            0 => format!("none of {} set aside", bytes(each)),
            _ => {
                format!(
                    "{} of {} set aside, {} of them free",
                    decimal(whole),
                    bytes(each),
                    decimal(free)
                )
            }
        };
        let finding = Finding::new(
            (TOPIC, "huge pages"),
            Verdict::Good,
            state,
            "only --memory hugetlb needs them, and takes ordinary memory where there are too few",
        );
        let gib = (1_u64 << 30).div_ceil(each.max(1));
        Some(finding.cure(shell.as_root(format!("sysctl -w vm.nr_hugepages={gib}"))))
    }

    fn swapped(&self, shell: Shell) -> Option<Finding> {
        let (whole, free) = (self.swap?, self.swap_free?);
        let used = whole.saturating_sub(free);
        let state = match whole {
            0 => "none".to_owned(),
            _ => format!("{} of {} in use", bytes(used), bytes(whole)),
        };
        let is_good = used < SWAPPED_BYTES;
        let finding = Finding::new(
            (TOPIC, "swap"),
            good_or(Verdict::Note, is_good),
            state,
            "what was swapped out comes back in the middle of a measurement, by reads of a disk \
             that may be the one that is measured",
        );
        Some(if is_good {
            finding
        } else {
            let cure = format!("{} && {}", shell.as_root("swapoff -a"), shell.as_root("swapon -a"));
            finding.cure(cure).remark("all of it must fit into the memory that is available")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::named;
    use super::super::roots::fake;
    use super::*;

    const TABLE: &str = "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapTotal: 2097152 kB\n\
                         SwapFree: 2097152 kB\nHugePages_Total: 4\nHugePages_Free: 3\n\
                         Hugepagesize: 2048 kB";

    fn finding(table: &str, mode: &str, name: &str) -> Finding {
        let mode_path = format!("sys/{TRANSPARENT}");
        let (_folder, roots) =
            fake(&[("proc/meminfo", table), (&mode_path, mode), ("sys/devices/x", "")]);
        named(&Memory::read(&roots).findings(Shell { is_root: false }), name).clone()
    }

    #[test]
    fn a_machine_with_room_is_good() {
        for (name, state) in [
            ("available", "4 GiB of 8 GiB"),
            ("transparent huge pages", "madvise"),
            ("huge pages", "4 of 2 MiB set aside, 3 of them free"),
            ("swap", "0 bytes of 2 GiB in use"),
        ] {
            let found = finding(TABLE, "always [madvise] never", name);
            assert_eq!((found.verdict, found.state.as_str()), (Verdict::Good, state));
        }
        let none = finding("SwapTotal: 0 kB\nSwapFree: 0 kB", "", "swap");
        assert_eq!((none.verdict, none.state.as_str()), (Verdict::Good, "none"));
    }

    #[test]
    fn what_is_short_is_told_with_a_cure() {
        let short = TABLE.replace("4194304", "262144").replace("SwapFree: 2097152", "SwapFree: 1");
        let found = finding(&short, "", "available");
        assert!(found.verdict == Verdict::Warning && found.cure.is_some(), "{found:?}");
        let found = finding(&short, "", "swap");
        assert_eq!(found.verdict, Verdict::Note);
        assert_eq!(found.cure.unwrap(), "sudo swapoff -a && sudo swapon -a");
        let found = finding(TABLE, "always madvise [never]", "transparent huge pages");
        assert_eq!(found.verdict, Verdict::Warning);
        assert_eq!(found.cure.unwrap(), format!("echo madvise | sudo tee /sys/{TRANSPARENT}"));
        let small = "MemTotal: 262144 kB\nMemAvailable: 196608 kB";
        assert_eq!(finding(small, "", "available").verdict, Verdict::Good, "a small machine");
    }

    #[test]
    fn without_proc_and_sys_nothing_is_known_and_nothing_fails() {
        let (_folder, roots) = fake(&[]);
        let findings = Memory::read(&roots).findings(Shell { is_root: false });
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(|one| one.verdict == Verdict::Unknown), "{findings:#?}");
    }
}
