//! The way of requests on synthetic kernels: what they grant, and what comes of it.

use std::fmt::Write;

use aio_core::receipt::Receipt;

use super::*;

/// `IORING_FEAT_*` by the version of Linux that added them, as bits of `io_uring_params.features`.
const FEATURES: [(u32, u32); 11] = [
    (504, 1 << 0),
    (505, 1 << 1 | 1 << 2),
    (506, 1 << 3 | 1 << 4),
    (507, 1 << 5),
    (509, 1 << 6),
    (511, 1 << 7 | 1 << 8),
    (512, 1 << 9),
    (513, 1 << 10),
    (517, 1 << 11 | 1 << 12),
    (603, 1 << 13),
    (612, 1 << 14 | 1 << 15),
];
const NEWEST: u32 = 618;

/// Linux `version`, as 506 for 5.6, that tells its opcodes if it can.
fn linux(version: u32) -> Abilities {
    let features = FEATURES.iter().filter(|(since, _)| *since <= version);
    let features = Features(features.fold(0, |bits, (_, feature)| bits | feature));
    let number = |since: &str| {
        let (major, minor) = since.split_once('.').unwrap();
        major.parse::<u32>().unwrap() * 100 + minor.parse::<u32>().unwrap()
    };
    let opcodes_are_told = version >= 506;
    let opcodes = if opcodes_are_told {
        Opcodes::that(|opcode| number(opcode.since) <= version)
    } else {
        Opcodes::assumed(features)
    };
    Abilities { features, opcodes, opcodes_are_told }
}

/// A kernel whose `io_uring_register` a filter forbids.
fn mute(kernel: Abilities) -> Abilities {
    let opcodes = Opcodes::assumed(kernel.features);
    Abilities { opcodes, opcodes_are_told: false, ..kernel }
}

/// A kernel on which `opcodes` are restricted.
fn without(kernel: Abilities, opcodes: &[Opcode]) -> Abilities {
    let left = Opcodes::that(|opcode| kernel.has(opcode) && !opcodes.contains(&opcode));
    Abilities { opcodes: left, ..kernel }
}

const BOTH: &[Operation] = &[Operation::Read, Operation::Write];
const FLUSHED: &[Operation] = &[Operation::Write, Operation::Fdatasync];
const TRIMMED: &[Operation] = &[Operation::Read, Operation::Trim];

const REGISTERED: Registered =
    Registered { files: Registration::Done, buffers: Registration::Done };
const REFUSED: Registered =
    Registered { files: Registration::NotDone, buffers: Registration::NotDone };

fn way(
    kernel: Abilities,
    options: &str,
    operations: &[Operation],
    registered: Registered,
) -> Result<(Way, Vec<Receipt>), Unsupported> {
    let options = Uring::parse(options).unwrap();
    kernel.way(Operations::of(operations), &options, registered)
}

/// The way in words: reads, writes, waits, and each receipt that is none of a default.
fn words(
    kernel: Abilities,
    options: &str,
    operations: &[Operation],
    registered: Registered,
) -> String {
    let (way, receipts) = match way(kernel, options, operations, registered) {
        Ok(granted) => granted,
        Err(refused) => return format!("refused: {}", refused.sentence()),
    };
    assert_eq!(way.has_deadlines, receipts[0] == Receipt::granted("ext-arg", "on"));
    let Way { reads, writes, waits, .. } = way;
    let mut words = format!("{reads:?} {writes:?} {waits:?}");
    for Receipt { option, asked, granted, why_not } in receipts {
        match why_not {
            Some(why_not) => {
                write!(words, "; {option}: {asked} -> {granted}, {why_not}").unwrap();
            }
            None if (&*option, &*granted) == ("ext-arg", "on") => {}
            None => write!(words, "; {option}: {granted}").unwrap(),
        }
    }
    words
}

const NO_EXT_ARG: &str = "; ext-arg: on -> off, no IORING_FEAT_EXT_ARG: needs Linux 5.11";
const NO_READ: &str = "; vectored: off -> on, no IORING_OP_READ: needs Linux 5.6";
const NO_WRITE: &str = "; vectored: off -> on, no IORING_OP_WRITE: needs Linux 5.6";

#[test]
fn each_kernel_is_used_with_what_it_has() {
    for (version, without_buffers, with_buffers) in [
        (501, "Vectored Vectored OnDescriptor", "Fixed Fixed OnDescriptor"),
        (504, "Vectored Vectored OnDescriptor", "Fixed Fixed OnDescriptor"),
        (505, "Vectored Vectored OnDescriptor", "Fixed Fixed OnDescriptor"),
        (506, "Plain Plain OnDescriptor", "Fixed Fixed OnDescriptor"),
        (510, "Plain Plain OnDescriptor", "Fixed Fixed OnDescriptor"),
        (511, "Plain Plain InCall", "Fixed Fixed InCall"),
        (601, "Plain Plain InCall", "Fixed Fixed InCall"),
        (NEWEST, "Plain Plain InCall", "Fixed Fixed InCall"),
    ] {
        let kernel = linux(version);
        let ext_arg = if version < 511 { NO_EXT_ARG } else { "" };
        let vectored = if version < 506 { NO_READ } else { "" };
        let want = format!("{without_buffers}{ext_arg}{vectored}");
        assert_eq!(words(kernel, "", BOTH, REFUSED), want, "{version}");
        let want = format!("{with_buffers}{ext_arg}");
        assert_eq!(words(kernel, "", BOTH, REGISTERED), want, "{version}");
        assert_eq!(words(kernel, "", FLUSHED, REGISTERED), want, "flushes came with 5.1");
        // Whether vectors are used is open as long as memory may be registered.
        let open = words(kernel, "", BOTH, Registered::NOTHING);
        assert_eq!(open, format!("{without_buffers}{ext_arg}"), "{version}");
        let closed = words(kernel, "fixed-buffers=off", BOTH, Registered::NOTHING);
        assert_eq!(closed, format!("{without_buffers}{ext_arg}{vectored}"), "{version}");
    }
}

#[test]
fn a_kernel_that_may_not_tell_is_used_as_if_it_had_told() {
    for version in [501, 504, 505, 506, 510, 511, 601, 612, NEWEST] {
        let told = linux(version);
        let untold = mute(told);
        for (operations, registered) in
            [(BOTH, REFUSED), (BOTH, REGISTERED), (FLUSHED, REFUSED), (TRIMMED, REFUSED)]
        {
            assert_eq!(
                words(untold, "", operations, registered),
                words(told, "", operations, registered),
                "{version}"
            );
        }
    }
    assert!(mute(linux(612)).has(Opcode::URING_CMD), "for discards, which came with 6.12");
    assert!(!mute(linux(511)).has(Opcode::URING_CMD));
}

#[test]
fn what_a_plan_does_and_a_kernel_cannot_is_refused_with_the_opcode_and_the_cure() {
    let refused = |kernel, operations: &[Operation]| words(kernel, "", operations, REFUSED);
    for version in [501, 504, 505] {
        assert_eq!(
            refused(linux(version), TRIMMED),
            "refused: this io_uring lacks the opcode IORING_OP_FALLOCATE; use Linux 5.6 or later, \
             or another engine"
        );
    }
    assert_eq!(refused(linux(506), TRIMMED), format!("Plain Plain OnDescriptor{NO_EXT_ARG}"));
    let newest = linux(NEWEST);
    let no_flush = without(newest, &[Opcode::FSYNC]);
    assert_eq!(refused(no_flush, BOTH), "Plain Plain InCall", "a plan that flushes nothing");
    for flush in [Operation::Fsync, Operation::Fdatasync] {
        assert_eq!(
            refused(no_flush, &[Operation::Write, flush]),
            "refused: this io_uring lacks the opcode IORING_OP_FSYNC; lift what restricts it, or \
             use another engine"
        );
    }
    let no_trim = without(newest, &[Opcode::FALLOCATE]);
    assert_eq!(refused(no_trim, BOTH), "Plain Plain InCall");
    assert!(refused(no_trim, TRIMMED).contains("IORING_OP_FALLOCATE"));
    let no_write = without(newest, &[Opcode::WRITE, Opcode::WRITEV]);
    assert_eq!(refused(no_write, &[Operation::Read]), "Plain Plain InCall");
    assert!(refused(no_write, BOTH).contains("IORING_OP_WRITE;"), "{}", refused(no_write, BOTH));
    let no_plain = without(newest, &[Opcode::READ, Opcode::WRITE, Opcode::READV, Opcode::WRITEV]);
    assert_eq!(words(no_plain, "", BOTH, REGISTERED), "Fixed Fixed InCall");
    assert_eq!(words(no_plain, "", BOTH, Registered::NOTHING), "Fixed Fixed InCall", "a try");
    assert!(refused(no_plain, BOTH).starts_with("refused"), "{}", refused(no_plain, BOTH));
}

#[test]
fn each_direction_goes_its_own_way_when_opcodes_are_taken_away_singly() {
    let newest = linux(NEWEST);
    let no_write = without(newest, &[Opcode::WRITE]);
    let want = "Plain Vectored InCall; vectored: off -> on for writes, no IORING_OP_WRITE: needs \
                Linux 5.6";
    assert_eq!(words(no_write, "", BOTH, REFUSED), want);
    assert_eq!(words(no_write, "", &[Operation::Read], REFUSED), "Plain Vectored InCall");
    let want = format!("Plain Vectored InCall{NO_WRITE}");
    assert_eq!(words(no_write, "", &[Operation::Write], REFUSED), want);

    let no_write_fixed = without(newest, &[Opcode::WRITE_FIXED]);
    assert_eq!(words(no_write_fixed, "", BOTH, REGISTERED), "Fixed Plain InCall");
    let receipt = |kernel: Abilities, operations: &[Operation]| {
        kernel.fixed_buffers(Operations::of(operations))
    };
    let why = "IORING_OP_WRITE_FIXED is forbidden or left out here";
    assert_eq!(
        receipt(no_write_fixed, BOTH),
        Ok(Receipt::downgraded("fixed-buffers", "on", "on for reads", why))
    );
    let on = Ok(Receipt::granted("fixed-buffers", "on"));
    assert_eq!(receipt(no_write_fixed, &[Operation::Read]), on);
    assert_eq!(receipt(no_write_fixed, &[Operation::Write]), Err(why.to_owned()));
    assert_eq!(receipt(newest, BOTH), on);
    assert_eq!(receipt(newest, &[Operation::Fsync]), on, "nothing that would need it");
}

#[test]
fn what_is_asked_for_is_taken_on_new_kernels_too() {
    let newest = linux(NEWEST);
    assert_eq!(
        words(newest, "ext-arg=off", BOTH, REGISTERED),
        "Fixed Fixed OnDescriptor; ext-arg: off"
    );
    for registered in [REFUSED, Registered::NOTHING] {
        let want = "Vectored Vectored InCall; vectored: on";
        assert_eq!(words(newest, "vectored", BOTH, registered), want);
    }
    assert_eq!(
        words(linux(501), "vectored:ext-arg=off", BOTH, REFUSED),
        "Vectored Vectored OnDescriptor; ext-arg: off; vectored: on"
    );
    let no_readv = without(newest, &[Opcode::READV]);
    assert_eq!(
        words(no_readv, "vectored", BOTH, REFUSED),
        "Plain Vectored InCall; vectored: on -> on for writes, IORING_OP_READV is forbidden or \
         left out here"
    );
}

#[test]
fn a_ring_that_polls_the_device_never_waits_and_a_thread_of_the_kernel_can_be_waited_for() {
    for (version, options, waits) in [
        (501, "iopoll", Waits::Polling),
        (NEWEST, "iopoll", Waits::Polling),
        (NEWEST, "iopoll:ext-arg=off", Waits::Polling),
        (501, "sqpoll", Waits::OnDescriptor),
        (NEWEST, "sqpoll", Waits::InCall),
        (NEWEST, "sqpoll:iopoll", Waits::InCall),
        (NEWEST, "sqpoll:iopoll:ext-arg=off", Waits::OnDescriptor),
    ] {
        let (way, _) = way(linux(version), options, BOTH, REGISTERED).unwrap();
        assert_eq!(way.waits, waits, "{version}: {options}");
    }
}

#[test]
fn a_thread_of_the_kernel_needs_registered_files_before_5_11() {
    let refused = "refused: before Linux 5.11, sqpoll takes requests to registered files only, \
                   and these are not; leave out fixed-files=off or sqpoll, or allow \
                   io_uring_register in the seccomp profile";
    for version in [501, 510] {
        assert_eq!(words(linux(version), "sqpoll", BOTH, REFUSED), refused);
        for options in ["sqpoll", "sqpoll:nop"] {
            let fine = [REGISTERED, Registered::NOTHING];
            assert!(fine.iter().all(|one| way(linux(version), options, BOTH, *one).is_ok()));
        }
        assert!(way(linux(version), "sqpoll:nop", BOTH, REFUSED).is_ok(), "no file is named");
        assert!(way(linux(version), "", BOTH, REFUSED).is_ok());
    }
    assert!(way(linux(511), "sqpoll", BOTH, REFUSED).is_ok());
}

#[test]
fn what_sends_no_reads_and_writes_needs_its_own_opcode_and_no_other() {
    let bare = Abilities { opcodes: Opcodes::default(), ..linux(NEWEST) };
    let only = |opcode| Abilities { opcodes: Opcodes::that(|one| one == opcode), ..bare };
    assert_eq!(words(only(Opcode::NOP), "nop", FLUSHED, REFUSED), "Plain Plain InCall");
    let words = |kernel| words(kernel, "passthrough", BOTH, REGISTERED);
    assert_eq!(words(only(Opcode::URING_CMD)), "Plain Plain InCall");
    assert_eq!(
        words(bare),
        "refused: this io_uring lacks the opcode IORING_OP_URING_CMD; use Linux 5.19 or later, or \
         another engine"
    );
    let untold = Abilities { opcodes_are_told: false, ..bare };
    assert_eq!(words(untold), "Plain Plain InCall", "the ring has entries for commands");
    assert!(way(bare, "nop", BOTH, REFUSED).unwrap_err().reason.contains("IORING_OP_NOP"));
}

#[test]
fn this_kernel_tells_the_same_as_its_features_promise() {
    let ring = match IoUring::new(1) {
        Ok(ring) => ring,
        Err(error) => return aio_core::testing::skip(&format!("io_uring_setup: {error}")),
    };
    let here = Abilities::of(&ring);
    if !here.opcodes_are_told {
        return aio_core::testing::skip("the kernel does not tell its opcodes");
    }
    let promised = mute(here).opcodes;
    let missing = Opcode::ALL.iter().find(|one| promised.contains(**one) && !here.has(**one));
    assert_eq!(missing, None, "promised by a feature, and not there");
}
