//! What the check asks of the bucket's listings. Each function is the question of the same name of
//! [`BucketProbe`](crate::application::bucket::probe::BucketProbe).

use crate::application::bucket::probe::{self, Answer, ExpectedOwner};
use crate::application::bucket::read::ListedObject;
use crate::aws::checks::s3_probe::{S3Probe, answered};
use crate::aws::failure::classify;
use crate::aws::files::convert::key_of;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::files::version::NULL_VERSION;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::{EncodingType, RequestPayer};

/// How many names a listing has at most.
const LISTED: i32 = probe::LISTED as i32;

/// The beginning of a listing, with the owner that the connection expects.
fn listing(probe: &S3Probe, prefix: &str, most: i32) -> ListObjectsV2FluentBuilder {
    probe
        .s3
        .list_objects_v2()
        .bucket(probe.bucket())
        .prefix(prefix)
        .max_keys(most)
        .encoding_type(EncodingType::Url)
        .set_expected_bucket_owner(probe.owner(ExpectedOwner::Require))
}

pub(super) async fn list(probe: &S3Probe, owner: ExpectedOwner) -> Answer<Vec<ListedObject>> {
    const OPERATION: &str = "ListObjectsV2";
    let answer = listing(probe, probe.prefix(), LISTED + 1)
        .set_expected_bucket_owner(probe.owner(owner))
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let objects = answer
        .contents()
        .iter()
        .map(|object| {
            let raw = object.key().unwrap_or_default();
            Ok(ListedObject {
                key: key_of(raw, answer.encoding_type())?,
                size: object.size().unwrap_or_default(),
                last_modified: None,
                etag: None,
                storage_class: object
                    .storage_class()
                    .map(|class| class.as_str().to_owned()),
            })
        })
        .collect::<Result<Vec<_>, AwsFailure>>()?;
    Ok(answered(OPERATION, answer.request_id(), objects))
}

pub(super) async fn list_folder(probe: &S3Probe, folder: &ObjectKeyPrefix) -> Answer<Vec<String>> {
    const OPERATION: &str = "ListObjectsV2";
    let answer = listing(probe, folder.as_str(), LISTED)
        .delimiter("/")
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let keys = answer.contents().iter().filter_map(|object| object.key());
    let folders = answer.common_prefixes().iter();
    let names = keys
        .chain(folders.filter_map(|folder| folder.prefix()))
        .map(|raw| key_of(raw, answer.encoding_type()))
        .collect::<Result<Vec<_>, AwsFailure>>()?;
    Ok(answered(OPERATION, answer.request_id(), names))
}

pub(super) async fn list_paying(probe: &S3Probe) -> Answer<()> {
    const OPERATION: &str = "ListObjectsV2";
    let answer = listing(probe, probe.prefix(), 1)
        .request_payer(RequestPayer::Requester)
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    Ok(answered(OPERATION, answer.request_id(), ()))
}

pub(super) async fn folders_beside(probe: &S3Probe) -> Answer<Vec<String>> {
    const OPERATION: &str = "ListObjectsV2";
    let parent = probe
        .prefix()
        .trim_end_matches('/')
        .rsplit_once('/')
        .map_or_else(String::new, |(parent, _)| format!("{parent}/"));
    let answer = listing(probe, &parent, LISTED)
        .delimiter("/")
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let folders = answer
        .common_prefixes()
        .iter()
        .filter_map(|folder| key_of(folder.prefix()?, answer.encoding_type()).ok())
        .filter_map(|folder| Some(folder.strip_prefix(&parent)?.to_owned()))
        .filter(|folder| !folder.is_empty() && !folder.contains('`'))
        .collect();
    Ok(answered(OPERATION, answer.request_id(), folders))
}

pub(super) async fn versions(probe: &S3Probe, key: &ObjectKey) -> Answer<Vec<String>> {
    const OPERATION: &str = "ListObjectVersions";
    let answer = probe
        .s3
        .list_object_versions()
        .bucket(probe.bucket())
        .prefix(key.as_str())
        .max_keys(LISTED)
        .set_expected_bucket_owner(probe.owner(ExpectedOwner::Require))
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let named = |found: Option<&str>| found == Some(key.as_str());
    let versions = answer.versions().iter();
    let versions = versions.filter(|one| named(one.key()));
    let markers = answer.delete_markers().iter();
    let markers = markers.filter(|one| named(one.key()));
    let ids: Vec<String> = versions
        .filter_map(|one| one.version_id())
        .chain(markers.filter_map(|one| one.version_id()))
        .filter(|id| !id.is_empty() && *id != NULL_VERSION)
        .map(str::to_owned)
        .collect();
    Ok(answered(OPERATION, answer.request_id(), ids))
}
