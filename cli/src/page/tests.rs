use std::collections::BTreeSet;

use aio_core::plan::Direction;
use aio_core::report::{Comparison, Doubt, Layout, Status};
use sha2::{Digest, Sha256};

use super::*;
use crate::render::sample;

const EVIL: &str = "<script>alert(1)</script>\" onload=\"x' & | `a`\u{1b}[31m\u{202e}\u{61c}";

fn run_of(report: aio_core::report::Report) -> Document {
    Document::Run(Box::new(report))
}

fn page_of(document: &Document) -> String {
    html::page(&sheet(sections_of(document, "")))
}

fn ladder() -> Comparison {
    let mut ladder = sample::contest();
    ladder.layout = Layout::Ladder;
    for (index, one) in ladder.contestants.iter_mut().enumerate() {
        one.baseline = index.checked_sub(1);
    }
    ladder.judge();
    ladder
}

fn all() -> Vec<Document> {
    let runs = [
        sample::one_engine(),
        sample::comparison(),
        sample::troubled(),
        sample::null(),
        sample::blocks(),
        sample::interrupted(),
    ];
    let mut all: Vec<_> = runs.into_iter().map(run_of).collect();
    let comparisons = [sample::contest(), sample::sweep(), ladder()];
    all.extend(comparisons.into_iter().map(|one| Document::Comparison(Box::new(one))));
    all.push(Document::Jobs(vec![
        ("seed".into(), sample::one_engine()),
        ("go".into(), sample::blocks()),
    ]));
    all
}

/// A comparison in which every text that comes from outside is meant to break out.
fn evil() -> Vec<Document> {
    let mut report = sample::troubled();
    report.machine.cpu_model = Some(EVIL.into());
    report.machine.kernel = EVIL.into();
    report.targets[0].path = EVIL.into();
    report.targets[0].file_system = Some(EVIL.into());
    report.receipts[0].option = EVIL.into();
    report.unavailable[0].reason = EVIL.into();
    for engine in &mut report.engines {
        engine.engine = EVIL.into();
        for one in &mut engine.directions {
            one.doubts.push(Doubt::new(EVIL, EVIL));
            one.fingerprint = EVIL.into();
            for failure in &mut one.failures {
                failure.message = EVIL.into();
                failure.path = Some(EVIL.into());
            }
        }
    }
    let mut comparison = sample::sweep();
    comparison.failure = Some(EVIL.into());
    comparison.requests.mismatch = Some(format!("{EVIL}2"));
    comparison.status = Status::Failed;
    for (index, one) in comparison.contestants.iter_mut().enumerate() {
        one.name = format!("{EVIL}{index}");
        one.engine = EVIL.into();
        one.point[0].flag = EVIL.into();
        one.point[0].value = format!("{EVIL}{index}");
    }
    comparison.judge();
    let jobs = Document::Jobs(vec![(EVIL.into(), report.clone()), ("b".into(), report.clone())]);
    vec![run_of(report), Document::Comparison(Box::new(comparison)), jobs]
}

#[test]
fn a_page_has_no_script_no_style_attribute_no_link_and_is_the_same_each_time() {
    for document in all() {
        let page = page_of(&document);
        for banned in
            ["<script", " style=", "<link", "<img", "http-equiv=\"refresh", "@import", "url("]
        {
            assert!(!page.contains(banned), "{banned} in {page}");
        }
        let address = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!address.contains("http://") && !address.contains("https://"));
        assert_eq!(page, page_of(&document));
    }
}

#[test]
fn the_policy_allows_the_one_style_of_the_page_by_its_hash() {
    let page = page_of(&run_of(sample::blocks()));
    assert_eq!(page.matches("<style>").count(), 1);
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let digest = Sha256::digest(style.as_bytes());
    let said = page.split("'sha256-").nth(1).unwrap().split('\'').next().unwrap();
    let six = |c: char| {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        u32::try_from(letters.find(c).unwrap()).unwrap()
    };
    // 43 letters and a padding: 256 bits and two zeros.
    let bits = said.trim_end_matches('=').chars().map(six);
    let bits = bits.map(|bits| format!("{bits:06b}")).collect::<Vec<_>>().concat();
    let bytes = digest.iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat();
    assert_eq!(bits[..256], bytes);
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn no_text_from_a_file_breaks_out_of_a_page_a_figure_or_a_table() {
    for document in evil() {
        let page = page_of(&document);
        assert!(!page.contains("<script"), "{page}");
        for hidden in ['\u{1b}', '\u{202e}', '\u{61c}'] {
            assert!(!page.contains(hidden));
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x&#39;"));
        let md = markdown::text(&sheet(sections_of(&document, "")));
        assert!(!md.contains("<script") && !md.contains('\u{1b}'), "{md}");
        let rows = md.lines().filter(|line| line.starts_with('|'));
        let cells = |row: &str| row.replace("\\\\", "").replace("\\|", "").matches('|').count();
        let widths: BTreeSet<_> = rows.map(cells).collect();
        assert!(widths.len() <= 2, "the tables of two jobs at most: {md}");
    }
}

#[test]
fn ids_of_a_page_are_unique_and_what_they_name_is_there() {
    for document in all() {
        let page = page_of(&document);
        let values = |name: &str| -> Vec<String> {
            let begin = format!(" {name}=\"");
            let parts = page.split(begin.as_str()).skip(1);
            parts.map(|part| part.split('"').next().unwrap_or_default().to_owned()).collect()
        };
        let ids = values("id");
        let unique: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(unique.len(), ids.len());
        for named in values("aria-labelledby") {
            assert!(named.split(' ').all(|id| unique.contains(id)), "{named}");
        }
        for link in values("href") {
            assert!(unique.contains(link.trim_start_matches('#')), "{link}");
        }
    }
}

#[test]
fn failed_interrupted_and_doubtful_results_are_marked_before_any_number() {
    for (report, words) in [
        (
            sample::troubled(),
            vec!["Failed.", "Doubtful.", "Not as asked.", "No space left on device"],
        ),
        (sample::interrupted(), vec!["Interrupted.", "12 MiB of unfinished loops"]),
    ] {
        let page = page_of(&run_of(report));
        let before = page.split("<table>").next().unwrap();
        for word in words {
            assert!(before.contains(word), "{word}");
        }
    }
    let mut comparison = sample::contest();
    comparison.requests.mismatch = Some("sync read others".into());
    let page = page_of(&Document::Comparison(Box::new(comparison)));
    assert!(page.split("<table>").next().unwrap().contains("<b>Failed.</b> sync read others"));
}

#[test]
fn each_document_gives_the_figures_that_it_can() {
    let kinds = |document: &Document| -> Vec<String> {
        let sections = sections_of(document, "");
        let figures = sections.iter().flat_map(|section| &section.figures);
        figures.map(|figure| figure.kind.to_string()).collect()
    };
    assert_eq!(kinds(&run_of(sample::blocks())), ["latency", "rate", "cpu"]);
    let of = |comparison| kinds(&Document::Comparison(Box::new(comparison)));
    assert_eq!(of(sample::contest()), ["latency", "rate", "cpu"]);
    assert_eq!(of(sample::sweep()), ["sweep", "latency", "cpu"]);
    assert_eq!(of(ladder()), ["ladder", "latency", "rate", "cpu"]);
    let mut failed = sample::troubled();
    failed.engines.truncate(1);
    assert_eq!(kinds(&run_of(failed)), [""; 0], "without numbers there is nothing to draw");
}

#[test]
fn a_figure_that_results_cannot_give_is_refused_with_what_there_is() {
    let blocks = || sections_of(&run_of(sample::blocks()), "");
    let refusal = chosen(blocks(), Some(Kind::Ladder)).unwrap_err().sentence();
    assert_eq!(refusal, "these results give no figure ladder; there is: latency, rate, cpu");
    assert_eq!(chosen(blocks(), None).unwrap().kind, Kind::Latency);
    let unknown = kind("pie").unwrap_err().sentence();
    assert_eq!(
        unknown,
        "there is no figure \"pie\"; give one of latency, rate, sweep, ladder, cpu"
    );
    let nothing = chosen(Vec::new(), None).unwrap_err().sentence();
    assert!(nothing.starts_with("these results give no figure, because"), "{nothing}");
}

#[test]
fn the_same_figure_of_several_jobs_is_one_with_a_panel_for_each() {
    let jobs = Document::Jobs(vec![("a".into(), sample::blocks()), ("b".into(), sample::blocks())]);
    let figure = chosen(sections_of(&jobs, ""), Some(Kind::Cpu)).unwrap();
    let titles: Vec<_> = figure.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["job a", "job b"]);
}

#[test]
fn several_documents_have_a_list_of_answers_first() {
    let mut sections = sections_of(&run_of(sample::blocks()), "a.json");
    sections.extend(sections_of(&run_of(sample::interrupted()), "b.json"));
    let page = html::page(&sheet(sections));
    let contents = page.split("<section").next().unwrap();
    assert!(contents.contains("<a href=\"#s1\">a.json</a>"), "{contents}");
    assert!(contents.contains("<b>Interrupted.</b>"), "{contents}");
    assert!(contents.contains("<h1>2 results of aio</h1>"));
}

#[test]
fn both_directions_have_tables_and_panels_of_their_own() {
    let mut comparison = sample::contest();
    for one in &mut comparison.contestants {
        for round in &mut one.rounds {
            let mut write = round.measures[0];
            write.direction = Direction::Write;
            round.measures.push(write);
        }
    }
    comparison.judge();
    let section = contest::section(&comparison);
    assert_eq!(section.tables.len(), 2);
    let rate = section.figures.iter().find(|figure| figure.kind == Kind::Rate).unwrap();
    let titles: Vec<_> = rate.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["read", "write"]);
}

#[test]
fn a_run_in_markdown() {
    let text = markdown::text(&sheet(sections_of(&run_of(sample::troubled()), "")));
    insta::assert_snapshot!(text, @r"
    ## Writes and reads of tensors in blocks of 100000 bytes: libaio and sync

    - libaio: write failed and has no numbers.
    - sync: read at 1.980 GiB/s; half of the requests took up to 14.90 ms, 99 % up to 20.10 ms.

    - **Failed:** Failure in one of 2 Write tasklets: libaio, tasklet 1: cannot write /data/f.1: No space left on device, at offset 31457280, 1048576 bytes, ENOSPC; 3 loops were finished before; the JSON results have them
    - **Doubtful:** sync: read: buffered I/O measures the page cache
    - **Not as asked:** uring cannot run here: no such system call; use Linux 5.1 or later
    - **Not as asked:** block-size 100352 instead of 100000: O_DIRECT moves multiples of 512 bytes here
    - **Not as asked:** engine libaio,sync instead of all
    - **Not as asked:** memory-lock unlocked instead of locked: RLIMIT_MEMLOCK is 8 MiB

    | engine | mode | verdict | IOPS | GiB/s | time s | p50 | p99 | CPU/request | calls/request |
    | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | libaio | write | **FAILED** | - | - | - | - | - | - | - |
    | sync | read | doubtful | 2.048 k | 1.980 | 1.515 | 14.90 ms | 20.10 ms | 81.38 µs | 0.977 |

    Machine: aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One); 8.000 GiB of memory

    Target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes

    Plan: blocks of 100352 bytes, depth 32, 1 thread × 2 lanes, 3 loops after 1 to warm up, seed 0, O_DIRECT

    Requests: read 0123456789abcdef
    ");
}

#[test]
fn a_comparison_in_markdown() {
    let contest = Document::Comparison(Box::new(sample::contest()));
    let text = markdown::text(&sheet(sections_of(&contest, "")));
    insta::assert_snapshot!(text, @r"
    ## Random reads of 4 KiB: uring, libaio and sync

    - Random reads of 4 KiB: sync is slower than uring by 20.0 % (19.4–20.6); libaio: no difference larger than 3 % seen.
    - uring, the baseline, came to 100.0 k requests per second (the median of 10 rounds).

    | contestant | verdict | ratio | IOPS | GiB/s | p50 | p99 | p99.9 | CPU/request | calls/request |
    | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | uring | baseline | - | 100.0 k (98.50–101.5 k) | 0.381 | 300.0 µs | 500.0 µs | 900.0 µs | 4.000 µs | 0.100 |
    | libaio | no difference larger than 3 % seen (against uring) | 0.990 (0.973–1.008) | 99.00 k (97.52–100.5 k) | 0.377 | 303.0 µs | 505.1 µs | 909.1 µs | 4.040 µs | 0.100 |
    | sync | **slower by 20.0 % (19.4–20.6)** (against uring) | 0.800 (0.794–0.806) | 80.00 k (78.80–81.20 k) | 0.305 | 375.0 µs | 625.0 µs | 1.125 ms | 5.000 µs | 0.100 |

    Machine: aio 0.1.0 on Linux 6.18.0 x86_64, 2 CPUs (A Fast One); 8.000 GiB of memory

    Target: /data/f.0, 1 GiB, ext4, O_DIRECT in multiples of 512 bytes

    Plan: randread, blocks of 4 KiB in 1 GiB, depth 32, 1 thread, 1 loop of 1 s, seed 0, O_DIRECT

    Rounds: 10 rounds, in each of which every contestant ran once, in changing order; 31.50 s in all

    Requests: the same for all contestants, 29 runs compared, up to the last checkpoint in common (95.0 % of the slower one's requests)
    ");
}
