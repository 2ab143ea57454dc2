//! The documents that a customer applies, as setups and storages answer with them.

use crate::application::error::{Error, Result};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::policy_document::{DocumentName, Documents};
use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

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
