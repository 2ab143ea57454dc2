//! Uploads of large files in parts. The script of a folder's page begins an upload, sends each part, and
//! completes or aborts the upload. The parts go through the service, so the bucket needs no CORS rules for them.
//!
//! The answers are JSON, and so are refusals: the script does not ask for a page.

use crate::application::bucket::multipart::SentPart;
use crate::application::bucket::write::{NewObject, StoredHeaders, WriteConditions};
use crate::application::error::{Error, Result};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::file_name::no_slash_before;
use crate::http::pages::files::form_fields::{drain, next, text, unreadable};
use crate::http::pages::files::upload::type_of;
use crate::http::pages::shell::form::{Form, check_token, expected, same_site};
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::pump;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_multipart::{Field, Multipart};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::Fuse;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The longest content type, ETag or checksum, in bytes.
const LONGEST_TEXT: usize = 255;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/storages/{storage_id}/files/multipart", "begin_upload")
                .changes_files(begin),
        )
        .add(
            PageRoute::at("/storages/{storage_id}/files/multipart/part", "upload_part")
                .changes_files(part),
        )
        .add(
            PageRoute::at(
                "/storages/{storage_id}/files/multipart/complete",
                "complete_upload",
            )
            .changes_files(complete),
        )
        .add(
            PageRoute::at(
                "/storages/{storage_id}/files/multipart/abort",
                "abort_upload",
            )
            .changes_files(abort),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginForm {
    folder: String,
    /// The file's name below the folder.
    name: String,
    /// In bytes.
    size: u64,
    content_type: Option<String>,
    replace: Option<String>,
}

#[derive(Serialize)]
struct Begun {
    upload_id: String,
    /// How many bytes each part has, but the last.
    part_size: u64,
}

/// A part that was sent. The script gives it back as it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartBody {
    number: u32,
    etag: String,
    checksum: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteForm {
    upload_id: String,
    /// Every part that was sent, as a JSON array.
    parts: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AbortForm {
    upload_id: String,
}

async fn begin(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    form: Form<BeginForm>,
) -> Result<Json<Begun>> {
    let form = form.0;
    let folder = Folder::parse(&form.folder).map_err(|i| Error::field("folder", i))?;
    if form.name.is_empty() {
        let invalid = Invalid::new("no_file", "Choose a file to upload.");
        return Err(Error::field("file", invalid));
    }
    no_slash_before(&form.name)?;
    let key =
        FileKey::parse(&format!("{folder}{}", form.name)).map_err(|i| Error::field("file", i))?;
    let sent_type = form.content_type.filter(|text| is_header_text(text));
    let object = NewObject {
        content_type: type_of(sent_type, &form.name),
        headers: StoredHeaders::default(),
        metadata: Vec::new(),
        conditions: WriteConditions {
            if_none_match: form.replace.as_deref() != Some("yes"),
            if_match: None,
        },
        acl: None,
    };
    trail.changes_file(&key).await?;
    let begun = services
        .files
        .begin_relayed(admin.admin.writer(), &id.0, &key, &object, form.size)
        .await?;
    Ok(Json(Begun {
        upload_id: begun.upload_id,
        part_size: begun.part_size,
    }))
}

/// Takes a part, streamed into the bucket as it comes. The fields before it say which one it is.
async fn part(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    request: HttpRequest,
    mut form: Multipart,
) -> Result<Json<PartBody>> {
    same_site(&request)?;
    let csrf = expected(&request)?;
    let patience = services.running.request_timeout;
    let began = Instant::now();
    let mut token = None;
    let (mut upload_id, mut number) = (String::new(), 0_u32);
    loop {
        let left = patience.saturating_sub(began.elapsed());
        let Some(field) = next(left, &mut form).await? else {
            check_token(token.as_deref(), &csrf)?;
            return Err(unreadable("the form has no part"));
        };
        let mut field = field.map_err(unreadable)?;
        let left = patience.saturating_sub(began.elapsed());
        match field.name().unwrap_or_default() {
            "csrf" => token = Some(text(left, &mut field).await?),
            "upload_id" => upload_id = text(left, &mut field).await?,
            "number" => number = text(left, &mut field).await?.parse().unwrap_or_default(),
            "file" => {
                check_token(token.as_deref(), &csrf)?;
                let to = PartTarget {
                    admin: &admin,
                    services: &services,
                    id: &id.0,
                    trail: &trail,
                    upload_id: &upload_id,
                    number,
                };
                let mut content = (&mut field).fuse();
                let sent = to.store(&mut content).await;
                if sent.is_err() {
                    drain(patience, &mut content).await;
                }
                return Ok(Json(sent?.into()));
            }
            _ => return Err(unreadable("a field that the form does not have")),
        }
    }
}

/// Where a part goes.
struct PartTarget<'a> {
    admin: &'a AdminVisitor,
    services: &'a Services,
    id: &'a StorageRef,
    trail: &'a Trail,
    upload_id: &'a str,
    /// 0 where the form names none: no upload has such a part.
    number: u32,
}

impl PartTarget<'_> {
    async fn store(&self, content: &mut Fuse<&mut Field>) -> Result<SentPart> {
        let files = &self.services.files;
        let writer = self.admin.admin.writer();
        let expected = files.expected_part(writer, self.id, self.upload_id, self.number)?;
        self.trail.changes_file(&expected.key).await?;
        let length = Some(expected.length);
        let running = &self.services.running;
        let (body, reading) = pump::upload(content, length, Vec::new(), running);
        let relay = files.relay_part(writer, self.id, self.upload_id, self.number, body);
        let (sent, ()) = join(relay, reading).await;
        sent
    }
}

impl From<SentPart> for PartBody {
    fn from(part: SentPart) -> Self {
        Self {
            number: part.number,
            etag: part.etag,
            checksum: part.checksum_crc32,
        }
    }
}

async fn complete(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    form: Form<CompleteForm>,
) -> Result<HttpResponse> {
    let CompleteForm { upload_id, parts } = form.0;
    let parts = named_parts(&parts)?;
    let key = services
        .files
        .key_of_upload(admin.admin.writer(), &id.0, &upload_id)?;
    trail.changes_file(&key).await?;
    services
        .files
        .complete_multipart(admin.admin.writer(), &id.0, &upload_id, parts)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn abort(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    form: Form<AbortForm>,
) -> Result<HttpResponse> {
    let upload_id = &form.0.upload_id;
    let key = services
        .files
        .key_of_upload(admin.admin.writer(), &id.0, upload_id)?;
    trail.changes_file(&key).await?;
    services
        .files
        .abort_multipart(admin.admin.writer(), &id.0, upload_id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The parts that the script names when it completes an upload.
fn named_parts(text: &str) -> Result<Vec<SentPart>> {
    let refuse = || {
        Error::field(
            "parts",
            Invalid::new("invalid_parts", "Name every part that was sent, once."),
        )
    };
    let parts: Vec<PartBody> = serde_json::from_str(text).map_err(|_| refuse())?;
    let parts = parts.into_iter().map(|part| {
        let is_known =
            is_header_text(&part.etag) && part.checksum.as_deref().is_none_or(is_header_text);
        is_known.then_some(SentPart {
            number: part.number,
            etag: part.etag,
            checksum_crc32: part.checksum,
        })
    });
    parts.collect::<Option<Vec<_>>>().ok_or_else(refuse)
}

fn is_header_text(text: &str) -> bool {
    (1..=LONGEST_TEXT).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_as_they_were_answered() {
        let sent = SentPart {
            number: 2,
            etag: "\"e\"".into(),
            checksum_crc32: Some("AAAAAA==".into()),
        };
        let text = serde_json::to_string(&[PartBody::from(sent.clone())]).unwrap();
        assert_eq!(named_parts(&text).unwrap(), [sent]);
        let without = named_parts(r#"[{"number": 1, "etag": "e", "checksum": null}]"#);
        assert_eq!(without.unwrap()[0].checksum_crc32, None);
        for bad in [
            "",
            "{}",
            r#"[{"number": 1}]"#,
            r#"[{"number": -1, "etag": "e"}]"#,
            r#"[{"number": 1, "etag": ""}]"#,
            r#"[{"number": 1, "etag": "e\n"}]"#,
            r#"[{"number": 1, "etag": "e", "checksum": "ü"}]"#,
            r#"[{"number": 1, "etag": "e", "other": 1}]"#,
        ] {
            assert_eq!(
                named_parts(bad).unwrap_err().fields[0].field,
                "parts",
                "{bad}"
            );
        }
    }

    #[test]
    fn a_type_is_the_browser_s_or_by_the_name() {
        for (sent, expected) in [
            (Some("text/x-own"), "text/x-own"),
            (Some(""), "video/mp4"),
            (Some("application/octet-stream"), "video/mp4"),
            (None, "video/mp4"),
        ] {
            assert_eq!(type_of(sent.map(str::to_owned), "a.mp4"), expected);
        }
        assert!(!is_header_text("a\nb") && !is_header_text(&"x".repeat(256)));
    }
}
