//! How much is moved, how long, and how fast.

use super::{Flags, Shape};
use crate::ending::Failure;
use crate::fio_job::ini::Setting;
use crate::fio_job::options::Settings;
use crate::fio_job::units::{bytes, is_on, microseconds, number, value};
use crate::jobs::Place;

/// The options that end a job of fio's.
struct Ends<'s> {
    size: Option<(&'s Setting, u64)>,
    io_size: Option<(&'s Setting, u64)>,
    runtime: Option<(&'s Setting, u64)>,
    number_ios: Option<(&'s Setting, u64)>,
    is_time_based: Option<&'s Setting>,
}

type Read = fn(&Setting) -> Result<u64, Failure>;

/// Sets the range, what ends a pass over it, and the rate.
pub(super) fn ends(
    shape: Shape,
    settings: &mut Settings,
    flags: &mut Flags,
) -> Result<(), Failure> {
    // Nought is fio's word for none in all of these.
    let mut take = |names: &[&str], read: Read| {
        let Some(setting) = settings.take(names) else { return Ok(None) };
        let amount = read(setting)?;
        Ok::<_, Failure>((amount > 0).then_some((setting, amount)))
    };
    let mut ends = Ends {
        size: take(&["size"], bytes)?,
        io_size: take(&["io_size", "io_limit"], bytes)?,
        runtime: take(&["runtime", "timeout"], microseconds)?,
        number_ios: take(&["number_ios"], number)?,
        is_time_based: None,
    };
    let offset = take(&["offset"], bytes)?;
    let ramp = take(&["ramp_time"], microseconds)?;
    let loops = take(&["loops"], number)?;
    if let Some(setting) = settings.take(&["time_based"])
        && is_on(setting)?
    {
        ends.is_time_based = Some(setting);
    }
    if let Some((setting, size_bytes)) = ends.size {
        flags.set("size", shape.share("size", size_bytes, &setting.place)?, &setting.place);
    }
    if let Some((setting, offset_bytes)) = offset {
        flags.set("offset", offset_bytes, &setting.place);
    }
    if let Some((setting, us)) = ramp {
        flags.set("ramp-time", format!("{us}us"), &setting.place);
    }
    ends.limits(shape, settings.place(), flags)?;
    if let Some((setting, loops)) = loops.filter(|(_, loops)| *loops > 1) {
        let other = [ends.runtime, ends.io_size, ends.number_ios].into_iter().flatten().next();
        if let Some((other, _)) = other {
            return Err(setting.place.refuse(format_args!(
                "loops and {} together mean something else in aio, where each loop has its own end",
                other.key
            )));
        }
        flags.set("loops", loops, &setting.place);
    }
    rate(shape, settings, flags)
}

impl Ends<'_> {
    /// What ends a pass over the range.
    fn limits(&self, shape: Shape, job: &Place, flags: &mut Flags) -> Result<(), Failure> {
        if let Some((setting, us)) = self.runtime {
            flags.set("runtime", format!("{us}us"), &setting.place);
        }
        if let Some(time_based) = self.is_time_based {
            return self.only_time(&time_based.place);
        }
        if let Some((setting, count)) = self.number_ios {
            self.count(shape, setting, count, flags)?;
        }
        if let Some((setting, io_bytes)) = self.io_size {
            flags.set(
                "io-limit",
                shape.share("io_size", io_bytes, &setting.place)?,
                &setting.place,
            );
            return Ok(());
        }
        // fio's time is the longest that a job may take; aio's is how long it takes. And where
        // requests have several sizes, aio counts as many as there are of the largest.
        let (what, place) = match self.runtime {
            Some((runtime, _)) => (runtime.key.as_str(), &runtime.place),
            None if shape.has_sizes => ("bssplit", job),
            None => return Ok(()),
        };
        let Some((setting, size_bytes)) = self.size else {
            return Err(place.refuse(format_args!(
                "{what} needs size, because fio ends when it has been through the file; or add \
                 time_based, with runtime"
            )));
        };
        flags.set("io-limit", shape.share("size", size_bytes, &setting.place)?, place);
        Ok(())
    }

    fn only_time(&self, place: &Place) -> Result<(), Failure> {
        if self.runtime.is_none() {
            return Err(place.refuse("time_based needs runtime, which says how long"));
        }
        if let Some((other, _)) = [self.io_size, self.number_ios].into_iter().flatten().next() {
            return Err(place.refuse(format_args!("{} ends nothing with time_based", other.key)));
        }
        Ok(())
    }

    /// fio ends at the number of requests, or when it has been through its range if that is sooner.
    fn count(
        &self,
        shape: Shape,
        setting: &Setting,
        count: u64,
        flags: &mut Flags,
    ) -> Result<(), Failure> {
        let Some((_, bytes)) = self.io_size.or(self.size) else {
            let sentence = "number_ios needs size, because fio ends where the file does";
            return Err(setting.place.refuse(sentence));
        };
        let most = bytes.div_ceil(shape.block_bytes.max(1));
        let count = shape.share("number_ios", count.min(most), &setting.place)?;
        flags.set("number-ios", count, &setting.place);
        Ok(())
    }
}

/// How many requests begin in a second.
fn rate(shape: Shape, settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    let process = settings.take(&["rate_process"]);
    let Some(setting) = settings.take(&["rate_iops"]) else { return Ok(()) };
    let iops = number(setting)?;
    if iops == 0 {
        return Ok(());
    }
    if shape.is_mixed() {
        let sentence = "rate_iops holds for reads and writes each in fio, and for both together in \
                        aio; give --rate-iops";
        return Err(setting.place.refuse(sentence));
    }
    let manner = match process.map(value).transpose()? {
        None | Some("linear") => "",
        Some("poisson") => ",poisson",
        Some(other) => {
            return Err(setting.place.refuse(format_args!("aio has no rate_process={other}")));
        }
    };
    let iops = shape.share("rate_iops", iops, &setting.place)?;
    flags.set("rate-iops", format!("{iops}{manner}"), &setting.place);
    Ok(())
}
