//! The steps that read, write and delete a file.

use crate::application::bucket::probe::{Answer, BucketProbe, ReadBack};
use crate::application::bucket::read::ListedObject;
use crate::application::checks::recorder::{Seen, Timed};
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::What;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::check::StepName;
use crate::domain::connection::Credentials;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::storage_class::is_archived;
use crate::domain::files::version::NULL_VERSION;
use futures_util::future::{join, join_all, join3, join4};
use std::sync::Arc;

/// How many older probes are looked for one by one, where the versions cannot be listed.
const LOOKED_FOR: usize = 3;

type Read = Timed<Answer<()>>;

/// What was written, and what an earlier check has left that could not be removed.
struct Written {
    put: Timed<Answer<Option<String>>>,
    /// Every version that this check has made.
    versions: Vec<String>,
    left: Vec<(String, AwsFailure)>,
}

impl Written {
    /// Whether the probe object is there: just written, or still there from an earlier check.
    fn is_there(&self) -> bool {
        match &self.put.value {
            Ok(_) => true,
            Err(failure) => self.is_kept(failure),
        }
    }

    /// S3 looks at the permission first: whoever may not write is not answered that there is one already.
    fn is_kept(&self, failure: &AwsFailure) -> bool {
        failure.kind == FailureKind::PreconditionFailed && !self.left.is_empty()
    }
}

impl CheckRun<'_> {
    pub async fn object_steps(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        probe_key: Option<ObjectKey>,
        left: Option<Answer<Vec<String>>>,
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
        let (read, read_acl, write_acl, mut written) = join4(
            self.read(probe, objects, &absent),
            read_acl,
            if_granted(grants.acls, probe.write_absent_acl(&absent)),
            self.write(probe, &key, left),
        )
        .await;
        let back = match written.is_there() {
            true => Some(self.read_back(probe, &key, &mut written).await),
            false => None,
        };
        let without = self.without("s3:GetObjectAcl", read_acl.as_ref());
        self.read_step(read, back.as_ref(), without, found);
        let without = self.without("s3:PutObjectAcl", write_acl.as_ref());
        self.put_step(&written, back.as_ref(), without);
        self.remove(probe, &key, written, back, lists_versions)
            .await;
    }

    /// Removes what an earlier check has left, and writes the probe object. Where something cannot be
    /// removed, it is written only if there is none: a bucket with Object Lock keeps one, and not one for
    /// each check.
    async fn write(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        left: Vec<String>,
    ) -> Written {
        let left = delete_versions(probe, key, left).await;
        let put = self.record.time(probe.put(key, !left.is_empty())).await;
        let versions = match &put.value {
            Ok(answer) => answer.value.clone().into_iter().collect(),
            Err(_) => Vec::new(),
        };
        Written {
            put,
            versions,
            left,
        }
    }

    /// Reads the probe object back. One that has gone is written again, once: a check by another replica may
    /// have removed it.
    async fn read_back(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: &mut Written,
    ) -> Timed<Answer<ReadBack>> {
        let back = self.record.time(probe.read_back(key)).await;
        match &back.value {
            Err(failure) if failure.kind == FailureKind::NoSuchKey => {}
            Ok(_) | Err(_) => return back,
        }
        let Ok(again) = probe.put(key, false).await else {
            return back;
        };
        written.versions.extend(again.value);
        self.record.time(probe.read_back(key)).await
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
        back: Option<&Timed<Answer<ReadBack>>>,
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

    fn put_step(
        &self,
        written: &Written,
        back: Option<&Timed<Answer<ReadBack>>>,
        without: Option<(Seen, What)>,
    ) {
        let step = StepName::PutObject;
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
        match back.map(|back| &back.value) {
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

    /// Deletes the probe object as files are deleted, and every version that the check has made.
    ///
    /// Whatever became of the put: the object may be there, and the permission is needed anyway. S3 answers
    /// the deletion of an absent object like any other.
    async fn remove(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: Written,
        back: Option<Timed<Answer<ReadBack>>>,
        lists_versions: bool,
    ) {
        let step = StepName::DeleteObject;
        let keeps_versions = written.versions.iter().any(|id| id != NULL_VERSION);
        // Without the permission, a bucket that keeps versions keeps that of the probe.
        let deletes_versions = self.grants().versions;
        let own = match (deletes_versions, written.versions.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => vec![NULL_VERSION.to_owned()],
            (true, false) => written.versions.clone(),
        };
        let (delete, mut left) = join(
            self.record.time(probe.delete(key, None)),
            delete_versions(probe, key, own),
        )
        .await;
        let marker = match &delete.value {
            Ok(answer) => answer.value.clone(),
            Err(_) => None,
        };
        let marker = marker.filter(|_| deletes_versions);
        left.extend(delete_versions(probe, key, marker.into_iter().collect()).await);
        let lost_answer = matches!(&written.put.value, Err(failure) if failure.kind.is_transient());
        if lost_answer
            && deletes_versions
            && let Ok(answer) = probe.versions(key).await
        {
            left.extend(delete_versions(probe, key, answer.value).await);
        }
        if keeps_versions && deletes_versions && !lists_versions && left.is_empty() {
            left.extend(self.remove_older(probe, key).await);
        }
        left.extend(written.left);
        let back = back
            .as_ref()
            .and_then(|back| back.value.as_ref().ok())
            .map(|answer| &answer.value);
        let lock = back.map(|back| back.lock).filter(|lock| lock.is_known());
        // Of a bucket with versions, the rule hides the object, and says nothing of its versions.
        let expires = back
            .and_then(|back| back.expires)
            .filter(|_| !keeps_versions);
        let described = |failure: AwsFailure| match lock {
            Some(lock) if failure.kind == FailureKind::ObjectLocked => failure.with_lock(lock),
            Some(_) | None => failure,
        };
        let left = left
            .into_iter()
            .map(|(id, failure)| (id, described(failure)));
        // Of a bucket without versions there is one object, and its deletion has been answered.
        let (of_null, of_versions): (Vec<_>, Vec<_>) = left.partition(|(id, _)| id == NULL_VERSION);
        let without = of_null
            .iter()
            .find_map(|(_, failure)| self.without("s3:DeleteObjectVersion", Some(failure)));
        match &delete.value {
            Err(failure) => {
                let is_left =
                    written.put.value.is_ok() && !(keeps_versions && of_versions.is_empty());
                let failure = described(failure.clone());
                let what = What::NotDeleted {
                    failure: failure.clone(),
                    left: is_left.then(|| key.as_str().to_owned()),
                    expires,
                };
                self.record.fail(step, &delete, &failure, what);
            }
            Ok(answer) => {
                if let Some((_, first)) = of_versions.first() {
                    let mut ids: Vec<String> =
                        of_versions.iter().map(|(id, _)| id.clone()).collect();
                    ids.truncate(5);
                    let what = What::ProbeLeft {
                        key: key.as_str().to_owned(),
                        folder: self.lifecycle_folders.temp().to_owned(),
                        versions: ids,
                        failure: first.clone(),
                    };
                    self.record.warn(step, &delete, Seen::of(first), what);
                    return;
                }
                match without {
                    Some((seen, what)) => self.record.warn(step, &delete, seen, what),
                    None => self.record.pass(step, &delete, answer),
                }
            }
        }
    }

    /// Where the versions cannot be listed: what is there after everything was removed is of an earlier check.
    async fn remove_older(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
    ) -> Vec<(String, AwsFailure)> {
        for _ in 0..LOOKED_FOR {
            let Ok(answer) = probe.current_version(key).await else {
                return Vec::new();
            };
            let Some(version) = answer.value else {
                return Vec::new();
            };
            let left = delete_versions(probe, key, vec![version]).await;
            if !left.is_empty() {
                return left;
            }
        }
        Vec::new()
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

/// Deletes these versions, and gives those that are still there.
async fn delete_versions(
    probe: &Arc<dyn BucketProbe>,
    key: &ObjectKey,
    versions: Vec<String>,
) -> Vec<(String, AwsFailure)> {
    let deletions = versions.into_iter().map(|id| async move {
        match probe.delete(key, Some(&id)).await {
            Ok(_) => None,
            Err(failure) if failure.kind == FailureKind::NoSuchKey => None,
            Err(failure) => Some((id, failure)),
        }
    });
    join_all(deletions).await.into_iter().flatten().collect()
}
