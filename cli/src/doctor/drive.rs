//! What a drive, or what stands for one, does to a measurement.

use std::path::Path;

use super::device::{Device, IoLimit};
use super::finding::Topic::Device as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::shell::{Shell, quoted};
use super::words::bytes;

impl Device {
    /// What is to be said of it, apart from its queue.
    pub(super) fn of_drive(&self, shell: Shell) -> Vec<Finding> {
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
        findings.extend(self.write_cache());
        findings
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
}
