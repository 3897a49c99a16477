//! The settings of one job, taken one by one, so that none is passed over in silence.

use super::ini::{Section, Setting};
use super::{Manner, Remarks};
use crate::args::nearest;
use crate::ending::Failure;
use crate::jobs::Place;

/// Every name that aio knows, for suggestions.
pub(super) const NAMES: [&str; 53] = [
    "blocksize",
    "bs",
    "bssplit",
    "buffer_compress_percentage",
    "buffered",
    "description",
    "direct",
    "directory",
    "end_fsync",
    "fdatasync",
    "filename",
    "fixedbufs",
    "fsync",
    "group_reporting",
    "hipri",
    "invalidate",
    "io_limit",
    "io_size",
    "iodepth",
    "iodepth_batch",
    "iodepth_batch_complete",
    "iodepth_batch_complete_min",
    "iodepth_batch_submit",
    "ioengine",
    "loops",
    "name",
    "new_group",
    "norandommap",
    "number_ios",
    "numjobs",
    "allrandrepeat",
    "offset",
    "ramp_time",
    "random_distribution",
    "randrepeat",
    "randseed",
    "rate_iops",
    "rate_process",
    "readwrite",
    "registerfiles",
    "runtime",
    "rw",
    "rwmixread",
    "rwmixwrite",
    "size",
    "sqthread_poll",
    "stonewall",
    "thread",
    "time_based",
    "timeout",
    "unlink",
    "verify",
    "wait_for_previous",
];

/// What is left of the settings of a job.
#[derive(Debug)]
pub(super) struct Settings<'s> {
    left: Vec<&'s Setting>,
    place: &'s Place,
    manner: Manner,
    pub(super) remarks: &'s mut Remarks,
}

impl<'s> Settings<'s> {
    /// All those of `section`.
    pub(super) fn of(section: &'s Section, manner: Manner, remarks: &'s mut Remarks) -> Self {
        let left = section.settings.iter().collect();
        Self { left, place: &section.place, manner, remarks }
    }

    /// How the file is taken.
    pub(super) fn manner(&self) -> Manner {
        self.manner
    }

    /// Where the job begins.
    pub(super) fn place(&self) -> &'s Place {
        self.place
    }

    /// Takes the last setting that goes by one of `names`; it is the one that counts.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<&'s Setting> {
        let of_it = |setting: &&Setting| names.contains(&setting.key.as_str());
        let last = self.left.iter().rfind(|setting| of_it(setting)).copied();
        self.left.retain(|setting| !of_it(setting));
        last
    }

    /// Takes what must not be there, unless `--lenient` has it left out.
    pub(super) fn ignore(&mut self, place: &Place, sentence: &str) -> Result<(), Failure> {
        if !self.manner.is_lenient {
            return Err(place.refuse(format_args!("{sentence}; --lenient goes on without it")));
        }
        let line = format!("{place}: {sentence}; ignored");
        // What a global section says comes by once for each job.
        if !self.remarks.ignored.contains(&line) {
            self.remarks.ignored.push(line);
        }
        Ok(())
    }

    /// Notes how something differs from fio.
    pub(super) fn note(&mut self, place: &Place, sentence: &str) {
        let line = format!("{place}: {sentence}");
        if !self.remarks.notes.contains(&line) {
            self.remarks.notes.push(line);
        }
    }

    /// Refuses, or leaves out, whatever nobody has taken.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        for setting in std::mem::take(&mut self.left) {
            let key = &setting.key;
            let unknown = format!("aio does not have fio's option {key:?}");
            let near = nearest(&key.to_lowercase().replace('-', "_"), NAMES.into_iter());
            let sentence = match near.filter(|near| near != key) {
                Some(near) => format!("{unknown} (did you mean {near}?)"),
                None => unknown,
            };
            self.ignore(&setting.place, &sentence)?;
        }
        Ok(())
    }
}
