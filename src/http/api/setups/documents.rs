//! The documents that a customer applies, as setups and storages answer with them.

use crate::application::error::{Error, Result};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::policy_document::{DocumentName, Documents};
use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Content, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// Every document, filled in.
#[derive(Serialize, ToSchema)]
#[schema(as = Documents)]
pub struct DocumentsBody {
    /// For the role: what it may do.
    permission_policy: Value,
    /// For the role: who may assume it, and with which external ID.
    /// `null` for the built-in storage, which has no role.
    trust_policy: Option<Value>,
    /// For the bucket: which pages may use it in a browser. `null` where browsers do not use it.
    cors: Option<Value>,
    /// For the bucket: what expires.
    lifecycle: Value,
    /// For a bucket whose own policy is the gate; `null` without a role, and until its ARN is known.
    bucket_policy: Option<Value>,
    /// A script for the AWS CLI. `null` for the built-in storage, as the two below.
    cli: Option<String>,
    cloudformation: Option<String>,
    terraform: Option<String>,
}

impl From<Documents> for DocumentsBody {
    fn from(documents: Documents) -> Self {
        Self {
            permission_policy: documents.permission_policy,
            trust_policy: documents.trust_policy,
            cors: documents.cors,
            lifecycle: documents.lifecycle,
            bucket_policy: documents.bucket_policy,
            cli: documents.cli,
            cloudformation: documents.cloudformation,
            terraform: documents.terraform,
        }
    }
}

/// How one document is answered.
pub enum DocumentFile {}

impl IntoResponses for DocumentFile {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut answer = ResponseBuilder::new()
            .description("The document, with its own content type and a file name")
            .header(
                "Content-Disposition",
                HeaderBuilder::new()
                    .schema(Some(String::schema()))
                    .description(Some("`attachment`, with the file name"))
                    .build(),
            );
        for name in DocumentName::ALL {
            let (media_type, _) = name
                .content_type()
                .split_once(';')
                .unwrap_or((name.content_type(), ""));
            let schema = match media_type {
                "application/json" => Value::schema(),
                _ => String::schema(),
            };
            answer = answer.content(media_type, Content::new(Some(schema)));
        }
        BTreeMap::from([("200".to_owned(), RefOr::T(answer.build()))])
    }
}

/// One document as a file. An unknown name is answered like an absent one.
pub fn file(name: &str, documents: &Documents, bucket: &BucketName) -> Result<HttpResponse> {
    let name = DocumentName::parse(name).map_err(|_| Error::not_found("document"))?;
    let text = documents
        .text(name)
        .map_err(Error::bug)?
        .ok_or_else(|| Error::not_found("document"))?;
    // Made of the bucket's name, which has no character that a header must escape.
    let file_name = name.file_name(bucket);
    Ok(HttpResponse::Ok()
        .content_type(name.content_type())
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file_name}\""),
        ))
        .body(text))
}
