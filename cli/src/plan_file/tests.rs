//! What plan files say, what they may not say, and that they read back to what they were made of.

use std::ffi::OsString;

use proptest::prelude::*;

use super::*;
use crate::args::{Args, Asked, Catalogue, Given, parse};
use crate::jobs::typed;
use crate::lower::lower;

fn args(words: &[String]) -> Args {
    let line = std::iter::once("aio").chain(words.iter().map(String::as_str)).map(OsString::from);
    match parse(line) {
        Ok(Asked::Run(args)) => *args,
        Ok(_) => panic!("{words:?} is no run"),
        Err(failure) => panic!("{words:?} is refused: {}", failure.sentence()),
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(String::from).collect()
}

/// Whether no file says it.
fn is_only_typed(one: &Given) -> bool {
    read::ONLY_TYPED.contains(&one.flag.as_str())
}

/// The jobs of the plan file `text` with the flags of `line` over them.
fn read(text: &str, line: &str) -> Result<Vec<Job>, String> {
    let given = args(&words(line)).given;
    let drafts = read::drafts("p.toml", text).map_err(|failure| failure.sentence())?;
    typed(&drafts, &given).map_err(|failure| failure.sentence())
}

#[track_caller]
fn only(text: &str) -> Args {
    let mut jobs = read(text, "").unwrap_or_else(|refusal| panic!("{text}\n{refusal}"));
    assert_eq!(jobs.len(), 1);
    jobs.remove(0).args
}

fn refusals<const N: usize>(texts: [&str; N]) -> String {
    texts.map(|text| format!("{text:?}\n  {}", read(text, "").expect_err(text))).join("\n")
}

#[test]
fn jobs_share_defaults_and_the_command_line_wins_over_both() {
    let text = "\
block-size = '4k'
engine = ['uring', 'sync']
[defaults]
queue_depth = 8
buffered = true
[[job]]
name = 'a'
file = 'f'
[[job]]
read-file = 'g'
queue-depth = 16
buffered = false
";
    let jobs = read(text, "--block-size 8k --seed 3").unwrap();
    let shown = |job: &Job| {
        let tuning = &job.args.tuning;
        (
            job.name.clone(),
            job.args.engines.clone(),
            (tuning.block_size_bytes, tuning.queue_depth, tuning.buffered),
            job.args.workload.seed,
        )
    };
    let engines = || vec!["uring".to_owned(), "sync".to_owned()];
    assert_eq!(shown(&jobs[0]), ("a".into(), engines(), (8192, 8, true), 3));
    assert_eq!(shown(&jobs[1]), ("job2".into(), engines(), (8192, 16, false), 3));
    assert_eq!((jobs[0].place.line, jobs[1].place.line), (6, 9));
}

#[test]
fn a_file_without_jobs_is_one_job() {
    let args = only("file = 'f'\nruntime = 0.5\nseed = 18_446_744_073_709_551_615\nloops = 0x10");
    assert_eq!(args.blocks.runtime_ns, Some(500_000_000));
    assert_eq!((args.workload.seed, args.tuning.loops), (u64::MAX, Some(16)));
    assert_eq!(read("name = 'x'\nfile = 'f'", "").unwrap()[0].name, "x");
}

#[test]
fn an_empty_list_undoes_a_default() {
    let text = "cpus = [0, '2-3']\n[[job]]\nfile = 'f'\n[[job]]\nfile = 'f'\ncpus = []";
    let jobs = read(text, "").unwrap();
    assert_eq!(jobs[0].args.tuning.cpus.concat(), [0, 2, 3]);
    assert_eq!(jobs[1].args.tuning.cpus.concat(), [0_u32; 0]);
}

#[test]
fn a_value_is_never_taken_for_a_flag_or_a_command() {
    let args = only("read-file = '--strict'\nfolder-to-device-mapping = []\nengine = ['engines']");
    assert_eq!(args.workload.read_file.as_deref(), Some(Path::new("--strict")));
    assert!(!args.safety.strict);
}

#[test]
fn what_is_no_plan_is_refused_with_its_line_and_what_was_meant() {
    insta::assert_snapshot!(refusals([
        "",
        "# nothing",
        "file = 'f'\nblock-sise = '4k'",
        "file = 'f'\n\nxyzzy = 1",
        "[[jobs]]\nfile = 'f'",
        "[job]\nfile = 'f'",
        "job = 3",
        "job = []",
        "[[job]]\n[[job]]\nfile = 'f'",
        "[[job]]\nfile = 'f'\nname = 'a'\n[[job]]\nname = 'a'\nfile = 'f'",
        "name = 'a'\n[[job]]\nfile = 'f'",
        "name = ''\nfile = 'f'",
        "defaults = 1\nfile = 'f'",
        "[defaults]\nname = 'a'"
    ]),
            @r##"
            ""
              p.toml:1: job "job1" says nothing
            "# nothing"
              p.toml:1: job "job1" says nothing
            "file = 'f'\nblock-sise = '4k'"
              p.toml:2: unknown key "block-sise"; did you mean "block-size"?
            "file = 'f'\n\nxyzzy = 1"
              p.toml:3: unknown key "xyzzy"; keys are the long names of the flags that aio --help lists
            "[[jobs]]\nfile = 'f'"
              p.toml:1: unknown key "jobs"; did you mean [[job]]?
            "[job]\nfile = 'f'"
              p.toml:1: jobs are tables of a list: [[job]], not [job]
            "job = 3"
              p.toml:1: jobs are tables of a list: [[job]], not [job]
            "job = []"
              p.toml:1: the list of jobs is empty
            "[[job]]\n[[job]]\nfile = 'f'"
              p.toml:1: job "job1" says nothing
            "[[job]]\nfile = 'f'\nname = 'a'\n[[job]]\nname = 'a'\nfile = 'f'"
              p.toml:4: a job before has the name "a" too
            "name = 'a'\n[[job]]\nfile = 'f'"
              p.toml:1: name is a job's: put it below [[job]]
            "name = ''\nfile = 'f'"
              p.toml:1: a name is a string of some letters
            "defaults = 1\nfile = 'f'"
              p.toml:1: defaults is a table: [defaults]
            "[defaults]\nname = 'a'"
              p.toml:2: unknown key "name"; keys are the long names of the flags that aio --help lists
            "##,
        );
}

#[test]
fn a_value_that_is_wrong_is_refused_with_its_line() {
    insta::assert_snapshot!(refusals([
        "file = 'f'\nblock-size = 0",
        "file = 'f'\nblock-size = true",
        "file = 'f'\nbuffered = 1",
        "file = 'f'\nqueue-depth = [1, 2]",
        "engine = [true]",
        "seed = 1979-05-27",
        "runtime = inf\nfile = 'f'",
        "loops = -1\nfile = 'f'",
        "seed = {a = 1}",
        "bs = '4k'\nblock_size = '8k'",
        "bs = '4k'\n[defaults]\nblock_size = '8k'",
        "seed = 1\nseed = 2",
        "[[job]]\nfile = 'f'\nformat = 'json'",
        "[[job]]\nfile = 'f'\ndump-plan = true",
        "help = true",
        "file = 'f'\nread-file = 'g'",
        "file = ''",
        "file = 'f",
        "= 1"
    ]),
            @r#"
            "file = 'f'\nblock-size = 0"
              p.toml:2: invalid value '0' for '--block-size <SIZE>': give at least 1 byte
            "file = 'f'\nblock-size = true"
              p.toml:2: block-size is a string or a number
            "file = 'f'\nbuffered = 1"
              p.toml:2: buffered is true or false
            "file = 'f'\nqueue-depth = [1, 2]"
              p.toml:2: queue-depth is a string or a number
            "engine = [true]"
              p.toml:1: engine takes a list of strings or numbers
            "seed = 1979-05-27"
              p.toml:1: seed is a string or a number
            "runtime = inf\nfile = 'f'"
              p.toml:1: invalid value 'inf' for '--runtime <TIME>': a time is a number of seconds, or a number with us, ms, s, m, h or d, such as 10, 500ms or 1.5m
            "loops = -1\nfile = 'f'"
              p.toml:1: invalid value '-1' for '--loops <N>': give a whole number from 1 to 1000000
            "seed = {a = 1}"
              p.toml:1: seed is a string or a number
            "bs = '4k'\nblock_size = '8k'"
              p.toml:2: block-size stands in line 1 already
            "bs = '4k'\n[defaults]\nblock_size = '8k'"
              p.toml:3: block-size stands in line 1 already
            "seed = 1\nseed = 2"
              p.toml:2: duplicate key
            "[[job]]\nfile = 'f'\nformat = 'json'"
              p.toml:3: format is of the whole run and not of a job; put it above the jobs
            "[[job]]\nfile = 'f'\ndump-plan = true"
              p.toml:3: dump-plan is for the command line and has no meaning in a file
            "help = true"
              p.toml:1: unknown key "help"; keys are the long names of the flags that aio --help lists
            "file = 'f'\nread-file = 'g'"
              p.toml:2: the argument '--file <FILE>...' cannot be used with '--read-file <FILE>'
            "file = ''"
              p.toml:1: a value is required for '--file <FILE>...' but none was supplied
            "file = 'f"
              p.toml:1: invalid literal string, expected `'`
            "= 1"
              p.toml:1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
            "#,
        );
}

#[test]
fn a_plan_that_flags_do_not_allow_is_refused_when_it_is_lowered() {
    let jobs = read("size = '1M'\nread-file = 'f'", "").unwrap();
    assert!(lower(&jobs[0].args).unwrap_err().to_string().starts_with("--size needs --file"));
}

/// That `dumped` reads back to what `args` says, in every field.
#[track_caller]
fn reads_back(args: &Args, dumped: &str) {
    let back = only(dumped);
    let shown = |args: &Args| {
        let text = format!("{args:?}").replace("dump_plan: true", "dump_plan: false");
        text.replace("yes: true", "yes: false")
    };
    let without = |args: &Args| {
        args.given.iter().filter(|one| !is_only_typed(one)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(without(args), without(&back), "{dumped}");
    let (mut one, mut other) = (shown(args), shown(&back));
    for text in [&mut one, &mut other] {
        text.truncate(text.find("given: [").expect("it is the last field"));
    }
    assert_eq!(one, other, "{dumped}");
    if let (Ok(one), Ok(other)) = (lower(args), lower(&back)) {
        assert_eq!(one, other, "{dumped}");
    }
}

#[test]
fn a_dumped_command_line_reads_back_to_the_same() {
    for line in [
        "--read-file f",
        "--engine uring:sqpoll=on,sync --engine null --write-file w --write-size 1M,2M --dump-plan",
        "--folder a b --io-size 1.5G --read --threads 2 --io-parallel 3 --keep --strict",
        "--folder-to-device-mapping a:0 b:1 --io-size 4096 --different-file-each-iteration",
        "--file f --rw randread --bs 4k --size 64M --runtime 0.5 --number-ios 9 --iodepth 1",
        "--file f --seed 18446744073709551615 --cpus 0,4-6 --memory 4k --numa-node 0",
        "--read-file f --format fio-json --output r --quiet --dry-run --overlap-events",
        "--read-file f --single-submit --batch-complete 4 --sequential-requests -v --log-tids 0,3",
        "--write-file /dev/x --write-size 1k --allow-device /dev/x --allow-device /dev/y",
        "--read-file a\\b\"c'd#e{tid}é=",
    ] {
        let args = args(&words(line));
        reads_back(&args, &dump_run(&args.given).unwrap());
    }
}

#[test]
fn the_dump_says_what_was_given_and_as_comments_what_was_not() {
    let given = args(&words("--file f --rw randread --engine sync --engine null --loops 3")).given;
    let text = dump_run(&given).unwrap();
    let (said, left) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!(said.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    # A plan of aio VERSION, for aio run.
    engine = ["sync", "null"]
    file = "f"
    rw = "randread"
    loops = 3
    "#);
    assert!(left.lines().all(|line| line.starts_with("# ")), "{left}");
    assert!(left.contains("\n# block-size = \"1M\"\n# queue-depth = 32\n"), "{left}");
}

#[test]
fn several_jobs_are_dumped_with_what_is_of_the_whole_run_above_them() {
    let text = "format = 'csv'\nseed = 2\n[[job]]\nfile = 'f'\n[[job]]\nname = 'b \"2\"'\nfile='g'";
    let jobs = read(text, "--quiet --loops 4").unwrap();
    let named: Vec<_> =
        jobs.iter().map(|job| (job.name.as_str(), job.args.given.as_slice())).collect();
    let dumped = dump(&named).unwrap();
    let back = read(&dumped, "").unwrap();
    for (job, back) in jobs.iter().zip(&back) {
        assert_eq!(job.name, back.name);
        assert_eq!(lower(&job.args).unwrap(), lower(&back.args).unwrap());
        assert_eq!(job.args.listing.format, back.args.listing.format);
        assert_eq!(job.args.loudness.quiet, back.args.loudness.quiet);
    }
    assert_eq!(dumped.matches("format").count(), 1, "{dumped}");
}

#[test]
fn a_path_that_is_not_utf_8_cannot_be_dumped() {
    use std::os::unix::ffi::OsStringExt;
    let given =
        Given { flag: "read-file".into(), values: vec![OsString::from_vec(vec![b'a', 255])] };
    let refusal = dump_run(&[given]).unwrap_err().sentence();
    assert!(refusal.contains("not UTF-8"), "{refusal}");
}

#[test]
fn what_is_of_the_whole_run_are_flags() {
    let catalogue = Catalogue::of_run();
    for name in read::OF_THE_RUN.iter().chain(&read::ONLY_TYPED) {
        assert_eq!(catalogue.find(name).map(|flag| flag.name.as_str()), Some(*name));
    }
}

/// A flag of the catalogue with values that are often accepted.
fn flag() -> impl Strategy<Value = Vec<String>> {
    let values = prop_oneof![
        (1_u64..5000).prop_map(|number| number.to_string()),
        (1_u64..64).prop_map(|number| format!("{number}k")),
        prop::sample::select(vec![
            "read",
            "randwrite",
            "1.5M",
            "500ms",
            "thp",
            "4k",
            "sync",
            "uring:sqpoll=on",
            "0-3",
            "all",
            "json",
            "text",
            "18446744073709551615",
            "007",
            "+5",
            "1e3",
            "0x10",
            "true",
            "null",
            "a:0",
            "",
        ])
        .prop_map(String::from),
        "[ -~é\\t]{1,12}",
    ];
    let names: Vec<_> = Catalogue::of_run().flags().to_vec();
    (prop::sample::select(names), prop::collection::vec(values, 1..4)).prop_map(|(flag, values)| {
        let word = |value: &String| format!("--{}={value}", flag.name);
        match flag.takes {
            crate::args::Takes::Nothing | crate::args::Takes::Times => {
                vec![format!("--{}", flag.name)]
            }
            crate::args::Takes::One => vec![word(&values[0])],
            crate::args::Takes::Many => values.iter().map(word).collect(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_command_line_that_is_accepted_reads_back_from_its_dump(
        flags in prop::collection::vec(flag(), 1..6)
    ) {
        let line = std::iter::once("aio".to_owned()).chain(flags.concat()).map(OsString::from);
        if let Ok(Asked::Run(args)) = parse(line)
            && !args.given.iter().all(is_only_typed)
        {
            reads_back(&args, &dump_run(&args.given).unwrap());
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic_and_a_refusal_is_one_line(text in "(?s).{0,200}") {
        if let Err(refusal) = read(&text, "") {
            prop_assert!(!refusal.contains('\n') && refusal.starts_with("p.toml:"), "{}", refusal);
        }
    }

    #[test]
    fn a_file_with_a_few_bytes_changed_makes_no_panic(
        changes in prop::collection::vec((0_usize..400, any::<u8>()), 1..6)
    ) {
        let mut bytes = include_bytes!("../../../docs/example.toml").to_vec();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let _either = read(&text, "");
        }
    }
}
