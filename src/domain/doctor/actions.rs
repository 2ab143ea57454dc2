//! The actions of S3, KMS and STS, and which resources they apply to.

use crate::domain::doctor::pattern::{action_matches, nearest};

/// One action: its name, like `s3:GetObject`, and the kinds of resource that it applies to; none where it
/// applies to `*` alone.
#[derive(Debug, Clone, Copy)]
pub struct KnownAction {
    pub name: &'static str,
    kinds: &'static str,
}

const LIST: &str = include_str!("actions.txt");

impl KnownAction {
    pub fn applies_to_buckets(self) -> bool {
        self.has("bucket")
    }

    pub fn applies_to_objects(self) -> bool {
        self.has("object")
    }

    /// Whether it takes a resource at all.
    pub fn applies_to_everything_only(self) -> bool {
        self.kinds.is_empty()
    }

    fn has(self, kind: &str) -> bool {
        self.kinds.split(' ').any(|known| known == kind)
    }

    /// Whether it ever applies to a resource of this form. What is not understood is taken to apply.
    pub fn may_apply(self, resource: &ResourceForm) -> bool {
        match resource {
            ResourceForm::Everything | ResourceForm::Other => true,
            ResourceForm::Bucket => self.service() != "s3" || self.has("bucket"),
            ResourceForm::Objects => self.service() != "s3" || self.has("object"),
            ResourceForm::Key => self.service() != "kms" || self.has("key"),
        }
    }

    pub fn service(self) -> &'static str {
        self.name.split(':').next().unwrap_or_default()
    }
}

/// What a resource's pattern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceForm {
    Everything,
    /// A bucket, and nothing in it.
    Bucket,
    Objects,
    Key,
    Other,
}

impl ResourceForm {
    pub fn of(pattern: &str) -> Self {
        if pattern == "*" {
            return Self::Everything;
        }
        let fields: Vec<&str> = pattern.splitn(6, ':').collect();
        match fields[..] {
            ["arn", _, "s3", "", "", resource] => match resource.split_once('/') {
                Some(("accesspoint" | "job", _)) => Self::Other,
                Some(_) => Self::Objects,
                // `acme*` matches the objects of the bucket too.
                None if resource.contains('*') => Self::Everything,
                None => Self::Bucket,
            },
            ["arn", _, "kms", _, _, resource] if resource.starts_with("key/") => Self::Key,
            _ => Self::Other,
        }
    }
}

pub fn all() -> impl Iterator<Item = KnownAction> {
    LIST.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, kinds) = line.split_once(' ').unwrap_or((line, ""));
            KnownAction { name, kinds }
        })
}

/// Those that a pattern matches.
pub fn matching(pattern: &str) -> Vec<KnownAction> {
    all()
        .filter(|action| action_matches(pattern, action.name))
        .collect()
}

/// Whether every action of the service is in the list.
pub fn is_known_service(service: &str) -> bool {
    ["s3", "kms", "sts"].contains(&service.to_ascii_lowercase().as_str())
}

/// The action that is meant.
pub fn nearest_to(text: &str) -> Option<&'static str> {
    // What was once, or is in other lists, the name of the API's operation.
    let operations = [
        ("s3:headobject", "s3:GetObject"),
        ("s3:headbucket", "s3:ListBucket"),
        ("s3:listobjects", "s3:ListBucket"),
        ("s3:listobjectsv2", "s3:ListBucket"),
        ("s3:listbuckets", "s3:ListAllMyBuckets"),
        ("s3:listobjectversions", "s3:ListBucketVersions"),
        ("s3:deleteobjects", "s3:DeleteObject"),
        ("s3:copyobject", "s3:PutObject"),
        ("s3:uploadpart", "s3:PutObject"),
        ("s3:createmultipartupload", "s3:PutObject"),
        ("s3:completemultipartupload", "s3:PutObject"),
        ("s3:listmultipartuploads", "s3:ListBucketMultipartUploads"),
        ("s3:listparts", "s3:ListMultipartUploadParts"),
        ("s3:getbucketencryption", "s3:GetEncryptionConfiguration"),
        ("s3:getbucketlifecycle", "s3:GetLifecycleConfiguration"),
    ];
    let lower = text.to_ascii_lowercase();
    operations
        .iter()
        .find(|(operation, _)| *operation == lower)
        .map(|(_, action)| *action)
        .or_else(|| nearest(text, all().map(|action| action.name)))
}

/// Actions of S3 that change the bucket, its protection, or who may use it.
pub fn is_administration(action: &str) -> bool {
    let Some(name) = action.strip_prefix("s3:") else {
        return false;
    };
    const OF_OBJECTS: [&str; 6] = [
        "PutObject",
        "PutObjectAcl",
        "PutObjectTagging",
        "PutObjectVersionAcl",
        "PutObjectVersionTagging",
        "ReplicateTags",
    ];
    let changes = [
        "Put",
        "Delete",
        "Create",
        "Update",
        "Submit",
        "Bypass",
        "Associate",
        "Dissociate",
    ];
    let of_files = name.starts_with("DeleteObject") || OF_OBJECTS.contains(&name);
    !of_files && changes.iter().any(|verb| name.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_knows_what_the_documents_grant() {
        use crate::domain::files::file_operation::{PERMISSIONS, Target};
        for row in PERMISSIONS {
            let found = matching(row.permission.action);
            let [action] = found[..] else {
                panic!("{}", row.permission.action)
            };
            match row.permission.on {
                Target::Bucket => assert!(action.applies_to_buckets()),
                Target::Objects => assert!(action.applies_to_objects()),
                Target::Key => assert!(action.may_apply(&ResourceForm::Key)),
                Target::Everything => assert!(action.applies_to_everything_only()),
            }
        }
    }
}
