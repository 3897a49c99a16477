//! Results that somebody has changed, shown in every form and held against each other.

use aio_core::testing::{fuzz_text, one_sentence};

use super::*;
use crate::args::Format;
use crate::render::{self, Found, JobResult, sample};
use crate::voice::printable;
use crate::{diff, gate};

const FORMATS: [Format; 5] =
    [Format::Text, Format::Json, Format::Csv, Format::Classic, Format::FioJson];
const ASSERTIONS: [&str; 5] =
    ["p99<1us", "iops>1", "bandwidth>1", "doubts==0", "response-p99.9<1s"];

fn told(failure: &Failure) -> String {
    let sentence = failure.sentence();
    one_sentence(&printable(&sentence));
    sentence
}

/// Every form of the document. What renderers refuse is said in a sentence as well.
fn show(document: &Document) {
    let made = html::page(&sheet(sections_of(document, "a name")));
    assert!(made.ends_with("</html>\n"), "a page is whole");
    let _text = markdown::text(&sheet(sections_of(document, "")));
    if let Ok(figure) = chosen(sections_of(document, ""), None) {
        let _drawn = figure::standalone(&figure);
    }
    let assertions = ASSERTIONS.into_iter().filter_map(|text| gate::assertion(text).ok());
    let assertions: Vec<_> = assertions.collect();
    let reports = match document {
        Document::Run(report) => vec![report.as_ref()],
        Document::Jobs(jobs) => jobs.iter().map(|(_, report)| report).collect(),
        Document::Comparison(one) => {
            for format in [Format::Text, Format::Json, Format::Csv] {
                drop(render::comparison(one, format).map_err(|failure| told(&failure)));
            }
            for said in gate::check_comparison(&assertions, one) {
                one_sentence(&said);
            }
            Vec::new()
        }
    };
    for report in reports {
        for format in FORMATS {
            drop(render::report(report, format).map_err(|failure| told(&failure)));
        }
        for said in gate::check(&assertions, report) {
            one_sentence(&said);
        }
        drop(render::failures(report));
    }
}

fn tried(text: &str) -> String {
    let document = match documents::of_bytes(text.as_bytes()) {
        Ok(document) => document,
        Err(error) => return told(&Failure::refused(error)),
    };
    show(&document);
    let again = documents::of_bytes(text.as_bytes()).expect("it was read a moment ago");
    match diff::of_documents(document, again) {
        Ok(text) => format!("diff {}", text.lines().count().min(9)),
        Err(failure) => told(&failure),
    }
}

/// Documents of every kind, as JSON.
fn corpus() -> Vec<String> {
    let json = |report: &aio_core::report::Report| {
        String::from_utf8(render::report(report, Format::Json).unwrap()).unwrap()
    };
    let job = JobResult { name: "a".into(), found: Found::Report(Box::new(sample::troubled())) };
    let jobs = render::jobs(&[job], Format::Json).unwrap();
    let mut all: Vec<_> =
        [sample::one_engine(), sample::comparison(), sample::troubled()].iter().map(json).collect();
    all.push(String::from_utf8(jobs).unwrap());
    for one in [sample::contest(), sample::sweep()] {
        all.push(serde_json::to_string(&one).unwrap());
    }
    all
}

const WORDS: [&str; 24] = [
    "null",
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e-308",
    "18446744073709551615",
    "[]",
    "{}",
    "\"\"",
    "true",
    "false",
    "\"read\"",
    "\"write\"",
    "\"complete\"",
    "\"failed\"",
    "\"uring\"",
    ",",
    "[[]]",
    "\"\\u001b[2J\"",
    "\"</script>\"",
    "\"=1+1\"",
    "0.1",
    "4096",
];

/// The values that `text` has, in order of their place: numbers and words, which a change turns
/// into others. Text in the middle of nowhere is seldom JSON.
fn values(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let is_value =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        if bytes[at] == b'"' {
            let end = text[at + 1..].find('"').map_or(bytes.len(), |length| at + length + 2);
            if bytes.get(end) != Some(&b':') {
                found.push((at, end));
            }
            at = end;
        } else if is_value(bytes[at]) {
            let length = bytes[at..].iter().take_while(|byte| is_value(**byte)).count();
            found.push((at, at + length));
            at += length;
        } else {
            at += 1;
        }
    }
    found
}

/// A document of the corpus with some of its values changed, as `choices` says.
fn changed(corpus: &[String], choices: &[u8]) -> String {
    let Some((first, rest)) = choices.split_first() else { return String::new() };
    let mut text = corpus[usize::from(*first) % corpus.len()].clone();
    for choice in rest.chunks_exact(3).take(16) {
        let values = values(&text);
        let number = usize::from(u16::from_le_bytes([choice[0], choice[1]]));
        let (start, end) = values[number % values.len()];
        text.replace_range(start..end, WORDS[usize::from(choice[2]) % WORDS.len()]);
    }
    text
}

#[test]
fn fuzzed_documents_are_shown_in_every_form_or_refused_in_a_sentence() {
    let corpus = corpus();
    let choices: Vec<Vec<u8>> = (0..6).map(|number| vec![number, 9, number, 3]).collect();
    let choices: Vec<&[u8]> = choices.iter().map(Vec::as_slice).collect();
    aio_core::testing::fuzz("changed documents", &choices, &[], |choices| {
        tried(&changed(&corpus, choices))
    });
}

#[test]
fn fuzzed_texts_are_documents_or_refused_in_a_sentence() {
    let corpus = corpus();
    let small = ["{}", "{\"jobs\":[{\"name\":\"a\"}]}", "{\"contestants\":[]}"];
    let texts: Vec<&str> =
        small.into_iter().chain(corpus[..1].iter().map(String::as_str)).collect();
    fuzz_text("texts of documents", &texts, &WORDS, tried);
}
