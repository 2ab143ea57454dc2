//! Addresses of the management console.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::pasted::place::{
    PastedBucket, access_point, decoded, folder_of, refused,
};
use crate::domain::connection::region::Region;
use crate::domain::invalid::Invalid;
use url::Url;

/// Whether a host is one of a partition's console.
pub fn is_host(host: &str) -> bool {
    partition(host).is_some()
}

/// The partition whose console a host is. The console puts names before its host: the service, the Region, and
/// with several sessions at once the account.
pub fn partition(host: &str) -> Option<Partition> {
    let host = host.to_ascii_lowercase();
    Partition::ALL.into_iter().find(|partition| {
        partition.console_host().is_some_and(|console| {
            let before = host.strip_suffix(console);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    })
}

/// The account of a console's host with several sessions at once, like
/// `123456789012-abcdefgh.us-east-1.console.aws.amazon.com`.
pub fn account(host: &str) -> Option<AccountId> {
    let (account, _) = host.split('.').next()?.split_once('-')?;
    AccountId::parse(account).ok()
}

/// The bucket of a page of the S3 console: `/s3/buckets/NAME?region=…&prefix=…`, a file's `/s3/object/NAME`,
/// and older forms with the folder in the path.
pub fn bucket(url: &Url) -> Result<PastedBucket, Invalid> {
    let path = decoded(url.path())?;
    let query = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    let region = query("region").and_then(|region| Region::of_aws(&region).ok());
    let Some(below) = path.strip_prefix("/s3/") else {
        return Err(refused(
            "This is a page of the AWS console about something else. Open the bucket in the S3 console and copy the address, or enter the bucket's name.",
        ));
    };
    let (page, rest) = below.split_once('/').unwrap_or((below, ""));
    let (name, in_path) = rest.split_once('/').unwrap_or((rest, ""));
    if matches!(page, "ap" | "mrap" | "olap") || below.starts_with("directory") {
        return Err(access_point());
    }
    if !matches!(
        page,
        "buckets" | "bucket" | "object" | "upload" | "copy" | "move" | "get"
    ) || name.is_empty()
    {
        return Err(refused(
            "This page of the S3 console is about no single bucket. Open the bucket and copy the address, or enter the bucket's name.",
        ));
    }
    if query("bucketType").as_deref() == Some("directory") {
        return Err(access_point());
    }
    let of_object = page == "object";
    let key = match query("prefix") {
        Some(prefix) => prefix,
        // `…/buckets/NAME/team/`, but not a tab of the bucket's page.
        None if matches!(page, "buckets" | "object") => in_path.to_owned(),
        None => String::new(),
    };
    let folder = match of_object {
        true => folder_of(&key),
        // The console's folders end in a slash; what is behind is a search within the folder.
        false => match key.ends_with('/') {
            true => Some(key.as_str()),
            false => folder_of(&key),
        },
    };
    PastedBucket::new(name, folder, region)
}
