//! `aio report`: results as a page.
//!
//! `run` and `contest` say what there is to say (`model`), `plots` which figures there are
//! (`figure`); `html` and `markdown` write it down. All of it is a function of the documents:
//! the same ones give the same bytes.

mod contest;
mod escape;
mod figure;
#[cfg(test)]
mod fuzzed;
mod grouped;
mod html;
mod markdown;
mod model;
mod plots;
mod quantity;
mod run;
#[cfg(test)]
mod tests;
mod versus;

use std::path::Path;

use anyhow::anyhow;

use self::figure::{Figure, Kind};
use self::model::{Section, Sheet};
use crate::args::{Page, PageFormat};
use crate::documents::{self, Document};
use crate::ending::{Ending, Failure};
use crate::output::Output;

/// Makes the page that `asked` describes.
pub(crate) fn run(asked: &Page) -> Result<Ending, Failure> {
    let kind = asked.figure.as_deref().map(kind).transpose()?;
    for (flag, output) in [("--plot", &asked.plot), ("--output", &asked.output)] {
        if let Some(output) = output {
            let refused = documents::refuse_as_output(flag, output, &asked.results);
            refused.map_err(Failure::refused)?;
        }
    }
    let output = Output::open(asked.plot.as_deref().or(asked.output.as_deref()))?;
    let mut sections = Vec::new();
    for path in &asked.results {
        let document = documents::read(path).map_err(Failure::refused)?;
        let name = if asked.results.len() > 1 { file_name(path) } else { String::new() };
        sections.extend(sections_of(&document, &name));
    }
    let made = match (&asked.plot, asked.format) {
        (Some(_), _) => figure::standalone(&chosen(sections, kind)?),
        (None, PageFormat::Html) => html::page(&sheet(sections)),
        (None, PageFormat::Md) => markdown::text(&sheet(sections)),
    };
    output.write(made.as_bytes())?;
    Ok(Ending::Done)
}

fn file_name(path: &Path) -> String {
    path.display().to_string()
}

/// What `document` says, in one section or, for jobs, in several.
fn sections_of(document: &Document, name: &str) -> Vec<Section> {
    let named = |section: Section, name: String| Section { name, ..section };
    match document {
        Document::Run(report) => vec![named(run::section(report), name.into())],
        Document::Comparison(one) => vec![named(contest::section(one), name.into())],
        Document::Jobs(jobs) => {
            let of = |job: &str| match name {
                "" => format!("job {job}"),
                name => format!("{name}, job {job}"),
            };
            jobs.iter().map(|(job, report)| named(run::section(report), of(job))).collect()
        }
    }
}

fn sheet(sections: Vec<Section>) -> Sheet {
    let title = match sections.as_slice() {
        [only] => format!("{} – aio", only.heading),
        all => format!("{} results of aio", all.len()),
    };
    Sheet { title, sections }
}

/// The figure that `name` means.
fn kind(name: &str) -> Result<Kind, Failure> {
    name.parse().map_err(|()| {
        let all = Kind::ALL.map(|kind| kind.to_string()).join(", ");
        Failure::refused(anyhow!("there is no figure {name:?}; give one of {all}"))
    })
}

/// The figure that was asked for, or else the first one, which says most; those of several
/// sections as one, below each other.
fn chosen(sections: Vec<Section>, kind: Option<Kind>) -> Result<Figure, Failure> {
    let mut there: Vec<Kind> = Vec::new();
    for figure in sections.iter().flat_map(|section| &section.figures) {
        if !there.contains(&figure.kind) {
            there.push(figure.kind);
        }
    }
    let Some(kind) = kind.or(there.first().copied()) else {
        let why = "these results give no figure, because they hold no numbers that could be drawn";
        return Err(Failure::refused(anyhow!(why)));
    };
    let mut found: Option<Figure> = None;
    for section in sections {
        let figures = section.figures.into_iter().filter(|figure| figure.kind == kind);
        for mut figure in figures {
            if !section.name.is_empty() {
                for panel in &mut figure.panels {
                    let parts = [section.name.as_str(), panel.title.as_str()];
                    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                    panel.title = parts.join(", ");
                }
            }
            match &mut found {
                Some(all) => {
                    all.description = format!("{} {}", all.description, figure.description);
                    all.panels.extend(figure.panels);
                }
                None => found = Some(figure),
            }
        }
    }
    found.ok_or_else(|| {
        let there: Vec<_> = there.iter().map(Kind::to_string).collect();
        let those = if there.is_empty() { "none".into() } else { there.join(", ") };
        Failure::refused(anyhow!("these results give no figure {kind}; there is: {those}"))
    })
}
