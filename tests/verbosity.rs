//! What `-v` and `-vv` say.

use crate::support::{ENGINES, Ended, Folder};

/// The requests of a loop of a lane that are listed on stderr, without what they begin with.
fn requests(ended: &Ended, place: &str) -> Vec<String> {
    let of = |line: &str| {
        let (_, rest) = line.split_once(&format!("{place} request "))?;
        Some(rest.split_once(": ")?.1.to_owned())
    };
    ended.stderr.lines().filter_map(of).collect()
}

#[test]
fn once_shows_the_first_tasklet_and_twice_its_requests_in_order() {
    let folder = Folder::new();
    let line = "--buffered --quiet --write-file w --write-size 16k --block-size 4k"
        .replace("--quiet ", "--engine sync --loops 1 --warmup-loops 0 --threads 2 ");
    let once = folder.aio(&format!("{line} -v")).code(0);
    assert!(once.stderr.contains("[write tid 0] main: "), "{}", once.stderr);
    assert!(
        !once.stderr.contains("tid 1") && !once.stderr.contains("request 0"),
        "{}",
        once.stderr
    );
    let twice = folder.aio(&format!("{line} -vv")).code(0);
    assert!(!twice.stderr.contains("tid 1"), "{}", twice.stderr);
    let expected = [0, 4096, 8192, 12288].map(|at| format!("write 4096 bytes at {at}"));
    assert_eq!(requests(&twice, "[write tid 0] lane 0 loop 0"), expected);
    let all = folder.aio(&format!("{line} -vv --log-tids all")).code(0);
    assert_eq!(requests(&all, "[write tid 1] lane 0 loop 0"), expected);
}

#[test]
fn a_random_pass_lists_every_block_once_the_same_for_all_engines() {
    let folder = Folder::new();
    folder.file("f", 1 << 20);
    let mut orders = Vec::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --file f --rw randread --block-size 64k --io-parallel 2 -vv"
        );
        let ended = folder.aio(&line).code(0);
        let of = |lane: u32| requests(&ended, &format!("[read tid 0] lane {lane} loop 0"));
        let order = [of(0), of(1)].concat();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let mut every: Vec<_> =
            (0..16).map(|block| format!("read 65536 bytes at {}", block * 65536)).collect();
        every.sort_unstable();
        assert_eq!(sorted, every, "{}", ended.stderr);
        orders.push(order);
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_is_listed_is_as_much_as_the_report_says() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --file f --rw randrw --size 256k --block-size 4k \
                --number-ios 50 --fsync 5 -vv --format json --keep";
    let ended = folder.aio(line).code(0);
    let listed = requests(&ended, "lane 0 loop 0");
    let directions = &ended.json()["engines"][0]["directions"];
    let of = |word: &str| listed.iter().filter(|one| one.starts_with(word)).count();
    assert_eq!(of("read "), usize::try_from(directions[0]["requests"].as_u64().unwrap()).unwrap());
    assert_eq!(of("write "), usize::try_from(directions[1]["requests"].as_u64().unwrap()).unwrap());
    let flushes = directions[1]["flushes"]["requests"].as_u64().unwrap();
    assert_eq!(of("fsync"), usize::try_from(flushes).unwrap());
    let verified = "--engine sync --buffered --file g --rw randwrite --size 4M --block-size 1k \
                    --verify crc32c -vv";
    let ended = folder.aio(verified).code(0);
    assert_eq!(requests(&ended, "lane 0 loop 0").len(), 1000);
    assert!(ended.stderr.contains("lane 0 loop 0: 3096 more requests are not listed"));
}

#[test]
fn a_plan_file_may_say_how_much_is_shown() {
    let folder = Folder::new();
    let write = |verbose: &str| {
        let plan =
            format!("engine = 'null'\nbuffered = true\nread-file = 'f'\nverbose = {verbose}\n");
        std::fs::write(folder.path().join("p.toml"), plan).expect("there is room");
    };
    folder.file("f", 1 << 20);
    for (verbose, logs, lists) in
        [("false", false, false), ("true", true, false), ("1", true, false), ("2", true, true)]
    {
        write(verbose);
        let said = folder.aio("run p.toml").code(0).stderr;
        assert_eq!((said.contains("] main: "), said.contains(" request 0: ")), (logs, lists));
    }
    write("'much'");
    folder.aio("run p.toml").refused(&["p.toml:4", "verbose is true, false, or how many times"]);
    let dumped = folder.aio("--read-file f -vv --dump-plan").code(0).stdout;
    assert!(dumped.contains("\nverbose = 2\n"), "{dumped}");
}
