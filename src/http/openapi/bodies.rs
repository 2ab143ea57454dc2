//! Which request bodies may be left away.

use crate::http::openapi::operations;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Required};

/// A body may be left away where no member of it is required: an empty body is read as `{}`.
pub fn complete(document: &mut OpenApi) {
    let Some(components) = &document.components else {
        return;
    };
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let Some(RefOr::T(body)) = &mut operation.request_body else {
                continue;
            };
            let json = body.content.get("application/json");
            let schema = json.and_then(|content| match content {
                RefOr::T(content) => content.schema.as_ref(),
                RefOr::Ref(_) => None,
            });
            if schema.is_some_and(|schema| has_no_required_member(schema, components)) {
                body.required = Some(Required::False);
            }
        }
    }
}

fn has_no_required_member(schema: &RefOr<Schema>, components: &Components) -> bool {
    let schema = match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(Ref { ref_location, .. }) => ref_location
            .strip_prefix("#/components/schemas/")
            .and_then(|name| match components.schemas.get(name)? {
                RefOr::T(schema) => Some(schema),
                RefOr::Ref(_) => None,
            }),
    };
    match schema {
        Some(Schema::Object(object)) => object.required.is_empty(),
        _ => false,
    }
}
