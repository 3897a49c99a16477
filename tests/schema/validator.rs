//! A small validator of JSON Schema: the keywords that our schemas have, and a panic at any other,
//! so that none is passed over in silence. Unlike the standard it takes a field that a schema of an
//! object does not name for an error: what aio writes must be documented.

use serde_json::{Map, Value};

/// Keywords that say nothing of what is valid.
const NOTES: [&str; 7] = ["$schema", "$id", "$defs", "title", "description", "default", "format"];

/// What in `document` is not as `schema` says, with its place; empty when all is.
pub(crate) fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let mut check = Check { root: schema, errors: Vec::new() };
    check.value(schema, document, "", true);
    check.errors
}

struct Check<'s> {
    root: &'s Value,
    errors: Vec<String>,
}

impl<'s> Check<'s> {
    /// `is_closed`: whether fields must be named in this very schema.
    fn value(&mut self, schema: &'s Value, value: &Value, at: &str, is_closed: bool) {
        let schema = match schema {
            Value::Bool(true) => return,
            Value::Object(schema) => schema,
            other => panic!("{other} is no schema"),
        };
        for (keyword, operand) in schema {
            self.keyword(schema, keyword, operand, value, at);
        }
        if is_closed && let Value::Object(fields) = value {
            self.names(schema, fields, at);
        }
    }

    fn keyword(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        operand: &'s Value,
        value: &Value,
        at: &str,
    ) {
        let complain = |it: &mut Self, is_right: bool| {
            if !is_right {
                it.errors.push(format!("{at}: {value} is not {keyword} {operand}"));
            }
        };
        match keyword {
            "type" => complain(self, is_of_type(operand, value)),
            "const" => complain(self, operand == value),
            "enum" => complain(self, list(operand).contains(value)),
            "minimum" => complain(self, bound(operand, value, |value, least| value >= least)),
            "maximum" => complain(self, bound(operand, value, |value, most| value <= most)),
            "required" => {
                for name in list(operand) {
                    let name = name.as_str().expect("a name");
                    let is_there = value.as_object().is_none_or(|value| value.contains_key(name));
                    if !is_there {
                        self.errors.push(format!("{at}: there is no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in operand.as_object().expect("schemas by name") {
                    if let Some(value) = value.get(name) {
                        self.value(schema, value, &format!("{at}/{name}"), true);
                    }
                }
            }
            "additionalProperties" => {
                let named = schema.get("properties");
                for (name, value) in value.as_object().into_iter().flatten() {
                    if named.and_then(|named| named.get(name)).is_none() {
                        self.value(operand, value, &format!("{at}/{name}"), true);
                    }
                }
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    self.value(operand, value, &format!("{at}/{index}"), true);
                }
            }
            "$ref" => {
                let target = self.target(operand);
                self.value(target, value, at, !schema.contains_key("properties"));
            }
            "anyOf" | "oneOf" => self.branches(schema, keyword, operand, value, at),
            _ => assert!(NOTES.contains(&keyword), "{at}: what is {keyword}?"),
        }
    }

    fn branches(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        operand: &'s Value,
        value: &Value,
        at: &str,
    ) {
        let is_closed = !schema.contains_key("properties");
        let tried = list(operand).iter().map(|branch| {
            let mut check = Check { root: self.root, errors: Vec::new() };
            check.value(branch, value, at, is_closed);
            check.errors
        });
        let tried: Vec<_> = tried.collect();
        let fitting = tried.iter().filter(|errors| errors.is_empty()).count();
        if fitting == 0 || keyword == "oneOf" && fitting > 1 {
            let why = tried.concat().join("; ");
            self.errors.push(format!("{at}: {fitting} of {keyword} fit: {why}"));
        }
    }

    /// Complains of fields that neither `schema` nor a branch of it names.
    fn names(&mut self, schema: &'s Map<String, Value>, fields: &Map<String, Value>, at: &str) {
        if !schema.contains_key("properties") || schema.contains_key("additionalProperties") {
            return;
        }
        for name in fields.keys() {
            if !self.is_named(schema, name) {
                self.errors.push(format!("{at}: {name} is not documented"));
            }
        }
    }

    fn is_named(&self, schema: &'s Map<String, Value>, name: &str) -> bool {
        let of = |schema: &'s Value| schema.as_object().is_some_and(|it| self.is_named(it, name));
        let branches = ["anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword));
        schema.get("properties").is_some_and(|named| named.get(name).is_some())
            || schema.get("$ref").is_some_and(|target| of(self.target(target)))
            || branches.flat_map(list).any(of)
    }

    fn target(&self, reference: &Value) -> &'s Value {
        let path = reference.as_str().and_then(|path| path.strip_prefix('#'));
        let found = path.and_then(|path| self.root.pointer(path));
        found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        None => list(wanted).iter().any(|wanted| is_of_type(wanted, value)),
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("what is the type {other}?"),
    }
}

/// Of what is no number nothing is said.
fn bound(operand: &Value, value: &Value, holds: impl Fn(f64, f64) -> bool) -> bool {
    match (operand.as_f64(), value.as_f64()) {
        (Some(operand), Some(value)) => holds(value, operand),
        _ => true,
    }
}
