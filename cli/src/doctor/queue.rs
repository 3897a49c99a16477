//! What a block device and its queue do to a measurement.

use std::path::Path;

use super::device::{Device, IoLimit};
use super::finding::Topic::Device as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::shell::{Shell, quoted};
use super::words::bytes;

/// Fewer requests than the default depth.
const FEW_REQUESTS: u32 = 32;
/// Drivers that have no limit say some number as large as this.
const NO_LIMIT_KIB: u64 = 1 << 20;
/// The default block size.
const BLOCK_KIB: u64 = 1024;

impl Device {
    /// What is to be said of it.
    pub(crate) fn findings(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = vec![self.what_it_is()];
        findings.extend(self.built_upon());
        findings.extend(self.loop_file(shell));
        findings.extend(self.array(shell));
        findings.extend(self.limits.iter().map(|limit| self.limit(limit, shell)));
        findings.extend(self.read_only(shell));
        findings.extend(self.zoned());
        findings.extend(self.link());
        findings.extend(self.partition());
        findings.extend(self.blocks());
        findings.extend(self.rotational());
        // A device that only passes requests on has a queue in name only.
        if self.storage.built_upon.is_empty() {
            findings.extend(self.scheduler(shell));
            findings.extend(self.requests(shell));
            findings.extend(self.longest(shell));
            findings.extend(self.merges(shell));
            findings.extend(self.write_back(shell));
        }
        findings.extend(self.polling(shell));
        findings.extend(self.write_cache());
        findings.extend(self.read_ahead(shell));
        findings
    }

    fn about(&self, what: &str) -> (super::finding::Topic, String) {
        (TOPIC, format!("{what} of {}", self.disk))
    }

    fn file(&self, name: &str) -> String {
        format!("/sys/block/{}/queue/{name}", self.disk.replace('/', "!"))
    }

    fn what_it_is(&self) -> Finding {
        let storage = &self.storage;
        let parts = [
            storage.model.clone(),
            storage.transport.clone(),
            storage.size_bytes.map(bytes),
            storage.partition_of.as_ref().map(|disk| format!("a partition of {disk}")),
        ];
        let state = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let state = if state.is_empty() { "sysfs says no more of it".into() } else { state };
        let effect = "results hold for this device, and name it";
        Finding::new((TOPIC, storage.name.clone()), Verdict::Good, state, effect)
    }

    fn built_upon(&self) -> Option<Finding> {
        let below = &self.storage.built_upon;
        let names = below.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
        if self.is_encrypted {
            let state = format!("what goes to {names} is encrypted");
            let effect = "each byte costs processor time in threads of the kernel, which the CPU \
                          figures of a run do not count";
            return Some(Finding::new(self.about("encryption"), Verdict::Note, state, effect));
        }
        let effect = "numbers are those of all layers together, and one request to it may become \
                      several below";
        let state = format!("built upon {names}");
        (!below.is_empty())
            .then(|| Finding::new(self.about("layers"), Verdict::Note, state, effect))
    }

    fn loop_file(&self, shell: Shell) -> Option<Finding> {
        let file = self.storage.backing_file.as_ref()?;
        let is_direct = self.storage.backing_is_direct == Some(true);
        let how = if is_direct { "directly" } else { "through the page cache" };
        let finding = Finding::new(
            self.about("file"),
            good_or(Verdict::Warning, is_direct),
            format!("it shows {file}, {how}"),
            "through the page cache, reads are answered from memory and writes end there, whatever \
             is asked of the loop device",
        );
        let finding =
            finding.remark(format!("what is below it: aio doctor {}", quoted(Path::new(file))));
        let cure = format!("losetup --direct-io=on /dev/{}", self.disk);
        Some(if is_direct { finding } else { finding.cure(shell.as_root(cure)) })
    }

    fn array(&self, shell: Shell) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(action) = &self.rebuilds {
            let effect = "the array reads and writes its members beside the run, which takes from \
                          what is measured";
            let state = format!("{action} is going on");
            let file = format!("/sys/block/{}/md/sync_action", self.disk);
            findings.push(
                Finding::new(self.about("array"), Verdict::Warning, state, effect)
                    .cure(shell.write("idle", &file))
                    .remark("this puts it off; waiting for its end is better (cat /proc/mdstat)"),
            );
        }
        if self.missing_members > 0 {
            let state = format!("{} of its members missing", self.missing_members);
            let effect = "what the missing ones held is worked out from the others at each read";
            findings.push(Finding::new(self.about("members"), Verdict::Warning, state, effect));
        }
        findings
    }

    fn limit(&self, limit: &IoLimit, shell: Shell) -> Finding {
        let IoLimit { line, file } = limit;
        let is_second = file.ends_with("io.max");
        let numbers = "rbps=max wbps=max riops=max wiops=max";
        let effect = "the control group holds requests back to keep to it, so that the limit is \
                      measured and not the device";
        let state = format!("{line}, by {}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let finding = Finding::new(self.about(&name), Verdict::Warning, state, effect);
        let Some(number) = &self.number else { return finding };
        let text = if is_second { format!("{number} {numbers}") } else { format!("{number} 0") };
        finding.cure(shell.write(&text, &quoted(file)))
    }

    fn read_only(&self, shell: Shell) -> Option<Finding> {
        let name = &self.storage.name;
        self.is_read_only.then(|| {
            let effect = "it can be read, and a run that writes it is refused";
            Finding::new((TOPIC, format!("writing to {name}")), Verdict::Note, "read-only", effect)
                .cure(shell.as_root(format!("blockdev --setrw /dev/{name}")))
        })
    }

    fn zoned(&self) -> Option<Finding> {
        let zoned = self.zoned.as_ref().filter(|zoned| *zoned != "none")?;
        let effect = "its zones are written from front to end only, so that random writes fail or \
                      are slow";
        Some(Finding::new(self.about("zones"), Verdict::Warning, zoned, effect))
    }

    fn link(&self) -> Option<Finding> {
        let (now, best) = self.link.as_ref()?;
        let is_best = now.transfers()? >= best.transfers()?;
        let state = format!("{} lanes at {}", now.width, now.speed);
        let state = if is_best {
            state
        } else {
            format!("{state}; the drive could have {} at {}", best.width, best.speed)
        };
        let effect = "no more can go to the drive and from it than the link carries";
        let finding =
            Finding::new(self.about("link"), good_or(Verdict::Warning, is_best), state, effect);
        Some(if is_best {
            finding
        } else {
            finding.remark("another slot, or a setting of the firmware, may give the rest")
        })
    }

    fn partition(&self) -> Option<Finding> {
        let start = self.start_bytes?;
        let block = u64::from(self.storage.physical_block_bytes.unwrap_or(512)).max(4096);
        let is_aligned = start.is_multiple_of(block);
        let finding = Finding::new(
            (TOPIC, format!("begin of {}", self.storage.name)),
            good_or(Verdict::Warning, is_aligned),
            format!("at byte {start}"),
            format!(
                "where that is no multiple of {block}, each block lies across two of the drive's, \
                 which has to read both to write one"
            ),
        );
        Some(if is_aligned {
            finding
        } else {
            finding.remark(
                "a partition that is made anew with parted -a optimal begins right; that loses \
                 what is on it",
            )
        })
    }

    fn blocks(&self) -> Option<Finding> {
        let logical = self.storage.logical_block_bytes?;
        let physical = self.storage.physical_block_bytes?.max(logical);
        let state = format!("{logical} bytes, {physical} in the drive");
        Some(Finding::new(
            self.about("blocks"),
            good_or(Verdict::Note, logical == physical || logical >= 4096),
            state,
            format!(
                "direct I/O is in multiples of the first, and a write that is no multiple of the \
                 second makes the drive read before it writes: use a --block-size that is one of \
                 {physical}"
            ),
        ))
    }

    fn rotational(&self) -> Option<Finding> {
        self.storage.is_rotational.filter(|is_rotational| *is_rotational).map(|_| {
            let state = "the kernel takes it for a disk with moving heads";
            let effect = "random requests wait for the head, some ms each, and the outer tracks \
                          are faster than the inner ones";
            Finding::new(self.about("heads"), Verdict::Note, state, effect)
                .remark("virtual drives are often taken for such disks without being one")
        })
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

    fn write_cache(&self) -> Option<Finding> {
        let cache = self.storage.write_cache.as_ref()?;
        let is_through = cache == "write through";
        let finding = Finding::new(
            self.about("write cache"),
            good_or(Verdict::Note, is_through),
            cache,
            "with write back, a write ends when it is in the drive's cache, which power failure \
             may empty, and a long run is slower than a short one that fits the cache",
        );
        Some(if is_through {
            finding
        } else {
            finding.remark("add --end-fsync or --fdatasync N to measure what is durable")
        })
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
