//! The steps that ask the bucket: where it is, whose it is, and what is in it.

use crate::application::bucket::probe::{Answer, BucketProbe, ExpectedOwner, LISTED, Preflight};
use crate::application::bucket::read::ListedObject;
use crate::application::checks::recorder::{Seen, Timed};
use crate::application::checks::role_steps::SignedIn;
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::What;
use crate::domain::aws_code::S3Code;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::check::StepName;
use crate::domain::connection::Credentials;
use crate::domain::connection::region::Region;
use crate::domain::files::object_key::ObjectKey;
use futures_util::future::{join3, join4};
use std::sync::Arc;

impl CheckRun<'_> {
    /// The steps that ask the bucket, beside the call that confirms the role's refusals, and beside the writing of
    /// the probe object. Returns its Region, and what it may be asked further with.
    pub async fn bucket_steps(
        &self,
        signed_in: SignedIn,
    ) -> (Option<Region>, Option<Arc<dyn BucketProbe>>) {
        let SignedIn {
            mut probe,
            refusals,
        } = signed_in;
        let probe_key = self.probe_key();
        let (mut asked, confirmation, early) = join3(
            self.ask(&probe, probe_key.as_ref()),
            self.assume_again(refusals),
            self.write_early(&probe, probe_key.as_ref()),
        )
        .await;
        if !self.confirm(confirmation) {
            self.take_back(&probe, probe_key.as_ref(), early).await;
            return (None, None);
        }
        if let Some(known) = self.known_in_region(&probe, &asked).await {
            probe = known;
            asked = self.ask(&probe, probe_key.as_ref()).await;
        }
        let Asked {
            location,
            owned,
            mut list,
            folder,
            expiring,
            versions,
            cors,
        } = asked;
        if let Ok(answer) = &mut list.value {
            // Probe objects are no files of the bucket's, whenever they were written.
            answer.value.retain(|object| !self.is_probe(&object.key));
            answer.value.truncate(LISTED);
        }

        let region = self.location_step(&probe, &location).await;
        let probe = match region {
            Some(region) if region != probe.region() => probe.in_region(region),
            _ => probe,
        };
        let owner = self
            .owner_step(&probe, &location.value, &owned, list.value.as_ref().err())
            .await;
        if owner == BucketOwnership::SomebodyElse {
            self.record
                .skip_rest("The bucket belongs to another account.");
            self.take_back(&probe, probe_key.as_ref(), early).await;
            return (region, None);
        }
        let objects = self.list_step(&list, folder, expiring, versions.as_ref());
        self.cors_step(cors);
        self.object_steps(&probe, objects, probe_key, versions, early)
            .await;
        (region, Some(probe))
    }

    /// Everything that is asked of the bucket itself, at the same time.
    async fn ask(&self, probe: &Arc<dyn BucketProbe>, probe_key: Option<&ObjectKey>) -> Asked {
        let has_owner = self.bucket.connection.expected_owner().is_some();
        let lists_versions = self.grants().versions;
        let [child, other] = self.expiring_folders();
        let other = other.filter(|_| self.warns_of_expiry());
        let bucket = join4(
            self.record.time(self.located(probe, |p| async move {
                p.location(ExpectedOwner::Omit).await
            })),
            self.record.time(async {
                match has_owner {
                    true => Some(
                        self.located(probe, |p| async move {
                            p.location(ExpectedOwner::Require).await
                        })
                        .await,
                    ),
                    false => None,
                }
            }),
            self.record.time(self.located(probe, |p| async move {
                p.list(ExpectedOwner::Require).await
            })),
            self.cors(probe, probe_key),
        );
        let below = async {
            let child = child.as_ref()?;
            let answer = self.located(probe, |p| async move { p.list_folder(child).await });
            Some((child.as_str().to_owned(), self.record.time(answer).await))
        };
        let of_other = async {
            let other = other.as_ref()?;
            let names = self
                .located(probe, |p| async move { p.list_folder(other).await })
                .await;
            Self::of_others(other, &names.ok()?.value)
        };
        let left = async {
            let key = probe_key.filter(|_| lists_versions)?;
            Some(
                self.located(probe, |p| async move { p.versions(key).await })
                    .await,
            )
        };
        let ((location, owned, list, cors), folder, of_other, versions) =
            join4(bucket, below, of_other, left).await;
        let of_child = folder
            .as_ref()
            .and_then(|(_, timed)| timed.value.as_ref().ok())
            .filter(|_| self.warns_of_expiry())
            .and_then(|answer| Self::of_others(child.as_ref()?, &answer.value));
        let expiring = of_child.into_iter().chain(of_other).collect();
        Asked {
            location,
            owned,
            list,
            folder,
            expiring,
            versions,
            cors,
        }
    }

    /// S3 does not know the session in the bucket's Region: one that the STS of that Region has made.
    async fn known_in_region(
        &self,
        probe: &Arc<dyn BucketProbe>,
        asked: &Asked,
    ) -> Option<Arc<dyn BucketProbe>> {
        let Credentials::Role { .. } = self.bucket.connection.credentials else {
            return None;
        };
        let of_location = asked.location.value.as_ref().err();
        let of_list = asked.list.value.as_ref().err();
        let unknown = [of_list, of_location]
            .into_iter()
            .flatten()
            .find(|failure| is_unknown_session(failure))?;
        let region = match unknown.region().or(self.bucket.connection.settings.region) {
            Some(region) => region,
            None => match probe.region_of_bucket().await {
                Ok(answer) => answer.bucket_region?,
                Err(failure) => failure.region()?,
            },
        };
        let assumed = self.prober.assume_role_in(self.bucket, region).await;
        assumed.ok().map(|answer| answer.value)
    }

    /// The Region is a warning at most: other answers of S3 have it too.
    async fn location_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        location: &Timed<Answer<Region>>,
    ) -> Option<Region> {
        let step = StepName::GetBucketLocation;
        match &location.value {
            Ok(answer) => {
                // What calls have to be signed for counts, whatever the store calls its place.
                let found = self.record.signing_region().unwrap_or(answer.value);
                match self.bucket.connection.settings.region {
                    Some(typed) if typed != found => {
                        let what = What::RegionDiffers {
                            entered: typed,
                            found,
                        };
                        self.record
                            .warn(step, location, Seen::answered(answer), what);
                    }
                    _ => self.record.pass(step, location, answer),
                }
                Some(found)
            }
            Err(failure)
                if failure.kind == FailureKind::AccessDenied
                    || (failure.kind == FailureKind::InvalidRequest
                        && self.bucket.connection.endpoint().is_none()) =>
            {
                let found = match failure.region() {
                    Some(region) => Some(region),
                    None => match probe.region_of_bucket().await {
                        Ok(answer) => answer.bucket_region,
                        Err(failure) => failure.region(),
                    },
                };
                let what = What::LocationDenied {
                    found,
                    failure: failure.clone(),
                };
                self.record.warn(step, location, Seen::of(failure), what);
                found
            }
            Err(failure) if self.may_lack_location(failure.kind) => {
                self.record.warn(
                    step,
                    location,
                    Seen::of(failure),
                    What::LocationNotSupported(failure.clone()),
                );
                self.record.signing_region().or(failure.region())
            }
            Err(failure) => {
                let what = What::Failed {
                    action: None,
                    failure: failure.clone(),
                };
                self.record.fail(step, location, failure, what);
                failure.region()
            }
        }
    }

    /// Whether an S3-compatible store may just not have GetBucketLocation, or name its Regions as AWS does
    /// not. The other steps find what else is wrong with it.
    fn may_lack_location(&self, kind: FailureKind) -> bool {
        self.bucket.connection.endpoint().is_some()
            && match kind {
                FailureKind::AccessDenied
                | FailureKind::InvalidRequest
                | FailureKind::InvalidResponse
                | FailureKind::NotS3
                | FailureKind::ListingIncomplete
                // 501 `NotImplemented` among them.
                | FailureKind::Unavailable
                | FailureKind::NoSuchKey
                | FailureKind::KmsDenied
                | FailureKind::NotModified
                | FailureKind::PreconditionFailed
                | FailureKind::InvalidRange
                | FailureKind::Archived
                | FailureKind::ObjectLocked
                | FailureKind::KmsUnusable
                | FailureKind::NotSupported => true,
                FailureKind::BadCredentials
                | FailureKind::NoSuchBucket
                | FailureKind::WrongRegion
                | FailureKind::Throttled
                | FailureKind::Timeout
                | FailureKind::Network
                | FailureKind::ClockSkew
                | FailureKind::AccountDisabled
                | FailureKind::Redirected
                | FailureKind::ForbiddenAddress => false,
            }
    }

    async fn owner_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        location: &Answer<Region>,
        owned: &Timed<Option<Answer<Region>>>,
        list_failure: Option<&AwsFailure>,
    ) -> BucketOwnership {
        let step = StepName::BucketOwner;
        if !self.is_made(step) {
            return BucketOwnership::Unknown;
        }
        let failure = match &owned.value {
            None => return BucketOwnership::Unknown,
            Some(Ok(answer)) => {
                self.record.pass(step, owned, answer);
                return BucketOwnership::AsSaid;
            }
            Some(Err(failure)) => failure,
        };
        let denied = failure.kind == FailureKind::AccessDenied;
        match (location, list_failure) {
            // The same call, with and without saying who must own the bucket.
            (Ok(_), _) if denied => {
                self.record.fail(step, owned, failure, What::AnotherOwner);
                BucketOwnership::SomebodyElse
            }
            // The listing said who must own the bucket, and S3 answered.
            (_, None) => {
                self.record.pass_silently(step, owned);
                BucketOwnership::AsSaid
            }
            (Err(_), Some(list_failure))
                if denied && list_failure.kind == FailureKind::AccessDenied =>
            {
                match probe.list(ExpectedOwner::Omit).await {
                    Ok(_) => {
                        self.record.fail(step, owned, failure, What::AnotherOwner);
                        BucketOwnership::SomebodyElse
                    }
                    Err(_) => {
                        self.record.skip(
                            step,
                            "The owner is only known once the role may list the bucket or read its location.",
                        );
                        BucketOwnership::Unknown
                    }
                }
            }
            _ if failure.kind == FailureKind::NoSuchBucket => {
                self.record.skip(step, "There is no such bucket.");
                BucketOwnership::Unknown
            }
            _ => {
                let what = What::Failed {
                    action: None,
                    failure: failure.clone(),
                };
                self.record.fail(step, owned, failure, what);
                BucketOwnership::Unknown
            }
        }
    }

    fn list_step(
        &self,
        list: &Timed<Answer<Vec<ListedObject>>>,
        folder: Option<(String, Timed<Answer<Vec<String>>>)>,
        expiring: Vec<String>,
        versions: Option<&Answer<Vec<String>>>,
    ) -> Option<Vec<ListedObject>> {
        let step = StepName::ListBucket;
        let denied = versions.and_then(|versions| versions.as_ref().err());
        let without = self.without("s3:ListBucketVersions", denied);
        let answer = match &list.value {
            Ok(answer) => answer,
            Err(failure) => {
                let what = What::Failed {
                    action: Some("s3:ListBucket"),
                    failure: failure.clone(),
                };
                self.record.fail(step, list, failure, what);
                return None;
            }
        };
        self.record.lists(count_files(&answer.value));
        if let Some((folder, timed)) = &folder
            && let Err(failure) = &timed.value
        {
            let what = What::FoldersNotListed {
                folder: folder.clone(),
                failure: failure.clone(),
            };
            self.record.fail(step, timed, failure, what);
            return Some(answer.value.clone());
        }
        match without {
            Some((seen, what)) => self.record.warn(step, list, seen, what),
            None if !expiring.is_empty() => {
                let what = What::FilesThatExpire {
                    found: expiring,
                    folders: self.lifecycle_folders.both().map(str::to_owned),
                };
                self.record.warn(step, list, Seen::answered(answer), what);
            }
            None => self.record.pass(step, list, answer),
        }
        Some(answer.value.clone())
    }
}

/// How many of the objects are files: without the empty ones that only stand for a folder.
fn count_files(objects: &[ListedObject]) -> u64 {
    let files = objects
        .iter()
        .filter(|object| object.size > 0 || !object.key.ends_with('/'));
    files.count() as u64
}

/// What the bucket answered.
struct Asked {
    location: Timed<Answer<Region>>,
    owned: Timed<Option<Answer<Region>>>,
    list: Timed<Answer<Vec<ListedObject>>>,
    /// A folder below the prefix, and its listing.
    folder: Option<(String, Timed<Answer<Vec<String>>>)>,
    /// Files of others in the folders that the lifecycle document empties.
    expiring: Vec<String>,
    /// What is left of the probe object. `None`: versions are not granted.
    versions: Option<Answer<Vec<String>>>,
    cors: Timed<Vec<Preflight>>,
}

/// Whether S3 does not know the session in this Region.
fn is_unknown_session(failure: &AwsFailure) -> bool {
    let code = failure.error_code.as_deref().and_then(S3Code::parse);
    code == Some(S3Code::InvalidToken)
}

/// Whether the bucket belongs to the account that the connection names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BucketOwnership {
    AsSaid,
    SomebodyElse,
    Unknown,
}
