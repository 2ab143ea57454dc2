//! What the customer's role is called.

use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;

/// The longest role name that IAM takes, in characters.
const MAX_LEN: usize = 64;

/// A role's name and path, as CreateRole takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName {
    pub name: String,
    /// Begins and ends with a slash; `/` alone for a role without a path.
    pub path: String,
}

impl RoleName {
    /// The name and path of a role that the customer already has.
    pub fn of(role_arn: &RoleArn) -> Self {
        Self {
            name: role_arn.name().to_owned(),
            path: role_arn.path().to_owned(),
        }
    }

    /// A name for a new role: `sallyport-BUCKET-` and the beginning of the external ID.
    ///
    /// Every setup gets a role of its own. Two for one bucket, say for two prefixes, would otherwise
    /// overwrite each other's trust policy, and cut off the storage that works already.
    pub fn suggested(bucket: &BucketName, external_id: &ExternalId, path: &RolePath) -> Self {
        let external_id = external_id.to_string();
        // Both are ASCII by their types, so characters are bytes.
        let tail: String = external_id.chars().take(8).collect();
        let room = MAX_LEN - "sallyport--".len() - tail.len();
        let bucket: String = bucket.as_str().chars().take(room).collect();
        Self {
            name: format!("sallyport-{bucket}-{tail}"),
            path: path.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_fits_and_differs_by_setup() {
        let id = |text| ExternalId::from_record(text).unwrap();
        let root = RolePath::default();
        let first = id("0f8fad5b-d9cb-469f-a165-70867728950e");
        let short = RoleName::suggested(&BucketName::parse("acme-data").unwrap(), &first, &root);
        assert_eq!(short.name, "sallyport-acme-data-0f8fad5b");
        let long = BucketName::parse(&"b".repeat(63)).unwrap();
        let other = id("7c9e6679-7425-40de-944b-e07fc1f90ae7");
        let (a, b) = (
            RoleName::suggested(&long, &first, &root),
            RoleName::suggested(&long, &other, &root),
        );
        assert_eq!((a.name.len(), b.name.len()), (64, 64));
        assert_ne!(a, b);
        let path = RolePath::parse("/vendors/").unwrap();
        assert_eq!(RoleName::suggested(&long, &first, &path).path, "/vendors/");
    }

    #[test]
    fn a_role_keeps_its_own_name_and_path() {
        for (arn, name, path) in [
            ("arn:aws:iam::123456789012:role/acme", "acme", "/"),
            ("arn:aws:iam::123456789012:role/a/b/acme", "acme", "/a/b/"),
            ("arn:aws:iam::123456789012:role/x:role/x", "x", "/x:role/"),
        ] {
            let role = RoleName::of(&RoleArn::parse(arn).unwrap());
            assert_eq!((role.name.as_str(), role.path.as_str()), (name, path));
        }
    }
}
