//! One run of the steps: what all of them need.

use crate::application::bucket::probe::{Answer, BucketProbe, Prober};
use crate::application::checks::recorder::{Recorder, Seen};
use crate::application::diagnosis::fault::What;
use crate::application::kept::store::Store;
use crate::application::kept::vault::random_bytes;
use crate::domain::aws_failure::{AwsFailure, DenialReason, FailureKind};
use crate::domain::check::StepName;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{LifecycleFolders, PolicyTemplates};
use std::sync::Arc;

/// What the names of probe objects begin with.
const PROBE_NAME: &str = "sallyport-check-";
/// The same for those that a browser makes.
const BROWSER_PROBE_NAME: &str = "sallyport-browser-";

/// One run of the steps. The steps are in [`role_steps`](super::role_steps),
/// [`bucket_steps`](super::bucket_steps), [`object_steps`](super::object_steps) and
/// [`cors_step`](super::cors_step), by what they ask.
pub(crate) struct CheckRun<'a> {
    pub prober: &'a Arc<dyn Prober>,
    pub policies: &'a PolicyTemplates,
    pub origins: &'a [OriginPattern],
    pub bucket: &'a ConnectedBucket,
    pub record: &'a Recorder,
    pub store: &'a dyn Store,
    pub lifecycle_folders: &'a LifecycleFolders,
}

impl CheckRun<'_> {
    /// Whether the step is made for this connection. Otherwise it is skipped.
    pub fn is_made(&self, step: StepName) -> bool {
        let has_origins = !self.origins.is_empty();
        let skipped = step.asked().skipped(&self.bucket.connection, has_origins);
        if let Some(because) = skipped {
            self.record.skip(step, because);
        }
        skipped.is_none()
    }

    /// An action of the documents that was denied, and that the connection works without. `None`: it was not
    /// denied. A store that gives no reason may not have the operation at all.
    pub fn without(
        &self,
        action: &'static str,
        denied: Option<&AwsFailure>,
    ) -> Option<(Seen, What)> {
        let failure = denied.filter(|failure| {
            failure.kind == FailureKind::AccessDenied && failure.reason() != DenialReason::NotGiven
        })?;
        self.record.lacks_optional(action, failure);
        let what = What::OptionalDenied {
            action,
            failure: failure.clone(),
        };
        Some((Seen::of(failure), what))
    }

    /// The key of the probe object, in the first of the folders that expire. Each setup and each storage has one of its
    /// own and keeps it, so that in a bucket with versions the checks of a year do not leave a year's names.
    /// Checks of one service take turns, so that none uses it while another does.
    pub fn probe_key(&self) -> Option<ObjectKey> {
        self.key(&self.bucket.owner.short_name())
    }

    /// What the documents grant.
    pub fn grants(&self) -> Grants {
        self.bucket.connection.settings.grants()
    }

    /// The folders that the lifecycle document empties, with the prefix. The first is one that is browsed like any
    /// other.
    pub fn expiring_folders(&self) -> [Option<ObjectKeyPrefix>; 2] {
        self.lifecycle_folders.both().map(|folder| {
            let folder = Folder::parse(&format!("/{folder}")).ok()?;
            ObjectKeyPrefix::within(&self.bucket.connection.settings.prefix, &folder).ok()
        })
    }

    /// Whether what is in those folders is somebody else's, and would be deleted: before the product has written
    /// anything of its own, and where the documents have the lifecycle configuration.
    pub fn warns_of_expiry(&self) -> bool {
        self.bucket.connection.settings.has_lifecycle()
            && match &self.bucket.owner {
                Owner::Setup(..) => true,
                Owner::Storage(..) | Owner::Pending(..) | Owner::BuiltIn(_) => false,
            }
    }

    /// The key of an object that does not exist: nobody else has it.
    pub fn absent_key(&self) -> Option<ObjectKey> {
        let random = u128::from_be_bytes(random_bytes().ok()?);
        self.key(&format!("{random:032x}"))
    }

    /// The first of these names of a folder that the service has not written. The folder's own marker is no file.
    pub fn of_others(folder: &ObjectKeyPrefix, names: &[String]) -> Option<String> {
        let others = names.iter().find(|name| {
            let below = name.strip_prefix(folder.as_str()).unwrap_or(name);
            !below.is_empty() && !is_probe_name(below)
        });
        others.cloned()
    }

    /// Whether a key that was listed is that of a probe object: this check's, or one of another setup or storage
    /// with the same prefix, which may be gone in a moment.
    pub fn is_probe(&self, key: &str) -> bool {
        let [temp, _] = self.expiring_folders();
        let name = temp
            .as_ref()
            .and_then(|temp| key.strip_prefix(temp.as_str()));
        name.is_some_and(is_probe_name)
    }

    fn key(&self, end: &str) -> Option<ObjectKey> {
        let folder = self.lifecycle_folders.temp();
        let key = FileKey::parse(&format!("/{folder}{PROBE_NAME}{end}")).ok()?;
        ObjectKey::within(&self.bucket.connection.settings.prefix, &key).ok()
    }

    /// Asks, and asks once more in the right Region when S3 says that this one is wrong.
    pub async fn located<T, F>(
        &self,
        probe: &Arc<dyn BucketProbe>,
        ask: impl Fn(Arc<dyn BucketProbe>) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        match ask(probe.clone()).await {
            Err(failure) if failure.kind == FailureKind::WrongRegion => {
                let region = match failure.region() {
                    Some(region) => Some(region),
                    None => match probe.region_of_bucket().await {
                        Ok(answer) => answer.bucket_region,
                        Err(failure) => failure.region(),
                    },
                };
                match region {
                    Some(region) if region != probe.region() => {
                        let answer = ask(probe.in_region(region)).await;
                        let is_wrong_too = matches!(&answer, Err(failure) if failure.kind == FailureKind::WrongRegion);
                        if !is_wrong_too {
                            self.record.signs_for(region);
                        }
                        answer
                    }
                    Some(_) | None => Err(failure),
                }
            }
            answer => answer,
        }
    }
}

/// Whether the service writes objects of such names, in the first of the folders that expire.
fn is_probe_name(name: &str) -> bool {
    [PROBE_NAME, BROWSER_PROBE_NAME]
        .iter()
        .any(|own| name.starts_with(own))
}
