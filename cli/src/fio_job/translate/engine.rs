//! The engine of a job, the depth of its queue, and its batches.

use super::{Flags, Shape};
use crate::ending::Failure;
use crate::fio_job::ini::Setting;
use crate::fio_job::options::Settings;
use crate::fio_job::units::{is_on, number, value};

/// fio's engines whose calls return when the data has moved, so that their depth is 1.
const SYNC: [&str; 4] = ["psync", "sync", "pvsync", "pvsync2"];

/// Sets the engine and the depth of its queue, and returns the depth.
pub(super) fn engine(
    shape: Shape,
    settings: &mut Settings,
    flags: &mut Flags,
) -> Result<u64, Failure> {
    let setting = settings.take(&["ioengine"]);
    let name = setting.map(value).transpose()?.unwrap_or("psync");
    let place = setting.map_or(settings.place(), |setting| &setting.place);
    let switches = Switches::take(settings)?;
    let spec = match name {
        "io_uring" => switches.uring(),
        name => {
            switches.refuse_those_of_uring(name)?;
            match name {
                "pvsync2" if switches.hipri.is_some() => "sync:hipri=on".into(),
                "libaio" | "null" => name.into(),
                name if SYNC.contains(&name) => "sync".into(),
                _ => {
                    return Err(place.refuse(format_args!(
                        "aio has no engine like ioengine={name}; it has io_uring, libaio, null and \
                         those that read and write by calls ({})",
                        SYNC.join(", ")
                    )));
                }
            }
        }
    };
    flags.set("engine", spec, place);
    depth(shape, name, settings, flags)
}

/// Options of engines that are on.
struct Switches<'s> {
    registerfiles: Option<&'s Setting>,
    fixedbufs: Option<&'s Setting>,
    sqthread_poll: Option<&'s Setting>,
    hipri: Option<&'s Setting>,
}

impl<'s> Switches<'s> {
    fn take(settings: &mut Settings<'s>) -> Result<Self, Failure> {
        let mut switch = |name: &str| {
            let Some(setting) = settings.take(&[name]) else { return Ok(None) };
            Ok::<_, Failure>(is_on(setting)?.then_some(setting))
        };
        Ok(Self {
            registerfiles: switch("registerfiles")?,
            fixedbufs: switch("fixedbufs")?,
            sqthread_poll: switch("sqthread_poll")?,
            hipri: switch("hipri")?,
        })
    }

    /// What aio registers unless it is told otherwise, and fio does not.
    fn uring(&self) -> String {
        let word = |is_on: bool| if is_on { "on" } else { "off" };
        // fio registers files for a polling thread whether it was asked to or not.
        let files = self.registerfiles.or(self.sqthread_poll);
        let mut spec = format!(
            "uring:fixed-files={}:fixed-buffers={}",
            word(files.is_some()),
            word(self.fixedbufs.is_some())
        );
        for (key, setting) in [("sqpoll", self.sqthread_poll), ("iopoll", self.hipri)] {
            if setting.is_some() {
                spec.extend([":", key, "=on"]);
            }
        }
        spec
    }

    fn refuse_those_of_uring(&self, engine: &str) -> Result<(), Failure> {
        let hipri = self.hipri.filter(|_| engine != "pvsync2");
        let switches = [self.registerfiles, self.fixedbufs, self.sqthread_poll, hipri];
        match switches.into_iter().flatten().next() {
            None => Ok(()),
            Some(stray) => Err(stray
                .place
                .refuse(format_args!("{} is no option of ioengine={engine}", stray.key))),
        }
    }
}

fn depth(
    shape: Shape,
    engine: &str,
    settings: &mut Settings,
    flags: &mut Flags,
) -> Result<u64, Failure> {
    let setting = settings.take(&["iodepth"]);
    let mut depth = setting.map(number).transpose()?.unwrap_or(1);
    let place = setting.map_or(settings.place(), |setting| &setting.place);
    if SYNC.contains(&engine) && depth > 1 && !settings.manner().has_engine {
        let sentence = format!(
            "iodepth={depth} means 1 with ioengine={engine}, as in fio; --engine sync has threads \
             for it"
        );
        settings.note(place, &sentence);
        depth = 1;
    }
    if shape.files > 1 {
        let sentence = format!(
            "fio goes through the {} files in turn with one queue of {depth}; here each file has \
             threads and queues of its own, with its share of the depth, of the size and of the rate",
            shape.files
        );
        settings.note(place, &sentence);
    }
    flags.set("queue-depth", shape.share("iodepth", depth, place)?, place);
    Ok(depth)
}

/// How many requests go in and come out per call. fio submits each by itself unless told otherwise.
pub(super) fn batches(
    shape: Shape,
    settings: &mut Settings,
    flags: &mut Flags,
) -> Result<(), Failure> {
    let submit = settings.take(&["iodepth_batch", "iodepth_batch_submit"]);
    let complete = settings.take(&["iodepth_batch_complete_min", "iodepth_batch_complete"]);
    let place = settings.place();
    let depth = shape.depth / shape.files;
    let most = submit.map(number).transpose()?.unwrap_or(1);
    if most > 0 && most < depth {
        flags.set("batch-submit", most, submit.map_or(place, |setting| &setting.place));
    }
    let Some(complete) = complete else { return Ok(()) };
    match number(complete)? {
        0 => Err(complete.place.refuse(format_args!(
            "{}=0 looks for completions without waiting, which aio does not; give at least 1",
            complete.key
        ))),
        1 => Ok(()),
        least => {
            flags.set("batch-complete", least.min(depth), &complete.place);
            Ok(())
        }
    }
}
