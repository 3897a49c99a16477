//! What may stand between a program and the calls that engines make: filters and switches.

use super::finding::Topic::Engines as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::kernel::may;
use super::roots::{Roots, field};
use super::shell::Shell;

/// `CAP_SYS_ADMIN`, for which the switch does not hold.
const SYS_ADMIN: u32 = 21;

/// What is known of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permission {
    /// The mode of seccomp that this process is in, and its filters where the kernel counts them.
    pub(crate) seccomp: Option<(u32, Option<u32>)>,
    /// `kernel.io_uring_disabled`, where the kernel has it.
    pub(crate) io_uring_disabled: Option<u32>,
    /// `kernel.io_uring_group`; negative when there is none.
    pub(crate) io_uring_group: Option<i64>,
    /// The groups that this process is in.
    pub(crate) groups: Vec<u32>,
    pub(crate) is_admin: bool,
}

impl Permission {
    /// Reads all of it, for a process in `groups`.
    pub(crate) fn read(roots: &Roots, groups: Vec<u32>) -> Self {
        let status = roots.in_proc("self/status").unwrap_or_default();
        let number = |name: &str| field(&status, name)?.parse().ok();
        let in_kernel = |name: &str| roots.in_proc(&format!("sys/kernel/{name}"));
        Self {
            seccomp: number("Seccomp").map(|mode| (mode, number("Seccomp_filters"))),
            io_uring_disabled: in_kernel("io_uring_disabled").and_then(|text| text.parse().ok()),
            io_uring_group: in_kernel("io_uring_group").and_then(|text| text.parse().ok()),
            groups,
            is_admin: may(&status, SYS_ADMIN).unwrap_or(false),
        }
    }

    /// What that means.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![self.seccomp()];
        findings.extend(self.switch(shell));
        findings
    }

    fn seccomp(&self) -> Finding {
        let about = (TOPIC, "seccomp");
        let effect = "a filter is asked about each system call, which makes all of them slower, \
                      and may refuse those of io_uring and Linux AIO";
        let Some((mode, filters)) = self.seccomp else {
            return Finding::new(about, Verdict::Unknown, "/proc does not tell", effect);
        };
        if mode == 0 {
            return Finding::new(about, Verdict::Good, "no filter", effect);
        }
        let state = match filters {
            Some(1) => "1 filter is in force".to_owned(),
            Some(number) => format!("{number} filters are in force"),
            None => "a filter is in force".to_owned(),
        };
        Finding::new(about, Verdict::Note, state, effect).remark(
            "a process cannot take a filter off itself; the container's runtime or the service \
             manager has put it there (docker run --security-opt seccomp=PROFILE.json, \
             SystemCallFilter= of systemd)",
        )
    }

    fn switch(&self, shell: Shell) -> Option<Finding> {
        let value = self.io_uring_disabled?;
        let of_group = self.io_uring_group.and_then(|group| u32::try_from(group).ok());
        let in_group = of_group.is_some_and(|group| self.groups.contains(&group));
        let (allowed, state) = match (value, of_group) {
            (0, _) => (true, "0: everybody may use io_uring".to_owned()),
            (1, Some(group)) => (
                in_group || self.is_admin,
                format!("1: only root and group {group} may open new rings"),
            ),
            (1, None) => (self.is_admin, "1: only root may open new rings".to_owned()),
            _ => (false, format!("{value}: nobody may open new rings")),
        };
        let effect = "where io_uring is switched off, --engine auto takes Linux AIO, and uring is \
                      refused";
        let about = (TOPIC, "kernel.io_uring_disabled");
        let finding = Finding::new(about, good_or(Verdict::Warning, allowed), state, effect);
        if allowed {
            return Some(finding);
        }
        Some(finding.cure(shell.as_root("sysctl -w kernel.io_uring_disabled=0")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::named;
    use super::super::roots::fake;
    use super::*;

    fn findings(files: &[(&str, &str)], groups: &[u32]) -> Vec<Finding> {
        let (_folder, roots) = fake(files);
        Permission::read(&roots, groups.to_vec()).findings(Shell { is_root: false })
    }

    #[test]
    fn a_filter_is_told_and_none_is_good() {
        let seccomp = |status: &str| {
            let findings = findings(&[("proc/self/status", status)], &[]);
            let found = named(&findings, "seccomp");
            (found.verdict, found.state.clone())
        };
        assert_eq!(seccomp("Seccomp:\t0"), (Verdict::Good, "no filter".into()));
        let two = seccomp("Seccomp:\t2\nSeccomp_filters:\t2");
        assert_eq!(two, (Verdict::Note, "2 filters are in force".into()));
        assert_eq!(seccomp("Seccomp:\t2"), (Verdict::Note, "a filter is in force".into()));
        assert_eq!(seccomp("Name:\tx").0, Verdict::Unknown);
    }

    #[test]
    fn the_switch_of_io_uring_is_a_warning_for_those_whom_it_stops() {
        const ROOT: &str = "CapEff:\t000001ffffffffff";
        const USER: &str = "CapEff:\t0000000000000000";
        let is_good = |status: &str, value: &str, group: &str, groups: &[u32]| {
            let files = [
                ("proc/self/status", status),
                ("proc/sys/kernel/io_uring_disabled", value),
                ("proc/sys/kernel/io_uring_group", group),
            ];
            let findings = findings(&files, groups);
            let found = named(&findings, "kernel.io_uring_disabled");
            let cure = Some("sudo sysctl -w kernel.io_uring_disabled=0");
            let is_good = found.verdict == Verdict::Good;
            assert_eq!(found.cure.as_deref(), if is_good { None } else { cure }, "{found:?}");
            is_good
        };
        assert!(is_good(USER, "0", "-1", &[]));
        assert!(!is_good(USER, "1", "-1", &[0]));
        assert!(!is_good(USER, "1", "7", &[1]));
        assert!(is_good(USER, "1", "7", &[1, 7]));
        assert!(is_good(ROOT, "1", "-1", &[]));
        assert!(!is_good(ROOT, "2", "-1", &[]));
        assert!(findings(&[], &[]).iter().all(|one| one.name == "seccomp"), "before Linux 6.6");
    }
}
