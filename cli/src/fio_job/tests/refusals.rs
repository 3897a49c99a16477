//! What job files may not say, and how that is told.

use super::*;

fn refusals<const N: usize>(texts: [&str; N]) -> String {
    texts.map(|text| format!("{text:?}\n  {}", refused(text))).join("\n")
}

#[test]
fn what_is_no_job_file_is_refused_with_its_line() {
    insta::assert_snapshot!(refusals([
        "",
        "[global]\nbs=4k",
        "bs=4k\n[j]",
        "[]",
        "[j",
        "[j]\n=4k",
    ]),
            @r##"
            ""
              j.fio:1: there is no job: no section but [global]
            "[global]\nbs=4k"
              j.fio:1: there is no job: no section but [global]
            "bs=4k\n[j]"
              j.fio:1: this stands above the first section
            "[]"
              j.fio:1: a section is a name in brackets, such as [job]
            "[j"
              j.fio:1: a section is a name in brackets, such as [job]
            "[j]\n=4k"
              j.fio:2: there is no option before the =
            "##,
        );
}

#[test]
fn what_means_something_else_in_aio_is_refused_with_its_line() {
    insta::assert_snapshot!(refusals([
        "[j]\nthinktime=5",
        "[j]\niodpeth=5",
        "[j]\nrw=randrw:8",
        "[j]\nrw=trimwrite",
        "[j]\nrw=",
        "[j]\nbs=4k,8k",
        "[j]\nbs=4.5k",
        "[j]\nbs=-4k",
        "[j]\nbs=(4*1024)",
        "[j]\nsize=50%",
        "[j]\nsize=99999999999999999999",
        "[j]\nsize=999999999p",
        "[j]\nsize=1zb",
        "[j]\nruntime=1w",
        "[j]\nruntime=10",
        "[j]\ntime_based",
        "[j]\ntime_based\nruntime=1\nio_size=1m",
        "[j]\nnumber_ios=5",
        "[j]\nloops=2\nsize=1m\nio_size=2m"
    ]),
            @r##"
            "[j]\nthinktime=5"
              j.fio:2: aio does not have fio's option "thinktime"; --lenient goes on without it
            "[j]\niodpeth=5"
              j.fio:2: aio does not have fio's option "iodpeth" (did you mean iodepth?); --lenient goes on without it
            "[j]\nrw=randrw:8"
              j.fio:2: aio has no rw=randrw:8; it has read, write, randread, randwrite, rw, randrw, trim and randtrim, and nothing behind a colon
            "[j]\nrw=trimwrite"
              j.fio:2: aio has no rw=trimwrite; it has read, write, randread, randwrite, rw, randrw, trim and randtrim, and nothing behind a colon
            "[j]\nrw="
              j.fio:2: rw needs a value
            "[j]\nbs=4k,8k"
              j.fio:2: bs differs between reads and writes (4k,8k), which aio does not have
            "[j]\nbs=4.5k"
              j.fio:2: bs is a whole number with or without k, m, g, t or p, and not "4.5k"
            "[j]\nbs=-4k"
              j.fio:2: bs is a whole number with or without k, m, g, t or p, and not "-4k"
            "[j]\nbs=(4*1024)"
              j.fio:2: bs is a whole number with or without k, m, g, t or p, and not "(4*1024)"
            "[j]\nsize=50%"
              j.fio:2: aio knows no size in percent (50%); give bytes
            "[j]\nsize=99999999999999999999"
              j.fio:2: size is a whole number with or without k, m, g, t or p, and not "99999999999999999999"
            "[j]\nsize=999999999p"
              j.fio:2: size is a whole number with or without k, m, g, t or p, and not "999999999p"
            "[j]\nsize=1zb"
              j.fio:2: size is a whole number with or without k, m, g, t or p, and not "1zb"
            "[j]\nruntime=1w"
              j.fio:2: runtime is a whole number of seconds, or one with us, ms, s, m, h or d, and not "1w"
            "[j]\nruntime=10"
              j.fio:2: runtime needs size, because fio ends when it has been through the file; or add time_based, with runtime
            "[j]\ntime_based"
              j.fio:2: time_based needs runtime, which says how long
            "[j]\ntime_based\nruntime=1\nio_size=1m"
              j.fio:2: io_size ends nothing with time_based
            "[j]\nnumber_ios=5"
              j.fio:2: number_ios needs size, because fio ends where the file does
            "[j]\nloops=2\nsize=1m\nio_size=2m"
              j.fio:2: loops and io_size together mean something else in aio, where each loop has its own end
            "##,
        );
}

#[test]
fn what_aio_does_not_have_is_refused_with_its_line() {
    insta::assert_snapshot!(refusals([
        "[j]\ndirect=yes",
        "[j]\nioengine=mmap",
        "[j]\nioengine=libaio\nfixedbufs",
        "[j]\nioengine=libaio\nhipri",
        "[j]\niodepth_batch_complete_min=0",
        "[j]\nrwmixread=101\nrw=rw",
        "[j]\nrwmixread=30\nrwmixwrite=30",
        "[j]\nrw=randrw\nrate_iops=5",
        "[j]\nrate_iops=5\nrate_process=thinktime",
        "[j]\nrandom_distribution=zoned:50/5:50/95",
        "[j]\nrandom_distribution=zipf",
        "[j]\nrandrepeat=0",
        "[j]\nbssplit=4k/60:64k/60",
        "[j]\nbssplit=4k/60:64k/30",
        "[j]\nbssplit=4k/x",
        "[j]\nbssplit=4k/50:8k/50",
        "[j]\nbssplit=4k/50,8k/50",
        "[j]\nverify=md5",
        "[j]\nfilename=a::b",
        "[j]\nfilename=-",
        "[j]\nfilename={tid}",
        "[j]\nfilename=a:b:c\nsize=1m",
    ]),
            @r##"
            "[j]\ndirect=yes"
              j.fio:2: direct is 0 or 1, and not "yes"
            "[j]\nioengine=mmap"
              j.fio:2: aio has no engine like ioengine=mmap; it has io_uring, libaio, null and those that read and write by calls (psync, sync, pvsync, pvsync2)
            "[j]\nioengine=libaio\nfixedbufs"
              j.fio:3: fixedbufs is no option of ioengine=libaio
            "[j]\nioengine=libaio\nhipri"
              j.fio:3: hipri is no option of ioengine=libaio
            "[j]\niodepth_batch_complete_min=0"
              j.fio:2: iodepth_batch_complete_min=0 looks for completions without waiting, which aio does not; give at least 1
            "[j]\nrwmixread=101\nrw=rw"
              j.fio:2: rwmixread is at most 100, and not 101
            "[j]\nrwmixread=30\nrwmixwrite=30"
              j.fio:3: rwmixread=30 and rwmixwrite=30 do not come to 100
            "[j]\nrw=randrw\nrate_iops=5"
              j.fio:3: rate_iops holds for reads and writes each in fio, and for both together in aio; give --rate-iops
            "[j]\nrate_iops=5\nrate_process=thinktime"
              j.fio:2: aio has no rate_process=thinktime
            "[j]\nrandom_distribution=zoned:50/5:50/95"
              j.fio:2: aio has no random_distribution=zoned:50/5:50/95; it has random, zipf:θ, pareto:h and normal:σ with one number
            "[j]\nrandom_distribution=zipf"
              j.fio:2: aio has no random_distribution=zipf; it has random, zipf:θ, pareto:h and normal:σ with one number
            "[j]\nrandrepeat=0"
              j.fio:2: randrepeat=0: aio's order is that of its seed; give randseed; --lenient goes on without it
            "[j]\nbssplit=4k/60:64k/60"
              j.fio:2: the shares of bssplit=4k/60:64k/60 do not come to 100 percent
            "[j]\nbssplit=4k/60:64k/30"
              j.fio:2: the shares of bssplit=4k/60:64k/30 do not come to 100 percent
            "[j]\nbssplit=4k/x"
              j.fio:2: "x" in bssplit is no share in percent
            "[j]\nbssplit=4k/50:8k/50"
              j.fio:1: bssplit needs size, because fio ends when it has been through the file; or add time_based, with runtime
            "[j]\nbssplit=4k/50,8k/50"
              j.fio:2: bssplit differs between reads and writes (4k/50,8k/50), which aio does not have
            "[j]\nverify=md5"
              j.fio:2: aio has no verify=md5; it has crc32c and pattern, and --verify xxh3
            "[j]\nfilename=a::b"
              j.fio:2: filename has an empty name between its colons
            "[j]\nfilename=-"
              j.fio:2: filename means stdin or stdout, which have no blocks
            "[j]\nfilename={tid}"
              j.fio:2: filename has a word in braces that aio would replace
            "[j]\nfilename=a:b:c\nsize=1m"
              j.fio:1: fio goes through the 3 files in turn; aio has threads for each of them, and iodepth=1 cannot be shared out evenly to them
            "##,
        );
}

#[test]
fn a_file_or_a_job_that_aio_cannot_have_is_refused_with_its_line() {
    insta::assert_snapshot!(
        refusals([
            "[a/b]\nsize=1m",
            "[j]\ndirectory=a:b",
            "[j]\ndirectory=a\nfilename=/b",
            "[j]\niodepth=$ncpus",
            "[j]\niodepth=${NOTHING}",
            "[j]\ninclude nothing.fio",
            "[j]\ninclude sections.fio",
            "[j]\ninclude self.fio",
            "[a]\nsize=1m\n[b]\nsize=1m",
            "[a]\nsize=1m\n[b]\nsize=1m\nstonewall=0"
        ]),
        @r##"
            "[a/b]\nsize=1m"
              j.fio:1: "a/b" would be the name of a file; give a filename
            "[j]\ndirectory=a:b"
              j.fio:2: fio deals its clones out to several directories, as aio does not
            "[j]\ndirectory=a\nfilename=/b"
              j.fio:3: /b is no name within a directory
            "[j]\niodepth=$ncpus"
              j.fio:2: aio does not calculate with $ncpus; write the number
            "[j]\niodepth=${NOTHING}"
              j.fio:2: the environment has no variable "NOTHING"
            "[j]\ninclude nothing.fio"
              j.fio:2: cannot read nothing.fio
            "[j]\ninclude sections.fio"
              sections.fio:1: a file that is included has options and no sections
            "[j]\ninclude self.fio"
              self.fio:1: includes are more than 16 deep
            "[a]\nsize=1m\n[b]\nsize=1m"
              j.fio:3: fio runs this job at the same time as the one before, and aio one after the other; add stonewall to it, or numjobs to one job in place of several; --lenient goes on without it
            "[a]\nsize=1m\n[b]\nsize=1m\nstonewall=0"
              j.fio:3: fio runs this job at the same time as the one before, and aio one after the other; add stonewall to it, or numjobs to one job in place of several; --lenient goes on without it
        "##,
    );
}
