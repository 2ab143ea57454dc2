//! The steps that read, write and delete a file. What is done with the probe object is in
//! [`probe_steps`](super::probe_steps).

use crate::application::bucket::probe::{Answer, BucketProbe, ReadBack};
use crate::application::bucket::read::ListedObject;
use crate::application::checks::probe_steps::{Back, Probed, Put};
use crate::application::checks::recorder::{Seen, Timed};
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::What;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::check::StepName;
use crate::domain::connection::Credentials;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::storage_class::is_archived;
use futures_util::future::{join3, join4};
use std::sync::Arc;

type Read = Timed<Answer<()>>;

impl CheckRun<'_> {
    /// `early`: what came of writing the probe object beside the questions to the bucket.
    pub async fn object_steps(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        probe_key: Option<ObjectKey>,
        left: Option<Answer<Vec<String>>>,
        early: Option<Put>,
    ) {
        let grants = self.grants();
        let found = Found::of(objects.as_deref());
        let (Some(key), Some(absent)) = (probe_key, self.absent_key()) else {
            self.record
                .skip_rest("The bucket prefix leaves no room for a probe object's key.");
            return;
        };
        // An action that the documents do not grant is not asked.
        let read_acl = if_granted(grants.acls, probe.read_absent_acl(&absent));
        if !grants.writes() {
            let (read, acl, version) = join3(
                self.read(probe, objects, &absent),
                read_acl,
                if_granted(grants.versions, probe.read_absent_version(&absent)),
            )
            .await;
            let without = self
                .without("s3:GetObjectAcl", acl.as_ref())
                .or_else(|| self.without("s3:GetObjectVersion", version.as_ref()));
            self.read_step(read, None, without, found);
            self.is_made(StepName::PutObject);
            self.is_made(StepName::DeleteObject);
            return;
        }
        let lists_versions = matches!(&left, Some(Ok(_)));
        let left = match left {
            Some(Ok(answer)) => answer.value,
            Some(Err(_)) | None => Vec::new(),
        };
        let (read, read_acl, write_acl, probed) = join4(
            self.read(probe, objects, &absent),
            read_acl,
            if_granted(grants.acls, probe.write_absent_acl(&absent)),
            self.probe_object(probe, &key, left, lists_versions, early),
        )
        .await;
        let without = self.without("s3:GetObjectAcl", read_acl.as_ref());
        self.read_step(read, probed.back.as_ref(), without, found);
        let without = self.without("s3:PutObjectAcl", write_acl.as_ref());
        self.put_step(&probed, without);
        self.removal_step(&key, probed);
    }

    /// Reads an object: one that was listed, or one that does not exist. `None`: there is no listing, and the
    /// answer tells nothing.
    async fn read(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        absent: &ObjectKey,
    ) -> Option<Read> {
        let is_listed = objects.is_some();
        let listed = objects.unwrap_or_default();
        let readable = listed
            .iter()
            .find(|object| object.size > 0 && !is_archived(object.storage_class.as_deref()));
        Some(match readable {
            Some(object) => {
                self.record.reads_listed(&object.key);
                self.record.time(probe.read_listed(&object.key)).await
            }
            None => {
                let read = self.record.time(probe.read_absent(absent)).await;
                // Without the listing, S3 refuses an absent object to everybody. It names s3:GetObject to those who
                // may not read, and s3:ListBucket to the others.
                if !is_listed && !read.value.as_ref().err().is_none_or(tells_of_reading) {
                    return None;
                }
                read
            }
        })
    }

    fn read_step(
        &self,
        read: Option<Read>,
        back: Option<&Back>,
        without: Option<(Seen, What)>,
        found: Found,
    ) {
        let step = StepName::GetObject;
        if let Some(read) = &read
            && let Err(failure) = &read.value
            && !shows_permission(failure)
        {
            let what = What::Failed {
                action: Some("s3:GetObject"),
                failure: failure.clone(),
            };
            self.record.fail(step, read, failure, what);
            return;
        }
        // What was just written is there, so a refusal to read it is no answer to an absent one.
        if let Some(back) = back
            && let Err(failure) = &back.value
            && !shows_permission(failure)
        {
            let what = What::Failed {
                action: Some("s3:GetObject"),
                failure: failure.clone(),
            };
            self.record.fail(step, back, failure, what);
            return;
        }
        // It may be read, and is archived in a way that the listing does not say.
        if let Some(read) = &read
            && let Err(failure) = &read.value
            && failure.kind == FailureKind::Archived
        {
            let what = What::Failed {
                action: None,
                failure: failure.clone(),
            };
            self.record.warn(step, read, Seen::of(failure), what);
            return;
        }
        match (without, &read, back) {
            (Some((seen, what)), Some(read), _) => {
                self.record.warn(step, read, seen, what);
            }
            (Some((seen, what)), None, Some(back)) => {
                self.record.warn(step, back, seen, what);
            }
            (None, Some(read), _) if let Some(what) = self.nothing_read(&found) => {
                let seen = match &read.value {
                    Ok(answer) => Seen::answered(answer),
                    Err(failure) => Seen::of(failure),
                };
                self.record.warn(step, read, seen, what);
            }
            (_, Some(read), _) => match &read.value {
                Ok(answer) => self.record.pass(step, read, answer),
                // With ListBucket, S3 says 404 of an absent key only to those who may read it; and it
                // looks at range and archive only after the permission.
                Err(failure) => self.record.pass_by_refusal(step, read, failure),
            },
            (None, None, Some(back)) => match &back.value {
                Ok(answer) => self.record.pass(step, back, answer),
                Err(failure) => self.record.pass_by_refusal(step, back, failure),
            },
            (_, None, None) => self.record.skip(
                step,
                "Without the listing, a refusal to read looks the same as a file that does not exist.",
            ),
        }
    }

    /// What to say where reading is allowed and no file was read.
    fn nothing_read(&self, found: &Found) -> Option<What> {
        let settings = &self.bucket.connection.settings;
        // A bucket that the product fills is empty at first. No prefix of a whole one can be mistyped, and none of
        // the built-in storage, which the service makes.
        let is_expected = match &self.bucket.connection.credentials {
            Credentials::Service => true,
            Credentials::Role { .. } | Credentials::AccessKey { .. } => {
                settings.prefix.as_str().is_empty() && settings.access.writes()
            }
        };
        match found {
            Found::Files | Found::Unknown => None,
            Found::Archived { listed } => Some(What::AllArchived { listed: *listed }),
            Found::Nothing if is_expected => None,
            Found::Nothing => Some(What::NothingBelowPrefix),
        }
    }

    fn put_step(&self, probed: &Probed, without: Option<(Seen, What)>) {
        let step = StepName::PutObject;
        let written = &probed.written;
        let put = &written.put;
        let answer = match &put.value {
            Ok(answer) => answer,
            Err(failure) if written.is_kept(failure) => {
                self.record.pass_by_refusal(step, put, failure);
                return;
            }
            Err(failure) => {
                let what = What::Failed {
                    action: Some("s3:PutObject"),
                    failure: failure.clone(),
                };
                self.record.fail(step, put, failure, what);
                return;
            }
        };
        match probed.back.as_ref().map(|back| &back.value) {
            Some(Err(failure)) if failure.kind == FailureKind::NoSuchKey => {
                self.record.fail(step, put, failure, What::ProbeNotStored);
                return;
            }
            Some(Ok(found)) if !found.value.is_same => {
                let size = found.value.size;
                let what = What::ProbeDiffers { size };
                self.record.fail_although_answered(step, put, found, what);
                return;
            }
            Some(Ok(found)) => {
                if let Some(how) = self.encrypted_otherwise(&found.value) {
                    self.record.warn(step, put, Seen::answered(found), how);
                    return;
                }
            }
            // The step before has said why it could not be read.
            Some(Err(_)) | None => {}
        }
        match without {
            Some((seen, what)) => self.record.warn(step, put, seen, what),
            None => self.record.pass(step, put, answer),
        }
    }

    /// Whether the probe is encrypted otherwise than by the key of the settings.
    fn encrypted_otherwise(&self, found: &ReadBack) -> Option<What> {
        let asked = self.bucket.connection.settings.kms_key.as_ref()?.as_str();
        let by = match (&found.kms_key, &found.encryption) {
            (Some(key), _) if key == asked => return None,
            // Some stores give the key's ID alone.
            (Some(key), _) if asked.ends_with(&format!("/{key}")) => return None,
            (Some(key), _) => format!("the KMS key `{}`", key.replace('`', "")),
            (None, Some(algorithm)) => format!("`{}`", algorithm.replace('`', "")),
            (None, None) => "no encryption that the store names".to_owned(),
        };
        Some(What::ProbeEncryptionDiffers {
            found: by,
            asked: asked.to_owned(),
        })
    }
}

/// What the listing found.
enum Found {
    /// Files that can be read, or folder markers alone.
    Files,
    /// Files, and every one is archived.
    Archived {
        listed: usize,
    },
    Nothing,
    /// There is no listing.
    Unknown,
}

impl Found {
    fn of(objects: Option<&[ListedObject]>) -> Self {
        let Some(objects) = objects else {
            return Self::Unknown;
        };
        let mut files = objects.iter().filter(|object| object.size > 0);
        let listed = files.clone().count();
        if objects.is_empty() {
            Self::Nothing
        } else if listed > 0 && files.all(|object| is_archived(object.storage_class.as_deref())) {
            Self::Archived { listed }
        } else {
            Self::Files
        }
    }
}

/// Whether the refusal of an absent object says something of reading, where listing is refused.
fn tells_of_reading(failure: &AwsFailure) -> bool {
    let denial = failure.denial.as_deref();
    let named = denial.and_then(|denial| denial.action.as_deref());
    failure.kind != FailureKind::AccessDenied || named == Some("s3:GetObject")
}

/// Whether S3 looked at the object, which it does only for those who may read it.
fn shows_permission(failure: &AwsFailure) -> bool {
    matches!(
        failure.kind,
        FailureKind::NoSuchKey | FailureKind::InvalidRange | FailureKind::Archived
    )
}

/// How the question failed, where the documents grant what it asks for; otherwise it is not asked.
async fn if_granted(
    is_granted: bool,
    question: impl Future<Output = Answer<()>>,
) -> Option<AwsFailure> {
    match is_granted {
        true => question.await.err(),
        false => None,
    }
}
