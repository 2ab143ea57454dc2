//! The probe object: written, read back and compared, and removed with every version of it.
//!
//! In Amazon S3 it is written beside the first questions to the bucket: the call says who must own the bucket, so S3
//! refuses it in a bucket of somebody else. It is deleted while it is read back, where nothing was there before.
//! The reading begins first, and a reading that S3 has begun is not changed by a deletion after it (S3 user guide,
//! "Amazon S3 data consistency model"). Only the bytes that were written prove something then. Any other answer may
//! come of the deletion, and is not told: the object is written again, read, and then deleted, one after the other,
//! and those answers count. S3-compatible stores, of which less is known, are always asked in that order.

use crate::application::bucket::probe::{Answer, BucketProbe, ReadBack};
use crate::application::checks::recorder::{Seen, Timed};
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::What;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::check::StepName;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::version::NULL_VERSION;
use futures_util::future::{join, join_all};
use std::sync::Arc;
use std::time::Duration;

/// How many older probes are looked for one by one, where the versions cannot be listed.
const LOOKED_FOR: usize = 3;
/// How much earlier than its deletion the reading of the probe object begins, where both are under way together.
/// More than two connections to one place differ by, and little beside a round trip.
const HEAD_START: Duration = Duration::from_millis(5);

/// A write of the probe object, and its answer: the version, where the bucket keeps versions.
pub type Put = Timed<Answer<Option<String>>>;

/// The probe object read back.
pub type Back = Timed<Answer<ReadBack>>;

/// What was written, and what an earlier check has left that could not be removed.
pub struct Written {
    pub put: Put,
    /// Every version that this check has made.
    versions: Vec<String>,
    left: Vec<(String, AwsFailure)>,
    /// A write has no answer, so it may have made a version that nobody knows.
    is_lost: bool,
}

impl Written {
    fn new(put: Put, left: Vec<(String, AwsFailure)>) -> Self {
        let mut written = Self {
            versions: Vec::new(),
            left,
            is_lost: false,
            put,
        };
        written.note();
        written
    }

    /// The object was written once more.
    fn again(&mut self, put: Put) {
        self.put = put;
        self.note();
    }

    fn note(&mut self) {
        match &self.put.value {
            Ok(answer) => self.versions.extend(answer.value.clone()),
            Err(failure) => self.is_lost |= failure.kind.is_transient(),
        }
    }

    /// Whether the probe object is there: just written, or still there from an earlier check.
    fn is_there(&self) -> bool {
        match &self.put.value {
            Ok(_) => true,
            Err(failure) => self.is_kept(failure),
        }
    }

    /// S3 looks at the permission first: whoever may not write is not answered that there is one already.
    pub fn is_kept(&self, failure: &AwsFailure) -> bool {
        failure.kind == FailureKind::PreconditionFailed && !self.left.is_empty()
    }

    fn keeps_versions(&self) -> bool {
        self.versions.iter().any(|id| id != NULL_VERSION)
    }
}

/// What came of removing the probe object.
pub struct Removal {
    delete: Timed<Answer<Option<String>>>,
    /// The versions that are still there, and why.
    left: Vec<(String, AwsFailure)>,
}

/// All that was done with the probe object.
pub struct Probed {
    pub written: Written,
    /// `None`: there was nothing to read.
    pub back: Option<Back>,
    pub removal: Removal,
}

impl CheckRun<'_> {
    /// Writes the probe object beside the first questions to the bucket. `None`: not yet.
    ///
    /// Where versions are granted, it is written only if there is none: a bucket with Object Lock keeps one, and not
    /// one for each check.
    pub async fn write_early(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: Option<&ObjectKey>,
    ) -> Option<Put> {
        let grants = self.grants();
        let is_amazon = self.bucket.connection.endpoint().is_none();
        let key = key.filter(|_| grants.writes() && is_amazon)?;
        // Without room for the other keys of the steps there are no steps with objects.
        self.absent_key()?;
        Some(self.record.time(probe.put(key, grants.versions)).await)
    }

    /// Removes the probe object that was written early: the bucket must not be used after all. What cannot be
    /// removed, the next check of the connection removes.
    pub async fn take_back(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: Option<&ObjectKey>,
        early: Option<Put>,
    ) {
        let (Some(key), Some(put)) = (key, early) else {
            return;
        };
        let written = Written::new(put, Vec::new());
        // One that was refused is not there.
        if !written.is_there() && !written.is_lost {
            return;
        }
        let Removal { delete, left } = self.remove(probe, key, &written, true).await;
        let failure = delete.value.as_ref().err();
        if let Some(failure) = failure.or(left.first().map(|(_, failure)| failure)) {
            tracing::warn!(
                kind = ?failure.kind,
                error_code = failure.error_code,
                aws_request_id = failure.request_id,
                "the file of a check that ended early could not be removed"
            );
        }
    }

    /// Writes the probe object, unless that was done early, reads it back, and removes it. `left`: the versions that
    /// were listed beside the early write.
    pub async fn probe_object(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        left: Vec<String>,
        lists_versions: bool,
        early: Option<Put>,
    ) -> Probed {
        let refused = early.as_ref().and_then(|put| put.value.as_ref().err());
        let is_lost = refused.is_some_and(|failure| failure.kind.is_transient());
        let early = early.filter(is_final);
        let is_early = early.as_ref().is_some_and(|put| put.value.is_ok());
        let mut written = self.write(probe, key, left, early).await;
        written.is_lost |= is_lost;
        if is_early && written.left.is_empty() {
            let both = self.read_back_and_remove(probe, key, &mut written, lists_versions);
            if let Some((back, removal)) = both.await {
                return Probed {
                    written,
                    back: Some(back),
                    removal,
                };
            }
            written.again(self.record.time(probe.put(key, false)).await);
        }
        let back = match written.is_there() {
            true => Some(self.read_back(probe, key, &mut written).await),
            false => None,
        };
        let removal = self.remove(probe, key, &written, lists_versions).await;
        Probed {
            written,
            back,
            removal,
        }
    }

    /// Removes what an earlier check has left, and writes the probe object, unless that was done early. Where
    /// something cannot be removed, it is written only if there is none: a bucket with Object Lock keeps one, and
    /// not one for each check.
    async fn write(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        mut left: Vec<String>,
        early: Option<Put>,
    ) -> Written {
        if let Some(Ok(answer)) = early.as_ref().map(|put| &put.value)
            && let Some(own) = &answer.value
        {
            left.retain(|id| id != own);
        }
        let left = delete_versions(probe, key, left).await;
        let put = match early {
            Some(put) => put,
            None => self.record.time(probe.put(key, !left.is_empty())).await,
        };
        Written::new(put, left)
    }

    /// Deletes the probe object while it is read back. `None`: the bytes that were written have not come back, which
    /// may be because of the deletion. To those who may not list, S3 does not even say that an object is gone.
    ///
    /// Its version is deleted after that: with it gone, another one would be read.
    async fn read_back_and_remove(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: &mut Written,
        lists_versions: bool,
    ) -> Option<(Back, Removal)> {
        let deletes_versions = self.grants().versions;
        let null = match deletes_versions && written.versions.is_empty() {
            true => vec![NULL_VERSION.to_owned()],
            false => Vec::new(),
        };
        let (back, (delete, mut left)) = join(self.record.time(probe.read_back(key)), async {
            tokio::time::sleep(HEAD_START).await;
            join(
                self.record.time(probe.delete(key, None)),
                delete_versions(probe, key, null),
            )
            .await
        })
        .await;
        let marker = match &delete.value {
            Ok(answer) => answer.value.clone().filter(|_| deletes_versions),
            Err(_) => None,
        };
        let is_proved = matches!(&back.value, Ok(answer) if answer.value.is_same);
        if !is_proved {
            written.versions.extend(marker);
            return None;
        }
        let made = match deletes_versions {
            true => written.versions.iter().cloned().chain(marker).collect(),
            false => Vec::new(),
        };
        left.extend(delete_versions(probe, key, made).await);
        let removal = self
            .remove_rest(
                probe,
                key,
                written,
                lists_versions,
                Removal { delete, left },
            )
            .await;
        Some((back, removal))
    }

    /// Reads the probe object back. One that has gone is written again, once: a check by another replica may
    /// have removed it.
    async fn read_back(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: &mut Written,
    ) -> Back {
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

    /// Deletes the probe object as files are deleted, and every version that the check has made.
    ///
    /// Whatever became of the put: the object may be there, and the permission is needed anyway. S3 answers
    /// the deletion of an absent object like any other.
    async fn remove(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: &Written,
        lists_versions: bool,
    ) -> Removal {
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
            Ok(answer) => answer.value.clone().filter(|_| deletes_versions),
            Err(_) => None,
        };
        left.extend(delete_versions(probe, key, marker.into_iter().collect()).await);
        let removal = Removal { delete, left };
        self.remove_rest(probe, key, written, lists_versions, removal)
            .await
    }

    /// Removes versions that nobody has named: that of a write without an answer, and what earlier checks have left
    /// where the versions cannot be listed.
    async fn remove_rest(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: &ObjectKey,
        written: &Written,
        lists_versions: bool,
        mut removal: Removal,
    ) -> Removal {
        if !self.grants().versions {
            return removal;
        }
        let left = &mut removal.left;
        if written.is_lost
            && let Ok(answer) = probe.versions(key).await
        {
            left.extend(delete_versions(probe, key, answer.value).await);
        }
        if written.keeps_versions() && !lists_versions && left.is_empty() {
            left.extend(self.remove_older(probe, key).await);
        }
        removal
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

    /// Records what came of the deletion, and what stays.
    pub fn removal_step(&self, key: &ObjectKey, probed: Probed) {
        let step = StepName::DeleteObject;
        let Probed {
            written,
            back,
            removal: Removal { delete, mut left },
        } = probed;
        let keeps_versions = written.keeps_versions();
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
}

/// Whether the early write has what the step says. One that was refused is made again in its turn, without a
/// condition: a store may refuse the condition alone. One that had no answer in time would have none again.
fn is_final(put: &Put) -> bool {
    match &put.value {
        Ok(_) => true,
        Err(failure) => matches!(failure.kind, FailureKind::Timeout | FailureKind::Network),
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
