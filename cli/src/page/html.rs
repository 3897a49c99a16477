//! A report as one HTML file that needs nothing else: no script, no network, no other file.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::escape;
use super::figure::{self, Figure, Width};
use super::model::{Alarm, AlarmKind, Cell, Column, Fact, Section, Sheet, Table, Tone};

/// The page.
pub(super) fn page(sheet: &Sheet) -> String {
    let style = style();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"aio {}\">\n<title>{}</title>\n<style>{style}</style>\n\
         </head>\n<body>\n<main>\n",
        base64(&Sha256::digest(style.as_bytes())),
        env!("CARGO_PKG_VERSION"),
        escape::html(&sheet.title)
    );
    let several = sheet.sections.len() > 1;
    if several {
        put(&mut out, &format!("<h1>{}</h1>\n", escape::html(&sheet.title)));
        contents(&mut out, &sheet.sections);
    }
    for (index, one) in sheet.sections.iter().enumerate() {
        section(&mut out, one, index + 1, several);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn style() -> String {
    format!("\n{}{}", include_str!("page.css"), figure::rules())
}

/// The alphabet of RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) & 63;
            let is_padding = place > chunk.len();
            let letter = ALPHABET[usize::try_from(six).expect("six bits")];
            out.push(if is_padding { '=' } else { char::from(letter) });
        }
    }
    out
}

fn put(out: &mut String, words: &str) {
    out.push_str(words);
}

/// The answers of all sections at one look.
fn contents(out: &mut String, sections: &[Section]) {
    out.push_str("<ul class=\"contents\">\n");
    for (index, one) in sections.iter().enumerate() {
        let first = one.summary.first().map(String::as_str).unwrap_or_default();
        let worst = one.alarms.first().filter(|alarm| alarm.kind != AlarmKind::Different);
        let mark = worst.map(|alarm| format!("<b>{}.</b> ", alarm.kind.word())).unwrap_or_default();
        let _never_fails = writeln!(
            out,
            "<li><a href=\"#s{}\">{}</a><br>{mark}{}</li>",
            index + 1,
            escape::html(&one.name),
            escape::html(first)
        );
    }
    out.push_str("</ul>\n");
}

fn section(out: &mut String, one: &Section, number: usize, several: bool) {
    let level = if several { 2 } else { 1 };
    let _never_fails = writeln!(out, "<section id=\"s{number}\" aria-labelledby=\"h{number}\">");
    let name = if one.name.is_empty() {
        String::new()
    } else {
        format!("<span class=\"name\">{}</span> ", escape::html(&one.name))
    };
    let heading = escape::html(&one.heading);
    let _never_fails = writeln!(out, "<h{level} id=\"h{number}\">{name}{heading}</h{level}>");
    out.push_str("<div class=\"answer\">\n");
    for sentence in &one.summary {
        let _never_fails = writeln!(out, "<p>{}</p>", escape::html(sentence));
    }
    out.push_str("</div>\n");
    alarms(out, &one.alarms);
    for one in &one.tables {
        table(out, one);
    }
    for (index, one) in one.figures.iter().enumerate() {
        drawn(out, one, &format!("f{number}-{}", index + 1), level + 1);
    }
    facts(out, &one.facts, level + 1);
    out.push_str("</section>\n");
}

fn alarms(out: &mut String, alarms: &[Alarm]) {
    if alarms.is_empty() {
        return;
    }
    out.push_str("<ul class=\"alarms\">\n");
    for Alarm { kind, text } in alarms {
        let class = match kind {
            AlarmKind::Failed => "failed",
            AlarmKind::Interrupted | AlarmKind::Doubtful => "doubt",
            AlarmKind::Different => "differs",
        };
        let (word, text) = (kind.word(), escape::html(text));
        let _never_fails = writeln!(out, "<li class=\"{class}\"><b>{word}.</b> {text}</li>");
    }
    out.push_str("</ul>\n");
}

fn table(out: &mut String, table: &Table) {
    let caption = escape::html(&table.caption);
    let _never_fails = write!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\n<table>\n\
         <caption>{caption}</caption>\n<thead><tr>"
    );
    for Column { title, is_number } in &table.columns {
        let class = if *is_number { " class=\"n\"" } else { "" };
        let _never_fails = write!(out, "<th scope=\"col\"{class}>{}</th>", escape::html(title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            cell_of(out, cell, column);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn cell_of(out: &mut String, cell: &Cell, column: &Column) {
    let (tag, tone) = match cell.tone {
        Tone::Plain => ("td", ""),
        Tone::Name => ("th scope=\"row\"", ""),
        Tone::Good | Tone::Sound => ("td", "good"),
        Tone::Bad => ("td", "bad"),
        Tone::Doubtful => ("td", "unsure"),
    };
    let number = if column.is_number { "n" } else { "" };
    // A verdict with its baseline would be narrow and high beside so many numbers.
    let room = if cell.aside.is_some() && !column.is_number { "v" } else { "" };
    let classes: Vec<_> =
        [number, room, tone].into_iter().filter(|class| !class.is_empty()).collect();
    let class = match classes.as_slice() {
        [] => String::new(),
        some => format!(" class=\"{}\"", some.join(" ")),
    };
    let aside = cell.aside.as_ref().map(|aside| format!("<small>{}</small>", escape::html(aside)));
    let end = tag.split(' ').next().unwrap_or(tag);
    let (text, aside) = (escape::html(&cell.text), aside.unwrap_or_default());
    let _never_fails = write!(out, "<{tag}{class}>{text}{aside}</{end}>");
}

fn drawn(out: &mut String, one: &Figure, id: &str, level: usize) {
    let _never_fails = write!(
        out,
        "<figure>\n<h{level}>{}</h{level}>\n{}{}<figcaption>{}</figcaption>\n</figure>\n",
        escape::html(&one.title),
        figure::inline(one, Width::Wide, id),
        figure::inline(one, Width::Narrow, id),
        escape::html(&one.caption)
    );
}

fn facts(out: &mut String, facts: &[Fact], level: usize) {
    let _never_fails = write!(out, "<h{level}>Where and how</h{level}>\n<dl>\n");
    for Fact { about, lines } in facts {
        let _never_fails = write!(out, "<dt>{about}</dt><dd>");
        for line in lines {
            let _never_fails = write!(out, "<p>{}</p>", escape::html(line));
        }
        out.push_str("</dd>\n");
    }
    out.push_str("</dl>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_its_standard() {
        for (text, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}
