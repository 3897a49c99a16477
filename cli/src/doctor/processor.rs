//! The processors: how fast their clock runs, how deep they sleep, and who else uses them.

use std::collections::BTreeMap;

use super::finding::Topic::Processor as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::roots::{Roots, names, number};
use super::shell::Shell;

const CPUS: &str = "devices/system/cpu";
const GOVERNORS: &str = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
const SMT: &str = "devices/system/cpu/smt/control";

/// A processor that takes longer than this to wake up is seen in latencies.
const SLOW_TO_WAKE_US: u64 = 100;

/// A file that says whether the clock may go above its nominal rate, and what it says then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boost {
    path: &'static str,
    is_on: bool,
    off: &'static str,
}

/// What is known of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processor {
    /// How many this process may use, and how many are running.
    pub(crate) allowed: usize,
    pub(crate) online: Option<usize>,
    /// The governors of the clock, with how many processors each has.
    pub(crate) governors: BTreeMap<String, u32>,
    pub(crate) driver: Option<String>,
    pub(crate) boost: Option<Boost>,
    /// Whether threads share cores.
    pub(crate) smt: Option<bool>,
    /// Against how many vulnerabilities something is done.
    pub(crate) mitigations: usize,
    /// Idle states that take long to wake up from, with the time in µs.
    pub(crate) deep_states: Vec<(String, u64)>,
    /// The mean number of threads that ran or waited, over the last minute.
    pub(crate) load: Option<f64>,
}

impl Processor {
    /// Reads all of it, for a process that may use `allowed` processors.
    pub(crate) fn read(roots: &Roots, allowed: usize) -> Self {
        let all = names(&roots.sys.join(CPUS));
        let is_cpu = |name: &&String| {
            name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<u32>().is_ok())
        };
        let mut governors = BTreeMap::new();
        for cpu in all.iter().filter(is_cpu) {
            if let Some(name) = roots.in_sys(&format!("{CPUS}/{cpu}/cpufreq/scaling_governor")) {
                *governors.entry(name).or_insert(0) += 1;
            }
        }
        let load = roots.in_proc("loadavg");
        Self {
            allowed,
            online: roots.in_sys(&format!("{CPUS}/online")).and_then(|text| count_of(&text)),
            governors,
            driver: roots.in_sys(&format!("{CPUS}/cpu0/cpufreq/scaling_driver")),
            boost: boost(roots),
            smt: roots.in_sys("devices/system/cpu/smt/active").map(|text| text == "1"),
            mitigations: mitigations(roots),
            deep_states: deep_states(roots),
            load: load.and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }

    /// What that means.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![self.governor(shell), self.load()];
        findings.extend(self.allowed());
        findings.extend(self.boost(shell));
        findings.extend(self.idle(shell));
        findings.extend(self.smt(shell));
        findings.extend(self.mitigations());
        findings
    }

    fn governor(&self, shell: Shell) -> Finding {
        let about = (TOPIC, "governor");
        let effect = "with any but performance the clock rises only after there has been work for \
                      a while, so that short runs and small queue depths look slower than they are";
        if self.governors.is_empty() {
            let state = "sysfs does not tell, as in most virtual machines: the host decides";
            return Finding::new(about, Verdict::Unknown, state, effect);
        }
        let named = |(name, cpus): (&String, &u32)| match self.governors.len() {
            1 => name.clone(),
            _ => format!("{name} on {cpus}"),
        };
        let state = self.governors.iter().map(named).collect::<Vec<_>>().join(", ");
        let is_good = self.governors.keys().all(|name| name == "performance");
        // These drivers choose the clock themselves; their powersave is not the lowest clock.
        let by_itself = self.driver.as_deref().is_some_and(|name| name.contains("pstate"));
        let bad = if by_itself { Verdict::Note } else { Verdict::Warning };
        let finding = Finding::new(about, good_or(bad, is_good), state, effect);
        if is_good { finding } else { finding.cure(shell.write("performance", GOVERNORS)) }
    }

    fn load(&self) -> Finding {
        let about = (TOPIC, "load");
        let effect = "other programs take processors and devices from the run, and add to its \
                      latencies";
        let Some(load) = self.load else {
            return Finding::new(about, Verdict::Unknown, "/proc/loadavg does not tell", effect);
        };
        #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 processors")]
        let share = load / self.online.unwrap_or(self.allowed).max(1) as f64;
        let verdict = match share {
            0.5.. => Verdict::Warning,
            0.2.. => Verdict::Note,
            _ => Verdict::Good,
        };
        let state =
            format!("{load:.2} threads ran or waited for a disk, on average over the last minute");
        let finding = Finding::new(about, verdict, state, effect);
        if verdict == Verdict::Good {
            return finding;
        }
        finding
            .cure("ps -eo stat,pcpu,pid,comm --sort=-pcpu | head")
            .remark("this shows who it is; wait for them, or end them")
    }

    fn allowed(&self) -> Option<Finding> {
        let online = self.online?;
        let is_good = self.allowed >= online;
        let finding = Finding::new(
            (TOPIC, "processors"),
            good_or(Verdict::Note, is_good),
            format!("{} of {online} may be used", self.allowed),
            "threads of a run share the processors that it may use, and --cpus cannot name others",
        );
        Some(if is_good {
            finding
        } else {
            finding
                .cure(format!("taskset -cp 0-{} $$", online.saturating_sub(1)))
                .remark("this is for the shell and what it starts; a cpuset may refuse it")
        })
    }

    fn boost(&self, shell: Shell) -> Option<Finding> {
        let Boost { path, is_on, off } = self.boost?;
        let finding = Finding::new(
            (TOPIC, "turbo"),
            good_or(Verdict::Note, !is_on),
            if is_on { "on" } else { "off" },
            "the clock depends on how warm the processor is and how many cores work, so that \
             results of some minutes drift and depend on what ran before",
        );
        Some(if is_on { finding.cure(shell.write(off, &format!("/sys/{path}"))) } else { finding })
    }

    fn idle(&self, shell: Shell) -> Option<Finding> {
        let slowest = self.deep_states.iter().map(|(_, us)| *us).max()?;
        let files = self
            .deep_states
            .iter()
            .map(|(state, _)| format!("/sys/devices/system/cpu/cpu*/cpuidle/{state}/disable"));
        let finding = Finding::new(
            (TOPIC, "idle states"),
            Verdict::Note,
            format!("the deepest takes {slowest} µs to wake up from"),
            "a processor that waits for a device falls asleep, and the time that it takes to wake \
             up is part of the latency, above all at depth 1",
        );
        Some(finding.cure(shell.write("1", &files.collect::<Vec<_>>().join(" "))))
    }

    fn smt(&self, shell: Shell) -> Option<Finding> {
        let is_on = self.smt?;
        let finding = Finding::new(
            (TOPIC, "hyper-threading"),
            good_or(Verdict::Note, !is_on),
            if is_on { "two or more processors share a core" } else { "off, or there is none" },
            "threads on processors of one core slow each other down, so that it matters which \
             ones --cpus names",
        );
        Some(if is_on {
            finding.cure(shell.write("off", &format!("/sys/{SMT}"))).remark(
                "lscpu -e shows which processors share a core; naming one of each is enough",
            )
        } else {
            finding
        })
    }

    fn mitigations(&self) -> Option<Finding> {
        (self.mitigations > 0).then(|| {
            Finding::new(
                (TOPIC, "mitigations"),
                Verdict::Note,
                format!("against {} vulnerabilities of this processor", self.mitigations),
                "each makes system calls or interrupts slower, most for engines that make a call \
                 per request, so compare only machines that have the same",
            )
            .remark(
                "mitigations=off on the kernel's command line takes them off, and the protection \
                 with them; grep . /sys/devices/system/cpu/vulnerabilities/* lists them",
            )
        })
    }
}

/// How many numbers `0-3,8` stands for.
fn count_of(ranges: &str) -> Option<usize> {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(last.checked_sub(first)? + 1)
    };
    ranges.split(',').map(count).sum()
}

fn boost(roots: &Roots) -> Option<Boost> {
    let known = [
        ("devices/system/cpu/intel_pstate/no_turbo", "0", "1"),
        ("devices/system/cpu/cpufreq/boost", "1", "0"),
    ];
    known.into_iter().find_map(|(path, on, off)| {
        let text = roots.in_sys(path)?;
        Some(Boost { path, is_on: text == on, off })
    })
}

fn mitigations(roots: &Roots) -> usize {
    let folder = roots.sys.join(CPUS).join("vulnerabilities");
    let texts =
        names(&folder).into_iter().filter_map(|name| super::roots::text(&folder.join(name)));
    texts.filter(|text| text.contains("Mitigation")).count()
}

/// States that are not switched off, of the first processor: the others have the same.
fn deep_states(roots: &Roots) -> Vec<(String, u64)> {
    let folder = roots.sys.join(CPUS).join("cpu0/cpuidle");
    let states = names(&folder).into_iter().filter_map(|name| {
        let latency_us = number(&folder.join(&name).join("latency"))?;
        let is_off = number(&folder.join(&name).join("disable")).is_some_and(|value| value != 0);
        (latency_us >= SLOW_TO_WAKE_US && !is_off).then_some((name, latency_us))
    });
    states.collect()
}

#[cfg(test)]
mod tests;
