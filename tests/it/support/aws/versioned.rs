//! A bucket that keeps versions, as S3 keeps them: for what the emulator does not show, such as Object Lock.

use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::{Reply, Request};
use std::sync::{Arc, Mutex};

/// The versions of the probe objects, the newest last. A delete marker has no body.
#[derive(Clone, Default)]
pub struct Versions {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    all: Vec<(String, String, Option<Vec<u8>>)>,
    made: usize,
    /// What the deletion of a version that has content is answered with.
    refusal: Option<Reply>,
    /// What the listing of versions is answered with.
    no_listing: Option<Reply>,
    /// When the retention of what is written ends, as the header says it.
    retained: Option<String>,
}

impl Versions {
    /// How many versions and delete markers there are.
    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().all.len()
    }

    pub fn refuse_deletions(&self, reply: Reply) {
        self.kept.lock().unwrap().refusal = Some(reply);
    }

    pub fn allow_deletions(&self) {
        self.kept.lock().unwrap().refusal = None;
    }

    pub fn refuse_listing(&self, reply: Reply) {
        self.kept.lock().unwrap().no_listing = Some(reply);
    }

    pub fn retain_until(&self, date: &str) {
        self.kept.lock().unwrap().retained = Some(date.to_owned());
    }

    /// A version that somebody left.
    pub fn leave(&self, key: &str) {
        let mut kept = self.kept.lock().unwrap();
        kept.all
            .push((key.to_owned(), "older".into(), Some(b"older".to_vec())));
    }

    /// The answer to a request about the probe object. For `AwsStub::when`.
    pub fn answer(&self, request: &Request) -> Option<Reply> {
        let mut kept = self.kept.lock().unwrap();
        let (_, key) = request.bucket_and_key();
        let operation = request.operation();
        if operation == "ListObjectVersions" {
            return Some(match &kept.no_listing {
                Some(reply) => reply.clone(),
                None => kept.list(&request.query("prefix").unwrap_or_default()),
            });
        }
        if !key.contains("sallyport-check-") {
            return None;
        }
        let current = kept.all.iter().rfind(|(name, ..)| *name == key).cloned();
        match operation.as_str() {
            "PutObject" => {
                let is_there = matches!(current, Some((_, _, Some(_))));
                if is_there && request.header("if-none-match").is_some() {
                    return Some(s3_error(412, "PreconditionFailed", "there is one"));
                }
                let id = kept.id();
                let made = (key, id.clone(), Some(request.body.clone()));
                kept.all.push(made);
                let reply = Reply::answer(200, "").with("etag", "\"e\"");
                Some(reply.with("x-amz-version-id", id))
            }
            "GetObject" | "HeadObject" => Some(match current {
                Some((_, id, Some(body))) => {
                    let mut reply = Reply::answer(200, body)
                        .with("etag", "\"e\"")
                        .with("x-amz-version-id", id);
                    if let Some(until) = &kept.retained {
                        reply = reply
                            .with("x-amz-object-lock-mode", "COMPLIANCE")
                            .with("x-amz-object-lock-retain-until-date", until.clone());
                    }
                    reply
                }
                Some((_, id, None)) => s3_error(404, "NoSuchKey", "deleted")
                    .with("x-amz-delete-marker", "true")
                    .with("x-amz-version-id", id),
                None if operation == "HeadObject" => Reply::answer(404, ""),
                None => return None,
            }),
            "DeleteObject" => match request.query("versionId") {
                None => {
                    let id = kept.id();
                    kept.all.push((key, id.clone(), None));
                    let reply = Reply::answer(204, "").with("x-amz-delete-marker", "true");
                    Some(reply.with("x-amz-version-id", id))
                }
                Some(id) => {
                    let has_content = kept.all.iter().any(|one| one.1 == id && one.2.is_some());
                    if let (Some(reply), true) = (&kept.refusal, has_content) {
                        return Some(reply.clone());
                    }
                    kept.all.retain(|one| one.1 != id);
                    Some(Reply::answer(204, "").with("x-amz-version-id", id))
                }
            },
            _ => None,
        }
    }
}

impl Kept {
    fn id(&mut self) -> String {
        self.made += 1;
        format!("v{}", self.made)
    }

    fn list(&self, prefix: &str) -> Reply {
        let listed: String = self
            .all
            .iter()
            .filter(|one| one.0.starts_with(prefix))
            .map(|(key, id, body)| {
                let element = match body {
                    Some(_) => "Version",
                    None => "DeleteMarker",
                };
                format!("<{element}><Key>{key}</Key><VersionId>{id}</VersionId></{element}>")
            })
            .collect();
        Reply::answer(
            200,
            format!(
                "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false\
                 </IsTruncated>{listed}</ListVersionsResult>"
            ),
        )
    }
}
