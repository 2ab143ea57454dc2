//! Signed URLs: `/v1/storages/{storage_id}/files/sign`.

use crate::application::bucket::sign::SignedUpload;
use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::application::files::sign::{ReadMethod, SignRequest, SignedWrite};
use crate::application::people::caller::Caller;
use crate::domain::Invalid;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::ids::StorageRef;
use crate::domain::people::scope::Scope;
use crate::http::api::files::keys::{is_closed_range, parse_keys};
use crate::http::api::files::signed_answer::{SignedMethod, SignedUrlsBody, UrlFormat, of_keys};
use crate::http::body::Body;
use crate::http::caller::{FurtherScopes, MemberCaller, WriterCaller};
use crate::http::declare::asks;
use crate::http::file_headers::NoFileHeaders;
use crate::http::json_pieces::Sending;
use crate::http::path::Id;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// A signing request names up to 10,000 keys of 1,024 bytes.
pub(crate) const SIGN_LIMIT: usize = 16 << 20;

pub fn configure(config: &mut ServiceConfig) {
    config.service(asks(sign_files));
}

/// Which URLs to sign: `key` or `keys`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"keys": ["/some-folder/image.png"], "method": "GET", "expires_in": 900}))]
pub(crate) struct SignFiles {
    #[schema(example = "/some-folder/image.png")]
    key: Option<String>,
    /// At most 10,000.
    keys: Option<Vec<String>>,
    /// All but `GET` and `HEAD` are for admins, and for tokens that name folders to write in. `GET` where it is absent.
    #[schema(value_type = SignedMethod)]
    #[serde(default = "get")]
    method: String,
    /// Seconds; 900 where it is absent. The answer says when a URL really stops working: never later
    /// than the credentials that signed it.
    expires_in: Option<u64>,
    /// With `GET` and `HEAD`, the `Content-Type` of the answer; HTML, SVG and other active types become an
    /// inert one. Where it is absent, the file's own, unless the key's ending stands for an active type.
    /// With `PUT`, the `Content-Type` that the upload must have; any where it is absent.
    content_type: Option<String>,
    /// Forces a download under this name.
    download_name: Option<String>,
    /// With `PUT`, the canned ACL that the upload must ask for: it is among the `headers`. It needs
    /// `s3:PutObjectAcl` besides.
    #[schema(value_type = Option<closed_sets::CannedAclName>)]
    acl: Option<String>,
    /// With `PUT`, the size of the file in bytes, up to 5 GiB: the upload must have exactly this
    /// `Content-Length`, which is part of the signature and among the `headers`.
    size: Option<u64>,
    /// With `PUT`, only where there is no file with the key at the time of the upload: it must send
    /// `If-None-Match: *`, which is part of the signature and among the `headers`. S3 refuses it with 412
    /// otherwise.
    #[serde(default)]
    if_none_match: bool,
    /// With `GET` and `HEAD`, the one range of bytes that the URL is good for: `bytes=`, the first and the last
    /// byte. S3 takes no range from a URL, so whoever uses it must send this as `Range`: it is among the
    /// `headers`.
    #[schema(example = "bytes=0-99")]
    range: Option<String>,
    /// `urls` answers each URL whole. `compact` answers what they have in common once, which is a fraction of the
    /// size: for many keys. The URLs for `GET` and `HEAD` all make the bucket answer alike then: without a
    /// `content_type` each file is an attachment of its stored type, without a name of its own.
    #[serde(default)]
    format: UrlFormat,
}

/// What a body says of URLs beside the keys, at every address that signs some.
pub(in crate::http::api) struct AskedUrls {
    /// In seconds.
    pub expires_in: Option<u64>,
    pub content_type: Option<String>,
    pub download_name: Option<String>,
    pub format: UrlFormat,
}

impl AskedUrls {
    /// The request for URLs that read these files. `field`: where the body has the keys.
    pub fn request(self, field: &str, keys: &[String]) -> Result<SignRequest> {
        Ok(SignRequest {
            keys: parse_keys(field, keys)?,
            expires_in: self.expires_in.map(Duration::from_secs),
            content_type: self.content_type,
            download_name: self.download_name,
            method: ReadMethod::Get,
            range: None,
            alike: self.format == UrlFormat::Compact,
        })
    }
}

fn no_meaning(field: &str) -> Error {
    Error::field(
        field,
        Invalid::new(
            "unexpected_field",
            format!("`{field}` has no meaning for a URL with this method."),
        ),
    )
}

fn get() -> String {
    "GET".to_owned()
}

/// Sign URLs
///
/// The answer may be large, and comes in pieces. With `"format": "compact"` it is smaller.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = SignFiles,
    responses((status = 200, description = "The URLs, in the order of the keys", body = SignedUrlsBody)),
)]
#[post("/v1/storages/{storage_id}/files/sign")]
async fn sign_files(
    member: MemberCaller,
    further: FurtherScopes,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<SignFiles, SIGN_LIMIT>,
) -> Result<HttpResponse> {
    let one = body.value.key.is_some();
    let format = body.value.format;
    let what = match body.value.method.as_str() {
        "PUT" => Some(SignedWrite::Put(body.value.upload()?)),
        "DELETE" => Some(SignedWrite::Delete),
        _ => None,
    };
    let (urls, keys) = match what {
        None => {
            let request = body.value.parse()?;
            trail.signs_reads(&request.keys);
            let urls = services.files.sign_get(&member.0, &id.0, &request).await;
            (urls, request.keys)
        }
        Some(what) => {
            further.need(Scope::FilesWrite)?;
            let WriterCaller(writer) = Caller::Workspace(member.0).try_into()?;
            let method = match &what {
                SignedWrite::Put(_) => "PUT",
                SignedWrite::Delete => "DELETE",
            };
            let request = body.value.for_writing()?;
            trail.signs(method, &request.keys).await?;
            let urls = services
                .files
                .sign_write(&writer, &id.0, &request.keys, &what, request.expires_in)
                .await;
            (urls, request.keys)
        }
    };
    let urls = urls.map_err(|mut error| {
        for field in &mut error.fields {
            if one && field.field == "keys[0]" {
                field.field = "key".into();
            }
        }
        error
    })?;
    trail.signed_until(urls.end());
    let sending = Sending::of(&services.files, Some(body.memory));
    of_keys(urls, keys, format, sending)
}

impl SignFiles {
    /// What the upload of a `PUT` must be like.
    fn upload(&self) -> Result<SignedUpload> {
        let acl = self.acl.as_deref().map(CannedAcl::parse).transpose();
        Ok(SignedUpload {
            content_type: self.content_type.clone(),
            acl: acl.map_err(|invalid| Error::field("acl", invalid))?,
            size: self.size,
            if_none_match: self.if_none_match,
        })
    }

    /// The fields given that only an upload has.
    fn of_an_upload(&self) -> [(&'static str, bool); 3] {
        [
            ("acl", self.acl.is_some()),
            ("size", self.size.is_some()),
            ("if_none_match", self.if_none_match),
        ]
    }

    fn parse(self) -> Result<SignRequest> {
        let refuse =
            |field: &str, code, detail: &str| Error::field(field, Invalid::new(code, detail));
        if let Some((field, _)) = self.of_an_upload().into_iter().find(|(_, given)| *given) {
            return Err(no_meaning(field));
        }
        let method = match self.method.as_str() {
            "GET" => ReadMethod::Get,
            "HEAD" => ReadMethod::Head,
            _ => {
                return Err(refuse(
                    "method",
                    "unsupported_method",
                    "`GET`, `HEAD`, `PUT` and `DELETE` are signed.",
                ));
            }
        };
        if !self.range.as_deref().is_none_or(is_closed_range) {
            return Err(refuse(
                "range",
                "invalid_range",
                "A range is one range of bytes with its first and its last byte, like `bytes=0-99`.",
            ));
        }
        Ok(SignRequest {
            method,
            ..self.request()?
        })
    }

    /// The same for a URL that changes the file: what only a download has is refused.
    fn for_writing(self) -> Result<SignRequest> {
        let mut meaningless = vec![
            ("download_name", self.download_name.is_some()),
            ("range", self.range.is_some()),
        ];
        if self.method == "DELETE" {
            meaningless.push(("content_type", self.content_type.is_some()));
            meaningless.extend(self.of_an_upload());
        }
        if let Some((field, _)) = meaningless.into_iter().find(|(_, given)| *given) {
            return Err(no_meaning(field));
        }
        let fits = |text: &String| text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if !self.content_type.as_ref().is_none_or(fits) {
            let detail = "A content type is printable ASCII.";
            return Err(Error::field(
                "content_type",
                Invalid::new("invalid_content_type", detail),
            ));
        }
        self.request()
    }

    fn request(self) -> Result<SignRequest> {
        let refuse =
            |field: &str, code, detail: &str| Error::field(field, Invalid::new(code, detail));
        let (field, keys) = match (self.key, self.keys) {
            (Some(key), None) => ("key", vec![key]),
            (None, Some(keys)) => ("keys", keys),
            (Some(_), Some(_)) => {
                return Err(refuse(
                    "keys",
                    "key_and_keys",
                    "Give `key` or `keys`, not both.",
                ));
            }
            (None, None) => {
                return Err(refuse("key", "missing_field", "`key` or `keys` is needed."));
            }
        };
        let asked = AskedUrls {
            expires_in: self.expires_in,
            content_type: self.content_type,
            download_name: self.download_name,
            format: self.format,
        };
        Ok(SignRequest {
            range: self.range,
            ..asked.request(field, &keys)?
        })
    }
}
