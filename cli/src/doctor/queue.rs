//! What a block device's queue in the kernel does to a measurement.

use super::device::Device;
use super::finding::{Finding, Topic, Verdict, good_or};
use super::shell::Shell;

/// Fewer requests than the default depth.
const FEW_REQUESTS: u32 = 32;
/// Drivers that have no limit say some number as large as this.
const NO_LIMIT_KIB: u64 = 1 << 20;
/// The default block size.
const BLOCK_KIB: u64 = 1024;

impl Device {
    /// What is to be said of it.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = self.of_drive(shell);
        // A device that only passes requests on has a queue in name only.
        if self.storage.built_upon.is_empty() {
            findings.extend(self.scheduler(shell));
            findings.extend(self.requests(shell));
            findings.extend(self.longest(shell));
            findings.extend(self.merges(shell));
            findings.extend(self.write_back(shell));
        }
        findings.extend(self.polling(shell));
        findings.extend(self.read_ahead(shell));
        findings
    }

    /// What a finding about `what` of the disk is called.
    pub(super) fn about(&self, what: &str) -> (Topic, String) {
        (Topic::Device, format!("{what} of {}", self.disk))
    }

    fn file(&self, name: &str) -> String {
        format!("/sys/block/{}/queue/{name}", self.disk.replace('/', "!"))
    }

    fn scheduler(&self, shell: Shell) -> Option<Finding> {
        let scheduler = self.storage.scheduler.as_ref()?;
        let verdict = match scheduler.as_str() {
            "none" => Verdict::Good,
            "bfq" => Verdict::Warning,
            _ => Verdict::Note,
        };
        let finding = Finding::new(
            self.about("scheduler"),
            verdict,
            scheduler,
            "a scheduler may hold requests back, sort and merge them, which costs processor time \
             for each; with none the drive gets them as they were asked for",
        );
        let has_none = self.schedulers.iter().any(|one| one == "none");
        Some(if verdict != Verdict::Good && has_none {
            finding.cure(shell.write("none", &self.file("scheduler")))
        } else {
            finding
        })
    }

    fn requests(&self, shell: Shell) -> Option<Finding> {
        let number = self.storage.nr_requests?;
        let is_enough = number >= FEW_REQUESTS;
        let finding = Finding::new(
            self.about("nr_requests"),
            good_or(Verdict::Warning, is_enough),
            number.to_string(),
            "each queue of the device has room for so many requests, and what a --queue-depth asks \
             for beyond that waits in front of it",
        );
        Some(if is_enough {
            finding
        } else {
            finding
                .cure(shell.write("128", &self.file("nr_requests")))
                .remark("a driver refuses more than its hardware has")
        })
    }

    fn longest(&self, shell: Shell) -> Option<Finding> {
        let now = self.max_kib?;
        let best = self.max_hw_kib.unwrap_or(now);
        let is_enough = now >= BLOCK_KIB;
        let finding = Finding::new(
            self.about("max_sectors_kb"),
            good_or(Verdict::Note, is_enough),
            if best >= NO_LIMIT_KIB {
                now.to_string()
            } else {
                format!("{now}, and {best} at most")
            },
            "a longer request is cut into several of this many KiB, which the kernel counts and \
             the drive sees; the default --block-size is 1024",
        );
        Some(if !is_enough && best > now {
            finding
                .cure(shell.write(&best.min(BLOCK_KIB).to_string(), &self.file("max_sectors_kb")))
        } else {
            finding
        })
    }

    fn merges(&self, shell: Shell) -> Option<Finding> {
        let number = self.nomerges?;
        let state = match number {
            0 => "0: requests that adjoin may be merged",
            1 => "1: only the simplest merges are made",
            _ => "2: requests are never merged",
        };
        let finding = Finding::new(
            self.about("nomerges"),
            good_or(Verdict::Note, number == 0),
            state,
            "merging makes one large request of small ones that adjoin, which is part of what a \
             sequential workload gets",
        );
        let cure = || shell.write("0", &self.file("nomerges"));
        Some(if number == 0 { finding } else { finding.cure(cure()) })
    }

    fn write_back(&self, shell: Shell) -> Option<Finding> {
        let us = self.wbt_us?;
        let is_off = us == 0;
        let finding = Finding::new(
            self.about("wbt_lat_usec"),
            good_or(Verdict::Note, is_off),
            if is_off { "0: off".into() } else { us.to_string() },
            "the kernel slows the writing back of buffered data down when reads take longer than \
             this many µs; direct I/O is not touched",
        );
        let cure = || shell.write("0", &self.file("wbt_lat_usec"));
        Some(if is_off { finding } else { finding.cure(cure()) })
    }

    fn polling(&self, shell: Shell) -> Option<Finding> {
        let has_some = self.has_poll_queues?;
        let finding = Finding::new(
            self.about("poll queues"),
            good_or(Verdict::Note, has_some),
            if has_some { "there are some" } else { "there are none" },
            "uring:iopoll asks the device for completions, which saves the interrupt, and needs \
             such queues",
        );
        if has_some {
            return Some(finding);
        }
        Some(match self.driver() {
            Some("nvme") => {
                let reload = format!(
                    "{} && {}",
                    shell.as_root("modprobe -r nvme"),
                    shell.as_root("modprobe nvme poll_queues=2")
                );
                finding.cure(reload).remark(
                    "this takes all NVMe drives away for a moment, and is refused while one of \
                     them is in use; for the drive that the system runs from, put \
                     nvme.poll_queues=2 on the kernel's command line and start anew",
                )
            }
            Some(driver) => finding.remark(format!(
                "put {driver}.poll_queues=2 on the kernel's command line and start anew"
            )),
            None => finding,
        })
    }

    /// The driver, where it is one that can be asked for queues to poll.
    fn driver(&self) -> Option<&'static str> {
        let is_numbered = |prefix: &str| {
            let rest = self.disk.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        match self.storage.transport.as_deref() {
            Some("nvme (pcie)") => Some("nvme"),
            Some("virtio") => Some("virtio_blk"),
            None if is_numbered("nvme") => Some("nvme"),
            _ => None,
        }
    }

    fn read_ahead(&self, shell: Shell) -> Option<Finding> {
        let kib = self.read_ahead_kib?;
        let is_usual = kib > 0;
        let finding = Finding::new(
            self.about("read_ahead_kb"),
            good_or(Verdict::Note, is_usual),
            kib.to_string(),
            "buffered reads in order are asked for so many KiB ahead, and wait for each block \
             where that is 0; direct I/O is not touched",
        );
        let cure = || shell.write("128", &self.file("read_ahead_kb"));
        Some(if is_usual { finding } else { finding.cure(cure()) })
    }
}

#[cfg(test)]
mod tests;
