//! Signed URLs of a storage's files.

pub use crate::application::bucket::sign::ReadMethod;
use crate::application::bucket::sign::{SignedCall, SignedResponse, SignedUpload, SignedUrls};
use crate::application::error::{Error, Result};
use crate::application::files::safe_content::LinkServing;
use crate::application::files::shared::Files;
use crate::application::people::caller::{Member, Writer};
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::part_plan::LARGEST_CALL;
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;
use std::time::Duration;

/// How many URLs one call signs at most.
pub const MOST_SIGNED: usize = 10_000;

/// The longest name that a download is given and the longest type, in bytes. Both are repeated in each of
/// up to [`MOST_SIGNED`] URLs.
const LONGEST_HEADER_TEXT: usize = 255;

/// How long a signed URL lives by default.
pub const DEFAULT_URL_LIFE: Duration = Duration::from_secs(15 * 60);

/// Which URLs to sign.
#[derive(Debug, Clone)]
pub struct SignRequest {
    pub keys: Vec<FileKey>,
    /// `None`: [`DEFAULT_URL_LIFE`].
    pub expires_in: Option<Duration>,
    pub content_type: Option<String>,
    /// Forces a download under this name.
    pub download_name: Option<String>,
    pub method: ReadMethod,
    /// An HTTP `Range` with one range, like `bytes=0-99`, which whoever uses the URL must send.
    pub range: Option<String>,
    /// Whether all URLs make the bucket answer alike, so that they differ in the key and the signature alone. The
    /// files have no names of their own then: see [`LinkServing::alike`].
    pub alike: bool,
}

/// What a signed URL lets its holder do besides reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedWrite {
    Put(SignedUpload),
    Delete,
}

impl Files {
    /// Signs URLs that give whoever holds them the files for a while.
    pub async fn sign_get(
        &self,
        member: &Member,
        storage: &StorageRef,
        request: &SignRequest,
    ) -> Result<SignedUrls> {
        let expires_in = url_life(request.expires_in, self.longest_url_life)?;
        check_number(&request.keys)?;
        for (field, text) in [
            ("content_type", &request.content_type),
            ("download_name", &request.download_name),
        ] {
            check_header_text(field, text.as_deref())?;
        }
        let touched: Vec<Touch<'_>> = request.keys.iter().map(Touch::Read).collect();
        let bucket = self
            .bucket_for(FileOperation::Read, member, storage, &touched)
            .await?;
        let (content_type, name) = (
            request.content_type.as_deref(),
            request.download_name.as_deref(),
        );
        let alike = request
            .alike
            .then(|| LinkServing::alike(content_type, name));
        let mut objects = Vec::with_capacity(request.keys.len());
        for (at, key) in request.keys.iter().enumerate() {
            let serving = match &alike {
                Some(serving) => serving.clone(),
                None => LinkServing::of(key, content_type, name),
            };
            let response = SignedResponse {
                content_type: serving.content_type,
                content_disposition: Some(serving.content_disposition),
            };
            objects.push((key_at(&bucket, at, key)?, response));
        }
        let call = SignedCall::Read {
            method: request.method,
            objects,
            range: request.range.clone(),
        };
        let urls = self.bucket.sign(&bucket, call, expires_in).await;
        let urls = self
            .explainer
            .explain(&bucket, FileOperation::Read, urls)
            .await?;
        self.usage.signed(&member.workspace, urls.count());
        Ok(urls)
    }

    /// Signs URLs that let whoever holds them store or delete the files for a while.
    pub async fn sign_write(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        keys: &[FileKey],
        method: &SignedWrite,
        expires_in: Option<Duration>,
    ) -> Result<SignedUrls> {
        let expires_in = url_life(expires_in, self.longest_url_life)?;
        check_number(keys)?;
        if let SignedWrite::Put(upload) = method {
            check_header_text("content_type", upload.content_type.as_deref())?;
            check_size(upload.size)?;
        }
        let operation = match method {
            SignedWrite::Put(_) => FileOperation::Upload,
            SignedWrite::Delete => FileOperation::Delete,
        };
        let touched: Vec<Touch<'_>> = match method {
            SignedWrite::Put(_) => keys.iter().map(Touch::Write).collect(),
            SignedWrite::Delete => keys.iter().map(Touch::Delete).collect(),
        };
        let bucket = self
            .bucket_for(operation, writer.member(), storage, &touched)
            .await?;
        if let SignedWrite::Put(SignedUpload { acl: Some(_), .. }) = method {
            self.bucket_for(FileOperation::WriteAcl, writer.member(), storage, &touched)
                .await?;
        }
        let keys = keys
            .iter()
            .enumerate()
            .map(|(at, key)| key_at(&bucket, at, key))
            .collect::<Result<Vec<_>>>()?;
        let call = match method {
            SignedWrite::Put(upload) => SignedCall::Put {
                keys,
                upload: upload.clone(),
            },
            SignedWrite::Delete => SignedCall::Delete { keys },
        };
        let urls = self.bucket.sign(&bucket, call, expires_in).await;
        let urls = self.explainer.explain(&bucket, operation, urls).await?;
        self.usage.signed(writer.workspace(), urls.count());
        Ok(urls)
    }
}

/// The object that the key at this place of a request names.
fn key_at(bucket: &ConnectedBucket, at: usize, key: &FileKey) -> Result<ObjectKey> {
    // The place is written only where it is needed: there may be ten thousand.
    ObjectKey::within(&bucket.connection.settings.prefix, key)
        .map_err(|invalid| Error::field(&format!("keys[{at}]"), invalid))
}

/// What one call stores. Larger files are uploaded in parts.
fn check_size(size: Option<u64>) -> Result<()> {
    match size {
        Some(size) if size > LARGEST_CALL => Err(Error::field(
            "size",
            Invalid::new(
                "file_too_large",
                "One signed URL stores a file of up to 5 GiB. Upload a larger one in parts, with `POST …/files/multipart`.",
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_number(keys: &[FileKey]) -> Result<()> {
    if keys.len() <= MOST_SIGNED {
        return Ok(());
    }
    Err(Error::field(
        "keys",
        Invalid::new(
            "too_many_keys",
            format!("One call signs at most {MOST_SIGNED} URLs."),
        ),
    ))
}

/// A life within the service's maximum. More is refused, so nobody relies on a link that stops
/// early; less than that the credentials themselves may still shorten, and the answer says so.
pub(super) fn url_life(asked: Option<Duration>, longest: Duration) -> Result<Duration> {
    match asked {
        None => Ok(DEFAULT_URL_LIFE.min(longest)),
        Some(life) if life >= Duration::from_secs(1) && life <= longest => Ok(life),
        Some(_) => Err(Error::field(
            "expires_in",
            Invalid::new(
                "expires_in_out_of_range",
                format!("A signed URL lives 1 to {} seconds.", longest.as_secs()),
            ),
        )),
    }
}

fn check_header_text(field: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > LONGEST_HEADER_TEXT => Err(Error::field(
            field,
            Invalid::new(
                "invalid_length",
                format!("`{field}` has 1 to {LONGEST_HEADER_TEXT} bytes."),
            ),
        )),
        _ => Ok(()),
    }
}
