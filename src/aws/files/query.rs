//! Read-only queries of buckets and objects.

use crate::application::bucket::query::{
    AccountBucket, Archive, BucketPage, BucketQuery, FolderNames, Grant, KeptHeaders,
    ObjectDetails, ObjectVersion, Restore, VersionPage,
};
use crate::application::bucket::read::{BucketResult, ListFrom, ListRequest};
use crate::aws::failure::{classify, local};
use crate::aws::files::bucket::{S3Bucket, scope_of};
use crate::aws::files::convert::{expected_owner, key_of, time_of};
use crate::aws::files::head::{head_object, metadata};
use crate::aws::files::listing::{Contradiction, Echo, Mark};
use crate::aws::files::read::list_once;
use crate::aws::sessions::SessionScope;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::region::Region;
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::files::storage_class::is_archived;
use crate::domain::files::version::NULL_VERSION;
use async_trait::async_trait;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_buckets::ListBucketsOutput;
use aws_sdk_s3::types::{ChecksumMode, EncodingType};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

const VERSIONS: &str = "ListObjectVersions";

#[async_trait]
impl BucketQuery for S3Bucket {
    async fn details(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        version_id: Option<&str>,
    ) -> BucketResult<ObjectDetails> {
        let mode = Some(ChecksumMode::Enabled);
        let answer = self
            .in_scope(bucket, scope_of(version_id), |session| {
                head_object(session, bucket, key, version_id, mode.clone())
            })
            .await?;
        Ok(details(answer))
    }

    async fn versions(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        page_size: u32,
        after: Option<&str>,
    ) -> BucketResult<VersionPage> {
        let page = || {
            self.with_session(bucket, |session| async move {
                let mark = after.map(Mark::read);
                let answer = session
                    .s3
                    .list_object_versions()
                    .bucket(bucket.connection.bucket.as_str())
                    .prefix(key.as_str())
                    .max_keys(page_size.min(1000) as i32)
                    .set_key_marker(after.map(|_| key.as_str().to_owned()))
                    .set_version_id_marker(mark.as_ref().map(|mark| mark.token().to_owned()))
                    .encoding_type(EncodingType::Url)
                    .set_expected_bucket_owner(expected_owner(&bucket.connection))
                    .send()
                    .await
                    .map_err(|error| classify(VERSIONS, &error))?;
                let asked = Echo {
                    bucket: Some(bucket.connection.bucket.as_str().to_owned()),
                    prefix: Some(key.as_str().to_owned()),
                    ..Echo::default()
                };
                version_page(key, &asked, mark.unwrap_or_default(), answer)
            })
        };
        match page().await {
            Err(failure) if failure.kind == FailureKind::ListingIncomplete => page().await,
            answer => answer,
        }
    }

    async fn acl(&self, bucket: &ConnectedBucket, key: &ObjectKey) -> BucketResult<Vec<Grant>> {
        self.with_session(bucket, |session| async move {
            let answer = session
                .s3
                .get_object_acl()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .set_expected_bucket_owner(expected_owner(&bucket.connection))
                .send()
                .await
                .map_err(|error| classify("GetObjectAcl", &error))?;
            let grants = answer.grants.unwrap_or_default().into_iter();
            Ok(grants
                .filter_map(|grant| {
                    let grantee = grant.grantee?;
                    Some(Grant {
                        grantee: grantee.id.or(grantee.uri).or(grantee.email_address)?,
                        permission: grant.permission?.as_str().to_owned(),
                    })
                })
                .collect())
        })
        .await
    }

    async fn location(&self, bucket: &ConnectedBucket) -> BucketResult<Region> {
        const OPERATION: &str = "GetBucketLocation";
        self.with_session(bucket, |session| async move {
            let answer = session
                .s3
                .get_bucket_location()
                .bucket(bucket.connection.bucket.as_str())
                .set_expected_bucket_owner(expected_owner(&bucket.connection))
                .send()
                .await
                .map_err(|error| classify(OPERATION, &error))?;
            let constraint = answer
                .location_constraint
                .as_ref()
                .map(|name| name.as_str());
            Region::from_location_constraint(constraint.filter(|name| !name.is_empty()))
                .map_err(|invalid| local(OPERATION, FailureKind::InvalidResponse, invalid))
        })
        .await
    }

    async fn folders(
        &self,
        bucket: &ConnectedBucket,
        below: &ObjectKeyPrefix,
        page_size: u32,
        continuation: Option<&str>,
    ) -> BucketResult<FolderNames> {
        let request = ListRequest {
            prefix: below.clone(),
            recursive: false,
            page_size,
            from: match continuation {
                None => ListFrom::Beginning,
                Some(token) => ListFrom::Continuation(token.to_owned()),
            },
        };
        let (page, _) = self
            .in_scope(bucket, SessionScope::Folders, |session| {
                list_once(session, bucket, &request)
            })
            .await?;
        Ok(FolderNames {
            folders: page.folders,
            continuation: page.continuation,
        })
    }

    async fn account_buckets(
        &self,
        bucket: &ConnectedBucket,
        page_size: u32,
        continuation: Option<&str>,
    ) -> BucketResult<BucketPage> {
        let page = || {
            self.in_scope(bucket, SessionScope::AllBuckets, |session| async move {
                let mark = continuation.map(Mark::read);
                let answer = session
                    .s3
                    .list_buckets()
                    .max_buckets(page_size.min(1000) as i32)
                    .set_continuation_token(mark.as_ref().map(|mark| mark.token().to_owned()))
                    .send()
                    .await
                    .map_err(|error| classify("ListBuckets", &error))?;
                bucket_page(mark.unwrap_or_default(), answer)
            })
        };
        match page().await {
            Err(failure) if failure.kind == FailureKind::ListingIncomplete => page().await,
            answer => answer,
        }
    }
}

/// The page, if it agrees with itself and with what came before. Some stores list all buckets at once, and say
/// nothing of a next page.
fn bucket_page(mark: Mark, answer: ListBucketsOutput) -> BucketResult<BucketPage> {
    let incomplete = |why| local("ListBuckets", FailureKind::ListingIncomplete, why);
    let mut buckets = Vec::new();
    for bucket in answer.buckets.unwrap_or_default() {
        let name = bucket.name.filter(|name| !name.is_empty());
        buckets.push(AccountBucket {
            name: name.ok_or_else(|| incomplete("it has a bucket without a name"))?,
            region: bucket.bucket_region,
            created_at: bucket.creation_date.and_then(time_of),
        });
    }
    let mut names: Vec<&str> = buckets.iter().map(|bucket| bucket.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(incomplete("it has a bucket twice"));
    }
    let next = answer.continuation_token.filter(|token| !token.is_empty());
    let continuation = match next {
        None => None,
        Some(next) => {
            let names = buckets.iter().map(|bucket| bucket.name.as_str());
            let mark = mark.beyond(next, names);
            Some(mark.ok_or_else(|| incomplete("it has come before"))?)
        }
    };
    Ok(BucketPage {
        buckets,
        continuation,
    })
}

fn details(answer: HeadObjectOutput) -> ObjectDetails {
    let checksums = [
        ("crc32", answer.checksum_crc32.clone()),
        ("crc32c", answer.checksum_crc32_c.clone()),
        ("crc64nvme", answer.checksum_crc64_nvme.clone()),
        ("sha1", answer.checksum_sha1.clone()),
        ("sha256", answer.checksum_sha256.clone()),
    ];
    let archive = archive(
        answer.storage_class.as_ref().map(|class| class.as_str()),
        answer.archive_status.as_ref().map(|status| status.as_str()),
        answer.restore.as_deref(),
    );
    let missing_metadata = answer.missing_meta.unwrap_or_default();
    ObjectDetails {
        missing_metadata: u32::try_from(missing_metadata).unwrap_or_default(),
        encryption: answer
            .server_side_encryption
            .as_ref()
            .map(|algorithm| algorithm.as_str().to_owned()),
        kms_key_id: answer.ssekms_key_id.clone(),
        headers: KeptHeaders {
            cache_control: answer.cache_control.clone(),
            content_disposition: answer.content_disposition.clone(),
            content_language: answer.content_language.clone(),
            expires: answer.expires_string.clone(),
        },
        metadata: metadata(answer),
        checksums: checksums
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        archive,
    }
}

/// Reads `x-amz-storage-class`, `x-amz-archive-status` (of Intelligent-Tiering) and `x-amz-restore`
/// (S3 API reference, HeadObject).
fn archive(class: Option<&str>, status: Option<&str>, restore: Option<&str>) -> Archive {
    let cold = is_archived(class) || status.is_some();
    let restore = restore.map(|text| {
        if text.contains("ongoing-request=\"true\"") {
            return Restore::InProgress;
        }
        let until = text
            .split_once("expiry-date=\"")
            .and_then(|(_, rest)| rest.split('"').next())
            .and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        Restore::Until(until)
    });
    Archive {
        archived: cold && !matches!(restore, Some(Restore::Until(_))),
        restore,
    }
}

/// Keys that begin with this one are listed too, after it.
fn version_page(
    key: &ObjectKey,
    asked: &Echo,
    mark: Mark,
    answer: aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput,
) -> BucketResult<VersionPage> {
    let incomplete = |why| local(VERSIONS, FailureKind::ListingIncomplete, why);
    let encoding = answer.encoding_type().cloned();
    let is_key = |raw: Option<&str>| -> BucketResult<bool> {
        let found = key_of(raw.unwrap_or_default(), encoding.as_ref())?;
        match found.starts_with(key.as_str()) {
            true => Ok(found == key.as_str()),
            false => Err(incomplete("it has a key outside of what was asked for")),
        }
    };
    let said = Echo {
        bucket: answer.name.clone(),
        prefix: answer.prefix.clone(),
        ..Echo::default()
    };
    said.answers(asked)
        .map_err(|Contradiction(why)| incomplete(why))?;
    let mut versions = Vec::new();
    for version in answer.versions() {
        if is_key(version.key())? {
            versions.push(ObjectVersion {
                version_id: version.version_id().unwrap_or(NULL_VERSION).to_owned(),
                is_latest: version.is_latest().unwrap_or_default(),
                is_delete_marker: false,
                size: version.size().unwrap_or_default(),
                last_modified: version.last_modified().copied().and_then(time_of),
                etag: version.e_tag().map(str::to_owned),
                storage_class: version
                    .storage_class()
                    .map(|class| class.as_str().to_owned()),
            });
        }
    }
    for marker in answer.delete_markers() {
        if is_key(marker.key())? {
            versions.push(ObjectVersion {
                version_id: marker.version_id().unwrap_or(NULL_VERSION).to_owned(),
                is_latest: marker.is_latest().unwrap_or_default(),
                is_delete_marker: true,
                size: 0,
                last_modified: marker.last_modified().copied().and_then(time_of),
                etag: None,
                storage_class: None,
            });
        }
    }
    // S3 lists versions and markers apart; together they are newest first again. S3 marks the
    // latest one, because times can be equal.
    versions.sort_by_key(|version| (!version.is_latest, std::cmp::Reverse(version.last_modified)));
    let mut ids: Vec<&str> = versions.iter().map(|one| one.version_id.as_str()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(incomplete("it has a version twice"));
    }
    let next = match answer.next_key_marker() {
        Some(next) => Some(key_of(next, encoding.as_ref())?),
        None => None,
    };
    let after = match (answer.is_truncated, next.as_deref()) {
        (None, _) => return Err(incomplete("it does not say whether there is more")),
        (Some(false), _) => None,
        (Some(true), None) => return Err(incomplete("it has no key for the rest")),
        (Some(true), Some(next)) if next == key.as_str() => {
            let Some(next) = answer.next_version_id_marker else {
                return Err(incomplete("it has no version for the rest"));
            };
            let names = versions.iter().map(|one| one.version_id.as_str());
            let Some(mark) = mark.beyond(next, names) else {
                return Err(incomplete("it has come before"));
            };
            Some(mark)
        }
        // All versions of the key have been listed.
        (Some(true), Some(next)) if next > key.as_str() => None,
        (Some(true), Some(_)) => return Err(incomplete("it goes on before the key")),
    };
    Ok(VersionPage { versions, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archived_objects_are_told_from_restored_ones() {
        assert_eq!(archive(Some("STANDARD"), None, None), Archive::default());
        assert!(archive(Some("DEEP_ARCHIVE"), None, None).archived);
        assert!(archive(Some("INTELLIGENT_TIERING"), Some("ARCHIVE_ACCESS"), None).archived);
        // Glacier Instant Retrieval is read like any other.
        assert!(!archive(Some("GLACIER_IR"), None, None).archived);
        let going = archive(Some("GLACIER"), None, Some("ongoing-request=\"true\""));
        assert_eq!(
            (going.archived, going.restore),
            (true, Some(Restore::InProgress))
        );
        let done = "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\"";
        let restored = archive(Some("GLACIER"), None, Some(done));
        assert!(!restored.archived);
        let Some(Restore::Until(Some(until))) = restored.restore else {
            panic!("{restored:?}");
        };
        assert_eq!(until.unix_timestamp(), 1_356_048_000);
    }
}
