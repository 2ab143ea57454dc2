//! The documents that a customer applies, as setups and storages answer with them.

use crate::application::closed_sets;
use crate::application::error::{Error, Kind, Result};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::policy_document::{DocumentAccount, DocumentName, Documents};
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
    /// For the role, or for the user of the access key: what it may do.
    permission_policy: Value,
    /// For the role: who may assume it, and with which external ID.
    /// `null` for the built-in storage and for an access key, which have no role.
    trust_policy: Option<Value>,
    /// For the bucket: which pages may use it in a browser. `null` where browsers do not use it.
    cors: Option<Value>,
    /// For the bucket: what expires. `null` where the setup has no lifecycle rules.
    lifecycle: Option<Value>,
    /// For a bucket whose own policy is the gate; `null` without a role, and until the role
    /// exists: until its ARN was entered, or the expected role has let the service in.
    bucket_policy: Option<Value>,
    /// A script for the AWS CLI: makes the role, or the user with its policy and key. `null` for the built-in storage
    /// and an S3-compatible store, as the two below. For an access key, those make the user and its policy alone.
    cli: Option<String>,
    cloudformation: Option<String>,
    /// A link to the AWS console that makes the role by one click, with every value filled in. `null` where the
    /// operator has set up no bucket for the template, for an access key, and for the built-in storage.
    cloudformation_quick_create_url: Option<String>,
    terraform: Option<String>,
    /// For the KMS key: the statement to add to its policy. Across accounts, KMS needs it besides the role's
    /// permission policy. `null` without a key, and until the role's ARN is known.
    key_policy: Option<Value>,
    /// A script for the account that owns the bucket. `null` where that is the role's account or not known,
    /// and until the role's ARN is known, as the next one.
    cli_bucket: Option<String>,
    cloudformation_bucket: Option<String>,
    /// A script for the account that owns the KMS key. `null` where that is the role's account, and until the
    /// role's ARN is known.
    cli_key: Option<String>,
    /// The role that the documents make or change. `null` for the built-in storage and for an access key.
    role: Option<DocumentRoleBody>,
    /// The IAM user that the documents make. `null` unless by an access key of Amazon S3.
    user: Option<DocumentUserBody>,
    /// The value of the tag `sallyport:setup` that the role or user gets. `null` where none is made.
    #[schema(example = "set_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    setup_tag: Option<String>,
    /// The managed policy that bounds the role or user that the documents make.
    permissions_boundary_arn: Option<String>,
    /// Which document is applied in which account. `null` for the built-in storage and an S3-compatible store.
    accounts: Option<DocumentAccountsBody>,
}

/// The role that documents make or change.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentRole)]
struct DocumentRoleBody {
    name: String,
    /// Begins and ends with a slash.
    path: String,
    /// `null` until it was entered, or the account that the role is made in.
    arn: Option<String>,
}

/// The IAM user that documents make.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentUser)]
struct DocumentUserBody {
    name: String,
    /// Begins and ends with a slash.
    path: String,
}

/// The accounts of the role, the bucket and the KMS key. They may be the same one.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentAccounts)]
struct DocumentAccountsBody {
    role: DocumentAccountBody,
    bucket: DocumentAccountBody,
    /// `null` where there is no key.
    key: Option<DocumentAccountBody>,
}

/// An account, and what is applied in it.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentAccount)]
struct DocumentAccountBody {
    /// `null` while it is not known.
    id: Option<String>,
    /// The documents' names.
    #[schema(value_type = Vec<closed_sets::DocumentName>)]
    documents: Vec<&'static str>,
}

impl From<DocumentAccount> for DocumentAccountBody {
    fn from(account: DocumentAccount) -> Self {
        Self {
            id: account.id.as_ref().map(ToString::to_string),
            documents: account.documents.iter().map(|name| name.as_str()).collect(),
        }
    }
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
            cloudformation_quick_create_url: documents.cloudformation_quick_create_url,
            terraform: documents.terraform,
            key_policy: documents.key_policy,
            cli_bucket: documents.cli_bucket,
            cloudformation_bucket: documents.cloudformation_bucket,
            cli_key: documents.cli_key,
            role: documents.role.map(|role| DocumentRoleBody {
                name: role.name,
                path: role.path,
                arn: role.arn.as_ref().map(ToString::to_string),
            }),
            user: documents.user.map(|user| DocumentUserBody {
                name: user.name,
                path: user.path,
            }),
            setup_tag: documents.setup_tag,
            permissions_boundary_arn: documents
                .permissions_boundary
                .as_ref()
                .map(ToString::to_string),
            accounts: documents.accounts.map(|accounts| DocumentAccountsBody {
                role: accounts.role.into(),
                bucket: accounts.bucket.into(),
                key: accounts.key.map(Into::into),
            }),
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

/// A document that these settings do not have, and what it needs.
fn not_applicable(name: DocumentName) -> Error {
    let named = name.as_str();
    let detail = format!("The document `{named}` does not apply to these settings.");
    Error::new(Kind::NotFound, "not_found", detail).remedy(when(name))
}

/// When a document applies.
fn when(name: DocumentName) -> &'static str {
    match name {
        DocumentName::PermissionPolicy => "It always applies.",
        DocumentName::TrustPolicy => "It applies to a connection by a role.",
        DocumentName::Cors => {
            "It applies where browsers use the bucket (`browser_access`) and the product has an origin."
        }
        DocumentName::Lifecycle => {
            "It applies with the access `read_write`, unless `lifecycle` is false."
        }
        DocumentName::BucketPolicy => {
            "It applies to a connection by a role, once the role exists: AWS refuses a bucket policy that names a role that does not. Set `role_arn`, or set `customer_account_id` and wait until the role has appeared."
        }
        DocumentName::Cli | DocumentName::Cloudformation | DocumentName::Terraform => {
            "It applies to a bucket of Amazon S3 that a customer connects."
        }
        DocumentName::KeyPolicy => {
            "It applies to a connection by a role with a `kms_key_arn`, once the role exists."
        }
        DocumentName::CliBucket | DocumentName::CloudformationBucket => {
            "It applies where `bucket_account_id` is another account than the role's, once the role exists."
        }
        DocumentName::CliKey => {
            "It applies where `kms_key_arn` is of another account than the role's, once the role exists."
        }
    }
}

/// One document as a file. An unknown name is answered like one of another workspace. One that does not apply says
/// what it needs.
pub fn file(name: &str, documents: &Documents, bucket: &BucketName) -> Result<HttpResponse> {
    let name = DocumentName::parse(name).map_err(|_| Error::not_found("document"))?;
    let text = documents
        .text(name)
        .map_err(Error::bug)?
        .ok_or_else(|| not_applicable(name))?;
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
