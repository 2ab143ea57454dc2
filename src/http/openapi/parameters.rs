//! What OpenAPI wants of parameters.

use crate::application::people::admission::{ACTOR_HEADER, Gate, Place, WORKSPACE_HEADER};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, Required};

/// An optional parameter is absent or has a value: there is no `null` in a query string or header.
pub fn complete(parameter: &mut Parameter) {
    if parameter.parameter_in == ParameterIn::Path {
        return;
    }
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &object.schema_type
    {
        let mut kept = types.iter().filter(|kind| **kind != Type::Null);
        if let (Some(one), None) = (kept.next(), kept.next()) {
            object.schema_type = SchemaType::Type(one.clone());
        }
    }
}

/// Adds the headers that every operation with a token takes.
pub fn add_headers(operation: &mut Operation, gate: Option<Gate>) {
    let parameters = operation.parameters.get_or_insert_default();
    let mut add = |name: &str, pattern: &str, description: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.pattern(Some(pattern)).build();
        let header = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(text))
            .build();
        parameters.push(RefOr::T(header));
    };
    if gate.is_some_and(|gate| gate.place == Place::Workspace) {
        add(
            WORKSPACE_HEADER,
            "^(wrk_[0-9a-f]{32}|external:[!-~]{1,128})$",
            "For a product's key and the operator's token: the workspace to act in, by its ID, or as `external:` and its external ID.",
        );
    }
    add(
        ACTOR_HEADER,
        "^[!-~]{1,128}$",
        "The product's own ID of the person for whom this is done, for the audit log: 1 to 128 visible ASCII characters.",
    );
}
