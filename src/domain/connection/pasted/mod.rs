//! Addresses that are pasted where a bucket's name, or a role's ARN, is asked for.
//!
//! People copy what they see: an S3 URI, an ARN, the console's address bar, an object's URL. Each names the
//! bucket, and some name the folder and the Region too. What names something else, like an access point, is
//! refused with what to enter instead.

mod console;
mod object_url;
mod place;
mod role;
#[cfg(test)]
mod tests;

use crate::domain::invalid::Invalid;
use place::{access_point, folder_named_by, refused};
use url::Url;

pub use place::PastedBucket;
pub use role::role_arn;

/// Reads an address. `None`: the text is no address, so it can only be a bucket's name.
pub fn bucket(text: &str) -> Option<Result<PastedBucket, Invalid>> {
    let text = text.trim();
    if let Some(rest) = after_scheme(text, &["s3", "s3a", "s3n"]) {
        return Some(of_uri(rest));
    }
    if text.len() > 4 && text.is_char_boundary(4) && text[..4].eq_ignore_ascii_case("arn:") {
        return Some(of_arn(text));
    }
    if after_scheme(text, &["http", "https"]).is_some() {
        return Some(of_url(text));
    }
    // The address without its scheme, as some browsers show it.
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    match console::is_host(host) || object_url::is_host(host) {
        true => Some(of_url(&format!("https://{text}"))),
        false => None,
    }
}

/// What follows `scheme://`, whatever case the scheme is in.
fn after_scheme<'t>(text: &'t str, schemes: &[&str]) -> Option<&'t str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_one = schemes.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    is_one.then_some(rest)
}

fn of_uri(rest: &str) -> Result<PastedBucket, Invalid> {
    if rest.starts_with("arn:") {
        return Err(access_point());
    }
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(refused(
            "This S3 URI names no bucket. One looks like `s3://acme-data/team/`.",
        ));
    }
    PastedBucket::new(bucket, folder_named_by(path), None)
}

fn of_arn(text: &str) -> Result<PastedBucket, Invalid> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let [_, _, service, region, account, resource] = fields[..] else {
        return Err(refused(
            "This ARN is not complete. A bucket's looks like `arn:aws:s3:::acme-data`.",
        ));
    };
    match service {
        "s3" => {}
        "iam" | "sts" => {
            return Err(refused(
                "This is the ARN of an identity, not of a bucket. Enter a role's ARN as the role, and the bucket's name here.",
            ));
        }
        "s3-object-lambda" | "s3-outposts" | "s3express" | "s3tables" | "s3files" => {
            return Err(access_point());
        }
        _ => {
            return Err(refused(
                "This is the ARN of another service. A bucket's looks like `arn:aws:s3:::acme-data`.",
            ));
        }
    }
    if !region.is_empty() || !account.is_empty() {
        return Err(access_point());
    }
    let (bucket, path) = resource.split_once('/').unwrap_or((resource, ""));
    if bucket.is_empty() || bucket.contains(['*', '?', '$']) {
        return Err(refused(
            "This ARN stands for many buckets. Enter one bucket's name.",
        ));
    }
    // As policies write what is below a folder.
    let path = match path.strip_suffix('*') {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
        Some(_) | None => path,
    };
    if path.contains(['*', '?']) || path.contains("${") {
        return Err(refused(
            "The path of this ARN is a pattern. Enter the bucket's name, and the folder as the bucket prefix.",
        ));
    }
    PastedBucket::new(bucket, folder_named_by(path), None)
}

fn of_url(text: &str) -> Result<PastedBucket, Invalid> {
    let unreadable = || refused("This web address cannot be read. Enter the bucket's name.");
    let url = Url::parse(text).map_err(|_| unreadable())?;
    let host = url.host_str().ok_or_else(unreadable)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "This web address has a user name or password in it. Enter the bucket's name.",
        ));
    }
    if console::is_host(host) {
        return console::bucket(&url);
    }
    if object_url::is_host(host) && url.port().is_none() {
        return object_url::bucket(host, &url);
    }
    Err(refused(
        "This is not an address of Amazon S3 or its console. Enter the bucket's name. An S3-compatible store's address belongs in `endpoint`.",
    ))
}
