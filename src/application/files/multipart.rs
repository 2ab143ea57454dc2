//! Multipart uploads. By signed URLs, a browser sends the parts to the bucket itself, and the service only
//! begins and ends the upload. A page sends them through the service, so the bucket needs no CORS rules for it.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::multipart::{OpenedUpload, SentPart};
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::sign::{SignedCall, SignedUrls};
use crate::application::bucket::write::{NewObject, StoredObject, WriteConditions};
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::files::copy::refused_acl;
use crate::application::files::shared::{Files, TRANSFER};
use crate::application::files::sign::url_life;
use crate::application::files::write::of_the_body;
use crate::application::kept::vault::Purpose;
use crate::application::people::caller::Writer;
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::part_plan::{LARGEST_OBJECT, MOST_PARTS, PartPlan, Sizes};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::people::reach::Touch;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;

/// An upload that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunUpload {
    /// Opaque, and good for this workspace and storage only.
    pub upload_id: String,
    /// How many bytes each part has, but the last.
    pub part_size: u64,
}

/// A part that a page is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedPart {
    /// Of the file that the upload is to become.
    pub key: FileKey,
    /// In bytes.
    pub length: u64,
}

/// What an upload's ID holds, sealed.
#[derive(Serialize, Deserialize)]
struct UploadTicket {
    key: String,
    upload_id: String,
    if_none_match: bool,
    /// Only where the parts come through the service. Releases before it know no such member, and ignore it.
    relayed: Option<Relayed>,
    /// In seconds since 1970: [`OpenedUpload::since`]. Tickets of releases before it have none.
    since: Option<i64>,
}

/// How the file is cut: in the ticket, so that every replica cuts it in the same way.
#[derive(Serialize, Deserialize, Clone, Copy)]
struct Relayed {
    length: u64,
    part: u64,
}

impl Relayed {
    fn plan(self) -> PartPlan {
        PartPlan {
            length: self.length,
            part: self.part,
        }
    }
}

struct OpenUpload {
    bucket: ConnectedBucket,
    key: FileKey,
    object: NewObject,
    upload: OpenedUpload,
    plan: Option<PartPlan>,
}

impl Files {
    /// Begins an upload of a file of this size, if that is known.
    pub async fn begin_multipart(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        key: &FileKey,
        object: &NewObject,
        size: Option<u64>,
    ) -> Result<BegunUpload> {
        let size = size.unwrap_or_default();
        check_size(size)?;
        let touched = [Touch::Write(key)];
        let bucket = self
            .bucket_for(FileOperation::Upload, writer.member(), storage, &touched)
            .await?;
        if object.acl.is_some() {
            self.bucket_for(FileOperation::WriteAcl, writer.member(), storage, &touched)
                .await?;
        }
        let begun = self
            .bucket
            .begin_multipart(&bucket, &bucket.key("key", key)?, object)
            .await;
        if let Err(failure) = &begun
            && object.acl.is_some()
            && let Some(refused) = refused_acl(failure)
        {
            return Err(refused.error().internal(failure));
        }
        let upload = self
            .explain_multipart(&bucket, FileOperation::Upload, begun)
            .await?;
        let ticket = UploadTicket {
            key: key.to_string(),
            since: upload.since.map(OffsetDateTime::unix_timestamp),
            upload_id: upload.id,
            if_none_match: object.conditions.if_none_match,
            relayed: None,
        };
        Ok(BegunUpload {
            upload_id: self.seal_ticket(writer, storage, &ticket)?,
            part_size: Sizes::default().part_of(size),
        })
    }

    /// Begins an upload of a file of this size, in bytes, whose parts come through the service.
    pub async fn begin_relayed(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        key: &FileKey,
        object: &NewObject,
        size: u64,
    ) -> Result<BegunUpload> {
        check_size(size)?;
        let bucket = self
            .bucket_for(
                FileOperation::Upload,
                writer.member(),
                storage,
                &[Touch::Write(key)],
            )
            .await?;
        let object_key = bucket.key("key", key)?;
        if object.conditions.if_none_match {
            self.must_be_new(&bucket, &object_key).await?;
        }
        let begun = self
            .bucket
            .begin_relayed(&bucket, &object_key, object)
            .await;
        let upload = self
            .explain_multipart(&bucket, FileOperation::Upload, begun)
            .await?;
        let plan = PartPlan::relayed(size);
        let ticket = UploadTicket {
            key: key.to_string(),
            since: upload.since.map(OffsetDateTime::unix_timestamp),
            upload_id: upload.id,
            if_none_match: object.conditions.if_none_match,
            relayed: Some(Relayed {
                length: plan.length,
                part: plan.part,
            }),
        };
        Ok(BegunUpload {
            upload_id: self.seal_ticket(writer, storage, &ticket)?,
            part_size: plan.part,
        })
    }

    /// Refuses a key that has a file before any byte of the new one comes: the completion would refuse it only
    /// after the last. Where the bucket does not say it, the completion decides.
    async fn must_be_new(&self, bucket: &ConnectedBucket, key: &ObjectKey) -> Result<()> {
        match self.bucket.head(bucket, key).await {
            Err(_) => Ok(()),
            Ok(_) => Err(Error::new(
                Kind::PreconditionFailed,
                "precondition_failed",
                "There is a file with this key already.",
            )
            .because(Reason::ConditionFailed)
            .remedy("Replace it, or choose another name.")),
        }
    }

    /// What a part of an upload that [`begin_relayed`](Self::begin_relayed) began must be.
    pub fn expected_part(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
        number: u32,
    ) -> Result<ExpectedPart> {
        let (key, ticket) = self.open_ticket(writer, storage, upload_id)?;
        let plan = ticket.relayed.ok_or_else(no_upload)?.plan();
        match plan.length_of(u64::from(number)) {
            Some(length) => Ok(ExpectedPart { key, length }),
            None => Err(Error::field(
                "number",
                Invalid::new(
                    "invalid_part_number",
                    format!("This upload has parts 1 to {}.", plan.count()),
                ),
            )),
        }
    }

    /// Stores one part. The body has the length that is [expected](Self::expected_part). The same part may be
    /// sent again: the last one counts.
    pub async fn relay_part(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
        number: u32,
        body: UploadBody,
    ) -> Result<SentPart> {
        let opened = self.open_upload(writer, storage, upload_id).await?;
        let key = opened.bucket.key("key", &opened.key)?;
        let _transfer = self.allowances.transfer(writer.workspace())?;
        let buffers = body.length().unwrap_or(TRANSFER).min(TRANSFER);
        let _until_the_end = self
            .memory
            .take_for_body(writer.workspace().as_str(), buffers)
            .await?;
        let sent = self
            .bucket
            .relay_part(&opened.bucket, &key, &opened.upload.id, number, body)
            .await;
        match sent.map_err(of_the_body) {
            Ok(part) => Ok(part),
            Err(Ok(error)) => Err(error),
            Err(Err(failure)) => {
                self.explain_multipart(&opened.bucket, FileOperation::Upload, Err(failure))
                    .await
            }
        }
    }

    /// Signs a URL for each of these parts.
    pub async fn sign_parts(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
        numbers: &[u32],
        expires_in: Option<Duration>,
    ) -> Result<SignedUrls> {
        let expires_in = url_life(expires_in, self.longest_url_life)?;
        check_numbers("part_numbers", numbers)?;
        let opened = self.open_upload(writer, storage, upload_id).await?;
        let call = SignedCall::Parts {
            key: opened.bucket.key("key", &opened.key)?,
            upload_id: opened.upload.id,
            numbers: numbers.to_vec(),
        };
        let urls = self.bucket.sign(&opened.bucket, call, expires_in).await;
        let urls = self
            .explainer
            .explain(&opened.bucket, FileOperation::Upload, urls)
            .await?;
        self.usage.signed(writer.workspace(), urls.count());
        Ok(urls)
    }

    /// Makes the file of the parts. Asked for again after it was made, it succeeds if the file that is there proves it.
    pub async fn complete_multipart(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
        mut parts: Vec<SentPart>,
    ) -> Result<(FileKey, StoredObject)> {
        parts.sort_by_key(|part| part.number);
        let numbers: Vec<u32> = parts.iter().map(|part| part.number).collect();
        check_numbers("parts", &numbers)?;
        if parts.is_empty() || numbers.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::field(
                "parts",
                Invalid::new("invalid_parts", "Name every part that was sent, once."),
            ));
        }
        let opened = self.open_upload(writer, storage, upload_id).await?;
        let is_whole = |plan: PartPlan| numbers.iter().copied().map(u64::from).eq(1..=plan.count());
        if opened.plan.is_some_and(|plan| !is_whole(plan)) {
            return Err(do_not_fit());
        }
        let key = opened.bucket.key("key", &opened.key)?;
        let stored = self
            .bucket
            .complete_multipart(&opened.bucket, &key, &opened.upload, &opened.object, &parts)
            .await;
        let stored = self
            .explain_multipart(&opened.bucket, FileOperation::Upload, stored)
            .await?;
        Ok((opened.key, stored))
    }

    /// Aborts the upload: nothing of it stays in the bucket.
    pub async fn abort_multipart(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
    ) -> Result<()> {
        let opened = self.open_upload(writer, storage, upload_id).await?;
        let key = opened.bucket.key("key", &opened.key)?;
        let aborted = self
            .bucket
            .abort_multipart(&opened.bucket, &key, &opened.upload.id)
            .await;
        self.explain_multipart(&opened.bucket, FileOperation::AbortUpload, aborted)
            .await
    }

    /// The file that an upload is to become.
    pub fn key_of_upload(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
    ) -> Result<FileKey> {
        self.open_ticket(writer, storage, upload_id)
            .map(|(key, _)| key)
    }

    fn seal_ticket(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        ticket: &UploadTicket,
    ) -> Result<String> {
        let ticket = serde_json::to_string(ticket).map_err(Error::bug)?;
        let place = place(writer.workspace(), storage);
        self.vault.seal_token(Purpose::UploadId, &place, &ticket)
    }

    fn open_ticket(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
    ) -> Result<(FileKey, UploadTicket)> {
        let place = place(writer.workspace(), storage);
        let ticket = self
            .vault
            .open_token(Purpose::UploadId, &place, upload_id)
            .map_err(|_| no_upload())?;
        let ticket: UploadTicket = serde_json::from_str(&ticket).map_err(|_| no_upload())?;
        let key = FileKey::parse(&ticket.key).map_err(|_| no_upload())?;
        Ok((key, ticket))
    }

    async fn open_upload(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        upload_id: &str,
    ) -> Result<OpenUpload> {
        let (key, ticket) = self.open_ticket(writer, storage, upload_id)?;
        let touched = [Touch::Write(&key)];
        Ok(OpenUpload {
            bucket: self
                .bucket_for(FileOperation::Upload, writer.member(), storage, &touched)
                .await?,
            key,
            object: NewObject {
                conditions: WriteConditions {
                    if_none_match: ticket.if_none_match,
                    if_match: None,
                },
                ..NewObject::default()
            },
            upload: OpenedUpload {
                id: ticket.upload_id,
                since: ticket
                    .since
                    .and_then(|since| OffsetDateTime::from_unix_timestamp(since).ok()),
            },
            plan: ticket.relayed.map(Relayed::plan),
        })
    }

    async fn explain_multipart<T>(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        answered: BucketResult<T>,
    ) -> Result<T> {
        let failure = match answered {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let refused = match failure.error_code.as_deref() {
            Some("NoSuchUpload") => Some(
                Error::new(
                    Kind::Conflict,
                    "upload_not_found",
                    "The upload was completed or given up already.",
                )
                .remedy("Begin another one."),
            ),
            Some("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall") => Some(do_not_fit()),
            _ => None,
        };
        Err(match refused {
            Some(error) => error.internal(failure),
            None => self.explainer.error(bucket, operation, failure).await,
        })
    }
}

fn check_size(size: u64) -> Result<()> {
    if size <= LARGEST_OBJECT {
        return Ok(());
    }
    Err(Error::field(
        "size",
        Invalid::new("file_too_large", "S3 stores files of up to 5 TiB."),
    ))
}

fn no_upload() -> Error {
    Error::field(
        "upload_id",
        Invalid::new("invalid_upload_id", "This is no upload of this storage."),
    )
}

fn do_not_fit() -> Error {
    Error::new(
        Kind::Conflict,
        "parts_do_not_fit",
        "The parts are not those that were sent, or one but the last is smaller than 5 MiB.",
    )
    .remedy("Give each part the size of `part_size`, and name the ETags that S3 answered.")
}

/// Where an upload's ID is good.
fn place(workspace: &WorkspaceId, storage: &StorageRef) -> String {
    format!("{workspace}/storages/{storage}/uploads")
}

fn check_numbers(field: &str, numbers: &[u32]) -> Result<()> {
    let known = |number: &u32| (1..=MOST_PARTS).contains(&u64::from(*number));
    if numbers.len() as u64 <= MOST_PARTS && numbers.iter().all(known) {
        return Ok(());
    }
    Err(Error::field(
        field,
        Invalid::new(
            "invalid_part_number",
            format!("An upload has parts 1 to {MOST_PARTS}."),
        ),
    ))
}
