//! An example for each JSON body and answer, made of the examples of its fields.

use crate::http::docs::schema::Schemas;
use serde_json::Value;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{Content, OpenApi, RefOr};

const JSON: &str = "application/json";

/// Adds an example where there is none.
pub fn add(document: &mut OpenApi) {
    let Ok(whole) = serde_json::to_value(&*document) else {
        return;
    };
    for item in document.paths.paths.values_mut() {
        for content in contents(item) {
            if content.example.is_none()
                && content.examples.is_empty()
                && let Some(schema) = &content.schema
                && let Ok(schema) = serde_json::to_value(schema)
            {
                let example = Schemas(&whole).example(&schema);
                content.example = Some(example).filter(|example| *example != Value::Null);
            }
        }
    }
}

/// What a path's operations take and answer with as JSON.
fn contents(item: &mut PathItem) -> impl Iterator<Item = &mut Content> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
    .flat_map(|operation| {
        let bodies = operation.request_body.iter_mut();
        let bodies = bodies.filter_map(|body| match body {
            RefOr::T(body) => Some(body.content.iter_mut()),
            RefOr::Ref(_) => None,
        });
        let answers = operation.responses.responses.values_mut();
        let answers = answers.filter_map(|answer| match answer {
            RefOr::T(answer) => Some(answer.content.iter_mut()),
            RefOr::Ref(_) => None,
        });
        bodies.flatten().chain(answers.flatten())
    })
    .filter(|(media_type, _)| media_type.as_str() == JSON)
    .filter_map(|(_, content)| match content {
        RefOr::T(content) => Some(content),
        RefOr::Ref(_) => None,
    })
}
