//! The kernel, and what it runs in.

use super::finding::Topic::Kernel as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::roots::{Roots, field};
use super::shell::Shell;

/// The file of sysfs that says which clock is read.
const CLOCK: &str = "devices/system/clocksource/clocksource0/current_clocksource";
const CLOCKS: &str = "devices/system/clocksource/clocksource0/available_clocksource";

/// Clocks that a program reads by itself, without a call.
const FAST_CLOCKS: [&str; 5] =
    ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "riscv_clocksource"];

/// What is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernel {
    /// Its release, as `uname -r` says it.
    pub(crate) release: String,
    pub(crate) has_proc: bool,
    pub(crate) has_sys: bool,
    /// Whether the processor says that it is a virtual one; `None` where it does not tell.
    pub(crate) is_virtual: Option<bool>,
    /// What looks like a container.
    pub(crate) container: Option<String>,
    /// The clock that is read, and those that could be.
    pub(crate) clock: Option<String>,
    pub(crate) clocks: Vec<String>,
}

impl Kernel {
    /// Reads all of it.
    pub(crate) fn read(roots: &Roots, release: &str) -> Self {
        let cpuinfo = roots.in_proc("cpuinfo");
        let flags = cpuinfo.as_deref().and_then(flags);
        let words = |text: String| text.split_whitespace().map(String::from).collect();
        Self {
            release: release.into(),
            has_proc: roots.has_proc(),
            has_sys: roots.has_sys(),
            is_virtual: flags.map(|flags| flags.split_whitespace().any(|one| one == "hypervisor")),
            container: container(roots),
            clock: roots.in_sys(CLOCK),
            clocks: roots.in_sys(CLOCKS).map(words).unwrap_or_default(),
        }
    }

    /// What that means.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![Finding::new(
            (TOPIC, "release"),
            Verdict::Good,
            format!("Linux {}", self.release),
            "what it can do is asked of it and not guessed from its version; the engines say what \
             came of that",
        )];
        findings.extend(self.missing(shell));
        findings.extend(self.virtual_machine());
        findings.extend(self.in_container());
        findings.push(self.clock_source(shell));
        findings
    }

    fn missing(&self, shell: Shell) -> Vec<Finding> {
        let missing = |path: &str, mount: &str, effect: &str| {
            Finding::new((TOPIC, path), Verdict::Warning, "is not mounted", effect)
                .cure(shell.as_root(mount))
        };
        let mut findings = Vec::new();
        if !self.has_proc {
            findings.push(missing(
                "/proc",
                "mount -t proc proc /proc",
                "mounts, limits and what others use cannot be found out, so that devices are not \
                 written and results have no counts of the kernel",
            ));
        }
        if !self.has_sys {
            findings.push(missing(
                "/sys",
                "mount -t sysfs sysfs /sys",
                "what lies under a file cannot be found out, so that devices are not written and \
                 results do not name the drive",
            ));
        }
        findings
    }

    fn virtual_machine(&self) -> Option<Finding> {
        let is_virtual = self.is_virtual?;
        let state = if is_virtual { "it runs in one" } else { "it runs in none" };
        Some(Finding::new(
            (TOPIC, "virtual machine"),
            good_or(Verdict::Note, !is_virtual),
            state,
            "in a virtual machine the host shares processors and storage with others, its page \
             cache may answer reads that are direct here, and limits of its own may apply",
        ))
    }

    fn in_container(&self) -> Option<Finding> {
        let sign = self.container.as_ref()?;
        let finding = Finding::new(
            (TOPIC, "container"),
            Verdict::Note,
            format!("this looks like one ({sign})"),
            "its runtime may forbid system calls and set limits that the rest of the machine does \
             not have, and the kernel's settings are those of the host",
        );
        Some(finding.remark(
            "what is forbidden or limited is changed where the container is started, for example \
             docker run --security-opt seccomp=PROFILE.json --ulimit memlock=-1",
        ))
    }

    fn clock_source(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "clock source");
        let effect = "the clock is read for each call that submits or reaps, and only some are \
                      read without a call to the kernel, in some 20 ns instead of up to some µs";
        let Some(clock) = &self.clock else {
            return Finding::new(about, Verdict::Unknown, "sysfs does not tell", effect);
        };
        let is_fast = FAST_CLOCKS.contains(&clock.as_str());
        let finding = Finding::new(about, good_or(Verdict::Warning, is_fast), clock, effect);
        let faster = self.clocks.iter().find(|one| FAST_CLOCKS.contains(&one.as_str()));
        match faster {
            _ if is_fast => finding,
            Some(faster) => finding.cure(shell.write(faster, &format!("/sys/{CLOCK}"))),
            None => finding.remark(
                "the kernel offers no faster one; it says in its log why it distrusts the tsc",
            ),
        }
    }
}

/// The features of the first processor, where the table lists them so that a virtual one would say
/// so: on x86.
fn flags(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
    Some(line.split_once(':')?.1)
}

/// What looks like a container, in words.
fn container(roots: &Roots) -> Option<String> {
    let said = super::roots::text(&roots.root.join("run/systemd/container"));
    if let Some(name) = said {
        return Some(format!("/run/systemd/container says {name}"));
    }
    for mark in [".dockerenv", "run/.containerenv"] {
        if roots.root.join(mark).exists() {
            return Some(format!("/{mark} is there"));
        }
    }
    let groups = roots.in_proc("1/cgroup")?;
    let known = ["docker", "kubepods", "containerd", "libpod", "lxc"];
    let name = known.into_iter().find(|name| groups.contains(name))?;
    Some(format!("the first process is in a control group of {name}"))
}

/// Whether the process whose status this is may do what capability number `bit` allows.
pub(crate) fn may(status: &str, bit: u32) -> Option<bool> {
    let effective = u64::from_str_radix(field(status, "CapEff")?, 16).ok()?;
    Some(effective >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::super::finding::named;
    use super::super::roots::fake;
    use super::*;

    const SHELL: Shell = Shell { is_root: false };

    fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
        let (_folder, roots) = fake(files);
        Kernel::read(&roots, "6.1.0").findings(SHELL)
    }

    #[test]
    fn what_is_not_mounted_is_told_with_the_command_that_mounts_it() {
        let bare = findings(&[]);
        for (path, cure) in
            [("/proc", "sudo mount -t proc proc /proc"), ("/sys", "sudo mount -t sysfs sysfs /sys")]
        {
            let found = named(&bare, path);
            assert_eq!((found.verdict, found.cure.as_deref()), (Verdict::Warning, Some(cure)));
        }
        assert_eq!(named(&bare, "clock source").verdict, Verdict::Unknown);
        let whole = findings(&[("proc/self/status", "x"), ("sys/devices/x", "x")]);
        assert!(whole.iter().all(|one| !one.name.starts_with('/')), "{whole:#?}");
        assert_eq!(named(&whole, "release").state, "Linux 6.1.0");
    }

    #[test]
    fn a_slow_clock_is_a_warning_with_a_faster_one_where_there_is_one() {
        let clock = |current: &str, available: &str| {
            let files = [(CLOCK, current), (CLOCKS, available)];
            let files = files.map(|(path, text)| (format!("sys/{path}"), text));
            let files = files.each_ref().map(|(path, text)| (path.as_str(), *text));
            named(&findings(&files), "clock source").clone()
        };
        assert_eq!(clock("tsc", "tsc hpet").verdict, Verdict::Good);
        let slow = clock("hpet", "tsc hpet acpi_pm");
        assert_eq!(slow.verdict, Verdict::Warning);
        assert_eq!(slow.cure.unwrap(), format!("echo tsc | sudo tee /sys/{CLOCK}"));
        let slow = clock("acpi_pm", "acpi_pm");
        assert!(slow.verdict == Verdict::Warning && slow.cure.is_none() && slow.remark.is_some());
    }

    #[test]
    fn a_virtual_machine_is_told_from_a_real_one_and_from_what_does_not_tell() {
        let with = |flags: &str| findings(&[("proc/cpuinfo", flags)]);
        let name = "virtual machine";
        assert_eq!(named(&with("flags\t: fpu hypervisor"), name).verdict, Verdict::Note);
        assert_eq!(named(&with("flags\t: fpu"), name).verdict, Verdict::Good);
        assert!(with("Features : fp").iter().all(|one| one.name != name));
    }

    #[test]
    fn a_container_is_known_by_what_it_leaves() {
        for (path, text, words) in [
            ("root/run/systemd/container", "lxc", "says lxc"),
            ("root/.dockerenv", "", "/.dockerenv is there"),
            ("root/run/.containerenv", "", "/run/.containerenv is there"),
            ("proc/1/cgroup", "0::/kubepods/pod1", "kubepods"),
        ] {
            let findings = findings(&[(path, text)]);
            let found = named(&findings, "container");
            assert!(found.verdict == Verdict::Note && found.state.contains(words), "{found:?}");
        }
        let none = findings(&[("proc/1/cgroup", "0::/init.scope")]);
        assert!(none.iter().all(|one| one.name != "container"));
    }

    #[test]
    fn capabilities_are_read_from_their_bits() {
        assert_eq!(may("CapEff:\t000001ffffffffff\n", 14), Some(true));
        assert_eq!(may("CapEff:\t0000000000000000\n", 14), Some(false));
        assert_eq!((may("CapEff:\tx\n", 14), may("", 14)), (None, None));
    }
}
