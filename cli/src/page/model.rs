//! What a report says, before it has a form. HTML and Markdown are two writers of the same.

use super::figure::Figure;

/// A whole report.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// What it is about.
    pub(super) title: String,
    /// One for each run, job or comparison.
    pub(super) sections: Vec<Section>,
}

/// One run, job or comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    /// What tells it from the others: the file or the job that it is of.
    pub(super) name: String,
    /// What was measured.
    pub(super) heading: String,
    /// The answer, in sentences.
    pub(super) summary: Vec<String>,
    /// What keeps the answer from being trusted, or from being the one that was asked for.
    pub(super) alarms: Vec<Alarm>,
    /// The numbers.
    pub(super) tables: Vec<Table>,
    /// The same to look at.
    pub(super) figures: Vec<Figure>,
    /// Where, on what and how.
    pub(super) facts: Vec<Fact>,
}

/// A sentence that must not be missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alarm {
    /// How bad it is.
    pub(super) kind: AlarmKind,
    /// The sentence.
    pub(super) text: String,
}

/// How bad an alarm is, from the worst on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AlarmKind {
    /// It failed.
    Failed,
    /// It was not finished.
    Interrupted,
    /// The numbers cannot be trusted.
    Doubtful,
    /// Something else was granted than was asked for, or left out.
    Different,
}

impl AlarmKind {
    /// The word before the sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Interrupted => "Interrupted",
            Self::Doubtful => "Doubtful",
            Self::Different => "Not as asked",
        }
    }
}

/// Rows of numbers.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// What they are.
    pub(super) caption: String,
    /// The heads of the columns.
    pub(super) columns: Vec<Column>,
    /// The rows, each as long as there are columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// What is in it, with the unit unless each cell has one.
    pub(super) title: String,
    /// Whether it is of numbers, which end at the same place.
    pub(super) is_number: bool,
}

impl Column {
    /// A column of words.
    pub(super) fn words(title: impl Into<String>) -> Self {
        Self { title: title.into(), is_number: false }
    }

    /// A column of numbers.
    pub(super) fn numbers(title: impl Into<String>) -> Self {
        Self { title: title.into(), is_number: true }
    }
}

/// One place of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// What is there.
    pub(super) text: String,
    /// The interval that it lies in, or what else belongs to it.
    pub(super) aside: Option<String>,
    /// What it means.
    pub(super) tone: Tone,
}

impl Cell {
    /// A plain one.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// What a cell means, beside what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing more.
    #[default]
    Plain,
    /// It is what a row is called.
    Name,
    /// As it should be.
    Sound,
    /// Better.
    Good,
    /// Worse.
    Bad,
    /// Not to be trusted.
    Doubtful,
}

/// Something about the circumstances: what it is about, and what there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is about.
    pub(super) about: &'static str,
    /// One or more sentences or values.
    pub(super) lines: Vec<String>,
}

/// The fact, unless there is nothing to say.
pub(super) fn fact(about: &'static str, lines: Vec<String>) -> Option<Fact> {
    (!lines.is_empty()).then_some(Fact { about, lines })
}

/// Alarms of one kind.
pub(super) fn alarms(kind: AlarmKind, texts: impl IntoIterator<Item = String>) -> Vec<Alarm> {
    texts.into_iter().map(|text| Alarm { kind, text }).collect()
}
