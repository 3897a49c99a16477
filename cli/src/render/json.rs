//! For programs: all of the report, as the core defines it.
//!
//! Rates and latencies of a direction that has none, because it failed or no loop of it has ended,
//! are null; so are bytes per second of an engine that moves no data.

use std::io::{self, Write};

use aio_core::report::{Comparison, EngineReport, Report};
use serde::Serialize;
use serde_json::Value;

use super::Render;
use super::numbers::has_rate;
use crate::voice::printable_json;

/// The report as JSON, on many lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json;

impl Render for Json {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        write(&value(report)?, out)
    }
}

/// The report, with null for what was not measured.
pub(super) fn value(report: &Report) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(report)?;
    for (e, engine) in report.engines.iter().enumerate() {
        forget_unmeasured(&mut value["engines"][e], engine);
    }
    Ok(value)
}

/// The comparison, with null for what was not measured.
pub(super) fn of_comparison(comparison: &Comparison) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(comparison)?;
    for (c, contestant) in comparison.contestants.iter().enumerate() {
        if let Some(total) = &contestant.total {
            forget_unmeasured(&mut value["contestants"][c]["total"], total);
        }
    }
    Ok(value)
}

/// Makes null in `value`, which is `engine`, what was not measured.
fn forget_unmeasured(value: &mut Value, engine: &EngineReport) {
    for (d, direction) in engine.directions.iter().enumerate() {
        let one = &mut value["directions"][d];
        if !has_rate(direction) {
            forget(one, &["depth", "ratios"]);
            forget(one, &["task_latency_s", "e2e_latency_s", "request_latency"]);
            forget(one, &["requests_per_s"]);
        }
        if direction.flushes.as_ref().is_some_and(|flushes| flushes.requests == 0) {
            forget(&mut one["flushes"], &["latency"]);
        }
        if !has_rate(direction) || !engine.moves_data {
            forget(one, &["task_speed_gib_per_s", "e2e_speed_gib_per_s"]);
        }
        for parts in ["loops", "tasklets", "groups"] {
            let parts = one[parts].as_array_mut();
            for part in parts.into_iter().flatten().filter(|_| !engine.moves_data) {
                forget(part, &["task_speed_gib_per_s", "e2e_speed_gib_per_s"]);
            }
        }
    }
}

fn forget(object: &mut Value, fields: &[&str]) {
    for field in fields {
        if let Some(there) = object.get_mut(field) {
            *there = Value::Null;
        }
    }
}

/// `value` on many lines, with a line end behind it.
pub(super) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable_json(&serde_json::to_string_pretty(value)?))
}

#[cfg(test)]
mod tests {
    use super::super::{rendered, sample};
    use super::*;

    #[test]
    fn what_is_written_is_the_report() {
        let report = sample::one_engine();
        let text = rendered(&Json, &report);
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        assert!(text.starts_with("{\n  \"schema_version\": 1,"), "fields keep their order");
    }

    #[test]
    fn numbers_that_were_not_measured_are_null() {
        let of = |report: &Report| -> Value {
            let value: Value = serde_json::from_str(&rendered(&Json, report)).unwrap();
            value["engines"][0]["directions"][0].clone()
        };
        let failed = of(&sample::troubled());
        assert_eq!(failed["status"], "failed");
        assert!(failed["task_speed_gib_per_s"].is_null() && failed["task_latency_s"].is_null());
        assert!(failed["requests_per_s"].is_null());
        let null = of(&sample::null());
        assert!(null["e2e_speed_gib_per_s"].is_null() && null["task_latency_s"].is_number());
        assert!(null["requests_per_s"].is_number(), "requests are all that it has");
        assert!(null["loops"][0]["task_speed_gib_per_s"].is_null());
        assert!(null["loops"][0]["e2e_speed_gib_per_s"].is_null());
    }

    #[test]
    fn a_document_with_nulls_reads_back_to_the_same_document() {
        let reports = [
            sample::troubled(),
            sample::null(),
            sample::interrupted(),
            sample::blocks(),
            sample::comparison(),
        ];
        for report in reports {
            let text = rendered(&Json, &report);
            let read: Report = serde_json::from_str(&text).unwrap();
            assert_eq!(rendered(&Json, &read), text);
            let rated = |report: &Report| -> Vec<bool> {
                let directions = report.engines.iter().flat_map(|engine| &engine.directions);
                directions.map(has_rate).collect()
            };
            assert_eq!(rated(&read), rated(&report));
        }
    }

    #[test]
    fn null_is_read_only_where_it_may_be_written() {
        let mut value: Value = serde_json::from_str(&rendered(&Json, &sample::null())).unwrap();
        let direction = &mut value["engines"][0]["directions"][0];
        direction["requests"] = Value::Null;
        assert!(serde_json::from_value::<Report>(value).is_err());
    }
}
