//! What slows processors down is told, and what does not is good.

use super::super::finding::named;
use super::super::roots::fake;
use super::*;

fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let below = path.strip_prefix("cpu:").map(|rest| format!("sys/{CPUS}/{rest}"));
            (below.unwrap_or_else(|| (*path).to_owned()), *text)
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (_folder, roots) = fake(&files);
    Processor::read(&roots, 2).findings(Shell { is_root: false })
}

fn one(files: &[(&str, &str)], name: &str) -> (Verdict, String, Option<String>) {
    let findings = findings(files);
    let found = named(&findings, name);
    (found.verdict, found.state.clone(), found.cure.clone())
}

#[test]
fn a_governor_other_than_performance_is_told_with_the_command_for_all_processors() {
    let zero = "cpu:cpu0/cpufreq/scaling_governor";
    let both = |first, second| [(zero, first), ("cpu:cpu1/cpufreq/scaling_governor", second)];
    let good = one(&both("performance", "performance"), "governor");
    assert_eq!(good, (Verdict::Good, "performance".into(), None));
    let cure = Some(format!("echo performance | sudo tee {GOVERNORS}"));
    let mixed = one(&both("performance", "powersave"), "governor");
    let state = "performance on 1, powersave on 1".to_owned();
    assert_eq!(mixed, (Verdict::Warning, state, cure.clone()));
    let driver = ("cpu:cpu0/cpufreq/scaling_driver", "intel_pstate");
    let by_itself = one(&[(zero, "powersave"), driver], "governor");
    assert_eq!(by_itself, (Verdict::Note, "powersave".into(), cure));
    assert_eq!(one(&[], "governor").0, Verdict::Unknown);
}

#[test]
fn the_load_is_judged_by_the_number_of_processors() {
    let of = |load: &str| one(&[("proc/loadavg", load), ("cpu:online", "0-1,4,6-7")], "load").0;
    assert_eq!(of("0.50 9 9 1/1 1"), Verdict::Good);
    assert_eq!(of("1.50 0 0 1/1 1"), Verdict::Note);
    assert_eq!(of("2.50 0 0 1/1 1"), Verdict::Warning);
    assert_eq!(one(&[], "load").0, Verdict::Unknown);
}

#[test]
fn processors_that_may_not_be_used_are_told() {
    let (verdict, state, cure) = one(&[("cpu:online", "0-7")], "processors");
    assert_eq!((verdict, state.as_str()), (Verdict::Note, "2 of 8 may be used"));
    assert_eq!(cure.unwrap(), "taskset -cp 0-7 $$");
    assert_eq!(one(&[("cpu:online", "0-1")], "processors").0, Verdict::Good);
    assert_eq!(count_of("0-1,4,6-7"), Some(5));
    assert_eq!((count_of("3-1"), count_of("x")), (None, None));
}

#[test]
fn turbo_of_both_kinds_is_told_while_it_is_on() {
    for (path, on, off) in [("cpufreq/boost", "1", "0"), ("intel_pstate/no_turbo", "0", "1")] {
        let file = format!("cpu:{path}");
        let (verdict, state, cure) = one(&[(&file, on)], "turbo");
        assert_eq!((verdict, state.as_str()), (Verdict::Note, "on"));
        assert_eq!(cure.unwrap(), format!("echo {off} | sudo tee /sys/{CPUS}/{path}"));
        assert_eq!(one(&[(&file, off)], "turbo"), (Verdict::Good, "off".into(), None));
    }
    assert!(findings(&[]).iter().all(|one| one.name != "turbo"));
}

#[test]
fn idle_states_that_are_deep_and_not_switched_off_are_told() {
    let states = |disabled: &'static str| {
        [
            ("cpu:cpu0/cpuidle/state1/latency", "2"),
            ("cpu:cpu0/cpuidle/state2/latency", "133"),
            ("cpu:cpu0/cpuidle/state2/disable", disabled),
        ]
    };
    let (verdict, state, cure) = one(&states("0"), "idle states");
    assert!(verdict == Verdict::Note && state.contains("133 µs"), "{state}");
    let file = "/sys/devices/system/cpu/cpu*/cpuidle/state2/disable";
    assert_eq!(cure.unwrap(), format!("echo 1 | sudo tee {file}"));
    assert!(findings(&states("1")).iter().all(|one| one.name != "idle states"));
}

#[test]
fn shared_cores_and_mitigations_are_notes() {
    assert_eq!(one(&[("cpu:smt/active", "0")], "hyper-threading").0, Verdict::Good);
    let (verdict, _, cure) = one(&[("cpu:smt/active", "1")], "hyper-threading");
    assert_eq!(verdict, Verdict::Note);
    assert_eq!(cure.unwrap(), format!("echo off | sudo tee /sys/{SMT}"));
    let files = [
        ("cpu:vulnerabilities/spectre_v1", "Mitigation: usercopy"),
        ("cpu:vulnerabilities/mds", "Not affected"),
        ("cpu:vulnerabilities/tsa", "Vulnerable"),
    ];
    let (verdict, state, _) = one(&files, "mitigations");
    assert_eq!(
        (verdict, state.as_str()),
        (Verdict::Note, "against 1 vulnerabilities of this processor")
    );
    assert!(findings(&files[1..]).iter().all(|one| one.name != "mitigations"));
}
