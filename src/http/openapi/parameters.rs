//! What OpenAPI wants of parameters.

use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};

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
