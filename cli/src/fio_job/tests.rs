//! What job files come to in aio's flags, and what they may not say.

mod fuzzed;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::args::Catalogue;

/// Files that can be included.
fn included(path: &Path) -> Result<(String, String), Failure> {
    let files = BTreeMap::from([
        ("sub/more.fio", "bs=8k # of all\n\ninclude circle.fio"),
        ("sub/circle.fio", "iodepth=4"),
        ("sections.fio", "[x]"),
        ("self.fio", "include self.fio"),
    ]);
    let name = path.display().to_string();
    match files.get(name.as_str()) {
        Some(text) => Ok((name, (*text).to_owned())),
        None => Err(Failure::refused(anyhow::anyhow!("cannot read {name}"))),
    }
}

fn read(file: &str, text: &str, manner: Manner) -> Result<(Vec<Draft>, Remarks), String> {
    let variable = |name: &str| (name == "DEPTH").then(|| "7".to_owned());
    let surroundings = ini::Surroundings { variable: &variable, include: &included };
    let sections = ini::sections(file, text, &surroundings);
    let drafts = sections.and_then(|sections| drafts(&sections, manner));
    drafts.map_err(|failure| failure.sentence())
}

/// Each job as one line of flags.
#[track_caller]
fn flags(text: &str) -> Vec<String> {
    let (drafts, _) = read("j.fio", text, Manner::default()).unwrap_or_else(|refusal| {
        panic!("{text}\n{refusal}");
    });
    drafts.iter().map(one_line).collect()
}

fn one_line(draft: &Draft) -> String {
    let flag = |entry: &crate::jobs::Entry| match entry.values.as_slice() {
        [] => entry.flag.clone(),
        values => format!("{}={}", entry.flag, values.join("+")),
    };
    let flags: Vec<_> = draft.entries.iter().map(flag).collect();
    format!("{}: {}", draft.name, flags.join(" "))
}

/// What the lines of a job `[j]` with a file add to those of one that says nothing.
#[track_caller]
fn adds(lines: &str) -> String {
    let line = &flags(&format!("[j]\nfilename=f\n{lines}"))[0];
    let plain = flags("[j]\nfilename=f");
    let (line, plain): (Vec<_>, Vec<_>) =
        (line.split(' ').collect(), plain[0].split(' ').collect());
    let added = line.iter().filter(|word| !plain.contains(word)).map(ToString::to_string);
    let switches = plain.iter().filter(|word| !word.contains('=') && !line.contains(word));
    let all: Vec<_> = added.chain(switches.map(|word| format!("no {word}"))).collect();
    if all.is_empty() { "nothing more".into() } else { all.join(" ") }
}

fn additions<const N: usize>(jobs: [&str; N]) -> String {
    jobs.map(|lines| format!("{}\n  {}", lines.replace('\n', " | "), adds(lines))).join("\n")
}

fn refused(text: &str) -> String {
    match read("j.fio", text, Manner::default()) {
        Ok((drafts, _)) => {
            panic!("{text} is {:?}", drafts.iter().map(one_line).collect::<Vec<_>>())
        }
        Err(refusal) => refusal,
    }
}

#[test]
fn what_fio_takes_for_granted_is_said_aloud() {
    assert_eq!(
        flags("[j]\nfilename=f"),
        ["j: file=f block-size=4096 engine=sync queue-depth=1 buffered drop-cache keep"]
    );
}

#[test]
fn a_job_without_a_file_name_has_fios_own() {
    assert!(flags("[j]\nsize=1m")[0].contains("file=j.{tid}.0 "));
    assert!(flags("[j]\nname=n\ndirectory=/d/")[0].starts_with("n: file=/d/j.{tid}.0 "));
    assert!(flags("[j]\ndirectory=d\nfilename=f")[0].contains("file=d/f "));
}

#[test]
fn options_of_engines_and_files_are_said_in_aios_flags() {
    insta::assert_snapshot!(additions([
        "rw=randread\nbs=64k\nsize=1g\noffset=1m",
        "ioengine=libaio\niodepth=8",
        "ioengine=libaio\niodepth=8\niodepth_batch=16\niodepth_batch_complete_min=4",
        "ioengine=libaio\niodepth=8\niodepth_batch_submit=0",
        "ioengine=io_uring\niodepth=8\nregisterfiles\nfixedbufs=1\nhipri",
        "ioengine=io_uring\nsqthread_poll=1",
        "ioengine=pvsync2\nhipri=1",
        "direct=1",
        "direct=1\nbuffered=1",
        "direct=1\ninvalidate=1",
        "invalidate=0",
        "buffered=0",
        "unlink=1",
        "numjobs=4\nthread\ngroup_reporting\ndescription=what it is"
    ]),
            @r##"
            rw=randread | bs=64k | size=1g | offset=1m
              rw=randread block-size=65536 size=1073741824 offset=1048576
            ioengine=libaio | iodepth=8
              engine=libaio queue-depth=8 batch-submit=1
            ioengine=libaio | iodepth=8 | iodepth_batch=16 | iodepth_batch_complete_min=4
              engine=libaio queue-depth=8 batch-complete=4
            ioengine=libaio | iodepth=8 | iodepth_batch_submit=0
              engine=libaio queue-depth=8
            ioengine=io_uring | iodepth=8 | registerfiles | fixedbufs=1 | hipri
              engine=uring:fixed-files=on:fixed-buffers=on:iopoll=on queue-depth=8 batch-submit=1
            ioengine=io_uring | sqthread_poll=1
              engine=uring:fixed-files=on:fixed-buffers=off:sqpoll=on
            ioengine=pvsync2 | hipri=1
              engine=sync:hipri=on
            direct=1
              no buffered no drop-cache
            direct=1 | buffered=1
              nothing more
            direct=1 | invalidate=1
              no buffered no drop-cache
            invalidate=0
              no drop-cache
            buffered=0
              no buffered no drop-cache
            unlink=1
              no keep
            numjobs=4 | thread | group_reporting | description=what it is
              threads=4
            "##,
        );
}

#[test]
fn options_of_workloads_are_said_in_aios_flags() {
    insta::assert_snapshot!(additions([
        "runtime=30\ntime_based",
        "runtime=1500ms\ntime_based=1\nramp_time=2",
        "runtime=1m\nsize=4m",
        "runtime=1m\nsize=4m\nio_size=16m",
        "io_size=16m\nsize=4m",
        "size=4m\nnumber_ios=10",
        "size=4m\nnumber_ios=10000",
        "size=1GiB",
        "size=0",
        "loops=3\nsize=1m",
        "rw=randrw\nrwmixread=70",
        "rw=randrw\nrwmixwrite=70",
        "rw=randrw\nrwmixwrite=70\nrwmixread=30",
        "rwmixread=70",
        "rate_iops=100",
        "rate_iops=100,100\nrate_process=poisson",
        "rw=randread\nrandom_distribution=zipf:1.2",
        "random_distribution=random\nnorandommap\nrandseed=9",
        "norandommap=0\nrandrepeat=1",
        "size=1m\nbssplit=4k/60:64k/40",
        "size=1m\nbssplit=4k/50:1k/:32k/",
        "rw=write\nfsync=8\nend_fsync=1\nfdatasync=0",
        "rw=read\nfsync=8\nend_fsync=1",
        "rw=write\nverify=crc32c-intel\nbuffer_compress_percentage=50",
        "verify=0",
        "filename=a:b\\:c\nsize=8m\niodepth=1\nioengine=libaio\niodepth=4\nnumber_ios=64"
    ]),
            @r##"
            runtime=30 | time_based
              runtime=30000000us
            runtime=1500ms | time_based=1 | ramp_time=2
              ramp-time=2000000us runtime=1500000us
            runtime=1m | size=4m
              size=4194304 runtime=60000000us io-limit=4194304
            runtime=1m | size=4m | io_size=16m
              size=4194304 runtime=60000000us io-limit=16777216
            io_size=16m | size=4m
              size=4194304 io-limit=16777216
            size=4m | number_ios=10
              size=4194304 number-ios=10
            size=4m | number_ios=10000
              size=4194304 number-ios=1024
            size=1GiB
              size=1000000000
            size=0
              nothing more
            loops=3 | size=1m
              size=1048576 loops=3
            rw=randrw | rwmixread=70
              rw=randrw rwmixread=70
            rw=randrw | rwmixwrite=70
              rw=randrw rwmixread=30
            rw=randrw | rwmixwrite=70 | rwmixread=30
              rw=randrw rwmixread=30
            rwmixread=70
              nothing more
            rate_iops=100
              rate-iops=100
            rate_iops=100,100 | rate_process=poisson
              rate-iops=100,poisson
            rw=randread | random_distribution=zipf:1.2
              rw=randread random-distribution=zipf:1.2
            random_distribution=random | norandommap | randseed=9
              norandommap seed=9
            norandommap=0 | randrepeat=1
              nothing more
            size=1m | bssplit=4k/60:64k/40
              bssplit=4096/60:65536/40 size=1048576 io-limit=1048576
            size=1m | bssplit=4k/50:1k/:32k/
              bssplit=4096/50:1024/25:32768/25 size=1048576 io-limit=1048576
            rw=write | fsync=8 | end_fsync=1 | fdatasync=0
              rw=write fsync=8 end-fsync
            rw=read | fsync=8 | end_fsync=1
              rw=read
            rw=write | verify=crc32c-intel | buffer_compress_percentage=50
              rw=write compress-percentage=50 verify=crc32c
            verify=0
              nothing more
            filename=a:b\:c | size=8m | iodepth=1 | ioengine=libaio | iodepth=4 | number_ios=64
              file=a+b:c engine=libaio queue-depth=2 batch-submit=1 size=4194304 number-ios=32
            "##,
        );
}

#[test]
fn globals_are_of_all_jobs_behind_them_and_includes_of_their_section() {
    let text = "\
; a comment
[global]
include more.fio   # beside this file
[a]
  filename = f
[global again]
bs=16k
[b]
stonewall
filename=${DEPTH}${DEPTH}
iodepth=${DEPTH}
ioengine=libaio
";
    let (drafts, _) = read("sub/j.fio", text, Manner::default()).unwrap();
    let lines: Vec<_> = drafts.iter().map(one_line).collect();
    assert!(lines[0].contains("file=f block-size=8192"), "{lines:?}");
    assert!(lines[1].contains("file=77 block-size=16384 engine=libaio queue-depth=7"), "{lines:?}");
    let size = drafts[0].entries.iter().find(|entry| entry.flag == "block-size").unwrap();
    assert_eq!(size.place.to_string(), "sub/more.fio:1");
    assert_eq!((drafts[0].place.line, drafts[1].place.line), (4, 8));
}

#[test]
fn lenient_leaves_out_what_aio_does_not_have_and_says_so_once() {
    let text = "[global]\nexitall\nsize=1m\n[a]\n[b]\nrandrepeat=0\n[a]\nstonewall";
    let manner = Manner { is_lenient: true, has_engine: false };
    let (drafts, remarks) = read("j.fio", text, manner).unwrap();
    let names: Vec<_> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "a-2"]);
    insta::assert_snapshot!(remarks.ignored.join("\n"),
        @r##"
            j.fio:2: aio does not have fio's option "exitall"; ignored
            j.fio:5: fio runs this job at the same time as the one before, and aio one after the other; add stonewall to it, or numjobs to one job in place of several; ignored
            j.fio:6: randrepeat=0: aio's order is that of its seed; give randseed; ignored
            "##,
    );
    assert!(read("j.fio", "[j]\nbs=4%", manner).is_err(), "what it cannot read stays wrong");
}

#[test]
fn a_depth_that_fio_does_not_have_either_is_noted_and_an_engine_that_is_given_has_it() {
    let text = "[j]\nsize=1m\niodepth=8";
    let (drafts, remarks) = read("j.fio", text, Manner::default()).unwrap();
    assert!(one_line(&drafts[0]).contains("queue-depth=1 "));
    assert!(remarks.notes[0].starts_with("j.fio:3: iodepth=8 means 1"), "{remarks:?}");
    let manner = Manner { is_lenient: false, has_engine: true };
    assert!(read("j.fio", "[j]\nsize=1t\nioengine=null", manner).is_ok());
    let (drafts, remarks) = read("j.fio", text, manner).unwrap();
    assert!(one_line(&drafts[0]).contains("queue-depth=8 batch-submit=1 "));
    assert_eq!(remarks, Remarks::default());
}

#[test]
fn every_option_that_is_suggested_is_known() {
    for name in options::NAMES {
        let refusal = read("j.fio", &format!("[j]\nsize=1m\n{name}=?"), Manner::default());
        let refusal = refusal.err().unwrap_or_default();
        assert!(!refusal.contains("does not have fio's option"), "{refusal}");
    }
}

/// Lines that are often right.
fn line() -> impl Strategy<Value = String> {
    let names = prop::sample::select(options::NAMES.to_vec());
    let values = prop_oneof![
        "[0-9]{1,20}[a-zA-Z%]{0,3}",
        prop::sample::select(vec![
            "0",
            "1",
            "randrw",
            "write",
            "libaio",
            "io_uring",
            "4k/60:64k/40",
            "zipf:1.1",
            "a:b",
            "4k,4k",
            "poisson",
            "crc32c",
            "${DEPTH}",
            "",
            "{tid}",
            "\\:",
            "\u{e9}",
        ])
        .prop_map(String::from),
        ".{0,8}",
    ];
    prop_oneof![
        (names, values).prop_map(|(name, value)| format!("{name}={value}")),
        prop::sample::select(vec![
            "[a]",
            "[global]",
            "stonewall",
            "time_based",
            "include sub/more.fio",
            "; x",
            "[",
            "=",
        ])
        .prop_map(String::from),
        ".{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_file_makes_the_reader_panic_and_what_it_accepts_are_known_flags(
        lines in prop::collection::vec(line(), 0..8),
        is_lenient: bool,
        has_engine: bool,
    ) {
        let text = format!("[j]\nsize=1m\n{}", lines.join("\n"));
        match read("j.fio", &text, Manner { is_lenient, has_engine }) {
            Err(refusal) => {
                prop_assert!(!refusal.contains('\n'), "{}", refusal);
                prop_assert!(refusal.contains(".fio:"), "{}", refusal);
            }
            Ok((drafts, _)) => {
                let catalogue = Catalogue::of_run();
                for entry in drafts.iter().flat_map(|draft| &draft.entries) {
                    let known = catalogue.find(&entry.flag).map(|flag| &flag.name);
                    prop_assert_eq!(known, Some(&entry.flag));
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in "(?s).{0,200}") {
        let _either = read("j.fio", &text, Manner::default());
    }
}
