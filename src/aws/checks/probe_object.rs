//! The probe object: what the check writes, reads back and deletes. Each function is the question of the same name of
//! [`BucketProbe`](crate::application::bucket::probe::BucketProbe).

use crate::application::bucket::probe::{Answer, ExpectedOwner, PutEncryption, ReadBack};
use crate::aws::checks::s3_probe::{S3Probe, answered};
use crate::aws::failure::{classify, local};
use crate::aws::files::encryption::Encryption;
use crate::aws::files::head::of_version;
use crate::aws::files::lock::lock_of;
use crate::aws::files::proof::{self, At, Content};
use crate::aws::files::upload_call::taken;
use crate::domain::aws_failure::FailureKind;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// What the probe object holds, for whoever finds one that could not be deleted.
const PROBE_BODY: &[u8] =
    b"Written by Sallyport to check that it may write here. It may be deleted.\n";

/// How much is read back at most. What is longer is not the probe.
const MOST_READ_BACK: usize = 64 * 1024;

pub(super) async fn put_encrypted(
    probe: &S3Probe,
    key: &ObjectKey,
    encryption: PutEncryption,
) -> Answer<Option<String>> {
    const OPERATION: &str = "PutObject";
    let algorithm = match encryption {
        PutEncryption::S3 => ServerSideEncryption::Aes256,
        PutEncryption::Kms => ServerSideEncryption::AwsKms,
    };
    let answer = putting(probe, key)
        .server_side_encryption(algorithm)
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let id = answer.version_id().filter(|id| !id.is_empty());
    let id = id.map(str::to_owned);
    Ok(answered(OPERATION, answer.request_id(), id))
}

pub(super) async fn put(
    probe: &S3Probe,
    key: &ObjectKey,
    if_absent: bool,
) -> Answer<Option<String>> {
    const OPERATION: &str = "PutObject";
    let owner = probe.owner(ExpectedOwner::Require);
    let encryption = Encryption::of(&probe.common.bucket.connection);
    let answer = putting(probe, key)
        .set_if_none_match(if_absent.then(|| "*".to_owned()))
        .set_server_side_encryption(encryption.algorithm)
        .set_ssekms_key_id(encryption.key_id)
        .send()
        .await;
    let request_id = match &answer {
        Ok(answer) => answer.request_id().map(str::to_owned),
        Err(_) => None,
    };
    let there = at(probe, key, None, owner.as_deref());
    let content = Content::of(PROBE_BODY);
    let taken = proof::stored(&probe.s3, there, &content, taken(answer)).await?;
    let id = taken.version_id.filter(|id| !id.is_empty());
    Ok(answered(OPERATION, request_id.as_deref(), id))
}

pub(super) async fn read_back(probe: &S3Probe, key: &ObjectKey) -> Answer<ReadBack> {
    const OPERATION: &str = "GetObject";
    let answer = probe
        .s3
        .get_object()
        .bucket(probe.bucket())
        .key(key.as_str())
        .set_expected_bucket_owner(probe.owner(ExpectedOwner::Require))
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let request_id = answer.request_id().map(str::to_owned);
    let encryption = answer.server_side_encryption();
    let mut found = ReadBack {
        is_same: false,
        size: 0,
        encryption: encryption.map(|algorithm| algorithm.as_str().to_owned()),
        kms_key: answer.ssekms_key_id().map(str::to_owned),
        lock: lock_of(
            answer.object_lock_retain_until_date(),
            answer.object_lock_mode(),
            answer.object_lock_legal_hold_status(),
        ),
        expires: answer.expiration().and_then(expiry_of),
    };
    // What answers in the store's place may answer without an end.
    let mut body = answer.body;
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| local(OPERATION, FailureKind::Network, error))?;
        bytes.extend_from_slice(&part);
        if bytes.len() > MOST_READ_BACK {
            break;
        }
    }
    found.size = bytes.len() as u64;
    found.is_same = bytes == PROBE_BODY;
    Ok(answered(OPERATION, request_id.as_deref(), found))
}

pub(super) async fn delete(
    probe: &S3Probe,
    key: &ObjectKey,
    version: Option<&str>,
) -> Answer<Option<String>> {
    const OPERATION: &str = "DeleteObject";
    let owner = probe.owner(ExpectedOwner::Require);
    let request = probe
        .s3
        .delete_object()
        .bucket(probe.bucket())
        .key(key.as_str())
        .set_version_id(version.map(str::to_owned))
        .set_expected_bucket_owner(owner.clone());
    let there = at(probe, key, version, owner.as_deref());
    let answer = proof::delete(&probe.s3, there, request)
        .await
        .map_err(|failure| of_version(version, failure))?;
    let made = version.is_none() && answer.delete_marker == Some(true);
    let marker = answer.version_id().filter(|_| made).map(str::to_owned);
    Ok(answered(OPERATION, answer.request_id(), marker))
}

/// The writing of the probe object, without an encryption.
fn putting(probe: &S3Probe, key: &ObjectKey) -> PutObjectFluentBuilder {
    probe
        .s3
        .put_object()
        .bucket(probe.bucket())
        .key(key.as_str())
        .content_type("text/plain; charset=utf-8")
        // A bucket with Object Lock by default takes no object without it.
        .content_md5(STANDARD.encode(Md5::digest(PROBE_BODY)))
        .body(ByteStream::from_static(PROBE_BODY))
        .set_expected_bucket_owner(probe.owner(ExpectedOwner::Require))
}

fn at<'a>(
    probe: &'a S3Probe,
    key: &'a ObjectKey,
    version_id: Option<&'a str>,
    owner: Option<&'a str>,
) -> At<'a> {
    At {
        bucket: probe.bucket(),
        key: key.as_str(),
        version_id,
        owner,
    }
}

/// The day of `expiry-date="Fri, 23 Dec 2012 00:00:00 GMT", rule-id="…"`.
fn expiry_of(header: &str) -> Option<OffsetDateTime> {
    let (_, rest) = header.split_once("expiry-date=\"")?;
    let (date, _) = rest.split_once('"')?;
    OffsetDateTime::parse(date, &Rfc2822).ok()
}
