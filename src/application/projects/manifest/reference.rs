//! How a list names a file: by its file key, or by where it is in S3.

use crate::domain::Invalid;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::files::file_key::FileKey;
use crate::domain::invalid::shown;
use std::borrow::Cow;

/// The storage whose files are listed.
#[derive(Debug, Clone)]
pub struct ListedStorage {
    pub bucket: BucketName,
    pub prefix: BucketPrefix,
}

impl ListedStorage {
    /// The file that the text names: a file key, or the S3 URI, ARN or S3 URL of a file of this storage.
    ///
    /// A file key that begins like an address is written with its leading slash.
    ///
    /// # Errors
    /// `other_bucket`, `outside_of_storage` and `not_in_s3` for an address that leads elsewhere; those of
    /// [`FileKey::parse`].
    pub fn file_key(&self, text: &str) -> Result<FileKey, Invalid> {
        match address(text) {
            None => FileKey::parse(text),
            Some(Address::Object { bucket, key }) => self.of_object(text, &bucket, &key),
            Some(Address::Version) => Err(Invalid::new(
                "version_not_supported",
                format!(
                    "`{}` names one version of a file. A project has files as they are: leave `versionId` out. A file key with this text in it is written as a key, with a leading slash.",
                    shown(text)
                ),
            )),
            Some(Address::Elsewhere) => Err(Invalid::new(
                "not_in_s3",
                format!(
                    "`{}` is not an address in S3. A file of this storage is named by its file key, or like `s3://{}/{}image.png`.",
                    shown(text),
                    self.bucket,
                    self.prefix
                ),
            )),
        }
    }

    fn of_object(&self, text: &str, bucket: &str, key: &str) -> Result<FileKey, Invalid> {
        if bucket != self.bucket.as_str() {
            return Err(Invalid::new(
                "other_bucket",
                format!(
                    "`{}` is in the bucket `{}`. This storage is the bucket `{}`.",
                    shown(text),
                    shown(bucket),
                    self.bucket
                ),
            ));
        }
        match key.strip_prefix(self.prefix.as_str()) {
            // With its slash: the rest may itself begin with one, and parsing takes one off.
            Some(rest) => FileKey::parse(&format!("/{rest}")),
            None => Err(Invalid::new(
                "outside_of_storage",
                format!(
                    "`{}` is not below `{}`, which is all that this storage has of the bucket.",
                    shown(text),
                    self.prefix
                ),
            )),
        }
    }
}

/// A file as a request names it, before it is known which storage is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileReference {
    Key(FileKey),
    /// An S3 URI or another address, as it is written.
    Address(String),
}

impl FileReference {
    pub fn parse(text: String) -> Result<Self, Invalid> {
        match address(&text) {
            Some(_) => Ok(Self::Address(text)),
            None => FileKey::parse(&text).map(Self::Key),
        }
    }

    /// The file in this storage.
    pub fn within(self, storage: &ListedStorage) -> Result<FileKey, Invalid> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Address(text) => storage.file_key(&text),
        }
    }
}

enum Address<'a> {
    Object {
        bucket: Cow<'a, str>,
        key: Cow<'a, str>,
    },
    /// A version of an object.
    Version,
    /// An address, and none of S3.
    Elsewhere,
}

/// `None`: a file key.
fn address(text: &str) -> Option<Address<'_>> {
    if let Some(rest) = text.strip_prefix("arn:") {
        let object = rest.split_once(":s3:::").map(|(_, path)| path);
        return Some(object.map_or(Address::Elsewhere, |path| object_of(path)));
    }
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !is_scheme {
        return None;
    }
    match scheme.to_ascii_lowercase().as_str() {
        // `s3a` and `s3n` are Hadoop's names for the same.
        "s3" | "s3a" | "s3n" => Some(object_of(rest)),
        "http" | "https" => Some(url_of(rest)),
        _ => Some(Address::Elsewhere),
    }
}

/// `BUCKET/KEY`, the key as it is.
fn object_of(path: &str) -> Address<'_> {
    let query = path.rsplit_once('?').map(|(_, query)| query);
    if query.is_some_and(|query| query.starts_with("versionId=")) {
        return Address::Version;
    }
    match path.split_once('/') {
        Some((bucket, key)) => Address::Object {
            bucket: bucket.into(),
            key: key.into(),
        },
        None => Address::Object {
            bucket: path.into(),
            key: "".into(),
        },
    }
}

/// An object's URL at Amazon S3: `BUCKET.s3.REGION.amazonaws.com/KEY` or `s3.REGION.amazonaws.com/BUCKET/KEY`
/// (S3 user guide, "Methods for accessing a bucket"). The key is percent-encoded, and a signature may
/// follow it.
fn url_of(rest: &str) -> Address<'_> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parameter = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value)
    };
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    if host == "console.aws.amazon.com" || host.ends_with(".console.aws.amazon.com") {
        return match (path.strip_prefix("s3/object/"), parameter("prefix")) {
            (Some(_), Some(_)) if parameter("versionId").is_some() => Address::Version,
            (Some(bucket), Some(key)) => Address::Object {
                bucket: bucket.into(),
                key,
            },
            (None, _) | (_, None) => Address::Elsewhere,
        };
    }
    let Some(name) = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))
    else {
        return Address::Elsewhere;
    };
    if parameter("versionId").is_some() {
        return Address::Version;
    }
    let Ok(path) = percent_encoding::percent_decode_str(path).decode_utf8() else {
        return Address::Elsewhere;
    };
    let is_service = |label: &str| label == "s3" || label.starts_with("s3-");
    let labels: Vec<&str> = name.split('.').collect();
    if labels.first().copied().is_some_and(is_service) {
        return match path.split_once('/') {
            Some((bucket, key)) => Address::Object {
                bucket: bucket.to_owned().into(),
                key: key.to_owned().into(),
            },
            None => Address::Elsewhere,
        };
    }
    // The bucket's name may have dots, and even a label `s3`: the last one that is the service counts.
    match labels.iter().rposition(|label| is_service(label)) {
        Some(at) => Address::Object {
            bucket: labels[..at].join(".").into(),
            key: path.into_owned().into(),
        },
        None => Address::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(prefix: &str) -> ListedStorage {
        ListedStorage {
            bucket: BucketName::parse("acme-data").unwrap(),
            prefix: BucketPrefix::parse(prefix).unwrap(),
        }
    }

    fn key(prefix: &str, text: &str) -> Result<String, &'static str> {
        let key = storage(prefix).file_key(text);
        key.map(|key| key.to_string())
            .map_err(|invalid| invalid.code)
    }

    #[test]
    fn a_file_of_the_storage_by_each_kind_of_address() {
        for text in [
            "/x/a b+%20.png",
            "x/a b+%20.png",
            "s3://acme-data/team/x/a b+%20.png",
            "S3://acme-data/team/x/a b+%20.png",
            "s3a://acme-data/team/x/a b+%20.png",
            "arn:aws:s3:::acme-data/team/x/a b+%20.png",
            "https://acme-data.s3.eu-west-1.amazonaws.com/team/x/a%20b%2B%2520.png",
            "https://acme-data.s3.amazonaws.com/team/x/a%20b+%2520.png?X-Amz-Signature=1",
            "https://s3.eu-west-1.amazonaws.com/acme-data/team/x/a%20b%2B%2520.png",
            "https://s3-eu-west-1.amazonaws.com/acme-data/team/x/a%20b%2B%2520.png",
            "https://eu-west-1.console.aws.amazon.com/s3/object/acme-data?region=eu-west-1&prefix=team/x/a+b%2B%2520.png",
            "https://s3.console.aws.amazon.com/s3/object/acme-data?prefix=team%2Fx%2Fa%20b%2B%2520.png",
            "s3n://acme-data/team/x/a b+%20.png",
            "https://acme-data.s3.cn-north-1.amazonaws.com.cn/team/x/a%20b%2B%2520.png",
        ] {
            assert_eq!(key("team", text).as_deref(), Ok("/x/a b+%20.png"), "{text}");
        }
        assert_eq!(key("", "s3://acme-data//a").as_deref(), Ok("//a"));
        // No address: a file key with a colon in it.
        for text in ["a://b", "/s3://acme-data/x", "1a:b", "x y://z"] {
            let expected = match text {
                "a://b" => continue,
                text => format!("/{}", text.strip_prefix('/').unwrap_or(text)),
            };
            assert_eq!(key("", text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused_by_where_it_leads() {
        for (text, code) in [
            ("s3://other/team/a.png", "other_bucket"),
            ("s3://acme-data", "outside_of_storage"),
            ("s3://acme-data/team-b/a.png", "outside_of_storage"),
            ("s3://acme-data/team/", "empty_file_key"),
            ("s3://acme-data/team/../x", "dot_segment"),
            ("https://other.s3.amazonaws.com/team/a.png", "other_bucket"),
            ("https://example.com/a.png", "not_in_s3"),
            ("gs://acme-data/team/a.png", "not_in_s3"),
            (
                "s3://acme-data/team/a.png?versionId=x",
                "version_not_supported",
            ),
            (
                "https://acme-data.s3.amazonaws.com/team/a.png?x=1&versionId=x",
                "version_not_supported",
            ),
            (
                "https://s3.console.aws.amazon.com/s3/object/acme-data?prefix=team/a&versionId=x",
                "version_not_supported",
            ),
            (
                "https://console.aws.amazon.com/s3/buckets/acme-data",
                "not_in_s3",
            ),
            ("abfss://c@acme.dfs.core.windows.net/a.png", "not_in_s3"),
            ("arn:aws:iam::111122223333:role/x", "not_in_s3"),
        ] {
            assert_eq!(key("team", text), Err(code), "{text}");
        }
    }
}
