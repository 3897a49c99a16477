//! The engines, asked without writing anything.

use std::collections::BTreeSet;

use aio_backends::{Here, Listed, NAMES, choose};
use aio_core::engine::{Needs, Operation, Operations};
use aio_core::target::{DirectIo, Place, Survey, TargetKind};

use super::device::Device;
use super::finding::Topic::Engines as TOPIC;
use super::finding::{Finding, Verdict, good_or};
use super::limits::Limits;

/// The depth that is asked for: that of a run for which none is given.
pub(crate) const QUEUE_DEPTH: u32 = 32;

/// The engine for NVMe generic devices.
const PASSTHROUGH: &str = "uring:passthrough";

/// Options whose answer is that of the file or device, so that none can be had without one.
const ASKED_OF_A_TARGET: [&str; 5] = ["iopoll", "hybrid-iopoll", "hipri", "nowait", "dontcache"];
/// Those of them that need queues to poll.
const POLLING: [&str; 2] = ["iopoll", "hybrid-iopoll"];

/// The option that the limit on locked memory decides about.
const REGISTERED: &str = "fixed-buffers";

/// What the kernel says of engines for a place.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) engines: Vec<Listed>,
    /// What `auto` takes, or why it takes none.
    pub(crate) auto: Result<String, String>,
}

/// Asks about every engine. Of a file or device it asks with the descriptor that is open for
/// reading; a folder has none, and no file is made there.
pub(crate) fn ask(survey: &Survey, devices: &[Device], limits: &Limits) -> Asked {
    let kind = match survey.place {
        Place::Folder => TargetKind::File,
        Place::Target(kind) => kind,
    };
    let operations = Operations::of(&[Operation::Read, Operation::Write]);
    let needs = Needs {
        target: survey.file.clone(),
        kinds: BTreeSet::from([kind]),
        buffered: survey.direct == DirectIo::Refused,
        ..Needs::new(operations, QUEUE_DEPTH)
    };
    let is_generic = kind == TargetKind::NvmeGeneric;
    let specs = if is_generic { vec![PASSTHROUGH] } else { NAMES.to_vec() };
    let list = |spec: &&str| aio_backends::list(spec, &needs).ok();
    let mut engines: Vec<_> = specs.iter().filter_map(list).collect();
    if needs.target.is_none() {
        let has_poll_queues = devices.first().and_then(|device| device.has_poll_queues);
        for engine in &mut engines {
            forget_what_was_not_asked(engine, has_poll_queues);
        }
    }
    if let Some(why) = limits.too_little_to_register() {
        for engine in &mut engines {
            refuse_to_register(engine, &why);
        }
    }
    let first = if is_generic { PASSTHROUGH } else { "auto" };
    let auto = choose(&[first.into()], &needs)
        .map(|choice| choice.chosen.first().map(|one| one.spec.clone()).unwrap_or_default())
        .map_err(|error| error.to_string());
    Asked { engines, auto }
}

/// Without a target nobody has said that these can be had.
fn forget_what_was_not_asked(engine: &mut Listed, has_poll_queues: Option<bool>) {
    for option in &mut engine.options {
        let is_granted = option.here.as_ref().is_some_and(|here| here.granted.is_some());
        if !is_granted || !ASKED_OF_A_TARGET.contains(&option.spec.key) {
            continue;
        }
        let has_no_queues = has_poll_queues == Some(false) && POLLING.contains(&option.spec.key);
        option.here = has_no_queues.then(|| Here {
            asked: "on".into(),
            granted: None,
            why_not: Some("the device has no queues to poll".into()),
        });
    }
}

/// That memory can be registered is not asked, since there is none yet; but the limit is known.
fn refuse_to_register(engine: &mut Listed, why: &str) {
    let of_buffers = engine.options.iter_mut().filter(|option| option.spec.key == REGISTERED);
    for here in of_buffers.filter_map(|option| option.here.as_mut()) {
        here.granted = None;
        here.why_not = Some(why.to_owned());
    }
}

/// What that means.
pub(crate) fn findings(asked: &Asked) -> Vec<Finding> {
    let mut findings = vec![auto(asked)];
    findings.extend(asked.engines.iter().filter(|one| one.moves_data).map(engine));
    findings
}

fn auto(asked: &Asked) -> Finding {
    let first = asked.engines.first().map_or("", |engine| engine.engine.as_str());
    let is_first = asked.auto.as_deref() == Ok(first);
    let state = match &asked.auto {
        Ok(engine) => format!("{engine} is taken where none is named"),
        Err(reason) => reason.clone(),
    };
    let effect = "engines differ in what a request costs, so name one (--engine) in scripts whose \
                  numbers are kept";
    Finding::new((TOPIC, "choice"), good_or(Verdict::Warning, is_first), state, effect)
}

fn engine(listed: &Listed) -> Finding {
    let state = match &listed.reason {
        None => format!("can run here, tried at depth {QUEUE_DEPTH}"),
        Some(reason) => format!("cannot run here: {reason}"),
    };
    let effect = if listed.can_run {
        "it can be measured and compared with the others"
    } else {
        "it can neither be measured nor be compared with the others"
    };
    let verdict = good_or(Verdict::Warning, listed.can_run);
    let finding = Finding::new((TOPIC, listed.engine.clone()), verdict, state, effect);
    match &listed.cure {
        Some(cure) => finding.remark(cure.clone()),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use aio_core::target::survey;
    use aio_core::testing::skip;

    use super::super::finding::named;
    use super::super::limits::Limit;
    use super::*;

    fn listed(engine: &str, reason: Option<&str>) -> Listed {
        Listed {
            engine: engine.into(),
            aliases: Vec::new(),
            moves_data: engine != "null",
            can_run: reason.is_none(),
            reason: reason.map(String::from),
            cure: reason.map(|_| "allow it".into()),
            options: Vec::new(),
            receipts: Vec::new(),
        }
    }

    #[test]
    fn an_engine_that_cannot_run_is_a_warning_with_the_reason_and_what_to_do() {
        let engines = vec![listed("uring", Some("ENOSYS")), listed("sync", None)];
        let asked = Asked { engines: engines.clone(), auto: Ok("sync".into()) };
        let all = findings(&asked);
        let uring = named(&all, "uring");
        assert_eq!((uring.verdict, uring.remark.as_deref()), (Verdict::Warning, Some("allow it")));
        assert_eq!(uring.state, "cannot run here: ENOSYS");
        assert_eq!(named(&all, "sync").verdict, Verdict::Good);
        assert_eq!(named(&all, "choice").verdict, Verdict::Warning);
        let engines = vec![listed("uring", None), listed("null", None)];
        let all = findings(&Asked { engines, auto: Ok("uring".into()) });
        assert_eq!(named(&all, "choice").verdict, Verdict::Good);
        assert!(all.iter().all(|one| one.name != "null"), "it moves no data");
        let none = findings(&Asked { engines: Vec::new(), auto: Err("no engine".into()) });
        assert_eq!(named(&none, "choice").state, "no engine");
    }

    #[test]
    fn memory_that_may_not_be_locked_is_not_said_to_be_registered() {
        let folder = tempfile::tempdir().unwrap();
        let survey = survey(folder.path()).unwrap();
        let memlock = Some(Limit { soft: 64 << 10, hard: 64 << 10 });
        for (may_lock, is_refused) in [(Some(false), true), (Some(true), false)] {
            let limits = Limits { memlock, may_lock, ..Limits::default() };
            let asked = ask(&survey, &[], &limits);
            let uring = asked.engines.iter().find(|one| one.engine == "uring").unwrap();
            if !uring.can_run {
                return skip("no io_uring here");
            }
            let option = uring.options.iter().find(|one| one.spec.key == REGISTERED).unwrap();
            let here = option.here.as_ref().unwrap();
            assert_eq!(here.granted.is_none(), is_refused, "{here:?}");
            let why = here.why_not.as_deref().unwrap_or_default();
            assert_eq!(why.contains("64 KiB") && why.contains("32 MiB"), is_refused, "{why}");
        }
    }

    #[test]
    fn without_a_target_nothing_is_said_to_be_granted_that_only_a_target_can_grant() {
        let folder = tempfile::tempdir().unwrap();
        let survey = survey(folder.path()).unwrap();
        for has_poll_queues in [None, Some(false)] {
            let device = Device { has_poll_queues, ..Device::default() };
            for engine in ask(&survey, &[device], &Limits::default()).engines {
                for option in engine.options {
                    let key = option.spec.key;
                    let granted = option.here.as_ref().and_then(|here| here.granted.as_ref());
                    let is_asked = !ASKED_OF_A_TARGET.contains(&key);
                    assert!(is_asked || granted.is_none(), "{key}: {granted:?}");
                    if key == "iopoll" && engine.can_run {
                        assert_eq!(option.here.is_some(), has_poll_queues.is_some());
                    }
                }
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
