//! What two results have to have in common, and what else they differ in.
//!
//! Another workload is refused: its numbers measure something else. Another machine, kernel, device
//! or version is often what one wants to compare, and is told.

use std::collections::BTreeSet;

use aio_core::receipt::Receipt;
use aio_core::report::{Machine, Storage, TargetReport};
use anyhow::anyhow;
use serde_json::{Map, Value};

use super::difference::Condition;
use super::sides::{Measured, Side, Source};
use crate::ending::Failure;
use crate::render::size;

/// Fields of a plan that change nothing that is measured, or that are conditions.
const NOT_WORKLOAD: [&str; 9] = [
    "engines",
    "keep",
    "overwrite",
    "allow_devices",
    "validate",
    "interval_ns",
    "seed",
    "cpus",
    "numa_node",
];
/// Those of them that are conditions.
const CONDITIONS: [&str; 3] = ["seed", "cpus", "numa_node"];
/// What a path has that matters: whether each tasklet, loop or size has a file of its own.
const PLACEHOLDERS: [&str; 3] = ["{tid}", "{loop}", "{bytes}"];
/// Where there is nothing to say.
const NONE: &str = "none";

/// In what `one` and `other` measured something else, the first one most important.
pub(super) fn different(one: &Measured, other: &Measured) -> Vec<Condition> {
    let mut found = Vec::new();
    compare("engine", &one.engine.clone().into(), &other.engine.clone().into(), &mut found);
    compare("plan", &workload(one), &workload(other), &mut found);
    found
}

/// Refuses to compare two results that differ in `field`.
pub(super) fn refusal(field: &Condition, one: &Measured, other: &Measured) -> Failure {
    let Condition { what, base, new } = field;
    Failure::refused(anyhow!(
        "{} is not the same in both: {what} is {base} in {} and {new} in {}; --force compares them \
         all the same",
        one.name,
        one.file,
        other.file,
    ))
}

/// The plan as a document, without what does not matter.
fn workload(one: &Measured) -> Value {
    let mut plan = serde_json::to_value(&one.plan).unwrap_or_default();
    if let Some(plan) = plan.as_object_mut() {
        plan.retain(|key, _| !NOT_WORKLOAD.contains(&key.as_str()));
    }
    let phases = plan.get_mut("phases").and_then(Value::as_array_mut);
    for phase in phases.into_iter().flatten() {
        let groups = phase.get_mut("tensors").and_then(Value::as_array_mut);
        for path in groups.into_iter().flatten().filter_map(|group| group.get_mut("path")) {
            let text = path.as_str().unwrap_or_default();
            let found = PLACEHOLDERS.iter().filter(|name| text.contains(**name));
            *path = format!("F{}", found.copied().collect::<String>()).into();
        }
    }
    plan
}

/// Adds to `found` the fields, by their path `at`, in which two documents differ.
fn compare(at: &str, one: &Value, other: &Value, found: &mut Vec<Condition>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if is_like(one, other) => {
            let keys: Vec<_> =
                one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))).collect();
            for key in keys {
                let of = |object: &Map<_, _>| object.get(key).cloned().unwrap_or_default();
                compare(&format!("{at}.{key}"), &of(one), &of(other), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{at}[{index}]"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(Condition { what: at.into(), base: shown(one), new: shown(other) }),
    }
}

/// Whether two objects are of the same kind: those with one key are a choice that bears its name.
fn is_like(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    (one.len() != 1 && other.len() != 1) || one.keys().eq(other.keys())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NONE.into(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.iter().any(Value::is_object) => format!("{} of them", all.len()),
        Value::Object(object) if object.len() == 1 => object.keys().cloned().collect(),
        other => other.to_string(),
    }
}

/// Something of a source, once or, as of targets, several times.
type Values = fn(&Source) -> Vec<String>;

/// In what else the sides differ: machine, kernel, device, version.
pub(super) fn conditions(base: &Side, new: &Side) -> Vec<Condition> {
    let of_sources: [(&str, Values); 12] = [
        ("architecture", |one| vec![one.machine.architecture.clone()]),
        ("CPU", |one| known(one.machine.cpu_model.as_ref())),
        ("CPUs", |one| vec![one.machine.cpus.to_string()]),
        ("memory", |one| vec![memory(&one.machine)]),
        ("kernel", |one| vec![one.machine.kernel.clone()]),
        ("aio", |one| vec![one.tool_version.clone()]),
        ("target size", |one| of_targets(one, |target| size(target.size_bytes))),
        ("file system", |one| of_targets(one, |target| or_none(target.file_system.as_ref()))),
        ("mount options", |one| of_targets(one, |target| or_none(target.mount_options.as_ref()))),
        ("device", |one| of_targets(one, device)),
        ("firmware", |one| of_targets(one, firmware)),
        ("alignment", |one| of_targets(one, alignment)),
    ];
    let mut conditions = Vec::new();
    for (what, values) in of_sources {
        let of = |side: &Side| side.sources.iter().flat_map(values).collect();
        conditions.extend(condition(what, &of(base), &of(new)));
    }
    for field in CONDITIONS {
        let of = |side: &Side| side.entries.iter().map(|one| of_plan(one, field)).collect();
        conditions.extend(condition(&field.replace('_', "-"), &of(base), &of(new)));
    }
    for one in &base.entries {
        if let Some(other) = new.find(&one.name) {
            for found in receipts(one, other) {
                // The same of both directions, or of all engines, is said once.
                if !conditions.contains(&found) {
                    conditions.push(found);
                }
            }
        }
    }
    conditions
}

fn condition(what: &str, base: &BTreeSet<String>, new: &BTreeSet<String>) -> Option<Condition> {
    let all = |values: &BTreeSet<String>| match values.len() {
        0 => NONE.to_owned(),
        _ => values.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    (base != new).then(|| Condition { what: what.into(), base: all(base), new: all(new) })
}

fn known(value: Option<&String>) -> Vec<String> {
    vec![value.cloned().unwrap_or_else(|| "not known".into())]
}

fn or_none(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| NONE.into())
}

/// To the nearest GiB, as kernels keep some for themselves.
fn memory(machine: &Machine) -> String {
    let gib = |bytes: u64| format!("{} GiB", (bytes + (1 << 29)) >> 30);
    machine.memory_bytes.map_or("not known".into(), gib)
}

fn of_targets(source: &Source, value: fn(&TargetReport) -> String) -> Vec<String> {
    source.targets.iter().map(value).collect()
}

/// What the device is, and not what it is called here: names change from boot to boot.
fn device(target: &TargetReport) -> String {
    let Some(storage) = &target.storage else { return NONE.into() };
    let Storage { name, model, transport, .. } = storage;
    let parts: Vec<_> = model.iter().chain(transport).cloned().collect();
    if parts.is_empty() { name.clone() } else { parts.join(", ") }
}

fn firmware(target: &TargetReport) -> String {
    or_none(target.storage.as_ref().and_then(|storage| storage.firmware.as_ref()))
}

fn alignment(target: &TargetReport) -> String {
    target.alignment_bytes.map_or(NONE.into(), |bytes| size(bytes.into()))
}

fn of_plan(one: &Measured, field: &str) -> String {
    let plan = serde_json::to_value(&one.plan).unwrap_or_default();
    shown(plan.get(field).unwrap_or(&Value::Null))
}

/// What was granted to one and not to the other.
fn receipts(one: &Measured, other: &Measured) -> Vec<Condition> {
    let granted = |of: &Measured, option: &str| -> BTreeSet<String> {
        let found = of.receipts.iter().filter(|receipt| receipt.option == option);
        found.map(|receipt| receipt.granted.clone()).collect()
    };
    let options: BTreeSet<&str> = one.receipts.iter().chain(&other.receipts).map(option).collect();
    let of = |option: &str| {
        condition(&format!("granted {option}"), &granted(one, option), &granted(other, option))
    };
    options.into_iter().filter_map(of).collect()
}

fn option(receipt: &Receipt) -> &str {
    &receipt.option
}
