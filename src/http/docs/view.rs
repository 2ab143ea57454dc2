//! The OpenAPI document, arranged for reading: operations by tag.

use crate::http::docs::schema::{Field, Schemas};
use crate::http::docs::text::Text;
use serde_json::Value;

pub struct Api {
    pub title: String,
    pub version: String,
    pub text: Text,
    pub groups: Vec<Group>,
    /// The fields of every problem.
    pub problem: Vec<Field>,
    pub problem_example: String,
}

/// The operations with one tag.
pub struct Group {
    pub name: String,
    pub anchor: String,
    pub text: Text,
    pub operations: Vec<Operation>,
}

pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub text: Text,
    pub needs_token: bool,
    pub parameters: Vec<Parameter>,
    pub body: Option<Content>,
    pub answers: Vec<Answer>,
    /// The refusals, which are all problems.
    pub refusals: Vec<Answer>,
}

pub struct Parameter {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub kind: String,
    pub is_required: bool,
    pub text: Text,
}

pub struct Content {
    pub media_type: String,
    pub fields: Vec<Field>,
    /// Empty where there is no JSON.
    pub example: String,
}

pub struct Answer {
    pub status: String,
    pub text: Text,
    pub content: Option<Content>,
}

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];
const PROBLEM: &str = "application/problem+json";

impl Api {
    pub fn of(document: &Value) -> Self {
        let schemas = Schemas(document);
        let problem = &document["components"]["schemas"]["Problem"];
        let mut groups: Vec<Group> = items(&document["tags"])
            .map(|tag| Group {
                name: text(&tag["name"]),
                anchor: anchor(&text(&tag["name"])),
                text: Text::parse(&text(&tag["description"])),
                operations: Vec::new(),
            })
            .collect();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                let tag = text(&operation["tags"][0]);
                let operation = Operation::of(schemas, method, path, operation);
                match groups.iter_mut().find(|group| group.name == tag) {
                    Some(group) => group.operations.push(operation),
                    None => groups.push(Group {
                        anchor: anchor(&tag),
                        name: tag,
                        text: Text::default(),
                        operations: vec![operation],
                    }),
                }
            }
        }
        groups.retain(|group| !group.operations.is_empty());
        Self {
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            text: Text::parse(&text(&document["info"]["description"])),
            groups,
            problem: schemas.fields(problem),
            problem_example: pretty(&schemas.example(problem)),
        }
    }
}

impl Operation {
    fn of(schemas: Schemas<'_>, method: &str, path: &str, operation: &Value) -> Self {
        let parameters = items(&operation["parameters"])
            .map(|parameter| Parameter {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                kind: schemas.kind(&parameter["schema"]).replace(" or null", ""),
                is_required: parameter["required"] == true,
                text: Text::parse(&text(&parameter["description"])),
            })
            .collect();
        let (mut answers, mut refusals) = (Vec::new(), Vec::new());
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            let answer = &schemas.resolve(answer);
            let is_refusal = answer["content"].get(PROBLEM).is_some();
            let answer = Answer {
                status: status.clone(),
                text: Text::parse(&text(&answer["description"])),
                content: (!is_refusal)
                    .then(|| Content::of(schemas, &answer["content"]))
                    .flatten(),
            };
            if is_refusal {
                refusals.push(answer);
            } else {
                answers.push(answer);
            }
        }
        refusals.sort_by(|a, b| a.status.cmp(&b.status));
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            text: Text::parse(&text(&operation["description"])),
            needs_token: operation["security"].is_array(),
            parameters,
            body: Content::of(schemas, &operation["requestBody"]["content"]),
            answers,
            refusals,
        }
    }
}

impl Content {
    /// The first of the media types; the API has one for each content.
    fn of(schemas: Schemas<'_>, content: &Value) -> Option<Self> {
        let (media_type, content) = content.as_object()?.iter().next()?;
        let is_json = media_type == "application/json";
        let fields = schemas.fields(&content["schema"]);
        let example = match content.get("example") {
            Some(example) if is_json => pretty(example),
            _ if is_json && !fields.is_empty() => pretty(&schemas.example(&content["schema"])),
            _ => String::new(),
        };
        Some(Self {
            media_type: media_type.clone(),
            fields,
            example,
        })
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A name as a fragment of an address.
fn anchor(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
