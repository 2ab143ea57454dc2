//! Copies within a bucket, made by S3 itself: no byte passes here.

use crate::application::bucket::multipart::OpenedUpload;
use crate::application::bucket::query::{BucketQuery, ObjectDetails};
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::write::CopiedObject;
use crate::aws::etag;
use crate::aws::failure::{classify, local};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions::Conditions;
use crate::aws::files::convert::expected_owner;
use crate::aws::files::encryption::Encryption;
use crate::aws::files::lost_answer::{MadeObject, StoreClock};
use crate::aws::files::parts::{UploadCompletion, abort, begun, complete};
use crate::aws::files::upload_call::part_unproved;
use crate::aws::sessions::{AwsSession, SessionScope};
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat as Format};
use aws_sdk_s3::types::{CompletedPart, MetadataDirective, StorageClass, TaggingDirective};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;
use std::time::Duration;

/// S3 answers when it has copied, up to 5 GiB, which takes minutes at times (S3 API reference, CopyObject).
const COPY: Duration = Duration::from_secs(300);
/// How many parts S3 copies at once for one request.
const PARTS_AT_ONCE: usize = 8;

/// From where to where.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub bucket: &'a ConnectedBucket,
    pub from: &'a ObjectKey,
    /// A version of the original; the present one where it is absent.
    pub version_id: Option<&'a str>,
    pub to: &'a ObjectKey,
    /// Only where there is no such object.
    pub if_none_match: bool,
}

impl Way<'_> {
    fn bucket_name(&self) -> &str {
        self.bucket.connection.bucket.as_str()
    }

    fn owner(&self) -> Option<String> {
        expected_owner(&self.bucket.connection)
    }

    fn encryption(&self) -> Encryption {
        Encryption::of(&self.bucket.connection)
    }

    fn if_none_match(&self) -> Option<String> {
        self.if_none_match.then(|| "*".to_owned())
    }

    fn version_id(&self) -> Option<String> {
        self.version_id.map(str::to_owned)
    }

    /// The header `x-amz-copy-source`, whose value is percent-encoded.
    fn source(&self) -> String {
        let encoded = |text| percent_encoding::utf8_percent_encode(text, COPY_SOURCE);
        let object = format!("{}/{}", self.bucket_name(), encoded(self.from.as_str()));
        match self.version_id {
            Some(version) => format!("{object}?versionId={}", encoded(version)),
            None => object,
        }
    }
}

/// Everything but RFC 3986's unreserved characters and the slash.
const COPY_SOURCE: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Copies an object with its metadata and tags, and makes sure that the copy has its size. Not copied:
/// ACLs, object locks, and how it is encrypted; the connection's key, or else the bucket's default
/// encryption applies (S3 API reference, CopyObject).
pub(crate) async fn copy(files: &S3Bucket, way: Way<'_>) -> BucketResult<CopiedObject> {
    let Way {
        bucket,
        from,
        version_id,
        to,
        if_none_match,
    } = way;
    let source = files.details(bucket, from, version_id).await?;
    let size = source
        .metadata
        .size
        .and_then(|size| u64::try_from(size).ok());
    // S3 looks again when it makes the copy; not every S3-compatible store does.
    if if_none_match && exists(files, bucket, to).await? {
        return Err(local(
            "CopyObject",
            FailureKind::PreconditionFailed,
            "there is an object already",
        ));
    }
    let (etag, version_id) = match size {
        Some(size) if size > files.sizes.copy => in_parts(files, way, &source, size).await?,
        // A store that does not say how large an object is knows itself.
        _ => by_one_call(files, way, &source).await?,
    };
    let made = files.details(bucket, to, None).await?;
    agree(&source, etag.as_deref(), &made)
        .map_err(|why| local("CopyObject", FailureKind::InvalidResponse, why))?;
    Ok(CopiedObject {
        size,
        etag,
        version_id,
        source_etag: source.metadata.etag,
    })
}

/// Whether the object that is there is the copy: a move deletes the original then. An object that somebody
/// else stored there meanwhile is not it either.
fn agree(
    source: &ObjectDetails,
    said: Option<&str>,
    made: &ObjectDetails,
) -> Result<(), &'static str> {
    fn given(etag: Option<&str>) -> Option<&str> {
        etag.map(etag::plain).filter(|etag| !etag.is_empty())
    }
    fn is_md5(of: &ObjectDetails, etag: &str) -> bool {
        let by_kms = of.encryption.as_deref().is_some_and(|by| by != "AES256");
        !by_kms && etag::md5_of(etag).is_some()
    }
    if made.metadata.size != source.metadata.size {
        return Err("the copy has another size");
    }
    let there = given(made.metadata.etag.as_deref());
    let original = given(source.metadata.etag.as_deref());
    let same = there.is_some() && there == original;
    if let (Some(said), Some(there)) = (given(said), there)
        && said != there
        && !same
    {
        return Err("the object that is there has another ETag than the copy");
    }
    if given(said).is_none()
        && let (Some(original), Some(there)) = (original, there)
        && is_md5(source, original)
        && is_md5(made, there)
        && !same
    {
        return Err("the copy has other content");
    }
    Ok(())
}

async fn exists(files: &S3Bucket, bucket: &ConnectedBucket, key: &ObjectKey) -> BucketResult<bool> {
    match files.details(bucket, key, None).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.kind == FailureKind::NoSuchKey => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn by_one_call(
    files: &S3Bucket,
    way: Way<'_>,
    source: &ObjectDetails,
) -> BucketResult<MadeObject> {
    const OPERATION: &str = "CopyObject";
    let answer = files
        .in_scope(way.bucket, SessionScope::Objects, |session| async move {
            session
                .s3
                .copy_object()
                .bucket(way.bucket_name())
                .key(way.to.as_str())
                .copy_source(way.source())
                .set_copy_source_if_match(source.metadata.etag.clone())
                .set_if_none_match(way.if_none_match())
                .metadata_directive(MetadataDirective::Copy)
                .tagging_directive(TaggingDirective::Copy)
                .set_storage_class(storage_class(source))
                .set_server_side_encryption(way.encryption().algorithm)
                .set_ssekms_key_id(way.encryption().key_id)
                .set_expected_bucket_owner(way.owner())
                .set_expected_source_bucket_owner(way.owner())
                .customize()
                .config_override(patient())
                .send()
                .await
                .map_err(|error| classify(OPERATION, &error))
        })
        .await?;
    let etag = answer.copy_object_result.and_then(|result| result.e_tag);
    Ok((etag, answer.version_id))
}

/// An object too large for one call: S3 copies ranges of it into the parts of an upload.
async fn in_parts(
    files: &S3Bucket,
    way: Way<'_>,
    source: &ObjectDetails,
    size: u64,
) -> BucketResult<MadeObject> {
    let upload = files
        .in_scope(way.bucket, SessionScope::Objects, |session| {
            create(session, way, source)
        })
        .await?;
    let part = files.sizes.part_of(size);
    let made = async {
        let mut parts: Vec<CompletedPart> = stream::iter(0..size.div_ceil(part))
            .map(|at| {
                let range = (at * part, size.min((at + 1) * part) - 1);
                copy_part(files, way, source, &upload.id, at + 1, range)
            })
            .buffer_unordered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        parts.sort_by_key(|part| part.part_number);
        let completion = UploadCompletion {
            bucket: way.bucket,
            key: way.to,
            upload: &upload,
            parts,
            size: Some(size),
            conditions: Conditions {
                if_none_match: way.if_none_match,
                if_match: None,
            },
        };
        complete(files, SessionScope::Objects, completion).await
    };
    match made.await {
        Ok(made) => Ok(made),
        Err(failure) => {
            abort(files, way.bucket, way.to, &upload.id).await;
            Err(failure)
        }
    }
}

async fn create(
    session: Arc<AwsSession>,
    way: Way<'_>,
    source: &ObjectDetails,
) -> BucketResult<OpenedUpload> {
    // Unlike a copy by one call, an upload begins with nothing of the original.
    let original = session
        .s3
        .head_object()
        .bucket(way.bucket_name())
        .key(way.from.as_str())
        .set_version_id(way.version_id())
        .set_if_match(source.metadata.etag.clone())
        .set_expected_bucket_owner(way.owner())
        .send()
        .await
        .map_err(|error| classify("HeadObject", &error))?;
    // S3 says how many tags there are only to those who may read them, so their absence says nothing.
    let tags = tags_of(&session, way).await?;
    let expires = original
        .expires_string
        .and_then(|text| DateTime::from_str(&text, Format::HttpDate).ok());
    let clock = StoreClock::of_a_call();
    begun(
        session
            .s3
            .create_multipart_upload()
            .bucket(way.bucket_name())
            .key(way.to.as_str())
            .set_content_type(original.content_type)
            .set_content_encoding(original.content_encoding)
            .set_content_disposition(original.content_disposition)
            .set_content_language(original.content_language)
            .set_cache_control(original.cache_control)
            .set_expires(expires)
            .set_website_redirect_location(original.website_redirect_location)
            .set_metadata(original.metadata)
            .set_tagging(tags)
            .set_storage_class(storage_class(source))
            .set_server_side_encryption(way.encryption().algorithm)
            .set_ssekms_key_id(way.encryption().key_id)
            .set_expected_bucket_owner(way.owner())
            .customize()
            .interceptor(clock.clone())
            .send()
            .await,
        &clock,
    )
}

/// The original's tags, as the header `x-amz-tagging` has them; `None` where it has none, or the store knows
/// no tags.
async fn tags_of(session: &AwsSession, way: Way<'_>) -> BucketResult<Option<String>> {
    let answer = session
        .s3
        .get_object_tagging()
        .bucket(way.bucket_name())
        .key(way.from.as_str())
        .set_version_id(way.version_id())
        .set_expected_bucket_owner(way.owner())
        .send()
        .await
        .map_err(|error| classify("GetObjectTagging", &error));
    let found = match answer {
        Ok(answer) => answer.tag_set,
        Err(failure) if failure.http_status == Some(501) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let mut tags = url::form_urlencoded::Serializer::new(String::new());
    for tag in &found {
        tags.append_pair(tag.key(), tag.value());
    }
    Ok((!found.is_empty()).then(|| tags.finish()))
}

async fn copy_part(
    files: &S3Bucket,
    way: Way<'_>,
    source: &ObjectDetails,
    upload_id: &str,
    number: u64,
    (first, last): (u64, u64),
) -> BucketResult<CompletedPart> {
    let answer = files
        .in_scope(way.bucket, SessionScope::Objects, |session| async move {
            session
                .s3
                .upload_part_copy()
                .bucket(way.bucket_name())
                .key(way.to.as_str())
                .upload_id(upload_id)
                .part_number(number as i32)
                .copy_source(way.source())
                .copy_source_range(format!("bytes={first}-{last}"))
                .set_copy_source_if_match(source.metadata.etag.clone())
                .set_expected_bucket_owner(way.owner())
                .set_expected_source_bucket_owner(way.owner())
                .customize()
                .config_override(patient())
                .send()
                .await
                .map_err(|error| classify("UploadPartCopy", &error))
        })
        .await?;
    let result = answer.copy_part_result;
    if result.as_ref().is_none_or(|part| part.e_tag().is_none()) {
        return Err(part_unproved("UploadPartCopy"));
    }
    Ok(CompletedPart::builder()
        .part_number(number as i32)
        .set_e_tag(result.as_ref().and_then(|part| part.e_tag.clone()))
        .set_checksum_crc32(result.as_ref().and_then(|part| part.checksum_crc32.clone()))
        .set_checksum_crc64_nvme(result.and_then(|part| part.checksum_crc64_nvme))
        .build())
}

/// S3 names no class for `STANDARD`, and gives a copy `STANDARD` where no class is asked for.
fn storage_class(source: &ObjectDetails) -> Option<StorageClass> {
    let class = source.metadata.storage_class.as_deref()?;
    StorageClass::try_parse(class).ok()
}

/// Time limits for a call that S3 answers only when its work is done.
fn patient() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(COPY)
            .operation_timeout(2 * COPY)
            .read_timeout(COPY)
            .build(),
    )
}
