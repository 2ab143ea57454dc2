//! The OpenAPI document, arranged for reading: operations by tag.

use crate::http::docs::schema::{Field, Schemas};
use crate::http::docs::text::Text;
use serde_json::Value;

pub struct Api {
    pub title: String,
    pub version: String,
    pub text: Text,
    pub groups: Vec<Group>,
    /// The headers that many operations take, and the refusals that many have: described once.
    pub headers: Vec<Parameter>,
    pub refusals: Vec<Answer>,
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
    /// The names of those of its headers that are described once.
    pub common_headers: Vec<String>,
    pub body: Option<Content>,
    pub answers: Vec<Answer>,
    /// The refusals, which are all problems.
    pub refusals: Vec<Answer>,
    /// The statuses of those refusals that are described once.
    pub common_refusals: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub kind: String,
    pub is_required: bool,
    pub text: Text,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    pub media_type: String,
    pub fields: Vec<Field>,
    /// Empty where there is no JSON.
    pub example: String,
    /// The first operation that answers the same, which describes it.
    pub same_as: Option<Link>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    pub text: Text,
    pub content: Option<Content>,
}

/// In how many operations a header or a refusal is to be the same, to be described once.
const COMMON: usize = 10;
/// An operation, to go to.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    pub id: String,
    pub summary: String,
}

/// From how many fields on an answer is described once.
const LONG: usize = 8;
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
        let (headers, refusals) = take_common(&mut groups);
        link_same(&mut groups);
        Self {
            headers,
            refusals,
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            text: Text::parse(&text(&document["info"]["description"])),
            groups,
            problem: schemas.fields(problem),
            problem_example: pretty(&schemas.example(problem)),
        }
    }
}

/// Takes out of the operations what many of them have alike, and leaves its name.
fn take_common(groups: &mut [Group]) -> (Vec<Parameter>, Vec<Answer>) {
    let operations = || groups.iter().flat_map(|group| &group.operations);
    let headers = operations()
        .flat_map(|operation| &operation.parameters)
        .filter(|parameter| parameter.place == "header" && !parameter.is_required);
    let mut headers = often(headers);
    headers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut refusals = often(operations().flat_map(|operation| &operation.refusals));
    refusals.sort_by(|a, b| a.status.cmp(&b.status));
    for operation in groups.iter_mut().flat_map(|group| &mut group.operations) {
        let (common, own) = std::mem::take(&mut operation.parameters)
            .into_iter()
            .partition(|parameter| headers.contains(parameter));
        operation.parameters = own;
        let names = |common: Vec<Parameter>| common.into_iter().map(|header| header.name);
        operation.common_headers = names(common).collect();
        let (common, own) = std::mem::take(&mut operation.refusals)
            .into_iter()
            .partition(|refusal| refusals.contains(refusal));
        operation.refusals = own;
        let statuses = |common: Vec<Answer>| common.into_iter().map(|refusal| refusal.status);
        operation.common_refusals = statuses(common).collect();
    }
    (headers, refusals)
}

/// Describes a long answer where it comes first, and leaves a link in its other places.
fn link_same(groups: &mut [Group]) {
    let mut known: Vec<(Vec<Field>, Link)> = Vec::new();
    for operation in groups.iter_mut().flat_map(|group| &mut group.operations) {
        let link = Link {
            id: operation.id.clone(),
            summary: operation.summary.clone(),
        };
        let contents = operation
            .answers
            .iter_mut()
            .flat_map(|answer| &mut answer.content);
        for content in contents.filter(|content| content.fields.len() >= LONG) {
            match known.iter().find(|(fields, _)| *fields == content.fields) {
                Some((_, first)) => {
                    content.same_as = Some(first.clone());
                    content.fields.clear();
                    content.example.clear();
                }
                None => known.push((content.fields.clone(), link.clone())),
            }
        }
    }
}

/// What comes at least [`COMMON`] times, once.
fn often<'a, T: Clone + PartialEq + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut counted: Vec<(&T, usize)> = Vec::new();
    for one in all {
        match counted.iter_mut().find(|(known, _)| *known == one) {
            Some((_, count)) => *count += 1,
            None => counted.push((one, 1)),
        }
    }
    counted
        .into_iter()
        .filter(|(_, count)| *count >= COMMON)
        .map(|(one, _)| one.clone())
        .collect()
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
            common_headers: Vec::new(),
            body: Content::of(schemas, &operation["requestBody"]["content"]),
            answers,
            refusals,
            common_refusals: Vec::new(),
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
            same_as: None,
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
