//! Tasklets that share a folder or a device, as one.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nullable::null_as_default;
use super::{Latency, LatencyHistogram, TaskletReport, gib_per_s, requests_per_s};

/// What tasklets have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// The folder that their files are in.
    Folder,
    /// The device that their files are on, or that they are.
    Device,
}

/// What tasklets did that share a folder or a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupReport {
    /// What they share.
    pub by: GroupKind,
    /// The folder's path, or the device's major:minor number.
    pub name: String,
    /// Tasklets in it.
    pub tasklets_count: u32,
    /// Bytes moved in the loops that count.
    pub bytes: u64,
    /// Requests completed in the loops that count.
    pub requests: u64,
    /// Largest task time of a tasklet in it, in seconds.
    pub task_latency_s: f64,
    /// `bytes / task_latency_s`, in GiB (2^30 bytes) per second.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Option<f64>")]
    pub task_speed_gib_per_s: f64,
    /// `requests / task_latency_s`.
    pub requests_per_s: f64,
    /// Latency of their requests.
    pub request_latency: Latency,
}

/// The groups of `tasklets` by folder, and by device, each in the order of its first tasklet. None
/// where all have the same: that group would be all of them.
#[must_use]
pub fn groups(tasklets: &[TaskletReport]) -> Vec<GroupReport> {
    let mut groups = of_kind(GroupKind::Folder, tasklets, |one| {
        Path::new(&one.path).parent().map(|folder| folder.to_string_lossy().into_owned())
    });
    groups.extend(of_kind(GroupKind::Device, tasklets, |one| one.device.clone()));
    groups
}

fn of_kind(
    by: GroupKind,
    tasklets: &[TaskletReport],
    name_of: impl Fn(&TaskletReport) -> Option<String>,
) -> Vec<GroupReport> {
    let mut members: Vec<(String, Vec<&TaskletReport>)> = Vec::new();
    for tasklet in tasklets {
        // One that is nowhere known leaves open what the others are a part of.
        let Some(name) = name_of(tasklet) else { return Vec::new() };
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, those)) => those.push(tasklet),
            None => members.push((name, vec![tasklet])),
        }
    }
    if members.len() < 2 {
        return Vec::new();
    }
    members.into_iter().map(|(name, those)| group(by, name, &those)).collect()
}

fn group(by: GroupKind, name: String, those: &[&TaskletReport]) -> GroupReport {
    let mut histogram = LatencyHistogram::default();
    for one in those {
        histogram.merge(&one.histogram);
    }
    let bytes = those.iter().map(|one| one.bytes).sum();
    let requests = those.iter().map(|one| one.requests).sum();
    let task_latency_s = those.iter().map(|one| one.task_latency_s).fold(0.0, f64::max);
    GroupReport {
        by,
        name,
        tasklets_count: u32::try_from(those.len()).unwrap_or(u32::MAX),
        bytes,
        requests,
        task_latency_s,
        task_speed_gib_per_s: gib_per_s(bytes, task_latency_s),
        requests_per_s: requests_per_s(requests, task_latency_s),
        request_latency: histogram.summary(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasklet(path: &str, device: Option<&str>, requests: u64, seconds: f64) -> TaskletReport {
        let mut histogram = LatencyHistogram::default();
        (0..requests).for_each(|_| histogram.record(1000));
        TaskletReport {
            path: path.into(),
            device: device.map(Into::into),
            requests,
            bytes: requests << 20,
            task_latency_s: seconds,
            histogram,
            ..TaskletReport::default()
        }
    }

    fn names(groups: &[GroupReport]) -> Vec<(GroupKind, &str)> {
        groups.iter().map(|one| (one.by, one.name.as_str())).collect()
    }

    #[test]
    fn tasklets_of_one_folder_and_device_are_no_groups() {
        let alike =
            [tasklet("/a/f.0", Some("8:1"), 1, 1.0), tasklet("/a/f.1", Some("8:1"), 1, 1.0)];
        assert_eq!(groups(&alike), []);
        assert_eq!(groups(&[]), []);
    }

    #[test]
    fn folders_and_devices_are_told_apart_by_themselves() {
        let tasklets = [
            tasklet("/a/f.0", Some("8:1"), 1024, 1.0),
            tasklet("/b/f.1", Some("8:1"), 1024, 2.0),
            tasklet("/b/f.2", Some("8:1"), 1024, 4.0),
        ];
        let made = groups(&tasklets);
        assert_eq!(names(&made), [(GroupKind::Folder, "/a"), (GroupKind::Folder, "/b")]);
        let second = &made[1];
        assert_eq!((second.tasklets_count, second.requests), (2, 2048));
        assert!((second.task_speed_gib_per_s - 0.5).abs() < 1e-9, "2 GiB in 4 s");
        assert!((second.requests_per_s - 512.0).abs() < 1e-9);
        assert_eq!(second.request_latency.p99_9_ns, Some(1000), "of both tasklets' requests");
        let disks =
            [tasklet("/dev/x", Some("8:0"), 1, 1.0), tasklet("/dev/y", Some("8:16"), 1, 1.0)];
        assert_eq!(
            names(&groups(&disks)),
            [(GroupKind::Device, "8:0"), (GroupKind::Device, "8:16")]
        );
    }

    #[test]
    fn a_device_that_is_not_known_leaves_no_groups_of_devices() {
        let tasklets = [tasklet("/a/f", Some("8:0"), 1, 1.0), tasklet("/b/f", None, 1, 1.0)];
        assert_eq!(
            names(&groups(&tasklets)),
            [(GroupKind::Folder, "/a"), (GroupKind::Folder, "/b")]
        );
    }
}
