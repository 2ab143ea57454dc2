//! Full object keys: the only place where prefix and file key meet.

use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::files::file_key::{FileKey, Folder, MAX_KEY_LEN};
use crate::domain::invalid::Invalid;

/// The key of an object in a bucket: prefix and file key together.
///
/// Invariant: it begins with the prefix it was made with. [`ObjectKey::within`] is the only
/// constructor, and only the adapter that calls S3 turns it into text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Refuses a key that would be longer than S3 stores.
    pub fn within(prefix: &BucketPrefix, file_key: &FileKey) -> Result<Self, Invalid> {
        join(prefix, file_key.path()).map(Self)
    }

    /// The whole key, for the call to S3.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The beginning of the keys in a folder: what a listing asks S3 for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKeyPrefix(String);

impl ObjectKeyPrefix {
    pub fn within(prefix: &BucketPrefix, folder: &Folder) -> Result<Self, Invalid> {
        join(prefix, folder.path()).map(Self)
    }

    /// The beginning of what lies in a folder under names that begin with a text.
    pub fn of_names(prefix: &BucketPrefix, folder: &Folder, begins: &str) -> Result<Self, Invalid> {
        if begins.contains('/') || begins.contains('\0') {
            return Err(Invalid::new(
                "invalid_name",
                "A name has no slash. To look into a folder, open it first.",
            ));
        }
        join(prefix, &format!("{}{begins}", folder.path())).map(Self)
    }

    /// The whole beginning, for the call to S3.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn join(prefix: &BucketPrefix, path: &str) -> Result<String, Invalid> {
    let length = prefix.as_str().len() + path.len();
    if length > MAX_KEY_LEN {
        return Err(Invalid::new(
            "file_key_too_long",
            format!(
                "S3 keys have at most {MAX_KEY_LEN} bytes, prefix included; this one would have {length}."
            ),
        ));
    }
    Ok(format!("{prefix}{path}"))
}

/// A key as S3 listed it, seen from below the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A file that a file key can name.
    File(FileKey),
    /// The marker object of the prefix itself (its key is the prefix): no file.
    PrefixMarker,
    /// An object that no link can reach, because its key has a dot segment; shown, but not usable.
    /// Holds the path with the leading slash.
    Unusable(String),
}

/// S3 answered with a key outside of what was asked for. Never shown, never served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store listed a key outside of the bucket prefix")]
pub struct OutsidePrefix;

/// Takes the prefix off a key that S3 listed. A key that does not begin with it is an error, not a key
/// without a prefix.
pub fn relative_to(prefix: &BucketPrefix, listed: &str) -> Result<Listed, OutsidePrefix> {
    let path = listed.strip_prefix(prefix.as_str()).ok_or(OutsidePrefix)?;
    if path.is_empty() {
        return Ok(Listed::PrefixMarker);
    }
    Ok(match FileKey::of_path(path) {
        Ok(key) => Listed::File(key),
        Err(_) => Listed::Unusable(format!("/{path}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> BucketPrefix {
        BucketPrefix::parse(text).unwrap()
    }

    #[test]
    fn the_documented_example() {
        let key = FileKey::parse("/some-folder/image.png").unwrap();
        let object = ObjectKey::within(&prefix("test"), &key).unwrap();
        assert_eq!(object.as_str(), "test/some-folder/image.png");
    }

    #[test]
    fn a_neighbour_of_the_prefix_is_outside() {
        assert_eq!(relative_to(&prefix("team"), "team-b/x"), Err(OutsidePrefix));
        assert_eq!(relative_to(&prefix("team"), "team"), Err(OutsidePrefix));
        assert_eq!(
            relative_to(&prefix("team"), "team/"),
            Ok(Listed::PrefixMarker)
        );
        assert_eq!(
            relative_to(&prefix("team"), "team/a/../b"),
            Ok(Listed::Unusable("/a/../b".into()))
        );
    }

    #[test]
    fn prefix_and_key_together_fit_what_s3_stores() {
        let key = FileKey::parse(&"k".repeat(1020)).unwrap();
        assert!(ObjectKey::within(&prefix("abc"), &key).is_ok());
        assert!(ObjectKey::within(&prefix("abcd"), &key).is_err());
    }

    proptest! {
        #[test]
        fn no_input_reaches_outside_the_prefix(prefix in "\\PC{0,40}", key in "[\\PC\u{0}-\u{1f}]{0,60}") {
            if let (Ok(prefix), Ok(key)) = (BucketPrefix::parse(&prefix), FileKey::parse(&key)) {
                let object = ObjectKey::within(&prefix, &key).unwrap();
                prop_assert!(object.as_str().starts_with(prefix.as_str()));
                prop_assert!(!object.as_str().split('/').any(|s| s == "." || s == ".."));
                prop_assert_eq!(relative_to(&prefix, object.as_str()), Ok(Listed::File(key)));
            }
        }

        #[test]
        fn hostile_segments_never_leave_the_prefix(
            segments in prop::collection::vec(
                prop::sample::select(vec!["..", ".", "", "a", "%2e%2e", "..%2f", "\\..", "team-b", "~", "…"]), 1..8)
        ) {
            let team = prefix("team");
            match FileKey::parse(&segments.join("/")) {
                Ok(key) => {
                    let object = ObjectKey::within(&team, &key).unwrap();
                    prop_assert!(object.as_str().starts_with("team/"));
                    prop_assert!(!segments.iter().any(|s| *s == ".." || *s == "."));
                }
                Err(invalid) => prop_assert!(["dot_segment", "empty_file_key"].contains(&invalid.code)),
            }
        }
    }
}
