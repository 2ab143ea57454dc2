//! Addresses of buckets and objects at Amazon S3: the bucket in the host, or in the path.

use crate::domain::connection::pasted::place::{
    PastedBucket, access_point, decoded, folder_of, refused,
};
use crate::domain::connection::region::Region;
use crate::domain::invalid::Invalid;
use url::Url;

/// What the hosts of AWS's partitions end in (the SDKs' `partitions.json`).
const ENDINGS: [&str; 8] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws",
];

/// Whether a host is one of S3's.
pub fn is_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    labels(&host).is_some_and(|labels| service(&labels).is_some())
}

/// The labels of a host before what the partition's hosts end in.
fn labels(host: &str) -> Option<Vec<&str>> {
    let name = ENDINGS
        .iter()
        .find_map(|ending| host.strip_suffix(ending))?;
    Some(name.split('.').collect())
}

/// Where the label is that names the service. The last such one: a bucket's name may have another.
fn service(labels: &[&str]) -> Option<usize> {
    labels.iter().rposition(|label| {
        *label == "s3" || label.starts_with("s3-") || label.starts_with("s3express")
    })
}

/// The bucket of `https://BUCKET.s3.REGION.amazonaws.com/KEY` or `https://s3.REGION.amazonaws.com/BUCKET/KEY`
/// (S3 user guide, "Virtual hosting of general purpose buckets"), with the older forms of the Region.
pub fn bucket(host: &str, url: &Url) -> Result<PastedBucket, Invalid> {
    let host = host.to_ascii_lowercase();
    let unknown =
        || refused("This is not the address of a bucket or an object. Enter the bucket's name.");
    let labels = labels(&host).ok_or_else(unknown)?;
    let at = service(&labels).ok_or_else(unknown)?;
    let (name, service, after) = (labels[..at].join("."), labels[at], &labels[at + 1..]);
    let region = region(service, after)?;
    let path = decoded(url.path())?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = match name.is_empty() {
        false => (name.as_str(), path),
        true => path.split_once('/').unwrap_or((path, "")),
    };
    if bucket.is_empty() {
        return Err(refused(
            "This address names no bucket. One looks like `https://acme-data.s3.eu-west-1.amazonaws.com/`.",
        ));
    }
    // A list of a folder has the folder in its query.
    let asked = url.query_pairs().find(|(name, _)| name == "prefix");
    let folder = match (asked, key.ends_with('/')) {
        (Some((_, prefix)), _) if key.is_empty() => folder_of(&prefix).map(str::to_owned),
        (_, true) => Some(key.to_owned()),
        (_, false) => folder_of(key).map(str::to_owned),
    };
    PastedBucket::new(bucket, folder.as_deref(), region)
}

/// The Region that a host names. `None`: it names none, as `s3.amazonaws.com` does, which serves all.
fn region(service: &str, after: &[&str]) -> Result<Option<Region>, Invalid> {
    if service.starts_with("s3-website") {
        return Err(refused(
            "This is the address of a bucket's website, which is not S3's own. Enter the bucket's name.",
        ));
    }
    let named = match service {
        "s3" | "s3-fips" => after,
        // Transfer Acceleration has no Region in its host.
        "s3-accelerate" => &[],
        "s3-external-1" => &["us-east-1"],
        other => match other.strip_prefix("s3-").map(Region::of_aws) {
            Some(Ok(region)) if after.is_empty() => return Ok(Some(region)),
            Some(Ok(_) | Err(_)) | None => return Err(access_point()),
        },
    };
    match named {
        [] | ["dualstack"] => Ok(None),
        [region] | ["dualstack", region] => Region::of_aws(region).map(Some).map_err(|invalid| {
            refused(format!(
                "This address names a Region that AWS does not have. {}",
                invalid.detail
            ))
        }),
        _ => Err(access_point()),
    }
}
