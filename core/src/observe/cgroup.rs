//! The control groups that this process is in, of both versions of their interface.

use std::fs;
use std::path::{Path, PathBuf};

/// A limit that a control group sets to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IoLimit {
    /// The device's `major:minor`.
    pub number: String,
    pub reads: bool,
    pub writes: bool,
}

/// A mounted hierarchy of control groups.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    /// The controllers of version 1; `None` for version 2, which has all that are left.
    controllers: Option<Vec<String>>,
    /// What of it is mounted.
    root: PathBuf,
    mounted_at: PathBuf,
}

/// The folders of our control group and those that it lies in, in every hierarchy that may have
/// `controller`, such as `cpu`; ours first.
#[must_use]
pub fn folders(controller: &str) -> Vec<PathBuf> {
    let ours = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    folders_in(&ours, &hierarchies(), controller)
}

fn hierarchies() -> Vec<Hierarchy> {
    let read = procfs::process::Process::myself().and_then(|process| process.mountinfo());
    let mounts = read.map(|mounts| mounts.0).unwrap_or_default();
    let hierarchy = |mount: procfs::process::MountInfo| {
        let controllers = match mount.fs_type.as_str() {
            "cgroup2" => None,
            "cgroup" => Some(mount.super_options.into_keys().collect()),
            _ => return None,
        };
        Some(Hierarchy { controllers, root: mount.root.into(), mounted_at: mount.mount_point })
    };
    mounts.into_iter().filter_map(hierarchy).collect()
}

/// As [`folders`], with the text of `/proc/self/cgroup`.
fn folders_in(ours: &str, hierarchies: &[Hierarchy], controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in ours.lines() {
        // `0::/path` of version 2, `4:cpu,cpuacct:/path` of version 1.
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let is_second = controllers.is_empty();
        if !is_second && !controllers.split(',').any(|one| one == controller) {
            continue;
        }
        let fits = |one: &&Hierarchy| match &one.controllers {
            None => is_second,
            Some(names) => !is_second && names.iter().any(|name| name == controller),
        };
        let Some(hierarchy) = hierarchies.iter().find(fits) else { continue };
        let Ok(below) = Path::new(path).strip_prefix(&hierarchy.root) else { continue };
        folders.extend(below.ancestors().map(|part| hierarchy.mounted_at.join(part)));
    }
    folders
}

/// Limits that our control groups set to one of these devices.
pub(crate) fn io_limits(numbers: &[String]) -> Vec<IoLimit> {
    let mut limits = Vec::new();
    let mut add = |text: &str, find: &dyn Fn(&str) -> Option<IoLimit>| {
        let of_ours = text.lines().filter_map(find).filter(|one| numbers.contains(&one.number));
        limits.extend(of_ours);
    };
    for folder in folders("io") {
        if let Ok(text) = fs::read_to_string(folder.join("io.max")) {
            add(&text, &second_limit);
        }
    }
    for folder in folders("blkio") {
        for (way, reads) in [("read", true), ("write", false)] {
            for unit in ["bps", "iops"] {
                let name = format!("blkio.throttle.{way}_{unit}_device");
                if let Ok(text) = fs::read_to_string(folder.join(name)) {
                    add(&text, &|line| first_limit(line, reads));
                }
            }
        }
    }
    limits
}

/// A line of `io.max`: `8:16 rbps=2097152 wbps=max riops=max wiops=120`.
fn second_limit(line: &str) -> Option<IoLimit> {
    let (number, limits) = line.split_once(' ')?;
    let is_set = |prefix: &str| {
        let of_way = limits.split_ascii_whitespace().filter(|one| one.starts_with(prefix));
        of_way.filter_map(|one| one.split_once('=')).any(|(_, value)| value != "max")
    };
    let (reads, writes) = (is_set("r"), is_set("w"));
    (reads || writes).then(|| IoLimit { number: number.into(), reads, writes })
}

/// A line of `blkio.throttle.read_bps_device`: `8:16 1048576`.
fn first_limit(line: &str, reads: bool) -> Option<IoLimit> {
    let (number, limit) = line.split_once(' ')?;
    let is_set = limit.trim().parse::<u64>().is_ok_and(|limit| limit > 0);
    is_set.then(|| IoLimit { number: number.into(), reads, writes: !reads })
}

/// The memory that our control groups leave us, page cache included; `None` without a limit.
pub(crate) fn memory_limit_bytes() -> Option<u64> {
    let limits = folders("memory").into_iter().flat_map(|folder| {
        ["memory.max", "memory.limit_in_bytes"].map(|name| fs::read_to_string(folder.join(name)))
    });
    // `max`, or a number near 2^63, stand for no limit.
    let numbers = limits.filter_map(|text| text.ok()?.trim().parse::<u64>().ok());
    numbers.filter(|bytes| *bytes < 1 << 62).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(controllers: Option<&[&str]>, root: &str, at: &str) -> Hierarchy {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Hierarchy { controllers: controllers.map(names), root: root.into(), mounted_at: at.into() }
    }

    #[test]
    fn the_group_and_those_above_it_are_found_in_both_versions() {
        let mounts = [
            hierarchy(Some(&["rw", "cpu", "cpuacct"]), "/", "/c/cpu"),
            hierarchy(Some(&["rw", "memory"]), "/docker/1", "/c/memory"),
            hierarchy(None, "/", "/c/unified"),
        ];
        let ours = "4:cpu,cpuacct:/a/b\n3:memory:/docker/1/x\n0::/u\n";
        let found = |controller| {
            let folders = folders_in(ours, &mounts, controller);
            let texts: Vec<_> = folders.iter().map(|path| path.to_str().unwrap()).collect();
            texts.join(" ")
        };
        assert_eq!(found("cpu"), "/c/cpu/a/b /c/cpu/a /c/cpu/ /c/unified/u /c/unified/");
        assert_eq!(found("memory"), "/c/memory/x /c/memory/ /c/unified/u /c/unified/");
        assert_eq!(found("blkio"), "/c/unified/u /c/unified/");
        assert_eq!(folders_in("nonsense", &mounts, "cpu"), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn limits_are_told_by_their_direction_and_none_is_no_limit() {
        let limit = |line| second_limit(line).map(|one| (one.number, one.reads, one.writes));
        let line = "8:16 rbps=2097152 wbps=max riops=max wiops=max";
        assert_eq!(limit(line), Some(("8:16".into(), true, false)));
        let line = "8:16 rbps=max wbps=max riops=max wiops=120";
        assert_eq!(limit(line), Some(("8:16".into(), false, true)));
        assert_eq!(limit("8:16 rbps=max wbps=max riops=max wiops=max"), None);
        assert!(first_limit("7:0 500", true).is_some_and(|one| one.reads && !one.writes));
        assert_eq!(first_limit("7:0 0", false), None);
        assert_eq!(first_limit("", true), None);
    }
}
