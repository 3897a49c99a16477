//! Whether the machine was held back: by heat, or by a limit on its processor's time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::cgroup;
use super::watch::read_again;

/// The most that is read of a file of counters.
const TEXT_BYTES_MAX: usize = 1024;

/// Counters that are open to be read.
#[derive(Debug, Default)]
pub(crate) struct Throttling {
    /// How often a core or package was slowed down because it was too hot.
    thermal: Vec<File>,
    /// `cpu.stat` of our control group and those that it lies in.
    cpu: Vec<File>,
}

/// How often something was held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Throttled {
    /// A processor, by heat.
    pub thermal: u64,
    /// Our control group, because its processor time was used up.
    pub cpu: u64,
}

impl Throttled {
    /// What happened from `earlier` to this reading.
    pub(crate) fn since(self, earlier: &Self) -> Self {
        Self {
            thermal: self.thermal.saturating_sub(earlier.thermal),
            cpu: self.cpu.saturating_sub(earlier.cpu),
        }
    }
}

impl Throttling {
    /// Opens what there is; nothing where the machine does not tell.
    pub(crate) fn open(sys: &Path) -> Self {
        let files = |paths: Vec<PathBuf>| -> Vec<File> {
            paths.into_iter().filter_map(|path| File::open(path).ok()).collect()
        };
        let cpu = cgroup::folders("cpu").into_iter().map(|folder| folder.join("cpu.stat"));
        Self { thermal: files(thermal_counters(sys)), cpu: files(cpu.collect()) }
    }

    /// Reads all of them.
    pub(crate) fn read(&self) -> Throttled {
        Throttled {
            thermal: self.thermal.iter().filter_map(|file| count(file, |text| Some(text))).sum(),
            cpu: self.cpu.iter().filter_map(|file| count(file, nr_throttled)).sum(),
        }
    }
}

/// The counters of every processor, of its core and of its package.
fn thermal_counters(sys: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(sys.join("devices/system/cpu")) else { return Vec::new() };
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path().join("thermal_throttle")));
    let existing = folders.filter(|folder| folder.is_dir());
    let both = ["core_throttle_count", "package_throttle_count"];
    existing.flat_map(|folder| both.map(|name| folder.join(name))).collect()
}

/// Whether the drive behind this block device raises an alarm about its temperature, as NVMe drives
/// do by themselves. To ask is a command to the drive.
pub(super) fn is_hot(sys: &Path, number: &str) -> bool {
    let drive = sys.join("dev/block").join(number).join("device");
    // The monitor lies below the controller, which with several paths lies below the subsystem.
    let names = |folder: &Path, prefix: &str| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let fits = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(prefix);
        entries.filter_map(Result::ok).filter(fits).map(|entry| entry.path()).collect()
    };
    let mut controllers = names(&drive, "nvme");
    controllers.extend([drive.join("hwmon"), drive]);
    let monitors = controllers.iter().flat_map(|controller| names(controller, "hwmon"));
    monitors.flat_map(|monitor| names(&monitor, "temp")).any(|path| {
        let is_alarm = path.to_string_lossy().ends_with("_alarm");
        is_alarm && fs::read_to_string(path).is_ok_and(|text| text.trim() == "1")
    })
}

fn count(file: &File, find: impl Fn(&str) -> Option<&str>) -> Option<u64> {
    let mut text = [0; TEXT_BYTES_MAX];
    find(read_again(file, &mut text)?)?.trim().parse().ok()
}

/// The field of `cpu.stat`, which both versions of control groups call the same.
fn nr_throttled(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("nr_throttled "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_of_all_processors_are_added_and_what_is_missing_is_none() {
        let sys = tempfile::tempdir().unwrap();
        let cpus = sys.path().join("devices/system/cpu");
        for (cpu, core, package) in [("cpu0", "3", "10"), ("cpu1", "4", "10")] {
            let folder = cpus.join(cpu).join("thermal_throttle");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("core_throttle_count"), format!("{core}\n")).unwrap();
            fs::write(folder.join("package_throttle_count"), format!("{package}\n")).unwrap();
        }
        fs::create_dir_all(cpus.join("cpufreq")).unwrap();
        let open = Throttling { cpu: Vec::new(), ..Throttling::open(sys.path()) };
        let before = open.read();
        assert_eq!(before, Throttled { thermal: 27, cpu: 0 });
        fs::write(cpus.join("cpu1/thermal_throttle/core_throttle_count"), "6\n").unwrap();
        assert_eq!(open.read().since(&before), Throttled { thermal: 2, cpu: 0 });
        let nothing = Throttling { cpu: Vec::new(), ..Throttling::open(Path::new("/nowhere")) };
        assert_eq!(nothing.read(), Throttled::default());
    }

    #[test]
    fn a_drive_that_raises_its_alarm_is_hot() {
        for below in ["device/hwmon3", "device/hwmon/hwmon3", "device/nvme1/hwmon3"] {
            let sys = tempfile::tempdir().unwrap();
            let monitor = sys.path().join("dev/block/259:0").join(below);
            fs::create_dir_all(&monitor).unwrap();
            fs::write(monitor.join("temp1_input"), "1\n").unwrap();
            assert!(!is_hot(sys.path(), "259:0"), "{below}");
            fs::write(monitor.join("temp1_alarm"), "0\n").unwrap();
            assert!(!is_hot(sys.path(), "259:0"), "{below}");
            fs::write(monitor.join("temp1_alarm"), "1\n").unwrap();
            assert!(is_hot(sys.path(), "259:0"), "{below}");
            assert!(!is_hot(sys.path(), "259:1"));
        }
    }

    #[test]
    fn cpu_stat_of_both_versions_is_read() {
        let first = "nr_periods 9\nnr_throttled 4\nthrottled_time 5\n";
        let second = "usage_usec 1\nnr_periods 9\nnr_throttled 7\nthrottled_usec 2\n";
        assert_eq!(nr_throttled(first), Some("4"));
        assert_eq!(nr_throttled(second), Some("7"));
        assert_eq!(nr_throttled("usage_usec 1\n"), None);
    }
}
