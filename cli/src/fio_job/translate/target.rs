//! The files of a job, and how they are opened.

use super::Flags;
use crate::ending::Failure;
use crate::fio_job::ini::{Section, Setting};
use crate::fio_job::options::Settings;
use crate::fio_job::units::{is_on, number, value};
use crate::jobs::Place;

/// Sets the files of the job and the number of its clones, and returns how many files they are.
pub(super) fn files(
    section: &Section,
    settings: &mut Settings,
    flags: &mut Flags,
) -> Result<u64, Failure> {
    let directory = settings.take(&["directory"]);
    let folder = match directory.map(names).transpose()?.zip(directory) {
        None => None,
        Some((folders, setting)) => {
            let [folder] = folders.as_slice() else {
                let sentence = "fio deals its clones out to several directories, as aio does not";
                return Err(setting.place.refuse(sentence));
            };
            Some((setting, folder.trim_end_matches('/').to_owned()))
        }
    };
    let inside = |name: &str, place: &Place| match &folder {
        Some(_) if name.starts_with('/') => {
            Err(place.refuse(format_args!("{name} is no name within a directory")))
        }
        Some((_, folder)) => Ok(format!("{folder}/{name}")),
        None => Ok(name.to_owned()),
    };
    let files = if let Some(setting) = settings.take(&["filename"]) {
        let names = names(setting)?;
        let inside = names.iter().map(|name| inside(name, &setting.place));
        let files = inside.collect::<Result<Vec<_>, _>>()?;
        let count = files.len() as u64;
        flags.add("file", files, &setting.place);
        count
    } else {
        // fio's own name: that of the section, the number of the clone and that of the file.
        let name = &section.name;
        if name.contains(['/', '{', '}']) {
            let sentence = format_args!("{name:?} would be the name of a file; give a filename");
            return Err(section.place.refuse(sentence));
        }
        let place = folder.as_ref().map_or(&section.place, |(setting, _)| &setting.place);
        flags.set("file", inside(&format!("{name}.{{tid}}.0"), &section.place)?, place);
        1
    };
    if let Some(setting) = settings.take(&["numjobs"]) {
        flags.set("threads", number(setting)?, &setting.place);
    }
    Ok(files)
}

/// The names between colons, where `\:` is a colon of a name.
fn names(setting: &Setting) -> Result<Vec<String>, Failure> {
    let mut names = vec![String::new()];
    let mut letters = value(setting)?.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&':') => {
                names.last_mut().expect("there is one from the start").extend(letters.next());
            }
            ':' => names.push(String::new()),
            letter => names.last_mut().expect("there is one from the start").push(letter),
        }
    }
    let refuse = |sentence: &str| setting.place.refuse(format_args!("{} {sentence}", setting.key));
    if names.iter().any(String::is_empty) {
        return Err(refuse("has an empty name between its colons"));
    }
    if names.iter().any(|name| name == "-") {
        return Err(refuse("means stdin or stdout, which have no blocks"));
    }
    if names.iter().any(|name| ["{tid}", "{loop}", "{bytes}"].iter().any(|it| name.contains(it))) {
        return Err(refuse("has a word in braces that aio would replace"));
    }
    Ok(names)
}

/// Whether I/O goes through the page cache, and whether the files stay.
pub(super) fn cache(settings: &mut Settings, flags: &mut Flags) -> Result<(), Failure> {
    let place = settings.place();
    let is_buffered = match settings.take(&["direct", "buffered"]) {
        None => (true, place),
        Some(setting) => (is_on(setting)? != (setting.key == "direct"), &setting.place),
    };
    // fio drops what the page cache has of the files before it begins, unless told otherwise.
    let invalidate = settings.take(&["invalidate"]);
    let is_dropped = invalidate.map(is_on).transpose()?.unwrap_or(true);
    if let (true, place) = is_buffered {
        flags.turn_on("buffered", place);
        if is_dropped {
            flags.turn_on("drop-cache", invalidate.map_or(place, |setting| &setting.place));
        }
    }
    let unlink = settings.take(&["unlink"]);
    if !unlink.map(is_on).transpose()?.unwrap_or(false) {
        flags.turn_on("keep", unlink.map_or(place, |setting| &setting.place));
    }
    Ok(())
}
