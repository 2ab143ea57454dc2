//! What must hold when an object is stored or deleted, where the store is not known to look itself.
//!
//! Amazon S3 honours `If-None-Match` and `If-Match` on PutObject, CompleteMultipartUpload and DeleteObject
//! (S3 user guide, "How to prevent object overwrites with conditional writes"). Some compatible stores
//! ignore the headers: Ceph on CompleteMultipartUpload and DeleteObject. There we look first. What somebody
//! else changes between our look and the store's act is not seen.

use crate::application::bucket::read::BucketResult;
use crate::aws::etag::plain;
use crate::aws::failure::local;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::head::head_object;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;

/// Conditions of a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conditions {
    /// There is no such object.
    pub if_none_match: bool,
    /// The present object has this ETag; `*`: there is one.
    pub if_match: Option<String>,
}

impl Conditions {
    pub fn is_empty(&self) -> bool {
        !self.if_none_match && self.if_match.is_none()
    }

    pub fn none_match_header(&self) -> Option<String> {
        self.if_none_match.then(|| "*".to_owned())
    }

    /// `there`: the present object's ETag, if there is an object; a store may give none.
    fn hold(&self, there: Option<Option<&str>>) -> bool {
        let matches = match (&self.if_match, there) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(found)) => {
                wanted.trim() == "*" || found.is_some_and(|found| plain(found) == plain(wanted))
            }
        };
        matches && !(self.if_none_match && there.is_some())
    }
}

/// Looks whether the conditions hold, unless the store is Amazon S3, which looks itself.
pub(crate) async fn must_hold(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    conditions: &Conditions,
) -> BucketResult<()> {
    if conditions.is_empty() || files.sessions.clients().is_amazon(&bucket.connection) {
        return Ok(());
    }
    let looked = files
        .with_session(bucket, |session| {
            head_object(session, bucket, key, None, None)
        })
        .await;
    let there = match looked {
        Ok(found) => Some(found.e_tag),
        Err(failure) if failure.kind == FailureKind::NoSuchKey => None,
        // Nobody knows: then nothing is written.
        Err(failure) => return Err(failure),
    };
    match conditions.hold(there.as_ref().map(Option::as_deref)) {
        true => Ok(()),
        false => Err(local(
            "HeadObject",
            FailureKind::PreconditionFailed,
            "the object is not in the state that was asked for",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_with_what_is_there() {
        let new = Conditions {
            if_none_match: true,
            if_match: None,
        };
        assert!(new.hold(None));
        assert!(!new.hold(Some(Some("\"a\""))) && !new.hold(Some(None)));
        for (wanted, there, holds) in [
            ("\"a\"", Some(Some("\"a\"")), true),
            ("a", Some(Some("\"a\"")), true),
            ("*", Some(Some("\"a\"")), true),
            ("*", Some(None), true),
            ("\"b\"", Some(Some("\"a\"")), false),
            ("\"a\"", Some(None), false),
            ("\"a\"", None, false),
            ("*", None, false),
        ] {
            let same = Conditions {
                if_none_match: false,
                if_match: Some(wanted.to_owned()),
            };
            assert_eq!(same.hold(there), holds, "{wanted} {there:?}");
        }
    }
}
