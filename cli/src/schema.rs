//! `aio schema`: the JSON Schema of what aio writes, made of the types that it writes.
//!
//! The schemas are open: they say nothing of fields that they do not name, so that a reader who
//! checks documents against one is not stopped by a field that a later version adds. That no field
//! goes undocumented is the tests' to see.

use aio_core::report::{Comparison, Report, SCHEMA_VERSION};
use anyhow::Context;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::args::{Document, Schema};
use crate::diff::Difference;
use crate::doctor::{self, Examination};
use crate::dry_run::{self, Preview};
use crate::ending::{Ending, Failure};
use crate::engines::{self, Listing};
use crate::output::Output;
use crate::render::{self, JobsDocument};
use crate::verify::{self, Findings};

/// Prints the schema of the document that `asked` names.
pub(crate) fn print(asked: &Schema) -> Result<Ending, Failure> {
    let text = text(asked.document).context("cannot render the schema");
    Output::Stdout.write(text.map_err(Failure::failed)?.as_bytes())?;
    Ok(Ending::Done)
}

/// The schema of `document`, as it is printed and published.
fn text(document: Document) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&of(document))? + "\n")
}

fn of(document: Document) -> Value {
    match document {
        Document::Run => made::<Report>("run", SCHEMA_VERSION, "Results of a run"),
        Document::Jobs => {
            made::<JobsDocument>("jobs", render::JOBS_SCHEMA_VERSION, "Results of several jobs")
        }
        Document::Preview => {
            made::<Preview>("preview", dry_run::SCHEMA_VERSION, "What a run would be")
        }
        Document::Engines => {
            made::<Listing>("engines", engines::SCHEMA_VERSION, "The engines and their options")
        }
        Document::Doctor => {
            made::<Examination>("doctor", doctor::SCHEMA_VERSION, "What bears on a measurement")
        }
        Document::Findings => {
            made::<Findings>("findings", verify::SCHEMA_VERSION, "What became of verified blocks")
        }
        Document::Comparison => {
            made::<Comparison>("comparison", SCHEMA_VERSION, "Results of a comparison")
        }
        Document::Difference => {
            made::<Difference>("difference", SCHEMA_VERSION, "Results of two times, compared")
        }
    }
}

/// The schema of `T` as it is written, with a name that is no place on any host.
fn made<T: JsonSchema>(name: &str, version: u32, title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    let id = format!("urn:aio:schema:{name}:{version}");
    let mut ordered = Map::from_iter([
        ("$schema".into(), schema["$schema"].take()),
        ("$id".into(), id.into()),
        ("title".into(), title.into()),
        ("description".into(), schema["description"].take()),
    ]);
    if let Value::Object(rest) = schema {
        let more = rest.into_iter().filter(|(key, _)| !ordered.contains_key(key));
        ordered.extend(more.collect::<Vec<_>>());
    }
    Value::Object(ordered)
}

/// Lets objects have fields that are not named, and leaves out what a reader of old documents puts
/// where a field is missing: none is missing in a new one.
fn simplify(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    schema.remove("default");
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    for (keyword, operand) in schema {
        match (keyword.as_str(), operand) {
            ("properties" | "$defs", Value::Object(named)) => {
                named.values_mut().for_each(simplify);
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(list)) => {
                list.iter_mut().for_each(simplify);
            }
            ("items" | "additionalProperties", one) => simplify(one),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use serde_json::json;

    use super::*;
    use crate::published;

    #[test]
    fn the_published_schemas_are_those_that_are_printed() {
        for document in Document::value_variants() {
            let name = document.to_possible_value().unwrap();
            let path = format!("docs/schema/{}.json", name.get_name());
            published::is(&path, &text(*document).unwrap());
        }
    }

    #[test]
    fn a_schema_says_which_one_it_is_and_what_fields_mean() {
        let run = of(Document::Run);
        assert_eq!(run["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(run["$id"], format!("urn:aio:schema:run:{SCHEMA_VERSION}"));
        let direction = &run["$defs"]["DirectionReport"]["properties"];
        assert_eq!(direction["task_latency_s"]["type"], json!(["number", "null"]));
        assert_eq!(direction["requests"]["type"], "integer");
        let words = direction["requests"]["description"].as_str().unwrap();
        assert!(words.starts_with("Requests completed"), "{words}");
        assert!(run["$defs"]["DirectionReport"]["properties"].get("histogram").is_none());
    }
}
