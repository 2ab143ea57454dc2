//! JSON schemas as tables of fields and as examples.

use crate::http::docs::text::Text;
use serde_json::{Map, Value, json};

/// How deep objects within objects are shown. Deeper, and in a circle, only the type is named.
const DEEPEST: usize = 5;

/// How deep an example goes. No object of the API has objects within it as deep as this.
const DEEPEST_EXAMPLE: usize = 12;

/// How many values of an enumeration are written out.
const MOST_VALUES: usize = 30;

/// One field of an object, or of an object within it.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// As in `steps[].aws.error_code`.
    pub path: String,
    pub kind: String,
    pub is_required: bool,
    pub text: Text,
}

/// Looks schemas up in the document.
#[derive(Clone, Copy)]
pub struct Schemas<'a>(pub &'a Value);

impl<'a> Schemas<'a> {
    /// The fields of a schema, depth first, in the order of the document.
    pub fn fields(self, schema: &Value) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect(schema, "", DEEPEST, &mut fields);
        fields
    }

    fn collect(self, schema: &Value, prefix: &str, depth: usize, fields: &mut Vec<Field>) {
        let schema = self.resolve(schema);
        if depth == 0 {
            return;
        }
        if let Some(items) = schema.get("items") {
            return self.collect(items, &format!("{prefix}[]"), depth, fields);
        }
        for part in ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|name| schema.get(*name)?.as_array())
            .flatten()
        {
            self.collect(part, prefix, depth, fields);
        }
        let required: Vec<&str> = array(&schema, "required")
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            // A description beside a reference is about this use of it.
            let text = property
                .get("description")
                .cloned()
                .or_else(|| self.resolve(property).get("description").cloned());
            let field = Field {
                kind: self.kind(property),
                is_required: required.contains(&name.as_str()),
                text: Text::parse(text.as_ref().and_then(Value::as_str).unwrap_or_default()),
                path: path.clone(),
            };
            // Alternatives can have a field in common.
            if !fields.iter().any(|known| known.path == field.path) {
                fields.push(field);
                self.collect(property, &path, depth - 1, fields);
            }
        }
    }

    /// A type in words: `string`, `array of object`, `"admin" or "member"`.
    pub fn kind(self, schema: &Value) -> String {
        let schema = self.resolve(schema);
        let mut kind = self.plain_kind(&schema);
        for (name, word) in [
            ("default", "default"),
            ("minimum", "from"),
            ("maximum", "to"),
        ] {
            if let Some(value) = schema.get(name).filter(|value| !value.is_null()) {
                kind.push_str(&format!(", {word} {value}"));
            }
        }
        if let Some(longest) = schema.get("maxLength") {
            kind.push_str(&format!(", at most {longest} characters"));
        }
        kind
    }

    fn plain_kind(self, schema: &Value) -> String {
        let values: Vec<String> = array(schema, "enum").map(Value::to_string).collect();
        if values.len() > MOST_VALUES {
            // Its description says where they are.
            return "string".to_owned();
        }
        if !values.is_empty() {
            return values.join(" or ");
        }
        let alternatives: Vec<String> = array(schema, "oneOf")
            .chain(array(schema, "anyOf"))
            .map(|part| self.kind(part))
            .collect();
        if !alternatives.is_empty() {
            let mut unique: Vec<String> = Vec::new();
            for kind in alternatives {
                if !unique.contains(&kind) {
                    unique.push(kind);
                }
            }
            return unique.join(" or ");
        }
        let name = |kind: &str| match (kind, schema.get("format").and_then(Value::as_str)) {
            ("string", Some("date-time")) => "time".to_owned(),
            ("string", Some("binary")) => "bytes".to_owned(),
            ("array", _) => match schema.get("items") {
                Some(items) => format!("array of {}", self.kind(items)),
                None => "array".to_owned(),
            },
            (kind, _) => kind.to_owned(),
        };
        match schema.get("type") {
            Some(Value::String(kind)) => name(kind),
            Some(Value::Array(kinds)) => kinds
                .iter()
                .filter_map(Value::as_str)
                .map(name)
                .collect::<Vec<_>>()
                .join(" or "),
            _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => {
                "object".to_owned()
            }
            _ => "any JSON".to_owned(),
        }
    }

    /// A value that fits the schema, from its examples where it has them.
    pub fn example(self, schema: &Value) -> Value {
        self.example_within(schema, DEEPEST_EXAMPLE)
    }

    fn example_within(self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        for name in ["example", "const", "default"] {
            if let Some(value) = schema.get(name) {
                return value.clone();
            }
        }
        if let Some(value) = array(&schema, "examples")
            .chain(array(&schema, "enum"))
            .next()
        {
            return value.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(fields) = self.example_within(part, depth) {
                    whole.extend(fields);
                }
            }
            return Value::Object(whole);
        }
        let first = array(&schema, "oneOf")
            .chain(array(&schema, "anyOf"))
            .find(|part| part["type"] != "null");
        if let Some(first) = first {
            return self.example_within(first, depth);
        }
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            return fields
                .iter()
                .map(|(name, field)| (name.clone(), self.example_within(field, depth - 1)))
                .collect::<Map<_, _>>()
                .into();
        }
        if let Some(items) = schema.get("items") {
            return json!([self.example_within(items, depth - 1)]);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").cloned(),
            kind => Some(kind.clone()),
        };
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        match (kind, schema["format"].as_str()) {
            ("string", Some("date-time")) => json!("2030-01-31T12:00:00.000Z"),
            ("string", _) => json!("string"),
            ("integer" | "number", _) => json!(1),
            ("boolean", _) => json!(true),
            ("array", _) => json!([]),
            ("object", _) => json!({}),
            _ => Value::Null,
        }
    }

    /// Follows a reference.
    pub fn resolve(self, schema: &Value) -> Value {
        let mut schema = schema;
        // A document's references may not go in a circle; a bound costs nothing.
        for _ in 0..DEEPEST {
            let target = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| self.0.pointer(reference.trim_start_matches('#')));
            match target {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema.clone()
    }
}

fn array<'v>(schema: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    schema
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_kinds_and_examples() {
        let document = json!({"components": {"schemas": {
            "Role": {"type": "string", "enum": ["admin", "member"]},
            "Inner": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string", "example": "/a"}}},
            "Outer": {"type": "object", "properties": {
                "role": {"$ref": "#/components/schemas/Role", "description": "Who."},
                "at": {"type": ["string", "null"], "format": "date-time"},
                "files": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
                "again": {"$ref": "#/components/schemas/Outer"},
            }},
        }}});
        let schemas = Schemas(&document);
        let outer = json!({"$ref": "#/components/schemas/Outer"});
        let fields = schemas.fields(&outer);
        let found: Vec<_> = fields
            .iter()
            .take(4)
            .map(|f| (f.path.as_str(), f.kind.as_str(), f.is_required))
            .collect();
        assert_eq!(
            found,
            [
                ("role", "\"admin\" or \"member\"", false),
                ("at", "time or null", false),
                ("files", "array of object", false),
                ("files[].key", "string", true),
            ]
        );
        assert_eq!(fields[0].text, Text::parse("Who."));
        let example = schemas.example(&outer);
        assert_eq!(example["role"], "admin");
        assert_eq!(example["files"], json!([{"key": "/a"}]));
        assert_eq!(example["at"], "2030-01-31T12:00:00.000Z");
    }
}
