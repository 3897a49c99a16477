//! Job files of any text.

use aio_core::testing::{fuzz_text, one_sentence};

use super::super::options::NAMES;
use super::*;
use crate::lower::lower;
use crate::voice::printable;

fn told(sentence: &str) -> String {
    one_sentence(&printable(sentence));
    sentence.into()
}

fn tried(text: &str) -> String {
    let lenient = Manner { is_lenient: true, has_engine: false };
    let mut way = String::new();
    for manner in [Manner::default(), lenient] {
        match read("j.fio", text, manner) {
            Err(refusal) => way += &told(&refusal),
            Ok((drafts, remarks)) => {
                for said in remarks.notes.iter().chain(&remarks.ignored) {
                    way += &told(said);
                }
                match crate::jobs::typed(&drafts, &[]) {
                    Err(failure) => way += &told(&failure.sentence()),
                    Ok(jobs) => jobs.iter().for_each(|job| {
                        let lowered = lower(&job.args).map_err(Failure::refused);
                        way += &lowered
                            .map_or_else(|failure| told(&failure.sentence()), |_| " a plan".into());
                    }),
                }
            }
        }
    }
    way
}

#[test]
fn fuzzed_job_files_are_jobs_or_refused_in_a_sentence() {
    let corpus = [
        "[global]\nioengine=libaio\nbs=4k\ndirect=1\n[a]\nfilename=/f\nrw=randread\nsize=1g\niodepth=32\n\
         [b]\nstonewall\nrw=randwrite\nfilename=g:h\nruntime=10s\ntime_based\n",
        "; c\n[j]\nbssplit=4k/60:64k/40\nrw=randrw\nrwmixread=70\ndirectory=d\nnumjobs=2\nsize=1MiB\n",
        "[x]\ninclude sub/more.fio\niodepth=${DEPTH}\nrandom_distribution=zipf:1.1\nrate_iops=100\n",
        "[v]\nfilename=f\nrw=write\nverify=crc32c\nfsync=8\nend_fsync=1\nramp_time=2s\nloops=3\n",
    ];
    let names = NAMES.map(|name| format!("\n{name}="));
    let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
    words.extend([
        "[global]",
        "[j]\n",
        "\n",
        "include self.fio\n",
        "${DEPTH}",
        "${",
        "$ncpus",
        "4k",
        "1MiB",
    ]);
    words.extend([
        "io_uring",
        "libaio",
        "psync",
        "randwrite",
        "0",
        "1",
        "100%",
        "/",
        ":",
        ",",
        "zipf:1.1",
    ]);
    fuzz_text("job files", &corpus, &words, tried);
}

#[test]
fn more_jobs_than_anybody_runs_are_refused_before_each_has_all_that_is_global() {
    let jobs = "[j]\n".repeat(50_000);
    let many = "j.fio:1001: there are more than 1000 jobs, and no file has as many";
    assert_eq!(refused(&jobs), many);
    let text = format!("[global]\n{}{jobs}", "bs=4k\n".repeat(500));
    assert_eq!(refused(&text), "j.fio:541: the jobs have more than 20000 options in all");
}

#[test]
fn includes_that_multiply_are_refused_before_they_fill_the_memory() {
    // Each file has the next one ten times over, which makes 10^15 lines in the end.
    let include = |path: &Path| {
        let number: u32 = path.display().to_string().parse().unwrap_or(99);
        let text = format!("include {}\n", number + 1).repeat(10);
        Ok((number.to_string(), if number < 15 { text } else { "bs=4k".into() }))
    };
    let variable = |_: &str| None;
    let surroundings = ini::Surroundings { variable: &variable, include: &include };
    let refused = ini::sections("j.fio", "[j]\ninclude 1\n", &surroundings).unwrap_err();
    let refused = refused.sentence();
    assert!(refused.ends_with("more than 1000 files are included"), "{refused}");
}
