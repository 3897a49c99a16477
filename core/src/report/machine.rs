//! Where a run took place.

use std::{fs, thread};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The kernel's release: `6.18.0`.
    pub kernel: String,
    /// The architecture: `x86_64`.
    pub architecture: String,
    /// The processor's model, when `/proc/cpuinfo` tells.
    pub cpu_model: Option<String>,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// Memory in bytes, when `/proc/meminfo` tells.
    pub memory_bytes: Option<u64>,
}

impl Machine {
    /// Looks at this machine. What cannot be read is left out.
    #[must_use]
    pub fn look() -> Self {
        let name = nix::sys::utsname::uname().ok();
        let text = |value: &std::ffi::OsStr| value.to_string_lossy().into_owned();
        Self {
            kernel: name.as_ref().map_or_else(|| "unknown".into(), |name| text(name.release())),
            architecture: std::env::consts::ARCH.into(),
            cpu_model: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_model(&text)),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_bytes("MemTotal"),
        }
    }
}

/// The line `name` of `/proc/meminfo`, in bytes.
#[must_use]
pub fn memory_bytes(name: &str) -> Option<u64> {
    memory_in(&fs::read_to_string("/proc/meminfo").ok()?, name)
}

/// The line `name` of `/proc/meminfo` that counts pages.
pub(crate) fn memory_pages(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    memory_line(&text, name)?.parse().ok()
}

fn memory_in(meminfo: &str, name: &str) -> Option<u64> {
    let kib: u64 = memory_line(meminfo, name)?.strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn memory_line<'a>(meminfo: &'a str, name: &str) -> Option<&'a str> {
    meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fuzz_text;

    #[test]
    fn fuzzed_lines_about_the_machine_are_read_or_left_out() {
        let corpus = [
            "MemTotal:       24689664 kB\nMemFree:        23932712 kB\nHugePages_Total:       0\n",
            "processor\t: 0\nmodel name\t: A Fast One\nflags\t: x\n",
        ];
        let words = ["MemTotal:", "model name", " kB", ":", "\n"];
        fuzz_text("lines about the machine", &corpus, &words, |text| {
            format!("{} {}", memory_in(text, "MemTotal").is_some(), cpu_model(text).is_some())
        });
        assert_eq!(memory_in("MemTotal: 18446744073709551615 kB", "MemTotal"), None, "no overflow");
    }

    #[test]
    fn the_processor_is_read_from_its_line() {
        let text = "processor\t: 0\nmodel name\t: A Fast One\nflags\t: x\n";
        assert_eq!(cpu_model(text).as_deref(), Some("A Fast One"));
        assert_eq!(cpu_model("Features : x"), None);
    }
}
