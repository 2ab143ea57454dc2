//! What is in the bucket, and what becomes of the probe file.

use crate::it::support::aws::stub::{denied, s3_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::worlds::world::*;
use serde_json::Value;

fn listing(names: &Names, class: &str, keys: &[&str]) -> Reply {
    let contents: String = keys
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{}{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>{class}</StorageClass></Contents>",
                names.prefix
            )
        })
        .collect();
    Reply::answer(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>",
            names.bucket,
            names.prefix,
            keys.len()
        ),
    )
    .with("content-type", "application/xml")
    .with("x-amz-request-id", "STUBREQUESTID")
}

fn is_probe(request: &Request) -> bool {
    request.bucket_and_key().1.contains("sallyport-check-")
}

/// The listing of the prefix itself.
fn lists_prefix(request: &Request, names: &Names) -> bool {
    request.operation() == "ListObjectsV2"
        && request.query("prefix").unwrap_or_default() == names.prefix
}

fn archived(name: &'static str, class: &'static str) -> World {
    world(name)
        .wire(move |request, _, names| {
            lists_prefix(request, names).then(|| listing(names, class, &["old.bin", "older.bin"]))
        })
        .finds("all_archived", CUSTOMER, PROVED)
}

fn empty(world: World) -> World {
    world
        .finds("nothing_below_prefix", SETTINGS, PROVED)
        .never(&["no policy of the role allows"])
}

pub fn worlds() -> Vec<World> {
    vec![
        empty(world("files: none below the prefix").state(State::OnlyAt("other/a.txt"))),
        empty(
            world("files: none below the prefix, to read")
                .read_only()
                .state(State::OnlyAt("a.txt")),
        ),
        empty(
            world("files: none in the whole bucket, to read")
                .read_only()
                .prefix("")
                .state(State::Empty),
        ),
        empty(world("files: the prefix was typed in another letter case").typed_prefix("Team/")),
        empty(
            world("files: the prefix was typed with an s")
                .typed_prefix("teams/")
                .read_only(),
        ),
        empty(
            world("files: the prefix was typed without what is above it")
                .prefix("data/team/")
                .typed_prefix("team/"),
        ),
        archived("files: all in Glacier", "GLACIER"),
        archived("files: all in Deep Archive, to read", "DEEP_ARCHIVE").read_only(),
        world("files: one of another owner, in a whole bucket")
            .prefix("")
            .wire(|request, _, _| {
                let (_, key) = request.bucket_and_key();
                (matches!(request.operation().as_str(), "GetObject" | "HeadObject")
                    && key == "a.txt")
                    .then(|| denied("Access Denied"))
            })
            .finds("object_of_other_owner", CUSTOMER, ONE_OF)
            .never(&["no policy of the role allows"]),
        world("files: one of another owner, below a prefix")
            .wire(|request, _, _| {
                let (_, key) = request.bucket_and_key();
                (matches!(request.operation().as_str(), "GetObject" | "HeadObject")
                    && key == "team/a.txt")
                    .then(|| denied("Access Denied"))
            })
            .finds("object_of_other_owner", CUSTOMER, ONE_OF),
        world("files: something changes what is written")
            .wire(|request, _, _| {
                (is_probe(request) && request.operation() == "GetObject").then(|| {
                    Reply::answer(200, "other bytes")
                        .with("etag", "\"e\"")
                        .with("x-amz-request-id", "STUBREQUESTID")
                        .with("content-type", "text/plain")
                })
            })
            .finds("probe_differs", NETWORK, LIKELY),
        world("files: what is written is not there")
            .wire(|request, _, _| {
                (is_probe(request)
                    && matches!(request.operation().as_str(), "GetObject" | "HeadObject"))
                .then(|| s3_error(404, "NoSuchKey", "The specified key does not exist."))
            })
            .finds("probe_not_stored", NETWORK, ONE_OF),
        world("files: Object Lock keeps the probe file")
            .state(State::Versioned)
            .wire(|request, _, _| {
                let is_version = request.query("versionId").is_some_and(|id| id != "null");
                (request.operation() == "DeleteObject" && is_version)
                    .then(|| denied("Access Denied because object protected by object lock."))
            })
            .finds("probe_left", CUSTOMER, PROVED)
            .never(&["no policy of the role allows"]),
        world("files: versions are only deleted with a device")
            .state(State::Versioned)
            .wire(|request, _, _| {
                let is_version = request.query("versionId").is_some_and(|id| id != "null");
                (request.operation() == "DeleteObject" && is_version)
                    .then(|| denied("Mfa Authentication must be used for this request"))
            })
            .finds("probe_left", CUSTOMER, PROVED)
            .never(&["no policy of the role allows"]),
        world("files: of others in the folders that expire")
            .state(State::OnlyAt("team/temp/report.csv"))
            .finds("files_that_expire", CUSTOMER, PROVED),
        world("files: of others in the folders that expire, and s3:ListBucketVersions is missing")
            .state(State::OnlyAt("team/temp/report.csv"))
            .permissions(|p: Value, _| super::permissions::without(p, "s3:ListBucketVersions"))
            .finds("version_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy")
            .then("files_that_expire", CUSTOMER, PROVED),
        world("files: versions are kept, and s3:ListBucketVersions is missing")
            .state(State::Versioned)
            .permissions(|p: Value, _| super::permissions::without(p, "s3:ListBucketVersions"))
            .finds("version_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
    ]
}
