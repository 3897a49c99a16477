//! From TOML to drafts of jobs, each key with its line.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeString, DeTable, DeValue};

use crate::args::{Catalogue, Flag, Takes, nearest};
use crate::ending::Failure;
use crate::jobs::{Draft, Entry, JOBS_MAX, Place, layered};

/// Flags that say something of the whole run, and so of no single job.
pub(super) const OF_THE_RUN: [&str; 6] =
    ["format", "output", "dry-run", "verbose", "log-tids", "quiet"];
/// Flags that mean nothing in a file, or that nobody but who runs it may give.
pub(super) const ONLY_TYPED: [&str; 2] = ["dump-plan", "yes"];
/// The keys that are no flags.
const DEFAULTS: &str = "defaults";
const JOB: &str = "job";
const NAME: &str = "name";

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

/// The jobs that `text` describes, which messages call `file`. Without any `[[job]]` the whole file
/// is one.
///
/// # Errors
/// What is wrong in which line.
pub(super) fn drafts(file: &str, text: &str) -> Result<Vec<Draft>, Failure> {
    Reader { file: file.into(), text, catalogue: Catalogue::of_run() }.read()
}

struct Reader<'i> {
    file: Rc<str>,
    text: &'i str,
    catalogue: Catalogue,
}

/// Which keys a table may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The top of the file.
    Top,
    /// `[defaults]`.
    Defaults,
    /// A `[[job]]`.
    Job,
}

impl Reader<'_> {
    fn read(&self) -> Result<Vec<Draft>, Failure> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let sentence = error.message().replace('\n', "; ");
            self.place(&error.span().unwrap_or_default()).refuse(sentence)
        })?;
        let top = document.get_ref();
        let mut shared = self.entries(top, Level::Top)?;
        if let Some((key, value)) = field(top, DEFAULTS) {
            let Some(table) = value.get_ref().as_table() else {
                return Err(self.at(key).refuse("defaults is a table: [defaults]"));
            };
            for entry in self.entries(table, Level::Defaults)? {
                refuse_twice(&shared, &entry)?;
                shared.push(entry);
            }
        }
        let jobs = self.jobs(top)?;
        if let Some((key, value)) = field(top, NAME) {
            if !jobs.is_empty() {
                let sentence = "name is a job's: put it below [[job]]";
                return Err(self.at(key).refuse(sentence));
            }
            let name = self.name(value)?;
            return Ok(vec![self.draft(name, 1, shared)?]);
        }
        if jobs.is_empty() {
            return Ok(vec![self.draft("job1".into(), 1, shared)?]);
        }
        let mut names = BTreeSet::new();
        let mut drafts = Vec::new();
        for (index, (line, table)) in jobs.into_iter().enumerate() {
            let entries = self.entries(table, Level::Job)?;
            let own = field(table, NAME).map(|(_, value)| self.name(value)).transpose()?;
            let name = own.unwrap_or_else(|| format!("job{}", index + 1));
            if !names.insert(name.clone()) {
                let place = Place { file: Rc::clone(&self.file), line };
                return Err(place.refuse(format_args!("a job before has the name {name:?} too")));
            }
            drafts.push(self.draft(name, line, layered(&self.catalogue, &shared, &entries))?);
        }
        Ok(drafts)
    }

    fn draft(&self, name: String, line: usize, entries: Vec<Entry>) -> Result<Draft, Failure> {
        let place = Place { file: Rc::clone(&self.file), line };
        if entries.is_empty() {
            return Err(place.refuse(format_args!("job {name:?} says nothing")));
        }
        Ok(Draft { name, place, entries })
    }

    /// The tables below `[[job]]`, each with its line.
    fn jobs<'t, 'i>(&self, top: &'t DeTable<'i>) -> Result<Vec<(usize, &'t DeTable<'i>)>, Failure> {
        let Some((key, value)) = field(top, JOB) else { return Ok(Vec::new()) };
        let refuse = || self.at(key).refuse("jobs are tables of a list: [[job]], not [job]");
        let list = value.get_ref().as_array().ok_or_else(refuse)?;
        if list.is_empty() {
            return Err(self.at(key).refuse("the list of jobs is empty"));
        }
        let count = list.len();
        if count > JOBS_MAX {
            let sentence =
                format!("there are {count} jobs, and a file may have {JOBS_MAX} at most");
            return Err(self.at(key).refuse(sentence));
        }
        let table = |one: &'t Value<'i>| {
            let table = one.get_ref().as_table().ok_or_else(refuse)?;
            Ok((self.place(&one.span()).line, table))
        };
        list.iter().map(table).collect()
    }

    fn name(&self, value: &Value) -> Result<String, Failure> {
        let name = value.get_ref().as_str().filter(|name| !name.trim().is_empty());
        let name = name.filter(|name| !name.contains(char::is_control));
        name.map(String::from)
            .ok_or_else(|| self.place(&value.span()).refuse("a name is a string of some letters"))
    }

    /// The flags of a table, in the order of its lines.
    fn entries(&self, table: &DeTable, level: Level) -> Result<Vec<Entry>, Failure> {
        let mut fields: Vec<_> = table.iter().collect();
        fields.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Vec::new();
        for (key, value) in fields {
            let is_structure = match key.get_ref().as_ref() {
                NAME => level != Level::Defaults,
                DEFAULTS | JOB => level == Level::Top,
                _ => false,
            };
            if is_structure {
                continue;
            }
            let flag = self.flag(key, level)?;
            let entry = self.entry(flag, key, value)?;
            refuse_twice(&entries, &entry)?;
            entries.push(entry);
        }
        Ok(entries)
    }

    fn flag(&self, key: &Key, level: Level) -> Result<&Flag, Failure> {
        let word = key.get_ref().as_ref();
        let Some(flag) = self.catalogue.find(word) else {
            return Err(self.at(key).refuse(self.unknown(word, level)));
        };
        if ONLY_TYPED.contains(&flag.name.as_str()) {
            let name = &flag.name;
            let sentence =
                format_args!("{name} is for the command line and has no meaning in a file");
            return Err(self.at(key).refuse(sentence));
        }
        if level == Level::Job && OF_THE_RUN.contains(&flag.name.as_str()) {
            let sentence =
                format_args!("{word} is of the whole run and not of a job; put it above the jobs");
            return Err(self.at(key).refuse(sentence));
        }
        Ok(flag)
    }

    fn unknown(&self, word: &str, level: Level) -> String {
        let own: &[&str] = match level {
            Level::Top => &[DEFAULTS, JOB, NAME],
            Level::Defaults => &[],
            Level::Job => &[NAME],
        };
        let names = self.catalogue.names().filter(|name| !ONLY_TYPED.contains(name));
        match nearest(&word.replace('_', "-").to_lowercase(), names.chain(own.iter().copied())) {
            Some(JOB) => format!("unknown key {word:?}; did you mean [[job]]?"),
            Some(name) => format!("unknown key {word:?}; did you mean {name:?}?"),
            None => format!(
                "unknown key {word:?}; keys are the long names of the flags that aio --help lists"
            ),
        }
    }

    fn entry(&self, flag: &Flag, key: &Key, value: &Value) -> Result<Entry, Failure> {
        let place = self.at(key);
        let word = key.get_ref().as_ref();
        let entry =
            |values, is_on| Entry { flag: flag.name.clone(), values, is_on, place: place.clone() };
        match (flag.takes, value.get_ref()) {
            (Takes::Nothing | Takes::Times, DeValue::Boolean(is_on)) => {
                Ok(entry(Vec::new(), *is_on))
            }
            (Takes::Times, value) => match scalar(value).and_then(|times| times.parse().ok()) {
                Some(0_u8) => Ok(entry(Vec::new(), false)),
                Some(times) => Ok(entry(vec![times.to_string()], true)),
                None => Err(place.refuse(format_args!(
                    "{word} is true, false, or how many times it is given, as 2 for -vv"
                ))),
            },
            (Takes::Nothing, _) => Err(place.refuse(format_args!("{word} is true or false"))),
            (Takes::Many, DeValue::Array(list)) => {
                let one = |one: &Value| {
                    scalar(one.get_ref()).ok_or_else(|| {
                        let sentence = format_args!("{word} takes a list of strings or numbers");
                        self.place(&one.span()).refuse(sentence)
                    })
                };
                let values = list.iter().map(one).collect::<Result<Vec<_>, _>>()?;
                // An empty list undoes what the defaults say.
                let is_on = !values.is_empty();
                Ok(entry(values, is_on))
            }
            (takes, value) => match scalar(value) {
                Some(value) => Ok(entry(vec![value], true)),
                None if takes == Takes::Many => {
                    Err(place.refuse(format_args!("{word} is a string, a number or a list")))
                }
                None => Err(place.refuse(format_args!("{word} is a string or a number"))),
            },
        }
    }

    fn at(&self, key: &Key) -> Place {
        self.place(&key.span())
    }

    /// The line in which `span` begins.
    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Place { file: Rc::clone(&self.file), line }
    }
}

/// Refuses what a file says twice.
fn refuse_twice(entries: &[Entry], entry: &Entry) -> Result<(), Failure> {
    let Some(other) = entries.iter().find(|other| other.flag == entry.flag) else {
        return Ok(());
    };
    let sentence = format_args!("{} stands in line {} already", entry.flag, other.place.line);
    Err(entry.place.refuse(sentence))
}

/// The key and the value of `name` in `table`.
fn field<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(&'t Key<'i>, &'t Value<'i>)> {
    table.iter().find(|(key, _)| key.get_ref().as_ref() == name)
}

/// What a single value would be on a command line.
fn scalar(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Integer(number) => Some(integer(number)),
        DeValue::Float(number) => Some(float(number)),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Decimal digits of any length; other radixes as far as numbers of flags go.
fn integer(number: &DeInteger) -> String {
    let text = number.as_str();
    if number.radix() == 10 {
        return text.strip_prefix('+').unwrap_or(text).into();
    }
    u128::from_str_radix(text, number.radix()).map_or_else(|_| text.into(), |it| it.to_string())
}

/// As it stands there: what it means is for the reader of the flag.
fn float(number: &DeFloat) -> String {
    let text = number.as_str();
    text.strip_prefix('+').unwrap_or(text).into()
}
