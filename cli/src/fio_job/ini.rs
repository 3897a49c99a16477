//! The form of a job file: sections of options, comments, includes and variables.
//!
//! As in fio's `__parse_jobs_ini` (init.c): a `[section]` is a job, one whose name begins with
//! `global` sets options for all jobs behind it, `;` and `#` begin a comment anywhere in a line,
//! and `include FILE` within a section reads options from another file.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::ending::Failure;
use crate::jobs::{JOBS_MAX, Place};

/// Includes within includes; more are a circle.
const INCLUDES_MAX: usize = 16;
/// Files that are included in all: a few that include each other several times are soon more than
/// any machine can read.
const FILES_MAX: usize = 1000;
/// Options of all jobs together, those of the globals once for each.
const SETTINGS_MAX: usize = 20_000;
/// Words that fio replaces by numbers of the machine and then calculates with.
const KEYWORDS: [&str; 3] = ["$pagesize", "$mb_memory", "$ncpus"];

/// A line of a section: `key=value`, or a key alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The option, as it is written.
    pub(super) key: String,
    /// What is behind its `=`.
    pub(super) value: Option<String>,
    /// Where it stands.
    pub(super) place: Place,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// What stands between the brackets.
    pub(super) name: String,
    /// Where it begins.
    pub(super) place: Place,
    /// Those of the globals above it, then its own.
    pub(super) settings: Vec<Setting>,
}

/// Reads another file: its name and its text.
type Include<'a> = &'a dyn Fn(&Path) -> Result<(String, String), Failure>;

/// What a file refers to outside of itself.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// A variable of the environment.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The name and the text of another file.
    pub(super) include: Include<'a>,
}

/// How much has been read, because a small file can ask for very much.
#[derive(Debug, Default)]
struct SoFar {
    files: usize,
    settings: usize,
}

impl SoFar {
    fn add_file(&mut self, place: &Place) -> Result<(), Failure> {
        self.files += 1;
        if self.files <= FILES_MAX {
            return Ok(());
        }
        Err(place.refuse(format_args!("more than {FILES_MAX} files are included")))
    }

    fn add_settings(&mut self, place: &Place, count: usize) -> Result<(), Failure> {
        self.settings += count;
        if self.settings <= SETTINGS_MAX {
            return Ok(());
        }
        let sentence = format_args!("the jobs have more than {SETTINGS_MAX} options in all");
        Err(place.refuse(sentence))
    }
}

/// The jobs in `text`, which messages call `file`.
///
/// # Errors
/// What is wrong in which line.
pub(super) fn sections(
    file: &str,
    text: &str,
    surroundings: &Surroundings,
) -> Result<Vec<Section>, Failure> {
    let mut globals: Vec<Setting> = Vec::new();
    let mut sections: Vec<Section> = Vec::new();
    let mut is_global = None;
    let mut so_far = SoFar::default();
    for (place, line) in lines(file, text) {
        if let Some(rest) = line.strip_prefix('[') {
            let Some(name) = rest.strip_suffix(']').filter(|name| !name.trim().is_empty()) else {
                return Err(place.refuse("a section is a name in brackets, such as [job]"));
            };
            // fio compares the first six letters.
            is_global = Some(name.starts_with("global"));
            if is_global == Some(false) {
                if sections.len() == JOBS_MAX {
                    let sentence = format_args!(
                        "there are more than {JOBS_MAX} jobs, and no file has as many"
                    );
                    return Err(place.refuse(sentence));
                }
                so_far.add_settings(&place, globals.len())?;
                let settings = globals.clone();
                sections.push(Section { name: name.into(), place, settings });
            }
            continue;
        }
        let settings = match (is_global, sections.last_mut()) {
            (Some(true), _) => &mut globals,
            (Some(false), Some(section)) => &mut section.settings,
            _ => return Err(place.refuse("this stands above the first section")),
        };
        add(&place, line, surroundings, 0, &mut so_far, settings)?;
    }
    if sections.is_empty() {
        let place = Place { file: file.into(), line: 1 };
        return Err(place.refuse("there is no job: no section but [global]"));
    }
    Ok(sections)
}

/// The lines that say something, without comments and blanks around them.
fn lines<'t>(file: &str, text: &'t str) -> impl Iterator<Item = (Place, &'t str)> {
    let file: Rc<str> = file.into();
    let lines = text.lines().enumerate().map(move |(index, line)| {
        let said = line.split([';', '#']).next().unwrap_or_default();
        (Place { file: Rc::clone(&file), line: index + 1 }, said.trim_matches(is_blank))
    });
    lines.filter(|(_, line)| !line.is_empty())
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn add(
    place: &Place,
    line: &str,
    surroundings: &Surroundings,
    depth: usize,
    so_far: &mut SoFar,
    settings: &mut Vec<Setting>,
) -> Result<(), Failure> {
    if let Some(path) = line.strip_prefix("include").filter(|rest| rest.starts_with(is_blank)) {
        return include(place, path.trim(), surroundings, depth, so_far, settings);
    }
    let line = substituted(place, line, surroundings)?;
    let (key, value) = match line.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
        None => (line.as_str(), None),
    };
    if key.is_empty() {
        return Err(place.refuse("there is no option before the ="));
    }
    so_far.add_settings(place, 1)?;
    settings.push(Setting { key: key.into(), value, place: place.clone() });
    Ok(())
}

/// Reads options from the file `path`: as it is named, or else beside the file that names it.
fn include(
    place: &Place,
    path: &str,
    surroundings: &Surroundings,
    depth: usize,
    so_far: &mut SoFar,
    settings: &mut Vec<Setting>,
) -> Result<(), Failure> {
    if depth == INCLUDES_MAX {
        return Err(place.refuse(format_args!("includes are more than {INCLUDES_MAX} deep")));
    }
    so_far.add_file(place)?;
    let beside = Path::new(&*place.file).parent().unwrap_or(Path::new("")).join(path);
    let path = PathBuf::from(path);
    let path = if path.exists() { path } else { beside };
    let read = (surroundings.include)(&path);
    let (name, text) = read.map_err(|failure| failure.within(place.to_string()))?;
    for (place, line) in lines(&name, &text) {
        if line.starts_with('[') {
            return Err(place.refuse("a file that is included has options and no sections"));
        }
        add(&place, line, surroundings, depth + 1, so_far, settings)?;
    }
    Ok(())
}

/// The line with `${NAME}` replaced by what the environment says of it.
fn substituted(place: &Place, line: &str, surroundings: &Surroundings) -> Result<String, Failure> {
    if let Some(word) = KEYWORDS.iter().find(|word| line.contains(**word)) {
        let sentence = format_args!("aio does not calculate with {word}; write the number");
        return Err(place.refuse(sentence));
    }
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else { break };
        let value = (surroundings.variable)(name).ok_or_else(|| {
            place.refuse(format_args!("the environment has no variable {name:?}"))
        })?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
